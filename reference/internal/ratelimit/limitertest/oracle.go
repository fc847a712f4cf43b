package limitertest

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"leadconform/reference/internal/ratelimit"
)

// history decides as the two inequalities of LIMITS §2 do, from every request that has passed, in whole numbers: a
// request passes if, counted from each earlier one, no more than C + R·τ and no more than P + B·τ have passed. It knows
// nothing of buckets.
type history struct {
	policy policy
	passed []time.Duration
}

// decide says whether a request passes, and if not, for how many seconds one that comes alone would still not.
func (h *history) decide(now time.Duration) (allowed bool, retryAfter time.Duration) {
	committed := h.room(now, h.policy.rate, h.policy.committedDepth())
	peak := h.room(now, h.policy.burst, h.policy.peakDepth())
	if committed >= 0 && peak >= 0 {
		h.passed = append(h.passed, now)
		return true, 0
	}
	seconds := max(1, wait(committed, h.policy.rate), wait(peak, h.policy.burst))
	return false, time.Duration(seconds) * time.Second
}

// room is how many more requests than one could pass now, in billionths; less than nothing if not even one could.
func (h *history) room(now time.Duration, rate, depth int64) int64 {
	full := depth * 1_000_000
	least := full - 1e9
	for i, from := range h.passed {
		since := int64(len(h.passed) - i)
		least = min(least, full-(since+1)*1e9+rate*(now-from).Microseconds()*1000)
	}
	return least
}

func wait(room, rate int64) (seconds int64) {
	if room >= 0 {
		return 0
	}
	return (-room + rate*1e9 - 1) / (rate * 1e9)
}

func testOracle(t *testing.T, s *subject) {
	rapid.Check(t, func(t *rapid.T) {
		h := &history{policy: somePolicy(t)}
		key := s.freshKey()
		var sent time.Duration
		for _, now := range anyArrivals(t, h.policy) {
			s.clock.advance(now - sent)
			sent = now
			allowed, retryAfter := h.decide(now)
			got := s.twoRate(t, key, h.policy.TwoRate())
			if got != (ratelimit.Decision{Allowed: allowed, RetryAfter: retryAfter}) {
				t.Fatalf("%v: the request at %v is decided %+v; after the %d that passed it should be %v, %v",
					h.policy, now, got, len(h.passed), allowed, retryAfter)
			}
		}
	})
}

// testRetryAfter takes a refusal at its word: a single request sent then passes, and one sent a second earlier doesn't.
func testRetryAfter(t *testing.T, s *subject) {
	for _, tc := range []struct {
		name   string
		policy ratelimit.TwoRate
		rest   time.Duration // after everything that passes at once has passed
		want   time.Duration
	}{
		{"the peak bucket empty", ingest.TwoRate(), 0, time.Second},
		{"a token short by a hair", ingest.TwoRate(), 4999 * time.Microsecond, time.Second},
		{"exactly ten seconds", ratelimit.TwoRate{Rate: 0.1, Burst: 0.1, Window: time.Second}, 0, 10 * time.Second},
		{"a microsecond less than ten", ratelimit.TwoRate{Rate: 0.1, Burst: 0.1, Window: time.Second}, time.Microsecond, 10 * time.Second},
		{"a microsecond more than nine", ratelimit.TwoRate{Rate: 0.1, Burst: 0.1, Window: time.Second}, 999_999 * time.Microsecond, 10 * time.Second},
		{"exactly nine", ratelimit.TwoRate{Rate: 0.1, Burst: 0.1, Window: time.Second}, time.Second, 9 * time.Second},
		{"a third of a request", ratelimit.TwoRate{Rate: 0.3, Burst: 0.3, Window: time.Second}, 0, 4 * time.Second},
		{"the peak bucket decides", ratelimit.TwoRate{Rate: 0.1, Burst: 0.5, Window: 100 * time.Second}, 0, 2 * time.Second},
		{"the committed bucket decides", ratelimit.TwoRate{Rate: 0.25, Burst: 5, Window: 100 * time.Millisecond}, 0, 3 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			key := s.freshKey()
			if s.admitted(t, key, tc.policy) == 0 {
				t.Fatal("a fresh key is refused")
			}
			s.clock.advance(tc.rest)
			d := s.twoRate(t, key, tc.policy)
			if d.Allowed || d.RetryAfter != tc.want {
				t.Fatalf("the decision is %+v, expected to retry after %v", d, tc.want)
			}
			s.clock.advance(d.RetryAfter - time.Second)
			if d.RetryAfter > time.Second && s.twoRate(t, key, tc.policy).Allowed {
				t.Errorf("admitted a whole second before the time that was named")
			}
			s.clock.advance(time.Second)
			if !s.twoRate(t, key, tc.policy).Allowed {
				t.Error("refused at the time that was named")
			}
		})
	}
}
