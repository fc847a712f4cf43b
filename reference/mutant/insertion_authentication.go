package mutant

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/world"
	"leadconform/reference/server"
)

// insertionAuthentication breaks who is let in: IN-401-01, 02, 07, 09, 10 and 12.
func insertionAuthentication() []Mutant {
	return []Mutant{
		{
			ID: "in-missing-auth-unnamed", Title: "a request without authentication is a 401 unauthorized",
			Doc:   "The code is the framework's own and not one of the five that are documented.",
			Kills: []string{"IN-401-01"},
			Apply: readingCredentials(func(h http.Header, c insertion.Credentials, err error) (insertion.Credentials, error) {
				if err != nil && !signedInPart(h) {
					err = refusal(http.StatusUnauthorized, "unauthorized")
				}
				return c, err
			}),
		},
		{
			ID: "in-list-open", Title: "the list is empty to whoever doesn't say who he is",
			Doc:   "Authentication only narrows the query: without an account it matches nothing.",
			Kills: []string{"IN-401-01", "IN-ENV-04"},
			Apply: answers(all(refused(401), func(x *exchange) bool {
				return x.request.Method == http.MethodGet && x.request.URL.Path == insertionLeads && !signedInPart(x.request.Header) &&
					x.request.Header.Get("Authorization") == ""
			}), status(http.StatusOK), text("application/json", `{"ok":true,"leads":[],"nextCursor":null}`)),
		},
		{
			ID: "in-unknown-key-as-signature", Title: "an unknown public key is a 401 invalid_signature",
			Doc:   "An unknown key gets an empty secret, and the signature is found to be wrong.",
			Kills: []string{"IN-401-02"},
			Apply: refusing(insertion.CodeInvalidPublicKey, named(insertion.CodeInvalidSignature)),
		},
		{
			ID: "in-unknown-key-403", Title: "an unknown public key is a 403",
			Doc:   "Who you are and what you may do are one question.",
			Kills: []string{"IN-401-02", "IN-401-12", "IN-ENV-04"},
			Apply: refusing(insertion.CodeInvalidPublicKey, answered(http.StatusForbidden, insertion.CodeInvalidPublicKey)),
		},
		{
			ID: "in-unknown-bearer-unnamed", Title: "an unknown bearer token is a 401 invalid_token",
			Doc:   "The code is that of RFC 6750, not the documented one.",
			Kills: []string{"IN-401-07"},
			Apply: refusing(insertion.CodeInvalidBearer, named("invalid_token")),
		},
		{
			ID: "in-bearer-unknown-on-list", Title: "the list takes any bearer token of the right length",
			Doc:   "One endpoint looks at the form of the token and leaves the rest to a gateway that isn't there.",
			Kills: []string{"IN-401-07", "IN-401-12"},
			Apply: authenticating(func(a *insertion.API, next authenticate) authenticate {
				return func(ctx context.Context, call *insertion.Call) error {
					err := next(ctx, call)
					if err != nil && call.Route.Endpoint == insertion.EndpointList && strings.HasPrefix(call.Request.Header.Get("Authorization"), "Bearer ads_") {
						call.Key, err = firstKey(a), nil
					}
					return err
				}
			}),
		},
		{
			ID: "in-bearer-unsupported", Title: "bearer tokens are not read",
			Doc:   "Only one of the two ways of authentication was built.",
			Kills: []string{"IN-401-07", "IN-401-09"},
			Apply: readingCredentials(func(_ http.Header, c insertion.Credentials, err error) (insertion.Credentials, error) {
				if c.IsBearer {
					err = refusal(http.StatusUnauthorized, insertion.CodeMissingAuth)
				}
				return c, err
			}),
		},
		{
			ID: "in-bearer-only-reads", Title: "a bearer token is good for GET alone",
			Doc:   "Writing was thought to need a signature.",
			Kills: []string{"IN-401-09", "IN-IDEM-14"},
			Apply: authenticating(func(_ *insertion.API, next authenticate) authenticate {
				return func(ctx context.Context, call *insertion.Call) error {
					err := next(ctx, call)
					if err == nil && call.Request.Method != http.MethodGet && call.Request.Header.Get("Authorization") != "" {
						return refusal(http.StatusUnauthorized, insertion.CodeMissingAuth)
					}
					return err
				}
			}),
		},
		{
			ID: "in-incomplete-headers-400", Title: "incomplete headers are a 400",
			Doc:   "The headers are validated like a body.",
			Kills: []string{"IN-401-10"},
			Apply: readingCredentials(func(h http.Header, c insertion.Credentials, err error) (insertion.Credentials, error) {
				if err != nil && signedInPart(h) {
					err = refusal(http.StatusBadRequest, "incomplete_headers")
				}
				return c, err
			}),
		},
		{
			ID: "in-incomplete-headers-500", Title: "a public key without signature is a 500",
			Doc:   "A header that isn't there is null, and its length is asked for.",
			Kills: []string{"IN-401-10"},
			Apply: readingCredentials(func(h http.Header, c insertion.Credentials, err error) (insertion.Credentials, error) {
				if err != nil && h.Get("X-AdBuy-Public-Key") != "" {
					err = refusal(http.StatusInternalServerError, insertion.CodeInternalError)
				}
				return c, err
			}),
		},
		{
			ID: "in-incomplete-headers-unnamed", Title: "incomplete headers are a 401 with a code of their own",
			Doc:   "A code was added that the document doesn't have.",
			Kills: []string{"IN-401-10"},
			Apply: readingCredentials(func(h http.Header, c insertion.Credentials, err error) (insertion.Credentials, error) {
				if err != nil && signedInPart(h) {
					err = refusal(http.StatusUnauthorized, "missing_header")
				}
				return c, err
			}),
		},
		{
			ID: "in-timestamp-not-a-number", Title: "a time stamp that is no number is always fresh",
			Doc:   "The age is NaN, and NaN is not greater than the window.",
			Kills: []string{"IN-401-10"},
			Apply: authenticating(func(a *insertion.API, next authenticate) authenticate {
				return func(ctx context.Context, call *insertion.Call) error {
					c, err := a.ReadCredentials(call.Request.Header)
					if err != nil || c.IsBearer {
						return next(ctx, call)
					}
					if _, err := strconv.ParseInt(c.Timestamp, 10, 64); err == nil {
						return next(ctx, call)
					}
					key, known := a.World.KeyByPublicKey(c.PublicKey)
					if !known || !a.SameSignature(a.Sign(key.Secret, c.Timestamp, call.Body), c.Signature) {
						return next(ctx, call)
					}
					call.Key = key
					return nil
				}
			}),
		},
		{
			ID: "in-timestamp-read-in-part", Title: "a time stamp is a number as far as it is one",
			Doc:   "parseInt reads up to the first letter.",
			Kills: []string{"IN-401-10"},
			Apply: authenticating(func(a *insertion.API, next authenticate) authenticate {
				return func(ctx context.Context, call *insertion.Call) error {
					c, err := a.ReadCredentials(call.Request.Header)
					if err != nil || c.IsBearer {
						return next(ctx, call)
					}
					digits := strings.TrimRight(c.Timestamp, "abcdefghijklmnopqrstuvwxyz")
					key, known := a.World.KeyByPublicKey(c.PublicKey)
					at, err := strconv.ParseInt(digits, 10, 64)
					if err != nil || digits == c.Timestamp || !known || !a.SameSignature(a.Sign(key.Secret, c.Timestamp, call.Body), c.Signature) ||
						a.Now().Sub(time.Unix(at, 0)).Abs() > 5*time.Minute {
						return next(ctx, call)
					}
					call.Key = key
					return nil
				}
			}),
		},
		{
			ID: "in-revoked-key-works", Title: "a revoked key goes on working",
			Doc:   "Revoking hides the key from the list of keys and nothing else.",
			Kills: []string{"IN-401-12"},
			Apply: insertionAPI(func(a *insertion.API) { a.Usable = func(*world.Key) bool { return true } }),
		},
		{
			ID: "in-revoked-bearer-works", Title: "a revoked key's secret goes on working as a bearer token",
			Doc:   "Of two ways to a key, one was made to ask whether it is revoked.",
			Kills: []string{"IN-401-12"},
			Apply: authenticating(func(a *insertion.API, next authenticate) authenticate {
				return func(ctx context.Context, call *insertion.Call) error {
					token, isBearer := strings.CutPrefix(call.Request.Header.Get("Authorization"), "Bearer ")
					if key, known := a.World.KeyBySecret(token); isBearer && known {
						call.Key = key
						return nil
					}
					return next(ctx, call)
				}
			}),
		},
		{
			ID: "in-revoked-key-named", Title: "a revoked key is told that it is revoked",
			Doc:   "The answer tells whoever tries keys which of them once were good.",
			Kills: []string{"IN-401-12"},
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.Authenticate
				a.Authenticate = func(ctx context.Context, call *insertion.Call) error {
					key, known := a.World.KeyByPublicKey(call.Request.Header.Get("X-AdBuy-Public-Key"))
					if known && key.Revoked {
						return refusal(http.StatusUnauthorized, "key_revoked")
					}
					return next(ctx, call)
				}
			}),
		},
	}
}

type authenticate = func(ctx context.Context, call *insertion.Call) error

// authenticating makes a mutant that wraps the authentication.
func authenticating(wrap func(a *insertion.API, next authenticate) authenticate) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) { a.Authenticate = wrap(a, a.Authenticate) })
}

// readingCredentials makes a mutant that changes what is taken from the headers.
func readingCredentials(change func(h http.Header, c insertion.Credentials, err error) (insertion.Credentials, error)) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.ReadCredentials
		a.ReadCredentials = func(h http.Header) (insertion.Credentials, error) {
			c, err := next(h)
			return change(h, c, err)
		}
	})
}

// signedInPart reports whether any header of a signature is there.
func signedInPart(h http.Header) bool {
	return slices.ContainsFunc([]string{"X-AdBuy-Public-Key", "X-AdBuy-Timestamp", "X-AdBuy-Signature"}, func(name string) bool {
		return len(h.Values(name)) > 0
	})
}

func firstKey(a *insertion.API) *world.Key { return a.World.Accounts[0].Keys[0] }
