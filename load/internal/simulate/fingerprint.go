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

// LongKind is a limiter that counts in windows longer than a second, and what it is.
type LongKind struct {
	Name   string
	Family estimate.Family
	Length time.Duration
	least  float64 // the smallest ceiling that it is drawn with
	law    func(Ceiling) Law
}

// LongKinds lists limiters that count in long windows, and some that might be taken for them. None bounds the rate within
// a window.
func LongKinds() []LongKind {
	var kinds []LongKind
	for _, length := range []time.Duration{10 * time.Second, time.Minute} {
		kinds = append(kinds,
			LongKind{Name: "fixed window from the first request", Family: estimate.FixedWindow, Length: length, least: 30, law: func(c Ceiling) Law {
				return &longWindow{ceiling: c.Requests, length: c.Window}
			}},
			LongKind{Name: "fixed window by the clock", Family: estimate.FixedWindow, Length: length, least: 30, law: func(c Ceiling) Law {
				return &clockWindow{longWindow{ceiling: c.Requests, length: c.Window}}
			}},
			LongKind{Name: "sliding log", Family: estimate.SlidingWindow, Length: length, least: 30, law: func(c Ceiling) Law { return &longLog{Ceiling: c} }},
			LongKind{Name: "bucket", Family: estimate.Bucket, Length: length, least: 3 * length.Seconds(), law: func(c Ceiling) Law {
				return &single{newBucket(c.Requests/c.Window.Seconds(), c.Requests)}
			}},
			LongKind{Name: "sliding counter", Family: estimate.Bucket, Length: length, least: 3 * length.Seconds(), law: func(c Ceiling) Law { return &longCounter{Ceiling: c} }},
		)
	}
	return kinds
}

// Lasting is the rate at which requests get in for ever, under a constant overload. A sliding counter that counts the request
// that it decides on lets in one less than its ceiling in each window: only as a window ends is there room for the last.
func (k LongKind) Lasting(c Ceiling) float64 {
	n := c.Requests
	if _, counter := k.law(c).(*longCounter); counter {
		n--
	}
	return n / c.Window.Seconds()
}

// longLog remembers the requests admitted within the last window.
type longLog struct {
	Ceiling
	log []time.Duration
}

func (l *longLog) Take(now time.Duration) (bool, time.Duration) {
	for len(l.log) > 0 && l.log[0] <= now-l.Window {
		l.log = l.log[1:]
	}
	if float64(len(l.log))+1 > l.Requests {
		return false, l.log[0] + l.Window - now
	}
	l.log = append(l.log, now)
	return true, 0
}

// longCounter estimates the last window's requests from the present window of the clock and, in proportion, the one before.
type longCounter struct {
	Ceiling
	window      time.Duration // number of the present window
	now, before float64
}

func (l *longCounter) Take(now time.Duration) (bool, time.Duration) {
	switch window := now / l.Window; window - l.window {
	case 0:
	case 1:
		l.window, l.before, l.now = window, l.now, 0
	default:
		l.window, l.before, l.now = window, 0, 0
	}
	left := 1 - float64(now%l.Window)/float64(l.Window)
	if l.now+l.before*left+1 > l.Requests {
		return false, l.Window - now%l.Window
	}
	l.now++
	return true, 0
}

// LongTrial is one fingerprint of a limiter with long windows, of which nothing is known beforehand, as of an endpoint of the
// Insertion API.
type LongTrial struct {
	Kind    LongKind
	Network Network
	Seed    uint64
}

// Run takes the fingerprint of the kind with a ceiling drawn at random: from 30 (of the even ones, three a second) to 2000
// requests.
func (t LongTrial) Run() (Ceiling, estimate.Estimate, error) {
	rng := Trial{Limiter: Limiter{Name: t.Kind.Name + t.Kind.Length.String()}, Network: t.Network, Seed: t.Seed}.rng()
	ceiling := Ceiling{Requests: math.Round(t.Kind.least * math.Pow(2000/t.Kind.least, rng.Float64())), Window: t.Kind.Length}
	f := plan.Fingerprint{Endpoint: LeadsPath, MaxRate: 400, Rest: plan.FingerprintRest, Length: plan.FingerprintLength}
	model := windowed(t.Kind.law, byKey, headerOnly)(ceiling, rng)
	found, err := fingerprint(f, plan.Policy{}, model, t.Network, rng)
	return ceiling, found, err
}

// fingerprint runs the script, and estimates.
func fingerprint(f plan.Fingerprint, p plan.Policy, m Model, n Network, rng *rand.Rand) (estimate.Estimate, error) {
	preflight := Preflight(n, rng)
	e := Experiment{
		Plan:    plan.Plan{Endpoints: []plan.Endpoint{{Name: f.Endpoint, Policy: p}}, Phases: f.Phases()},
		Scripts: []Scripted{{Script: plan.NewFingerprintScript(f, 0), After: -1}},
	}
	return estimate.Fingerprint(e.Run(m, n, preflight, rng), f.Endpoint)
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
	f := plan.Known(name, policy)
	if t.Unknown {
		f = plan.Fingerprint{Endpoint: name, MaxRate: 4000, Rest: plan.FingerprintRest, Length: plan.FingerprintLength}
	}
	model := t.Kind.Limiter.New(map[string]plan.Policy{name: policy}, rng)
	found, err := fingerprint(f, policy, model, t.Network, rng)
	return policy, found, err
}
