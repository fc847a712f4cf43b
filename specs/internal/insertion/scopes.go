package insertion

import (
	"net/url"

	"leadconform/specs/internal/spec"
)

// scopes holds IN-403-*.
func scopes() []spec.Spec {
	return []spec.Spec{
		{ID: "IN-403-01", Body: bothWays(refusesPOSTToAReader)},
		{ID: "IN-403-02", Body: bothWays(refusesPATCHToAReader)},
		{ID: "IN-403-03", Body: bothWays(refusesGETToAWriter)},
	}
}

// bothWays makes a body of a check that runs under either authentication: both lead to the same key, and so to the
// same scopes.
func bothWays(check func(g spec.Gomega, d api)) spec.Body {
	return row(func(_ spec.Gomega, d api) {
		d.each(
			kase{"signed", check},
			kase{"bearer token", func(g spec.Gomega, d api) { check(g, d.byBearer()) }},
		)
	})
}

func refusesPOSTToAReader(g spec.Gomega, d api) {
	known, l := d.lead("first"), d.lead("first")
	reader := d.as("read_only")
	reader.readable(d.given(known), known)
	g.Expect(reader.create(l)).To(BeError(403, "scope_required:leads:write"))
	// What had been stored would be found by its tuple.
	g.Expect(d.create(l)).To(BeOutcome("inserted"))
}

func refusesPATCHToAReader(g spec.Gomega, d api) {
	l := d.lead("first")
	id := d.given(l)
	reader := d.as("read_only")
	before := reader.readable(id, l)
	g.Expect(reader.patch(id, lead{"first_name": renamed})).To(BeError(403, "scope_required:leads:write"))
	g.Expect(d.get(id)).To(ReadAs(before))
	d.changeable(id)
}

// changeable shows as a positive control that a PATCH of the lead by its own account would have been seen.
func (d api) changeable(id string) {
	d.control("the same PATCH, by a key that may, is seen when the lead is read", func(g spec.Gomega, d api) {
		g.Expect(d.patch(id, lead{"first_name": renamed})).To(BeAccepted())
		g.Expect(d.get(id)).To(Show(lead{"first_name": renamed}))
	})
}

func refusesGETToAWriter(_ spec.Gomega, d api) {
	l := d.lead("first")
	id := d.as("write_only").given(l)
	d.each(
		kase{"one lead", func(g spec.Gomega, d api) {
			d.readable(id, l)
			g.Expect(d.as("write_only").get(id)).To(BeError(403, "scope_required:leads:read"))
		}},
		kase{"the list", func(g spec.Gomega, d api) {
			query := url.Values{"limit": {"1"}}
			d.control("a key that may read gets the list", func(g spec.Gomega, d api) {
				g.Expect(d.list(query)).To(BeAccepted())
			})
			g.Expect(d.as("write_only").list(query)).To(BeError(403, "scope_required:leads:read"))
		}},
	)
}
