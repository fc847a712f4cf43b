package judge

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// findings judges the rows of the Insertion API.
func (w *window) findings() []Finding {
	r := countRefusals(w.all, func(*phase) bool { return true })
	findings := []Finding{
		w.enveloped(r), w.integer(r),
		w.sharedAtOnce(), w.sharedCount(),
		w.keyApart(),
		w.rollsOver(),
		w.waitReaches(), w.waitEnds(),
	}
	for i, f := range findings {
		if other := w.others(); other != "" && f.Verdict != NotAssessed && f.Row != "IN-429-01" && f.Row != "IN-429-02" {
			findings[i] = f.notAssessed("the run met answers that are neither a success nor a refusal: %s", other)
		}
	}
	return findings
}

// others counts the answers that were neither a success nor a refusal.
func (w *window) others() string {
	var all []string
	for _, p := range w.all {
		all = append(all, p.guard.other...)
	}
	return strings.Join(all, "; ")
}

// enveloped: over the ceiling the answer is a 429 in the API's envelope (IN-429-01).
func (w *window) enveloped(r refusals) Finding {
	f := Finding{Row: "IN-429-01", Clause: "429s outside the envelope"}
	if r.total+r.malformed == 0 {
		return f.notAssessed("%s", w.unlimited())
	}
	f.Detectable = "a single 429"
	return f.judged(float64(r.malformed), Exactly(0), fmt.Sprintf("of %d refusals, some lack the envelope", r.total+r.malformed))
}

// integer: Retry-After is a whole number of seconds, at least 1 (IN-429-02). The body has no such member in the documents;
// where it has one, it ought to say the same.
func (w *window) integer(r refusals) Finding {
	f := Finding{Row: "IN-429-02", Clause: "429s without a Retry-After of at least one whole second"}
	if r.total == 0 {
		return f.notAssessed("%s", w.unlimited())
	}
	f = r.every(f, func(r *trace.Refusal) bool { return !wholeHeader(r) }, "have no Retry-After of at least one whole second")
	if n, example := r.faulty(func(r *trace.Refusal) bool { return bothSay(r) && !sameWait(r) }); n > 0 {
		f.note("%d refusals say something else in their body: %s", n, describe(example))
	}
	return f
}

// unlimited says how far the ramp went without a refusal.
func (w *window) unlimited() string {
	ramp := w.samples(plan.Ramp)
	most := Most(w.phase[plan.Ramp].sent())
	return fmt.Sprintf("nothing was refused, of %d requests and up to %d within a second", len(ramp), most)
}

// sharedAtOnce: requests on both paths draw down one count (IN-429-03): with the window exhausted on the first path, the
// second refuses at once. That the second path does let requests in otherwise is the control.
func (w *window) sharedAtOnce() Finding {
	f := Finding{Row: "IN-429-03", Clause: "the other path while the first is exhausted: requests admitted"}
	probes := w.samples(plan.OtherPath)
	control := w.admittedSince(0, plan.Alternate2, plan.OtherKey2)
	switch why := w.uncounted(); {
	case why != "":
		return f.notAssessed("%s", why)
	case len(probes) == 0:
		return f.notAssessed("the other path was not tried")
	case control == 0:
		return f.notAssessed("the other path never let a request in, so its refusals prove nothing")
	case !w.stillRefused():
		return f.notAssessed("the window may have rolled over meanwhile")
	}
	f.Detectable = "a count of its own"
	return f.judged(float64(w.admittedSince(0, plan.OtherPath)), Exactly(0), "the other path let requests in while the first was exhausted")
}

// stillRefused reports whether the first path refused after all answers to the other path and key had come.
func (w *window) stillRefused() bool {
	polls := w.samples(plan.SecondPoll)
	return len(polls) > 0 && polls[0].Kind == trace.Limited
}

