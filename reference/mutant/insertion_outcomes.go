package mutant

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"

	"github.com/google/uuid"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
	"leadconform/reference/server"
)

// insertionOutcomes breaks what a POST of a known or an unknown tuple comes to: IN-201-01 and IN-IDEM-01 to 05.
func insertionOutcomes() []Mutant {
	return []Mutant{
		{
			ID: "in-inserted-200", Title: "a new lead is a 200",
			Doc:   "Every success has the framework's status.",
			Kills: []string{"IN-201-01", "IN-IDEM-10"},
			Apply: answering(leads.Inserted, func(a *wire.Answer, _ insertion.Object) { a.Status = http.StatusOK }),
		},
		{
			ID: "in-inserted-campaign-as-text", Title: "the answer to a POST has campaign_id as a string",
			Doc:   "A 64-bit number is made a string on its way out, for the sake of JavaScript.",
			Kills: []string{"IN-201-01"},
			Apply: answering(leads.Inserted, func(_ *wire.Answer, lead insertion.Object) { lead["campaign_id"] = "101" }),
		},
		{
			ID: "in-inserted-without-user", Title: "the answer to a POST has no user_id",
			Doc:   "The person is looked for later, and isn't known yet.",
			Kills: []string{"IN-201-01"},
			Apply: answering(leads.Inserted, func(_ *wire.Answer, lead insertion.Object) { lead["user_id"] = nil }),
		},
		{
			ID: "in-inserted-user-by-number", Title: "user_id is a number",
			Doc:   "The table of persons is older than that of leads, and has a serial key.",
			Kills: []string{"IN-201-01"},
			Apply: answering(leads.Inserted, func(_ *wire.Answer, lead insertion.Object) { lead["user_id"] = 17 }),
		},
		{
			ID: "in-deduped-201", Title: "a replay is a 201",
			Doc:   "Every POST has one status.",
			Kills: []string{"IN-IDEM-01", "IN-IDEM-10"},
			Apply: answering(leads.Deduped, func(a *wire.Answer, _ insertion.Object) { a.Status = http.StatusCreated }),
		},
		{
			ID: "in-deduped-touches", Title: "a replay moves updated_at",
			Doc:   "An upsert writes the row whether or not anything differs.",
			Kills: []string{"IN-IDEM-01"},
			Apply: upserting(func(a *insertion.API, next upsert) upsert {
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					lead, outcome, err := next(ctx, call, draft)
					if outcome == leads.Deduped {
						_, _, _ = a.Store.Patch(ctx, lead.AccountID, lead.ID, lead.Version, leads.Fields{}, a.Now())
					}
					return lead, outcome, err
				}
			}),
		},
		{
			ID: "in-patched-201", Title: "a POST that patches is a 201",
			Doc:   "Whatever was written is answered as created.",
			Kills: []string{"IN-IDEM-02"},
			Apply: answering(leads.Patched, func(a *wire.Answer, _ insertion.Object) { a.Status = http.StatusCreated }),
		},
		{
			ID: "in-patched-new-id", Title: "a POST that patches changes the lead's id",
			Doc:   "The row is replaced: deleted and inserted anew.",
			Kills: []string{"IN-IDEM-02", "IN-IDEM-05", "IN-IDEM-09", "IN-IDEM-11", "IN-IDEM-12"},
			Apply: answering(leads.Patched, func(_ *wire.Answer, lead insertion.Object) { lead["id"] = uuid.New() }),
		},
		{
			ID: "in-patched-not-stored", Title: "a mutated POST is answered patched and not stored",
			Doc:   "Insert or do nothing: the conflict is noticed, the update is missing.",
			Kills: []string{"IN-IDEM-02", "IN-IDEM-03", "IN-IDEM-04", "IN-IDEM-12"},
			Apply: upserting(func(a *insertion.API, next upsert) upsert {
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					if lead, known := stored(ctx, a, call, draft); known && len(differing(draft.Fields, lead.Fields)) > 0 {
						return lead, leads.Patched, nil
					}
					return next(ctx, call, draft)
				}
			}),
		},
		{
			ID: "in-patched-lacks-a-column", Title: "a POST that changes source is answered patched, and source is not stored",
			Doc:   "Payloads are compared by their digests, and the update lacks a column.",
			Kills: []string{"IN-IDEM-05", "IN-IDEM-12"},
			Apply: upserting(func(a *insertion.API, next upsert) upsert {
				var digests notes[leads.Tuple, string]
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					digest := canonical(draft.Fields)
					if before, known := stored(ctx, a, call, draft); known && before.Fields["source"] != nil {
						draft.Fields = maps.Clone(draft.Fields)
						draft.Fields["source"] = before.Fields["source"]
					}
					lead, outcome, err := next(ctx, call, draft)
					if last, known := digests.swap(lead.Tuple, digest); err == nil && known && last != digest {
						outcome = leads.Patched
					}
					return lead, outcome, err
				}
			}),
		},
		{
			ID: "in-patched-ever-after", Title: "a lead that was patched once is never deduped again",
			Doc:   "The digest of the payload is stored when the lead is inserted, and not when it is patched.",
			Kills: []string{"IN-IDEM-03", "IN-IDEM-12"},
			Apply: upserting(func(_ *insertion.API, next upsert) upsert {
				var patched notes[leads.Tuple, bool]
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					lead, outcome, err := next(ctx, call, draft)
					if once, _ := patched.get(lead.Tuple); once && outcome == leads.Deduped {
						outcome = leads.Patched
					}
					if outcome == leads.Patched {
						patched.swap(lead.Tuple, true)
					}
					return lead, outcome, err
				}
			}),
		},
		{
			ID: "in-compared-with-first", Title: "a POST is compared with the first one, whatever has changed since",
			Doc:   "The payload that is kept for comparison is never replaced.",
			Kills: []string{"IN-IDEM-03", "IN-IDEM-04", "IN-IDEM-05", "IN-IDEM-12"},
			Apply: comparingWith(func(payloads []string, payload string) bool { return payloads[0] == payload }),
		},
		{
			ID: "in-compared-with-last", Title: "a POST is compared with the last one, whatever PATCH did since",
			Doc:   "The payload that is kept for comparison is that of the POST, not the lead.",
			Kills: []string{"IN-IDEM-05"},
			Apply: comparingWith(func(payloads []string, payload string) bool { return payloads[len(payloads)-1] == payload }),
		},
		{
			ID: "in-deduped-if-ever-seen", Title: "a payload that was seen at any time is deduped",
			Doc:   "Digests of payloads are kept in a set: going back to an earlier state does nothing.",
			Kills: []string{"IN-IDEM-04", "IN-IDEM-05"},
			Apply: upserting(func(a *insertion.API, next upsert) upsert {
				type payload struct {
					tuple leads.Tuple
					text  string
				}
				var seen notes[payload, bool]
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					lead, known := stored(ctx, a, call, draft)
					if before, _ := seen.swap(payload{tupleOf(call, draft), string(call.Body)}, true); before && known {
						return lead, leads.Deduped, nil
					}
					return next(ctx, call, draft)
				}
			}),
		},
	}
}

