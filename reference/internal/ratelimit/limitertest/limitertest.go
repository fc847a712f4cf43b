// Package limitertest holds the tests that every ratelimit.Limiter must pass, in a time that the tests turn by hand. What
// they expect is worked out here from LIMITS in whole numbers, without the formulas of package ratelimit.
package limitertest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"leadconform/reference/internal/ratelimit"
)

// Open returns a limiter without any count that takes the time from now. All times that the tests use are whole
// microseconds.
type Open func(t testing.TB, now func() time.Time) ratelimit.Limiter

// Run runs every test.
func Run(t *testing.T, open Open) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *subject)
	}{
		{"depths of the documented limits", testDepths},
		{"both buckets or none", testBothOrNone},
		{"clients that keep the promise are never refused", testPromise},
		{"a bunch deeper than the peak bucket is cut", testBunch},
		{"after exhaustion the rate gets in, no more and no less", testExhaustion},
		{"no arrivals get past the upper curves", testUpperCurves},
		{"every decision is that of the two inequalities", testOracle},
		{"two rates: retry-after", testRetryAfter},
		{"fixed window: anchored at the first request", testWindowAnchor},
		{"fixed window: retry-after", testWindowRetryAfter},
		{"fixed window: any arrivals", testWindowOracle},
		{"keys", testKeys},
		{"reset", testReset},
		{"policies that make no sense", testBadPolicies},
		{"many at once", testConcurrent},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock := &clock{}
			clock.at.Store(time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC).UnixMicro())
			test.run(t, &subject{limiter: open(t, clock.now), clock: clock})
		})
	}
}

// The documented limits.
var (
	ingest = policy{rate: 100, burst: 200, windowMillis: 10_000}
	ping   = policy{rate: 500, burst: 1000, windowMillis: 10_000}
	lookup = policy{rate: 10, burst: 20, windowMillis: 5_000}
)

// policy is a TwoRate in whole numbers.
type policy struct{ rate, burst, windowMillis int64 }

func (p policy) TwoRate() ratelimit.TwoRate {
	return ratelimit.TwoRate{Rate: float64(p.rate), Burst: float64(p.burst), Window: time.Duration(p.windowMillis) * time.Millisecond}
}

func (p policy) String() string {
	return fmt.Sprintf("%d per second, %d for %d ms", p.rate, p.burst, p.windowMillis)
}

// The depths of the two buckets in thousandths of a request: C = E + ⌈R/4⌉ + 1 and P = ⌈B/4⌉ + 1, with E = (B−R)·W.
func (p policy) committedDepth() int64 {
	return (p.burst-p.rate)*p.windowMillis + 1000*((p.rate+3)/4+1)
}
func (p policy) peakDepth() int64 { return 1000 * ((p.burst+3)/4 + 1) }

// clock stands still until it is turned.
type clock struct{ at atomic.Int64 } // microseconds

func (c *clock) now() time.Time          { return time.UnixMicro(c.at.Load()) }
func (c *clock) advance(d time.Duration) { c.at.Add(d.Microseconds()) }

// subject is the limiter under test and its clock.
type subject struct {
	limiter ratelimit.Limiter
	clock   *clock
	keys    int
}

// freshKey is one that was never used, and so is rested.
func (s *subject) freshKey() ratelimit.Key {
	s.keys++
	return ratelimit.Key{Scope: "test", Subject: fmt.Sprint("fresh-", s.keys)}
}

// tb is what *testing.T and *rapid.T have in common.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
}

func (s *subject) twoRate(t tb, key ratelimit.Key, p ratelimit.TwoRate) ratelimit.Decision {
	t.Helper()
	d, err := s.limiter.TwoRate(context.Background(), key, p)
	return checked(t, d, err)
}

func (s *subject) fixedWindow(t tb, key ratelimit.Key, p ratelimit.FixedWindow) ratelimit.Decision {
	t.Helper()
	d, err := s.limiter.FixedWindow(context.Background(), key, p)
	return checked(t, d, err)
}

// checked holds a decision against what is true of every one: a refusal says when to come again, in whole seconds.
func checked(t tb, d ratelimit.Decision, err error) ratelimit.Decision {
	t.Helper()
	switch {
	case err != nil:
		t.Fatalf("no decision: %v", err)
	case d.Allowed && d.RetryAfter != 0:
		t.Fatalf("allowed, and yet to retry after %v", d.RetryAfter)
	case !d.Allowed && (d.RetryAfter < time.Second || d.RetryAfter%time.Second != 0):
		t.Fatalf("refused, to retry after %v", d.RetryAfter)
	}
	return d
}

// admitted sends requests until one is refused, and returns how many passed.
func (s *subject) admitted(t tb, key ratelimit.Key, p ratelimit.TwoRate) (n int) {
	t.Helper()
	for s.twoRate(t, key, p).Allowed {
		n++
	}
	return n
}

// offer sends a request at each of the times, in ascending order and counted from now, and returns when those that
// passed were sent.
func (s *subject) offer(t tb, key ratelimit.Key, p policy, at []time.Duration) (passed []time.Duration) {
	t.Helper()
	var sent time.Duration
	for _, when := range at {
		s.clock.advance(when - sent)
		sent = when
		if s.twoRate(t, key, p.TwoRate()).Allowed {
			passed = append(passed, when)
		}
	}
	return passed
}
