package attack

import (
	"testing"
	"time"

	"leadconform/load/internal/plan"
)

// walk asks for every request, being late by what late says for each.
func walk(s *Schedule, late func(n int) time.Duration) (moves []plan.Move) {
	now := time.Duration(0)
	for n := 0; ; n++ {
		move := s.Next(now)
		if move.Kind == plan.Done {
			return moves
		}
		moves = append(moves, move)
		now = max(now, move.At) + late(n)
	}
}

func never(int) time.Duration { return 0 }

func TestScheduleSendsEveryRequestAtItsTime(t *testing.T) {
	phases := []plan.Phase{
		{Start: 0, Length: 4 * time.Second, Rate: 200},
		{Start: time.Second, Length: time.Second, Rate: 1000}, // another stream's
		{Start: 6 * time.Second, Length: 4 * time.Second, Rate: 97},
	}
	moves := walk(NewSchedule(phases, 0, 2), never)
	if want := 800 + 388; len(moves) != want {
		t.Fatalf("%d requests, want %d", len(moves), want)
	}
	for i, move := range moves {
		phase, n := 0, i
		if i >= 800 {
			phase, n = 2, i-800
		}
		if want := phases[phase].At(n); move.Phase != phase || move.At != want {
			t.Fatalf("request %d: phase %d at %v, want phase %d at %v", i, move.Phase, move.At, phase, want)
		}
	}
}

func TestScheduleSlidesAfterAStall(t *testing.T) {
	phases := []plan.Phase{
		{Start: 0, Length: time.Second, Rate: 100},
		{Start: 3 * time.Second, Length: time.Second, Rate: 100},
	}
	const stall = 250 * time.Millisecond
	schedule := NewSchedule(phases, 0, 1)
	moves := walk(schedule, func(n int) time.Duration {
		if n == 49 {
			return stall // the request after it is due 10 ms later
		}
		return 0
	})
	if len(moves) != 200 {
		t.Fatalf("%d requests, want 200: none is dropped", len(moves))
	}
	slid := stall - 10*time.Millisecond
	for i := 1; i < len(moves); i++ {
		want := 10 * time.Millisecond
		switch i {
		case 50:
			want = stall
		case 100: // the silence keeps its length
			want = 2*time.Second + 10*time.Millisecond
		}
		if gap := moves[i].At - moves[i-1].At; gap != want {
			t.Errorf("request %d comes %v after the one before, want %v", i, gap, want)
		}
	}
	stalls := schedule.Stalls()
	if len(stalls) != 1 || stalls[0].Slid != slid || stalls[0].Phase != 0 || stalls[0].At != moves[50].At {
		t.Errorf("stalls %+v, want one of %v at %v", stalls, slid, moves[50].At)
	}
}

func TestScheduleToleratesWhatIsLateByLittle(t *testing.T) {
	phases := []plan.Phase{{Length: 10 * time.Second, Rate: 1000}}
	schedule := NewSchedule(phases, 0)
	schedule.Tolerance = 8 * time.Millisecond
	moves := walk(schedule, func(n int) time.Duration {
		if n%100 == 0 {
			return 8500 * time.Microsecond // the next is due 1 ms later, so it is 7.5 ms late
		}
		return 0
	})
	for i, move := range moves {
		if want := phases[0].At(i); move.At != want {
			t.Fatalf("request %d is due at %v, want %v", i, move.At, want)
		}
	}
	if stalls := schedule.Stalls(); len(stalls) != 0 {
		t.Errorf("stalls %+v, want none", stalls)
	}
}

func TestScheduleGivesUpAPhaseThatSlidesTooFar(t *testing.T) {
	phases := []plan.Phase{
		{Length: time.Second, Rate: 100},
		{Start: 3 * time.Second, Length: time.Second, Rate: 100},
	}
	schedule := NewSchedule(phases, 0, 1)
	schedule.Patience = 2 * time.Second
	moves := walk(schedule, func(n int) time.Duration {
		if n < 23 { // each takes 100 ms instead of 10
			return 100 * time.Millisecond
		}
		return 0
	})
	sent := map[int]int{}
	for _, move := range moves {
		sent[move.Phase]++
	}
	// After 23 of them the rest has slid by 23·90 ms.
	if sent[0] != 23 || sent[1] != 100 {
		t.Errorf("sent %v, want 23 of the first phase and all 100 of the second", sent)
	}
	if got := schedule.GivenUp(); got != 77 {
		t.Errorf("%d given up, want 77", got)
	}
	first := moves[23]
	if want := 3*time.Second + schedule.slid; first.Phase != 1 || first.At != want {
		t.Errorf("the second phase begins at %v, want %v: the silence keeps its length", first.At, want)
	}
}
