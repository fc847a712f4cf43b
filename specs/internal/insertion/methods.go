package insertion

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// methods holds IN-405-*.
func methods() []spec.Spec {
	return []spec.Spec{
		{ID: "IN-405-01", Body: row(refusesUnknownMethods(func(string, []string) *answer.Matcher { return BeRefused(405) }))},
		{ID: "IN-405-02", Body: row(refusesUnknownMethods(BeToldTheMethods))},
	}
}

// refusesUnknownMethods makes a check that sends to both routes every method that they don't know.
func refusesUnknownMethods(beRefused func(method string, known []string) *answer.Matcher) func(spec.Gomega, api) {
	return func(_ spec.Gomega, d api) {
		id := d.given(d.lead("first"))
		d.control("the methods that the routes know are accepted", func(_ spec.Gomega, d api) {
			var cases []kase
			for _, c := range d.calls(id) {
				cases = append(cases, kase{c.name, func(g spec.Gomega, d api) { g.Expect(d.call(c)).To(BeAccepted()) }})
			}
			d.each(cases...)
		})
		one, collection := []string{http.MethodGet, http.MethodPatch}, []string{http.MethodGet, http.MethodPost}
		var cases []kase
		refused := func(method, path, route string, known []string, body func(d api) []byte) {
			cases = append(cases, kase{method + " on " + route, func(g spec.Gomega, d api) {
				g.Expect(d.Send(d.request(method, path, body(d)))).To(beRefused(method, known))
			}})
		}
		none := func(api) []byte { return nil }
		whole := func(d api) []byte { return d.lead("first").json() }
		part := func(api) []byte { return lead{"first_name": renamed}.json() }
		refused(http.MethodDelete, leadsPath, "the collection", collection, none)
		refused(http.MethodPut, leadsPath, "the collection", collection, whole)
		refused(http.MethodPatch, leadsPath, "the collection", collection, part)
		refused(http.MethodDelete, leadPath(id), "one lead", one, none)
		refused(http.MethodPut, leadPath(id), "one lead", one, whole)
		refused(http.MethodPost, leadPath(id), "one lead", one, whole)
		d.each(cases...)
	}
}

// BeToldTheMethods matches a 405 whose Allow holds the methods that the route knows and not the one that was refused
// (RFC 9110 §10.2.1). Others, such as HEAD, may stand there too.
func BeToldTheMethods(refused string, known []string) *answer.Matcher {
	return answer.That(fmt.Sprintf("405 with Allow holding %s and not %s", strings.Join(known, " and "), refused),
		answer.Status(405), func(a *answer.Answer) []string {
			var told []string
			for method := range strings.SplitSeq(strings.Join(a.Header.Values("Allow"), ","), ",") {
				told = append(told, strings.TrimSpace(method))
			}
			var wrong []string
			for _, method := range known {
				if !slices.Contains(told, method) {
					wrong = append(wrong, fmt.Sprintf("Allow is %q, without %s", a.Header.Values("Allow"), method))
				}
			}
			if slices.Contains(told, refused) {
				wrong = append(wrong, fmt.Sprintf("Allow is %q, with %s", a.Header.Values("Allow"), refused))
			}
			return wrong
		})
}
