package distro

import (
	"strings"
	"sync/atomic"

	"github.com/google/uuid"

	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// lookups holds LD-LOOK-*. The endpoint has the lowest limit of all, so its rows ask no more often than they must.
func lookups() []spec.Spec {
	return []spec.Spec{
		{ID: "LD-LOOK-01", Body: row(findsALeadByID)},
		{ID: "LD-LOOK-02", Body: row(findsALeadByPhoneAndEmail)},
		{ID: "LD-LOOK-03", Body: row(saysThatThereIsNone)},
		{ID: "LD-LOOK-04", Body: row(hidesOtherSuppliersLeads)},
	}
}

// posted is a lead that the target has taken in.
type posted struct {
	lead
	id, status string
}

// posted posts a lead for a lookup to find.
func (d api) posted() posted {
	p := posted{lead: d.lead("open")}
	d.control("the lead to look up is accepted", func(g spec.Gomega, d api) {
		a := d.ingest(p.lead)
		g.Expect(a).To(BeTaken())
		p.id, p.status = leadText(a, "id"), leadText(a, "status")
	})
	return p
}

func findsALeadByID(g spec.Gomega, d api) {
	p := d.posted()
	g.Expect(d.lookup("id", p.id)).To(BeFound(p.id, p.status))
}

func findsALeadByPhoneAndEmail(_ spec.Gomega, d api) {
	p, names := d.posted(), d.names()
	d.each(
		kase{"by phone", func(g spec.Gomega, d api) {
			g.Expect(d.lookup("phone", p.text(names.Phone))).To(BeFound(p.id, p.status))
		}},
		kase{"by email", func(g spec.Gomega, d api) {
			g.Expect(d.lookup("email", p.text(names.Email))).To(BeFound(p.id, p.status))
		}},
	)
}

func saysThatThereIsNone(_ spec.Gomega, d api) {
	p, nobody := d.posted(), d.Data.Person()
	d.each(
		kase{"an id of no lead", func(g spec.Gomega, d api) { g.Expect(d.lookup("id", d.unusedID(p.id))).To(BeAnError(404)) }},
		kase{"a phone of no lead", func(g spec.Gomega, d api) { g.Expect(d.lookup("phone", nobody.Phone)).To(BeAnError(404)) }},
		kase{"no criterion", func(g spec.Gomega, d api) { g.Expect(d.Send(d.get(nil))).To(BeAnError(400)) }},
		shown("a lookup of the lead finds it", func(g spec.Gomega, d api) { g.Expect(d.lookup("id", p.id)).To(showALead()) }),
	)
}

// criterion is a way of looking up.
type criterion struct {
	name   string
	theirs string        // the other supplier's lead by it
	none   func() string // no lead at all, each time another one
}

// hidesOtherSuppliersLeads asks for the other's lead between two questions for two leads that don't exist, so that what
// changes from one answer to the next by itself, or follows from what was asked for, isn't taken for a difference. A
// criterion by which the target doesn't find the lead for its own supplier either can't give it away. A target that answers
// every lookup with a lead, whatever was asked, shows nothing.
func hidesOtherSuppliersLeads(_ spec.Gomega, d api) {
	var own, theirs posted
	d.each(
		kase{"a lead of the supplier's own", func(_ spec.Gomega, d api) { own = d.posted() }},
		kase{"the other supplier's lead", func(_ spec.Gomega, d api) { theirs = d.as("secondary").posted() }},
	)
	names := d.names()
	var judged atomic.Int32
	hides := func(c criterion) kase {
		return kase{"by " + c.name, func(g spec.Gomega, d api) {
			asked := []string{c.none()}
			first := d.together(
				func(d api) *answer.Answer { return d.as("secondary").lookup(c.name, c.theirs) },
				func(d api) *answer.Answer { return d.lookup(c.name, asked[0]) },
			)
			if !showsALead(first[0]) {
				d.Note("the lead's own supplier doesn't find it by %s, so that was not tried as another", c.name)
				return
			}
			d.control("a lookup of no lead finds none", func(g spec.Gomega, _ api) { g.Expect(first[1]).To(showNoLead()) })
			foreign := d.lookup(c.name, c.theirs)
			none := []answer.Asked{{Answer: first[1], For: asked[0]}, d.lookupNone(c)}
			if len(c.telling(foreign, none)) > 0 { // a node's name, say, may be the same twice by chance
				for range 4 {
					none = append(none, d.lookupNone(c))
				}
			}
			g.Expect(foreign).To(beLikeNone(c, none))
			judged.Add(1)
		}}
	}
	d.each(
		hides(criterion{"id", theirs.id, d.unusedIDs(theirs.id)}),
		hides(criterion{"phone", theirs.text(names.Phone), func() string { return d.Data.Person().Phone }}),
		hides(criterion{"email", theirs.text(names.Email), func() string { return d.Data.Person().Email }}),
		shown("the supplier finds its own lead", func(g spec.Gomega, d api) { g.Expect(d.lookup("phone", own.text(names.Phone))).To(showALead()) }),
	)
	if judged.Load() == 0 {
		d.NotAssessed("the positive control failed (a lead's own supplier finds it): neither by id, phone nor email")
	}
}

// telling is how the answer about another's lead can be told from those about no lead.
func (c criterion) telling(foreign *answer.Answer, none []answer.Asked) []string {
	return answer.Differences(answer.Asked{Answer: foreign, For: c.theirs}, none...)
}

// lookupNone asks for a lead that doesn't exist.
func (d api) lookupNone(c criterion) answer.Asked {
	none := c.none()
	return answer.Asked{Answer: d.lookup(c.name, none), For: none}
}

// beLikeNone matches the answer about another's lead that can't be told from those about no lead.
func beLikeNone(c criterion, none []answer.Asked) *answer.Matcher {
	return answer.That("the answer to a lookup that finds nothing", func(a *answer.Answer) []string { return c.telling(a, none) })
}

// unusedID returns an id of the same form that belongs to no lead.
func (d api) unusedID(id string) string {
	if _, err := uuid.Parse(id); err == nil && len(id) == 36 {
		const last = 12 // digits of the last group: the version and what may be a time stand before it
		return id[:len(id)-last] + d.Data.UUID()[36-last:]
	}
	unused := strings.Map(func(c rune) rune {
		if '0' <= c && c <= '9' {
			return '9' // above any number in use
		}
		return c
	}, id)
	if unused == id {
		unused += "9"
	}
	return unused
}

// unusedIDs returns ids of the same form that belong to no lead, one at each call and no two the same.
func (d api) unusedIDs(id string) func() string {
	next := d.unusedID(id)
	return func() string {
		one := next
		next = d.unusedID(id)
		if next == one {
			next = one + "9"
		}
		id = next
		return one
	}
}
