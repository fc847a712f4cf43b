package soak_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/simulate"
	"leadconform/load/internal/soak"
	"leadconform/load/internal/trace"
)

var documented = plan.Policy{Rate: 100, Burst: 200, Window: 10 * time.Second}

// bounds are those of a soak that offers a share more than the rate, over a network with such a median round trip.
func bounds(policy plan.Policy, over float64, trip time.Duration) soak.Bounds {
	return soak.Bounds{Policy: policy, Offered: over * policy.Rate, Delay: judge.LagBound + trip, Rested: true}
}

// simulated lets a limiter meet a soak of one supplier on a network.
func simulated(l simulate.Limiter, n simulate.Network, over float64, length time.Duration, seed uint64) soak.Curves {
	p := plan.Plan{
		Endpoints: []plan.Endpoint{{API: "distro", Name: "ingest", Policy: documented}},
		Phases:    soak.Plan{Endpoint: "ingest", Suppliers: []string{"one"}, Offered: over * documented.Rate, Length: length}.Phases(),
	}
	rng := simulate.Seeded(seed)
	t := simulate.Experiment{Plan: p}.Run(l.New(simulate.Policies(p.Endpoints), rng), n, nil, rng)
	slices.SortFunc(t.Samples, func(a, b trace.Sample) int { return int(a.Intended - b.Intended) })
	trip := 2*n.Base + judge.TripBound
	board := soak.NewBoard([]soak.Bounds{bounds(documented, over, trip)}, judge.LagBound, trip)
	board.Replay(slices.Values(t.Samples))
	return board.Curves()[0]
}

// Whatever the contract leaves open, and whatever ails the network: what conforms never fails.
func TestConformingLimitersNeverFail(t *testing.T) {
	for _, l := range simulate.Right() {
		for _, n := range simulate.Networks {
			for seed := range uint64(2) {
				for _, over := range []float64{1.2, 2} {
					c := simulated(l, n, over, 150*time.Second, seed)
					v, reason := c.Verdict()
					if v == soak.Fail {
						t.Errorf("%s over %s, %g times, seed %d: %s", l.Name, n.Name, over, seed, reason)
					}
					if n.Name == simulate.Still.Name && v != soak.Pass && !strings.Contains(l.Name, "50 ms") {
						t.Errorf("%s over %s, %g times, seed %d: %s: %s", l.Name, n.Name, over, seed, v, reason)
					}
				}
			}
		}
	}
}

// A sustained rate that is off by ten percent or more is found on each network on which a right one passes.
func TestWrongRatesAreFound(t *testing.T) {
	for _, l := range simulate.Wrong() {
		if !strings.HasPrefix(l.Name, "R × ") || strings.Contains(l.Name, "5,") {
			continue
		}
		for _, n := range []simulate.Network{simulate.Still, simulate.Jitter2} {
			for seed := range uint64(3) {
				c := simulated(l, n, 1.25, 180*time.Second, seed)
				if v, reason := c.Verdict(); v != soak.Fail {
					t.Errorf("%s over %s, seed %d: %s, %s", l.Name, n.Name, seed, v, reason)
				}
			}
		}
	}
}

// Of what is wrong in other ways the soak sees what its curves hold.
func TestWhatElseIsFound(t *testing.T) {
	for name, curve := range map[string]string{
		"no limit": "upper", "two nodes, each with the full limit": "upper", "single bucket": "", "rejects charged": "lower",
		"penalty box, 2 s": "lower", "no burst": "lower", "W × 0.50, dual bucket": "lower", "W × 2.00, dual bucket": "upper",
	} {
		i := slices.IndexFunc(simulate.Wrong(), func(l simulate.Limiter) bool { return l.Name == name })
		c := simulated(simulate.Wrong()[i], simulate.Still, 2, 180*time.Second, 1)
		found := ""
		if c.First != nil {
			found = c.First.Curve
		}
		if found != curve {
			t.Errorf("%s: found %q, want %q", name, found, curve)
		}
	}
}

// A supplier that was not driven at its limit, or not for long enough, passes nothing.
func TestNoPassWithoutTheLimit(t *testing.T) {
	right := simulate.Right()[1]
	for _, c := range []struct {
		name   string
		over   float64
		length time.Duration
		says   string
	}{
		{"below the limit", 0.9, 5 * time.Minute, "its limit was not met"},
		{"within the credit", 1.2, 40 * time.Second, "its limit was not met"},
		{"too short", 2, 20 * time.Second, "too short a time"},
	} {
		curves := simulated(right, simulate.Still, c.over, c.length, 1)
		if v, reason := curves.Verdict(); v != soak.NotAssessed || !strings.Contains(reason, c.says) {
			t.Errorf("%s: %s, %s", c.name, v, reason)
		}
	}
	enough := bounds(documented, 1.2, 52*time.Millisecond)
	curves := simulated(right, simulate.Still, 1.2, enough.Needs(), 1)
	if v, reason := curves.Verdict(); v != soak.Pass {
		t.Errorf("after %v: %s, %s", enough.Needs(), v, reason)
	}
}

// drained are the curves of a supplier of whose credit nothing is promised.
func drained() soak.Curves {
	b := bounds(documented, 1.2, 50*time.Millisecond)
	b.Rested = false
	return soak.Curves{Bounds: b}
}

// second is one in which so many of 120 requests were admitted, and the rest refused.
func second(admitted int) soak.Second {
	return soak.Second{Due: 120, Answered: 120, Admitted: admitted, Prompt: admitted, Limited: 120 - admitted}
}

// A second that is spoilt, by whatever, neither passes nor fails anything.
func TestSpoiltSecondsAreNotJudged(t *testing.T) {
	for name, spoil := range map[string]func(*soak.Second){
		"late":    func(s *soak.Second) { s.Tardy++ },
		"invalid": func(s *soak.Second) { s.Other++ },
		"nothing": func(s *soak.Second) { *s = soak.Second{} },
		"missing": func(s *soak.Second) { s.Due++ },
		"slid":    func(s *soak.Second) { s.Due, s.Answered, s.Limited = 100, 100, 0 },
	} {
		c := drained()
		for i := range 600 {
			s := second(60) // refuses far too much
			spoil(&s)
			c.Add(i, s)
		}
		if v, reason := c.Verdict(); v != soak.NotAssessed || c.Spoilt != 600 {
			t.Errorf("%s: %s, %s", name, v, reason)
		}
	}
	c := drained()
	for i := range 600 {
		s := second(100)
		if i%10 == 9 {
			s = second(80) // 2 % too few, but each second of them is spoilt
			s.Tardy = 1
		}
		c.Add(i, s)
	}
	if v, reason := c.Verdict(); v != soak.NotAssessed || !strings.Contains(reason, "too short") {
		t.Errorf("never ten seconds in a row: %s, %s", v, reason)
	}
}

// The first violation is told once, in the second in which it is certain.
func TestTheFirstViolationIsTold(t *testing.T) {
	c := drained()
	var told []int
	for i := range 100 {
		if c.Add(i, second(90)) {
			told = append(told, i)
		}
	}
	// 100 for granularity, 12 for the delay, 10 of the credit and 1; ten are missing each second.
	if len(told) != 1 || told[0] != 12 || c.First.Curve != "lower" || c.First.Figure <= c.First.Bound {
		t.Errorf("told in %v: %+v", told, c.First)
	}
}
