package simulate_test

import (
	"strings"
	"testing"

	"leadconform/load/internal/estimate"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/simulate"
)

// windowPrints is how well limiters with long windows are recognised on one network, all kinds together or one.
type windowPrints struct {
	prints
	length                    []float64 // relative errors
	lengthKnown, ceilingRight int
}

// windowFingerprints measures every kind; the first row of each network is that of all kinds together.
func windowFingerprints(t *testing.T) []windowPrints {
	seeds := 12
	if all, whole := wholeTable(t); whole {
		seeds = all
	}
	var rows []windowPrints
	for _, n := range []simulate.Network{simulate.Still, simulate.Jitter2, simulate.Jitter10} {
		var tasks []func() windowPrints
		for _, k := range simulate.LongKinds() {
			tasks = append(tasks, func() windowPrints { return windowFingerprint(k, n, seeds) })
		}
		kinds := simulate.Together(tasks)
		together := windowPrints{prints: prints{kind: "all", network: n.Name}}
		for _, k := range kinds {
			together.add(k.prints)
			together.length = append(together.length, k.length...)
			together.lengthKnown += k.lengthKnown
			together.ceilingRight += k.ceilingRight
		}
		rows = append(append(rows, together), kinds...)
	}
	return rows
}

func windowFingerprint(k simulate.LongKind, n simulate.Network, seeds int) windowPrints {
	p := windowPrints{prints: prints{kind: k.Name + ", " + k.Length.String(), network: n.Name, seeds: seeds}}
	for seed := range seeds {
		ceiling, e, err := simulate.LongTrial{Kind: k, Network: n, Seed: uint64(seed) + 1}.Run()
		switch {
		case err != nil:
			p.wrong = err.Error()
			continue
		case e.Family == k.Family:
			p.right++
		case p.wrong == "":
			p.wrong = string(e.Family)
		}
		off, known := compare(e.Rate, k.Lasting(ceiling))
		p.rate = append(p.rate, off)
		p.rateKnown += known
		if k.Family == estimate.Bucket {
			continue
		}
		off, known = compare(e.Length, ceiling.Window.Seconds())
		p.length = append(p.length, off)
		p.lengthKnown += known
		if off, _ := compare(e.Ceiling, ceiling.Requests); off == 0 {
			p.ceilingRight++
		}
	}
	return p
}

// windowRecognised is what is promised of long windows: rate and length within 1 % at the 95th percentile, the ceiling to the
// request in 95 of 100 runs; the family right in 99 of 100; each limiter for itself, where seeds are enough; intervals that hold the truth in
// 94 of 100.
func windowRecognised(t *testing.T, p windowPrints) {
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
		t.Errorf("%s, %s: the rate is off by %.2f %% at the 95th percentile", p.kind, p.network, 100*off)
	}
	if off := quantile(p.length, 0.95); off > 0.01 {
		t.Errorf("%s, %s: the length is off by %.2f %% at the 95th percentile", p.kind, p.network, 100*off)
	}
	for what, n := range map[string][2]int{
		"the rate in its interval":   {p.rateKnown, len(p.rate)},
		"the length in its interval": {p.lengthKnown, len(p.length)},
		"the ceiling right":          {p.ceilingRight, len(p.length)},
	} {
		if share := float64(n[0]) / float64(n[1]); n[1] > 0 && share < 0.94 {
			t.Errorf("%s, %s: %s in %.1f %% of runs", p.kind, p.network, what, 100*share)
		}
	}
}

// A target that promises two rates may have a window instead: what is known beforehand misleads then.
func TestFingerprintOfAWindowWhereTwoRatesArePromised(t *testing.T) {
	for _, l := range simulate.Wrong() {
		if !strings.HasPrefix(l.Name, "fixed window of W") {
			continue
		}
		t.Run(l.Name, func(t *testing.T) {
			for seed := range uint64(10) {
				policy, e, err := simulate.FingerprintTrial{Kind: simulate.Kind{Limiter: l}, Network: simulate.Jitter2, Seed: seed}.Run()
				if err != nil {
					t.Errorf("%v: %v", policy, err)
					continue
				}
				holds := policy.Rate
				if strings.Contains(l.Name, "B·W") {
					holds = policy.Burst
				}
				rate, _ := compare(e.Rate, holds)
				length, _ := compare(e.Length, policy.Window.Seconds())
				ceiling, _ := compare(e.Ceiling, holds*policy.Window.Seconds())
				if e.Family != estimate.FixedWindow || rate > 0.01 || length > 0.01 || ceiling > 0.001 {
					t.Errorf("%v: %+v", policy, e)
				}
			}
		})
	}
}

// Of a window that is longer than the run, nothing is guessed.
func TestAWindowLongerThanTheRunIsSaidToBe(t *testing.T) {
	for _, k := range simulate.LongKinds() {
		if k.Family == estimate.Bucket {
			continue
		}
		k.Length = 10 * plan.FingerprintLongest
		ceiling, e, err := simulate.LongTrial{Kind: k, Network: simulate.Jitter2, Seed: 1}.Run()
		if err == nil || !strings.Contains(err.Error(), "two roll-overs have to be seen") {
			t.Errorf("%s, %v: %+v, %v; want that the run is too short", k.Name, ceiling, e, err)
		}
	}
}
