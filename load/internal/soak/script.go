package soak

import (
	"container/heap"
	"time"

	"leadconform/load/internal/plan"
)

// tolerance is how late the schedule may run before it slides, as that of the experiment on the limits.
const tolerance = 20 * time.Millisecond

// Script merges the schedules of many suppliers, each a phase of constant rate, into one (plan.Script). It never catches
// up: after a stall all of them are later by the same time. It ends when the last phase was meant to end, however far it
// slid.
type Script struct {
	phases []plan.Phase
	board  *Board
	next   upcoming
	slid   time.Duration
	end    time.Duration
	stalls int
}

// NewScript returns the schedule of those phases that the indexes name, which are suppliers of the board.
func NewScript(phases []plan.Phase, indexes []int, board *Board) *Script {
	s := &Script{phases: phases, board: board}
	for _, i := range indexes {
		if phases[i].Count() > 0 {
			s.next = append(s.next, hit{phases[i].At(0), i, 0})
		}
		s.end = max(s.end, phases[i].End())
	}
	heap.Init(&s.next)
	return s
}

// Next returns the next request of any supplier (plan.Script).
func (s *Script) Next(now time.Duration) plan.Move {
	if len(s.next) == 0 {
		return plan.Move{Kind: plan.Done}
	}
	h := s.next[0]
	due := h.due + s.slid
	if late := now - due; late > tolerance {
		s.slid += late
		s.stalls++
		due = now
	}
	if due >= s.end {
		return plan.Move{Kind: plan.Done}
	}
	if n := h.n + 1; n < s.phases[h.phase].Count() {
		s.next[0] = hit{s.phases[h.phase].At(n), h.phase, n}
		heap.Fix(&s.next, 0)
	} else {
		heap.Pop(&s.next)
	}
	s.board.Due(h.phase, due)
	return plan.Move{Kind: plan.Send, At: due, Phase: h.phase}
}

// Observe does nothing: a schedule takes no notice of answers (plan.Script).
func (s *Script) Observe(plan.Answer) {}

// Slid is how often the schedule slid, and by how much in all.
func (s *Script) Slid() (times int, by time.Duration) { return s.stalls, s.slid }

// hit is the next request of a supplier, as planned.
type hit struct {
	due   time.Duration
	phase int
	n     int // of its phase
}

// upcoming is a heap of the next request of each supplier, the earliest first.
type upcoming []hit

func (u upcoming) Len() int           { return len(u) }
func (u upcoming) Less(i, j int) bool { return u[i].due < u[j].due }
func (u upcoming) Swap(i, j int)      { u[i], u[j] = u[j], u[i] }

// Push is heap.Interface's.
func (u *upcoming) Push(x any) { *u = append(*u, x.(hit)) }

// Pop is heap.Interface's.
func (u *upcoming) Pop() any {
	last := (*u)[len(*u)-1]
	*u = (*u)[:len(*u)-1]
	return last
}
