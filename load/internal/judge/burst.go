package judge

import (
	"fmt"
	"math"
	"slices"

	"leadconform/load/internal/plan"
)

// burstAdmitted: from rest, traffic just below B for W is not limited (LD-LIM-E-BURST).
//
// A few refusals are granted, since jitter moves requests from one second into the next: max(4, 0.3 %).
func burstAdmitted(e *evidence) Finding {
	f, ok := e.burstFinding(e.row("BURST"), "from rest, just below B for W: refusals")
	switch {
	case !ok:
		return f
	case !e.limited(plan.A1, plan.A2, plan.B1):
		return f.notAssessed(noLimit)
	}
	a1 := e.burst
	n := float64(len(a1.samples))
	limit := burstGrant(a1)
	f.Detectable = fmt.Sprintf("a burst rate below %.4g/s, a credit of less than %.4g requests",
		a1.Rate-(limit+1)/e.Policy.Window.Seconds(), n-e.Policy.Rate*e.Policy.Window.Seconds()-limit-1)
	f = f.judged(float64(len(a1.refused)), AtMost(limit), fmt.Sprintf("of %.0f requests within the burst allowance, too many were refused", n))
	return e.unlessBunched(f, a1, limit)
}

// unlessBunched makes a failure on refusals below B not assessed if the network may have caused it: a path that holds
// requests up for some milliseconds, and then delivers them together, takes a second above B which was sent below it. How
// they arrived is not known, but when their answers did, and what a log of the last second would have refused of that.
// Where requests are few, the jitter alone may put one more into a second, and burstGrant allows for it.
func (e *evidence) unlessBunched(f Finding, p *phase, limit float64) Finding {
	if f.Verdict != Fail || e.Policy.Burst < plan.SparseBelow {
		return f
	}
	received := make([]float64, len(p.samples))
	for i, s := range p.samples {
		received[i] = s.Received.Seconds()
	}
	slices.Sort(received)
	if bunched := refusedByLog(received, e.Policy.Burst); float64(len(p.refused)) <= limit+float64(bunched) {
		return f.notAssessed("client or network too noisy (phase %s: up to %d of %d refusals are due to answers that came in bunches)", p.Name, bunched, len(p.refused))
	}
	return f
}

// burstGrant is how many refusals A1 may meet.
func burstGrant(a1 *phase) float64 { return math.Floor(max(4, 0.003*float64(len(a1.samples)))) }

// creditWhole: the credit is E, at least (LD-LIM-E-BURST). D is what was admitted since the key's first request; D-R̂t
// rises to the credit while it is used up. Emax is the larger of the maxima of its mean over 0.2 s on A, which is used
// up in two steps, and over 1 s on B, which is used up in one, bunched by whatever windows the limiter keeps.
func creditWhole(e *evidence) Finding {
	f, ok := e.finding(e.row("BURST"), "Emax: requests admitted beyond R", plan.A1, plan.A2, plan.B1)
	switch {
	case !ok:
		return f
	case !e.limited(plan.A2, plan.B1):
		return f.notAssessed(noLimit)
	}
	p := e.Policy
	a1, a2, b1 := e.phase[plan.A1], e.phase[plan.A2], e.phase[plan.B1]
	onA := mostExcess(join(a1.admitted, a2.admitted), e.steadyRate(), a1.begin, a1.begin, a2.end, 0.2)
	onB := e.creditOn(b1)
	margin := e.creditMargin(b1)
	f.Detectable = fmt.Sprintf("a credit below %.4g requests: W shorter by %.2g %%",
		p.Credit()-margin, 100*margin/max(1, p.Credit()))
	f = f.judged(max(onA, onB), AtLeast(p.Credit()-margin), "the burst allowance is too small")
	if first := e.at(plan.A1, 0); f.Verdict == Pass && first != nil && first != e.burst && !(e.ownKeyAtFirst(b1) && onB >= p.Credit()-margin) {
		return f.notAssessed("%s: the burst allowance was seen again after a short rest, but not at a key's first use; a new run would decide",
			first.tooNoisy())
	}
	return f
}

// creditOn is Emax of B1; -Inf if B1 is shorter than a second.
func (e *evidence) creditOn(b1 *phase) float64 {
	return mostExcess(b1.admitted, e.steadyRate(), b1.begin, b1.begin, b1.end, 1)
}

// creditMargin is by how much Emax may fall short of E.
func (e *evidence) creditMargin(b1 *phase) float64 {
	return 0.25*e.Policy.Rate + 0.01*e.Policy.Credit() + 1 + 0.5*b1.noise(e.jitter)
}

// creditUncharged: what is refused far above B costs nothing of the credit (LD-LIM-E-FLOOR): B1, which is refused from its
// first second on, gets all of it. Of a key that was used shortly before, nothing is known: ok is false.
func creditUncharged(e *evidence) (f Finding, ok bool) {
	f, ok = e.finding(e.row("FLOOR"), "Emax of B1 alone: requests admitted beyond R", plan.A1, plan.A2, plan.B1)
	if !ok {
		return f, true
	}
	b1 := e.phase[plan.B1]
	rested := b1.Attempt > 0 && b1.begin-e.lastBefore(b1) >= plan.RepeatRest.Seconds()-1
	if !rested && !e.ownKeyAtFirst(b1) {
		return f, false
	}
	if len(b1.refused) == 0 {
		return f.notAssessed(noLimit), true
	}
	least := e.Policy.Credit() - e.creditMargin(b1)
	f.Detectable = fmt.Sprintf("a credit below %.4g requests under refusals", least)
	return f.judged(e.creditOn(b1), AtLeast(least), "far above the burst rate the burst allowance is too small"), true
}

