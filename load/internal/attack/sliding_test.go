package attack

import (
	"testing"
	"time"

	"leadconform/load/internal/plan"
)

// ticking sends every 10 ms, and in the middle waits for its answers.
type ticking struct {
	sent    int
	next    time.Duration
	drained bool
	seen    []plan.Answer
}

func (s *ticking) Next(now time.Duration) plan.Move {
	switch {
	case s.sent == 100:
		return plan.Move{Kind: plan.Done}
	case s.sent == 50 && !s.drained:
		s.drained = true
		return plan.Move{Kind: plan.Drain}
	case s.sent == 50:
		s.next = now
	}
	at := s.next
	s.next += 10 * time.Millisecond
	s.sent++
	return plan.Move{Kind: plan.Send, At: at}
}

func (s *ticking) Observe(a plan.Answer) { s.seen = append(s.seen, a) }

func TestSlidingNeverCatchesUp(t *testing.T) {
	script := &ticking{}
	sliding := Slide(script)
	var due []time.Duration
	now := time.Duration(0)
	for move := sliding.Next(now); move.Kind != plan.Done; move = sliding.Next(now) {
		if move.Kind == plan.Drain {
			now += time.Second // the answers take their time, which is no stall
			continue
		}
		due = append(due, move.At)
		now = max(now, move.At)
		switch len(due) {
		case 20:
			now += 200 * time.Millisecond
		case 30:
			now += 15 * time.Millisecond // little enough to be made up for
		}
	}
	for n := 1; n < len(due); n++ {
		want := 10 * time.Millisecond
		switch n {
		case 20:
			want = 200 * time.Millisecond
		case 50:
			want = time.Second
		}
		if gap := due[n] - due[n-1]; gap != want {
			t.Errorf("request %d is due %v after the one before, want %v", n, gap, want)
		}
	}
	stalls := sliding.Stalls()
	if len(stalls) != 1 || stalls[0].Slid != 190*time.Millisecond {
		t.Fatalf("stalls %+v, want one of 190 ms", stalls)
	}
	sliding.Observe(plan.Answer{Sent: 2 * time.Second, Received: 3 * time.Second})
	if got := script.seen[0]; got.Sent != 1810*time.Millisecond || got.Received != 2810*time.Millisecond {
		t.Errorf("the script is told %v and %v, want its own clock's 1.81 s and 2.81 s", got.Sent, got.Received)
	}
}

func TestSlidingTakesAMoveInThePastForAtOnce(t *testing.T) {
	sliding := Slide(&drainTwice{})
	for _, now := range []time.Duration{time.Second, time.Second, time.Second, 5 * time.Second} {
		if move := sliding.Next(now); move.Kind == plan.Send && move.At > now {
			t.Errorf("at %v: due at %v", now, move.At)
		}
	}
	if stalls := sliding.Stalls(); len(stalls) > 0 {
		t.Errorf("stalls %+v, want none", stalls)
	}
}
