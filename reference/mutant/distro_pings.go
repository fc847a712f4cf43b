package mutant

import (
	"context"
	"net/http"
	"strings"
	"time"

	"leadconform/reference/internal/distro"
	"leadconform/reference/internal/wire"
)

// pinged picks the answers to pings that got through, welcome or not.
var pinged = all(on(ping), with(http.StatusOK))

// distroPings are the mutants of LD-PING-*.
func distroPings() []Mutant {
	return []Mutant{
		{
			ID:    "ld-ping-201",
			Title: "a ping is answered 201",
			Doc:   "A ping_id is created, after all.",
			Kills: []string{"LD-PING-01"},
			Apply: answers(all(pinged, containing(`"ping_id"`)), status(http.StatusCreated)),
		},
		{
			ID:    "ld-ping-accepted-text",
			Title: "the accepted of a ping is a string",
			Doc:   "A form's encoder, where every value is text, is used for JSON as well.",
			Kills: []string{"LD-PING-01"},
			Apply: answers(all(pinged, containing(`"ping_id"`)), set("accepted", "true")),
		},
		{
			ID:    "ld-ping-without-id",
			Title: "a ping gets no ping_id",
			Doc:   "Posts are matched to pings by phone.",
			Kills: []string{"LD-PING-01"},
			Apply: answers(pinged, drop("ping_id")),
		},
		{
			ID:    "ld-ping-wants-all",
			Title: "a ping must hold all that an ingest must",
			Doc:   "One validation for both.",
			Kills: []string{"LD-PING-01"},
			Apply: distroAPI(func(a *distro.API) { a.PingFields = a.IngestFields }),
		},
		{
			ID:    "ld-ping-campaign-unasked",
			Title: "a ping without its campaign is a 404",
			Doc:   "Nothing is the id of no campaign.",
			Kills: []string{"LD-PING-02"},
			Apply: distroAPI(func(a *distro.API) { a.PingFields[0].Required = false }),
		},
		{
			ID:    "ld-ping-supplier-unasked",
			Title: "a ping without its supplier is accepted",
			Doc:   "The key says it already.",
			Kills: []string{"LD-PING-02"},
			Apply: distroAPI(func(a *distro.API) {
				a.PingFields[1].Required = false
				replace(&a.Ping, "check_supplier", func(check do) do {
					return func(ctx context.Context, c *distro.Call) *wire.Answer {
						if _, sent := c.Lead.Field("flo_supplier_id"); !sent {
							return nil
						}
						return check(ctx, c)
					}
				})
			}),
		},
		{
			ID:    "ld-ping-faults-unnamed",
			Title: "a ping's 400 has no field_errors",
			Doc:   "The endpoint has a simpler envelope.",
			Kills: []string{"LD-PING-02"},
			Apply: answers(all(on(ping), with(http.StatusBadRequest)), drop("field_errors")),
		},
		{
			ID:    "ld-ping-blind",
			Title: "a ping is welcome whatever the rules say",
			Doc:   "A ping is answered from the campaign's settings alone.",
			Kills: []string{"LD-PING-03"},
			Apply: distroAPI(func(a *distro.API) { leaveOut(&a.Ping, "judge") }),
		},
		{
			ID:    "ld-ping-unsuppressed",
			Title: "a ping is not held against the suppression list",
			Doc:   "The list is for leads, and a ping is none.",
			Kills: []string{"LD-PING-03"},
			Apply: distroAPI(func(a *distro.API) {
				for _, name := range []string{"suppressed_phone", "suppressed_email"} {
					rule(a, name, func(c *distro.Call, caught []distro.FilterError) []distro.FilterError {
						if c.Endpoint == "ping" {
							return nil
						}
						return caught
					})
				}
			}),
		},
		{
			ID:    "ld-ping-no-reason",
			Title: "a ping is refused without a reason",
			Doc:   "Suppliers aren't to learn the buyers' rules.",
			Kills: []string{"LD-PING-03"},
			Apply: answers(all(pinged, containing(`"reason"`)), drop("reason")),
		},
		{
			ID:    "ld-ping-refused-text",
			Title: "a refused ping has accepted: \"false\"",
			Doc:   "A form's encoder, where every value is text, is used for JSON as well.",
			Kills: []string{"LD-PING-03"},
			Apply: answers(all(pinged, containing(`"reason"`)), set("accepted", "false")),
		},
		{
			ID:    "ld-ping-refused-403",
			Title: "a ping is refused with 403",
			Doc:   "No is no.",
			Kills: []string{"LD-PING-03"},
			Apply: answers(all(pinged, containing(`"reason"`)), status(http.StatusForbidden), set("error", "forbidden")),
		},
		{
			ID:    "ld-ping-stored",
			Title: "a ping leaves a lead behind",
			Doc:   "A ping is an ingest that is not sold.",
			Kills: []string{"LD-PING-04"},
			Apply: distroAPI(func(a *distro.API) {
				replace(&a.Ping, "offer", func(offer do) do {
					return func(ctx context.Context, c *distro.Call) *wire.Answer {
						if len(c.Caught) == 0 && c.Lead.Text("phone") != "" {
							if _, err := a.Store.Place(ctx, a.Placement(c)); err != nil {
								return new(a.Answers.Unavailable())
							}
						}
						return offer(ctx, c)
					}
				})
			}),
		},
		{
			ID:    "ld-ping-counts-as-seen",
			Title: "the phone of a ping counts as seen",
			Doc:   "The duplicate check looks at pings as well as leads.",
			Kills: []string{"LD-PING-04"},
			Apply: distroAPI(func(a *distro.API) {
				seen := &memory{}
				remembering(a, seen)
				replace(&a.Ping, "offer", func(offer do) do {
					return func(ctx context.Context, c *distro.Call) *wire.Answer {
						seen.remember(people(a, c.Lead)...)
						return offer(ctx, c)
					}
				})
			}),
		},
		{
			ID:    "ld-ping-id-unchecked",
			Title: "any ping_id will do",
			Doc:   "The field is kept with the lead and never looked at.",
			Kills: []string{"LD-PING-05"},
			Apply: distroAPI(tokens(func(distro.PingTokens, string, string, string, time.Time) bool { return true })),
		},
		{
			ID:    "ld-ping-id-anybodys",
			Title: "a ping_id may be another supplier's",
			Doc:   "The token's signature is checked, but it doesn't cover the supplier.",
			Kills: []string{"LD-PING-05"},
			Apply: distroAPI(tokens(func(original distro.PingTokens, token, supplier, campaign string, now time.Time) bool {
				return original.Verify(token, supplier, campaign, now) || original.Verify(token, "sup-secondary", campaign, now)
			})),
		},
		{
			ID:    "ld-ping-id-end-unchecked",
			Title: "only the first third of a ping_id is looked at",
			Doc:   "The payload is decoded and its signature left for later.",
			Kills: []string{"LD-PING-05"},
			Apply: distroAPI(knownTokens(func(issued, token string) bool {
				third := len(issued) / 3
				return len(token) == len(issued) && token[:third] == issued[:third]
			})),
		},
		{
			ID:    "ld-ping-id-beginning-unchecked",
			Title: "the first characters of a ping_id are not looked at",
			Doc:   "The nonce isn't covered by the signature.",
			Kills: []string{"LD-PING-05"},
			Apply: distroAPI(knownTokens(func(issued, token string) bool {
				return len(token) == len(issued) && token[8:] == issued[8:]
			})),
		},
		{
			ID:    "ld-ping-id-refused",
			Title: "no ping_id is accepted",
			Doc:   "Pings and posts run in two processes that don't share their secret.",
			Kills: []string{"LD-PING-05"},
			Apply: distroAPI(tokens(func(distro.PingTokens, string, string, string, time.Time) bool { return false })),
		},
		{
			ID:    "ld-ping-id-ignored-softly",
			Title: "a lead with a wrong ping_id is answered 200 UNMATCHED",
			Doc:   "A wrong token is no reason to refuse a lead, only not to sell it.",
			Kills: []string{"LD-PING-05"},
			Apply: answers(all(rejected, containing(`"ping_id"`)), status(http.StatusOK), set("status", "UNMATCHED"), drop("error")),
		},
	}
}

