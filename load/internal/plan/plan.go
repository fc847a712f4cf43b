package plan

import "time"

// Plan is an experiment: phases of any number of endpoints and keys, which run side by side.
type Plan struct {
	Endpoints []Endpoint `json:"endpoints"`
	Phases    []Phase    `json:"phases"`
}

// Endpoint is one limited endpoint and what it promises.
type Endpoint struct {
	API    string `json:"api"`  // distro or insertion
	Name   string `json:"name"` // ingest, ping, lookup; leads, internal; unique within a plan
	Policy Policy `json:"policy"`
}

// Stream names a sequence of phases that share one key. Which credential a stream uses is the attacker's business; a
// stream must not share its key with another, unless the plan was made for fewer keys (see Options).
type Stream string

// The streams of the two-rate experiment: three keys, and two of one supplier where the profile has them.
const (
	StreamA Stream = "A" // from rest at the burst rate, then overload: one key on all endpoints
	StreamB Stream = "B" // from rest far above the burst rate, then rest, then the burst again
	StreamC Stream = "C" // just below the sustained rate, while A and B are exhausted

	StreamTwinOne Stream = "twin-one" // overloaded, to see whether it costs the other key of its supplier anything
	StreamTwinTwo Stream = "twin-two"
)

// The streams of the fixed-window experiment: two keys.
const (
	StreamFirst  Stream = "first"
	StreamSecond Stream = "second"
)

// Phase is a stretch of one stream at a constant offered rate, or, if Rate is 0, a stretch whose requests a Script
// decides as the answers come in.
type Phase struct {
	Name     Name          `json:"name"`
	Endpoint string        `json:"endpoint"` // Endpoint.Name
	Stream   Stream        `json:"stream"`
	Start    time.Duration `json:"start_ns"` // since the start of the run; of an adaptive phase: the earliest
	Length   time.Duration `json:"length_ns"`
	Rate     float64       `json:"rate"` // offered, requests per second
	// Attempt is 0 for the first run of a phase and counts its repetitions.
	Attempt int `json:"attempt,omitempty"`
}

// Count is the number of requests in a phase of constant rate: those due before its end.
func (p Phase) Count() int {
	n := p.Rate * p.Length.Seconds()
	// 200/s for 10 s is 2000 requests: the last is due at 9.995 s. Rounding errors must not add or drop one.
	const hair = 1e-6
	return int(n - hair + 1)
}

// At is when the i-th request of the phase is due, counted from 0, since the start of the run.
func (p Phase) At(i int) time.Duration { return p.Start + seconds(float64(i)/p.Rate) }

// End is when the phase is over, since the start of the run.
func (p Phase) End() time.Duration { return p.Start + p.Length }

// Adaptive reports whether a Script decides what is sent in this phase.
func (p Phase) Adaptive() bool { return p.Rate == 0 }

// Length is when the last phase of known length ends. Adaptive phases come on top.
func (p Plan) Length() time.Duration {
	var end time.Duration
	for _, ph := range p.Phases {
		end = max(end, ph.End())
	}
	return end
}
