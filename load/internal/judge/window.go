package judge

import (
	"cmp"
	"fmt"
	"slices"
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

// bothPaths lists that, and what tried the other path meanwhile.
func (w *window) bothPaths() []*trace.Sample {
	return append(w.firstPath(), w.samples(plan.OtherPath)...)
}

// lastBefore is when the last request was sent that got in before that roll-over; ok is false if none did.
func (w *window) lastBefore(r rollOver) (last time.Duration, ok bool) {
	for _, s := range w.bothPaths() {
		if s.Kind == trace.Admitted && s.Sent < r.success.Sent {
			last, ok = max(last, s.Sent), true
		}
	}
	return last, ok
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

// longestGap is the longest silence between requests of these phases since that roll-over, in seconds. A window may roll
// over within one.
func (w *window) longestGap(since rollOver, names ...plan.Name) float64 {
	var times []float64
	for _, n := range names {
		for _, s := range w.samples(n) {
			if s.Sent >= since.success.Sent {
				times = append(times, s.Sent.Seconds())
			}
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
	refused := w.refusedOn(plan.Exhaust)
	switch {
	case !w.first.seen || !w.first.clean:
		return "no clean roll-over was seen"
	case !refused:
		return fmt.Sprintf("%d requests from a roll-over on did not exhaust the window", w.count)
	case w.longestGap(w.first, plan.Exhaust) > stall:
		return fmt.Sprintf("client too noisy (%.2f s between two requests)", w.longestGap(w.first, plan.Exhaust))
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

// uncountedAgain is the reason why what got in from the second roll-over on can't be compared with that, or "".
func (w *window) uncountedAgain() string {
	if why := w.uncounted(); why != "" {
		return why
	}
	if !w.second.seen || !w.second.clean || len(w.samples(plan.Alternate1)) == 0 {
		return "no second clean roll-over was seen"
	}
	if gap := w.longestGap(w.second, plan.Alternate1, plan.Alternate2); gap > stall {
		return fmt.Sprintf("client too noisy (%.2f s between two requests)", gap)
	}
	return ""
}

// admittedAgain counts what got in from the second roll-over on, on both paths.
func (w *window) admittedAgain() int {
	return w.admittedSince(w.second.success.Sent, plan.SecondPoll, plan.Alternate1, plan.Alternate2)
}

// heldAgain is that count, if every path that was tried refused at last.
func (w *window) heldAgain() (n int, ok bool) {
	if w.uncountedAgain() != "" || !w.refusedOn(plan.Alternate1) || len(w.samples(plan.Alternate2)) > 0 && !w.refusedOn(plan.Alternate2) {
		return 0, false
	}
	return w.admittedAgain(), true
}

// refusedOn reports whether a phase met a refusal.
func (w *window) refusedOn(n plan.Name) bool {
	return slices.ContainsFunc(w.samples(n), func(s *trace.Sample) bool { return s.Kind == trace.Limited })
}
