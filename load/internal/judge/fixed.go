package judge

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// window is what a trace shows of the fixed-window experiment (IN-429-*). Its script may start over, so of each phase
// the last stretch counts that led on to the next.
type window struct {
	jitter float64 // σ̂, seconds
	trip   float64 // the median round trip, seconds
	stated time.Duration
	whole  bool // the run came to its end
	phase  map[plan.Name]*phase
	all    []*phase

	first   rollOver // before Exhaust
	second  rollOver // after it
	count   int      // N̂: requests admitted from the first roll-over to the next refusal
	entries []entry  // each time that the key, once refused, got in again
}

// entry is where a poll got in, clean roll-over or not.
type entry struct {
	at   float64
	held int // requests admitted from there on, until the key was polled again, at most
}

// rollOver is where a refused key got in again.
type rollOver struct {
	seen    bool
	clean   bool          // at least two refusals came before
	refusal *trace.Sample // the last one before, if there was one
	success *trace.Sample // the first after
}

func (r rollOver) at() float64 { return r.success.Sent.Seconds() }

// gatherWindow collects what the clauses need to know. ok is false if the plan has no such experiment.
func gatherWindow(t *trace.Trace, all []*phase, jitter float64) (w *window, ok bool) {
	w = &window{jitter: jitter, trip: medianTrip(t.Meta.Preflight), whole: t.End.Reason == trace.Complete, phase: make(map[plan.Name]*phase)}
	for _, p := range all {
		switch p.Name {
		case plan.Ramp, plan.FirstPoll, plan.Exhaust, plan.OtherPath, plan.OtherKey1, plan.OtherKey2,
			plan.SecondPoll, plan.Alternate1, plan.Alternate2:
			w.phase[p.Name] = p
			w.all = append(w.all, p)
		}
	}
	if w.phase[plan.Ramp] == nil {
		return nil, false
	}
	for _, e := range t.Meta.Plan.Endpoints {
		if e.Name == w.phase[plan.Ramp].Endpoint {
			w.stated = e.Policy.Window
		}
	}
	w.first = w.roll(plan.FirstPoll, plan.Ramp)
	w.second = w.roll(plan.SecondPoll, plan.Exhaust)
	if w.first.seen && len(w.samples(plan.Exhaust)) > 0 {
		w.count = w.admittedSince(w.first.success.Sent, plan.FirstPoll, plan.Exhaust)
	}
	w.entries = w.enter()
	return w, true
}

// enter finds where the key got in again, among the polls, and how much it was let in there.
func (w *window) enter() []entry {
	polled := make(map[*trace.Sample]bool)
	for _, n := range []plan.Name{plan.FirstPoll, plan.SecondPoll} {
		for _, s := range w.samples(n) {
			polled[s] = true
		}
	}
	all := w.firstPath()
	slices.SortStableFunc(all, func(a, b *trace.Sample) int { return cmp.Compare(a.Sent, b.Sent) })
	var entries []entry
	in, late := true, 0
	for _, s := range all {
		switch {
		case s.Kind == trace.Limited && !polled[s]:
			in = false
		case s.Kind != trace.Admitted:
		case !in && polled[s]:
			entries = append(entries, entry{at: s.Sent.Seconds(), held: 1 + late})
			in, late = true, 0
		default:
			if len(entries) > 0 {
				entries[len(entries)-1].held++
			}
			if !in {
				late++ // overtaken by a refusal, or of the next window already: it counts for both
			}
		}
	}
	return entries
}

// firstPath lists what was sent on the first path, until both took turns.
func (w *window) firstPath() []*trace.Sample {
	var all []*trace.Sample
	for _, n := range []plan.Name{plan.Ramp, plan.FirstPoll, plan.Exhaust, plan.SecondPoll} {
		all = append(all, w.samples(n)...)
	}
	return all
}

// measured is the window between two roll-overs; nil if they weren't seen, or it wasn't exhausted in between.
func (w *window) measured() *Window {
	if w.exhausted() != "" || !w.second.seen || !w.second.clean {
		return nil
	}
	return &Window{Requests: w.count, Seconds: w.second.at() - w.first.at()}
}

// samples of a phase, in the order of sending; none if it was not run.
func (w *window) samples(n plan.Name) []*trace.Sample {
	if p := w.phase[n]; p != nil {
		return p.samples
	}
	return nil
}

// roll finds the first success among the polls that came after the last request of the phase before.
func (w *window) roll(poll, before plan.Name) rollOver {
	var since time.Duration
	if earlier := w.samples(before); len(earlier) > 0 {
		since = earlier[len(earlier)-1].Sent
	}
	var r rollOver
	rejects := 0
	for _, s := range w.samples(poll) {
		switch {
		case s.Sent < since:
		case s.Kind == trace.Limited:
			rejects++
			r.refusal = s
		case s.Kind == trace.Admitted:
			r.seen, r.clean, r.success = true, rejects >= plan.CleanRejects, s
			return r
		}
	}
	return r
}

