package limitertest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// testDepths pins the table of LIMITS §2: what gets in when as much as possible is tried.
func testDepths(t *testing.T, s *subject) {
	for _, tc := range []struct {
		name                         string
		policy                       policy
		atOnce, inSecond, inWindow   int
		committed, peak, windowMilli int64
	}{
		{"ingest", ingest, 51, 251, 2026, 1026, 51, 10_000},
		{"ping", ping, 251, 1251, 10126, 5126, 251, 10_000},
		{"lookup", lookup, 6, 26, 104, 54, 6, 5_000},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, key := tc.policy.TwoRate(), s.freshKey()
			if c, k := int64(p.CommittedDepth()), int64(p.PeakDepth()); c != tc.committed || k != tc.peak {
				t.Errorf("the buckets are %d and %d deep, expected %d and %d", c, k, tc.committed, tc.peak)
			}
			n := s.admitted(t, key, p)
			if n != tc.atOnce {
				t.Errorf("%d pass at once, expected %d", n, tc.atOnce)
			}
			for millis := int64(1); millis <= tc.windowMilli; millis++ {
				s.clock.advance(time.Millisecond)
				n += s.admitted(t, key, p)
				if millis == 1000 && n != tc.inSecond {
					t.Errorf("%d pass in the first second, expected %d", n, tc.inSecond)
				}
			}
			if n != tc.inWindow {
				t.Errorf("%d pass in the window, expected %d", n, tc.inWindow)
			}
		})
	}
}

// A request that one bucket refuses takes nothing from the other.
func testBothOrNone(t *testing.T, s *subject) {
	key, p := s.freshKey(), policy{rate: 4, burst: 8, windowMillis: 1000} // depths 6 and 3
	if n := s.admitted(t, key, p.TwoRate()); n != 3 {
		t.Fatalf("%d pass at once, expected 3", n)
	}
	for range 1000 { // refused by the peak bucket, while the committed one holds 3
		s.twoRate(t, key, p.TwoRate())
	}
	s.clock.advance(375 * time.Millisecond) // peak full again at 3, committed at 3 + 1.5
	if n := s.admitted(t, key, p.TwoRate()); n != 3 {
		t.Errorf("%d pass after refusals by the peak bucket, expected 3: refusals were charged", n)
	}
	s.clock.advance(250 * time.Millisecond) // peak at 2, committed at 1.5 + 1
	if n := s.admitted(t, key, p.TwoRate()); n != 2 {
		t.Errorf("%d pass, expected 2", n)
	}
	for range 1000 { // refused by both: peak at 0, committed at 0.5
		s.twoRate(t, key, p.TwoRate())
	}
	s.clock.advance(125 * time.Millisecond) // peak at 1, committed at 1
	if n := s.admitted(t, key, p.TwoRate()); n != 1 {
		t.Errorf("%d pass after refusals by both buckets, expected 1: refusals were charged", n)
	}
}

// lateness is how late a request may be at most without being refused: a quarter of a second.
const lateness = 250 * time.Millisecond

// testPromise sends what the documents promise to admit, unevenly: R a second for ever (M1), B a second for the window
// and R a second from then on (M2).
func testPromise(t *testing.T, s *subject) {
	for _, p := range []policy{ingest, ping, lookup, {rate: 3, burst: 3, windowMillis: 1000}, {rate: 7, burst: 50, windowMillis: 300}} {
		sustained := paced(0, p.rate, 2*p.windowMillis)
		burst := paced(0, p.burst, p.windowMillis)
		afterwards := paced(time.Duration(p.windowMillis)*time.Millisecond, p.rate, p.windowMillis)
		for _, load := range []struct {
			name string
			due  []time.Duration
		}{
			{"at R for ever", sustained},
			{"at B for the window, then at R", append(burst, afterwards...)},
		} {
			t.Run(fmt.Sprint(p, ": ", load.name), func(t *testing.T) {
				s.mustAllPass(t, p, load.due)
				held := slices.Clone(load.due) // the worst case: everything up to a moment comes in that moment
				for i := range held {
					held[i] += lateness - held[i]%lateness
				}
				s.mustAllPass(t, p, held)
				rapid.Check(t, func(t *rapid.T) {
					s.mustAllPass(t, p, late(t, load.due))
				})
			})
		}
	}
}

func (s *subject) mustAllPass(t tb, p policy, at []time.Duration) {
	t.Helper()
	if passed := s.offer(t, s.freshKey(), p, at); len(passed) != len(at) {
		t.Fatalf("%d of %d requests pass that keep to the promise", len(passed), len(at))
	}
}

