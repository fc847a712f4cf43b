package attack

import (
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// DefaultTolerance is how late a schedule may run before it slides. What is late by less is made up for at once, so a
// window of one second holds at most 2 % more than the rate: less than the margin that the plans keep below a burst
// rate, and more than the scheduler of a busy machine takes, which would otherwise cost a phase its length.
const DefaultTolerance = 20 * time.Millisecond

// FineTolerance is for attacks that must not exceed their rate by 0.6 % in any second, at the price of sliding more: what
// is made up for adds at most 0.4 %.
const FineTolerance = 4 * time.Millisecond

// Schedule is the script of phases at constant rates: every request at its time, none twice and none left out. After a
// stall it slides: it goes on from now instead of sending what was missed back to back, which would exceed the rate
// and look like the target's fault. All later phases move along, so that silences keep their length.
type Schedule struct {
	// Tolerance is how late the schedule may run before it slides.
	Tolerance time.Duration
	// Patience, if it isn't 0, is how far a phase may slide before what is left of it is given up: it can't be judged
	// any more, and a target that holds answers back would stretch it without end.
	Patience time.Duration

	phases  []plan.Phase
	indexes []int // into phases, in the order in which they run

	at, hit int           // the next request: which of indexes, and which of its phase
	slid    time.Duration // by how much later requests are due than planned
	here    time.Duration // how much of that this phase has slid
	stalls  []trace.Stall
	givenUp int // requests
}

var _ plan.Script = (*Schedule)(nil)

// NewSchedule returns the schedule of those phases of the plan that the indexes name, which must not overlap, with the
// default tolerance and endless patience.
func NewSchedule(phases []plan.Phase, indexes ...int) *Schedule {
	return &Schedule{Tolerance: DefaultTolerance, phases: phases, indexes: indexes}
}

// Next returns the next request (plan.Script).
func (s *Schedule) Next(now time.Duration) plan.Move {
	for s.at < len(s.indexes) && s.hit >= s.phases[s.indexes[s.at]].Count() {
		s.nextPhase()
	}
	if s.at == len(s.indexes) {
		return plan.Move{Kind: plan.Done}
	}
	index := s.indexes[s.at]
	due := s.phases[index].At(s.hit) + s.slid
	if late := now - due; late > s.Tolerance {
		s.stalls = append(s.stalls, trace.Stall{At: now, Slid: late, Phase: index})
		s.slid += late
		s.here += late
		due = now
	}
	if s.Patience > 0 && s.here > s.Patience {
		s.givenUp += s.phases[index].Count() - s.hit
		s.nextPhase()
		return s.Next(now)
	}
	s.hit++
	return plan.Move{Kind: plan.Send, At: due, Phase: index}
}

func (s *Schedule) nextPhase() { s.at, s.hit, s.here = s.at+1, 0, 0 }

// Observe does nothing: a schedule takes no notice of answers (plan.Script).
func (s *Schedule) Observe(plan.Answer) {}

// Stalls returns every slide so far. By default there can't be more than 50 a second.
func (s *Schedule) Stalls() []trace.Stall { return s.stalls }

// GivenUp is how many requests were left out so far, of phases that had slid too far.
func (s *Schedule) GivenUp() int { return s.givenUp }
