package mutant

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"leadconform/reference/internal/distro"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
	"leadconform/reference/internal/world"
)

// accepted and unmatched pick the two successes of an ingest.
var (
	accepted  = all(on(ingest), with(http.StatusCreated))
	unmatched = all(on(ingest), with(http.StatusOK))
)

// distroSuccess are the mutants of LD-201-* and LD-200-*.
func distroSuccess() []Mutant {
	return []Mutant{
		{
			ID:    "ld-accepted-200",
			Title: "an accepted lead is answered 200",
			Doc:   "One status for every success.",
			Kills: []string{"LD-201-01", "LD-201-02", "LD-422-04"},
			Apply: answers(accepted, status(http.StatusOK)),
		},
		{
			ID:    "ld-no-id",
			Title: "the accepted lead has no id",
			Doc:   "The id is made by a later step than the answer.",
			Kills: []string{"LD-201-02", "LD-201-03"},
			Apply: answers(accepted, drop("id")),
		},
		{
			ID:    "ld-id-number",
			Title: "the accepted lead's id is a number",
			Doc:   "A row number of the database is sent as it is.",
			Kills: []string{"LD-201-02", "LD-201-03"},
			Apply: answers(accepted, rewrite("id", func(string) any { return time.Now().UnixNano() })),
		},
		{
			ID:    "ld-status-lower-case",
			Title: "the status of an accepted lead is accepted, in lower case",
			Doc:   "The internal name of the state shows through, in every answer.",
			Kills: []string{"LD-201-02"},
			Apply: answers(all(anything, containing(string(leads.Accepted))), rewrite("status", lower)),
		},
		{
			ID:    "ld-status-sold",
			Title: "the status of an accepted lead is SOLD",
			Doc:   "An internal state that the document doesn't know shows through.",
			Kills: []string{"LD-201-02"},
			Apply: answers(all(anything, containing(string(leads.Accepted))), set("status", "SOLD")),
		},
		{
			ID:    "ld-no-buyer",
			Title: "the accepted lead names no buyer",
			Doc:   "Buyers are kept from suppliers.",
			Kills: []string{"LD-201-02"},
			Apply: answers(accepted, drop("buyer_id")),
		},
		{
			ID:    "ld-buyer-number",
			Title: "the buyer of an accepted lead is a number",
			Doc:   "A row number of the database is sent as it is.",
			Kills: []string{"LD-201-02"},
			Apply: answers(accepted, set("buyer_id", 12)),
		},
		{
			ID:    "ld-two-forms",
			Title: "an accepted lead stands bare, an unmatched one under data",
			Doc:   "Two handlers, two envelopes.",
			Kills: []string{"LD-201-02"},
			Apply: answers(unmatched, under("data")),
		},
		{
			ID:    "ld-lookup-under-data",
			Title: "a lead stands bare in the answer to its ingest, and under data in a lookup's",
			Doc:   "Reading and writing are two services with two envelopes.",
			Kills: []string{"LD-201-02"},
			Apply: answers(all(on(lookup), with(200)), under("data")),
		},
		{
			ID:    "ld-ids-by-the-second",
			Title: "leads that arrive within a second share an id",
			Doc:   "Ids are made of the time.",
			Kills: []string{"LD-201-03"},
			Apply: answers(accepted, rewrite("id", func(string) any { return fmt.Sprintf("lead-%d", time.Now().Unix()) })),
		},
		{
			ID:    "ld-no-campaign",
			Title: "the accepted lead doesn't name its campaign",
			Doc:   "The answer holds the three documented members and nothing else.",
			Kills: []string{"LD-201-04"},
			Apply: answers(accepted, drop("campaign_id")),
		},
		{
			ID:    "ld-campaign-title",
			Title: "the campaign_id of an accepted lead is the campaign's title",
			Doc:   "The wrong column.",
			Kills: []string{"LD-201-04"},
			Apply: answers(accepted, set("campaign_id", "Open to all")),
		},
		{
			ID:    "ld-unknown-fields-refused",
			Title: "a field that the campaign doesn't use is a 400",
			Doc:   "A strict decoder of the system fields is used for leads as well.",
			Kills: []string{"LD-201-05"},
			Apply: distroAPI(refuseUnknownFields),
		},
		{
			ID:    "ld-unmatched-201",
			Title: "a lead that nobody takes is answered 201, with status UNMATCHED",
			Doc:   "Something was created, after all.",
			Kills: []string{"LD-200-01", "LD-200-02"},
			Apply: answers(unmatched, status(http.StatusCreated)),
		},
		{
			ID:    "ld-unmatched-422",
			Title: "a lead that nobody takes is refused with 422",
			Doc:   "No buyer is taken for a reason to refuse.",
			Kills: []string{"LD-200-01", "LD-200-02"},
			Apply: distroAPI(func(a *distro.API) {
				a.Answers.Unmatched = func(leads.DistroLead) wire.Answer {
					return a.Answers.Rejected([]distro.FilterError{{Rule: "no_buyer", Message: "No buyer takes this lead"}})
				}
			}),
		},
		{
			ID:    "ld-unmatched-rejected",
			Title: "the status of a lead that nobody takes is REJECTED",
			Doc:   "An internal state that the document doesn't know shows through.",
			Kills: []string{"LD-200-01", "LD-200-02"},
			Apply: answers(unmatched, set("status", "REJECTED")),
		},
		{
			ID:    "ld-buyer-filters-ignored",
			Title: "a buyer is given leads that its filters shut out",
			Doc:   "Filters are kept but not yet asked.",
			Kills: []string{"LD-200-01"},
			Apply: distroAPI(func(a *distro.API) {
				passes := a.Passes
				a.Passes = func(filter world.Filter, lead distro.Lead) bool { return len(filter.In) > 0 || passes(filter, lead) }
			}),
		},
		{
			ID:    "ld-unmatched-no-id",
			Title: "an unmatched lead has no id",
			Doc:   "Only leads with a buyer are stored.",
			Kills: []string{"LD-200-05"},
			Apply: answers(unmatched, drop("id")),
		},
		{
			ID:    "ld-cap-one-too-many",
			Title: "a buyer gets one lead more than its cap",
			Doc:   "The count is compared before it is raised, with <= in the place of <.",
			Kills: []string{"LD-200-02"},
			Apply: distroAPI(changeCaps(func(dailyCap int) int { return dailyCap + 1 })),
		},
		{
			ID:    "ld-cap-one-too-few",
			Title: "a buyer gets one lead less than its cap, if that leaves any",
			Doc:   "The count is raised before it is compared.",
			Kills: []string{"LD-200-02"},
			Apply: distroAPI(changeCaps(func(dailyCap int) int { return max(1, dailyCap-1) })),
		},
		{
			ID:    "ld-caps-ignored",
			Title: "caps are not kept",
			Doc:   "Caps are for a report at the end of the month.",
			Kills: []string{"LD-200-02"},
			Apply: distroAPI(changeCaps(func(int) int { return 0 })),
		},
		{
			ID:    "ld-first-cap-ends-it",
			Title: "when the first buyer's cap is used up, no other buyer is tried",
			Doc:   "The loop over the buyers ends at the first one that is full.",
			Kills: []string{"LD-200-02"},
			Apply: distroAPI(func(a *distro.API) {
				a.Order = firstOf(a.Order)
			}),
		},
		{
			ID:    "ld-capped-422",
			Title: "a lead beyond all caps is refused with 422",
			Doc:   "Caps are seen as one more filter.",
			Kills: []string{"LD-200-02"},
			Apply: distroAPI(func(a *distro.API) {
				unmatched := a.Answers.Unmatched
				a.Answers.Unmatched = func(lead leads.DistroLead) wire.Answer {
					if lead.CampaignID != "cmp-capped" {
						return unmatched(lead)
					}
					return a.Answers.Rejected([]distro.FilterError{{Rule: "daily_cap", Message: "All buyers have enough for today"}})
				}
			}),
		},
		{
			ID:    "ld-unmatched-names-a-buyer",
			Title: "an unmatched lead names the buyer that was asked last",
			Doc:   "The variable of the loop outlives it.",
			Kills: []string{"LD-200-03"},
			Apply: answers(unmatched, set("buyer_id", "buyer-alaska")),
		},
		{
			ID:    "ld-unmatched-buyer-empty",
			Title: "an unmatched lead has an empty buyer_id",
			Doc:   "The zero value is sent, and a client that looks for the member finds it.",
			Kills: []string{"LD-200-03"},
			Apply: answers(unmatched, set("buyer_id", "")),
		},
		{
			ID:    "ld-success-with-error",
			Title: "an unmatched lead carries an error",
			Doc:   "That no buyer was found is told in the member that clients look at first.",
			Kills: []string{"LD-200-04"},
			Apply: answers(unmatched, set("error", "no_buyer")),
		},
		{
			ID:    "ld-accepted-error-false",
			Title: "an accepted lead carries error: false",
			Doc:   "A flag of the same name as the identifier.",
			Kills: []string{"LD-200-04"},
			Apply: answers(accepted, set("error", false)),
		},
	}
}

