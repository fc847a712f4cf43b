package simulate_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/simulate"
)

// A limiter is called right here by the contract's own inequalities, without the experiment: what it must admit, and
// what it must not. A denotes arrivals, D what was admitted.

// offer sends requests at a constant rate, without any jitter, and returns when which were admitted.
func offer(m simulate.Model, endpoint string, from, to time.Duration, rate float64) (admitted []float64, refused int) {
	for i := 0; ; i++ {
		at := from + time.Duration(float64(i)/rate*float64(time.Second))
		if at >= to {
			return admitted, refused
		}
		if m.Decide(simulate.Request{Now: at, Key: "key", Endpoint: endpoint, Conn: i}).Allowed {
			admitted = append(admitted, at.Seconds())
		} else {
			refused++
		}
	}
}

func TestRightLimitersKeepTheContract(t *testing.T) {
	for _, l := range simulate.Right() {
		for _, e := range simulate.Documented() {
			t.Run(l.Name+"/"+e.Name, func(t *testing.T) {
				t.Parallel()
				p := e.Policy
				granules := 1.0
				if strings.Contains(l.Name, "by the clock") {
					granules = 2
				}
				fresh := func() simulate.Model {
					return l.New(simulate.Policies([]plan.Endpoint{e}), rand.New(rand.NewPCG(1, 2)))
				}
				start := 3300 * time.Millisecond // anywhere within the server's seconds
				// Traffic at R is never limited, not even after overload.
				m := fresh()
				if _, refused := offer(m, e.Name, start, start+30*time.Second, p.Rate); refused > 0 {
					t.Errorf("at R: %d refused", refused)
				}
				// From rest, just below B for W is not limited.
				m = fresh()
				if _, refused := offer(m, e.Name, start, start+p.Window, 0.97*p.Burst); refused > 0 {
					t.Errorf("at B for W: %d refused", refused)
				}
				for _, times := range []float64{1.2, 2, 4} {
					m = fresh()
					admitted, _ := offer(m, e.Name, start, start+40*time.Second, times*p.Burst)
					bounded(t, p, admitted, granules)
					lasting(t, p, admitted, start.Seconds()+p.Window.Seconds()+12, start.Seconds()+40)
				}
			})
		}
	}
}

// bounded: over any time τ no more than R·τ + E and a granule of one second of R, and no more than B·(⌈τ⌉+1). A limiter
// that counts by the clock has a granule at each end.
func bounded(t *testing.T, p plan.Policy, admitted []float64, granules float64) {
	t.Helper()
	step := max(1, len(admitted)/600)
	for i := 0; i < len(admitted); i += step {
		for j := i; j < len(admitted); j += step {
			tau, n := admitted[j]-admitted[i], float64(j-i+1)
			// The last request of all belongs to the time after it, so one more may be in.
			if most := p.Rate*tau + p.Credit() + granules*p.Rate + 1; n > most+1e-6 {
				t.Fatalf("%v admitted within %.3f s, at most %.1f may be", n, tau, most)
			}
			if most := p.Burst*(math.Ceil(tau)+1) + 1; n > most+1e-6 {
				t.Fatalf("%v admitted within %.3f s, B allows %.1f", n, tau, most)
			}
		}
	}
}

// lasting: after exhaustion R per second get in, no less and no more, whatever is offered.
func lasting(t *testing.T, p plan.Policy, admitted []float64, from, to float64) {
	t.Helper()
	first, _ := slices.BinarySearch(admitted, from)
	last, _ := slices.BinarySearch(admitted, to)
	rate := float64(last-first) / (to - from)
	if rate < 0.985*p.Rate || rate > 1.01*p.Rate {
		t.Errorf("%.2f a second get in after exhaustion, R is %v", rate, p.Rate)
	}
}

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range simulate.Catalogue() {
		if seen[l.Name] || strings.Contains(l.Name, "|") {
			t.Errorf("%q", l.Name)
		}
		if !l.Right && len(l.Rows) == 0 {
			t.Errorf("%q names no row that it breaks", l.Name)
		}
		seen[l.Name] = true
	}
}

func TestTheSameSeedGivesTheSameRun(t *testing.T) {
	trial := simulate.Trial{Limiter: simulate.Right()[0], Network: simulate.Stalls, Endpoints: simulate.Documented()[2:], Seed: 7}
	_, one := trial.Run()
	_, two := trial.Run()
	if !slices.Equal(moments(one.Samples), moments(two.Samples)) {
		t.Error("two runs with the same seed differ")
	}
	trial.Seed = 8
	if _, three := trial.Run(); slices.Equal(moments(one.Samples), moments(three.Samples)) {
		t.Error("two seeds give the same run")
	}
}