// admittedSince counts the successes of some phases among the requests sent at that time or later.
func (w *window) admittedSince(since time.Duration, names ...plan.Name) int {
	n := 0
	for _, name := range names {
		for _, s := range w.samples(name) {
			if s.Sent >= since && s.Kind == trace.Admitted {
				n++
			}
		}
	}
	return n
}

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

// rollsOver: sustained traffic above the ceiling goes on getting 429 until the window rolls over, then requests get in
// again (IN-429-05). The figure is how long a refused key stayed refused. It has to stay so for at least two polls:
// where a refused key gets in again and again at once, there is no window.
func (w *window) rollsOver() Finding {
	f := Finding{Row: "IN-429-05", Clause: "seconds from the first refusal to the next success"}
	refused := -1.0
	for _, s := range w.samples(plan.Ramp) {
		if s.Kind == trace.Limited {
			refused = s.Sent.Seconds()
			break
		}
	}
	polls := w.samples(plan.FirstPoll)
	switch {
	case refused < 0:
		return f.notAssessed("%s", w.unlimited())
	case len(polls) == 0:
		return f.notAssessed("the run ended before the window could roll over")
	case !w.first.seen:
		waited := polls[len(polls)-1].Sent.Seconds() - refused
		if w.stated == 0 || waited < w.stated.Seconds() {
			return f.notAssessed("the run ended before the window could roll over")
		}
		return f.judged(waited, AtMost(w.stated.Seconds()+plan.PollEvery.Seconds()+4.5*w.jitter),
			fmt.Sprintf("the key was still refused after more than the stated window of %v", w.stated))
	}
	stayed := w.first.at() - refused
	f.Detectable = fmt.Sprintf("a key that gets in again within %v", plan.CleanRejects*plan.PollEvery)
	if !w.first.clean || w.second.seen && !w.second.clean {
		if !w.whole {
			return f.notAssessed("the run ended before a clean roll-over was seen")
		}
		if bound := JitterBound.Seconds(); w.jitter > bound { // requests that overtake each other look the same
			return f.notAssessed("network too noisy (jitter σ̂ %s, above %s)", ms(w.jitter), ms(bound))
		}
		// The script tried three times. A window that is nearly over as soon as it is exhausted looks the same, but lets in as
		// much each time, and no two of them follow each other within a second.
		if _, _, less := w.dwindles(refused, 1); !less && !w.crowded(1) {
			return f.notAssessed("each time it was exhausted, the window was about to roll over")
		}
		f.Figure, f.Accept, f.Verdict = stayed, AtLeast(plan.CleanRejects*plan.PollEvery.Seconds()), Fail
		f.Reason = "a refused key got in again at once, three times over: there is no window that rolls over"
		return f
	}
	if !w.second.seen {
		polls := w.samples(plan.SecondPoll)
		if why := w.exhausted(); why != "" {
			return f.notAssessed("%s", why)
		}
		longest := w.stated.Seconds() + plan.PollEvery.Seconds() + 4.5*w.jitter
		if len(polls) == 0 || w.stated == 0 || polls[len(polls)-1].Sent.Seconds()-w.first.at() < max(longest, w.stated.Seconds()+1) {
			return f.notAssessed("the run ended before the window could roll over once more")
		}
		waited := polls[len(polls)-1].Sent.Seconds() - w.first.at()
		return f.judged(waited, AtMost(longest),
			fmt.Sprintf("after the first roll-over the key was still refused after more than the stated window of %v", w.stated))
	}
	length := w.second.at() - w.first.at()
	if least, before, less := w.dwindles(refused, length); less {
		f.Figure, f.Accept, f.Verdict = float64(least), AtLeast(float64(before-2)/2), Fail
		f.Clause = "requests admitted from the roll-over to the next refusal"
		f.Reason = fmt.Sprintf("only %d got in, where %d did in as long a time before the first refusal: this is no window that rolls over", least, before)
		return f
	}
	if apart := max(1, length/2); w.crowded(apart) {
		f.Figure, f.Accept, f.Verdict = w.closest(), AtLeast(apart), Fail
		f.Clause = "seconds between two times that a refused key got in again"
		f.Reason = "a refused key got in again, and again long before the next window: this is no window that rolls over"
		return f
	}
	f = f.judged(stayed, AtLeast(0), "")
	f.note("the window is %.1f s long and holds %d requests", length, w.count)
	if w.stated > 0 && math.Abs(length-w.stated.Seconds()) > 2*plan.PollEvery.Seconds()+4.5*w.jitter {
		f.note("the profile states %v", w.stated)
	}
	return f
}

