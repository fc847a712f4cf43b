package trace

import (
	"time"

	"leadconform/load/internal/plan"
)

// Trace is a run in memory: 48 bytes a sample.
type Trace struct {
	Meta    Meta
	Samples []Sample // in the order in which they were written; judge and estimate don't mind which
	End     End
}

// Meta is what is known of a run before its first request.
type Meta struct {
	Run     string    `json:"run"`     // the run's ID
	Started time.Time `json:"started"` // wall clock; the zero of all times in samples
	Target  string    `json:"target"`  // the target's name, from the profile
	Plan    plan.Plan `json:"plan"`
	// Keys names the credential of each stream (its role in the profile), never its value.
	Keys map[plan.Stream]string `json:"keys,omitempty"`
	// Preflight holds the round-trip times of about 200 requests that touch no limit under test, from which the
	// jitter is estimated.
	Preflight []time.Duration `json:"preflight_ns,omitempty"`
	// Rested says that nobody had used the keys lately: all of their credit was there.
	Rested bool `json:"rested,omitempty"`
	// Shard says which worker of several wrote this; nil: there was one.
	Shard *Shard `json:"shard,omitempty"`
}

// Shard is one worker's part of a run that several share.
type Shard struct {
	Index   int       `json:"index"` // from 0
	Count   int       `json:"count"`
	StartAt time.Time `json:"start_at"` // the same for all of them
	// Interleaved says that the workers share each key, request by request. Otherwise each has keys of its own.
	Interleaved bool         `json:"interleaved,omitempty"`
	Clock       *ClockWindow `json:"clock,omitempty"` // nil: not known
}

// ClockWindow bounds how far the target's clock was ahead of the worker's.
type ClockWindow struct {
	Low  time.Duration `json:"low_ns"`
	High time.Duration `json:"high_ns"`
}

// End is what is known of a run when it is over.
type End struct {
	Reason string  `json:"reason"` // "complete", or why the run stopped early
	Stalls []Stall `json:"stalls,omitempty"`
	// GivenUp is how many requests were left out, since their phases had slid too far.
	GivenUp int `json:"given_up,omitempty"`
}

// Complete is the Reason of a run that went through its plan.
const Complete = "complete"

// Stall is a time in which the client could not keep its schedule, so that the schedule slid.
type Stall struct {
	At    time.Duration `json:"at_ns"` // since the start of the run
	Slid  time.Duration `json:"slid_ns"`
	Phase int           `json:"phase"` // index into Plan.Phases
}
