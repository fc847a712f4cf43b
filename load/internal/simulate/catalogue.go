package simulate

import (
	"math/rand/v2"
	"time"

	"leadconform/load/internal/plan"
)

// Limiter is a model with a name, and what it is: right or wrong under the contract.
type Limiter struct {
	Name  string
	Right bool
	// New makes it for endpoints with these policies.
	New func(policies map[string]plan.Policy, rng *rand.Rand) Model
	// Rows are those that name its fault and have to fail, by the end of their IDs; none of a right one.
	Rows []string
	// Couples says that it takes several endpoints to see what it does.
	Couples bool
}

// Catalogue lists all limiters for the Lead Distro API.
func Catalogue() []Limiter {
	return append(Right(), Wrong()...)
}

// counting is a model of one count for each key and endpoint under the given law.
func counting(law NewLaw) func(map[string]plan.Policy, *rand.Rand) Model {
	return func(policies map[string]plan.Policy, rng *rand.Rand) Model { return newPerKey(policies, rng, law) }
}

// countingBy is a model whose counts are chosen by the given function.
func countingBy(law NewLaw, by func(Request) count) func(map[string]plan.Policy, *rand.Rand) Model {
	return func(policies map[string]plan.Policy, rng *rand.Rand) Model {
		m := newPerKey(policies, rng, law)
		m.count = by
		return m
	}
}

// advising is a model whose refusals say something else than the whole seconds to wait.
func advising(law NewLaw, advise func(time.Duration) Advice) func(map[string]plan.Policy, *rand.Rand) Model {
	return func(policies map[string]plan.Policy, rng *rand.Rand) Model {
		m := newPerKey(policies, rng, law)
		m.advise = advise
		return m
	}
}

// overStore is a model that asks a shared store before it decides.
func overStore(mean time.Duration) func(map[string]plan.Policy, *rand.Rand) Model {
	return func(policies map[string]plan.Policy, rng *rand.Rand) Model {
		return &remote{Model: newPerKey(policies, rng, quarterBucket), mean: mean, rng: rng}
	}
}

// staleNodes is a model of two nodes that see each other's requests only after a while.
func staleNodes(lag time.Duration) func(map[string]plan.Policy, *rand.Rand) Model {
	return func(policies map[string]plan.Policy, rng *rand.Rand) Model {
		return &twoNodes{newPerKey(policies, rng, func(p plan.Policy, rng *rand.Rand) Law {
			return &shared{dual: *quarterBucket(p, rng).(*dual), lag: lag}
		})}
	}
}

// Right lists limiters that keep the contract, whatever it leaves open.
func Right() []Limiter {
	const second = time.Second
	limiters := []Limiter{
		{Name: "dual bucket, peak depth 50 ms", New: counting(dualBucket(second/4, second/20))},
		{Name: "dual bucket, peak depth 0.25 s", New: counting(quarterBucket)},
		{Name: "dual bucket, peak depth 1 s", New: counting(dualBucket(second/4, second))},
		{Name: "dual bucket, no slack", New: counting(dualBucket(0, second/4))},
		{Name: "dual bucket, all the slack there is", New: counting(dualBucket(second, second))},
		{Name: "GCRA pair", New: counting(newGCRAPair)},
		{Name: "fixed 1 s windows with credit, by the clock", New: counting(fixedWindows(false))},
		{Name: "fixed 1 s windows with credit, from the first request", New: counting(fixedWindows(true))},
		{Name: "sliding log", New: counting(newSlidingLog)},
		{Name: "bucket, and a log for the peak", New: counting(newLoggedPeak)},
		{Name: "sliding counter", New: counting(newSlidingCounter)},
		{Name: "burst timer with cool-down", New: counting(newBurstTimer)},
		{Name: "burst seconds", New: counting(newBurstSeconds)},
		{Name: "base + credit", New: counting(newBasePlusCredit)},
		{Name: "base + credit, back as a whole after 30 s of rest", New: counting(newIdleReset)},
		{Name: "Redis-shared dual bucket, 10 ms", New: overStore(10 * time.Millisecond)},
		{Name: "Redis-shared dual bucket, 50 ms", New: overStore(50 * time.Millisecond)},
		{Name: "two nodes, 10 ms apart", New: staleNodes(10 * time.Millisecond)},
		{Name: "two nodes, 50 ms apart", New: staleNodes(50 * time.Millisecond)},
		{Name: "retry_after a fraction in the body", New: advising(quarterBucket, adviceFractionInBody)},
	}
	for i := range limiters {
		limiters[i].Right = true
	}
	return limiters
}

