package insertion

import (
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// envelope holds IN-ENV-*.
func envelope() []spec.Spec {
	return []spec.Spec{
		{ID: "IN-ENV-01", Body: row(refusesInTheEnvelope)},
		{ID: "IN-ENV-02", Body: row(namesErrorsByIdentifiers)},
		{ID: "IN-ENV-03", Body: row(marksEverySuccess)},
		{ID: "IN-ENV-04", Body: row(namesTheSameFailureAlike)},
		{ID: "IN-ENV-05", Body: row(labelsJSON)},
	}
}

// failing is a way to fail, and the status that it is answered with.
type failing struct {
	name   string
	status int
	cause  func(d api) *answer.Answer
	// further is a further way to get a status that another way is sure to get: whether it is answered with it is the
	// business of other rows.
	further bool
}

// concerns reports whether an answer is one to look at.
func (f failing) concerns(a *answer.Answer) bool { return !f.further || a.Status == f.status }

// failures causes each status that a core row can cause, first in one way each and then in further ones.
func (d api) failures(id string) []failing {
	return append(everyFailure(id), d.furtherFailures()...)
}

func everyFailure(id string) []failing {
	return []failing{
		{name: "400, malformed JSON", status: 400, cause: func(d api) *answer.Answer { return d.createBody([]byte(`{"campaign_id":`)) }},
		{name: "400, a field of the wrong type", status: 400, cause: func(d api) *answer.Answer {
			return d.create(d.lead("first").set("campaign_id", "none"))
		}},
		{name: "400, an empty PATCH", status: 400, cause: func(d api) *answer.Answer { return d.patch(d.given(d.lead("first")), lead{}) }},
		{name: "401, no authentication", status: 401, cause: func(d api) *answer.Answer {
			return d.Send(d.requestWith(nil, http.MethodGet, leadPath(id), nil))
		}},
		{name: "401, a wrong signature", status: 401, cause: func(d api) *answer.Answer {
			c := d.posting()
			return d.callWith(c, d.signedByAnother(c))
		}},
		{name: "403", status: 403, cause: func(d api) *answer.Answer { return d.as("read_only").create(d.lead("first")) }},
		{name: "404", status: 404, cause: func(d api) *answer.Answer { return d.get(d.Data.UUID()) }},
		{name: "405", status: 405, cause: func(d api) *answer.Answer {
			return d.Send(d.request(http.MethodDelete, leadPath(id), nil))
		}},
	}
}

func (d api) furtherFailures() []failing {
	further := []failing{
		{name: "400, malformed JSON on PATCH", status: 400, cause: func(d api) *answer.Answer {
			return d.patchBody(d.given(d.lead("first")), []byte(`{"first_name":`))
		}},
		{name: "400, a field of the wrong type on PATCH", status: 400, cause: func(d api) *answer.Answer {
			return d.patch(d.given(d.lead("first")), lead{"first_name": map[string]any{}})
		}},
		{name: "401, an unknown public key", status: 401, cause: func(d api) *answer.Answer {
			c := d.posting()
			return d.callWith(c, d.signedByAStranger(c))
		}},
		{name: "401, an old signature", status: 401, cause: func(d api) *answer.Answer {
			c := d.posting()
			return d.callWith(c, d.signed(c, time.Now().Add(-d.Profile.Insertion.SignatureWindow-time.Minute)))
		}},
		{name: "401, an unknown bearer token", status: 401, cause: func(d api) *answer.Answer {
			return d.callWith(d.posting(), target.BearerHeader(d.lookalike(d.key().Secret)))
		}},
		{name: "404 on PATCH", status: 404, cause: func(d api) *answer.Answer { return d.patch(d.Data.UUID(), lead{"first_name": renamed}) }},
		{name: "405 on the collection", status: 405, cause: func(d api) *answer.Answer {
			return d.Send(d.request(http.MethodDelete, leadsPath, nil))
		}},
	}
	if len(d.Profile.Missing(target.APIInsertion, []string{"credentials.write_only"})) == 0 {
		further = append(further, failing{name: "403 on GET", status: 403, cause: func(d api) *answer.Answer {
			return d.as("write_only").call(listing())
		}})
	}
	for i := range further {
		further[i].further = true
	}
	return further
}

func refusesInTheEnvelope(_ spec.Gomega, d api) {
	id := d.given(d.lead("first"))
	var cases []kase
	for _, f := range d.failures(id) {
		cases = append(cases, kase{f.name, func(g spec.Gomega, d api) {
			if a := f.cause(d); f.concerns(a) {
				g.Expect(a).To(BeRefused(f.status))
			}
		}})
	}
	d.each(cases...)
}

func namesErrorsByIdentifiers(_ spec.Gomega, d api) {
	id := d.given(d.lead("first"))
	var cases []kase
	for _, f := range d.failures(id) {
		if f.status == 400 {
			continue // it describes what is wrong
		}
		cases = append(cases, kase{f.name, func(g spec.Gomega, d api) {
			if a := f.cause(d); f.concerns(a) {
				g.Expect(a).To(answer.That("an error that is an identifier", answer.Status(f.status), answer.Object(), named()))
			}
		}})
	}
	d.each(cases...)
}

// BeMarked matches any success with ok true.
func BeMarked() *answer.Matcher {
	return answer.That("a success with ok true", answer.Status(200, 201), answer.Object(), answer.Member("ok", answer.Equals(true)))
}

func marksEverySuccess(g spec.Gomega, d api) {
	l := d.lead("first")
	inserted := d.create(l)
	g.Expect(inserted).To(BeMarked())
	g.Expect(d.create(l)).To(BeMarked())
	g.Expect(d.create(l.set("first_name", renamed))).To(BeMarked())
	id := leadID(inserted)
	d.each(
		kase{"PATCH", func(g spec.Gomega, d api) { g.Expect(d.patch(id, lead{"first_name": renamedAgain})).To(BeMarked()) }},
		kase{"GET one", func(g spec.Gomega, d api) { g.Expect(d.get(id)).To(BeMarked()) }},
		kase{"GET list", func(g spec.Gomega, d api) { g.Expect(d.list(nil)).To(BeMarked()) }},
	)
}

func namesTheSameFailureAlike(_ spec.Gomega, d api) {
	id := d.given(d.lead("first"))
	everywhere := func(call) bool { return true }
	kinds := []struct {
		name   string
		status int
		cause  func(d api, c call) *answer.Answer
		on     func(c call) bool // the endpoints on which it can happen
		// another row's business is whether it is answered with the status at all
		elsewhere bool
	}{
		{"no authentication", 401, func(d api, c call) *answer.Answer { return d.callWith(c, nil) }, everywhere, false},
		{"an unknown key", 401, func(d api, c call) *answer.Answer { return d.callWith(c, d.signedByAStranger(c)) }, everywhere, false},
		{"a wrong signature", 401, func(d api, c call) *answer.Answer { return d.callWith(c, d.signedByAnother(c)) }, everywhere, false},
		{"a missing scope", 403, func(d api, c call) *answer.Answer { return d.as("read_only").call(c) },
			func(c call) bool { return c.method != http.MethodGet }, false},
		{"an unknown lead", 404, func(d api, c call) *answer.Answer { return d.call(c.of(d.Data.UUID())) },
			func(c call) bool { return c.one }, false},
		{"an unknown method", 405, func(d api, c call) *answer.Answer {
			return d.Send(d.request(http.MethodDelete, c.path, nil))
		}, func(c call) bool { return c.method == http.MethodGet }, true},
		{"a field of the wrong type", 400, func(d api, _ call) *answer.Answer {
			return d.create(d.lead("first").set("campaign_id", "first"))
		}, func(c call) bool { return c.method == http.MethodPost }, true},
		{"malformed JSON", 400, func(d api, _ call) *answer.Answer { return d.createBody([]byte(`{"campaign_id":`)) },
			func(c call) bool { return c.method == http.MethodPost }, true},
	}
	var cases []kase
	for _, kind := range kinds {
		cases = append(cases, kase{kind.name, func(_ spec.Gomega, d api) {
			calls := slices.DeleteFunc(d.calls(id), func(c call) bool { return !kind.on(c) })
			calls = append(calls, calls[0]) // once more on the first
			causeAlike(d, calls, kind.status, kind.elsewhere, kind.cause)
		}})
	}
	d.each(cases...)
}

// causeAlike causes a failure by each of the calls and expects one and the same error. Where it is the business of
// another row that the failure comes with its status and an error, others are left aside.
func causeAlike(d api, calls []call, status int, elsewhere bool, cause func(d api, c call) *answer.Answer) {
	var first atomic.Value
	var cases []kase
	for i, c := range calls {
		cases = append(cases, kase{fmt.Sprintf("%s, request %d", c.name, i+1), func(g spec.Gomega, d api) {
			a := cause(d, c)
			if elsewhere && (a.Status != status || a.Text("error") == "") {
				return
			}
			g.Expect(a).To(answer.That(fmt.Sprintf("%d with a non-empty error", status),
				answer.Status(status), answer.Object(), answer.Member("error", answer.NonEmptyString)))
			first.CompareAndSwap(nil, a.Text("error"))
			g.Expect(a).To(answer.That(fmt.Sprintf("%d with the same error as the same failure elsewhere: %q", status, first.Load()),
				answer.Member("error", answer.Equals(first.Load()))))
		}})
	}
	d.each(cases...)
}

func labelsJSON(_ spec.Gomega, d api) {
	labelled := func(g spec.Gomega, a *answer.Answer) {
		g.Expect(a).To(answer.That("an answer in JSON that is labelled application/json", answer.Object(), answer.LabelledJSON()))
	}
	id := d.given(d.lead("first"))
	var cases []kase
	for _, c := range d.calls(id) {
		cases = append(cases, kase{c.name, func(g spec.Gomega, d api) {
			a := d.call(c)
			g.Expect(a).To(BeAccepted())
			labelled(g, a)
		}})
	}
	for _, f := range d.failures(id) {
		cases = append(cases, kase{f.name, func(g spec.Gomega, d api) {
			a := f.cause(d)
			if !f.concerns(a) {
				return
			}
			g.Expect(a).To(BeAnswered(f.status))
			labelled(g, a)
		}})
	}
	d.each(cases...)
}
