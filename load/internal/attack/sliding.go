package attack

import (
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// Sliding is a script that never catches up: a stall stops the script's clock. Whatever the script does, it goes on after
// the stall as it would have without, only later.
type Sliding struct {
	script plan.Script

	slid    time.Duration // how much later it is than the script thinks
	last    time.Duration // when the last request was due
	settled bool          // the script waited for answers, or has yet to begin: nothing was missed meanwhile
	stalls  []trace.Stall
}

var _ plan.Script = (*Sliding)(nil)

// Slide returns the script as one that never catches up.
func Slide(script plan.Script) *Sliding { return &Sliding{script: script, settled: true} }

// Next returns the script's next move, by the real clock (plan.Script).
func (s *Sliding) Next(now time.Duration) plan.Move {
	move := s.script.Next(now - s.slid)
	switch {
	case move.Kind != plan.Send:
		s.settled = true
		return move
	case s.settled:
		s.settled = false
		s.last = now
	}
	move.At += s.slid
	if late := now - max(move.At, s.last); late > DefaultTolerance {
		s.stalls = append(s.stalls, trace.Stall{At: now, Slid: late, Phase: move.Phase})
		s.slid += late
		move.At = now
	}
	s.last = max(s.last, move.At)
	return move
}

// Observe tells the script of an answer, by the script's clock (plan.Script).
func (s *Sliding) Observe(a plan.Answer) {
	a.Sent -= s.slid
	a.Received -= s.slid
	s.script.Observe(a)
}

// Stalls returns every stall so far.
func (s *Sliding) Stalls() []trace.Stall { return s.stalls }
