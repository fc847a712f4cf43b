package shard

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// Merged is what the workers of one run wrote, put together.
type Merged struct {
	Trace trace.Trace
	// Missing says what is not there: workers, or ends of their traces. Nothing can be concluded from what was not seen.
	Missing []string
	// Clocks says which clocks disagree, or can't be compared. What rests on one worker alone is none the worse for it.
	Clocks []string
	// Interleaved says that the workers shared each key, so that every figure rests on all clocks.
	Interleaved bool
}

// Merge puts the traces of one run's workers together, in any order.
func Merge(parts []*trace.Trace) (*Merged, error) {
	if len(parts) == 0 {
		return nil, errors.New("there is no trace to merge")
	}
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b *trace.Trace) int { return cmp.Compare(a.Meta.Shard.Index, b.Meta.Shard.Index) })
	if err := oneRun(parts); err != nil {
		return nil, err
	}
	m := &Merged{Interleaved: parts[0].Meta.Shard.Interleaved}
	m.whatIsMissing(parts)
	for i, a := range parts {
		for _, b := range parts[i+1:] {
			if text := disagree(a.Meta.Shard, b.Meta.Shard); text != "" {
				m.Clocks = append(m.Clocks, text)
			}
		}
	}
	m.Trace.Meta = parts[0].Meta
	m.Trace.Meta.Shard, m.Trace.Meta.Preflight = nil, nil
	m.Trace.Meta.Plan, m.Trace.Meta.Keys = plan.Plan{}, map[plan.Stream]string{}
	for _, p := range parts {
		if p.Meta.Started.Before(m.Trace.Meta.Started) {
			m.Trace.Meta.Started = p.Meta.Started
		}
	}
	m.Trace.End.Reason = trace.Complete
	for _, p := range parts {
		m.add(p)
	}
	slices.SortStableFunc(m.Trace.Samples, func(a, b trace.Sample) int { return cmp.Compare(a.Intended, b.Intended) })
	for i := range m.Trace.Samples {
		m.Trace.Samples[i].Seq = uint32(i)
	}
	return m, nil
}

// oneRun reports whether the parts belong together.
func oneRun(parts []*trace.Trace) error {
	first := parts[0].Meta.Shard
	for i, p := range parts {
		s := p.Meta.Shard
		switch {
		case s.Count != first.Count || !s.StartAt.Equal(first.StartAt) || s.Interleaved != first.Interleaved:
			return fmt.Errorf("worker %d/%d that started at %s and worker %d/%d that started at %s are not of one run",
				first.Index, first.Count, first.StartAt.Format(time.RFC3339), s.Index, s.Count, s.StartAt.Format(time.RFC3339))
		case i > 0 && parts[i-1].Meta.Shard.Index == s.Index:
			return fmt.Errorf("worker %d/%d is there twice", s.Index, s.Count)
		}
	}
	return nil
}

func (m *Merged) whatIsMissing(parts []*trace.Trace) {
	there := map[int]bool{}
	for _, p := range parts {
		there[p.Meta.Shard.Index] = true
		if p.End.Reason != trace.Complete {
			m.Missing = append(m.Missing, fmt.Sprintf("worker %d/%d: %s", p.Meta.Shard.Index, p.Meta.Shard.Count, p.End.Reason))
		}
		if late := p.Meta.Started.Sub(p.Meta.Shard.StartAt); late > ClockBound {
			m.Missing = append(m.Missing, fmt.Sprintf("worker %d/%d started %v late", p.Meta.Shard.Index, p.Meta.Shard.Count, late.Round(time.Millisecond)))
		}
	}
	for i := range parts[0].Meta.Shard.Count {
		if !there[i] {
			m.Missing = append(m.Missing, fmt.Sprintf("worker %d/%d is missing", i, parts[0].Meta.Shard.Count))
		}
	}
}

// add adds one worker's trace, its times moved to the common start.
func (m *Merged) add(p *trace.Trace) {
	t := &m.Trace
	ahead := p.Meta.Started.Sub(t.Meta.Started)
	for _, e := range p.Meta.Plan.Endpoints {
		if !slices.ContainsFunc(t.Meta.Plan.Endpoints, func(have plan.Endpoint) bool { return have.Name == e.Name }) {
			t.Meta.Plan.Endpoints = append(t.Meta.Plan.Endpoints, e)
		}
	}
	for s, key := range p.Meta.Keys {
		t.Meta.Keys[s] = key
	}
	t.Meta.Preflight = append(t.Meta.Preflight, p.Meta.Preflight...)
	t.Meta.Rested = t.Meta.Rested && p.Meta.Rested
	places := make([]uint16, len(p.Meta.Plan.Phases))
	for i, phase := range p.Meta.Plan.Phases {
		phase.Start += ahead
		places[i] = m.place(phase)
	}
	for _, s := range p.Samples {
		s.Phase = places[s.Phase]
		s.Intended, s.Sent, s.Received = s.Intended+ahead, s.Sent+ahead, s.Received+ahead
		t.Samples = append(t.Samples, s)
	}
	t.End.GivenUp += p.End.GivenUp
	for _, stall := range p.End.Stalls {
		stall.At, stall.Phase = stall.At+ahead, int(places[stall.Phase])
		t.End.Stalls = append(t.End.Stalls, stall)
	}
	if p.End.Reason != trace.Complete {
		t.End.Reason = p.End.Reason
	}
}

// place is the index of a phase in the merged plan. A share of a phase joins the others.
func (m *Merged) place(p plan.Phase) uint16 {
	phases := &m.Trace.Meta.Plan.Phases
	if m.Interleaved {
		for i := range *phases {
			whole := &(*phases)[i]
			if whole.Name != p.Name || whole.Endpoint != p.Endpoint || whole.Stream != p.Stream || whole.Attempt != p.Attempt {
				continue
			}
			end := max(whole.End(), p.End())
			whole.Start = min(whole.Start, p.Start)
			whole.Length, whole.Rate = end-whole.Start, whole.Rate+p.Rate
			return uint16(i)
		}
	}
	*phases = append(*phases, p)
	return uint16(len(*phases) - 1)
}