// Wrong lists limiters that break the contract.
func Wrong() []Limiter {
	const second = time.Second
	limiters := variations()
	return append(limiters, []Limiter{
		{Name: "no burst", Rows: []string{"BURST"}, New: counting(noBurst)},
		{Name: "cold start: no credit at first", Rows: []string{"BURST"}, New: counting(coldBucket)},
		{Name: "no limit", Rows: []string{"STEADY"}, New: counting(func(plan.Policy, *rand.Rand) Law { return unlimited{} })},
		{Name: "single bucket", Rows: []string{"PEAK"}, New: counting(singleBucket)},
		{Name: "peak not policed once half of the credit is gone", Rows: []string{"PEAK"}, New: counting(loosePeak(func(_ time.Duration, left float64) bool { return left > 0.5 }))},
		{Name: "peak not policed for 2.5 s", Rows: []string{"PEAK"}, New: counting(loosePeak(func(age time.Duration, _ float64) bool { return age > 2500*time.Millisecond }))},
		{Name: "per IP", Rows: []string{"SUSTAIN", "KEY"}, New: countingBy(quarterBucket, func(r Request) count { return count{endpoint: r.Endpoint} })},
		{Name: "shared across endpoints", Rows: []string{"LIM-ENDPOINT"}, New: func(policies map[string]plan.Policy, rng *rand.Rand) Model {
			return &coupled{newPerKey(policies, rng, quarterBucket)}
		}, Couples: true},
		{Name: "a refusal shuts the key out elsewhere for 1 s", Rows: []string{"LIM-ENDPOINT"}, New: func(policies map[string]plan.Policy, rng *rand.Rand) Model {
			return &lockout{newPerKey(policies, rng, quarterBucket), second, make(map[count]time.Duration)}
		}, Couples: true},
		{Name: "two nodes, each with the full limit", Rows: []string{"STEADY"}, New: countingBy(quarterBucket, func(r Request) count {
			return count{key: r.Key, endpoint: r.Endpoint, node: r.Conn % 2}
		})},
		{Name: "a limit per connection", Rows: []string{"STEADY"}, New: countingBy(quarterBucket, func(r Request) count {
			return count{key: r.Key, endpoint: r.Endpoint, node: r.Conn}
		})},
		{Name: "rejects charged", Rows: []string{"FLOOR"}, New: counting(func(p plan.Policy, rng *rand.Rand) Law {
			return &charging{*quarterBucket(p, rng).(*dual)}
		})},
		{Name: "refusals above B cost credit", Rows: []string{"FLOOR"}, New: counting(func(p plan.Policy, rng *rand.Rand) Law {
			return &costly{*quarterBucket(p, rng).(*dual)}
		})},
		{Name: "penalty box, 2 s", Rows: []string{"FLOOR"}, New: counting(penaltyBox(2*second, false))},
		{Name: "penalty box, 5 s, extended", Rows: []string{"FLOOR"}, New: counting(penaltyBox(5*second, true))},
		{Name: "burst never comes back", Rows: []string{"RECOVER"}, New: counting(neverBack)},
		{Name: "queue instead of reject", Rows: []string{"STEADY"}, New: func(policies map[string]plan.Policy, rng *rand.Rand) Model {
			return &queueing{perKey: newPerKey(policies, rng, quarterBucket), patience: time.Hour, ahead: make(map[count]time.Duration)}
		}},
		{Name: "queue up to 3 s, then reject", Rows: []string{"STEADY"}, New: func(policies map[string]plan.Policy, rng *rand.Rand) Model {
			return &queueing{perKey: newPerKey(policies, rng, quarterBucket), patience: 3 * second, ahead: make(map[count]time.Duration)}
		}},
		{Name: "fixed window of W, B·W in it", Rows: []string{"STEADY"}, New: counting(windowOf(func(p plan.Policy) float64 { return p.Burst }))},
		{Name: "fixed window of W, R·W in it", Rows: []string{"BURST"}, New: counting(windowOf(func(p plan.Policy) float64 { return p.Rate }))},
		{Name: "2 % refused at random", Rows: []string{"SUSTAIN"}, New: func(policies map[string]plan.Policy, rng *rand.Rand) Model {
			return &random{Model: newPerKey(policies, rng, quarterBucket), share: 0.02, rng: rng}
		}},
		{Name: "Retry-After: no header", Rows: []string{"429-05"}, New: advising(quarterBucket, adviceWithout(true, false))},
		{Name: "Retry-After: not in the body", Rows: []string{"429-04"}, New: advising(quarterBucket, adviceWithout(false, true))},
		{Name: "Retry-After: missing", Rows: []string{"429-05"}, New: advising(quarterBucket, adviceWithout(true, true))},
		{Name: "Retry-After: 0", Rows: []string{"429-05"}, New: advising(quarterBucket, adviceFixed("0", "0"))},
		{Name: "Retry-After: fractional header", Rows: []string{"429-05"}, New: advising(quarterBucket, adviceFraction)},
		{Name: "Retry-After: body a string", Rows: []string{"429-04"}, New: advising(quarterBucket, adviceFixed("1", `"1"`))},
		{Name: "Retry-After: too short", Rows: []string{"429-07"}, New: advising(penaltyBox(3*second, true), adviceFixed("1", "1"))},
		{Name: "Retry-After: too long", Rows: []string{"429-09"}, New: advising(quarterBucket, adviceLonger(5*second))},
		{Name: "Retry-After: an hour", Rows: []string{"429-09"}, New: advising(quarterBucket, adviceLonger(time.Hour))},
		{Name: "Retry-After: header ≠ body", Rows: []string{"429-06"}, New: advising(quarterBucket, adviceFixed("1", "2"))},
	}...)
}

