package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"leadconform/load/internal/attack"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/shard"
	"leadconform/load/internal/trace"
)

// Part makes a run one worker's part of an experiment that several share: each drives some of the keys, and what all of
// them wrote is judged by load report. The zero value is a worker that does all. The verdict of a part is that of its own
// keys, and says not-assessed of the rows that hold keys of several workers against each other.
type Part struct {
	Index, Count int       // the Index-th of Count workers, from 0
	StartAt      time.Time // when the attacks begin, the same for all workers
}

func (p Part) whole() bool { return p.Count <= 1 }

// connectBefore is how long before its start a part connects: connections that were dialled earlier would not be trusted.
const connectBefore = time.Second

// ErrLate means that a part could not begin when all of them do.
var ErrLate = errors.New("the workers' start came too early")

// waitForStart sets the session's start to the time on which the workers agreed. The keys have rested by then, or else it
// is too early: trials spend a request of each key, of the other workers' keys too.
func (r *run) waitForStart(ctx context.Context, lastUsed time.Time) error {
	if r.policy.Part.whole() {
		return nil
	}
	start, err := shard.Start(r.policy.Part.StartAt)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLate, err)
	}
	if rested := r.restedAt(lastUsed).Add(connectBefore); start.Before(rested) {
		return fmt.Errorf("%w: the keys will have rested %v after it: start the workers earlier", ErrLate, rested.Sub(start).Round(time.Second))
	}
	r.session.Start = start
	timer := time.NewTimer(time.Until(start) - connectBefore)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// own are those phases of a plan that this worker runs: those of its keys. Keys that one script drives together stay
// together.
func (r *run) own(phases []plan.Phase) []plan.Phase {
	if r.policy.Part.whole() {
		return phases
	}
	s := shard.Shard{Index: r.policy.Part.Index, Count: r.policy.Part.Count}
	var keys []string
	return slices.DeleteFunc(slices.Clone(phases), func(p plan.Phase) bool {
		key := r.keyNames()[p.Stream]
		if p.Stream == plan.StreamSecond {
			key = r.keyNames()[plan.StreamFirst]
		}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
		return !s.Owns(slices.Index(keys, key))
	})
}

// head is what the trace says of this part; nil if there is only one.
func (r *run) head() *trace.Shard {
	if r.policy.Part.whole() {
		return nil
	}
	p := r.policy.Part
	return &trace.Shard{Index: p.Index, Count: p.Count, StartAt: p.StartAt, Clock: r.clock.Window()}
}

// see shows an answer to the clock.
func (r *run) see(a attack.Answer) { r.clock.See(a.Header, a.Received.Add(-a.Took), a.Received) }
