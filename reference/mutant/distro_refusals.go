package mutant

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"leadconform/reference/internal/distro"
	"leadconform/reference/internal/wire"
	"leadconform/reference/internal/world"
)

// distroRefusals are the mutants of LD-401-*, LD-403-* and LD-404-*.
func distroRefusals() []Mutant {
	return slices.Concat(distroKeys(), distroAttachments())
}

func distroKeys() []Mutant {
	return []Mutant{
		{
			ID:    "ld-ingest-without-key",
			Title: "an ingest without a key is taken for the first supplier's",
			Doc:   "A default for the developers' own tests was left on.",
			Kills: []string{"LD-401-01"},
			Apply: distroAPI(func(a *distro.API) { admit(a, &a.Ingest, withoutKey) }),
		},
		{
			ID:    "ld-ping-without-key",
			Title: "a ping without a key is taken for the first supplier's",
			Doc:   "A ping is harmless, so it was left open.",
			Kills: []string{"LD-401-03"},
			Apply: distroAPI(func(a *distro.API) { admit(a, &a.Ping, withoutKey) }),
		},
		{
			ID:    "ld-lookup-without-key",
			Title: "a lookup without a key finds the leads of the first supplier",
			Doc:   "Reading was forgotten where keys are checked.",
			Kills: []string{"LD-401-05"},
			Apply: distroAPI(func(a *distro.API) { admit(a, &a.Lookup, withoutKey) }),
		},
		{
			ID:    "ld-ingest-any-key",
			Title: "an ingest with an unknown key is taken for the first supplier's",
			Doc:   "Only the presence of a key is checked.",
			Kills: []string{"LD-401-02", "LD-401-07"},
			Apply: distroAPI(func(a *distro.API) { admit(a, &a.Ingest, withKey) }),
		},
		{
			ID:    "ld-ping-any-key",
			Title: "a ping with an unknown key is taken for the first supplier's",
			Doc:   "Only the presence of a key is checked.",
			Kills: []string{"LD-401-04"},
			Apply: distroAPI(func(a *distro.API) { admit(a, &a.Ping, withKey) }),
		},
		{
			ID:    "ld-lookup-any-key",
			Title: "a lookup with an unknown key is taken for the first supplier's",
			Doc:   "Only the presence of a key is checked.",
			Kills: []string{"LD-401-06"},
			Apply: distroAPI(func(a *distro.API) { admit(a, &a.Lookup, withKey) }),
		},
		{
			ID:    "ld-key-beginning",
			Title: "a key is known by its beginning",
			Doc:   "Keys are looked up by a prefix, and the rest is not compared.",
			Kills: []string{"LD-401-02", "LD-401-04", "LD-401-06"},
			Apply: distroAPI(func(a *distro.API) {
				supplierOf := a.SupplierOf
				a.SupplierOf = func(key string) (*world.Supplier, bool) {
					for end := len(key); end > 0; end-- {
						if s, ok := supplierOf(key[:end]); ok {
							return s, true
						}
					}
					return nil, false
				}
			}),
		},
		{
			ID:    "ld-key-cut-short",
			Title: "the beginning of a key will do",
			Doc:   "Keys are compared as far as the one that was sent goes.",
			Kills: []string{"LD-401-02", "LD-401-04", "LD-401-06"},
			Apply: distroAPI(func(a *distro.API) {
				supplierOf := a.SupplierOf
				a.SupplierOf = func(key string) (*world.Supplier, bool) {
					if s, ok := supplierOf(key); ok || key == "" || !strings.HasPrefix(primaryKey, key) {
						return s, ok
					}
					return supplierOf(primaryKey)
				}
			}),
		},
		{
			ID:    "ld-lookup-cached",
			Title: "a lookup that was answered once is answered again to anybody",
			Doc:   "The cache in front minds the URL and not the key.",
			Kills: []string{"LD-401-05", "LD-401-06", "LD-LOOK-04"},
			Apply: handler(func(next http.Handler) http.Handler {
				var answered notes[string, *exchange]
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if before, known := answered.get(r.URL.String()); known {
						before.write(w)
						return
					}
					x := record(next, r)
					if found(x) {
						answered.swap(r.URL.String(), x)
					}
					x.write(w)
				})
			}),
		},
		{
			ID:    "ld-empty-key",
			Title: "an empty key is the first supplier's",
			Doc:   "A row of the database has no key, and an empty one finds it.",
			Kills: []string{"LD-401-01", "LD-401-03", "LD-401-05"},
			Apply: distroAPI(func(a *distro.API) {
				supplierOf := a.SupplierOf
				credential := a.Credential
				a.Credential = func(r *http.Request) (string, bool) {
					if values := r.Header.Values("x-api-key"); len(values) == 1 && values[0] == "" {
						return "", true
					}
					return credential(r)
				}
				a.SupplierOf = func(key string) (*world.Supplier, bool) {
					if key == "" {
						return supplierOf(primaryKey)
					}
					return supplierOf(key)
				}
			}),
		},
		{
			ID:    "ld-unknown-key-403",
			Title: "an unknown key is a 403",
			Doc:   "A key that is there but wrong is taken for one that lacks permission.",
			Kills: []string{"LD-401-02", "LD-401-07", "LD-401-09"},
			Apply: answers(all(on(ingest), with(http.StatusUnauthorized), withKey), status(http.StatusForbidden), set("error", "forbidden")),
		},
		{
			ID:    "ld-lookup-401-code",
			Title: "the error of a lookup's 401 is invalid_api_key",
			Doc:   "The endpoint is younger, and its identifiers are finer.",
			Kills: []string{"LD-401-05", "LD-401-06"},
			Apply: answers(all(on(lookup), with(http.StatusUnauthorized)), set("error", "invalid_api_key")),
		},
		{
			ID:    "ld-ping-401-as-200",
			Title: "a ping without a valid key is answered 200 with accepted false",
			Doc:   "Every no to a ping is the same no.",
			Kills: []string{"LD-401-03", "LD-401-04"},
			Apply: answers(all(on(ping), with(http.StatusUnauthorized)), status(http.StatusOK), set("accepted", false), set("reason", "unauthorized"), drop("error")),
		},
		{
			ID:    "ld-key-ignores-case",
			Title: "a key in another letter case is known",
			Doc:   "The database compares text without regard to case.",
			Kills: []string{"LD-401-07"},
			Apply: distroAPI(func(a *distro.API) {
				supplierOf := a.SupplierOf
				a.SupplierOf = func(key string) (*world.Supplier, bool) {
					if strings.EqualFold(key, primaryKey) {
						key = primaryKey
					}
					return supplierOf(key)
				}
			}),
		},
		{
			ID:    "ld-bearer-accepted",
			Title: "the key is accepted as a Bearer token",
			Doc:   "A second way in, for the convenience of some client.",
			Kills: []string{"LD-401-08"},
			Apply: distroAPI(func(a *distro.API) {
				credential := a.Credential
				a.Credential = func(r *http.Request) (string, bool) {
					if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
						return token, true
					}
					return credential(r)
				}
			}),
		},
		{
			ID:    "ld-body-before-key",
			Title: "a malformed body is a 400 whoever sends it",
			Doc:   "The framework parses bodies before the application sees the request.",
			Kills: []string{"LD-401-09"},
			Apply: distroAPI(func(a *distro.API) { moveBefore(&a.Ingest, "decode", "authenticate") }),
		},
	}
}

