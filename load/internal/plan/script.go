package plan

import "time"

// Script decides what to send as the answers come in. It is a state machine without a clock: whoever drives it (a
// real attacker, or a simulation) asks Next, waits until the move is due, sends, and reports each answer to Observe
// as it arrives. Calls must not overlap.
type Script interface {
	// Next returns the next move. now is the time since the start of the run.
	Next(now time.Duration) Move
	// Observe takes in one answer. Answers may arrive in any order.
	Observe(Answer)
}

// Move is what to do next: exactly one of a request, a wait for answers, and the end.
type Move struct {
	Kind  MoveKind
	At    time.Duration // Send: when to send, since the start of the run; in the past means at once
	Phase int           // Send: index into Plan.Phases, which names endpoint and stream
}

// MoveKind says which kind of move it is.
type MoveKind uint8

// The moves.
const (
	Send  MoveKind = iota // send one request at At, without waiting for its answer, then ask again
	Drain                 // wait until everything that was sent is answered (or given up), then ask again
	Done                  // the script is over
)

// Answer is what came back for one request of a Script, in the terms it decides by.
type Answer struct {
	Phase    int           // index into Plan.Phases
	Sent     time.Duration // since the start of the run
	Received time.Duration // since the start of the run
	Outcome  Outcome
	// RetryAfter is how long the answer asks to wait, from its header or, without one, from its body; 0 if it doesn't say.
	RetryAfter time.Duration
}

// Outcome sorts an answer.
type Outcome uint8

// The outcomes.
const (
	Admitted Outcome = iota + 1 // the endpoint's valid success
	Limited                     // a well-formed 429
	Other                       // anything else, or no answer
)
