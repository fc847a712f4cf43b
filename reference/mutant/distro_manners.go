package mutant

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"leadconform/reference/internal/distro"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
	"leadconform/reference/internal/world"
)

// distroWords say the same things in other words.
func distroWords() []Mutant {
	return []Mutant{
		{
			ID:    "ld-ok-other-messages",
			Title: "messages are in another language",
			Doc:   "No text for people is prescribed.",
			Apply: answers(anError, rewrite("message", func(string) any { return "Das ging leider nicht — bitte prüfen." }),
				each("field_errors", func(entry map[string]any) { entry["message"] = "¡Revise este campo!" })),
		},
		{
			ID:    "ld-ok-other-identifiers",
			Title: "errors that the document doesn't name have other identifiers",
			Doc:   "Only unauthorized, forbidden, campaign_not_found and validation_failed are fixed, the last for what is wrong with fields.",
			Apply: answers(anError, object(func(o map[string]any) {
				switch o["error"] {
				case "lead_rejected":
					o["error"] = "unprocessable"
				case "lead_not_found":
					o["error"] = "no_results"
				case "internal_error", "service_unavailable":
					o["error"] = "try_again_later"
				case "validation_failed":
					if entries, ok := o["field_errors"].([]any); ok && len(entries) == 0 {
						o["error"] = "invalid_json"
					}
				}
			})),
		},
		{
			ID:    "ld-ok-other-codes",
			Title: "the codes of wrong types are finer",
			Doc:   "LD-400-08 asks for any code that isn't empty.",
			Apply: answers(all(anything, with(400)), each("field_errors", func(entry map[string]any) {
				if entry["code"] == "invalid_type" {
					entry["code"] = "must_be_string"
				}
			})),
		},
		{
			ID:    "ld-ok-entries-reversed",
			Title: "field_errors come in another order, some fields more than once",
			Doc:   "The order of entries is open, and a field may have several faults.",
			Apply: answers(all(anything, with(400)), object(func(o map[string]any) {
				entries, _ := o["field_errors"].([]any)
				slices.Reverse(entries)
				if len(entries) > 0 {
					last := map[string]any{}
					for name, value := range entries[0].(map[string]any) {
						last[name] = value
					}
					last["code"] = "see_above"
					o["field_errors"] = append([]any{last}, entries...)
				}
			})),
		},
		{
			ID:    "ld-ok-empty-body-named",
			Title: "an empty body is a lead without any field: all are named",
			Doc:   "LD-400-20 asks for the envelope of malformed JSON, whose field_errors may have entries.",
			Apply: distroAPI(func(a *distro.API) {
				decode := a.Decode
				a.Decode = func(contentType string, body []byte) (distro.Lead, error) {
					if len(body) == 0 {
						body = []byte("{}")
					}
					return decode(contentType, body)
				}
			}),
		},
		{
			ID:    "ld-ok-refused-fields-empty",
			Title: "a 422 has an empty field_errors",
			Doc:   "LD-422-07 shuts out entries alone.",
			Apply: answers(all(anything, with(422)), set("field_errors", []any{})),
		},
	}
}

