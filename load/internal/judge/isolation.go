package judge

import (
	"fmt"
	"math"

	"leadconform/load/internal/plan"
)

// sustained: traffic below R is never limited (LD-LIM-E-SUSTAIN), whatever else goes on at the endpoint meanwhile.
func sustained(e *evidence) Finding {
	f, ok := e.finding(e.row("SUSTAIN"), "just below R: refusals", plan.C)
	switch {
	case !ok:
		return f
	case !e.limited(plan.A1, plan.A2, plan.B1):
		return f.notAssessed(noLimit)
	}
	c := e.phase[plan.C]
	f.Detectable = refusalShare(len(c.samples))
	return f.judged(float64(len(c.refused)), Exactly(0), fmt.Sprintf("of %d requests below the sustained rate, some were refused", len(c.samples)))
}

// keysApart: one supplier at its limit costs another nothing (LD-LIM-KEY). Of C's requests those count that were sent
// while A or B was being refused: without them nothing is shown.
func keysApart(e *evidence) Finding {
	const row = "LD-LIM-KEY"
	f, ok := e.finding(row, "a key below R while others are refused: its refusals", plan.C)
	if !ok {
		return f
	}
	c := e.phase[plan.C]
	meanwhile, refused := 0, 0
	for _, t := range c.sent() {
		if e.refusedNear(t) {
			meanwhile++
		}
	}
	for _, t := range c.refused {
		if e.refusedNear(t) {
			refused++
		}
	}
	if meanwhile < leastMeanwhile {
		return f.notAssessed("only %d requests of the key were sent while another was being refused", meanwhile)
	}
	f.Detectable = refusalShare(meanwhile)
	return f.judged(float64(refused), Exactly(0), fmt.Sprintf("of %d requests of a key below its rate, some were refused while other keys were at their limit", meanwhile))
}

// leastMeanwhile is how many requests have to show that a key goes untouched.
const leastMeanwhile = 20

// refusedNear reports whether A or B was refused within half a second of t.
func (e *evidence) refusedNear(t float64) bool {
	for _, n := range []plan.Name{plan.A2, plan.B1} {
		if p := e.phase[n]; p != nil && len(within(p.refused, t-0.5, t+0.5)) > 0 {
			return true
		}
	}
	return false
}

// endpointsApart: each endpoint has its own limit (LD-LIM-ENDPOINT). Key A asks for its whole burst of all endpoints at
// once; a limit that they shared could not give it to each.
func endpointsApart(all []*evidence) Finding {
	f := Finding{Row: "LD-LIM-ENDPOINT", Clause: "one key's burst on all endpoints at once: the largest share refused"}
	if len(all) < 2 {
		return f.notAssessed("needs several endpoints in one run, and there was %d", len(all))
	}
	var worst *evidence
	met, beyond := false, math.Inf(-1)
	for _, e := range all {
		part, ok := e.finding(f.Row, f.Clause, plan.A1)
		if !ok {
			return f.notAssessed("%s: %s", e.Name, part.Reason)
		}
		f.phases = append(f.phases, part.phases...)
		a1 := e.phase[plan.A1]
		if over := float64(len(a1.refused)) - burstGrant(a1); over > beyond {
			worst, beyond = e, over
		}
		met = met || e.limited(plan.A1, plan.A2, plan.B1)
	}
	if !met {
		return f.notAssessed(noLimit)
	}
	a1 := worst.phase[plan.A1]
	f.Clause = "one key's burst on all endpoints at once: refusals on " + worst.Name
	f.Detectable = fmt.Sprintf("%.0f refusals", burstGrant(a1)+1)
	return f.judged(float64(len(a1.refused)), AtMost(burstGrant(a1)),
		"a key that asked for no more than its allowance on every endpoint was refused on "+worst.Name)
}

// twins: two keys of one supplier, one limit or two (LD-LIM-KEYS, observed).
func twins(e *evidence) Finding {
	f, ok := e.finding("LD-LIM-KEYS", "one key at half of R while its twin is refused: share refused", plan.Twin1, plan.Twin2)
	if !ok {
		return f
	}
	if !e.limited(plan.Twin1) {
		return f.notAssessed(noLimit)
	}
	t2 := e.phase[plan.Twin2]
	share := float64(len(t2.refused)) / float64(len(t2.samples))
	f.Figure, f.Accept, f.Verdict = share, anything(), Observed
	if share > 0.1 {
		f.note("the keys of one supplier share one limit")
	} else {
		f.note("each key of a supplier has a limit of its own")
	}
	return f
}

// refusalShare words the smallest share of random refusals that n requests show in 95 runs of 100.
func refusalShare(n int) string {
	return fmt.Sprintf("%.2g %% of requests refused", 100*3/float64(max(1, n)))
}
