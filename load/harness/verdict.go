package harness

import (
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/internal/judge"
)

// Verdict is what a run found.
type Verdict struct {
	RunID    string        `json:"run_id"`
	Started  time.Time     `json:"started"`
	Finished time.Time     `json:"finished"`
	Requests int           `json:"requests"` // answered, or given up
	Peak     string        `json:"peak"`     // how the burst rate was read
	Jitter   time.Duration `json:"jitter_ns"`
	Rows     []Row         `json:"rows"`   // every row of tier limits of the APIs asked for, in the contract's order
	Limits   []Limit       `json:"limits"` // one of each endpoint and key that was attacked
	Notes    []string      `json:"notes"`  // what the reader should know of the run as a whole
}

// Outcome of a row.
type Outcome = judge.Verdict

// The outcomes. A row that was not exercised is never a pass.
const (
	Pass        = judge.Pass
	Fail        = judge.Fail
	Observed    = judge.Observed // measured, not judged
	NotAssessed = judge.NotAssessed
)

// Level of a row.
type Level string

// The levels, as the contract has them.
const (
	Must   Level = "MUST"
	Should Level = "SHOULD" // a failure is a warning
	Obs    Level = "OBS"
)

// Finding is what one clause says: its figure, the interval in which a conforming target's figure lies, and the smallest
// deviation that this run could have seen.
type Finding = judge.Finding

// Row is one requirement and what came out.
type Row struct {
	ID       string    `json:"id"`
	API      string    `json:"api"`
	Level    Level     `json:"level"`
	Outcome  Outcome   `json:"outcome"`
	Reason   string    `json:"reason"` // why it failed or was not assessed
	Expected string    `json:"expected"`
	Actual   string    `json:"actual"`
	Notes    []string  `json:"notes"`
	Findings []Finding `json:"findings"` // one of each clause and endpoint that decide the row

	// Exchanges are some of the requests that the row rests on, as they were: they still hold secrets. The last is the
	// one that shows a failure, if there was one.
	Exchanges []*target.Exchange `json:"-"`
}

// Limit is what was seen of the limit of one endpoint.
type Limit struct {
	API      string             `json:"api"`
	Endpoint string             `json:"endpoint"`
	Supplier string             `json:"supplier"` // the role of the key that the estimate is of
	Policy   Promise            `json:"policy"`
	Phases   []Phase            `json:"phases"`
	Estimate map[string]float64 `json:"estimate"` // what was measured, by name: rate, burst, credit; requests, window_s
	Verdict  Outcome            `json:"verdict"`  // the worst of its MUST rows
}

// Promise is the limit that the documents or the profile promise. Of a fixed window only the length may be known.
type Promise struct {
	Rate    float64 `json:"rate"`  // requests per second
	Burst   float64 `json:"burst"` // requests per second
	WindowS float64 `json:"window_s"`
}

// Phase is one stretch of the attack on an endpoint with one key.
type Phase struct {
	Name     string  `json:"name"`
	Stream   string  `json:"stream"`
	Key      string  `json:"key"` // its role in the profile
	Attempt  int     `json:"attempt"`
	StartS   float64 `json:"start_s"` // since the start of the run: the first request's intended time
	LengthS  float64 `json:"length_s"`
	Rate     float64 `json:"rate"` // offered, requests per second; 0: as the answers asked for
	Sent     int     `json:"sent"`
	Admitted int     `json:"admitted"`
	Limited  int     `json:"limited"`
	Other    int     `json:"other"`   // answers that were neither, or none
	LagMS    float64 `json:"lag_ms"`  // p99 of how late requests were sent
	TripMS   float64 `json:"trip_ms"` // median round trip
	// Seconds are the seconds of the phase, from its start.
	Seconds []Second `json:"seconds"`
}

// Second is what happened within one second, by the time of sending.
type Second struct {
	Offered   int     `json:"offered"` // due
	Sent      int     `json:"sent"`
	Admitted  int     `json:"admitted"`
	Limited   int     `json:"limited"`
	TripMS    float64 `json:"trip_ms"`    // median round trip of those sent; 0 if none was
	SlowestMS float64 `json:"slowest_ms"` // the longest of them
}
