package mutant

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
	"leadconform/reference/server"
)

// insertionLists breaks IN-LIST-*.
func insertionLists() []Mutant {
	return []Mutant{
		{
			ID: "in-list-oldest-first", Title: "the list is oldest first",
			Doc:   "The index is ascending, and nobody ordered otherwise.",
			Kills: []string{"IN-LIST-01"},
			Apply: insertionAPI(func(a *insertion.API) {
				a.Page = func(ctx context.Context, call *insertion.Call, q leads.Query) ([]leads.InsertionLead, bool, error) {
					all, err := everyLead(ctx, a, call.Key.Account.ID, leads.Query{CampaignID: q.CampaignID, ExternalLeadID: q.ExternalLeadID})
					slices.Reverse(all)
					all = slices.DeleteFunc(all, func(l leads.InsertionLead) bool { return !l.CreatedAt.After(q.Before) })
					n := min(q.Limit, len(all))
					return all[:n], n < len(all), err
				}
			}),
		},
		{
			ID: "in-list-shuffled-page", Title: "each page is oldest first",
			Doc:   "The newest are selected, and then sorted again.",
			Kills: []string{"IN-LIST-01"},
			Apply: paging(func(page []leads.InsertionLead, next *string) ([]leads.InsertionLead, *string) {
				page = slices.Clone(page)
				slices.Reverse(page)
				return page, next
			}),
		},
		{
			ID: "in-list-default-50", Title: "a page has fifty leads where no limit is given",
			Doc:   "Another default than the documented one.",
			Kills: []string{"IN-LIST-01"},
			Apply: querying(func(r *http.Request, q *leads.Query) {
				if !r.URL.Query().Has("limit") {
					q.Limit = 50
				}
			}),
		},
		{
			ID: "in-list-unbounded", Title: "a limit may be as high as one likes",
			Doc:   "The limit is handed to the database as it comes.",
			Kills: []string{"IN-LIST-01"},
			Apply: querying(func(r *http.Request, q *leads.Query) {
				if n, err := strconv.Atoi(r.URL.Query().Get("limit")); err == nil {
					q.Limit = n
				}
			}),
		},
		{
			ID: "in-list-limit-ignored", Title: "the limit is ignored",
			Doc:   "A page has the size that it has.",
			Kills: []string{"IN-LIST-01"},
			Apply: querying(func(_ *http.Request, q *leads.Query) { q.Limit = 25 }),
		},
		{
			ID: "in-cursor-inclusive", Title: "a page begins with the lead that the one before it ended with",
			Doc:   "Up to and including the cursor.",
			Kills: []string{"IN-LIST-01"},
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.ParseCursor
				a.ParseCursor = func(cursor string) (time.Time, error) {
					at, err := next(cursor)
					return at.Add(time.Microsecond), err
				}
			}),
		},
		{
			ID: "in-cursor-of-the-next", Title: "a lead between two pages is left out",
			Doc:   "The cursor is the first lead of the next page, and the next page begins after it.",
			Kills: []string{"IN-LIST-01"},
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.Page
				a.Page = func(ctx context.Context, call *insertion.Call, q leads.Query) ([]leads.InsertionLead, bool, error) {
					if q.Before.IsZero() {
						return next(ctx, call, q)
					}
					q.Limit++
					page, more, err := next(ctx, call, q)
					return page[min(1, len(page)):], more, err
				}
			}),
		},
		{
			ID: "in-cursor-in-seconds", Title: "the cursor is cut to the second",
			Doc:   "The format of the cursor has no fractions, and all leads of one second are skipped.",
			Kills: []string{"IN-LIST-01"},
			Apply: insertionAPI(func(a *insertion.API) {
				a.FormatCursor = func(created time.Time) string { return created.UTC().Format(time.RFC3339) }
			}),
		},
		{
			ID: "in-cursor-always-null", Title: "nextCursor is always null",
			Doc:   "There is one page.",
			Kills: []string{"IN-LIST-01"},
			Apply: paging(func(page []leads.InsertionLead, _ *string) ([]leads.InsertionLead, *string) { return page, nil }),
		},
		{
			ID: "in-cursor-never-null", Title: "nextCursor is never null: the last page leads back to the first",
			Doc:   "Where nothing follows the cursor is empty, and an empty cursor is none.",
			Kills: []string{"IN-LIST-01"},
			Apply: insertionAPI(func(a *insertion.API) {
				parse, list := a.ParseCursor, a.ListAnswer
				const around = "again"
				a.ListAnswer = func(page []leads.InsertionLead, next *string) wire.Answer {
					if next == nil {
						next = new(string)
						*next = around
					}
					return list(page, next)
				}
				a.ParseCursor = func(cursor string) (time.Time, error) {
					if cursor == around {
						return time.Time{}, nil
					}
					return parse(cursor)
				}
			}),
		},
		{
			ID: "in-filter-campaign-ignored", Title: "the filter campaign_id is ignored",
			Doc:   "Unknown parameters are ignored, and this one is unknown.",
			Kills: []string{"IN-LIST-02"},
			Apply: querying(func(_ *http.Request, q *leads.Query) { q.CampaignID = nil }),
		},
		{
			ID: "in-filter-external-id-ignored", Title: "the filter external_lead_id is ignored",
			Doc:   "Unknown parameters are ignored, and this one is unknown.",
			Kills: []string{"IN-LIST-02"},
			Apply: querying(func(_ *http.Request, q *leads.Query) { q.ExternalLeadID = nil }),
		},
		{
			ID: "in-filters-one-at-a-time", Title: "of two filters the second is ignored",
			Doc:   "A chain of else-ifs.",
			Kills: []string{"IN-LIST-02"},
			Apply: querying(func(_ *http.Request, q *leads.Query) {
				if q.ExternalLeadID != nil {
					q.CampaignID = nil
				}
			}),
		},
		{
			ID: "in-list-of-everybody", Title: "the list holds every account's leads",
			Doc:   "The condition on the account is in the handler of one lead alone.",
			Kills: []string{"IN-LIST-03"},
			Apply: listingForeign(func(leads.Query) bool { return true }),
		},
		{
			ID: "in-list-of-everybody-by-cursor", Title: "a page that a cursor leads to holds every account's leads",
			Doc:   "The query with a cursor is another one, and lacks the condition on the account.",
			Kills: []string{"IN-LIST-03"},
			Apply: listingForeign(func(q leads.Query) bool { return !q.Before.IsZero() }),
		},
		{
			ID: "in-list-of-the-campaign", Title: "the list of a campaign holds every account's leads",
			Doc:   "A filter takes the place of the condition on the account.",
			Kills: []string{"IN-LIST-03"},
			Apply: listingForeign(func(q leads.Query) bool { return q.CampaignID != nil }),
		},
		{
			ID: "in-list-of-the-external-id", Title: "the list of an external id holds every account's leads",
			Doc:   "A filter takes the place of the condition on the account.",
			Kills: []string{"IN-LIST-03"},
			Apply: listingForeign(func(q leads.Query) bool { return q.ExternalLeadID != nil }),
		},
	}
}

