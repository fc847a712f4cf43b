package simulate

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// Ceiling is a limit of the Insertion API: so many requests of a key in a window.
type Ceiling struct {
	Requests float64
	Window   time.Duration
}

// String prints it as a profile would: 100 per 10s.
func (c Ceiling) String() string { return fmt.Sprintf("%g per %v", c.Requests, c.Window) }

// WindowLimiter is a limiter for the Insertion API, right or wrong.
type WindowLimiter struct {
	Name  string
	Right bool
	Rows  []string // that name its fault and have to fail, by the end of their IDs
	New   func(c Ceiling, rng *rand.Rand) Model
}

// clockWindow is a fixed window that the server's clock opens, not the first request.
type clockWindow struct{ longWindow }

func (l *clockWindow) Take(now time.Duration) (bool, time.Duration) {
	l.open = true
	if origin := now.Truncate(l.length); origin != l.origin {
		l.origin, l.n = origin, 0
	}
	return l.longWindow.Take(now)
}

// stuckWindow never rolls over.
type stuckWindow struct{ longWindow }

func (l *stuckWindow) Take(time.Duration) (bool, time.Duration) {
	if l.n+1 > l.ceiling {
		return false, l.length
	}
	l.n++
	return true, 0
}

// pushedWindow begins anew with every refusal.
type pushedWindow struct{ longWindow }

func (l *pushedWindow) Take(now time.Duration) (bool, time.Duration) {
	ok, wait := l.longWindow.Take(now)
	if !ok {
		l.origin = now
		wait = l.length
	}
	return ok, wait
}

// counts of the Insertion API: by key, whatever the path.
func byKey(r Request) count { return count{key: r.Key} }

// windowed is a model of one law for each count.
func windowed(law func(Ceiling) Law, by func(Request) count, advise func(time.Duration) Advice) func(Ceiling, *rand.Rand) Model {
	return func(c Ceiling, rng *rand.Rand) Model {
		m := newPerKey(nil, rng, func(plan.Policy, *rand.Rand) Law { return law(c) })
		m.count, m.advise = by, advise
		return m
	}
}

// headerOnly spells a wait as the Insertion API does.
func headerOnly(wait time.Duration) Advice {
	return Advice{Header: strconv.FormatInt(wholeSeconds(wait), 10)}
}

