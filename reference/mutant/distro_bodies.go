package mutant

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"

	"leadconform/reference/internal/distro"
	"leadconform/reference/internal/wire"
)

// distroBodies are the mutants of LD-400-* that look wrongly at a body as a whole.
func distroBodies() []Mutant {
	unreadable := all(on(ingest), with(http.StatusBadRequest), func(x *exchange) bool { return !isObject(x.sent) })
	malformed := all(unreadable, func(x *exchange) bool { return !json.Valid(x.sent) && len(x.sent) > 0 })
	return []Mutant{
		{
			ID:    "ld-malformed-422",
			Title: "malformed JSON is a 422",
			Doc:   "The framework's own status for a body that doesn't fit its model.",
			Kills: []string{"LD-400-12", "LD-400-13"},
			Apply: answers(malformed, status(http.StatusUnprocessableEntity)),
		},
		{
			ID:    "ld-malformed-500",
			Title: "malformed JSON is a 500",
			Doc:   "The decoder's error is taken for one of the server's own.",
			Kills: []string{"LD-400-12", "LD-400-13"},
			Apply: answers(malformed, status(http.StatusInternalServerError), drop("field_errors")),
		},
		{
			ID:    "ld-malformed-html",
			Title: "malformed JSON is a 400 in HTML",
			Doc:   "The framework's parser refuses the body before the application sees it.",
			Kills: []string{"LD-ENV-01", "LD-ENV-02", "LD-400-12", "LD-400-13"},
			Apply: answers(malformed, text("text/html; charset=utf-8", "<!DOCTYPE html><title>Error</title><pre>Bad Request</pre>\n")),
		},
		{
			ID:    "ld-malformed-no-field-errors",
			Title: "the 400 of malformed JSON has no field_errors",
			Doc:   "There is no field to name, so the member is left out.",
			Kills: []string{"LD-400-13"},
			Apply: answers(malformed, drop("field_errors")),
		},
		{
			ID:    "ld-malformed-field-errors-null",
			Title: "the field_errors of malformed JSON are null",
			Doc:   "A nil slice is written as null.",
			Kills: []string{"LD-400-13"},
			Apply: answers(malformed, set("field_errors", nil)),
		},
		{
			ID:    "ld-malformed-entry",
			Title: "the field_errors of malformed JSON have an entry for a field without a name",
			Doc:   "The envelope wants an entry, so one is made up.",
			Kills: []string{"LD-400-15"},
			Apply: answers(malformed, set("field_errors", []any{map[string]any{"field": "", "code": "malformed", "message": "The body is no JSON"}})),
		},
		{
			ID:    "ld-rest-of-body-ignored",
			Title: "what follows the JSON object in a body is not looked at",
			Doc:   "A streaming decoder reads one value and stops.",
			Kills: []string{"LD-400-12", "LD-400-13"},
			Apply: distroAPI(func(a *distro.API) {
				decode := a.Decode
				a.Decode = func(contentType string, body []byte) (distro.Lead, error) {
					var first json.RawMessage
					if json.NewDecoder(bytes.NewReader(body)).Decode(&first) == nil {
						body = first
					}
					return decode(contentType, body)
				}
			}),
		},
		{
			ID:    "ld-trailing-comma",
			Title: "a comma after the last member is accepted",
			Doc:   "A lenient parser, meant for configuration files.",
			Kills: []string{"LD-400-12", "LD-400-13"},
			Apply: distroAPI(reading(func(body []byte) []byte { return bytes.ReplaceAll(body, []byte(",}"), []byte("}")) })),
		},
		{
			ID:    "ld-single-quotes",
			Title: "strings in single quotes are accepted",
			Doc:   "A lenient parser, meant for what people write.",
			Kills: []string{"LD-400-12", "LD-400-13"},
			Apply: distroAPI(reading(func(body []byte) []byte { return bytes.ReplaceAll(body, []byte("'"), []byte(`"`)) })),
		},
		{
			ID:    "ld-names-unquoted",
			Title: "names without quotes are accepted",
			Doc:   "A parser of YAML, in which nearly all JSON is valid.",
			Kills: []string{"LD-400-12", "LD-400-13"},
			Apply: distroAPI(reading(func(body []byte) []byte { return bareName.ReplaceAll(body, []byte(`$1"$2":`)) })),
		},
		{
			ID:    "ld-ping-malformed-500",
			Title: "malformed JSON in a ping is a 500",
			Doc:   "The handler of ingest catches the decoder's error, that of ping doesn't.",
			Kills: []string{"LD-400-12", "LD-400-13"},
			Apply: answers(all(on(ping), with(http.StatusBadRequest), func(x *exchange) bool { return !json.Valid(x.sent) }),
				status(http.StatusInternalServerError), drop("field_errors")),
		},
		{
			ID:    "ld-array-unwrapped",
			Title: "an array of one lead is taken as the lead",
			Doc:   "The endpoint for many leads at once shares its code.",
			Kills: []string{"LD-400-20"},
			Apply: distroAPI(func(a *distro.API) {
				decode := a.Decode
				a.Decode = func(contentType string, body []byte) (distro.Lead, error) {
					var one []json.RawMessage
					if json.Unmarshal(body, &one) == nil && len(one) == 1 {
						body = one[0]
					}
					return decode(contentType, body)
				}
			}),
		},
		{
			ID:    "ld-null-500",
			Title: "a body of null is a 500",
			Doc:   "null decodes into nothing, and nothing is looked into.",
			Kills: []string{"LD-400-20"},
			Apply: answers(all(unreadable, func(x *exchange) bool { return string(x.sent) == "null" }),
				status(http.StatusInternalServerError), set("error", "internal_error")),
		},
		{
			ID:    "ld-scalar-500",
			Title: "a body that is a string, a number or a boolean is a 500",
			Doc:   "Members are looked up in what isn't an object.",
			Kills: []string{"LD-400-20"},
			Apply: answers(all(unreadable, func(x *exchange) bool {
				return json.Valid(x.sent) && !bytes.ContainsAny(x.sent[:1], "[n")
			}), status(http.StatusInternalServerError), set("error", "internal_error")),
		},
		{
			ID:    "ld-empty-body-text",
			Title: "an empty body is a 400 in plain text",
			Doc:   "The proxy in front answers by itself.",
			Kills: []string{"LD-400-20"},
			Apply: answers(all(unreadable, func(x *exchange) bool { return len(x.sent) == 0 }), text("text/plain", "Bad Request")),
		},
		{
			ID:    "ld-first-fault-only",
			Title: "only the first fault is reported",
			Doc:   "Validation ends at the first error.",
			Kills: []string{"LD-400-14"},
			Apply: distroAPI(func(a *distro.API) {
				invalid := a.Answers.Invalid
				a.Answers.Invalid = func(found []distro.FieldError) wire.Answer { return invalid(found[:1]) }
			}),
		},
		{
			ID:    "ld-custom-fields-later",
			Title: "a campaign's fields are looked at once the system fields are right",
			Doc:   "Two validations, one after the other.",
			Kills: []string{"LD-400-14"},
			Apply: distroAPI(func(a *distro.API) {
				invalid := a.Answers.Invalid
				a.Answers.Invalid = func(found []distro.FieldError) wire.Answer {
					for i, f := range found[1:] {
						if f.Field == "case_type" {
							return invalid(found[:i+1])
						}
					}
					return invalid(found)
				}
			}),
		},
		{
			ID:    "ld-types-before-formats",
			Title: "where a field has the wrong type, no other kind of fault is reported",
			Doc:   "The decoder reports types and stops there.",
			Kills: []string{"LD-400-14"},
			Apply: distroAPI(func(a *distro.API) {
				invalid := a.Answers.Invalid
				a.Answers.Invalid = func(found []distro.FieldError) wire.Answer {
					for _, f := range found {
						if f.Code == "invalid_type" {
							return invalid([]distro.FieldError{f})
						}
					}
					return invalid(found)
				}
			}),
		},
		{
			ID:    "ld-entry-without-message",
			Title: "the entries of field_errors have no message",
			Doc:   "Clients are to make the message from the code.",
			Kills: []string{"LD-400-15"},
			Apply: answers(all(on(ingest), with(http.StatusBadRequest)), each("field_errors", func(entry map[string]any) { delete(entry, "message") })),
		},
		{
			ID:    "ld-entry-message-empty",
			Title: "the message of an entry is empty on a ping",
			Doc:   "A translation is missing.",
			Kills: []string{"LD-400-15"},
			Apply: answers(all(on(ping), with(http.StatusBadRequest)), each("field_errors", func(entry map[string]any) { entry["message"] = "" })),
		},
		{
			ID:    "ld-entry-message-list",
			Title: "the message of an entry is an array of messages",
			Doc:   "A validation library collects the messages of a field.",
			Kills: []string{"LD-400-15"},
			Apply: answers(all(on(ingest), with(http.StatusBadRequest)), each("field_errors", func(entry map[string]any) {
				entry["message"] = []any{entry["message"]}
			})),
		},
		{
			ID:    "ld-business-first",
			Title: "a suppressed lead is a 422 although a field is wrong",
			Doc:   "The suppression list is asked first, because that is cheap.",
			Kills: []string{"LD-400-16"},
			Apply: distroAPI(suppressedEarly(func(*distro.API, distro.Lead) bool { return true })),
		},
		{
			ID:    "ld-business-before-missing",
			Title: "a suppressed lead is a 422 although a field is missing",
			Doc:   "Types are checked by the decoder, and what is required after the suppression list.",
			Kills: []string{"LD-400-16"},
			Apply: distroAPI(suppressedEarly(func(a *distro.API, lead distro.Lead) bool {
				found := a.Validate(lead, a.IngestFields)
				return !slices.ContainsFunc(found, func(f distro.FieldError) bool { return f.Code == "invalid_type" })
			})),
		},
		{
			ID:    "ld-rejected-remembered",
			Title: "a lead that got 400 counts as seen",
			Doc:   "The fingerprint for the duplicate check is stored before the validation.",
			Kills: []string{"LD-400-17"},
			Apply: distroAPI(func(a *distro.API) {
				seen := &memory{}
				remembering(a, seen)
				replace(&a.Ingest, "validate", func(validate do) do {
					return func(ctx context.Context, c *distro.Call) *wire.Answer {
						answer := validate(ctx, c)
						if answer != nil {
							seen.remember(people(a, c.Lead)...)
						}
						return answer
					}
				})
			}),
		},
		{
			ID:    "ld-rejected-phone-remembered",
			Title: "the phone of a lead whose email was refused counts as seen",
			Doc:   "Fields are stored one by one, as each passes its check.",
			Kills: []string{"LD-400-17"},
			Apply: distroAPI(func(a *distro.API) {
				seen := &memory{}
				remembering(a, seen)
				faults(a, func(lead distro.Lead, found []distro.FieldError) []distro.FieldError {
					for _, f := range found {
						if f.Field == "email" {
							seen.remember(lead.Text("flo_campaign_id") + " " + a.NormalPhone(lead.Text("phone")))
						}
					}
					return found
				})
			}),
		},
	}
}

