package simulate

import (
	"math"
	"math/rand/v2"
	"time"

	"leadconform/load/internal/estimate"
	"leadconform/load/internal/plan"
)

// Kind is a limiter whose fingerprint is taken, and what it is.
type Kind struct {
	Limiter Limiter
	Family  estimate.Family
	NoPeak  bool // it doesn't bound the burst rate
}

// Kinds lists limiters of every family.
func Kinds() []Kind {
	single := Limiter{Name: "single bucket", New: counting(singleBucket)}
	none := Limiter{Name: "no limit", New: counting(func(plan.Policy, *rand.Rand) Law { return unlimited{} })}
	queue := Limiter{Name: "queue instead of reject", New: func(policies map[string]plan.Policy, rng *rand.Rand) Model {
		return &queueing{perKey: newPerKey(policies, rng, quarterBucket), patience: time.Hour, ahead: make(map[count]time.Duration)}
	}}
	family := map[string]estimate.Family{
		"fixed 1 s windows with credit, by the clock":           estimate.FixedWindow,
		"fixed 1 s windows with credit, from the first request": estimate.FixedWindow,
		"burst timer with cool-down":                            estimate.FixedWindow,
		"burst seconds":                                         estimate.FixedWindow,
		"sliding log":                                           estimate.SlidingWindow,
	}
	var kinds []Kind
	for _, l := range Right() {
		f, ok := family[l.Name]
		if !ok {
			f = estimate.Bucket
		}
		kinds = append(kinds, Kind{Limiter: l, Family: f})
	}
	return append(kinds,
		Kind{Limiter: single, Family: estimate.Bucket, NoPeak: true},
		Kind{Limiter: none, Family: estimate.Unlimited, NoPeak: true},
		Kind{Limiter: queue, Family: estimate.Queueing, NoPeak: true},
	)
}

// FingerprintTrial is one fingerprint of one limiter under a policy drawn at random.
type FingerprintTrial struct {
	Kind    Kind
	Network Network
	Seed    uint64
	Unknown bool // whether nothing is known of the policy beforehand
}

// Policy draws the trial's policy: R from 10 to 500 a second, B one and a half to three times that, W from 4 to 12 s.
func (t FingerprintTrial) policy(rng *rand.Rand) plan.Policy {
	rate := math.Round(10 * math.Pow(50, rng.Float64()))
	return plan.Policy{
		Rate:   rate,
		Burst:  math.Round(rate * (1.5 + 1.5*rng.Float64())),
		Window: time.Duration(4+rng.IntN(9)) * time.Second,
	}
}

// Run takes the fingerprint.
func (t FingerprintTrial) Run() (plan.Policy, estimate.Estimate, error) {
	const name = "any"
	rng := Trial{Limiter: t.Kind.Limiter, Network: t.Network, Seed: t.Seed}.rng()
	policy := t.policy(rng)
	preflight := Preflight(t.Network, rng)
	f := plan.Known(name, policy)
	if t.Unknown {
		f = plan.Fingerprint{Endpoint: name, MaxRate: 4000, Rest: plan.FingerprintRest, Length: plan.FingerprintLength}
	}
	e := Experiment{
		Plan:    plan.Plan{Endpoints: []plan.Endpoint{{Name: name, Policy: policy}}, Phases: f.Phases()},
		Scripts: []Scripted{{Script: plan.NewFingerprintScript(f, 0), After: -1}},
	}
	model := t.Kind.Limiter.New(map[string]plan.Policy{name: policy}, rng)
	run := e.Run(model, t.Network, preflight, rng)
	found, err := estimate.Fingerprint(run, name)
	return policy, found, err
}