// WindowCatalogue lists limiters for the Insertion API.
func WindowCatalogue() []WindowLimiter {
	fixed := func(c Ceiling) Law { return &longWindow{ceiling: c.Requests, length: c.Window} }
	clock := func(c Ceiling) Law { return &clockWindow{longWindow{ceiling: c.Requests, length: c.Window}} }
	stuck := func(c Ceiling) Law { return &stuckWindow{longWindow{ceiling: c.Requests, length: c.Window}} }
	pushed := func(c Ceiling) Law { return &pushedWindow{longWindow{ceiling: c.Requests, length: c.Window}} }
	log := func(c Ceiling) Law { return &longLog{Ceiling: c} }
	refill := func(c Ceiling) Law { return &single{newBucket(c.Requests/c.Window.Seconds(), c.Requests)} }
	over := func(mean time.Duration) func(Ceiling, *rand.Rand) Model {
		return func(c Ceiling, rng *rand.Rand) Model {
			return &remote{Model: windowed(fixed, byKey, headerOnly)(c, rng), mean: mean, rng: rng}
		}
	}
	saying := func(advise func(time.Duration) Advice) func(Ceiling, *rand.Rand) Model {
		return windowed(fixed, byKey, advise)
	}
	plus := func(d time.Duration) func(time.Duration) Advice {
		return func(wait time.Duration) Advice { return headerOnly(wait + d) }
	}
	return []WindowLimiter{
		{Name: "fixed window from the first request", Right: true, New: windowed(fixed, byKey, headerOnly)},
		{Name: "fixed window by the clock", Right: true, New: windowed(clock, byKey, headerOnly)},
		{Name: "Redis-shared fixed window, 10 ms", Right: true, New: over(10 * time.Millisecond)},
		{Name: "Redis-shared fixed window, 50 ms", Right: true, New: over(50 * time.Millisecond)},
		{Name: "retry_after in the body too", Right: true, New: saying(honest)},

		{Name: "a count for each path", Rows: []string{"429-03"}, New: windowed(fixed, func(r Request) count { return count{key: r.Key, endpoint: r.Endpoint} }, headerOnly)},
		{Name: "one count for all keys", Rows: []string{"429-04"}, New: windowed(fixed, func(Request) count { return count{} }, headerOnly)},
		{Name: "the internal path unlimited", Rows: []string{"429-03"}, New: func(c Ceiling, rng *rand.Rand) Model {
			return oneWay{windowed(fixed, byKey, headerOnly)(c, rng)}
		}},
		{Name: "the window never rolls over", Rows: []string{"429-05"}, New: windowed(stuck, byKey, headerOnly)},
		{Name: "refusals push the window on", Rows: []string{"429-05"}, New: windowed(pushed, byKey, headerOnly)},
		{Name: "a bucket instead of a window", Rows: []string{"429-05"}, New: windowed(refill, byKey, headerOnly)},
		{Name: "a log instead of a window", Rows: []string{"429-05"}, New: windowed(log, byKey, headerOnly)},
		{Name: "Retry-After: missing", Rows: []string{"429-02"}, New: saying(func(time.Duration) Advice { return Advice{} })},
		{Name: "Retry-After: 0", Rows: []string{"429-02"}, New: saying(adviceFixed("0", ""))},
		{Name: "Retry-After: fractional", Rows: []string{"429-02"}, New: saying(func(wait time.Duration) Advice { return Advice{Header: adviceFraction(wait).Header} })},
		{Name: "Retry-After: a date", Rows: []string{"429-02"}, New: saying(adviceFixed("Fri, 02 Jan 2026 03:04:05 GMT", ""))},
		{Name: "Retry-After: always 1", Rows: []string{"429-06"}, New: saying(adviceFixed("1", ""))},
		{Name: "Retry-After: always 1 on the internal path", Rows: []string{"429-06"}, New: func(c Ceiling, rng *rand.Rand) Model {
			return hasty{windowed(fixed, byKey, headerOnly)(c, rng)}
		}},
		{Name: "Retry-After: too short by 1 s", Rows: []string{"429-06"}, New: saying(plus(-time.Second))},
		{Name: "Retry-After: too long by 2 s", Rows: []string{"429-06"}, New: saying(plus(2 * time.Second))},
		{Name: "Retry-After: too long by 30 s", Rows: []string{"429-06"}, New: saying(plus(30 * time.Second))},
	}
}

// oneWay limits the first path only.
type oneWay struct{ Model }

func (m oneWay) Decide(r Request) Decision {
	if r.Endpoint == InternalPath {
		return Decision{Allowed: true}
	}
	return m.Model.Decide(r)
}

// hasty tells refused requests on the internal path to come back at once.
type hasty struct{ Model }

func (m hasty) Decide(r Request) Decision {
	d := m.Model.Decide(r)
	if r.Endpoint == InternalPath {
		d.Advice = adviceFixed("1", "")(0)
	}
	return d
}

// The two paths that share a count.
const (
	LeadsPath    = "leads"
	InternalPath = "internal"
)

// WindowTrial is one run of the fixed-window experiment against one limiter.
type WindowTrial struct {
	Limiter WindowLimiter
	Network Network
	Ceiling Ceiling
	Stated  time.Duration // the window that the profile states; 0 means the true one
	OnePath bool          // the target doesn't serve the internal path
	Seed    uint64
}

// Run goes through the experiment.
func (t WindowTrial) Run() (judge.Report, *trace.Trace) {
	rng := Trial{Limiter: Limiter{Name: t.Limiter.Name}, Network: t.Network, Seed: t.Seed}.rng()
	f := plan.FixedWindow{Path1: LeadsPath, Path2: InternalPath, SecondKey: true, Window: cmp.Or(t.Stated, t.Ceiling.Window), MaxRate: 400}
	if t.OnePath {
		f.Path2 = ""
	}
	run := Window(f).Run(t.Limiter.New(t.Ceiling, rng), t.Network, Preflight(t.Network, rng), rng)
	return judge.Run(run, judge.Options{}), run
}

// Ceilings on which the fixed-window experiment is measured.
func Ceilings() []Ceiling {
	return []Ceiling{{100, 10 * time.Second}, {600, 60 * time.Second}, {30, 5 * time.Second}, {8, 10 * time.Second}}
}
