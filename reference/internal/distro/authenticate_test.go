package distro

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"leadconform/reference/internal/ratelimit"
)

// targets are the three endpoints, each with a request that would succeed but for what a test does to it.
var targets = []struct{ method, path string }{
	{"POST", "/api/v1/ingest"},
	{"POST", "/api/v1/ping"},
	{"GET", "/api/v1/leads/lookup?id=x"},
}

func TestUnauthorized(t *testing.T) {
	s := newService(t)
	for _, test := range []struct {
		name   string
		header http.Header
	}{
		{"no key", nil},
		{"an unknown key", http.Header{"X-Api-Key": {"ldk_unknown"}}},
		{"an empty key", http.Header{"X-Api-Key": {""}}},
		{"another letter case", http.Header{"X-Api-Key": {strings.ToUpper(primaryKey)}}},
		{"only the beginning of a key", http.Header{"X-Api-Key": {primaryKey[:len(primaryKey)-1]}}},
		{"two keys", http.Header{"X-Api-Key": {primaryKey, primaryKey}}},
		{"the key in another header", http.Header{"Authorization": {primaryKey}}},
		{"a bearer token", http.Header{"Authorization": {"Bearer " + primaryKey}}},
	} {
		for _, target := range targets {
			t.Run(test.name+" "+target.path, func(t *testing.T) {
				r := s.request(target.method, target.path, "", "{malformed")
				for name, values := range test.header {
					r.Header[name] = values
				}
				a := s.do(r).wantError(401, "unauthorized")
				if got := a.header.Get("WWW-Authenticate"); got == "" {
					t.Error("a 401 without WWW-Authenticate (RFC 9110 §15.5.2)")
				}
			})
		}
	}
	s.ingest(primaryKey, newLead("cmp-open")).want(201)
}

const tightWorld = `
distro:
  limits: {ingest: &tight {rate: 1, burst: 1, window: 1s}, ping: *tight, lookup: *tight}
  ping_token: {lifetime: 30m, secret: test}
  suppliers: [{id: sup, keys: [k, k2]}, {id: other, keys: [o]}]
  campaigns:
    - {id: c, suppliers: [sup, other], duplicate_check: true, distribution: round_robin, buyers: [{id: b}]}
insertion: {limit: {requests: 1, window: 1s}, signature_window: 5m, accounts: []}
`

func TestRateLimited(t *testing.T) {
	s := newServiceOf(t, []byte(tightWorld))
	for _, target := range targets {
		t.Run(target.path, func(t *testing.T) {
			call := func(key string) answer {
				return s.do(s.request(target.method, target.path, key, "{}"))
			}
			exhaust(t, func() answer { return call("k") })
			a := call("k").wantError(429, "rate_limit_exceeded")
			if got := a.header.Get("Retry-After"); got != "1" || a.body["retry_after"] != 1.0 {
				t.Errorf("Retry-After is %q, retry_after %v, want 1 and 1", got, a.body["retry_after"])
			}
			call("k2").want(429) // the other key of the same supplier
			if got := call("o").status; got == 429 {
				t.Error("another supplier is limited too")
			}
			call("").want(401) // a key comes before the limit
			s.clock.advance(time.Second)
			if got := call("k").status; got == 429 {
				t.Error("still limited after Retry-After")
			}
		})
	}
}

// exhaust sends until the limit sets in. Something is admitted before, and charged, whatever its answer.
func exhaust(t *testing.T, call func() answer) {
	t.Helper()
	for n := range 10 {
		if call().status != 429 {
			continue
		}
		if n == 0 {
			t.Fatal("nothing was admitted at first")
		}
		return
	}
	t.Fatal("no limit was met")
}

// TestLimitOfEachEndpoint: every endpoint has a count and a policy of its own (LD-LIM-ENDPOINT).
func TestLimitOfEachEndpoint(t *testing.T) {
	s := newServiceOf(t, []byte(strings.Replace(tightWorld, "ping: *tight, lookup: *tight",
		"ping: {rate: 2, burst: 2, window: 1s}, lookup: {rate: 3, burst: 3, window: 1s}", 1)))
	var charged []string
	s.api.Limiter = recordingLimiter{s.api.Limiter, &charged}
	for _, target := range targets {
		s.do(s.request(target.method, target.path, "k", "{}"))
	}
	want := []string{"distro/ingest sup 1", "distro/ping sup 2", "distro/lookup sup 3"}
	if diff := cmp.Diff(want, charged); diff != "" {
		t.Errorf("charged (-want +got):\n%s", diff)
	}
}

// recordingLimiter notes what is charged to whom under which rate.
type recordingLimiter struct {
	ratelimit.Limiter
	charged *[]string
}

func (r recordingLimiter) TwoRate(ctx context.Context, key ratelimit.Key, p ratelimit.TwoRate) (ratelimit.Decision, error) {
	*r.charged = append(*r.charged, fmt.Sprintf("%s %s %v", key.Scope, key.Subject, p.Rate))
	return r.Limiter.TwoRate(ctx, key, p)
}

func TestRefusedByTheLimitHasNoEffect(t *testing.T) {
	s := newServiceOf(t, []byte(tightWorld))
	body := newLead("c").with("flo_supplier_id", "sup")
	exhaust(t, func() answer { return s.ingest("k", "{}") })
	s.ingest("k", body).want(429)
	s.clock.advance(time.Second)
	s.ingest("k", body).want(201)
}

// brokenLimiter can't decide.
type brokenLimiter struct{ ratelimit.Limiter }

func (brokenLimiter) TwoRate(context.Context, ratelimit.Key, ratelimit.TwoRate) (ratelimit.Decision, error) {
	return ratelimit.Decision{}, errors.New("dial tcp 10.0.0.7:6379: connection refused")
}

func TestLimiterOutOfReach(t *testing.T) {
	s := newService(t)
	s.api.Limiter = brokenLimiter{}
	for _, target := range targets {
		wantUnavailable(t, s.do(s.request(target.method, target.path, primaryKey, "{}")))
	}
}

func wantUnavailable(t *testing.T, a answer) {
	t.Helper()
	a.wantError(503, "service_unavailable")
	if a.header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
	}
	for _, secret := range []string{"dial", "10.0.0.7", "refused"} {
		if strings.Contains(a.raw, secret) {
			t.Errorf("the answer tells of the inside: %s", a.raw)
		}
	}
}