// primaryKey is the first supplier's in the embedded world.
const primaryKey = "ldk_primary_7Qm2Xw9Rk4"

// withKey and withoutKey pick requests by whether they present a key at all.
func withKey(x *exchange) bool    { return x.request.Header.Get("x-api-key") != "" }
func withoutKey(x *exchange) bool { return !withKey(x) && x.request.Header.Get("Authorization") == "" }

// admit lets requests that a condition picks in as the first supplier's, where their key doesn't.
func admit(a *distro.API, chain *distro.Chain, which where) {
	replace(chain, "authenticate", func(authenticate do) do {
		return func(ctx context.Context, c *distro.Call) *wire.Answer {
			answer := authenticate(ctx, c)
			if answer == nil || !which(&exchange{request: c.Request}) {
				return answer
			}
			c.Supplier, _ = a.SupplierOf(primaryKey)
			return nil
		}
	})
}

func distroAttachments() []Mutant {
	return []Mutant{
		{
			ID:    "ld-ingest-unattached",
			Title: "any supplier may send to any campaign",
			Doc:   "Attachments are kept for reports alone.",
			Kills: []string{"LD-403-01"},
			Apply: distroAPI(func(a *distro.API) { leaveOut(&a.Ingest, "check_attachment") }),
		},
		{
			ID:    "ld-ping-unattached",
			Title: "any supplier may ping any campaign",
			Doc:   "A ping is harmless, so attachments aren't looked at.",
			Kills: []string{"LD-403-02"},
			Apply: distroAPI(func(a *distro.API) { leaveOut(&a.Ping, "check_attachment") }),
		},
		{
			ID:    "ld-unattached-404",
			Title: "a campaign that the supplier isn't attached to doesn't exist for it",
			Doc:   "Campaigns are looked for among the supplier's own.",
			Kills: []string{"LD-403-01", "LD-403-02"},
			Apply: distroAPI(func(a *distro.API) {
				for _, chain := range []*distro.Chain{&a.Ingest, &a.Ping} {
					replace(chain, "check_attachment", func(check do) do {
						return func(ctx context.Context, c *distro.Call) *wire.Answer {
							if check(ctx, c) != nil {
								return new(a.Answers.CampaignNotFound())
							}
							return nil
						}
					})
				}
			}),
		},
		{
			ID:    "ld-unattached-401",
			Title: "a ping for a campaign that the supplier isn't attached to is a 401",
			Doc:   "401 and 403 are taken for each other.",
			Kills: []string{"LD-403-02"},
			Apply: answers(all(on(ping), with(http.StatusForbidden)), status(http.StatusUnauthorized)),
		},
		{
			ID:    "ld-unattached-code",
			Title: "the error of an ingest's 403 is supplier_not_attached",
			Doc:   "Identifiers are finer than the document's.",
			Kills: []string{"LD-403-01", "LD-403-03"},
			Apply: answers(all(on(ingest), with(http.StatusForbidden)), set("error", "supplier_not_attached")),
		},
		{
			ID:    "ld-any-supplier-name",
			Title: "flo_supplier_id may be anybody's",
			Doc:   "The supplier is known by its key, and the field isn't compared with it.",
			Kills: []string{"LD-403-03"},
			Apply: distroAPI(func(a *distro.API) { leaveOut(&a.Ingest, "check_supplier") }),
		},
		{
			ID:    "ld-other-supplier-400",
			Title: "another supplier's flo_supplier_id is a 400",
			Doc:   "The mismatch is taken for a fault of the field.",
			Kills: []string{"LD-403-03"},
			Apply: distroAPI(func(a *distro.API) {
				replace(&a.Ingest, "check_supplier", func(check do) do {
					return func(ctx context.Context, c *distro.Call) *wire.Answer {
						if check(ctx, c) != nil {
							return new(a.Answers.Invalid([]distro.FieldError{{Field: "flo_supplier_id", Code: "mismatch", Message: "flo_supplier_id is not yours"}}))
						}
						return nil
					}
				})
			}),
		},
		{
			ID:    "ld-missing-campaign-403",
			Title: "an ingest for a campaign that doesn't exist is a 403",
			Doc:   "Nobody is attached to what doesn't exist.",
			Kills: []string{"LD-404-01"},
			Apply: answers(all(on(ingest), with(http.StatusNotFound)), status(http.StatusForbidden), set("error", "forbidden")),
		},
		{
			ID:    "ld-missing-campaign-400",
			Title: "an ingest for a campaign that doesn't exist is a 400",
			Doc:   "The id is taken for a field with a wrong value.",
			Kills: []string{"LD-404-01"},
			Apply: answers(all(on(ingest), with(http.StatusNotFound)), status(http.StatusBadRequest), set("error", "validation_failed"),
				set("field_errors", []any{map[string]any{"field": "flo_campaign_id", "code": "unknown", "message": "There is no such campaign"}})),
		},
		{
			ID:    "ld-missing-campaign-code",
			Title: "the error of a ping's 404 is not_found",
			Doc:   "One identifier for everything that isn't there.",
			Kills: []string{"LD-404-02"},
			Apply: answers(all(on(ping), with(http.StatusNotFound)), set("error", "not_found")),
		},
		{
			ID:    "ld-missing-campaign-taken",
			Title: "an ingest for a campaign that doesn't exist goes to a default one",
			Doc:   "No lead shall be lost.",
			Kills: []string{"LD-404-01"},
			Apply: distroAPI(func(a *distro.API) { defaultCampaign(a, &a.Ingest) }),
		},
		{
			ID:    "ld-missing-campaign-pinged",
			Title: "a ping for a campaign that doesn't exist is accepted",
			Doc:   "A ping looks at filters alone, and there are none.",
			Kills: []string{"LD-404-02"},
			Apply: distroAPI(func(a *distro.API) { defaultCampaign(a, &a.Ping) }),
		},
	}
}

func defaultCampaign(a *distro.API, chain *distro.Chain) {
	replace(chain, "find_campaign", func(find do) do {
		return func(ctx context.Context, c *distro.Call) *wire.Answer {
			if find(ctx, c) != nil {
				c.Campaign, _ = a.CampaignOf("cmp-open")
			}
			return nil
		}
	})
}
