package insertion

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// idempotency holds IN-201-* and IN-IDEM-*.
func idempotency() []spec.Spec {
	return []spec.Spec{
		{ID: "IN-201-01", Body: row(insertsANewTuple)},
		{ID: "IN-IDEM-01", Body: row(dedupesTheSamePayload)},
		{ID: "IN-IDEM-02", Body: row(patchesAMutatedField)},
		{ID: "IN-IDEM-03", Body: row(dedupesTheMutatedPayload)},
		{ID: "IN-IDEM-04", Body: row(patchesBack)},
		{ID: "IN-IDEM-05", Body: row(comparesWithThePATCHedState)},
		{ID: "IN-IDEM-06", Body: row(tellsCampaignsApart)},
		{ID: "IN-IDEM-07", Body: row(tellsAccountsApart)},
		{ID: "IN-IDEM-08", Body: row(comparesValues)},
		{ID: "IN-IDEM-09", Body: row(decidesWithoutIdempotencyKey)},
		{ID: "IN-IDEM-10", Body: row(inRounds(insertsOnceOfManyAlike))},
		{ID: "IN-IDEM-11", Body: row(inRounds(insertsOnceOfManyDifferent))},
		{ID: "IN-IDEM-12", Body: row(patchesAnyField)},
		{ID: "IN-IDEM-13", Body: row(recordsWhatOmissionDoes)},
		{ID: "IN-IDEM-14", Body: row(knowsTheTupleByEitherAuthentication)},
		{ID: "IN-IDEM-15", Body: row(knowsTheTupleOnEitherPath)},
	}
}

func insertsANewTuple(g spec.Gomega, d api) {
	l := d.lead("first")
	g.Expect(d.create(l)).To(answer.That("201 with status inserted and the lead: id, user_id, campaign_id",
		answer.Status(201), answer.Object(), answer.Member("status", answer.Equals("inserted")),
		answer.Member("lead.id", answer.UUID), answer.Member("lead.user_id", answer.UUID),
		answer.Member("lead.campaign_id", showing(l["campaign_id"]))))
}

func dedupesTheSamePayload(g spec.Gomega, d api) {
	l := d.full("first")
	id := d.inserted(l)
	before := d.readable(id, l)
	d.control("nobody else changes the lead meanwhile", func(g spec.Gomega, d api) {
		g.Expect(d.get(id)).To(BeUntouchedSince(before))
	})
	g.Expect(d.create(l)).To(BeStoredAs(id, "deduped"))
	g.Expect(d.get(id)).To(BeUntouchedSince(before))
}

// BeUntouchedSince matches the answer to a GET of one lead that shows it as an earlier GET did, with the time of its last
// change.
func BeUntouchedSince(before *answer.Answer) *answer.Matcher {
	same, was := ReadAs(before), before.Text("lead", "updated_at")
	return answer.That(same.Expected()+", not changed since", same.Check, func(a *answer.Answer) []string {
		if is := a.Text("lead", "updated_at"); is != was {
			return []string{fmt.Sprintf("lead.updated_at is %q, and was %q", is, was)}
		}
		return nil
	})
}

func patchesAMutatedField(g spec.Gomega, d api) {
	l := d.lead("first")
	id := d.inserted(l)
	d.readable(id, l)
	g.Expect(d.create(l.set("first_name", renamed))).To(BeStoredAs(id, "patched"))
	g.Expect(d.get(id)).To(Show(lead{"first_name": renamed}))
}

// mutated is a lead that was inserted and then patched by a POST, as a positive control.
func (d api) mutated() (id string, original, mutated lead) {
	original = d.lead("first")
	mutated = original.set("first_name", renamed)
	id = d.inserted(original)
	d.control("the mutated payload is patched", func(g spec.Gomega, d api) {
		g.Expect(d.create(mutated)).To(BeOutcomeOf(id, "patched"))
	})
	return id, original, mutated
}

func dedupesTheMutatedPayload(g spec.Gomega, d api) {
	id, _, mutated := d.mutated()
	g.Expect(d.create(mutated)).To(BeOutcomeOf(id, "deduped"))
}

func patchesBack(g spec.Gomega, d api) {
	id, original, _ := d.mutated()
	g.Expect(d.create(original)).To(BeOutcomeOf(id, "patched"))
	g.Expect(d.get(id)).To(Show(original.only("first_name")))
}

func comparesWithThePATCHedState(_ spec.Gomega, d api) {
	patched := func(d api) (id string, l lead) {
		l = d.lead("first")
		id = d.inserted(l)
		d.changeable(id)
		return id, l
	}
	d.each(
		kase{"the PATCHed state", func(g spec.Gomega, d api) {
			id, l := patched(d)
			g.Expect(d.create(l.set("first_name", renamed))).To(BeOutcomeOf(id, "deduped"))
		}},
		kase{"the original", func(g spec.Gomega, d api) {
			id, l := patched(d)
			g.Expect(d.create(l)).To(BeOutcomeOf(id, "patched"))
		}},
	)
}