// querying makes a mutant that reads another query.
func querying(change func(r *http.Request, q *leads.Query)) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.ReadQuery
		a.ReadQuery = func(call *insertion.Call) (leads.Query, error) {
			q, err := next(call)
			change(call.Request, &q)
			return q, err
		}
	})
}

// paging makes a mutant that shows another page.
func paging(change func(page []leads.InsertionLead, next *string) ([]leads.InsertionLead, *string)) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.ListAnswer
		a.ListAnswer = func(page []leads.InsertionLead, cursor *string) wire.Answer { return next(change(page, cursor)) }
	})
}

// everyLead is all that an account has and the query matches, newest first.
func everyLead(ctx context.Context, a *insertion.API, account string, q leads.Query) ([]leads.InsertionLead, error) {
	q.Limit = math.MaxInt
	all, _, err := a.Store.List(ctx, account, q)
	return all, err
}

// listingForeign makes a mutant in which some lists hold the leads of every account.
func listingForeign(when func(q leads.Query) bool) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.Page
		a.Page = func(ctx context.Context, call *insertion.Call, q leads.Query) ([]leads.InsertionLead, bool, error) {
			if !when(q) {
				return next(ctx, call, q)
			}
			var all []leads.InsertionLead
			for _, account := range a.World.Accounts {
				own, err := everyLead(ctx, a, account.ID, q)
				if err != nil {
					return nil, false, err
				}
				all = append(all, own...)
			}
			slices.SortFunc(all, func(a, b leads.InsertionLead) int { return b.CreatedAt.Compare(a.CreatedAt) })
			n := min(q.Limit, len(all))
			return all[:n], n < len(all), nil
		}
	})
}
