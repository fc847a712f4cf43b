package plan

import "time"

// Figures of the Retry-After probes.
const (
	// MaxWait is the longest Retry-After that is waited for. A longer one is not judged by a probe; that it is absurd is
	// judged by its number alone (LD-429-09).
	MaxWait = 30 * time.Second
	// ShortWait is the longest Retry-After whose overstatement isn't looked into: whole seconds, rounded up, and a second
	// of granularity may honestly say so much.
	ShortWait = 2 * time.Second
	// probeEvery is the distance of the sparse probes.
	probeEvery = time.Second
)

// WaitProbe is the Script that asks whether a Retry-After is true (LD-429-07, LD-429-09). Where it follows the overload
// of A2 at once, it has to observe the answers to A2 and starts from their last refusal; where it was shown none, it
// begins by driving the key into a refusal.
//
// Sufficient: the key is left alone for as long as the last refusal asks; then one probe has to be admitted. The clock
// starts at the later of that refusal and of any success sent after it: such a success may have opened a new window.
// Not overstated: where more than ShortWait was asked for, the key is driven into a refusal again, and single probes a
// second apart show when it is really admitted. This comes second, since a probe that comes early might be charged.
type WaitProbe struct {
	wait, refill, sparse int
	load                 float64 // what Refill offers, requests per second
	patience             time.Duration

	step    func(now time.Duration) Move
	begun   time.Duration // when Refill began
	next    time.Duration // when the next request is due
	until   time.Duration // when the last sparse probe is due
	shown   bool          // an answer was observed
	refusal Answer        // the last refusal to arrive
	sentOK  time.Duration // when the last success was sent
	gotOK   time.Duration // when the last success arrived: not always the same one
	early   bool          // a sparse probe was admitted
}

// NewWaitProbe returns the script for the phases with these indices in the plan.
func NewWaitProbe(p Policy, wait, refill, sparse int) *WaitProbe {
	w := &WaitProbe{wait: wait, refill: refill, sparse: sparse, load: p.PeakLoad()}
	w.patience = seconds(p.Credit()/(w.load-p.Rate)) + 2*time.Second // a whole credit is used up by then
	w.settle(w.start)
	return w
}

// Observe takes in an answer to A2 or to one of the script's own requests.
func (w *WaitProbe) Observe(a Answer) {
	w.shown = true
	switch a.Outcome {
	case Limited:
		if a.Received >= w.refusal.Received {
			w.refusal = a
		}
	case Admitted:
		w.sentOK, w.gotOK = max(w.sentOK, a.Sent), max(w.gotOK, a.Received)
		w.early = w.early || a.Phase == w.sparse
	}
}

// Next returns the next move.
func (w *WaitProbe) Next(now time.Duration) Move { return w.step(now) }

// settle waits for all answers before the given step.
func (w *WaitProbe) settle(step func(time.Duration) Move) Move {
	w.step = step
	return Move{Kind: Drain}
}

func (w *WaitProbe) start(now time.Duration) Move {
	if !w.shown {
		return w.refillFrom(now, w.quiet)
	}
	return w.quiet(now)
}

// quiet leaves the key alone for as long as it was asked to, then sends one probe.
func (w *WaitProbe) quiet(time.Duration) Move {
	if !w.asked(0) {
		return w.done()
	}
	at := w.clock() + w.refusal.RetryAfter
	w.step = w.probed
	return Move{Kind: Send, At: at, Phase: w.wait}
}

func (w *WaitProbe) probed(time.Duration) Move {
	if !w.asked(ShortWait) {
		return w.done()
	}
	return w.settle(func(now time.Duration) Move { return w.refillFrom(now, w.sparsely) })
}

// refillFrom drives the key into a refusal, and goes on with the given step.
func (w *WaitProbe) refillFrom(now time.Duration, then func(time.Duration) Move) Move {
	w.refusal = Answer{}
	w.begun, w.next = now, now
	w.step = func(time.Duration) Move {
		switch {
		case w.refusal.Outcome == Limited:
			return w.settle(then)
		case w.next > w.begun+w.patience:
			return w.done()
		}
		at := w.next
		w.next += seconds(1 / w.load)
		return Move{Kind: Send, At: at, Phase: w.refill}
	}
	return w.step(now)
}

// sparsely sends a probe a second, each after the answer to the one before, until one gets in, or the time is up that the
// last refusal asked for.
func (w *WaitProbe) sparsely(time.Duration) Move {
	if !w.asked(ShortWait) {
		return w.done()
	}
	w.next, w.until = w.clock(), w.clock()+w.refusal.RetryAfter
	var probe func(time.Duration) Move
	probe = func(time.Duration) Move {
		w.next += probeEvery
		if w.early || w.next > w.until {
			return w.done()
		}
		w.step = func(time.Duration) Move { return w.settle(probe) }
		return Move{Kind: Send, At: w.next, Phase: w.sparse}
	}
	return probe(0)
}

// asked reports whether the last refusal asks for more than so much, and for no more than can be waited for.
func (w *WaitProbe) asked(more time.Duration) bool {
	return w.refusal.Outcome == Limited && w.refusal.RetryAfter > more && w.refusal.RetryAfter <= MaxWait
}

// clock is when the wait that the last refusal asks for begins.
func (w *WaitProbe) clock() time.Duration {
	if w.sentOK > w.refusal.Sent {
		return max(w.refusal.Received, w.gotOK)
	}
	return w.refusal.Received
}

func (w *WaitProbe) done() Move {
	w.step = func(time.Duration) Move { return Move{Kind: Done} }
	return Move{Kind: Done}
}
