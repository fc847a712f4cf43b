package judge

import (
	"slices"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// Report is all that a trace shows.
type Report struct {
	Findings []Finding     `json:"findings"`
	Jitter   time.Duration `json:"jitter_ns"` // σ̂
	// Again lists what is worth repeating, once, before a verdict stands: streams that the guard found unsound, and a burst
	// that didn't come back after the usual rest.
	Again []Again `json:"again,omitempty"`
	// Window is the fixed window that was measured; nil where none was seen to roll over twice.
	Window *Window `json:"window,omitempty"`
}

// Window is a fixed window: how many requests it holds, and how long it is.
type Window struct {
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"` // known to the distance of two polls (plan.PollEvery)
}

// Again names a stream of an endpoint that is worth repeating.
type Again struct {
	Endpoint string        `json:"endpoint"`
	Stream   plan.Stream   `json:"stream"`
	OnlyB3   bool          `json:"only_b3,omitempty"` // plan.RepeatB3 instead of plan.Repeat
	Rest     time.Duration `json:"rest_ns"`           // for how long the key has to be left alone before
}

// Run judges a trace: the two-rate experiment on each endpoint of the plan that has one, and the fixed-window experiment.
func Run(t *trace.Trace, o Options) Report {
	jitter := Jitter(t.Meta.Preflight)
	all := phases(t, jitter.Seconds())
	if len(t.Meta.Preflight) < LeastPreflight {
		for _, p := range all {
			p.guard.slow = append(p.guard.slow, "too few preflight round trips to know the jitter")
		}
	}
	r := Report{Jitter: jitter}
	keyOf := func(p *phase) string {
		if name := t.Meta.Keys[p.Stream]; name != "" {
			return name
		}
		return string(p.Stream)
	}
	var both []*evidence
	for _, endpoint := range t.Meta.Plan.Endpoints {
		e := gather(all, endpoint, jitter.Seconds(), o)
		if e.phase[plan.A1] == nil {
			continue
		}
		both = append(both, e)
		r.Findings = append(r.Findings, twoRate(e)...)
		r.Findings = append(r.Findings, refusing(e, keyOf, all)...)
		r.Again = append(r.Again, e.again()...)
	}
	if len(both) > 0 {
		r.Findings = append(r.Findings, endpointsApart(both))
		for _, e := range both {
			if e.at(plan.Apart, 0) != nil {
				r.Findings = append(r.Findings, leftWhole(e, both))
			}
		}
		r.Again = atOnce(both, r.Again)
	}
	if w, ok := gatherWindow(t, all, jitter.Seconds()); ok {
		r.Findings = append(r.Findings, w.findings()...)
		r.Window = w.measured()
	}
	return r
}

// twoRate judges the limits of one endpoint.
func twoRate(e *evidence) []Finding {
	findings := []Finding{
		sustained(e),
		burstAdmitted(e), creditWhole(e),
		peakStretch(e),
		creditBounded(e),
		steadyAbove(e), answersInTime(e),
		steadyBelow(e),
		burstReturns(e),
		keysApart(e),
	}
	if f, ok := peakSecond(e); ok {
		findings = append(findings, f)
	}
	findings = append(findings, peakAbove(e)...)
	findings = append(findings, peakBelow(e)...)
	if f, ok := creditUncharged(e); ok {
		findings = append(findings, f)
	}
	if e.phase[plan.Twin1] != nil {
		findings = append(findings, twins(e))
	}
	return findings
}

// refusing judges every 429 of one endpoint, and the probes of what they ask for. How a 429 is spelled doesn't depend on
// the client's timing, so no guard stands before it.
func refusing(e *evidence, keyOf func(*phase) string, all []*phase) []Finding {
	r := countRefusals(all, func(p *phase) bool { return p.Endpoint == e.Name })
	findings := []Finding{
		refused(r, e),
		bodySays(r, e.Name),
		headerSays(r, e.Name),
		agree(r, e.Name),
		waitSuffices(e, keyOf, all),
		modest(r, e.Endpoint),
		underscored(r, e.Name),
	}
	// Of two seconds or less, none is overstated: whole seconds, rounded up, and one of granularity.
	long := func(r *trace.Refusal) bool { return r.Wait() > plan.ShortWait }
	if n, _ := r.faulty(long); n > 0 {
		findings = append(findings, waitHonest(e))
	}
	return findings
}

// again lists what of an endpoint is worth repeating. What holds requests back isn't: it leaves a queue behind.
func (e *evidence) again() []Again {
	unsound := func(names ...plan.Name) bool {
		return slices.ContainsFunc(names, func(n plan.Name) bool {
			p := e.phase[n]
			return p != nil && len(p.samples) > 0 && len(p.guard.late)+len(p.guard.slow) > 0
		})
	}
	if answersInTime(e).Verdict == Fail {
		return nil
	}
	var list []Again
	if unsound(plan.A1, plan.A2, plan.C) && !e.repeated(plan.A1) {
		list = append(list, Again{Endpoint: e.Name, Stream: plan.StreamA, Rest: e.restAgain()})
	}
	switch f := burstReturns(e); {
	case e.repeated(plan.B3):
	case unsound(plan.B1, plan.Apart):
		list = append(list, Again{Endpoint: e.Name, Stream: plan.StreamB, Rest: e.restAgain()})
	case unsound(plan.B3), f.Verdict == NotAssessed && len(f.phases) > 0 && len(f.phases[0].guard.faults()) == 0:
		// After so long a rest whatever B3 meets is decided.
		list = append(list, Again{Endpoint: e.Name, Stream: plan.StreamB, OnlyB3: true, Rest: max(plan.RepeatRest, e.Policy.Rest())})
	}
	return list
}

// restAgain is how long a key rests before what was spoilt is repeated. What the repetition meets is held against the
// target, so the rest is one after which the burst has to be back, however it comes back. A key whose burst is counted in
// time, not in tokens, may be in the midst of one: that passes first.
func (e *evidence) restAgain() time.Duration {
	return max(plan.RepeatRest, e.Policy.Window+e.Policy.Rest())
}

// atOnce brings the other endpoints along where a phase of one was spoilt that shows its own limit apart from theirs
// (LD-LIM-ENDPOINT): that takes all of them at once.
func atOnce(all []*evidence, list []Again) []Again {
	if len(all) < 2 {
		return list
	}
	for _, shows := range []struct {
		stream plan.Stream
		phase  plan.Name
	}{{plan.StreamB, plan.Apart}, {plan.StreamA, plan.A1}} {
		spoilt := func(e *evidence) bool {
			p := e.at(shows.phase, e.soundAttempt(shows.phase))
			return p != nil && len(p.guard.faults()) > 0 && slices.ContainsFunc(list, func(a Again) bool {
				return a.Endpoint == e.Name && a.Stream == shows.stream
			})
		}
		if slices.ContainsFunc(all, spoilt) {
			alone := slices.DeleteFunc(list, func(a Again) bool { return a.Stream == shows.stream })
			list = append(together(all, shows.stream), alone...)
		}
	}
	return list
}

// together has a stream repeated on all endpoints, after the longest of their rests.
func together(all []*evidence, stream plan.Stream) []Again {
	var list []Again
	var rest time.Duration
	for _, e := range all {
		if answersInTime(e).Verdict != Fail {
			rest = max(rest, e.restAgain())
			list = append(list, Again{Endpoint: e.Name, Stream: stream})
		}
	}
	for i := range list {
		list[i].Rest = rest
	}
	return list
}

// Rows gathers the verdict of each row: failed if one finding failed, else not assessed if one was not, else passed.
func (r Report) Rows() map[string]Verdict {
	of := make(map[string][]Finding)
	for _, f := range r.Findings {
		of[f.Row] = append(of[f.Row], f)
	}
	rows := make(map[string]Verdict)
	for row, findings := range of {
		rows[row] = combined(findings)
	}
	return rows
}
