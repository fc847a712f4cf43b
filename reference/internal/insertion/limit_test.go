package insertion_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"leadconform/reference/internal/world"
)

// The keys of the limits rows have a ceiling of 100 requests in 10 s.
const ceiling = 100

// limited is a lead in the campaign of the limits account.
func limited() members { return newLead().with("campaign_id", 301) }

// IN-429-01, -02, -05, -06: the ceiling is met, holds until the window rolls over, and Retry-After tells when.
func TestCeiling(t *testing.T) {
	b := newBench(t)
	for range ceiling {
		b.as(t, limitsA, http.MethodGet, collection, "").expect(t, http.StatusOK, "")
	}
	for b.clock.advance(2500 * time.Millisecond); ; b.clock.advance(time.Second) {
		a := b.as(t, limitsA, http.MethodGet, collection, "").expect(t, http.StatusTooManyRequests, "rate_limited")
		seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
		if err != nil || seconds < 1 || len(a.header.Values("Retry-After")) != 1 {
			t.Fatalf("Retry-After %q", a.header.Values("Retry-After"))
		}
		if seconds == 1 {
			break
		}
	}
	b.clock.advance(time.Second)
	b.as(t, limitsA, http.MethodGet, collection, "").expect(t, http.StatusOK, "")
}

// IN-429-03: every endpoint, both paths and both ways to authenticate draw on one count.
func TestOneBucketPerKey(t *testing.T) {
	b := newBench(t)
	one := collection + "/" + uuid.NewString()
	calls := []struct{ method, target, body string }{
		{http.MethodPost, collection, limited().String()},
		{http.MethodPost, ingest, limited().String()},
		{http.MethodGet, collection, ""},
		{http.MethodGet, one, ""},
		{http.MethodPatch, one, `{"first_name":"A"}`},
	}
	for i := range ceiling {
		call := calls[i%len(calls)]
		if i%2 == 0 {
			if a := b.as(t, limitsA, call.method, call.target, call.body); a.status == http.StatusTooManyRequests {
				t.Fatalf("limited after %d requests", i)
			}
			continue
		}
		r := request(t, call.method, call.target, call.body)
		bearer(limitsA.secret)(r, time.Time{}, "")
		if a := b.send(t, r); a.status == http.StatusTooManyRequests {
			t.Fatalf("limited after %d requests", i)
		}
	}
	for _, call := range calls {
		b.as(t, limitsA, call.method, call.target, call.body).expect(t, http.StatusTooManyRequests, "rate_limited")
	}
	// IN-429-04: another key of the same account has a count of its own.
	b.as(t, limitsB, http.MethodPost, collection, limited().String()).expectUpsert(t, "inserted")
}

// Only requests whose sender is known are counted: nobody can use up another's ceiling.
func TestUnauthenticatedRequestsAreNotCounted(t *testing.T) {
	b := newBench(t)
	for range 2 * ceiling {
		b.as(t, apiKey{limitsA.public, "guess"}, http.MethodGet, collection, "").expect(t, http.StatusUnauthorized, "invalid_signature")
		b.as(t, limitsA, http.MethodPut, collection, "").expect(t, http.StatusMethodNotAllowed, "method_not_allowed")
	}
	b.as(t, limitsA, http.MethodGet, collection, "").expect(t, http.StatusOK, "")
}

// IN-429-07: a request beyond the ceiling has no effect.
func TestLimitedRequestHasNoEffect(t *testing.T) {
	b := newBench(t)
	known, unknown := limited(), limited()
	b.as(t, limitsA, http.MethodPost, collection, known.String()).expectUpsert(t, "inserted")
	for range ceiling - 1 {
		b.as(t, limitsA, http.MethodGet, collection, "").expect(t, http.StatusOK, "")
	}
	refused := func(method, target, body string) {
		b.as(t, limitsA, method, target, body).expect(t, http.StatusTooManyRequests, "rate_limited")
	}
	refused(http.MethodPost, collection, unknown.String())
	refused(http.MethodPost, ingest, unknown.String())
	refused(http.MethodPost, collection, known.with("first_name", "Eve").String())
	refused(http.MethodPatch, collection+"/"+known.external(), `{"first_name":"Eve"}`)

	b.clock.advance(10 * time.Second)
	list := b.as(t, limitsA, http.MethodGet, collection, "").expect(t, http.StatusOK, "").body["leads"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["first_name"] != nil {
		t.Errorf("after the refused requests: %v", list)
	}
	b.as(t, limitsA, http.MethodPost, collection, unknown.String()).expectUpsert(t, "inserted")
}

// Every authenticated request counts against the limit, whatever becomes of it.
func TestRefusedRequestsCount(t *testing.T) {
	for name, spoil := range map[string]func(key *world.Key){
		"feature off": func(key *world.Key) { key.Account.Enabled = false },
		"no scope":    func(key *world.Key) { key.Scopes = nil },
		"malformed":   func(*world.Key) {},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			key, ok := b.World.KeyByPublicKey(limitsA.public)
			if !ok {
				t.Fatal("no such key")
			}
			spoil(key)
			for range key.Limit.Requests {
				if a := b.as(t, limitsA, http.MethodPost, collection, "{"); a.status == http.StatusTooManyRequests || a.status < 400 {
					t.Fatalf("got %d", a.status)
				}
			}
			b.as(t, limitsA, http.MethodPost, collection, "{").expect(t, http.StatusTooManyRequests, "rate_limited")
		})
	}
}
