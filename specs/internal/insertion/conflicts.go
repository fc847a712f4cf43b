package insertion

import (
	"fmt"
	"net/http"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// conflicts holds IN-409-*.
func conflicts() []spec.Spec {
	return []spec.Spec{
		{ID: "IN-409-01", Body: row(refusesAWriteThatLostARace), Serial: true},
		{ID: "IN-409-02", Body: row(takesTheMergedWrite), Serial: true},
		{ID: "IN-409-03", Body: row(inRounds(endsARaceOfPATCHes))},
		{ID: "IN-409-04", Body: row(recordsConflictsOfPOSTs)},
	}
}

func refusesAWriteThatLostARace(g spec.Gomega, d api) {
	id := d.given(d.lead("first"))
	d.control("without a race the PATCH is accepted", func(g spec.Gomega, d api) {
		g.Expect(d.patch(id, lead{"first_name": renamed})).To(BeAccepted())
		g.Expect(d.get(id)).To(Show(lead{"first_name": renamed}))
	})
	d.Hook("conflict_next")
	g.Expect(d.patch(id, lead{"first_name": renamedAgain})).To(answer.That("409 in the envelope, with an error that is an identifier",
		answer.Status(409), answer.Object(), answer.Member("ok", answer.Equals(false)), named()))
	after := d.get(id)
	g.Expect(after).To(Show(nil))
	// The write that won may have been of any field; the one that lost must not be there.
	g.Expect(after.Text("lead", "first_name")).NotTo(Equal(renamedAgain), "the change that was refused reads back")
}

func takesTheMergedWrite(g spec.Gomega, d api) {
	id := d.given(d.lead("first"))
	changes := lead{"first_name": renamed}
	d.Hook("conflict_next")
	d.control("the first PATCH is answered 409", func(g spec.Gomega, d api) {
		g.Expect(d.patch(id, changes)).To(BeAnswered(409))
	})
	g.Expect(d.get(id)).To(Show(nil))
	g.Expect(d.patch(id, changes)).To(BeAnswered(200))
	g.Expect(d.get(id)).To(Show(changes))
}

func endsARaceOfPATCHes(g spec.Gomega, d api) {
	id := d.given(d.lead("first"))
	answers := d.race(func(d api, i int) *answer.Answer { return d.patch(id, lead{"first_name": runner(i)}) })
	var written []string
	for i, a := range answers {
		g.Expect(a).To(answer.That("200 or 409", answer.Status(200, 409)))
		if a.Status == http.StatusOK {
			written = append(written, runner(i))
		}
	}
	g.Expect(written).NotTo(BeEmpty(), fmt.Sprintf("of %d PATCHes at once, none was answered 200", len(answers)))
	g.Expect(d.get(id)).To(ShowOneOf("first_name", written))
}

func recordsConflictsOfPOSTs(_ spec.Gomega, d api) {
	l := d.lead("first")
	d.given(l)
	d.lineUp()
	lost := 0
	for _, a := range d.race(func(d api, i int) *answer.Answer { return d.create(l.set("first_name", runner(i))) }) {
		if a.Status == http.StatusConflict {
			lost++
		}
	}
	d.Note("%d of %d POSTs of one lead at once were answered 409", lost, runners)
}