// closest is the shortest time between two moments at which the refused key got in again, in seconds.
func (w *window) closest() float64 {
	least := math.Inf(1)
	for i := 1; i < len(w.entries); i++ {
		least = min(least, w.entries[i].at-w.entries[i-1].at)
	}
	return least
}

// crowded reports whether the refused key got in again twice within less than so many seconds, as surely as polls can tell.
func (w *window) crowded(seconds float64) bool {
	return w.closest() < seconds-2*plan.PollEvery.Seconds()-4.5*w.jitter
}

// least is the fewest requests that got in from one such moment to the next refusal; ok is false if none was followed by one.
func (w *window) least() (n int, ok bool) {
	if len(w.entries) < 2 {
		return 0, false
	}
	last := len(w.entries) - 1 // what followed it may be no refusal
	return slices.MinFunc(w.entries[:last], func(a, b entry) int { return cmp.Compare(a.held, b.held) }).held, true
}

// dwindles reports whether once less than half got in of what did in the last seconds before the first refusal. Two windows
// may meet there, no more.
func (w *window) dwindles(refused, seconds float64) (least, before int, yes bool) {
	for _, s := range w.samples(plan.Ramp) {
		if at := s.Sent.Seconds(); s.Kind == trace.Admitted && at > refused-seconds && at <= refused {
			before++
		}
	}
	least, ok := w.least()
	return least, before, ok && before > 2*least+2
}

// longestGap is the longest silence between requests of these phases, in seconds. A window may roll over within one.
func (w *window) longestGap(names ...plan.Name) float64 {
	var times []float64
	for _, n := range names {
		for _, s := range w.samples(n) {
			times = append(times, s.Sent.Seconds())
		}
	}
	slices.Sort(times)
	longest := 0.0
	for i := 1; i < len(times); i++ {
		longest = max(longest, times[i]-times[i-1])
	}
	return longest
}

// stall is how long a silence, in seconds, makes a count worthless.
const stall = 0.25

// exhausted is the reason why a clause can't be assessed, or "".
func (w *window) exhausted() string {
	refused := slices.ContainsFunc(w.samples(plan.Exhaust), func(s *trace.Sample) bool { return s.Kind == trace.Limited })
	switch {
	case !w.first.seen || !w.first.clean:
		return "no clean roll-over was seen"
	case !refused:
		return fmt.Sprintf("%d requests from a roll-over on did not exhaust the window", w.count)
	case w.longestGap(plan.Exhaust) > stall:
		return fmt.Sprintf("client too noisy (%.2f s between two requests)", w.longestGap(plan.Exhaust))
	}
	return ""
}

// uncounted is the reason why what got in while the window was exhausted can't be assessed, or "". Where requests overtake
// each other too much, some of the next window may have been counted to this one.
func (w *window) uncounted() string {
	if bound := JitterBound.Seconds(); w.jitter > bound {
		return fmt.Sprintf("network too noisy (jitter σ̂ %s, above %s)", ms(w.jitter), ms(bound))
	}
	return w.exhausted()
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
	both := append(slices.Clone(w.samples(plan.Alternate1)), w.samples(plan.Alternate2)...)
	if why := w.uncounted(); why != "" {
		return f.notAssessed("%s", why)
	}
	refusedOn := func(n plan.Name) bool {
		return slices.ContainsFunc(w.samples(n), func(s *trace.Sample) bool { return s.Kind == trace.Limited })
	}
	switch gap := w.longestGap(plan.Alternate1, plan.Alternate2); {
	case !w.second.seen || !w.second.clean || len(both) == 0:
		return f.notAssessed("no second clean roll-over was seen")
	case gap > stall:
		return f.notAssessed("client too noisy (%.2f s between two requests)", gap)
	}
	n := float64(w.count)
	sum := float64(w.admittedSince(w.second.success.Sent, plan.SecondPoll, plan.Alternate1, plan.Alternate2))
	tolerance := max(2, math.Floor(0.05*n))
	if sum < n-tolerance && !(refusedOn(plan.Alternate1) && refusedOn(plan.Alternate2)) {
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
	all := append(w.firstPath(), w.samples(plan.OtherPath)...)
	for _, r := range []rollOver{w.first, w.second} {
		if !r.seen || !r.clean {
			continue
		}
		since := time.Duration(-1) // the last success of the window that ended there
		for _, s := range all {
			if s.Kind == trace.Admitted && s.Sent < r.success.Sent {
				since = max(since, s.Sent)
			}
		}
		for _, s := range all {
			if s.Kind == trace.Limited && s.Sent > since && s.Received < r.success.Sent && s.Refusal.Wait() > 0 {
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
