package command

import (
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
