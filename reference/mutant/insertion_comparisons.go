package mutant

import (
	"context"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
	"leadconform/reference/server"
)

// insertionComparisons breaks what makes two payloads the same: IN-IDEM-08 and 12.
func insertionComparisons() []Mutant {
	all := []Mutant{
		{
			ID: "in-replay-order-sensitive", Title: "members in another order are another payload",
			Doc:   "The digest is taken of the compact text.",
			Kills: []string{"IN-IDEM-08"},
			Apply: comparingTexts(compacted),
		},
		{
			ID: "in-replay-space-sensitive", Title: "other white space is another payload",
			Doc:   "The digest is taken of the raw body.",
			Kills: []string{"IN-IDEM-08"},
			Apply: comparingTexts(func(body []byte) []byte { return []byte{byte(len(body) - len(compacted(body)))} }),
		},
		{
			ID: "in-custom-fields-as-text", Title: "custom_fields are compared as text",
			Doc:   "The column is json and not jsonb: 3 and 3.0 are two values, and so are two orders of members.",
			Kills: []string{"IN-IDEM-08"},
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.Canonicalise
				a.Canonicalise = func(name string, value jsontext.Value) (json.RawMessage, error) {
					if name == "custom_fields" {
						return compacted(value), nil
					}
					return next(name, value)
				}
			}),
		},
	}
	also := map[string][]string{"first_name": {"IN-IDEM-02", "IN-IDEM-05", "IN-IDEM-09"}}
	for _, field := range insertionFields {
		all = append(all, Mutant{
			ID: "in-dedupe-ignores-" + field, Title: "a change of " + field + " alone is deduped",
			Doc:   "The list of the columns to compare lacks one.",
			Kills: append([]string{"IN-IDEM-12"}, also[field]...),
			Apply: upserting(func(a *insertion.API, next upsert) upsert {
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					lead, known := stored(ctx, a, call, draft)
					if changed := differing(draft.Fields, lead.Fields); known && len(changed) == 1 && changed[0] == field {
						return lead, leads.Deduped, nil
					}
					return next(ctx, call, draft)
				}
			}),
		})
	}
	return all
}

// comparingTexts makes a mutant that takes a replay whose text differs from the last one's for a mutation.
func comparingTexts(digest func(body []byte) []byte) func(*server.Parts) {
	return upserting(func(_ *insertion.API, next upsert) upsert {
		type posted struct {
			fields, digest string
		}
		var last notes[leads.Tuple, posted]
		return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
			lead, outcome, err := next(ctx, call, draft)
			now := posted{canonical(draft.Fields), string(digest(call.Body))}
			before, known := last.swap(lead.Tuple, now)
			if outcome == leads.Deduped && known && before.fields == now.fields && before.digest != now.digest {
				outcome = leads.Patched
			}
			return lead, outcome, err
		}
	})
}