// testBunch shows where the words "R in every second" say more than the limiter gives: a second's requests all in one
// moment are cut at the depth of the peak bucket.
func testBunch(t *testing.T, s *subject) {
	for _, p := range []policy{ingest, ping, lookup} {
		key, peak := s.freshKey(), int(p.peakDepth()/1000)
		bunch := make([]time.Duration, p.rate)
		for second := range 5 {
			passed := s.offer(t, key, p, bunch)
			if want := min(int(p.rate), peak); len(passed) != want {
				t.Errorf("%v: %d of %d that come at once in second %d pass, expected %d", p, len(passed), len(bunch), second, want)
			}
			s.clock.advance(time.Second)
		}
	}
}

// testExhaustion drains a key and goes on above the rate: R per second get in, not more (U3), not less (M3).
func testExhaustion(t *testing.T, s *subject) {
	rapid.Check(t, func(t *rapid.T) {
		p := somePolicy(t)
		key := s.freshKey()
		for range 2*p.windowMillis/100 + 10 { // at B the credit lasts for the window
			s.admitted(t, key, p.TwoRate())
			s.clock.advance(100 * time.Millisecond)
		}
		s.admitted(t, key, p.TwoRate())
		offered := p.rate * rapid.Int64Range(1, 8).Draw(t, "times the rate")
		seconds := rapid.Int64Range(4, 12).Draw(t, "seconds")
		at := late(t, paced(0, offered, 1000*seconds))
		passed := int64(len(s.offer(t, key, p, at)))
		if most := p.rate*seconds + p.rate/4 + 2; passed > most {
			t.Fatalf("%v, offered %d per second: %d pass in %d s, at most %d may", p, offered, passed, seconds, most)
		}
		if least := p.rate*seconds - (p.rate+3)/4 - 2; passed < least {
			t.Fatalf("%v, offered %d per second: %d pass in %d s, at least %d must", p, offered, passed, seconds, least)
		}
	})
}

// testUpperCurves sends anything, and holds what got in against U1 and U2 over every interval.
func testUpperCurves(t *testing.T, s *subject) {
	rapid.Check(t, func(t *rapid.T) {
		p := somePolicy(t)
		passed := s.offer(t, s.freshKey(), p, anyArrivals(t, p))
		credit := (p.burst - p.rate) * p.windowMillis // thousandths of a request
		for i, from := range passed {
			for j, to := range passed[i:] {
				n, tau := int64(j+1), to-from
				if n*1e6 > p.rate*tau.Microseconds()+credit*1e3+max(p.rate, 2)*1e6 {
					t.Fatalf("%v: %d pass in %v, which is above R·τ + E + R", p, n, tau)
				}
				whole := int64((tau + time.Second - 1) / time.Second)
				if n > max(p.burst, 2)*(whole+1) {
					t.Fatalf("%v: %d pass in %v, which is above B·(⌈τ⌉+1)", p, n, tau)
				}
			}
		}
	})
}

// paced are the times at which requests are due that come evenly, from start on.
func paced(start time.Duration, perSecond, millis int64) []time.Duration {
	at := make([]time.Duration, perSecond*millis/1000)
	for i := range at {
		at[i] = start + time.Duration(int64(i)*1_000_000/perSecond)*time.Microsecond
	}
	return at
}

// late are the same requests, each late by its own amount, or by none.
func late(t *rapid.T, due []time.Duration) []time.Duration {
	at := slices.Clone(due)
	most := rapid.Int64Range(0, lateness.Microseconds()).Draw(t, "most late, µs")
	seed := rapid.Uint64().Draw(t, "seed")
	for i := range at {
		seed = seed*6364136223846793005 + 1442695040888963407
		at[i] += time.Duration(int64(seed>>33)%(most+1)) * time.Microsecond
	}
	slices.Sort(at)
	return at
}

// somePolicy is one of the documented ones, or any other.
func somePolicy(t *rapid.T) policy {
	return rapid.OneOf(rapid.SampledFrom([]policy{ingest, ping, lookup}), rapid.Custom(func(t *rapid.T) policy {
		rate := rapid.Int64Range(1, 200).Draw(t, "rate")
		return policy{
			rate:         rate,
			burst:        rate + rapid.Int64Range(0, 200).Draw(t, "burst beyond it"),
			windowMillis: rapid.Int64Range(1, 3000).Draw(t, "window, ms"),
		}
	})).Draw(t, "policy")
}

// anyArrivals are up to a thousand requests in bunches of any size, with pauses from nothing to longer than a rest.
func anyArrivals(t *rapid.T, p policy) (at []time.Duration) {
	var now time.Duration
	for len(at) < 1000 {
		bunch := rapid.IntRange(1, 300).Draw(t, "bunch")
		for range bunch {
			at = append(at, now)
		}
		pause := rapid.OneOf(
			rapid.Int64Range(0, 2_000),
			rapid.Int64Range(0, 1_000_000),
			rapid.Int64Range(0, 2_000*p.windowMillis+2_000_000),
		).Draw(t, "pause, µs")
		now += time.Duration(pause) * time.Microsecond
		if rapid.IntRange(0, 9).Draw(t, "enough") == 0 {
			break
		}
	}
	return at
}