// answering makes a mutant that changes the answer to a POST of one outcome.
func answering(outcome leads.Outcome, change func(a *wire.Answer, lead insertion.Object)) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.UpsertAnswer
		a.UpsertAnswer = func(lead leads.InsertionLead, came leads.Outcome) wire.Answer {
			answer := next(lead, came)
			if came == outcome {
				change(&answer, answer.Body.(insertion.Object)["lead"].(insertion.Object))
			}
			return answer
		}
	})
}

// comparingWith makes a mutant that compares the payload of a POST with those before it, and not with the lead.
func comparingWith(same func(payloads []string, payload string) bool) func(*server.Parts) {
	return upserting(func(a *insertion.API, next upsert) upsert {
		var posted notes[leads.Tuple, []string]
		return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
			tuple := tupleOf(call, draft)
			payload := canonical(draft.Fields)
			before, _ := posted.get(tuple)
			posted.swap(tuple, append(before[:len(before):len(before)], payload))
			seen := len(before) > 0 && same(before, payload)
			if lead, known := stored(ctx, a, call, draft); known && seen {
				return lead, leads.Deduped, nil
			}
			lead, outcome, err := next(ctx, call, draft)
			if outcome == leads.Deduped && len(before) > 0 && !seen {
				outcome = leads.Patched
			}
			return lead, outcome, err
		}
	})
}

// canonical is the one text of equal payloads.
func canonical(fields leads.Fields) string {
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err) // they were JSON when they came
	}
	return string(text)
}

// stored is the lead that a draft's tuple has by now.
func stored(ctx context.Context, a *insertion.API, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, bool) {
	query := leads.Query{CampaignID: &draft.CampaignID, ExternalLeadID: &draft.ExternalLeadID, Limit: 1}
	page, _, err := a.Store.List(ctx, call.Key.Account.ID, query)
	if err != nil || len(page) == 0 {
		return leads.InsertionLead{}, false
	}
	return page[0], true
}

// differing are the names of the fields that were sent and are not what is stored.
func differing(sent, stored leads.Fields) []string {
	var names []string
	for name, value := range sent {
		if !bytes.Equal(value, stored[name]) {
			names = append(names, name)
		}
	}
	return names
}

// insertedAgain is what it looks like from outside when a known tuple is inserted once more.
func insertedAgain(lead leads.InsertionLead) (leads.InsertionLead, leads.Outcome, error) {
	lead.ID, lead.UserID = uuid.New(), uuid.New()
	return lead, leads.Inserted, nil
}
