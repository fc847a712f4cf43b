package insertion

import (
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"

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
}

// failures causes each status that a core row can cause at least once.
func failures(id string) []failing {
	return []failing{
		{"400, malformed JSON", 400, func(d api) *answer.Answer { return d.createBody([]byte(`{"campaign_id":`)) }},
		{"400, a field of the wrong type", 400, func(d api) *answer.Answer {
			return d.create(d.lead("first").set("campaign_id", "none"))
		}},
		{"400, an empty PATCH", 400, func(d api) *answer.Answer { return d.patch(d.given(d.lead("first")), lead{}) }},
		{"401, no authentication", 401, func(d api) *answer.Answer {
			return d.Send(d.requestWith(nil, http.MethodGet, leadPath(id), nil))
		}},
		{"401, a wrong signature", 401, func(d api) *answer.Answer {
			c := d.posting()
			return d.callWith(c, d.signedByAnother(c))
		}},
		{"403", 403, func(d api) *answer.Answer { return d.as("read_only").create(d.lead("first")) }},
		{"404", 404, func(d api) *answer.Answer { return d.get(d.Data.UUID()) }},
		{"405", 405, func(d api) *answer.Answer {
			return d.Send(d.request(http.MethodDelete, leadPath(id), nil))
		}},
	}
}

func refusesInTheEnvelope(_ spec.Gomega, d api) {
	id := d.given(d.lead("first"))
	var cases []kase
	for _, f := range failures(id) {
		cases = append(cases, kase{f.name, func(g spec.Gomega, d api) {
			g.Expect(f.cause(d)).To(BeRefused(f.status))
		}})
	}
	d.each(cases...)
}

func namesErrorsByIdentifiers(_ spec.Gomega, d api) {
	id := d.given(d.lead("first"))
	var cases []kase
	for _, f := range failures(id) {
		if f.status == 400 {
			continue // it describes what is wrong
		}
		cases = append(cases, kase{f.name, func(g spec.Gomega, d api) {
			g.Expect(f.cause(d)).To(answer.That("an error that is an identifier", answer.Status(f.status), answer.Object(), named()))
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
	}{
		{"no authentication", 401, func(d api, c call) *answer.Answer { return d.callWith(c, nil) }, everywhere},
		{"an unknown key", 401, func(d api, c call) *answer.Answer { return d.callWith(c, d.signedByAStranger(c)) }, everywhere},
		{"a wrong signature", 401, func(d api, c call) *answer.Answer { return d.callWith(c, d.signedByAnother(c)) }, everywhere},
		{"a missing scope", 403, func(d api, c call) *answer.Answer { return d.as("read_only").call(c) },
			func(c call) bool { return c.method != http.MethodGet }},
		{"an unknown lead", 404, func(d api, c call) *answer.Answer { return d.call(c.of(d.Data.UUID())) },
			func(c call) bool { return c.one }},
	}
	var cases []kase
	for _, kind := range kinds {
		cases = append(cases, kase{kind.name, func(_ spec.Gomega, d api) {
			calls := slices.DeleteFunc(d.calls(id), func(c call) bool { return !kind.on(c) })
			calls = append(calls, calls[0]) // once more on the first
			causeAlike(d, calls, kind.status, kind.cause)
		}})
	}
	d.each(cases...)
}

// causeAlike causes a failure by each of the calls and expects one and the same error.
func causeAlike(d api, calls []call, status int, cause func(d api, c call) *answer.Answer) {
	var first atomic.Value
	var cases []kase
	for i, c := range calls {
		cases = append(cases, kase{fmt.Sprintf("%s, request %d", c.name, i+1), func(g spec.Gomega, d api) {
			a := cause(d, c)
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
	for _, f := range failures(id) {
		cases = append(cases, kase{f.name, func(g spec.Gomega, d api) {
			a := f.cause(d)
			g.Expect(a).To(BeAnswered(f.status))
			labelled(g, a)
		}})
	}
	d.each(cases...)
}
