package insertion

import (
	"net/http"
	"net/url"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// faults holds IN-500-*. They break the target for everybody while they run.
func faults() []spec.Spec {
	return []spec.Spec{
		{ID: "IN-500-01", Body: row(givesNothingAway), Serial: true},
		{ID: "IN-500-02", Body: row(endsARetryInOneLead), Serial: true},
	}
}

// BeAFaultOrWhole matches a fault, or a success where the fault doesn't reach.
func BeAFaultOrWhole() *answer.Matcher {
	fault := BeAFault()
	return answer.That("a success with ok true, or "+fault.Expected(), func(a *answer.Answer) []string {
		if a.Success() {
			return answer.Member("ok", answer.Equals(true))(a)
		}
		return fault.Check(a)
	})
}

// BeAFault matches a 500 in the envelope that shows nothing of the server's inside.
func BeAFault() *answer.Matcher {
	return answer.That("500 in the envelope, with an error that is an identifier, and nothing of the server's inside",
		answer.Status(500), answer.Object(), answer.Member("ok", answer.Equals(false)), named(), answer.LeakingNothing())
}

func givesNothingAway(_ spec.Gomega, d api) {
	calls := d.calls(d.given(d.lead("first")))
	onEach := func(d api, check func(g spec.Gomega, d api, c call)) {
		var cases []kase
		for _, c := range calls {
			cases = append(cases, kase{c.name, func(g spec.Gomega, d api) { check(g, d, c) }})
		}
		d.each(cases...)
	}
	d.control("without the fault the requests are accepted", func(_ spec.Gomega, d api) {
		onEach(d, func(g spec.Gomega, d api, c call) { g.Expect(d.call(c)).To(BeAccepted()) })
	})
	d.Between("fault_500_on", "fault_500_off", func() {
		onEach(d, func(g spec.Gomega, d api, c call) {
			if c.method == http.MethodPost {
				g.Expect(d.call(c)).To(BeAFault())
				return
			}
			// How far a fault reaches is the hook's business.
			g.Expect(d.call(c)).To(BeAFaultOrWhole())
		})
	})
}

func endsARetryInOneLead(_ spec.Gomega, d api) {
	d.given(d.lead("first"))
	// One after the other: a target has one fault at a time.
	d.each(kase{"500 before the write", func(g spec.Gomega, d api) { endsInOneLead(g, d, "fault_500_on") }})
	d.each(kase{"500 after the write", func(g spec.Gomega, d api) { endsInOneLead(g, d, "fault_500_after_on") }})
}

func endsInOneLead(g spec.Gomega, d api, fault string) {
	l := d.full("first")
	d.Between(fault, "fault_500_off", func() {
		d.control("while the fault is on, the POST is answered 500", func(g spec.Gomega, d api) {
			g.Expect(d.create(l)).To(BeAnswered(500))
		})
	})
	retried := d.create(l)
	g.Expect(retried).To(BeOutcome("inserted", "deduped"))
	id := leadID(retried)
	g.Expect(d.create(l)).To(BeOutcomeOf(id, "deduped"))
	g.Expect(d.get(id)).To(Show(l.only("campaign_id", "external_lead_id", "first_name", "last_name")))
	// The filter narrows the page. Without it the lead, as one of the newest, is there as well.
	page := d.list(url.Values{"external_lead_id": {l.external()}})
	g.Expect(page).To(BeAPage())
	g.Expect(leadsWith("external_lead_id", l.external(), leadsOf(page))).To(HaveLen(1), "the leads with that external id that are listed")
}
