package insertion

import (
	"fmt"

	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// reading holds IN-PATCH-* and IN-GET-*.
func reading() []spec.Spec {
	return []spec.Spec{
		{ID: "IN-PATCH-01", Body: row(patchesOneFieldAlone)},
		{ID: "IN-PATCH-02", Body: row(patchesByEitherID)},
		{ID: "IN-GET-01", Body: row(showsTheFullLead)},
	}
}

func patchesOneFieldAlone(g spec.Gomega, d api) {
	l := d.full("first")
	id := d.given(l)
	before := d.readable(id, l)
	patched := d.patch(id, lead{"last_name": renamed})
	g.Expect(patched).To(BeMarked())
	g.Expect(patched).To(Show(lead{"last_name": renamed}))
	after := d.get(id)
	g.Expect(after).To(Show(lead{"last_name": renamed}))
	g.Expect(after).To(ReadAs(before, "last_name"))

	var cases []kase
	for _, name := range d.Profile.Insertion.FieldNames() {
		values := d.Profile.Insertion.Fields[name]
		cases = append(cases, kase{name, func(g spec.Gomega, d api) {
			l := d.full("first")
			id := d.given(l)
			before := d.readable(id, l)
			g.Expect(d.patch(id, lead{name: otherThan(l[name], values)})).To(BeAnswered(200))
			after := d.get(id)
			g.Expect(after).To(ShowAnother(name, before))
			g.Expect(after).To(ReadAs(before, name))
		}})
	}
	d.each(cases...)
}

func patchesByEitherID(_ spec.Gomega, d api) {
	patches := func(name string, identify func(id string, l lead) string) kase {
		return kase{name, func(g spec.Gomega, d api) {
			l := d.lead("first")
			id := d.given(l)
			d.readable(id, l)
			g.Expect(d.patch(identify(id, l), lead{"first_name": renamed})).To(BeAnswered(200))
			g.Expect(d.get(id)).To(Show(lead{"first_name": renamed}))
		}}
	}
	d.each(
		patches("by its UUID", func(id string, _ lead) string { return id }),
		patches("by its external id", func(_ string, l lead) string { return l.external() }),
	)
}

func showsTheFullLead(_ spec.Gomega, d api) {
	l := d.full("first")
	id := d.given(l)
	d.each(
		kase{"by its UUID", func(g spec.Gomega, d api) { g.Expect(d.get(id)).To(BeTheFullLead(id, l)) }},
		kase{"by its external id", func(g spec.Gomega, d api) { g.Expect(d.get(l.external())).To(BeTheFullLead(id, l)) }},
	)
}

// BeTheFullLead matches the answer to a GET of one lead that shows all that was sent. Names and identifiers must be
// the very values; others may have been brought into another form, such as a phone's.
func BeTheFullLead(id string, l lead) *answer.Matcher {
	same := l.only("campaign_id", "external_lead_id", "first_name", "last_name").set("id", id)
	checks := []answer.Check{answer.Status(200), answer.Object()}
	for _, name := range sortedNames(same) {
		checks = append(checks, answer.Member("lead."+name, showing(same[name])))
	}
	// workflow_ids are taken in but not among what the provider says is shown.
	shown := append(sortedNames(l.without("workflow_ids")), "account_id", "created_at", "updated_at")
	for _, name := range shown {
		checks = append(checks, answer.Member("lead."+name, func(value any) string {
			if value == nil {
				return "null"
			}
			return ""
		}))
	}
	return answer.That(fmt.Sprintf("200 with the lead %s in full: %v", id, shown), checks...)
}
