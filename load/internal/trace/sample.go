// Package trace holds what a run saw: one Sample per request, in a compact form that can be written while the run
// goes on, read back, merged, judged and estimated. It knows no secrets: keys are named by their role.
package trace

import (
	"time"

	"leadconform/load/internal/plan"
)

// Sample is one request and what came of it. All times are monotonic, since the start of the run.
type Sample struct {
	Intended time.Duration // when the schedule, as it stood after any stall, wanted it sent
	Sent     time.Duration // when its headers were written
	Received time.Duration // when the answer was complete, or the request was given up
	Refusal  *Refusal      // what a 429 says about waiting; nil for any other answer
	Seq      uint32        // order of sending within the run, from 0
	Phase    uint16        // index into Meta.Plan.Phases, which names endpoint and key
	Status   uint16        // HTTP status; 0 without an answer
	Kind     Kind
	Fault    Fault // why Kind is Other
}

// Kind sorts an answer. It is what the judge counts by.
type Kind = plan.Outcome

// The kinds. Other invalidates the phase it occurs in.
const (
	Admitted = plan.Admitted // the endpoint's valid success
	Limited  = plan.Limited  // a 429 in its API's envelope; its Retry-After may still be wrong
	Other    = plan.Other    // anything else, or no answer
)

// Fault says why an answer is Other.
type Fault uint8

// The faults.
const (
	NoFault   Fault = iota
	Timeout         // no complete answer within the client's time limit
	Refused         // no connection: refused, unreachable, name not found, TLS
	Reset           // the connection broke before the answer was complete
	BadAnswer       // an answer that can't be read as HTTP, or a body over the limit
	BadStatus       // a status that is neither the success nor 429
	BadBody         // the success status without the success's body, or a 429 outside its API's envelope
	Stopped         // the run was stopped before the answer came
)

var faultNames = [...]string{"", "timeout", "connection refused", "connection reset", "unreadable answer",
	"unexpected status", "unexpected body", "stopped"}

// String names the fault in words.
func (f Fault) String() string {
	if int(f) < len(faultNames) {
		return faultNames[f]
	}
	return "unknown fault"
}

// Latency is how long the answer took, from the writing of the headers.
func (s Sample) Latency() time.Duration { return s.Received - s.Sent }

// Lag is how late the request was sent.
func (s Sample) Lag() time.Duration { return s.Sent - s.Intended }
