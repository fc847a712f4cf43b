package mutant

import (
	"context"
	"errors"
	"net/http"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
	"leadconform/reference/server"
)

// insertionHidden breaks IN-404-*.
func insertionHidden() []Mutant {
	return []Mutant{
		{
			ID: "in-404-bare", Title: "a 404 has no ok",
			Doc:   "The envelope is put on by the handlers, and nothing was handled.",
			Kills: []string{"IN-404-01", "IN-ENV-01"},
			Apply: answers(refused(404), drop("ok")),
		},
		{
			ID: "in-unknown-patch-400", Title: "PATCH of an unknown lead is a 400",
			Doc:   "An id that leads nowhere is taken for a fault of the request.",
			Kills: []string{"IN-404-01", "IN-404-02", "IN-ENV-04"},
			Apply: insertionAPI(func(a *insertion.API) {
				finding(a, func(_ context.Context, call *insertion.Call, lead leads.InsertionLead, err error) (leads.InsertionLead, error) {
					if err != nil && call.Route.Endpoint == insertion.EndpointPatch {
						err = refusal(http.StatusBadRequest, "unknown_lead")
					}
					return lead, err
				})
			}),
		},
		{
			ID: "in-unknown-get-empty", Title: "GET of an unknown lead is a 200 with lead null",
			Doc:   "No row was found, and that is no error to the database.",
			Kills: []string{"IN-404-01", "IN-404-02", "IN-404-03", "IN-IDEM-07", "IN-ENV-01", "IN-ENV-02", "IN-ENV-04", "IN-ENV-05"},
			Apply: answers(all(refused(404), func(x *exchange) bool {
				return x.request.Method == http.MethodGet && x.request.URL.Path != insertionLeads
			}),
				status(http.StatusOK), text("application/json", `{"ok":true,"lead":null}`)),
		},
		{
			ID: "in-foreign-403", Title: "another account's lead is a 403",
			Doc:   "The lead is found first, and whose it is is asked then: the status tells that it exists.",
			Kills: []string{"IN-404-02", "IN-IDEM-07"},
			Apply: foreigners(func(_ *insertion.Call, _ leads.InsertionLead) error {
				return refusal(http.StatusForbidden, "forbidden")
			}),
		},
		{
			ID: "in-foreign-named", Title: "another account's lead is a 404 with an error of its own",
			Doc:   "The status hides what the body tells.",
			Kills: []string{"IN-404-02"},
			Apply: foreigners(func(_ *insertion.Call, _ leads.InsertionLead) error {
				return refusal(http.StatusNotFound, "not_found:account")
			}),
		},
		{
			ID: "in-foreign-header", Title: "another account's lead is a 404 with an ETag",
			Doc:   "The headers were set when the lead was read, before it was refused.",
			Kills: []string{"IN-404-02"},
			Apply: foreigners(func(_ *insertion.Call, lead leads.InsertionLead) error {
				return &insertion.Refusal{Status: http.StatusNotFound, Code: insertion.CodeNotFound,
					Header: http.Header{"Etag": {`"` + lead.ID.String() + `"`}}}
			}),
		},
		{
			ID: "in-foreign-by-external-id", Title: "another account's lead is a 403 by its external id",
			Doc:   "Of two ways to a lead, one asks whose it is too late.",
			Kills: []string{"IN-404-02"},
			Apply: foreigners(func(call *insertion.Call, lead leads.InsertionLead) error {
				if call.Route.LeadID == lead.ExternalLeadID.String() {
					return refusal(http.StatusForbidden, "forbidden")
				}
				return unknownLead()
			}),
		},
		{
			ID: "in-foreign-patch-409", Title: "PATCH of another account's lead is a 409",
			Doc:   "The write finds nothing to change, and that is taken for a lost race.",
			Kills: []string{"IN-404-02"},
			Apply: foreigners(func(call *insertion.Call, _ leads.InsertionLead) error {
				if call.Route.Endpoint == insertion.EndpointPatch {
					return leads.ErrConflict
				}
				return unknownLead()
			}),
		},
		{
			ID: "in-foreign-readable", Title: "GET shows another account's lead to whoever knows its id",
			Doc:   "A UUID can't be guessed, it was thought, and the query doesn't name the account.",
			Kills: []string{"IN-404-02", "IN-IDEM-07"},
			Apply: insertionAPI(func(a *insertion.API) {
				owned := newOwners(a)
				finding(a, func(_ context.Context, call *insertion.Call, lead leads.InsertionLead, err error) (leads.InsertionLead, error) {
					if theirs, is := owned.foreign(call); err != nil && is && call.Route.Endpoint == insertion.EndpointGet {
						return theirs, nil
					}
					return lead, err
				})
			}),
		},
		{
			ID: "in-foreign-readable-once-read", Title: "GET shows another account's lead once its own has read it",
			Doc:   "Leads are kept in memory under their ids, and the account is only a condition of the query.",
			Kills: []string{"IN-404-02", "IN-IDEM-07"},
			Apply: insertionAPI(func(a *insertion.API) {
				var read notes[string, bool]
				owned := newOwners(a)
				finding(a, func(_ context.Context, call *insertion.Call, lead leads.InsertionLead, err error) (leads.InsertionLead, error) {
					if call.Route.Endpoint != insertion.EndpointGet {
						return lead, err
					}
					theirs, is := owned.foreign(call)
					if _, kept := read.get(call.Route.LeadID); err != nil && is && kept {
						return theirs, nil
					}
					if err == nil {
						read.swap(call.Route.LeadID, true)
					}
					return lead, err
				})
			}),
		},
		{
			ID: "in-foreign-validated-first", Title: "a faulty PATCH is a 400 where anybody has the lead, and a 404 where nobody has",
			Doc:   "The lead is found, the body is checked, and whose the lead is is asked last.",
			Kills: []string{"IN-404-02"},
			Apply: insertionAPI(func(a *insertion.API) {
				owned, next := newOwners(a), a.Patch
				a.Patch = func(ctx context.Context, call *insertion.Call) (wire.Answer, error) {
					_, foreign := owned.foreign(call)
					if _, err := a.Find(ctx, call); err != nil && !foreign {
						return wire.Answer{}, err
					}
					return next(ctx, call)
				}
			}),
		},
		{
			ID: "in-foreign-patched", Title: "PATCH of another account's lead is a 404 that has changed it",
			Doc:   "The update names the id alone. That the account doesn't match is found when the lead is read for the answer.",
			Kills: []string{"IN-404-04"},
			Apply: insertionAPI(func(a *insertion.API) {
				owned := newOwners(a)
				decode := a.Decode
				a.Decode = func(call *insertion.Call) ([]wire.Member, error) {
					members, err := decode(call)
					theirs, is := owned.foreign(call)
					if err != nil || !is || call.Route.Endpoint != insertion.EndpointPatch {
						return members, err
					}
					changes, err := a.Changes(members)
					if err != nil {
						return nil, err
					}
					ctx := call.Request.Context()
					for err = leads.ErrConflict; errors.Is(err, leads.ErrConflict); { // until nobody else was faster
						lead, found := a.Store.Get(ctx, theirs.AccountID, leads.Ref{ID: theirs.ID})
						if found != nil {
							return nil, found
						}
						_, _, err = a.Store.Patch(ctx, lead.AccountID, lead.ID, lead.Version, changes, a.Now())
					}
					return members, err
				}
			}),
		},
		{
			ID: "in-disabled-403", Title: "an account with the endpoint switched off gets a 403",
			Doc:   "The flag is taken for a permission.",
			Kills: []string{"IN-404-03"},
			Apply: disabled(func(*insertion.Call) error { return refusal(http.StatusForbidden, "feature_disabled") }),
		},
		{
			ID: "in-disabled-named", Title: "an account with the endpoint switched off gets a 404 feature_disabled",
			Doc:   "The status is generic, and the body is not.",
			Kills: []string{"IN-404-03"},
			Apply: disabled(func(*insertion.Call) error { return refusal(http.StatusNotFound, "feature_disabled") }),
		},
		{
			ID: "in-disabled-writes-only", Title: "the flag switches off writing alone",
			Doc:   "The list goes on answering to an account for which the endpoint is switched off.",
			Kills: []string{"IN-404-03"},
			Apply: disabled(func(call *insertion.Call) error {
				if call.Request.Method == http.MethodGet {
					return nil
				}
				return unknownLead()
			}),
		},
	}
}

// foreigners makes a mutant that answers in its own way to calls that name a lead of another account.
func foreigners(answer func(call *insertion.Call, lead leads.InsertionLead) error) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		owned := newOwners(a)
		finding(a, func(_ context.Context, call *insertion.Call, lead leads.InsertionLead, err error) (leads.InsertionLead, error) {
			if theirs, is := owned.foreign(call); err != nil && is {
				return lead, answer(call, theirs)
			}
			return lead, err
		})
	})
}

// disabled makes a mutant that answers in its own way to an account for which the flag is off.
func disabled(answer func(call *insertion.Call) error) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		a.RequireFeature = func(_ context.Context, call *insertion.Call) error {
			if call.Key.Account.Enabled {
				return nil
			}
			return answer(call)
		}
	})
}
