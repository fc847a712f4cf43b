package insertion_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"leadconform/reference/internal/insertion"
)

// protected are requests to every endpoint that asks who is calling. The lead is one that acme has.
func protected(t testing.TB, b *bench) []struct{ name, method, target, body string } {
	lead := newLead()
	b.post(t, lead).expectUpsert(t, "inserted")
	one := collection + "/" + lead.external()
	return []struct{ name, method, target, body string }{
		{"create", http.MethodPost, collection, newLead().String()},
		{"ingest", http.MethodPost, ingest, newLead().String()},
		{"patch", http.MethodPatch, one, `{"first_name":"Eve"}`},
		{"get", http.MethodGet, one, ""},
		{"list", http.MethodGet, collection, ""},
	}
}

// IN-401-*: each fault on each endpoint, and no effect of any.
func TestAuthenticationRefused(t *testing.T) {
	const window = 5 * time.Minute
	for _, test := range []struct {
		name string
		auth func(r *http.Request, now time.Time, body string)
		code string
	}{
		{"no headers", func(*http.Request, time.Time, string) {}, "missing_auth"},
		{"another scheme", func(r *http.Request, _ time.Time, _ string) { r.SetBasicAuth(acme.public, acme.secret) }, "missing_auth"},
		{"an unknown public key", func(r *http.Request, now time.Time, body string) {
			signAt(r, apiKey{"adp_nobody", acme.secret}, now, body)
		}, "invalid_public_key"},
		{"a public key in another letter case", func(r *http.Request, now time.Time, body string) {
			signAt(r, apiKey{strings.ToUpper(acme.public), acme.secret}, now, body)
		}, "invalid_public_key"},
		{"a revoked key", func(r *http.Request, now time.Time, body string) { signAt(r, revoked, now, body) }, "invalid_public_key"},
		{"another key's secret", func(r *http.Request, now time.Time, body string) {
			signAt(r, apiKey{acme.public, globex.secret}, now, body)
		}, "invalid_signature"},
		{"a body changed after signing", func(r *http.Request, now time.Time, body string) { signAt(r, acme, now, body+" ") }, "invalid_signature"},
		{"a timestamp changed after signing", func(r *http.Request, now time.Time, body string) {
			signAt(r, acme, now, body)
			r.Header.Set("X-AdBuy-Timestamp", r.Header.Get("X-AdBuy-Timestamp")+"0")
		}, "invalid_signature"},
		{"the signature of the body alone", func(r *http.Request, now time.Time, body string) {
			signAt(r, acme, now, body)
			r.Header.Set("X-AdBuy-Signature", signature(acme.secret, "", body))
		}, "invalid_signature"},
		{"an upper-case signature", func(r *http.Request, now time.Time, body string) {
			signAt(r, acme, now, body)
			r.Header.Set("X-AdBuy-Signature", strings.ToUpper(r.Header.Get("X-AdBuy-Signature")))
		}, "invalid_signature"},
		{"half a signature", func(r *http.Request, now time.Time, body string) {
			signAt(r, acme, now, body)
			r.Header.Set("X-AdBuy-Signature", r.Header.Get("X-AdBuy-Signature")[:32])
		}, "invalid_signature"},
		{"a wrong signature on an old timestamp", func(r *http.Request, now time.Time, body string) {
			signAt(r, apiKey{acme.public, globex.secret}, now.Add(-time.Hour), body)
		}, "invalid_signature"},
		{"a second too old", func(r *http.Request, now time.Time, body string) {
			signAt(r, acme, now.Add(-window-time.Second), body)
		}, "signature_expired"},
		{"a second too early", func(r *http.Request, now time.Time, body string) {
			signAt(r, acme, now.Add(window+time.Second), body)
		}, "signature_expired"},
		{"a timestamp in milliseconds", func(r *http.Request, now time.Time, body string) {
			signText(r, "1772366400700", body)
		}, "signature_expired"},
		{"a timestamp that is no number", func(r *http.Request, _ time.Time, body string) { signText(r, "yesterday", body) }, "invalid_signature"},
		{"a timestamp with a sign", func(r *http.Request, _ time.Time, body string) { signText(r, "+1772366400", body) }, "invalid_signature"},
		{"a timestamp with a fraction", func(r *http.Request, _ time.Time, body string) { signText(r, "1772366400.7", body) }, "invalid_signature"},
		{"a timestamp out of range", func(r *http.Request, _ time.Time, body string) {
			signText(r, "99999999999999999999", body)
		}, "invalid_signature"},
		{"the largest timestamp", func(r *http.Request, _ time.Time, body string) { signText(r, "9223372036854775807", body) }, "signature_expired"},
		{"a key without a signature", func(r *http.Request, now time.Time, body string) {
			signAt(r, acme, now, body)
			r.Header.Del("X-AdBuy-Signature")
		}, "missing_auth"},
		{"an empty signature", func(r *http.Request, now time.Time, body string) {
			signAt(r, acme, now, body)
			r.Header.Set("X-AdBuy-Signature", "")
		}, "missing_auth"},
		{"a signature without a key", func(r *http.Request, now time.Time, body string) {
			signAt(r, acme, now, body)
			r.Header.Del("X-AdBuy-Public-Key")
		}, "missing_auth"},
		{"a signature without a timestamp", func(r *http.Request, now time.Time, body string) {
			signAt(r, acme, now, body)
			r.Header.Del("X-AdBuy-Timestamp")
		}, "missing_auth"},
		{"two signatures", func(r *http.Request, now time.Time, body string) {
			signAt(r, acme, now, body)
			r.Header.Add("X-AdBuy-Signature", r.Header.Get("X-AdBuy-Signature"))
		}, "missing_auth"},
		{"a failing signature beside a good bearer token", func(r *http.Request, now time.Time, body string) {
			signAt(r, apiKey{acme.public, globex.secret}, now, body)
			r.Header.Set("Authorization", "Bearer "+acme.secret)
		}, "invalid_signature"},
		{"an unknown bearer token", bearer("ads_nobody"), "invalid_bearer"},
		{"a bearer token in another letter case", bearer(strings.ToUpper(acme.secret)), "invalid_bearer"},
		{"a public key as bearer token", bearer(acme.public), "invalid_bearer"},
		{"a revoked key's secret", bearer(revoked.secret), "invalid_bearer"},
		{"an empty bearer token", bearer(""), "invalid_bearer"},
		{"a bearer token and more", bearer(acme.secret + " more"), "invalid_bearer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			for _, call := range protected(t, b) {
				r := request(t, call.method, call.target, call.body)
				test.auth(r, b.clock.Now(), call.body)
				a := b.send(t, r).expect(t, http.StatusUnauthorized, test.code)
				if a.header.Get("WWW-Authenticate") != "Bearer" {
					t.Errorf("%s: WWW-Authenticate %q", call.name, a.header.Get("WWW-Authenticate"))
				}
			}
			a := b.as(t, acme, http.MethodGet, collection, "").expect(t, http.StatusOK, "")
			list := a.body["leads"].([]any)
			if len(list) != 1 || list[0].(map[string]any)["first_name"] != nil {
				t.Errorf("the refused requests had an effect: %s", a.raw)
			}
		})
	}
}

