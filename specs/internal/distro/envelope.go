package distro

import (
	"fmt"
	"slices"

	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// envelope holds LD-ENV-*.
func envelope() []spec.Spec {
	return []spec.Spec{
		{ID: "LD-ENV-01", Body: row(everyRefusal(refusedStatuses, "a JSON object with a non-empty error",
			answer.Object(), answer.Member("error", answer.NonEmptyString)))},
		{ID: "LD-ENV-02", Body: row(everyRefusal([]int{400}, "a non-empty message", answer.Member("message", answer.NonEmptyString)))},
		{ID: "LD-ENV-03", Body: row(everyRefusal([]int{401, 403, 404, 422}, "a non-empty message", answer.Member("message", answer.NonEmptyString)))},
		{ID: "LD-ENV-04", Body: row(labelsItsJSON)},
		{ID: "LD-ENV-06", Body: row(everyRefusal(refusedStatuses, "an error that is an identifier", answer.Member("error", answer.Matching(identifier))))},
	}
}

// refusedStatuses are the refusals that core rows can cause.
var refusedStatuses = []int{400, 401, 403, 404, 422}

// occasion is a request and the status that it should cause.
type occasion struct {
	what   string
	status int
	ask    ask
}

// occasions are requests that cause every answer of core rows, on every endpoint that has it.
func (d api) occasions() []occasion {
	names, whole := d.names(), d.lead("open")
	occasions := []occasion{
		{"an accepted lead", 201, func(d api) *answer.Answer { return d.ingest(whole) }},
		{"a ping", 200, func(d api) *answer.Answer { return d.ping(whole) }},

		{"a lead without a field", 400, func(d api) *answer.Answer { return d.ingest(whole.without(names.FirstName)) }},
		{"a lead with a field of the wrong type", 400, func(d api) *answer.Answer { return d.ingest(whole.set(names.LastName, 7)) }},
		{"a lead with an ill-formed phone", 400, func(d api) *answer.Answer { return d.ingest(whole.set(names.Phone, "555")) }},
		{"malformed JSON", 400, func(d api) *answer.Answer { return d.ingestBody([]byte("{")) }},
		{"a ping without a field", 400, func(d api) *answer.Answer { return d.ping(whole.without(names.Campaign)) }},
		{"a lookup without a criterion", 400, func(d api) *answer.Answer { return d.Send(d.get(nil)) }},

		{"a lead without a key", 401, func(d api) *answer.Answer { return noKey.from(d).ingest(whole) }},
		{"a ping with an unknown key", 401, func(d api) *answer.Answer { return inventedKey.from(d).ping(whole) }},
		{"a lookup without a key", 401, func(d api) *answer.Answer { return noKey.from(d).lookup("phone", whole.text(names.Phone)) }},

		{"a lead for another's campaign", 403, func(d api) *answer.Answer { return d.ingest(d.lead("elsewhere")) }},
		{"a ping for another's campaign", 403, func(d api) *answer.Answer { return d.ping(d.lead("elsewhere")) }},

		{"a lead for a missing campaign", 404, func(d api) *answer.Answer { return d.ingest(d.lead("missing")) }},
		{"a ping for a missing campaign", 404, func(d api) *answer.Answer { return d.ping(d.lead("missing")) }},
		{"a lookup of no lead", 404, func(d api) *answer.Answer { return d.lookup("phone", d.Data.Person().Phone) }},

		{"a lead that a filter catches", 422, func(d api) *answer.Answer {
			return d.ingest(d.lead("filtered").setAll(d.campaign("filtered").Filters[0].CaughtBy))
		}},
	}
	if d.has("campaigns.suppressed") {
		occasions = append(occasions, occasion{"a suppressed lead", 422, func(d api) *answer.Answer { return d.ingest(d.suppressedLead()) }})
	}
	if d.has("campaigns.required") {
		occasions = append(occasions, occasion{"a lead without the campaign's own field", 400, func(d api) *answer.Answer {
			return d.ingest(d.lead("required").without(d.requiredField()))
		}})
	}
	if d.has("campaigns.unique") {
		occasions = append(occasions, occasion{"a duplicate", 422, func(d api) *answer.Answer {
			twice := d.lead("unique")
			d.ingest(twice)
			return d.ingest(twice)
		}})
	}
	return occasions
}

// onOccasion holds the answers to the given occasions against a check, apart from those that it doesn't concern. Whether
// a request is answered with its status is the business of other rows, but each of the statuses must come up.
func (d api) onOccasion(g spec.Gomega, occasions []occasion, statuses []int, expected func() *answer.Matcher, concerns func(*answer.Answer) bool) {
	answers := make([]*answer.Answer, len(occasions))
	var cases []kase
	for i, o := range occasions {
		cases = append(cases, kase{o.what, func(g spec.Gomega, d api) {
			answers[i] = o.ask(d)
			if concerns(answers[i]) {
				g.Expect(answers[i]).To(expected())
			}
		}})
	}
	d.each(append(cases, taken("a valid lead", d.lead("open")))...)
	for _, status := range statuses {
		if !slices.ContainsFunc(answers, func(a *answer.Answer) bool { return a.Status == status }) {
			i := slices.IndexFunc(occasions, func(o occasion) bool { return o.status == status })
			g.Expect(answers[i]).To(answer.That(fmt.Sprintf("a %d, which no other request was answered with either", status),
				answer.Status(status)), occasions[i].what)
		}
	}
}

// everyRefusal checks every answer with one of the statuses.
func everyRefusal(statuses []int, expected string, checks ...answer.Check) func(g spec.Gomega, d api) {
	return func(g spec.Gomega, d api) {
		occasions := slices.DeleteFunc(d.occasions(), func(o occasion) bool { return !slices.Contains(statuses, o.status) })
		d.onOccasion(g, occasions, statuses, func() *answer.Matcher { return answer.That(expected, checks...) },
			func(a *answer.Answer) bool { return slices.Contains(statuses, a.Status) })
	}
}

func labelsItsJSON(g spec.Gomega, d api) {
	d.onOccasion(g, d.occasions(), refusedStatuses,
		func() *answer.Matcher {
			return answer.That("Content-Type: application/json with a JSON body", answer.LabelledJSON())
		},
		func(a *answer.Answer) bool { return a.IsJSON() })
}
