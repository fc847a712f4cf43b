package mutant

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"leadconform/reference/internal/distro"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// rejected picks the 422s of an ingest.
var rejected = all(on(ingest), with(http.StatusUnprocessableEntity))

// distroRules are the mutants of LD-422-*.
func distroRules() []Mutant {
	filtered := all(rejected, containing(`"excluded_`))
	suppressed := all(rejected, containing(`"suppressed_`))
	duplicate := all(rejected, containing(`"duplicate"`))
	return []Mutant{
		{
			ID:    "ld-filters-ignored",
			Title: "inbound filters catch nothing on ingest",
			Doc:   "Filters are kept but not yet asked.",
			Kills: []string{"LD-422-01"},
			Apply: distroAPI(ignoring("filters")),
		},
		{
			ID:    "ld-filtered-400",
			Title: "a lead caught by a filter is a 400",
			Doc:   "One of the provider's own pages says so.",
			Kills: []string{"LD-422-01", "LD-422-07"},
			Apply: answers(filtered, status(http.StatusBadRequest)),
		},
		{
			ID:    "ld-filtered-200",
			Title: "a lead caught by a filter is answered 200 with status REJECTED",
			Doc:   "Every lead that can be read is a success.",
			Kills: []string{"LD-422-01"},
			Apply: answers(filtered, status(http.StatusOK), set("status", "REJECTED"), drop("error")),
		},
		{
			ID:    "ld-filter-unnamed",
			Title: "a lead caught by a filter is a 422 with an empty filter_errors",
			Doc:   "Suppliers aren't to learn the buyers' rules.",
			Kills: []string{"LD-422-01"},
			Apply: answers(filtered, set("filter_errors", []any{})),
		},
		{
			ID:    "ld-filter-errors-missing",
			Title: "a lead caught by a filter is a 422 without filter_errors",
			Doc:   "The rule is named in message, for people.",
			Kills: []string{"LD-422-01"},
			Apply: answers(filtered, drop("filter_errors")),
		},
		{
			ID:    "ld-filter-errors-one",
			Title: "filter_errors is the name of the rule, not an array",
			Doc:   "Only one rule is ever told, so there seemed no need for an array.",
			Kills: []string{"LD-422-01"},
			Apply: answers(filtered, object(func(o map[string]any) {
				if entries, ok := o["filter_errors"].([]any); ok && len(entries) > 0 {
					o["filter_errors"] = entries[0].(map[string]any)["rule"]
				}
			})),
		},
		{
			ID:    "ld-filter-errors-numbered",
			Title: "every filter is named filter, and each refusal has a number",
			Doc:   "The kind of the rule is told, not the rule; what differs is for the support.",
			Kills: []string{"LD-422-01"},
			Apply: answers(filtered, each("filter_errors", func(entry map[string]any) {
				entry["rule"], entry["message"] = "filter", "Refused, incident "+uuid.NewString()
			})),
		},
		{
			ID:    "ld-rules-of-one-name",
			Title: "suppression and duplicates are told by one name",
			Doc:   "Every refusal that isn't a filter's is a rejection, it was thought.",
			Kills: []string{"LD-422-01"},
			Apply: answers(func(x *exchange) bool { return suppressed(x) || duplicate(x) }, each("filter_errors", func(entry map[string]any) {
				entry["rule"], entry["message"] = "rejected", "Lead "+uuid.NewString()+" was rejected"
			})),
		},
		{
			ID:    "ld-filter-errors-blank",
			Title: "the entries of filter_errors are empty objects",
			Doc:   "Private members of a type aren't written.",
			Kills: []string{"LD-422-01"},
			Apply: answers(filtered, each("filter_errors", func(entry map[string]any) { clear(entry) })),
		},
		{
			ID:    "ld-filter-errors-nameless",
			Title: "every filter is named filter",
			Doc:   "The kind of the rule is told, not the rule.",
			Kills: []string{"LD-422-01"},
			Apply: answers(filtered, each("filter_errors", func(entry map[string]any) {
				entry["rule"], entry["message"] = "filter", "A filter has caught this lead"
			})),
		},
		{
			ID:    "ld-all-filters-named",
			Title: "a lead that one filter catches is told the names of all",
			Doc:   "The campaign's filters are listed, not the ones that failed.",
			Kills: []string{"LD-422-01"},
			Apply: distroAPI(func(a *distro.API) {
				rule(a, "filters", func(c *distro.Call, caught []distro.FilterError) []distro.FilterError {
					if len(caught) == 0 {
						return nil
					}
					caught = nil
					for _, f := range c.Campaign.Filters {
						caught = append(caught, distro.FilterError{Rule: f.Rule, Message: "One of the campaign's filters"})
					}
					return caught
				})
			}),
		},
		{
			ID:    "ld-phone-unsuppressed",
			Title: "the suppression list is asked for emails alone",
			Doc:   "The list of phones came later, and ingest doesn't know it.",
			Kills: []string{"LD-422-02"},
			Apply: distroAPI(ignoring("suppressed_phone")),
		},
		{
			ID:    "ld-email-unsuppressed",
			Title: "the suppression list is asked for phones alone",
			Doc:   "The list of emails came later, and ingest doesn't know it.",
			Kills: []string{"LD-422-03"},
			Apply: distroAPI(ignoring("suppressed_email")),
		},
		{
			ID:    "ld-suppressed-unnamed",
			Title: "a suppressed lead is a 422 without filter_errors",
			Doc:   "The suppression list answers by itself, ahead of the rules.",
			Kills: []string{"LD-422-02", "LD-422-03"},
			Apply: answers(suppressed, drop("filter_errors")),
		},
		{
			ID:    "ld-suppressed-403",
			Title: "a suppressed lead is a 403",
			Doc:   "Suppression is taken for a lack of permission.",
			Kills: []string{"LD-422-02", "LD-422-03", "LD-422-08"},
			Apply: answers(suppressed, status(http.StatusForbidden), set("error", "forbidden")),
		},
		{
			ID:    "ld-suppressed-needs-both",
			Title: "a lead is suppressed only if both its phone and its email are listed",
			Doc:   "The two columns of the list are joined with and.",
			Kills: []string{"LD-422-02", "LD-422-03"},
			Apply: distroAPI(func(a *distro.API) {
				for _, pair := range [][2]string{{"suppressed_phone", "email"}, {"suppressed_email", "phone"}} {
					rule(a, pair[0], func(c *distro.Call, caught []distro.FilterError) []distro.FilterError {
						if c.Endpoint == "ingest" && !listed(c, pair[1]) {
							return nil
						}
						return caught
					})
				}
			}),
		},
		{
			ID:    "ld-suppressed-phone-as-written",
			Title: "a suppressed phone is caught only in the list's own spelling",
			Doc:   "Phones are compared as text.",
			Kills: []string{"LD-422-08"},
			Apply: distroAPI(func(a *distro.API) {
				rule(a, "suppressed_phone", func(c *distro.Call, caught []distro.FilterError) []distro.FilterError {
					if phone := c.Lead.Text("phone"); digits(phone) != phone {
						return nil
					}
					return caught
				})
			}),
		},
		{
			ID:    "ld-suppressed-email-as-written",
			Title: "a suppressed email is caught only in the list's own letter case",
			Doc:   "Emails are compared as text.",
			Kills: []string{"LD-422-08"},
			Apply: distroAPI(func(a *distro.API) {
				rule(a, "suppressed_email", func(c *distro.Call, caught []distro.FilterError) []distro.FilterError {
					if email := c.Lead.Text("email"); strings.ToLower(email) != email {
						return nil
					}
					return caught
				})
			}),
		},
		{
			ID:    "ld-duplicates-allowed",
			Title: "no campaign refuses a lead that it has seen",
			Doc:   "Duplicates are sorted out in a nightly run.",
			Kills: []string{"LD-422-04"},
			Apply: distroAPI(func(a *distro.API) {
				ignoring("duplicate")(a)
				placement := a.Placement
				a.Placement = func(c *distro.Call) leads.Placement {
					p := placement(c)
					p.DuplicateCheck = false
					return p
				}
			}),
		},
		{
			ID:    "ld-duplicate-409",
			Title: "a duplicate is a 409",
			Doc:   "A violated constraint of the database is a conflict to the framework.",
			Kills: []string{"LD-422-04"},
			Apply: answers(duplicate, status(http.StatusConflict)),
		},
		{
			ID:    "ld-duplicate-200",
			Title: "a duplicate is answered 200 with status DUPLICATE",
			Doc:   "A repeated post is made safe by answering it like the first.",
			Kills: []string{"LD-422-04"},
			Apply: answers(duplicate, status(http.StatusOK), set("status", "DUPLICATE"), drop("error")),
		},
		{
			ID:    "ld-duplicate-unnamed",
			Title: "a duplicate is a 422 without filter_errors",
			Doc:   "The store finds it, behind the rules.",
			Kills: []string{"LD-422-04"},
			Apply: answers(duplicate, drop("filter_errors")),
		},
		{
			ID:    "ld-duplicates-global",
			Title: "a lead that any campaign has seen is a duplicate",
			Doc:   "The index on phone and email lacks the campaign.",
			Kills: []string{"LD-422-05"},
			Apply: distroAPI(func(a *distro.API) {
				seen := &memory{}
				rule(a, "duplicate", func(c *distro.Call, caught []distro.FilterError) []distro.FilterError {
					phone := a.NormalPhone(c.Lead.Text("phone"))
					if len(caught) == 0 && c.Campaign.DuplicateCheck && c.Endpoint == "ingest" && seen.has(phone) {
						caught = append(caught, distro.FilterError{Rule: "duplicate", Message: "This lead has been seen"})
					}
					return caught
				})
				taken := a.Answers.Accepted
				a.Answers.Accepted = func(lead leads.DistroLead) wire.Answer {
					if strings.HasPrefix(lead.CampaignID, "cmp-unique") {
						seen.remember(lead.Phone)
					}
					return taken(lead)
				}
			}),
		},
		{
			ID:    "ld-first-rule-only",
			Title: "a lead that several rules catch is told the first",
			Doc:   "The loop over the rules ends at the first that fails.",
			Kills: []string{"LD-422-06"},
			Apply: distroAPI(func(a *distro.API) {
				reject := a.Answers.Rejected
				a.Answers.Rejected = func(caught []distro.FilterError) wire.Answer { return reject(caught[:1]) }
			}),
		},
		{
			ID:    "ld-rejected-field-errors",
			Title: "a 422 names the field at fault in field_errors as well",
			Doc:   "One body for both kinds of refusal.",
			Kills: []string{"LD-422-07"},
			Apply: answers(filtered, set("field_errors", []any{map[string]any{"field": "state", "code": "excluded", "message": "Not this state"}})),
		},
	}
}

// ignoring makes a rule catch nothing on ingest.
func ignoring(name string) func(*distro.API) {
	return func(a *distro.API) {
		rule(a, name, func(c *distro.Call, caught []distro.FilterError) []distro.FilterError {
			if c.Endpoint == "ingest" {
				return nil
			}
			return caught
		})
	}
}

// listed reports whether a campaign's suppression list holds the lead's phone or email, as it is written.
func listed(c *distro.Call, field string) bool {
	list := c.Campaign.Suppression.Phones
	if field == "email" {
		list = c.Campaign.Suppression.Emails
	}
	for _, value := range list {
		if value == c.Lead.Text(field) {
			return true
		}
	}
	return false
}
