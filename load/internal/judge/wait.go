package judge

import (
	"fmt"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// asked is the wait that a key was left alone for, or probed in.
type asked struct {
	clock time.Duration // when it began: at the refusal's arrival, or that of a success sent after the refusal
	wait  time.Duration
}

// waitBefore finds what the last refusal before a probe asked for, among the samples of the probe's key.
func waitBefore(probe *trace.Sample, samples []*trace.Sample) (a asked, ok bool) {
	var refusal *trace.Sample
	for _, s := range samples {
		if s.Kind == trace.Limited && s.Received <= probe.Sent && (refusal == nil || s.Received >= refusal.Received) {
			refusal = s
		}
	}
	if refusal == nil {
		return asked{}, false
	}
	a = asked{clock: refusal.Received, wait: refusal.Refusal.Wait()}
	for _, s := range samples {
		if s.Kind == trace.Admitted && s.Sent > refusal.Sent && s.Sent < probe.Sent {
			a.clock = max(a.clock, s.Received)
		}
	}
	return a, true
}

// waitSuffices: a single request sent when the time of the last refusal has passed, and nothing was sent meanwhile, is
// admitted (LD-429-07).
func waitSuffices(e *evidence, keyOf func(*phase) string, all []*phase) Finding {
	f := Finding{Row: "LD-429-07", Endpoint: e.Name, Clause: "a probe after Retry-After: refusals"}
	w := e.phase[plan.Wait]
	if w == nil || len(w.samples) == 0 {
		return f.notAssessed("no probe was sent: nothing was refused with a Retry-After that could be waited for")
	}
	probe := w.samples[0]
	var before []*trace.Sample
	for _, p := range all {
		if p.Endpoint == e.Name && p != w && keyOf(p) == keyOf(w) {
			before = append(before, p.samples...)
		}
	}
	a, ok := waitBefore(probe, before)
	switch {
	case !ok:
		return f.notAssessed("no refusal came before the probe")
	case probe.Kind == trace.Other:
		return f.notAssessed("the probe was answered with neither a success nor a refusal: %s", probe.Fault)
	case probe.Sent < a.clock+a.wait:
		return f.notAssessed("the probe was sent %v too early", a.clock+a.wait-probe.Sent)
	}
	for _, s := range before {
		if s.Sent > a.clock && s.Sent < probe.Sent {
			return f.notAssessed("the key was used between the refusal and the probe")
		}
	}
	f.Detectable = fmt.Sprintf("a wait of %v that is too short", a.wait)
	refused := 0.0
	if probe.Kind == trace.Limited {
		refused = 1
	}
	return f.judged(refused, Exactly(0), fmt.Sprintf("a request sent after the %v that the last refusal asked for was refused", a.wait))
}

// waitHonest: where a refusal asks for more than two seconds, the key isn't admitted much earlier (LD-429-09). The figure
// is by how much a sparse probe got in before the time was up.
func waitHonest(e *evidence) Finding {
	f := Finding{Row: "LD-429-09", Endpoint: e.Name, Clause: "seconds by which a probe got in before Retry-After had passed"}
	sparse, refill := e.phase[plan.Sparse], e.phase[plan.Refill]
	if sparse == nil || len(sparse.samples) == 0 || refill == nil {
		return f.notAssessed("the key could not be probed while it was told to wait")
	}
	a, ok := waitBefore(sparse.samples[0], refill.samples)
	if !ok {
		return f.notAssessed("no refusal came before the probes")
	}
	f.Detectable = fmt.Sprintf("a wait overstated by more than %v", plan.ShortWait)
	early := 0.0
	for _, s := range sparse.samples {
		if s.Kind == trace.Admitted {
			early = max(early, (a.clock + a.wait - s.Sent).Seconds())
		}
	}
	return f.judged(early, AtMost(plan.ShortWait.Seconds()), fmt.Sprintf("a request got in long before the %v that the refusal asked for had passed", a.wait))
}