// variations are limiters whose figures are off, on two laws that behave differently.
func variations() []Limiter {
	laws := []struct {
		name string
		law  NewLaw
	}{
		{"dual bucket", quarterBucket},
		{"fixed windows", fixedWindows(true)},
	}
	changes := []struct {
		name   string
		change func(plan.Policy) plan.Policy
		row    string
	}{
		{"R × 0.90", rateTimes(0.90), "FLOOR"},
		{"R × 0.95", rateTimes(0.95), "FLOOR"},
		{"R × 1.05", rateTimes(1.05), "STEADY"},
		{"R × 1.10", rateTimes(1.10), "STEADY"},
		{"R × 1.20", rateTimes(1.20), "STEADY"},
		{"B × 0.75", burstTimes(0.75), "FLOOR"},
		{"B × 0.90", burstTimes(0.90), "FLOOR"},
		{"B × 0.95", burstTimes(0.95), "FLOOR"},
		{"B × 1.05", burstTimes(1.05), "PEAK"},
		{"B × 1.10", burstTimes(1.10), "PEAK"},
		{"B × 1.50", burstTimes(1.50), "PEAK"},
		{"W × 0.50", windowTimes(0.50), "BURST"},
		{"W × 0.80", windowTimes(0.80), "BURST"},
		{"W × 1.50", windowTimes(1.50), "WINDOW"},
		{"W × 2.00", windowTimes(2.00), "WINDOW"},
	}
	var all []Limiter
	for _, c := range changes {
		for _, l := range laws {
			all = append(all, Limiter{Name: c.name + ", " + l.name, Rows: []string{c.row}, New: counting(scaled(l.law, c.change))})
		}
	}
	return all
}
