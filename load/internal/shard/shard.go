// Package shard splits a run over workers that share nothing but the clock, and puts together what they wrote.
package shard

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"leadconform/load/internal/plan"
)

// Shard is one worker of several: the Index-th of Count, from 0. The zero value is a worker that does all.
type Shard struct {
	Index, Count int
}

// most is how many workers there may be.
const most = 10_000

// UnmarshalText reads a shard as i/n, such as 0/3 (encoding.TextUnmarshaler).
func (s *Shard) UnmarshalText(text []byte) error {
	index, count, found := strings.Cut(string(text), "/")
	i, errIndex := strconv.Atoi(index)
	n, errCount := strconv.Atoi(count)
	if err := errors.Join(errIndex, errCount); !found || err != nil {
		return fmt.Errorf("%q: write it as i/n, such as 0/3 for the first of three workers", text)
	}
	if n < 1 || n > most || i < 0 || i >= n {
		return fmt.Errorf("%q: of n workers, at most %d, the first is 0 and the last n-1", text, most)
	}
	s.Index, s.Count = i, n
	return nil
}

// String prints the shard as UnmarshalText reads it.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, max(1, s.Count)) }

// Whole reports whether this worker does all.
func (s Shard) Whole() bool { return s.Count <= 1 }

// Owns reports whether the i-th of several keys is this worker's.
func (s Shard) Owns(i int) bool { return s.Whole() || i%s.Count == s.Index }

// Interleaves reports whether the workers share every key, request by request: there are more of them than keys.
func (s Shard) Interleaves(keys int) bool { return !s.Whole() && keys < s.Count }

// Interleave returns this worker's share of a phase of constant rate: of every Count requests the Index-th. All shares
// together are the phase.
func (s Shard) Interleave(p plan.Phase) plan.Phase {
	if s.Whole() || p.Adaptive() {
		return p
	}
	first := min(p.Length, time.Duration(float64(s.Index)/p.Rate*float64(time.Second)))
	p.Start += first
	p.Length -= first
	p.Rate /= float64(s.Count)
	return p
}

// Split returns this worker's share of a plan: the phases of some of its streams, or, if there are fewer streams than
// workers, a share of every phase.
func (s Shard) Split(phases []plan.Phase) (own []plan.Phase, interleaved bool) {
	var streams []plan.Stream
	for _, p := range phases {
		if !slices.Contains(streams, p.Stream) {
			streams = append(streams, p.Stream)
		}
	}
	interleaved = s.Interleaves(len(streams))
	for _, p := range phases {
		switch {
		case interleaved:
			if p = s.Interleave(p); p.Count() > 0 {
				own = append(own, p)
			}
		case s.Owns(slices.Index(streams, p.Stream)):
			own = append(own, p)
		}
	}
	return own, interleaved
}

// Lead is how long before the start of a run its workers should be started: for a preflight, connections and, where the
// keys are not fresh, their rest.
const Lead = 5 * time.Second

// Start turns the wall-clock time at which the workers begin into one that has a monotonic reading, by which a run
// counts. An error means that it has passed.
func Start(at time.Time) (time.Time, error) {
	left := time.Until(at)
	if left <= 0 {
		return time.Time{}, fmt.Errorf("the start at %s passed %v ago: choose a later one, the same for all workers",
			at.Format(time.RFC3339), (-left).Round(time.Duration(math.Pow10(6))))
	}
	return time.Now().Add(left), nil
}
