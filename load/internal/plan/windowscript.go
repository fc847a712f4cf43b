package plan

import (
	"math"
	"slices"
	"time"
)

// WindowScript is the Script of the fixed-window experiment: drive one key into a refusal, wait for the window to roll
// over, count what gets in from there on, try the other path and the other key at once, wait for the next roll-over,
// and count again on both paths in turn.
type WindowScript struct {
	config FixedWindow
	phase  map[Name]int // index into the plan
	step   func(now time.Duration) Move

	// What was seen since the last settle.
	began   time.Duration // when the present step began
	next    time.Duration // when its next request is due
	sent    int           // its requests
	rejects int           // its refusals before its first success
	success bool
	refused map[int]bool // phases that met a refusal

	ramped  int           // requests admitted until the first refusal
	polled  time.Duration // how long the key then stayed refused
	unclean int           // roll-overs that were not clean
	ceiling int           // requests admitted from the first roll-over to the next refusal
}

// NewWindowScript returns the script; offset is the index in the plan of the first of f.Phases.
func NewWindowScript(f FixedWindow, offset int) *WindowScript {
	w := &WindowScript{config: f, phase: make(map[Name]int), refused: make(map[int]bool)}
	for i, p := range f.Phases() {
		w.phase[p.Name] = offset + i
	}
	w.settle(w.ramp)
	return w
}

// Next returns the next move.
func (w *WindowScript) Next(now time.Duration) Move { return w.step(now) }

// Observe takes in an answer to one of the script's own requests.
func (w *WindowScript) Observe(a Answer) {
	switch a.Outcome {
	case Limited:
		w.refused[a.Phase] = true
		if !w.success {
			w.rejects++
		}
	case Admitted:
		w.success = true
		if a.Phase == w.phase[Ramp] {
			w.ramped++
		}
		if a.Phase == w.phase[Exhaust] {
			w.ceiling++
		}
	}
}

// settle waits for all answers, forgets them, and goes on with the given step.
func (w *WindowScript) settle(step func(time.Duration) Move) Move {
	w.step = func(now time.Duration) Move {
		w.enter(now, step)
		return step(now)
	}
	return Move{Kind: Drain}
}

// enter begins a step at once.
func (w *WindowScript) enter(now time.Duration, step func(time.Duration) Move) {
	w.step = step
	w.began, w.next = now, now
	w.sent, w.rejects, w.success = 0, 0, false
	w.refused = make(map[int]bool)
}

// send returns the next request of the present step, at the given rate.
func (w *WindowScript) send(name Name, rate float64) Move {
	at := w.next
	w.next += seconds(1 / rate)
	w.sent++
	return Move{Kind: Send, At: at, Phase: w.phase[name]}
}

func (w *WindowScript) done() Move {
	w.step = func(time.Duration) Move { return Move{Kind: Done} }
	return Move{Kind: Done}
}

// ramp doubles the rate every half second until the first refusal, for one stated window at most.
func (w *WindowScript) ramp(time.Duration) Move {
	elapsed := w.next - w.began
	switch {
	case w.refused[w.phase[Ramp]]:
		return w.settle(w.firstPoll)
	case elapsed >= w.config.Window:
		return w.done()
	}
	doubled := math.Exp2(math.Floor(elapsed.Seconds() / rampStep.Seconds()))
	return w.send(Ramp, min(rampFrom*doubled, w.config.MaxRate))
}

// again drives the key into a refusal once more, without a ramp.
func (w *WindowScript) again(time.Duration) Move {
	switch {
	case w.refused[w.phase[Ramp]]:
		return w.settle(w.firstPoll)
	case w.next-w.began >= w.config.Window:
		return w.done()
	}
	return w.send(Ramp, w.config.MaxRate)
}

func (w *WindowScript) firstPoll(now time.Duration) Move {
	w.polled = now - w.began
	return w.poll(now, FirstPoll, w.exhaust)
}

func (w *WindowScript) secondPoll(now time.Duration) Move {
	return w.poll(now, SecondPoll, w.alternate)
}

// poll asks ten times a second until a request gets in. From a clean roll-over the experiment goes on with then; after
// an unclean one it starts over.
func (w *WindowScript) poll(now time.Duration, name Name, then func(time.Duration) Move) Move {
	switch {
	case w.success && w.rejects >= CleanRejects:
		w.enter(now, then)
		return then(now)
	case w.success:
		w.unclean++
		if w.unclean == maxUnclean {
			return w.done()
		}
		w.ramped = 0
		return w.settle(w.again)
	case w.next-w.began > w.config.Window+Patience:
		return w.done()
	}
	return w.send(name, 1/PollEvery.Seconds())
}

// exhaust lets a log of few requests betray itself, and sends as fast as allowed until the next refusal.
func (w *WindowScript) exhaust(now time.Duration) Move {
	if w.sent == 0 {
		w.ceiling = 1 // the poll that got in
		if w.ramped <= fewRequests && w.polled >= roomForLull {
			w.next += lull
		}
	}
	switch {
	case w.refused[w.phase[Exhaust]]:
		w.enter(now, w.others)
		return w.others(now)
	case w.next-w.began >= w.config.Window:
		return w.done()
	}
	return w.send(Exhaust, w.config.MaxRate)
}

// others tries the other path and the other key while the first is refused.
func (w *WindowScript) others(time.Duration) Move {
	var probes []Name
	if w.config.Path2 != "" {
		for range otherProbes {
			probes = append(probes, OtherPath)
		}
	}
	if w.config.SecondKey {
		probes = append(probes, OtherKey1)
		if w.config.Path2 != "" {
			probes = append(probes, OtherKey2)
		}
	}
	if w.sent == len(probes) {
		return w.settle(w.secondPoll)
	}
	return w.send(probes[w.sent], 1/probeGap.Seconds())
}

// alternate sends to both paths in turn, if there are two, until both refuse. Two counts instead of one would let in twice
// the ceiling; that much has to be offered before it is given up.
func (w *WindowScript) alternate(time.Duration) Move {
	paths := []Name{Alternate1, Alternate2}
	if w.config.Path2 == "" {
		paths = paths[:1]
	}
	open := slices.ContainsFunc(paths, func(n Name) bool { return !w.refused[w.phase[n]] })
	if !open || w.sent > 3*w.ceiling+20 || w.next-w.began >= w.config.Window {
		return w.done()
	}
	return w.send(paths[w.sent%len(paths)], w.config.MaxRate)
}