func tellsCampaignsApart(g spec.Gomega, d api) {
	one := d.lead("first")
	two := one.set("campaign_id", d.Profile.Insertion.Campaigns["second"])
	id := d.inserted(one)
	second := d.create(two)
	g.Expect(second).To(BeOutcome("inserted"))
	g.Expect(leadID(second)).NotTo(Equal(id), "two campaigns' leads have the same lead.id")
	g.Expect(d.create(one)).To(BeOutcomeOf(id, "deduped"))
	g.Expect(d.create(two)).To(BeOutcomeOf(leadID(second), "deduped"))
}

func tellsAccountsApart(g spec.Gomega, d api) {
	other := d.as("other_account")
	l := d.lead("shared")
	id := d.inserted(l)
	d.control("the other account inserts leads of this campaign", func(g spec.Gomega, d api) {
		other := other.in(d.Env)
		g.Expect(other.create(d.lead("shared"))).To(BeTaken())
	})
	before := d.readable(id, l)
	theirs := other.create(l.set("first_name", renamed))
	g.Expect(theirs).To(BeOutcome("inserted"))
	theirID := leadID(theirs)
	g.Expect(theirID).NotTo(Equal(id), "two accounts' leads have the same lead.id")
	d.each(
		kase{"the one reads its own", func(g spec.Gomega, d api) { g.Expect(d.get(id)).To(ReadAs(before)) }},
		kase{"the other reads its own", func(g spec.Gomega, d api) {
			g.Expect(d.as("other_account").get(theirID)).To(Show(lead{"id": theirID, "first_name": renamed}))
		}},
		kase{"the one doesn't read the other's", func(g spec.Gomega, d api) { g.Expect(d.get(theirID)).To(BeAnswered(404)) }},
		kase{"nor the other the one's", func(g spec.Gomega, d api) {
			g.Expect(d.as("other_account").get(id)).To(BeAnswered(404))
		}},
	)
}

func comparesValues(_ spec.Gomega, d api) {
	deduped := func(name string, write func(l lead) []byte) kase {
		return kase{name, func(g spec.Gomega, d api) {
			l := d.full("first")
			id := d.inserted(l)
			g.Expect(d.createBody(write(l))).To(BeOutcomeOf(id, "deduped"))
			d.control("a change of a value, written so, is patched", func(g spec.Gomega, d api) {
				g.Expect(d.createBody(write(l.set("last_name", renamed)))).To(BeOutcomeOf(id, "patched"))
			})
		}}
	}
	cases := []kase{
		deduped("members in another order", func(l lead) []byte { return reversed(l) }),
		deduped("other white space", func(l lead) []byte { return spaced(l.json()) }),
	}
	if _, ok := respelled(d.full("first")); ok {
		cases = append(cases, deduped("a number spelled otherwise", func(l lead) []byte {
			l, _ = respelled(l)
			return l.json()
		}))
	}
	d.each(cases...)
}

// respelled is the lead with a whole number in custom_fields written as a fraction of the same value, if it has one.
func respelled(l lead) (lead, bool) {
	fields, _ := l["custom_fields"].(map[string]any)
	for _, name := range sortedNames(fields) {
		if text := spell(fields[name]); json.Valid([]byte(text)) && strings.Trim(text, "0123456789") == "" {
			return l.set("custom_fields", map[string]any(lead(fields).set(name, json.Number(text+".0")))), true
		}
	}
	return l, false
}

func decidesWithoutIdempotencyKey(_ spec.Gomega, d api) {
	const header = "Idempotency-Key"
	first := func(d api) (keyed api, id string, l lead) {
		keyed, l = d.with(header, d.Data.UUID()), d.lead("first")
		return keyed, keyed.inserted(l), l
	}
	d.each(
		kase{"the same key, another tuple", func(g spec.Gomega, d api) {
			keyed, id, l := first(d)
			second := keyed.create(l.set("external_lead_id", d.Data.UUID()))
			g.Expect(second).To(BeOutcome("inserted"))
			g.Expect(leadID(second)).NotTo(Equal(id), "two tuples have the same lead.id")
		}},
		kase{"another key, the same tuple", func(g spec.Gomega, d api) {
			_, id, l := first(d)
			g.Expect(d.with(header, d.Data.UUID()).create(l)).To(BeOutcomeOf(id, "deduped"))
		}},
		kase{"the same key, a mutated payload", func(g spec.Gomega, d api) {
			keyed, id, l := first(d)
			g.Expect(keyed.create(l.set("first_name", renamed))).To(BeOutcomeOf(id, "patched"))
		}},
	)
}

