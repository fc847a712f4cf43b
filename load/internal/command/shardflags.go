package command

import (
	"context"
	"time"

	"leadconform/load/internal/attack"
	"leadconform/load/internal/shard"
	"leadconform/load/internal/trace"
)

// shardFlags make a run one worker's part of several.
type shardFlags struct {
	Shard   shard.Shard `help:"Be worker I of N, from 0. The workers split the keys, or, if there are fewer keys than workers, the requests of each. load report puts their traces together." placeholder:"I/N"`
	StartAt time.Time   `help:"When to begin, the same for all workers, such as 2026-01-31T12:00:00Z. Start the workers some seconds before." placeholder:"TIME"`
}

// check reports what is wrong with the flags. out is where the trace goes.
func (f shardFlags) check(out string) error {
	switch {
	case f.Shard.Whole():
		return nil
	case f.StartAt.IsZero():
		return usage("--shard %v: give all workers the same --start-at", f.Shard)
	case out == "":
		return usage("--shard %v: say with --out where the trace goes, which load report puts together with the others", f.Shard)
	}
	return nil
}

// start is when the run begins: the zero time if that is left to the run.
func (f shardFlags) start() (time.Time, error) {
	if f.StartAt.IsZero() {
		return time.Time{}, nil
	}
	at, err := shard.Start(f.StartAt)
	if err != nil {
		return time.Time{}, usage("--start-at: %w", err)
	}
	return at, nil
}

// connectBefore is how long before its start a run connects: connections that were dialled earlier would not be trusted.
const connectBefore = time.Second

// await returns when it is time to connect, which is at once if the start is left to the run.
func await(ctx context.Context, start time.Time) error {
	if start.IsZero() {
		return nil
	}
	timer := time.NewTimer(time.Until(start) - connectBefore)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// onTime reports whether the connections stood when all workers were to begin.
func (f shardFlags) onTime(start time.Time) error {
	if f.StartAt.IsZero() {
		return nil
	}
	if late := time.Since(start); late > 0 {
		return usage("--start-at: the connections stood %v too late: start the workers earlier", late.Round(time.Millisecond))
	}
	return nil
}

// head is what the trace says of the worker; nil if there is only one.
func (f shardFlags) head(interleaved bool, clock *shard.Clock) *trace.Shard {
	if f.Shard.Whole() {
		return nil
	}
	return &trace.Shard{Index: f.Shard.Index, Count: f.Shard.Count, StartAt: f.StartAt, Interleaved: interleaved, Clock: clock.Window()}
}

// watch shows an answer to a clock.
func watch(clock *shard.Clock) func(attack.Answer) {
	return func(a attack.Answer) { clock.See(a.Header, a.Received.Add(-a.Took), a.Received) }
}
