package mutant

import (
	"context"

	"github.com/google/uuid"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// insertionTuples breaks what a lead is known by: IN-IDEM-06, 07, 09, 14 and 15.
func insertionTuples() []Mutant {
	return []Mutant{
		{
			ID: "in-tuple-without-campaign", Title: "a lead is known by account and external id",
			Doc:   "The unique index lacks a column.",
			Kills: []string{"IN-IDEM-06", "IN-LIST-01", "IN-LIST-02"},
			Apply: upserting(func(_ *insertion.API, next upsert) upsert {
				type key struct {
					account  string
					external uuid.UUID
				}
				var first notes[key, int64]
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					draft.CampaignID = first.first(key{call.Key.Account.ID, draft.ExternalLeadID}, draft.CampaignID)
					return next(ctx, call, draft)
				}
			}),
		},
		{
			ID: "in-tuple-without-account", Title: "a lead is known by campaign and external id",
			Doc:   "The unique index lacks a column: one account's POST patches another's lead.",
			Kills: []string{"IN-IDEM-07"},
			Apply: upserting(func(_ *insertion.API, next upsert) upsert {
				type key struct {
					campaign int64
					external uuid.UUID
				}
				var first notes[key, *insertion.Call]
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					return next(ctx, first.first(key{draft.CampaignID, draft.ExternalLeadID}, call), draft)
				}
			}),
		},
		{
			ID: "in-tuple-is-the-phone", Title: "a lead is known by its phone",
			Doc:   "A person is thought to be one lead per campaign, whatever the external id.",
			Kills: []string{"IN-IDEM-09", "IN-IDEM-12"},
			Apply: upserting(func(_ *insertion.API, next upsert) upsert {
				type key struct {
					account  string
					campaign int64
					phone    string
				}
				var first notes[key, uuid.UUID]
				var phones notes[uuid.UUID, string]
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					phone, has := draft.Fields["phone"]
					if !has {
						return next(ctx, call, draft)
					}
					own := draft.ExternalLeadID
					draft.ExternalLeadID = first.first(key{call.Key.Account.ID, draft.CampaignID, string(phone)}, own)
					lead, outcome, err := next(ctx, call, draft)
					if before, known := phones.swap(own, string(phone)); known && before != string(phone) {
						return insertedAgain(lead)
					}
					return lead, outcome, err
				}
			}),
		},
		{
			ID: "in-idempotency-key-decides", Title: "Idempotency-Key decides: what was answered to it once is answered again",
			Doc:   "The header means what it means elsewhere.",
			Kills: []string{"IN-IDEM-09"},
			Apply: insertionAPI(func(a *insertion.API) {
				var answered notes[string, wire.Answer]
				next := a.Create
				a.Create = func(ctx context.Context, call *insertion.Call) (wire.Answer, error) {
					key := call.Request.Header.Get("Idempotency-Key")
					if before, known := answered.get(key); known && key != "" {
						return before, nil
					}
					answer, err := next(ctx, call)
					if err == nil && key != "" {
						answered.swap(key, answer)
					}
					return answer, err
				}
			}),
		},
		{
			ID: "in-idempotency-key-in-tuple", Title: "another Idempotency-Key makes another lead",
			Doc:   "The header is a part of the key.",
			Kills: []string{"IN-IDEM-09"},
			Apply: upserting(func(_ *insertion.API, next upsert) upsert {
				var keys notes[leads.Tuple, string]
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					lead, outcome, err := next(ctx, call, draft)
					key := call.Request.Header.Get("Idempotency-Key")
					if before, known := keys.swap(lead.Tuple, key); err == nil && known && before != key {
						return insertedAgain(lead)
					}
					return lead, outcome, err
				}
			}),
		},
		{
			ID: "in-idempotency-key-stops-patch", Title: "a mutated payload with the same Idempotency-Key is deduped",
			Doc:   "The key is taken for a promise that the payload is the same.",
			Kills: []string{"IN-IDEM-09"},
			Apply: upserting(func(a *insertion.API, next upsert) upsert {
				var keys notes[leads.Tuple, string]
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					key := call.Request.Header.Get("Idempotency-Key")
					before, known := keys.swap(tupleOf(call, draft), key)
					if lead, has := stored(ctx, a, call, draft); has && known && key != "" && before == key {
						return lead, leads.Deduped, nil
					}
					return next(ctx, call, draft)
				}
			}),
		},
		{
			ID: "in-tuple-by-authentication", Title: "a bearer token doesn't reach what a signature inserted",
			Doc:   "What stands for the account in the key is the public key, which a bearer token doesn't come with.",
			Kills: []string{"IN-IDEM-14"},
			Apply: upserting(func(_ *insertion.API, next upsert) upsert {
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					lead, outcome, err := next(ctx, call, draft)
					if err == nil && outcome != leads.Inserted && call.Request.Header.Get("Authorization") != "" {
						return insertedAgain(lead)
					}
					return lead, outcome, err
				}
			}),
		},
		{
			ID: "in-tuple-by-path", Title: "the internal path has tuples of its own",
			Doc:   "It is a table of its own, older than the other.",
			Kills: []string{"IN-IDEM-15"},
			Apply: upserting(func(_ *insertion.API, next upsert) upsert {
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					if call.Route.Endpoint != insertion.EndpointIngest {
						return next(ctx, call, draft)
					}
					inside, key, account := *call, *call.Key, *call.Key.Account
					account.ID += "/internal"
					key.Account, inside.Key = &account, &key
					return next(ctx, &inside, draft)
				}
			}),
		},
	}
}
