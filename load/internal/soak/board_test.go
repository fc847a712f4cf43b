package soak_test

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/soak"
	"leadconform/load/internal/trace"
)

func newBoard(suppliers int) *soak.Board {
	b := make([]soak.Bounds, suppliers)
	for i := range b {
		b[i] = bounds(documented, 1.2, 50*time.Millisecond)
		b[i].Rested = false
	}
	return soak.NewBoard(b, 50*time.Millisecond, 50*time.Millisecond)
}

// answered is a sample of a supplier that was due at a time and answered soon.
func answered(supplier int, at time.Duration, kind trace.Kind) trace.Sample {
	return trace.Sample{Phase: uint16(supplier), Intended: at, Sent: at, Received: at + time.Millisecond, Kind: kind, Status: 200}
}

// feed sends each supplier 120 requests in a second, of which so many are admitted.
func feed(b *soak.Board, second, suppliers, admitted int, change func(*trace.Sample)) {
	for i := range suppliers {
		for k := range 120 {
			at := time.Duration(second)*time.Second + time.Duration(k)*time.Second/120
			kind := trace.Limited
			if k < admitted {
				kind = trace.Admitted
			}
			s := answered(i, at, kind)
			if change != nil {
				change(&s)
			}
			b.Due(i, at)
			b.Take(s)
		}
	}
	b.Advance(time.Duration(second+1) * time.Second)
}

// What a board holds doesn't grow with the run.
func TestMemoryIsIndependentOfTheLength(t *testing.T) {
	b := newBoard(20)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var early uint64
	for second := range 600 {
		feed(b, second, 20, 100, nil)
		if second == 60 {
			early = heap()
		}
	}
	if late := heap(); late > early+64<<10 {
		t.Errorf("%d bytes after a minute, %d after ten", early, late)
	}
	if v, reason := b.Curves()[19].Verdict(); v != soak.Pass {
		t.Errorf("%s: %s", v, reason)
	}
}

// When nobody is served in time any more there is no use in going on, and the largest number that was is known.
func TestDrowning(t *testing.T) {
	b := newBoard(10)
	late := func(s *trace.Sample) { s.Sent += 80 * time.Millisecond; s.Received += 80 * time.Millisecond }
	for second := range 30 {
		switch {
		case second < 5:
			feed(b, second, 4, 100, nil)
		default:
			feed(b, second, 10, 100, late)
		}
		if drowned := b.Drowned(); drowned != (second >= 26) { // two seconds are waited for
			t.Errorf("second %d: drowned %v", second, drowned)
		}
	}
	if got := b.Carried(); got != 4 {
		t.Errorf("carried %d, want 4", got)
	}
	for i, c := range b.Curves() {
		if v, _ := c.Verdict(); v != soak.NotAssessed {
			t.Errorf("supplier %d: %s", i, v)
		}
	}
}

// An answer that comes after its second was judged doesn't count as one.
func TestLateAnswersAreMissing(t *testing.T) {
	b := newBoard(1)
	for second := range 30 {
		feed(b, second, 1, 100, nil)
		at := time.Duration(second) * time.Second
		b.Due(0, at)
		if second > 5 {
			b.Take(answered(0, at-5*time.Second, trace.Admitted))
		}
	}
	b.Finish()
	if c := b.Curves()[0]; c.Spoilt != c.Seconds || c.Seconds != 30 {
		t.Errorf("%d of %d seconds spoilt, want all 30", c.Spoilt, c.Seconds)
	}
}

// The schedule holds every request once, in order, and never catches up.
func TestScriptSlidesAndEnds(t *testing.T) {
	p := soak.Plan{Endpoint: "ingest", Suppliers: []string{"a", "b", "c"}, Offered: 50, Ramp: time.Second, Length: 4 * time.Second}
	phases := p.Phases()
	board := newBoard(3)
	script := soak.NewScript(phases, []int{0, 1, 2}, board)
	var dues []time.Duration
	counts := map[int]int{}
	for now := time.Duration(0); ; {
		m := script.Next(now)
		if m.Kind == plan.Done {
			break
		}
		now = max(now, m.At)
		if len(dues) == 200 {
			now += 300 * time.Millisecond // the client stalls
		}
		dues = append(dues, m.At)
		counts[m.Phase]++
	}
	if !slices.IsSorted(dues) || dues[len(dues)-1] >= 4*time.Second {
		t.Error("requests are out of order, or after the end")
	}
	for i := range dues {
		if j := slices.IndexFunc(dues[i:], func(d time.Duration) bool { return d >= dues[i]+time.Second }); j > 151 {
			t.Fatalf("%d requests are due within a second of %v, of 150", j, dues[i])
		}
	}
	if times, by := script.Slid(); times != 1 || by < 250*time.Millisecond || by > 310*time.Millisecond {
		t.Errorf("slid %d times by %v", times, by)
	}
	if want := phases[0].Count() - 15; counts[0] > want+1 || counts[0] < want-1 {
		t.Errorf("%d requests of the first, want about %d: the rest is after the end", counts[0], want)
	}
}