// distroManners behave in another way where the contract leaves it open.
func distroManners() []Mutant {
	return []Mutant{
		{
			ID:    "ld-ok-ping-refused-422",
			Title: "a ping is refused with 422 and filter_errors",
			Doc:   "LD-PING-03 allows for it.",
			Apply: distroAPI(func(a *distro.API) { a.Answers.PingRefused = a.Answers.Rejected }),
		},
		{
			ID:    "ld-ok-retry-after-date",
			Title: "the Retry-After of a 503 is an HTTP-date",
			Doc:   "RFC 9110 §10.2.3 allows for it.",
			Apply: answers(maintenance, func(x *exchange) {
				x.header.Set("Retry-After", time.Now().Add(2*time.Second).UTC().Format(http.TimeFormat))
			}),
		},
		{
			ID:    "ld-ok-401-challenge",
			Title: "a 401 has a WWW-Authenticate",
			Doc:   "RFC 9110 §11.6.1 asks for one, the document doesn't.",
			Apply: answers(all(anything, with(401)), header("WWW-Authenticate", `ApiKey realm="leads"`)),
		},
		{
			ID:    "ld-ok-duplicates-by-phone",
			Title: "a duplicate is known by its phone alone",
			Doc:   "The document leaves open what makes two leads the same.",
			Apply: distroAPI(duplicatesBy(func(phone, _ string) (string, string) { return phone, "" })),
		},
		{
			ID:    "ld-ok-duplicates-by-email",
			Title: "a duplicate is known by its email alone",
			Doc:   "The document leaves open what makes two leads the same.",
			Apply: distroAPI(duplicatesBy(func(_, email string) (string, string) { return "", email })),
		},
		{
			ID:    "ld-ok-ping-id-once",
			Title: "a ping_id holds for one lead",
			Doc:   "Nobody says how often a ping_id may be used.",
			Apply: distroAPI(func(a *distro.API) {
				used := &memory{}
				replace(&a.Ingest, "place", func(place do) do {
					return func(ctx context.Context, c *distro.Call) *wire.Answer {
						if token := c.Lead.Text("flo_ping_id"); token != "" {
							used.remember(token)
						}
						return place(ctx, c)
					}
				})
				tokens(func(original distro.PingTokens, token, supplier, campaign string, now time.Time) bool {
					return !used.has(token) && original.Verify(token, supplier, campaign, now)
				})(a)
			}),
		},
		{
			ID:    "ld-ok-ping-id-uuid",
			Title: "a ping_id is a UUID that the server remembers",
			Doc:   "A ping_id is any non-empty string.",
			Apply: distroAPI(func(a *distro.API) { a.Tokens = &rememberedPings{} }),
		},
		{
			ID:    "ld-ok-last-buyer-first",
			Title: "buyers are asked in the opposite order",
			Doc:   "How leads are shared out is the campaign's business.",
			Apply: distroAPI(func(a *distro.API) {
				order := a.Order
				a.Order = func(d world.Distribution, buyers []*world.Buyer, turn uint64) []*world.Buyer {
					ordered := slices.Clone(order(d, buyers, turn))
					slices.Reverse(ordered)
					return ordered
				}
			}),
		},
		{
			ID:    "ld-ok-strict-lookup",
			Title: "a lookup by something that can't be an id is a 404 without a look",
			Doc:   "No lead has such an id.",
			Apply: distroAPI(func(a *distro.API) {
				insertBefore(&a.Lookup, "read_criterion", func(_ context.Context, c *distro.Call) *wire.Answer {
					if id := c.Request.URL.Query().Get("id"); id != "" && uuid.Validate(id) != nil {
						return new(a.Answers.LeadNotFound())
					}
					return nil
				})
			}),
		},
		{
			ID:    "ld-ok-not-found-number",
			Title: "a refusal repeats what was asked for, and has a number of its own",
			Doc:   "LD-LOOK-04 asks for answers that can't be told apart, not for equal bytes.",
			Apply: answers(anError, func(x *exchange) {
				query := x.request.URL.Query()
				asked := query.Get("id") + query.Get("phone") + query.Get("email")
				object(func(o map[string]any) {
					o["message"] = strings.TrimSpace(fmt.Sprint(o["message"]) + " " + asked)
					o["incident"] = uuid.NewString()
				})(x)
			}),
		},
		{
			ID:    "ld-ok-not-found-tag",
			Title: "a refusal repeats what was asked for, and has an ETag that follows from its body",
			Doc:   "Frameworks tag every answer with a digest of its body.",
			Apply: answers(anError, func(x *exchange) {
				query := x.request.URL.Query()
				rewrite("message", func(old string) any {
					return strings.TrimSpace(old + " " + query.Get("id") + query.Get("phone") + query.Get("email"))
				})(x)
				x.header.Set("Etag", fmt.Sprintf(`W/"%x"`, sha256.Sum256(x.body)))
			}),
		},
		{
			ID:    "ld-ok-slow",
			Title: "every answer takes its time",
			Doc:   "No time is prescribed.",
			Apply: handler(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					x := record(next, r)
					time.Sleep(15 * time.Millisecond)
					x.write(w)
				})
			}),
		},
	}
}

// duplicatesBy looks for duplicates by less than phone and email.
func duplicatesBy(part func(phone, email string) (string, string)) func(*distro.API) {
	return func(a *distro.API) { a.Store = partly{a.Store, part} }
}

// partly is a store that compares a part of what leads are known by.
type partly struct {
	leads.Distro
	part func(phone, email string) (string, string)
}

// Seen implements leads.Distro.
func (s partly) Seen(ctx context.Context, campaignID, phone, email string) (bool, error) {
	phone, email = s.part(phone, email)
	return s.Distro.Seen(ctx, campaignID, phone, email)
}

// Place implements leads.Distro. What Seen lets pass is no duplicate.
func (s partly) Place(ctx context.Context, p leads.Placement) (leads.DistroLead, error) {
	p.DuplicateCheck = false
	return s.Distro.Place(ctx, p)
}

// rememberedPings are ping tokens that the server keeps a list of.
type rememberedPings struct{ issued memory }

// Issue implements distro.PingTokens.
func (p *rememberedPings) Issue(supplierID, campaignID string, now time.Time) (string, time.Time) {
	token := uuid.NewString()
	p.issued.remember(supplierID + " " + campaignID + " " + token)
	return token, now.Add(time.Hour)
}

// Verify implements distro.PingTokens.
func (p *rememberedPings) Verify(token, supplierID, campaignID string, _ time.Time) bool {
	return p.issued.has(supplierID + " " + campaignID + " " + token)
}
