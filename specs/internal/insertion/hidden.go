package insertion

import (
	"net/http"

	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// hidden holds IN-404-*.
func hidden() []spec.Spec {
	return []spec.Spec{
		{ID: "IN-404-01", Body: row(findsNoUnknownLead)},
		{ID: "IN-404-02", Body: row(hidesLeadsOfOtherAccounts)},
		{ID: "IN-404-03", Body: row(hidesADisabledEndpoint)},
		{ID: "IN-404-04", Body: row(keepsLeadsFromOtherAccounts)},
	}
}

func findsNoUnknownLead(_ spec.Gomega, d api) {
	id := d.given(d.lead("first"))
	var cases []kase
	for _, c := range d.ofOneLead(id) {
		cases = append(cases, kase{c.name, func(g spec.Gomega, d api) {
			d.control("the same request for a lead that exists succeeds", func(g spec.Gomega, d api) {
				g.Expect(d.call(c)).To(BeAccepted())
			})
			g.Expect(d.call(c.of(d.Data.UUID()))).To(BeRefused(404))
		}})
	}
	d.each(cases...)
}

func hidesLeadsOfOtherAccounts(_ spec.Gomega, d api) {
	l := d.lead("first")
	id := d.given(l)
	d.control("the other account's key reads what is its own", func(g spec.Gomega, d api) {
		g.Expect(d.as("other_account").call(listing())).To(BeAccepted())
	})
	var cases []kase
	for _, c := range d.ofOneLead(id) {
		cases = append(cases, kase{c.name, func(_ spec.Gomega, d api) {
			other := d.as("other_account")
			unknown, again := other.call(c.of(d.Data.UUID())), other.call(c.of(d.Data.UUID()))
			d.each(
				kase{"by its UUID", func(g spec.Gomega, d api) { hides(g, d, c.of(id), unknown, again) }},
				kase{"by its external id", func(g spec.Gomega, d api) { hides(g, d, c.of(l.external()), unknown, again) }},
			)
		}})
	}
	d.each(cases...)
	// Whatever a PATCH that changes nothing is answered: it must not follow from whether somebody else has the lead. It
	// comes after the others: two PATCHes of one lead at the same time may be answered otherwise than one.
	nothing := call{method: http.MethodPatch, body: lead{}.json(), one: true}
	d.each(kase{"PATCH of nothing", func(g spec.Gomega, d api) {
		other := d.as("other_account")
		unknown, again := other.call(nothing.of(d.Data.UUID())), other.call(nothing.of(d.Data.UUID()))
		g.Expect(other.call(nothing.of(id))).To(BeIndistinguishable(unknown.Status, "an unknown lead", unknown, again))
	}})
}

// hides checks that a call which succeeds for a lead's own account is answered to another like one for a lead that
// nobody has, also right after the account itself has read it: what is kept from that is not for others.
func hides(g spec.Gomega, d api, c call, unknown, again *answer.Answer) {
	answered := d.as("other_account").call(c)
	d.control("the lead's own account gets it so", func(g spec.Gomega, d api) {
		g.Expect(d.call(call{method: http.MethodGet, path: c.path})).To(Show(nil))
	})
	after := d.as("other_account").call(c)
	g.Expect(answered).To(BeIndistinguishable(404, "an unknown lead", unknown, again))
	g.Expect(after).To(BeIndistinguishable(404, "an unknown lead", unknown, again))
}

func hidesADisabledEndpoint(_ spec.Gomega, d api) {
	id := d.given(d.lead("first"))
	d.control("a key that nobody knows is answered 401, so a 404 is for one that is known", func(g spec.Gomega, d api) {
		g.Expect(d.callWith(listing(), d.signedByAStranger(listing()))).To(BeAnswered(401))
	})
	unknown, again := d.get(d.Data.UUID()), d.get(d.Data.UUID())
	var cases []kase
	for _, c := range d.calls(id) {
		cases = append(cases, kase{c.name, func(g spec.Gomega, d api) {
			d.control("the same request under a live account succeeds", func(g spec.Gomega, d api) {
				g.Expect(d.call(c)).To(BeAccepted())
			})
			g.Expect(d.as("disabled").call(c)).To(BeRefusedLike(404, "an unknown lead", unknown, again))
		}})
	}
	d.each(cases...)
}

func keepsLeadsFromOtherAccounts(_ spec.Gomega, d api) {
	keeps := func(name string, identify func(id string, l lead) string) kase {
		return kase{name, func(g spec.Gomega, d api) {
			l := d.lead("first")
			id := d.given(l)
			before := d.readable(id, l)
			d.as("other_account").patch(identify(id, l), lead{"first_name": renamed})
			g.Expect(d.get(id)).To(ReadAs(before))
			d.changeable(identify(id, l))
		}}
	}
	d.each(
		keeps("by its UUID", func(id string, _ lead) string { return id }),
		keeps("by its external id", func(_ string, l lead) string { return l.external() }),
	)
}