func insertsOnceOfManyAlike(g spec.Gomega, d api) {
	l := d.lead("first")
	answers := d.raceOn(func(d api, _ int) *answer.Answer { return d.create(l) })
	id, inserted := leadID(answers[0]), 0
	for _, a := range answers {
		if a.Text("status") == "inserted" {
			inserted++
			g.Expect(a).To(BeStored("inserted"))
			g.Expect(a).To(BeOutcomeOf(id, "inserted"))
			continue
		}
		g.Expect(a).To(BeStoredAs(id, "deduped"))
	}
	g.Expect(inserted).To(Equal(1), fmt.Sprintf("of %d identical POSTs at once, so many were answered inserted", len(answers)))
}

func insertsOnceOfManyDifferent(g spec.Gomega, d api) {
	l := d.lead("first")
	answers := d.raceOn(func(d api, i int) *answer.Answer { return d.create(l.set("first_name", runner(i))) })
	id, inserted := leadID(answers[0]), 0
	var sent []string
	for i, a := range answers {
		g.Expect(a).To(BeOutcome("inserted", "patched", "deduped"))
		g.Expect(a).To(BeOutcomeOf(id, a.Text("status")))
		if a.Text("status") == "inserted" {
			inserted++
		}
		sent = append(sent, runner(i))
	}
	g.Expect(inserted).To(Equal(1), fmt.Sprintf("of %d POSTs of one tuple at once, so many were answered inserted", len(answers)))
	g.Expect(d.get(id)).To(ShowOneOf("first_name", sent))
}

func patchesAnyField(_ spec.Gomega, d api) {
	var cases []kase
	for _, name := range d.Profile.Insertion.FieldNames() {
		values := d.Profile.Insertion.Fields[name]
		cases = append(cases, kase{name, func(g spec.Gomega, d api) {
			l := d.full("first")
			id := d.inserted(l)
			d.control("the same payload again is deduped", func(g spec.Gomega, d api) {
				g.Expect(d.create(l)).To(BeOutcomeOf(id, "deduped"))
			})
			before, mutated := d.get(id), l.set(name, otherThan(l[name], values))
			g.Expect(d.create(mutated)).To(BeOutcomeOf(id, "patched"))
			g.Expect(d.get(id)).To(ShowAnother(name, before))
			g.Expect(d.create(mutated)).To(BeOutcomeOf(id, "deduped"))
		}})
	}
	d.each(cases...)
}

// otherThan is one of two different values, and not the one that is there.
func otherThan(there any, values []any) any {
	if spell(values[1]) != spell(there) {
		return values[1]
	}
	return values[0]
}

func recordsWhatOmissionDoes(_ spec.Gomega, d api) {
	l := d.full("first")
	id := d.inserted(l)
	before := d.readable(id, l)
	a, after := d.create(l.only("campaign_id", "external_lead_id", "phone", "email")), d.get(id)
	effect := "the fields left out read back as before"
	if lost := missing(before, after); len(lost) > 0 {
		effect = "no longer read back: " + strings.Join(lost, ", ")
	}
	d.Note("a POST without the optional fields of the one before was answered %d with status %q; %s", a.Status, a.Text("status"), effect)
}

// missing are the documented members that a lead showed before and no longer shows.
func missing(before, after *answer.Answer) []string {
	return slices.DeleteFunc(slices.Clone(documented), func(name string) bool {
		was, _ := before.Member("lead", name)
		is, _ := after.Member("lead", name)
		return was == nil || is != nil
	})
}

func knowsTheTupleByEitherAuthentication(g spec.Gomega, d api) {
	l := d.lead("first")
	id := d.inserted(l)
	d.control("the bearer token is accepted", func(g spec.Gomega, d api) {
		g.Expect(d.byBearer().call(listing())).To(BeAccepted())
	})
	g.Expect(d.byBearer().create(l)).To(BeOutcomeOf(id, "deduped"))
}

func knowsTheTupleOnEitherPath(_ spec.Gomega, d api) {
	internally := func(d api, l lead) *answer.Answer {
		return d.Send(d.request(http.MethodPost, internalPath, l.json()))
	}
	d.each(
		kase{"inserted by the public path", func(g spec.Gomega, d api) {
			l := d.lead("first")
			id := d.inserted(l)
			g.Expect(internally(d, l)).To(BeOutcomeOf(id, "deduped"))
		}},
		kase{"inserted by the internal path", func(g spec.Gomega, d api) {
			l := d.lead("first")
			inserted := internally(d, l)
			g.Expect(inserted).To(BeOutcome("inserted"))
			g.Expect(d.create(l)).To(BeOutcomeOf(leadID(inserted), "deduped"))
		}},
	)
}
