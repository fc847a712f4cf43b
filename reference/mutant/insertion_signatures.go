package mutant

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/world"
	"leadconform/reference/server"
)

// insertionSignatures breaks what a signature proves: IN-401-03, 04, 05, 06, 08 and 11.
func insertionSignatures() []Mutant {
	return []Mutant{
		{
			ID: "in-key-found-by-signature", Title: "the key is whichever could have made the signature",
			Doc:   "The public key is not looked at: all secrets are tried.",
			Kills: []string{"IN-401-02", "IN-401-12", "IN-ENV-04"},
			Apply: authenticating(func(a *insertion.API, next authenticate) authenticate {
				return func(ctx context.Context, call *insertion.Call) error {
					err := next(ctx, call)
					c, unread := a.ReadCredentials(call.Request.Header)
					if err == nil || unread != nil || c.IsBearer {
						return err
					}
					for _, account := range a.World.Accounts {
						for _, key := range account.Keys {
							if _, known := a.World.KeyByPublicKey(c.PublicKey); !known && a.SameSignature(a.Sign(key.Secret, c.Timestamp, call.Body), c.Signature) {
								call.Key = key
								return nil
							}
						}
					}
					return err
				}
			}),
		},
		{
			ID: "in-wrong-signature-unnamed", Title: "a wrong signature is a 401 bad_signature",
			Doc:   "The code is not one of the five that are documented.",
			Kills: []string{"IN-401-03", "IN-401-04", "IN-401-10"},
			Apply: refusing(insertion.CodeInvalidSignature, named("bad_signature")),
		},
		{
			ID: "in-signature-first-half", Title: "only the first half of a signature is compared",
			Doc:   "The column that holds it is too short.",
			Kills: []string{"IN-401-03"},
			Apply: comparing(func(want, got string) bool { return len(got) == 64 && want[:32] == got[:32] }),
		},
		{
			ID: "in-signature-last-half", Title: "only the end of a signature is compared",
			Doc:   "A prefix such as sha256= is cut off by its length, whether it is there or not.",
			Kills: []string{"IN-401-03"},
			Apply: comparing(func(want, got string) bool { return len(got) == 64 && want[7:] == got[7:] }),
		},
		{
			ID: "in-signature-as-far-as-it-goes", Title: "a signature is compared as far as it goes",
			Doc:   "The length of the one that was sent bounds the comparison.",
			Kills: []string{"IN-401-10"},
			Apply: comparing(strings.HasPrefix),
		},
		{
			ID: "in-signature-over-compact-body", Title: "the signature is held against the body written anew",
			Doc:   "The body is parsed first, and what is verified is what the serialiser makes of it.",
			Kills: []string{"IN-401-04", "IN-401-08", "IN-IDEM-08"},
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.Sign
				a.Sign = func(secret, timestamp string, body []byte) string { return next(secret, timestamp, compacted(body)) }
			}),
		},
		{
			ID: "in-get-signature-unchecked", Title: "on GET the signature only has to be there",
			Doc:   "Nothing is signed where there is no body, it was thought.",
			Kills: []string{"IN-401-03", "IN-401-04", "IN-401-10", "IN-401-11", "IN-ENV-04"},
			Apply: authenticating(func(a *insertion.API, next authenticate) authenticate {
				return func(ctx context.Context, call *insertion.Call) error {
					err := next(ctx, call)
					var wrong *insertion.Refusal
					c, _ := a.ReadCredentials(call.Request.Header)
					key, known := a.World.KeyByPublicKey(c.PublicKey)
					if errors.As(err, &wrong) && wrong.Code == insertion.CodeInvalidSignature && known && len(c.Signature) == 64 &&
						call.Request.Method == http.MethodGet {
						call.Key = key
						return nil
					}
					return err
				}
			}),
		},
		{
			ID: "in-patch-body-unsigned", Title: "on PATCH the body that was signed isn't compared with the one sent",
			Doc:   "The signature is checked before the body was read, against the one that is noted for the last request.",
			Kills: []string{"IN-401-04", "IN-401-11"},
			Apply: authenticating(func(_ *insertion.API, next authenticate) authenticate {
				var last notes[string, []byte]
				return func(ctx context.Context, call *insertion.Call) error {
					err := next(ctx, call)
					if call.Route.Endpoint != insertion.EndpointPatch {
						return err
					}
					if err == nil {
						last.swap(call.Route.LeadID, call.Body)
						return nil
					}
					body, known := last.get(call.Route.LeadID)
					if !known {
						return err
					}
					sent := call.Body
					call.Body = body
					defer func() { call.Body = sent }()
					return next(ctx, call)
				}
			}),
		},
		{
			ID: "in-window-unlimited", Title: "a signature never expires",
			Doc:   "The time stamp is signed and never looked at.",
			Kills: []string{"IN-401-05", "IN-401-06"},
			Apply: fresh(func(time.Duration) bool { return true }),
		},
		{
			ID: "in-window-too-wide", Title: "a signature expires after fifteen minutes",
			Doc:   "The window is three times as wide as documented.",
			Kills: []string{"IN-401-05", "IN-401-06"},
			Apply: fresh(func(age time.Duration) bool { return age.Abs() <= 15*time.Minute }),
		},
		{
			ID: "in-window-in-milliseconds", Title: "a signature expires after 300,000 seconds",
			Doc:   "The window is in milliseconds and the time stamp in seconds.",
			Kills: []string{"IN-401-05", "IN-401-06"},
			Apply: fresh(func(age time.Duration) bool { return age.Abs() <= 300_000*time.Second }),
		},
		{
			ID: "in-window-open-to-the-future", Title: "a signature from the future is never too far away",
			Doc:   "Only the age is compared, and a negative age is small.",
			Kills: []string{"IN-401-06"},
			Apply: fresh(func(age time.Duration) bool { return age <= 5*time.Minute }),
		},
		{
			ID: "in-window-open-to-the-past", Title: "a signature is only refused if it is from the future",
			Doc:   "The subtraction is the wrong way round.",
			Kills: []string{"IN-401-05"},
			Apply: fresh(func(age time.Duration) bool { return -age <= 5*time.Minute }),
		},
		{
			ID: "in-window-too-narrow", Title: "a signature expires after one minute",
			Doc:   "The window is narrower than documented: a client with a slow clock is shut out.",
			Kills: []string{"IN-401-08"},
			Apply: fresh(func(age time.Duration) bool { return age.Abs() <= time.Minute }),
		},
		{
			ID: "in-expired-as-invalid", Title: "an expired signature is a 401 invalid_signature",
			Doc:   "Whatever is wrong with a signature has one code.",
			Kills: []string{"IN-401-05", "IN-401-06"},
			Apply: refusing(insertion.CodeSignatureExpired, named(insertion.CodeInvalidSignature)),
		},
		{
			ID: "in-signature-remembered", Title: "a signature that was accepted once is accepted from then on",
			Doc:   "Verified signatures are cached, and the key of the cache is the signature alone.",
			Kills: []string{"IN-401-11"},
			Apply: authenticating(func(a *insertion.API, next authenticate) authenticate {
				var verified notes[string, *world.Key]
				return func(ctx context.Context, call *insertion.Call) error {
					c, unread := a.ReadCredentials(call.Request.Header)
					if unread != nil || c.IsBearer {
						return next(ctx, call)
					}
					cached := c.PublicKey + "." + c.Signature
					if key, known := verified.get(cached); known {
						call.Key = key
						return nil
					}
					err := next(ctx, call)
					if err == nil {
						verified.swap(cached, call.Key)
					}
					return err
				}
			}),
		},
		{
			ID: "in-signature-with-slack", Title: "a signature is good for the seconds around its own",
			Doc:   "Where the signature doesn't fit the time stamp, those beside it are tried, to make up for clocks.",
			Kills: []string{"IN-401-11"},
			Apply: authenticating(func(_ *insertion.API, next authenticate) authenticate {
				return func(ctx context.Context, call *insertion.Call) error {
					err := next(ctx, call)
					sent := call.Request.Header.Get("X-AdBuy-Timestamp")
					seconds, unread := strconv.ParseInt(sent, 10, 64)
					if err == nil || unread != nil {
						return err
					}
					for _, other := range []int64{seconds - 1, seconds + 1} {
						call.Request.Header.Set("X-AdBuy-Timestamp", strconv.FormatInt(other, 10))
						if next(ctx, call) == nil {
							return nil
						}
					}
					call.Request.Header.Set("X-AdBuy-Timestamp", sent)
					return err
				}
			}),
		},
	}
}

// comparing makes a mutant that compares signatures in another way.
func comparing(same func(want, got string) bool) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) { a.SameSignature = same })
}

// fresh makes a mutant that judges in another way how old a signature may be.
func fresh(is func(age time.Duration) bool) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		a.Fresh = func(timestamp int64, now time.Time) bool { return is(now.Sub(time.Unix(timestamp, 0))) }
	})
}

// compacted is a body as a serialiser would write it.
func compacted(body []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, body) != nil {
		return body
	}
	return out.Bytes()
}
