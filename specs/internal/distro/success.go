package distro

import (
	"fmt"
	"net/url"
	"slices"

	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// success holds LD-201-* and LD-200-*.
func success() []spec.Spec {
	return []spec.Spec{
		{ID: "LD-201-01", Body: row(acceptsAValidLead)},
		{ID: "LD-201-02", Body: row(answersWithTheLead)},
		{ID: "LD-201-03", Body: row(givesEachLeadItsOwnID)},
		{ID: "LD-201-04", Body: row(namesTheCampaign)},
		{ID: "LD-201-05", Body: row(acceptsUnknownFields)},
		{ID: "LD-200-01", Body: row(leavesUnmatchedWhatNoBuyerWants)},
		{ID: "LD-200-05", Body: row(givesAnUnmatchedLeadAnID)},
		// The hook reset may do more to a target than this row needs.
		{ID: "LD-200-02", Body: row(leavesUnmatchedOnceCapsAreUsedUp), Serial: true},
		{ID: "LD-200-03", Body: row(namesNoBuyerOfAnUnmatchedLead)},
		{ID: "LD-200-04", Body: row(carriesNoErrorInASuccess)},
	}
}

func acceptsAValidLead(g spec.Gomega, d api) {
	g.Expect(d.ingest(d.lead("open"))).To(BeCreated())
}

func answersWithTheLead(g spec.Gomega, d api) {
	first := d.ingest(d.lead("open"))
	g.Expect(first).To(BeAccepted())

	another := func(g spec.Gomega, d api) {
		a := d.ingest(d.lead("open"))
		g.Expect(a).To(BeAccepted())
		g.Expect(a).To(haveItsLeadLike(first))
	}
	cases := []kase{
		{"a second lead", another}, {"a third lead", another}, {"a fourth lead", another},
		{"lookup, if it finds the lead", func(g spec.Gomega, d api) {
			found, err := d.Attempt(d.get(url.Values{"id": {leadText(first, "id")}}))
			if err == nil && found.Status == 200 && leadText(found, "id") == leadText(first, "id") {
				g.Expect(found).To(haveItsLeadLike(first))
			}
		}},
	}
	if d.has("campaigns.unmatched") {
		cases = append(cases, kase{"an unmatched lead, if there is one", func(g spec.Gomega, d api) {
			unmatched := d.ingest(d.lead("unmatched"))
			if unmatched.Status == 200 && len(aLead(unmatched)) == 0 {
				g.Expect(unmatched).To(haveItsLeadLike(first))
			}
		}})
	}
	d.each(cases...)
}

// haveItsLeadLike matches an answer whose lead stands where that of the first one does.
func haveItsLeadLike(first *answer.Answer) *answer.Matcher {
	words := map[string]string{"": "bare", "data.": "under data"}
	return answer.That("the lead "+words[place(first)]+", as in the target's first answer", func(a *answer.Answer) []string {
		if place(a) == place(first) {
			return nil
		}
		return []string{"the lead stands " + words[place(a)]}
	})
}

func givesEachLeadItsOwnID(g spec.Gomega, d api) {
	send := func(d api) *answer.Answer { return d.ingest(d.lead("open")) }
	var taken []any
	for _, a := range d.together(send, send, send, send) {
		g.Expect(a).To(BeBought(leadMember("id", answer.NonEmptyString), leadMember("id", noneOf(taken))), "a lead with an id of its own")
		taken = append(taken, leadText(a, "id"))
	}
}

// noneOf is a test for leadMember: the value is another than those.
func noneOf(taken []any) func(any) string {
	return func(value any) string {
		if slices.Contains(taken, value) {
			return answer.Describe(value) + ", like that of another lead"
		}
		return ""
	}
}

func namesTheCampaign(g spec.Gomega, d api) {
	id := d.campaign("open").ID
	g.Expect(d.ingest(d.lead("open"))).To(BeBought(leadMember("campaign_id", func(value any) string {
		if fmt.Sprint(value) == id { // an id that is a number may be written as one
			return ""
		}
		return fmt.Sprintf("%s, not %s", answer.Describe(value), id)
	})), "a lead that names its campaign")
}

func acceptsUnknownFields(_ spec.Gomega, d api) {
	whole := d.lead("open")
	d.each(
		kase{"with a field of a new name", func(g spec.Gomega, d api) {
			g.Expect(d.ingest(whole.set("custom_"+d.Data.RunID(), "of no interest"))).To(BeTaken())
		}},
		taken("the lead without it", d.lead("open")),
	)
}

func leavesUnmatchedWhatNoBuyerWants(_ spec.Gomega, d api) {
	unwanted := d.lead("unmatched")
	d.each(
		kase{"a lead that no buyer wants", func(g spec.Gomega, d api) { g.Expect(d.ingest(unwanted)).To(BeUnmatched()) }},
		bought(d.on("open", unwanted)),
	)
}

// bought is the control that the same lead finds a buyer where there is one.
func bought(l lead) kase {
	return shown("the lead finds a buyer on the open campaign", func(g spec.Gomega, d api) { g.Expect(d.ingest(l)).To(BeBought()) })
}

func givesAnUnmatchedLeadAnID(g spec.Gomega, d api) {
	g.Expect(d.ingest(d.lead("unmatched"))).To(BeUnmatched(leadMember("id", answer.NonEmptyString)), "an unmatched lead with an id")
}

// The caps are those of a day. With the hook they start at nothing, so that it can be counted how many they let
// through; without it some may be used up already.
func leavesUnmatchedOnceCapsAreUsedUp(g spec.Gomega, d api) {
	capacity := d.campaign("capped").Capacity
	restored := d.has("hooks.reset")
	if restored {
		d.Hook("reset")
	}
	bought := 0
	last := d.ingest(d.lead("capped"))
	for foundBuyer(last) && bought < capacity {
		bought++
		last = d.ingest(d.lead("capped"))
	}
	g.Expect(last).To(BeUnmatched(), "after %d leads that found a buyer, where the capacity is %d", bought, capacity)
	switch {
	case bought == 0 && restored:
		d.NotAssessed("no lead was accepted first, though the hook reset had been called")
	case bought == 0:
		d.NotAssessed("the day's caps were used up before the run: needs hooks.reset to restore them")
	case restored && bought < capacity:
		d.Fail("on fresh caps %d leads found a buyer, where the capacity is %d", bought, capacity)
	}
}

func namesNoBuyerOfAnUnmatchedLead(_ spec.Gomega, d api) {
	d.each(
		kase{"an unmatched lead", func(g spec.Gomega, d api) {
			g.Expect(d.ingest(d.lead("unmatched"))).To(BeUnmatched(leadWithout("buyer_id")), "a lead without a buyer")
		}},
		shown("an accepted lead names its buyer", func(g spec.Gomega, d api) {
			g.Expect(d.ingest(d.lead("open"))).To(BeBought(leadMember("buyer_id", answer.NonEmptyString)), "a lead that names its buyer")
		}),
	)
}

// noError checks that neither the answer nor its lead has an error; null counts as none.
func noError(a *answer.Answer) []string {
	wrong := answer.Without("error")(a)
	if place(a) != "" {
		wrong = append(wrong, leadWithout("error")(a)...)
	}
	return wrong
}

func carriesNoErrorInASuccess(_ spec.Gomega, d api) {
	d.each(
		kase{"an accepted lead", func(g spec.Gomega, d api) {
			g.Expect(d.ingest(d.lead("open"))).To(BeBought(noError), "a success without error")
		}},
		kase{"an unmatched lead", func(g spec.Gomega, d api) {
			g.Expect(d.ingest(d.lead("unmatched"))).To(BeUnmatched(noError), "a success without error")
		}},
	)
}
