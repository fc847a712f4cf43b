package soak

import (
	"sync"
	"time"

	"leadconform/load/internal/trace"
)

// grace is how long the answers of a second are waited for after it is over. What comes later counts as missing.
const grace = 2

// open is how many seconds of a supplier may be open at a time: the one that goes on, those within grace, and one more, as
// requests are due a little ahead of the clock.
const open = 2 + grace

// Board judges many suppliers as their samples come in. It holds nothing that grows with the run. It is safe for
// concurrent use.
type Board struct {
	lag, trip time.Duration // beyond which a request is tardy

	mu        sync.Mutex
	suppliers []tracked
	closed    int // the second that is judged next
	last      int // in which anything was due
	carried   int // see Carried
	drowned   int // seconds in a row in which most suppliers were not served in time
}

type tracked struct {
	Curves
	open [open]Second
}

// NewBoard returns a board for suppliers with these bounds. A request is tardy if it is sent later than lag after it was
// due, or answered later than trip after it was sent.
func NewBoard(bounds []Bounds, lag, trip time.Duration) *Board {
	b := &Board{lag: lag, trip: trip, suppliers: make([]tracked, len(bounds))}
	for i := range bounds {
		b.suppliers[i].Bounds = bounds[i]
	}
	return b
}

// Due notes that a request of a supplier is due.
func (b *Board) Due(supplier int, at time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = max(b.last, int(at/time.Second))
	if s := b.slot(supplier, at); s != nil {
		s.Due++
	}
}

// slot is the count of a second that is open, or nil.
func (b *Board) slot(supplier int, at time.Duration) *Second {
	n := int(at / time.Second)
	if n < b.closed || n >= b.closed+open {
		return nil
	}
	return &b.suppliers[supplier].open[n%open]
}

// Take counts a sample, whose Phase is the supplier.
func (b *Board) Take(s trace.Sample) {
	b.mu.Lock()
	defer b.mu.Unlock()
	second := b.slot(int(s.Phase), s.Intended)
	if second == nil {
		return // too late: it counts as missing
	}
	tardy := s.Lag() > b.lag || s.Latency() > b.trip
	second.Answered++
	if tardy {
		second.Tardy++
	}
	switch s.Kind {
	case trace.Admitted:
		second.Admitted++
		if !tardy {
			second.Prompt++
		}
	case trace.Limited:
		second.Limited++
	case trace.Other:
		second.Other++
	}
}

// Advance judges the seconds that are over for long enough at now, and returns the suppliers that crossed a curve for the
// first time.
func (b *Board) Advance(now time.Duration) []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closeUpTo(int(now/time.Second) - grace)
}

// Finish judges what is left, when all answers are in. A second that the run's end cut off is judged as far as it went.
func (b *Board) Finish() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closeUpTo(b.closed + open)
}

// closeUpTo judges the seconds before one.
func (b *Board) closeUpTo(end int) (failed []int) {
	for ; b.closed < end; b.closed++ {
		active, late := 0, 0 // suppliers
		for i := range b.suppliers {
			s := &b.suppliers[i].open[b.closed%open]
			if s.Due == 0 && (!b.suppliers[i].began || b.closed > b.last) {
				continue // it has yet to set in, or all is over
			}
			active++
			if s.Tardy > 0 || s.Answered != s.Due || s.Due == 0 {
				late++
			}
			if b.suppliers[i].Add(b.closed, *s) {
				failed = append(failed, i)
			}
			*s = Second{}
		}
		if late*100 <= active {
			b.carried = max(b.carried, active)
		}
		if b.drowned++; late*2 <= active {
			b.drowned = 0
		}
	}
	return failed
}

// Carried is the largest number of suppliers that were driven within one second so that at most one in a hundred of them
// had a request that was sent or answered late, or not at all.
func (b *Board) Carried() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.carried
}

// drownedAfter is for how many seconds in a row most suppliers may not be served in time.
const drownedAfter = 20

// Drowned reports whether client, network and target together can't carry the load: for some seconds in a row more than
// half of the suppliers had requests that were sent or answered late. Nothing can be judged then.
func (b *Board) Drowned() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.drowned >= drownedAfter
}

// Curves returns a copy of what is known of each supplier.
func (b *Board) Curves() []Curves {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]Curves, len(b.suppliers))
	for i := range b.suppliers {
		all[i] = b.suppliers[i].Curves
	}
	return all
}
