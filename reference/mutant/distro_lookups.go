package mutant

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"leadconform/reference/internal/distro"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// found and notFound pick the answers to lookups.
var (
	found    = all(on(lookup), with(http.StatusOK))
	notFound = all(on(lookup), with(http.StatusNotFound))
)

// distroLookups are the mutants of LD-LOOK-*.
func distroLookups() []Mutant {
	return []Mutant{
		{
			ID:    "ld-lookup-not-by-id",
			Title: "lookup finds no lead by its id",
			Doc:   "Only what a supplier knows by itself, phone and email, is indexed.",
			Kills: []string{"LD-LOOK-01"},
			Apply: distroAPI(blindTo(func(c leads.Criterion) bool { return c.ID != uuid.Nil })),
		},
		{
			ID:    "ld-lookup-another-id",
			Title: "lookup shows a lead under another id than its ingest did",
			Doc:   "One answer holds the id of the lead, the other that of its delivery.",
			Kills: []string{"LD-LOOK-01", "LD-LOOK-02"},
			Apply: answers(found, rewrite("id", func(old string) any { return "delivery-" + old })),
		},
		{
			ID:    "ld-lookup-another-status",
			Title: "lookup shows another status than the ingest did",
			Doc:   "What became of the lead at the buyer's shows through.",
			Kills: []string{"LD-LOOK-01", "LD-LOOK-02"},
			Apply: answers(found, set("status", "DELIVERED")),
		},
		{
			ID:    "ld-lookup-without-status",
			Title: "lookup shows no status",
			Doc:   "Only that the lead exists is told.",
			Kills: []string{"LD-LOOK-01", "LD-LOOK-02"},
			Apply: answers(found, drop("status")),
		},
		{
			ID:    "ld-lookup-not-by-phone",
			Title: "lookup finds no lead by its phone",
			Doc:   "The phone is stored in another form than it is asked for.",
			Kills: []string{"LD-LOOK-02"},
			Apply: distroAPI(blindTo(func(c leads.Criterion) bool { return c.Phone != "" })),
		},
		{
			ID:    "ld-lookup-not-by-email",
			Title: "lookup finds no lead by its email",
			Doc:   "The email is stored as a hash.",
			Kills: []string{"LD-LOOK-02"},
			Apply: distroAPI(blindTo(func(c leads.Criterion) bool { return c.Email != "" })),
		},
		{
			ID:    "ld-lookup-none-200",
			Title: "a lookup that finds nothing is answered 200 with an empty list",
			Doc:   "A search that finds nothing is a success.",
			Kills: []string{"LD-LOOK-03"},
			Apply: answers(notFound, status(http.StatusOK), func(x *exchange) { x.setJSON(map[string]any{"leads": []any{}}) }),
		},
		{
			ID:    "ld-lookup-none-without-error",
			Title: "a lookup that finds nothing is a 404 with a message alone",
			Doc:   "The endpoint has an envelope of its own.",
			Kills: []string{"LD-ENV-01", "LD-LOOK-03"},
			Apply: answers(notFound, drop("error")),
		},
		{
			ID:    "ld-lookup-latest",
			Title: "a lookup without a criterion is answered 404, like any that finds nothing",
			Doc:   "Nothing is asked of the store, and nothing is found.",
			Kills: []string{"LD-LOOK-03"},
			Apply: distroAPI(func(a *distro.API) {
				a.Answers.BadQuery = func(string) wire.Answer { return a.Answers.LeadNotFound() }
			}),
		},
		{
			ID:    "ld-lookup-across-suppliers",
			Title: "lookup finds the leads of every supplier",
			Doc:   "The condition on the supplier is missing from the query.",
			Kills: []string{"LD-LOOK-04"},
			Apply: distroAPI(func(a *distro.API) { a.Store = openStore{Distro: a.Store} }),
		},
		{
			ID:    "ld-lookup-across-by-id",
			Title: "lookup by id finds the leads of every supplier",
			Doc:   "An id is thought to be secret enough.",
			Kills: []string{"LD-LOOK-04"},
			Apply: distroAPI(func(a *distro.API) { a.Store = openStore{Distro: a.Store, byIDAlone: true} }),
		},
		{
			ID:    "ld-lookup-foreign-403",
			Title: "a lookup of another supplier's lead is a 403",
			Doc:   "The lead is found first and its owner compared then.",
			Kills: []string{"LD-LOOK-04"},
			Apply: distroAPI(onForeign(func(a *distro.API, _ wire.Answer) wire.Answer { return a.Answers.Forbidden() })),
		},
		{
			ID:    "ld-lookup-foreign-message",
			Title: "the 404 of another supplier's lead says that the lead isn't yours",
			Doc:   "A helpful message.",
			Kills: []string{"LD-LOOK-04"},
			Apply: distroAPI(onForeign(func(_ *distro.API, answer wire.Answer) wire.Answer {
				answer.Body = distro.ErrorBody{Error: "lead_not_found", Message: "There is no such lead of yours"}
				return answer
			})),
		},
		{
			ID:    "ld-lookup-foreign-header",
			Title: "the 404 of another supplier's lead has a header more",
			Doc:   "The cache's key holds the lead's id only where there is one.",
			Kills: []string{"LD-LOOK-04"},
			Apply: distroAPI(onForeign(func(_ *distro.API, answer wire.Answer) wire.Answer {
				answer.Header = http.Header{"Surrogate-Key": {"lead"}}
				return answer
			})),
		},
	}
}

// blindTo makes the store find nothing by the criteria that a condition picks.
func blindTo(which func(leads.Criterion) bool) func(*distro.API) {
	return func(a *distro.API) {
		replace(&a.Lookup, "find_lead", func(find do) do {
			return func(ctx context.Context, c *distro.Call) *wire.Answer {
				if which(c.Criterion) {
					return new(a.Answers.LeadNotFound())
				}
				return find(ctx, c)
			}
		})
	}
}

// suppliers whose leads a foreign lookup may hit.
var suppliers = []string{"sup-primary", "sup-secondary"}

// openStore finds the leads of every supplier.
type openStore struct {
	leads.Distro
	byIDAlone bool
}

// Find implements leads.Distro.
func (s openStore) Find(ctx context.Context, supplierID string, c leads.Criterion) (leads.DistroLead, error) {
	lead, err := s.Distro.Find(ctx, supplierID, c)
	if err == nil || s.byIDAlone && c.ID == uuid.Nil {
		return lead, err
	}
	for _, other := range suppliers {
		if lead, err := s.Distro.Find(ctx, other, c); err == nil {
			return lead, nil
		}
	}
	return lead, err
}

// onForeign changes the answer to a lookup that finds nothing, where another supplier's lead would have met it.
func onForeign(change func(a *distro.API, answer wire.Answer) wire.Answer) func(*distro.API) {
	return func(a *distro.API) {
		replace(&a.Lookup, "find_lead", func(find do) do {
			return func(ctx context.Context, c *distro.Call) *wire.Answer {
				answer := find(ctx, c)
				if answer.Status != http.StatusNotFound {
					return answer
				}
				if _, err := (openStore{Distro: a.Store}).Find(ctx, c.Supplier.ID, c.Criterion); err == nil {
					return new(change(a, *answer))
				}
				return answer
			}
		})
	}
}