// reading makes a body be read as something else.
func reading(as func(body []byte) []byte) func(*distro.API) {
	return func(a *distro.API) {
		decode := a.Decode
		a.Decode = func(contentType string, body []byte) (distro.Lead, error) { return decode(contentType, as(body)) }
	}
}

// bareName is a name that is written without quotes where a JSON object has one in quotes.
var bareName = regexp.MustCompile(`([{,])([a-z_]+):`)

// suppressedEarly asks the suppression list of phones before a lead is validated, if a condition picks the lead.
func suppressedEarly(when func(*distro.API, distro.Lead) bool) func(*distro.API) {
	return func(a *distro.API) {
		insertBefore(&a.Ingest, "validate", func(ctx context.Context, c *distro.Call) *wire.Answer {
			campaign, found := a.CampaignOf(c.Lead.Text("flo_campaign_id"))
			if !found || !a.Attached(campaign, c.Supplier) || !when(a, c.Lead) {
				return nil
			}
			early := *c
			early.Campaign = campaign
			for _, r := range a.Rules {
				if r.Name != "suppressed_phone" {
					continue
				}
				if caught, err := r.Catch(ctx, &early); err == nil && len(caught) > 0 {
					return new(a.Answers.Rejected(caught))
				}
			}
			return nil
		})
	}
}

// isObject reports whether a body is a JSON object.
func isObject(body []byte) bool {
	var o map[string]json.RawMessage
	return json.Unmarshal(body, &o) == nil && o != nil
}
