package judge

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// fewToCompare is how many requests a window has to hold for the next one to be compared with it: polls may have taken up
// two of them by the time that the roll-over is noticed.
const fewToCompare = 4

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
		// much each time, and no two of them follow each other within a second, or half the time that one was seen to last.
		if _, _, less := w.dwindles(refused, 1); !less && !w.crowded(max(1, w.lasted()/2)) {
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
	if apart := max(1, length/2, w.lasted()/2); w.crowded(apart) {
		f.Figure, f.Accept, f.Verdict = w.closest(), AtLeast(apart), Fail
		f.Clause = "seconds between two times that a refused key got in again"
		f.Reason = "a refused key got in again, and again long before the next window: this is no window that rolls over"
		return f
	}
	if again, ok := w.heldAgain(); ok && w.count >= fewToCompare && 2*again <= w.count {
		f.Figure, f.Accept, f.Verdict = float64(again), AtLeast(float64(w.count+1)/2), Fail
		f.Clause = "requests admitted from the second roll-over to the next refusal"
		f.Reason = fmt.Sprintf("only %d got in, where %d did from the first: this is no window that rolls over", again, w.count)
		return f
	}
	f = f.judged(stayed, AtLeast(0), "")
	f.note("the window is %.1f s long and holds %d requests", length, w.count)
	if w.stated > 0 && math.Abs(length-w.stated.Seconds()) > 2*plan.PollEvery.Seconds()+4.5*w.jitter {
		f.note("the profile states %v", w.stated)
	}
	return f
}

// lasted is the time, in seconds, that passed between the last request that got in and the first clean roll-over, or 0 if
// one of them wasn't seen: a window is no shorter.
func (w *window) lasted() float64 {
	if !w.first.clean {
		return 0
	}
	last, ok := w.lastBefore(w.first)
	if !ok {
		return 0
	}
	return (w.first.success.Sent - last).Seconds()
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