// tokenBook verifies ping tokens in another way than they are issued for.
type tokenBook struct {
	distro.PingTokens
	verify func(original distro.PingTokens, token, supplierID, campaignID string, now time.Time) bool
}

// Verify implements distro.PingTokens.
func (t tokenBook) Verify(token, supplierID, campaignID string, now time.Time) bool {
	return t.verify(t.PingTokens, token, supplierID, campaignID, now)
}

func tokens(verify func(original distro.PingTokens, token, supplierID, campaignID string, now time.Time) bool) func(*distro.API) {
	return func(a *distro.API) { a.Tokens = tokenBook{a.Tokens, verify} }
}

// issuedTokens remembers the tokens of each supplier, and takes one that resembles any of them.
type issuedTokens struct {
	distro.PingTokens
	issued    *memory
	resembles func(issued, token string) bool
}

// Issue implements distro.PingTokens.
func (t issuedTokens) Issue(supplierID, campaignID string, now time.Time) (string, time.Time) {
	token, expires := t.PingTokens.Issue(supplierID, campaignID, now)
	t.issued.remember(supplierID + " " + token)
	return token, expires
}

// Verify implements distro.PingTokens.
func (t issuedTokens) Verify(token, supplierID, _ string, _ time.Time) bool {
	return t.issued.any(func(text string) bool {
		issued, ok := strings.CutPrefix(text, supplierID+" ")
		return ok && t.resembles(issued, token)
	})
}

func knownTokens(resembles func(issued, token string) bool) func(*distro.API) {
	return func(a *distro.API) { a.Tokens = issuedTokens{a.Tokens, &memory{}, resembles} }
}
