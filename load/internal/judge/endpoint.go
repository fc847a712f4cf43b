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
	burst   *phase               // A1 for what is judged by it alone; phase[A1] is the one that A2 follows
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
	e.burst = e.at(plan.A1, e.soundAttempt(plan.A1))
	for _, group := range [][]plan.Name{
		{plan.A1, plan.A2}, {plan.B1}, {plan.B3}, {plan.C}, {plan.Apart},
		{plan.Wait, plan.Refill, plan.Sparse},
		{plan.Twin1, plan.Twin2},
	} {
		attempt := e.soundAttempt(group...)
		for _, n := range group {
			if p := e.at(n, attempt); p != nil {
				e.phase[n] = p
			}
		}
	}
	e.steady = e.findSteady()
	return e
}

// soundAttempt is the first attempt in which all of these phases are sound, or the first of all if none is. Phases that
// belong together come from the same attempt. Where one was repeated on account of another, the earlier one counts: its
// key was fresh, and a failure that was seen well isn't undone because something else was not.
func (e *evidence) soundAttempt(names ...plan.Name) int {
	sound := func(attempt int) bool {
		return !slices.ContainsFunc(names, func(n plan.Name) bool {
			p := e.at(n, attempt)
			return p == nil || len(p.samples) == 0 || len(p.guard.faults()) > 0
		})
	}
	last := 0
	for _, p := range e.attempts {
		last = max(last, p.Attempt)
	}
	for attempt := range last + 1 {
		if sound(attempt) {
			return attempt
		}
	}
	return 0
}

// at is an attempt at a phase; nil if there is none.
func (e *evidence) at(n plan.Name, attempt int) *phase {
	i := slices.IndexFunc(e.attempts, func(p *phase) bool { return p.Name == n && p.Attempt == attempt })
	if i < 0 {
		return nil
	}
	return e.attempts[i]
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
	return e.findingOn(e.phase, row, clause, names...)
}

// burstFinding begins a finding that rests on the burst of a rested key alone.
func (e *evidence) burstFinding(row, clause string) (f Finding, ok bool) {
	return e.findingOn(map[plan.Name]*phase{plan.A1: e.burst}, row, clause, plan.A1)
}

func (e *evidence) findingOn(attempts map[plan.Name]*phase, row, clause string, names ...plan.Name) (f Finding, ok bool) {
	f = Finding{Row: row, Endpoint: e.Name, Clause: clause}
	for _, n := range names {
		p := attempts[n]
		if p == nil || len(p.samples) == 0 {
			return f.notAssessed("phase %s was not run", n), false
		}
		e.noteRepetition(&f, p)
		f.phases = append(f.phases, p)
	}
	return f.guarded()
}

// noteRepetition says why a phase that the finding rests on is not the first attempt at it.
func (e *evidence) noteRepetition(f *Finding, p *phase) {
	first := e.at(p.Name, 0)
	if p.Attempt == 0 || first == nil {
		return
	}
	if faults := first.guard.faults(); len(faults) > 0 {
		f.note("phase %s was repeated after a rest, as client or network spoilt the first attempt: %s", p.Name, strings.Join(faults, "; "))
	}
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
		if len(p.guard.faults()) > 0 {
			return f.notAssessed("%s", p.tooNoisy()), false
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
