package judge

import (
	"math"
	"slices"
	"strings"

	"leadconform/load/internal/plan"
)

// evidence is what a trace shows of one endpoint under the two-rate experiment.
type evidence struct {
	plan.Endpoint
	jitter  float64 // σ̂, seconds
	peak    plan.Peak
	phase   map[plan.Name]*phase // the attempt of each that counts
	recover []*phase             // every attempt of B3 that was run
	steady  steady

	attempts []*phase
}

// steady is what was found out of the rate after exhaustion.
type steady struct {
	rate      float64 // R̂, requests per second
	from, to  float64 // where it was counted
	exhausted bool    // whether what got in fell off the burst at all
}

// gather collects what clauses need to know of an endpoint.
func gather(all []*phase, endpoint plan.Endpoint, jitter float64, o Options) *evidence {
	e := &evidence{Endpoint: endpoint, jitter: jitter, peak: o.Peak, phase: make(map[plan.Name]*phase)}
	for _, p := range all {
		if p.Endpoint != endpoint.Name {
			continue
		}
		e.attempts = append(e.attempts, p)
		if p.Name == plan.B3 && len(p.samples) > 0 {
			e.recover = append(e.recover, p)
		}
	}
	e.choose(plan.A1, plan.A2, plan.C)
	e.choose(plan.B1, plan.B3)
	e.choose(plan.Wait, plan.Refill, plan.Sparse)
	e.choose(plan.Twin1, plan.Twin2)
	e.steady = e.findSteady()
	return e
}

// choose takes, of phases that belong together, the last attempt that is sound, or the first if none is: a second attempt
// may suffer from what the first left behind. Phases of different attempts don't mix.
func (e *evidence) choose(names ...plan.Name) {
	sound := make(map[int]bool)
	for _, p := range e.attempts {
		if !slices.Contains(names, p.Name) {
			continue
		}
		if _, known := sound[p.Attempt]; !known {
			sound[p.Attempt] = true
		}
		if len(p.samples) == 0 || len(p.guard.faults()) > 0 {
			sound[p.Attempt] = false
		}
	}
	best := 0
	for attempt, ok := range sound {
		// An attempt at B3 alone says nothing of B1.
		if ok && attempt > best && e.whole(attempt, names) {
			best = attempt
		}
	}
	for _, p := range e.attempts {
		if p.Attempt == best && slices.Contains(names, p.Name) {
			e.phase[p.Name] = p
		}
	}
}

// whole reports whether all of these phases have such an attempt.
func (e *evidence) whole(attempt int, names []plan.Name) bool {
	for _, n := range names {
		if !slices.ContainsFunc(e.attempts, func(p *phase) bool { return p.Name == n && p.Attempt == attempt }) {
			return false
		}
	}
	return true
}

// repeated reports whether a phase was run again.
func (e *evidence) repeated(n plan.Name) bool {
	return slices.ContainsFunc(e.attempts, func(p *phase) bool { return p.Name == n && p.Attempt > 0 })
}

// findSteady counts R̂ on the plateau of A2: the last part of it, which begins after the most generous limiter that
// conforms has used up its credit. Where the credit lasts longer, the plateau begins when it ends, as long as three
// seconds are left; else the limiter never fell off the burst, and the whole plateau shows so.
func (e *evidence) findSteady() steady {
	a2 := e.phase[plan.A2]
	if a2 == nil || len(a2.samples) == 0 {
		return steady{}
	}
	p := e.Policy
	s := steady{to: a2.end, exhausted: true}
	s.from = s.to - p.Counted().Seconds()
	reached := (p.Rate + min(p.Overload(), p.Burst)) / 2
	fell := lastDense(a2.admitted, reached)
	const least = 3 // seconds
	switch {
	case fell > s.to-least:
		s.exhausted = false
	case fell > s.from:
		s.from = fell
	}
	s.rate = Trapezoid(a2.admitted, s.from, s.to)
	return s
}

// row is the ID of a limits row of this endpoint.
func (e *evidence) row(name string) string {
	return "LD-LIM-" + strings.ToUpper(e.Name) + "-" + name
}

// limited reports whether the endpoint refused anything in these phases.
func (e *evidence) limited(names ...plan.Name) bool {
	for _, n := range names {
		if p := e.phase[n]; p != nil && len(p.refused) > 0 {
			return true
		}
	}
	return false
}

// finding begins a finding that rests on these phases. ok is false if one of them is missing or unsound; the finding
// then says so.
func (e *evidence) finding(row, clause string, names ...plan.Name) (f Finding, ok bool) {
	f = Finding{Row: row, Endpoint: e.Name, Clause: clause}
	for _, n := range names {
		p := e.phase[n]
		if p == nil || len(p.samples) == 0 {
			return f.notAssessed("phase %s was not run", n), false
		}
		f.phases = append(f.phases, p)
	}
	return f.guarded()
}

// guarded makes a finding not assessed if one of its phases is unsound.
func (f Finding) guarded() (Finding, bool) {
	for _, p := range f.phases {
		if len(p.guard.other) > 0 {
			return f.notAssessed("phase %s met answers that are neither a success nor a refusal: %s",
				p.Name, strings.Join(p.guard.other, "; ")), false
		}
	}
	for _, p := range f.phases {
		if faults := p.guard.faults(); len(faults) > 0 {
			return f.notAssessed("client or network too noisy (phase %s: %s)", p.Name, strings.Join(faults, "; ")), false
		}
	}
	return f, true
}

// noLimit is the reason why what is never limited proves nothing.
const noLimit = "the run met no limit at all, and without one this proves nothing"

// steadyRate is R̂ where the limiter fell off the burst, and R where it didn't.
func (e *evidence) steadyRate() float64 {
	if !e.steady.exhausted || e.steady.rate == 0 || math.IsNaN(e.steady.rate) {
		return e.Policy.Rate
	}
	return e.steady.rate
}
