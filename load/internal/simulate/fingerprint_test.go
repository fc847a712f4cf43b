package simulate_test

import (
	"math"
	"slices"
	"testing"

	"leadconform/load/internal/estimate"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/simulate"
)

// prints is how well limiters are recognised on one network, all kinds together or one.
type prints struct {
	kind, network         string
	seeds, right          int
	rate, burst           []float64 // relative errors
	rateKnown, burstKnown int       // how often the truth lay in the interval
	wrong                 string    // the first family that was taken for another
}

// fingerprints measures every kind on the networks for which the estimate is promised; the first row of each network
// is that of all kinds together.
func fingerprints(t *testing.T) []prints {
	seeds := 12
	if all, whole := wholeTable(t); whole {
		seeds = all
	}
	var rows []prints
	for _, n := range []simulate.Network{simulate.Still, simulate.Jitter2, simulate.Jitter10} {
		var tasks []func() prints
		for _, k := range simulate.Kinds() {
			tasks = append(tasks, func() prints { return fingerprint(k, n, seeds) })
		}
		kinds := simulate.Together(tasks)
		together := prints{kind: "all", network: n.Name}
		for _, k := range kinds {
			together.add(k)
		}
		rows = append(append(rows, together), kinds...)
	}
	return rows
}

func fingerprint(k simulate.Kind, n simulate.Network, seeds int) prints {
	p := prints{kind: k.Limiter.Name, network: n.Name, seeds: seeds}
	for seed := range seeds {
		policy, e, err := simulate.FingerprintTrial{Kind: k, Network: n, Seed: uint64(seed) + 1}.Run()
		switch {
		case err != nil:
			p.wrong = err.Error()
			continue
		case e.Family == k.Family:
			p.right++
		case p.wrong == "":
			p.wrong = string(e.Family)
		}
		if k.Family != estimate.Unlimited {
			off, known := compare(e.Rate, policy.Rate)
			p.rate = append(p.rate, off)
			p.rateKnown += known
		}
		if !k.NoPeak {
			off, known := compare(e.Burst, policy.Burst)
			p.burst = append(p.burst, off)
			p.burstKnown += known
		}
	}
	return p
}

// compare returns the relative error of an estimate, and 1 if the truth lies in its interval.
func compare(v *estimate.Value, truth float64) (off float64, known int) {
	if v == nil {
		return 1, 0
	}
	if v.Low <= truth && truth <= v.High {
		known = 1
	}
	return math.Abs(v.Value/truth - 1), known
}

func (p *prints) add(other prints) {
	p.seeds += other.seeds
	p.right += other.right
	p.rate = append(p.rate, other.rate...)
	p.burst = append(p.burst, other.burst...)
	p.rateKnown += other.rateKnown
	p.burstKnown += other.burstKnown
}

// recognised is what is promised: R within 1 %, B within 3 % at the 95th percentile; the family right in 99 of 100; intervals
// that hold the truth in 94 of 100. Each limiter has to keep that for itself, where there are seeds enough to tell.
func recognised(t *testing.T, p prints) {
	t.Helper()
	share, least := float64(p.right)/float64(p.seeds), 0.97
	if p.kind == "all" || p.seeds >= 100 {
		least = 0.99
	}
	if share < least-1e-9 {
		t.Errorf("%s, %s: family right in %d of %d runs; once it was taken for: %s", p.kind, p.network, p.right, p.seeds, p.wrong)
	}
	if p.kind != "all" && p.seeds < 100 {
		return
	}
	if off := quantile(p.rate, 0.95); off > 0.01 {
		t.Errorf("%s, %s: R off by %.2f %% at the 95th percentile", p.kind, p.network, 100*off)
	}
	if off := quantile(p.burst, 0.95); off > 0.03 {
		t.Errorf("%s, %s: B off by %.2f %% at the 95th percentile", p.kind, p.network, 100*off)
	}
	if share := float64(p.rateKnown) / float64(len(p.rate)); share < 0.94 {
		t.Errorf("%s, %s: R in its interval in %.1f %% of runs", p.kind, p.network, 100*share)
	}
	if share := float64(p.burstKnown) / float64(len(p.burst)); share < 0.94 {
		t.Errorf("%s, %s: B in its interval in %.1f %% of runs", p.kind, p.network, 100*share)
	}
}

func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// Where nothing is known of the policy, the overload is found by doubling first.
func TestFingerprintOfTheUnknown(t *testing.T) {
	kinds := simulate.Kinds()
	if raceDetector {
		kinds = kinds[:2]
	}
	for _, k := range kinds {
		t.Run(k.Limiter.Name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(2) {
				policy, e, err := simulate.FingerprintTrial{Kind: k, Network: simulate.Jitter2, Seed: seed, Unknown: true}.Run()
				if err != nil {
					t.Fatal(err)
				}
				if e.Family != k.Family {
					t.Errorf("%v: taken for %s, is %s", policy, e.Family, k.Family)
				}
				if off, _ := compare(e.Rate, policy.Rate); k.Family != estimate.Unlimited && off > 0.02 {
					t.Errorf("%v: R = %v", policy, e.Rate)
				}
			}
		})
	}
}

func TestOverloadIsOdd(t *testing.T) {
	f := plan.Known("ingest", plan.Policy{Rate: 100, Burst: 200, Window: 10e9})
	if f.Load != 400.5 || f.Length != 19e9 {
		t.Errorf("overload of %v/s for %v", f.Load, f.Length)
	}
}
