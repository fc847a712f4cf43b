package simulate

import (
	"container/heap"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// event is something that a script causes.
type event struct {
	at     time.Duration
	order  int // of pushing, to break ties
	kind   eventKind
	script int
	move   plan.Move // of dispatch
	index  int32     // of arrive and answer: the sample
}

type eventKind uint8

const (
	wake     eventKind = iota // a script is asked for its next move
	dispatch                  // its request is sent
	arrive                    // and is decided
	answer                    // and its answer comes in
)

// events is a heap by time.
type events []event

func (e events) Len() int      { return len(e) }
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e events) Less(i, j int) bool {
	if e[i].at != e[j].at {
		return e[i].at < e[j].at
	}
	return e[i].order < e[j].order
}
func (e *events) Push(x any) { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

func (r *run) push(e event) {
	r.pushed++
	e.order = r.pushed
	heap.Push(&r.events, e)
}

// loop goes through all arrivals and events in the order of time.
func (r *run) loop() {
	next := 0
	for next < len(r.arrivals) || len(r.events) > 0 {
		if len(r.events) == 0 || next < len(r.arrivals) && r.arrivals[next].at <= r.events[0].at {
			r.arrive(r.arrivals[next])
			next++
			continue
		}
		r.handle(heap.Pop(&r.events).(event))
	}
}

// arrive decides a request of a phase at a constant rate, and starts the script that waits for the phase's end.
func (r *run) arrive(a arrival) {
	s := r.decide(a)
	phase := int(s.Phase)
	r.left[phase]--
	script, awaited := r.waiting[phase]
	if !awaited {
		return
	}
	r.experiment.Scripts[script].Script.Observe(seen(s))
	r.starts[script] = max(r.starts[script], s.Received)
	if r.left[phase] == 0 {
		r.push(event{at: r.starts[script], kind: wake, script: script})
	}
}

func (r *run) handle(e event) {
	switch e.kind {
	case wake:
		r.wake(e)
	case dispatch:
		a := r.send(e.move.Phase, e.at, e.at)
		r.inFlight[e.script]++
		r.push(event{at: a.at, kind: arrive, script: e.script, index: a.index})
		r.push(event{at: e.at, kind: wake, script: e.script})
	case arrive:
		s := r.decide(arrival{at: e.at, index: e.index})
		r.push(event{at: s.Received, kind: answer, script: e.script, index: e.index})
	case answer:
		r.inFlight[e.script]--
		r.experiment.Scripts[e.script].Script.Observe(seen(&r.samples[e.index]))
		if r.draining[e.script] && r.inFlight[e.script] == 0 {
			r.draining[e.script] = false
			r.push(event{at: e.at, kind: wake, script: e.script})
		}
	}
}

// wake asks a script for its next move.
func (r *run) wake(e event) {
	move := r.experiment.Scripts[e.script].Script.Next(e.at)
	switch {
	case move.Kind == plan.Send:
		r.push(event{at: max(e.at, move.At), kind: dispatch, script: e.script, move: move})
	case move.Kind == plan.Drain && r.inFlight[e.script] == 0:
		r.push(event{at: e.at, kind: wake, script: e.script})
	case move.Kind == plan.Drain:
		r.draining[e.script] = true
	}
}

// seen is a sample as a script sees it.
func seen(s *trace.Sample) plan.Answer {
	return plan.Answer{Phase: int(s.Phase), Sent: s.Sent, Received: s.Received, Outcome: s.Kind, RetryAfter: s.Refusal.Wait()}
}