func bearer(token string) func(*http.Request, time.Time, string) {
	return func(r *http.Request, _ time.Time, _ string) { r.Header.Set("Authorization", "Bearer "+token) }
}

// signText signs as acme with a timestamp as it stands.
func signText(r *http.Request, timestamp, body string) {
	r.Header.Set("X-AdBuy-Public-Key", acme.public)
	r.Header.Set("X-AdBuy-Timestamp", timestamp)
	r.Header.Set("X-AdBuy-Signature", signature(acme.secret, timestamp, body))
}

// IN-401-08, IN-401-09: what is right gets in, up to the very edge of the window.
func TestAuthenticationAccepted(t *testing.T) {
	const window = 5 * time.Minute
	for _, test := range []struct {
		name string
		auth func(r *http.Request, now time.Time, body string)
	}{
		{"signed now", func(r *http.Request, now time.Time, body string) { signAt(r, acme, now, body) }},
		{"as old as may be", func(r *http.Request, now time.Time, body string) { signAt(r, acme, now.Add(-window), body) }},
		{"as early as may be", func(r *http.Request, now time.Time, body string) { signAt(r, acme, now.Add(window), body) }},
		{"beside an Authorization for someone else", func(r *http.Request, now time.Time, body string) {
			signAt(r, acme, now, body)
			r.SetBasicAuth("proxy", "user")
		}},
		{"a bearer token", bearer(acme.secret)},
		{"a bearer token, the scheme in lower case", func(r *http.Request, _ time.Time, _ string) {
			r.Header.Set("Authorization", "bearer "+acme.secret)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			for _, call := range protected(t, b) {
				r := request(t, call.method, call.target, call.body)
				test.auth(r, b.clock.Now(), call.body)
				if a := b.send(t, r); a.status >= 300 {
					t.Errorf("%s: %d %s", call.name, a.status, a.raw)
				}
			}
		})
	}
}

