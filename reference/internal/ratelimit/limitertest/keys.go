package limitertest

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"leadconform/reference/internal/ratelimit"
)

// Every scope and every subject has its own count, and the two kinds of policy don't share one.
func testKeys(t *testing.T, s *subject) {
	two, fixed := lookup.TwoRate(), ratelimit.FixedWindow{Requests: 2, Window: time.Minute}
	for _, key := range []ratelimit.Key{
		{Scope: "ingest", Subject: "sup-a"},
		{Scope: "ingest", Subject: "sup-b"},
		{Scope: "ping", Subject: "sup-a"},
		{Scope: "a", Subject: "b:c"},
		{Scope: "a:b", Subject: "c"},
		{Scope: "", Subject: "a:b:c"},
		{Scope: "a:b:c", Subject: ""},
	} {
		if n := s.admitted(t, key, two); n != 6 {
			t.Errorf("%+v: %d pass under two rates, expected 6", key, n)
		}
		n := 0
		for s.fixedWindow(t, key, fixed).Allowed {
			n++
		}
		if n != 2 {
			t.Errorf("%+v: %d pass in a fixed window, expected 2", key, n)
		}
	}
}

func testReset(t *testing.T, s *subject) {
	two, fixed := s.freshKey(), s.freshKey()
	p := ratelimit.FixedWindow{Requests: 1, Window: time.Hour}
	s.admitted(t, two, lookup.TwoRate())
	s.fixedWindow(t, fixed, p)
	if s.fixedWindow(t, fixed, p).Allowed {
		t.Fatal("the second request in a window of one passes")
	}
	if err := s.limiter.Reset(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := s.admitted(t, two, lookup.TwoRate()); n != 6 {
		t.Errorf("%d pass at once after a reset, expected 6", n)
	}
	if !s.fixedWindow(t, fixed, p).Allowed {
		t.Error("refused after a reset")
	}
	if err := s.limiter.Ready(context.Background()); err != nil {
		t.Errorf("not ready: %v", err)
	}
}

// A policy that can't be kept is an error, never a decision.
func testBadPolicies(t *testing.T, s *subject) {
	key := s.freshKey()
	for _, p := range []ratelimit.TwoRate{
		{},
		{Rate: 0, Burst: 1, Window: time.Second},
		{Rate: -1, Burst: 1, Window: time.Second},
		{Rate: 2, Burst: 1, Window: time.Second},
		{Rate: 1, Burst: 2, Window: 0},
		{Rate: math.NaN(), Burst: 2, Window: time.Second},
		{Rate: 1, Burst: math.Inf(1), Window: time.Second},
		{Rate: 1, Burst: 1e18, Window: time.Second},
	} {
		if d, err := s.limiter.TwoRate(context.Background(), key, p); err == nil || d.Allowed {
			t.Errorf("%+v: decided %+v, %v", p, d, err)
		}
	}
	for _, p := range []ratelimit.FixedWindow{{}, {Requests: 1}, {Window: time.Second}, {Requests: -1, Window: time.Second}} {
		if d, err := s.limiter.FixedWindow(context.Background(), key, p); err == nil || d.Allowed {
			t.Errorf("%+v: decided %+v, %v", p, d, err)
		}
	}
}

// However many ask in one moment, exactly what is allowed passes.
func testConcurrent(t *testing.T, s *subject) {
	two, fixed := s.freshKey(), s.freshKey()
	window := ratelimit.FixedWindow{Requests: 100, Window: time.Minute}
	var passedTwo, passedFixed atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if d, err := s.limiter.TwoRate(context.Background(), two, ingest.TwoRate()); err == nil && d.Allowed {
					passedTwo.Add(1)
				}
				if d, err := s.limiter.FixedWindow(context.Background(), fixed, window); err == nil && d.Allowed {
					passedFixed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if passedTwo.Load() != 51 || passedFixed.Load() != 100 {
		t.Errorf("%d pass under two rates and %d in the window, expected 51 and 100", passedTwo.Load(), passedFixed.Load())
	}
}