// sharedCount: on both paths in turn, as many get in as on one (IN-429-03).
func (w *window) sharedCount() Finding {
	f := Finding{Row: "IN-429-03", Clause: "requests admitted in one window on both paths in turn"}
	if why := w.uncountedAgain(); why != "" {
		return f.notAssessed("%s", why)
	}
	if len(w.samples(plan.Alternate2)) == 0 {
		return f.notAssessed("the other path was not tried")
	}
	n, sum := float64(w.count), float64(w.admittedAgain())
	tolerance := max(2, math.Floor(0.05*n))
	if sum < n-tolerance && !(w.refusedOn(plan.Alternate1) && w.refusedOn(plan.Alternate2)) {
		return f.notAssessed("the window was not exhausted on both paths")
	}
	f.Detectable = fmt.Sprintf("%.0f requests more or less than the %.0f of one path", tolerance+1, n)
	return f.judged(sum, around(n, tolerance), "both paths together don't hold as many as one")
}

// keyApart: another key is untouched (IN-429-04).
func (w *window) keyApart() Finding {
	f := Finding{Row: "IN-429-04", Clause: "another key while the first is exhausted: refusals"}
	probes := append(slices.Clone(w.samples(plan.OtherKey1)), w.samples(plan.OtherKey2)...)
	switch why := w.uncounted(); {
	case why != "":
		return f.notAssessed("%s", why)
	case len(probes) == 0:
		return f.notAssessed("another key was not tried")
	case !w.stillRefused():
		return f.notAssessed("the window may have rolled over meanwhile")
	}
	f.Detectable = "a limit that two keys share"
	refused := 0
	for _, s := range probes {
		if s.Kind == trace.Limited {
			refused++
		}
	}
	return f.judged(float64(refused), Exactly(0), "another key was refused while the first was exhausted")
}

// waits calls each for every refusal of the key, on either path, that a clean roll-over followed. A refusal whose answer came after
// the first success was sent may be one of the next window, which it reached late.
func (w *window) waits(each func(refusal *trace.Sample, r rollOver)) {
	for _, r := range []rollOver{w.first, w.second} {
		if !r.seen || !r.clean {
			continue
		}
		last, ok := w.lastBefore(r)
		for _, s := range w.bothPaths() {
			if s.Kind == trace.Limited && (!ok || s.Sent > last) && s.Received < r.success.Sent && s.Refusal.Wait() > 0 {
				each(s, r)
			}
		}
	}
}

// clockSlack is what a server's clocks may be off by, in seconds.
const clockSlack = 0.1

// noWait is the reason why nothing can be said of Retry-After.
const noWait = "no refusal that says how long to wait was followed by a clean roll-over"

// waitReaches: a request sent after Retry-After is admitted (IN-429-06): no refusal names a time before the roll-over.
//
// The window rolled over after the last refused poll was sent. A client that waits as told can't come before the refusal's
// arrival plus Retry-After. So an honest target's figure is not negative, however the network behaves.
func (w *window) waitReaches() Finding {
	f := Finding{Row: "IN-429-06", Clause: "earliest return of a client that waits as told, seconds after the last refusal"}
	earliest := math.Inf(1)
	w.waits(func(s *trace.Sample, r rollOver) {
		earliest = min(earliest, (s.Received + s.Refusal.Wait() - r.refusal.Sent).Seconds())
	})
	if math.IsInf(earliest, 1) {
		return f.notAssessed(noWait)
	}
	f.Detectable = fmt.Sprintf("a wait that is too short by %.2f s", clockSlack+plan.PollEvery.Seconds()+w.trip)
	return f.judged(earliest, AtLeast(-clockSlack), "a client that waits as long as it was told comes before the window has rolled over")
}

// waitEnds: nor does a refusal name a time long after it: whole seconds, rounded up, are one second at most.
//
// The window had rolled over when the answer to the first success came, and the refusal was made after it was asked for.
// So an honest target's figure is one second at most, however the network behaves.
func (w *window) waitEnds() Finding {
	f := Finding{Row: "IN-429-06", Clause: "latest time that a refusal names, seconds after the first success"}
	latest := math.Inf(-1)
	w.waits(func(s *trace.Sample, r rollOver) {
		latest = max(latest, (s.Sent + s.Refusal.Wait() - r.success.Received).Seconds())
	})
	if math.IsInf(latest, -1) {
		return f.notAssessed(noWait)
	}
	f.Detectable = fmt.Sprintf("a wait that is too long by %.2f s", 1+clockSlack+plan.PollEvery.Seconds()+w.trip)
	return f.judged(latest, AtMost(1+clockSlack), "a client that waits as long as it was told comes long after the window has rolled over")
}