// The signature covers the bytes of the body, not their meaning.
func TestSignatureCoversRawBytes(t *testing.T) {
	b := newBench(t)
	body := "\n  " + newLead().with("first_name", "Zoë").String() + "\n"
	b.as(t, acme, http.MethodPost, collection, body).expectUpsert(t, "inserted")
	r := signAt(request(t, http.MethodPost, collection, body), acme, b.clock.Now(), strings.TrimSpace(body))
	b.send(t, r).expect(t, http.StatusUnauthorized, "invalid_signature")
}

// IN-401-11: a signature is good for one body and one timestamp, not for others.
func TestSignatureDoesNotTravel(t *testing.T) {
	b := newBench(t)
	first, second := newLead(), newLead()
	signed := signAt(request(t, http.MethodPost, collection, first.String()), acme, b.clock.Now(), first.String())
	moved := request(t, http.MethodPost, collection, second.String())
	moved.Header = signed.Header.Clone()
	b.send(t, signed).expectUpsert(t, "inserted")
	b.send(t, moved).expect(t, http.StatusUnauthorized, "invalid_signature")
	b.nothingStored(t, second)

	// Nor does it keep: the same request is refused once the window has passed.
	b.clock.advance(5 * time.Minute)
	replay := request(t, http.MethodPost, collection, first.String())
	replay.Header = signed.Header.Clone()
	b.send(t, replay).expectUpsert(t, "deduped")
	b.clock.advance(time.Second)
	late := request(t, http.MethodPost, collection, first.String())
	late.Header = signed.Header.Clone()
	b.send(t, late).expect(t, http.StatusUnauthorized, "signature_expired")
}

// A secret reaches neither the answer nor the log.
func TestSecretsStaySecret(t *testing.T) {
	b := newBench(t)
	for _, call := range protected(t, b) {
		for _, key := range []apiKey{acme, revoked, initech, readOnly, writeOnly} {
			signed := b.as(t, key, call.method, call.target, call.body, "Idempotency-Key", uuid.NewString())
			r := request(t, call.method, call.target, call.body)
			bearer(key.secret)(r, time.Time{}, "")
			if shown := signed.raw + b.send(t, r).raw + b.log.String(); strings.Contains(shown, key.secret) {
				t.Errorf("%s shows the secret of %s", call.name, key.public)
			}
		}
	}
}

func TestNewFillsInClockAndLog(t *testing.T) {
	b := newBench(t)
	a := insertion.New(insertion.Deps{World: b.World, Limiter: b.Limiter, Store: b.store})
	b.API = a
	r := signAt(request(t, http.MethodGet, collection, ""), acme, time.Now(), "")
	b.send(t, r).expect(t, http.StatusOK, "")
}