// ownKeyAtFirst reports whether this is what B's key was first asked for, and another key than A's: A's was in use for the
// first time meanwhile.
func (e *evidence) ownKeyAtFirst(b1 *phase) bool {
	a2 := e.at(plan.A2, 0)
	return a2 != nil && b1.begin < a2.end
}

// creditBounded: beyond W at B, limiting sets in (LD-LIM-E-WINDOW). Emin is the minimum of D-R̂t over the last two
// seconds of A, when the credit is used up: what the limiter ever let in beyond its steady rate. One second of R is
// legitimate granularity. Where the limiter never fell off the burst, R stands for R̂.
func creditBounded(e *evidence) Finding {
	f, ok := e.finding(e.row("WINDOW"), "Emin: requests admitted beyond R", plan.A1, plan.A2)
	if !ok {
		return f
	}
	p := e.Policy
	a1, a2 := e.phase[plan.A1], e.phase[plan.A2]
	least := leastExcess(join(a1.admitted, a2.admitted), e.steadyRate(), a1.begin, a2.end-2, a2.end)
	margin := p.Rate + 0.02*p.Credit() + 1 + 0.5*a2.noise(e.jitter)
	f.Detectable = fmt.Sprintf("a credit above %.4g requests: W longer by %.2g %%",
		p.Credit()+margin, 100*margin/max(1, p.Credit()))
	f = f.judged(least, AtMost(p.Credit()+margin), "more was let in than the burst allowance")
	if f.Verdict == Pass && least > p.Credit()+0.6*p.Rate+1 {
		f.note("%.4g requests beyond the burst allowance of %.4g: within a second of R, which passes as granularity",
			least-p.Credit(), p.Credit())
	}
	return f
}

// burstReturns: after enough rest the burst is available again (LD-LIM-E-RECOVER). Nothing is said of how fast, so a key
// that doesn't have it after the usual rest gets a minute, and passes with a note then.
func burstReturns(e *evidence) Finding {
	f := Finding{Row: e.row("RECOVER"), Endpoint: e.Name, Clause: "just below B after a rest: refusals"}
	if !e.limited(plan.A2, plan.B1) {
		if _, ok := e.finding(f.Row, f.Clause, plan.B1); ok {
			return f.notAssessed(noLimit)
		}
	}
	var last *phase
	for _, p := range e.recover {
		if len(p.guard.faults()) == 0 || last == nil {
			last = p
		}
	}
	if last == nil {
		return f.notAssessed("phase %s was not run", plan.B3)
	}
	e.noteRepetition(&f, last)
	f.phases = []*phase{last}
	if spent := e.spentBefore(last); spent != nil {
		f.phases = append(f.phases, spent)
	}
	f, ok := f.guarded()
	if !ok {
		return f
	}
	n := float64(len(last.samples))
	limit := math.Floor(max(2, 0.01*n))
	rest := last.begin - e.lastBefore(last)
	f.Detectable = fmt.Sprintf("a credit of less than %.4g requests after %.1f s of rest",
		n-e.Policy.Rate*last.Length.Seconds()-limit-1, rest)
	f = f.judged(float64(len(last.refused)), AtMost(limit), fmt.Sprintf("the burst is not back after %.1f s of rest", rest))
	f = e.unlessBunched(f, last, limit)
	first := e.recover[0]
	switch long := rest >= plan.RepeatRest.Seconds()-1; {
	case f.Verdict == Pass && long && first != last && len(first.guard.faults()) == 0:
		f.note("the burst was not back after %.1f s, but after %.1f s", e.Policy.Rest().Seconds(), rest)
	case f.Verdict == Fail && !long:
		f.Reason += "; a rest of a minute would decide"
		f.Verdict = NotAssessed
	}
	return f
}

// spentBefore is the B1 that used up the burst which a B3 asks for again: if it is unsound, perhaps it didn't.
func (e *evidence) spentBefore(b3 *phase) *phase {
	var spent *phase
	for _, p := range e.attempts {
		if p.Name == plan.B1 && len(p.samples) > 0 && p.begin < b3.begin && (spent == nil || p.begin > spent.begin) {
			spent = p
		}
	}
	return spent
}

// lastBefore is when the phase's stream last asked this endpoint before the phase.
func (e *evidence) lastBefore(p *phase) float64 {
	last := math.Inf(-1)
	for _, other := range e.attempts {
		if other != p && other.Stream == p.Stream && len(other.samples) > 0 && other.begin < p.begin {
			last = max(last, other.last())
		}
	}
	return last
}

// join puts the times of two phases that follow each other into one.
func join(a, b []float64) []float64 {
	return append(append(make([]float64, 0, len(a)+len(b)), a...), b...)
}