// refuseUnknownFields lets pass the system fields and those that the world's campaigns have a use for.
func refuseUnknownFields(a *distro.API) {
	known := []string{"case_type"}
	for _, f := range a.IngestFields {
		known = append(known, f.Name)
	}
	faults(a, func(lead distro.Lead, found []distro.FieldError) []distro.FieldError {
		for _, f := range lead.Fields {
			if !slices.Contains(known, f.Name) {
				found = append(found, distro.FieldError{Field: f.Name, Code: "unknown", Message: f.Name + " is not known"})
			}
		}
		return found
	})
}

// changeCaps makes the buyers' caps other than they are agreed.
func changeCaps(change func(dailyCap int) int) func(*distro.API) {
	return func(a *distro.API) {
		candidate := a.Candidate
		a.Candidate = func(b *world.Buyer) leads.Candidate {
			c := candidate(b)
			if c.DailyCap > 0 {
				c.DailyCap = change(c.DailyCap)
			}
			return c
		}
	}
}

type ordering = func(world.Distribution, []*world.Buyer, uint64) []*world.Buyer

// firstOf offers a lead to the first buyer alone.
func firstOf(order ordering) ordering {
	return func(d world.Distribution, buyers []*world.Buyer, turn uint64) []*world.Buyer {
		ordered := order(d, buyers, turn)
		return ordered[:min(1, len(ordered))]
	}
}
