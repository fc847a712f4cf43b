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
		peakSecond(e),
		creditBounded(e),
		steadyAbove(e), answersInTime(e),
		steadyBelow(e),
		burstReturns(e),
		keysApart(e),
	}
	findings = append(findings, peakAbove(e)...)
	findings = append(findings, peakBelow(e)...)
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
		refused(r, e.Name),
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
	// A key whose burst is counted in time, not in tokens, may be in the midst of one: that passes first.
	rest := e.Policy.Window + e.Policy.Rest()
	var list []Again
	if unsound(plan.A1, plan.A2, plan.C) && !e.repeated(plan.A1) {
		list = append(list, Again{Endpoint: e.Name, Stream: plan.StreamA, Rest: rest})
	}
	switch f := burstReturns(e); {
	case e.repeated(plan.B3):
	case unsound(plan.B1, plan.B3):
		list = append(list, Again{Endpoint: e.Name, Stream: plan.StreamB, Rest: rest})
	case f.Verdict == NotAssessed && len(f.phases) > 0 && len(f.phases[0].guard.faults()) == 0:
		list = append(list, Again{Endpoint: e.Name, Stream: plan.StreamB, OnlyB3: true, Rest: plan.RepeatRest})
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
