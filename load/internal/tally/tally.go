// Package tally sums a run up while it goes on, in memory that doesn't grow with it.
package tally

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"leadconform/load/internal/trace"
)

// Tally counts what was sent and what came back. The zero value is ready. It is not safe for concurrent use.
type Tally struct {
	Sent, Admitted, Limited, Other int
	Latency                        Histogram // of requests that were answered
	Lag                            Histogram // how late requests were sent, where that is known
	First, Last                    time.Time // sent

	faults map[string]int // why answers were neither
	waits  map[time.Duration]int
}

// Add counts a sample of a run that began at start.
func (t *Tally) Add(start time.Time, s trace.Sample) {
	t.Lag.Add(s.Lag())
	t.add(start.Add(s.Sent), s)
}

func (t *Tally) add(at time.Time, s trace.Sample) {
	if t.Sent == 0 || at.Before(t.First) {
		t.First = at
	}
	if at.After(t.Last) {
		t.Last = at
	}
	t.Sent++
	if s.Status != 0 {
		t.Latency.Add(s.Latency())
	}
	switch s.Kind {
	case trace.Admitted:
		t.Admitted++
	case trace.Limited:
		t.Limited++
		t.addWait(s.Refusal.Wait())
	case trace.Other:
		t.Other++
		t.addFault(s)
	}
}

// mostKinds bounds how many different waits are told apart, whatever a target makes up.
const mostKinds = 1000

func (t *Tally) addWait(wait time.Duration) {
	if t.waits == nil {
		t.waits = map[time.Duration]int{}
	}
	if _, known := t.waits[wait]; known || len(t.waits) < mostKinds {
		t.waits[wait]++
	}
}

func (t *Tally) addFault(s trace.Sample) {
	if t.faults == nil {
		t.faults = map[string]int{}
	}
	name := s.Fault.String()
	if s.Status != 0 {
		name = fmt.Sprintf("%s, status %d", name, s.Status)
	}
	t.faults[name]++
}

// AddVegeta counts a result of Vegeta's, which doesn't say when its request was due. What is a success, its status alone
// says.
func (t *Tally) AddVegeta(r *vegeta.Result) {
	s := trace.Sample{Status: r.Code, Received: r.Latency}
	switch {
	case r.Code == 429:
		s.Kind = trace.Limited
		refusal := trace.ReadRefusal(r.Headers, r.Body, r.End())
		s.Refusal = &refusal
	case r.Code/100 == 2:
		s.Kind = trace.Admitted
	default:
		s.Kind, s.Fault = trace.Other, trace.BadStatus
		if r.Code == 0 {
			s.Fault = trace.BadAnswer
		}
	}
	t.add(r.Timestamp, s)
}

// Count is a name and how often it occurred.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Faults lists why answers were neither a success nor a refusal, the most frequent first.
func (t *Tally) Faults() []Count { return counts(t.faults, func(name string) string { return name }) }

// Waits lists what refusals asked to wait, the most frequent first. 0 s is no wait at all.
func (t *Tally) Waits() []Count { return counts(t.waits, time.Duration.String) }

func counts[K cmp.Ordered](of map[K]int, name func(K) string) []Count {
	list := []Count{}
	for _, key := range slices.Sorted(maps.Keys(of)) {
		list = append(list, Count{name(key), of[key]})
	}
	slices.SortStableFunc(list, func(a, b Count) int { return b.Count - a.Count })
	return list
}

// Rate is how many of n requests there were a second, from the first request sent to the last.
func (t *Tally) Rate(n int) float64 {
	if took := t.Last.Sub(t.First).Seconds(); took > 0 && n > 1 {
		return float64(n-1) / took
	}
	return 0
}
