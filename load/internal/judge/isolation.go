package judge

import (
	"cmp"
	"fmt"
	"slices"

	"leadconform/load/internal/plan"
)

// sustained: traffic below R is never limited (LD-LIM-E-SUSTAIN), whatever else goes on at the endpoint meanwhile. C's key
// has all its credit, which hides a rate that is too low: where less than R got in after exhaustion, C proves nothing.
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
	f = f.judged(float64(len(c.refused)), Exactly(0), fmt.Sprintf("of %d requests below the sustained rate, some were refused", len(c.samples)))
	if below := steadyBelow(e); f.Verdict == Pass && below.Verdict == Fail {
		return f.notAssessed("%.4g requests a second got in after exhaustion: whether the sustained rate of %.4g does, once the burst allowance is used up, was not seen",
			below.Figure, e.Policy.Rate)
	}
	return f
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
	others := func(t float64) bool { return e.refusedNear(t, plan.A2, plan.B1) }
	meanwhile, refused := during(c.sent(), others), during(c.refused, others)
	if meanwhile < leastMeanwhile {
		return f.notAssessed("only %d requests of the key were sent while another was being refused", meanwhile)
	}
	f.Detectable = refusalShare(meanwhile)
	return f.judged(float64(refused), Exactly(0), fmt.Sprintf("of %d requests of a key below its rate, some were refused while other keys were at their limit", meanwhile))
}

// leastMeanwhile is how many requests have to show that a key goes untouched.
const leastMeanwhile = 20

// refusedNear reports whether one of these phases, in any attempt, met a refusal within half a second of t.
func (e *evidence) refusedNear(t float64, names ...plan.Name) bool {
	return slices.ContainsFunc(e.attempts, func(p *phase) bool {
		return slices.Contains(names, p.Name) && len(within(p.refused, t-0.5, t+0.5)) > 0
	})
}

// during counts the times for which something holds.
func during(times []float64, holds func(t float64) bool) int {
	n := 0
	for _, t := range times {
		if holds(t) {
			n++
		}
	}
	return n
}

// endpointsApart: each endpoint has its own limit (LD-LIM-ENDPOINT). Key A asks for its whole burst of all endpoints at
// once; a limit that they shared could not give it to each.
func endpointsApart(all []*evidence) Finding {
	f := Finding{Row: "LD-LIM-ENDPOINT", Clause: "one key's burst on all endpoints at once: the largest share refused"}
	if len(all) < 2 {
		return f.notAssessed("needs several endpoints in one run, and there was %d", len(all))
	}
	var parts []Finding
	met := false
	for _, e := range all {
		part, ok := e.burstFinding(f.Row, "one key's burst on all endpoints at once: refusals on "+e.Name)
		part.Endpoint = ""
		if !ok {
			return f.notAssessed("%s: %s", e.Name, part.Reason)
		}
		if !besides(e, all) {
			return f.notAssessed("%s: its burst was not asked for at the same time as another endpoint's", e.Name)
		}
		met = met || e.limited(plan.A1, plan.A2, plan.B1)
		grant := burstGrant(e.burst)
		part.Detectable = fmt.Sprintf("%.0f refusals", grant+1)
		parts = append(parts, e.unlessBunched(part.judged(float64(len(e.burst.refused)), AtMost(grant),
			"a key that asked for no more than its allowance on every endpoint was refused on "+e.Name), e.burst, grant))
	}
	if !met {
		return f.notAssessed(noLimit)
	}
	worst := slices.MinFunc(parts, func(a, b Finding) int {
		order := []Verdict{Fail, NotAssessed, Pass}
		return cmp.Or(cmp.Compare(slices.Index(order, a.Verdict), slices.Index(order, b.Verdict)),
			cmp.Compare(b.Figure-b.Accept.High, a.Figure-a.Accept.High))
	})
	for _, part := range parts {
		if part.Clause != worst.Clause {
			worst.phases = append(worst.phases, part.phases...)
		}
	}
	return worst
}

// leftWhole: exhausting other endpoints leaves this one whole (LD-LIM-ENDPOINT): key B, below R here, is not refused while
// it is refused there.
func leftWhole(e *evidence, all []*evidence) Finding {
	f, ok := e.finding("LD-LIM-ENDPOINT", "one key below R on "+e.Name+" while it is refused on other endpoints: its refusals", plan.Apart)
	if !ok {
		return f
	}
	apart := e.phase[plan.Apart]
	elsewhere := func(t float64) bool {
		return slices.ContainsFunc(all, func(other *evidence) bool {
			return other != e && other.refusedNear(t, plan.B1)
		})
	}
	meanwhile, refused := during(apart.sent(), elsewhere), during(apart.refused, elsewhere)
	if meanwhile < leastMeanwhile {
		return f.notAssessed("only %d requests were sent while the key was being refused on another endpoint", meanwhile)
	}
	f.Detectable = refusalShare(meanwhile)
	return f.judged(float64(refused), Exactly(0),
		fmt.Sprintf("of %d requests of a key below its rate, some were refused while it was at its limit on other endpoints", meanwhile))
}

// besides reports whether some other endpoint's burst was asked for while the endpoint's own was.
func besides(e *evidence, all []*evidence) bool {
	return slices.ContainsFunc(all, func(other *evidence) bool {
		return other != e && slices.ContainsFunc(other.attempts, func(p *phase) bool {
			return p.Name == plan.A1 && len(p.samples) > 0 && p.begin < e.burst.end && p.end > e.burst.begin
		})
	})
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
