// Package spec runs one row against one target. A row's check is a function of a Gomega and an Env; what it may do is
// send requests, look at answers, and say what it expects. Everything else — pacing, recording, redaction, retrying
// once where the target is busy, telling a failure from a row that couldn't be exercised — is done here.
package spec

import (
	"context"

	"github.com/onsi/gomega"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
)

// Gomega is what a body asserts with. Only assertions made through it count.
type Gomega = gomega.Gomega

// Body checks one row. It returns if the row is satisfied; a failed assertion ends it.
type Body func(g Gomega, e *Env)

// Spec is the check of one row of the catalogue.
type Spec struct {
	ID   string
	Body Body
	// Measure decides the row by an experiment of its own, in place of a Body.
	Measure func(ctx context.Context) Measured
	// Serial specs change the target for everybody (faults, maintenance) and never run beside others.
	Serial bool
}

// Measured is what an experiment found about one row. It may still hold secrets.
type Measured struct {
	Result    Result
	Reason    string
	Expected  string
	Actual    string
	Notes     []string
	Exchanges []*target.Exchange // some of those that the result rests on; the last is the one that shows a failure
	Figures   []string           // what was measured, where it should lie, what could not have been seen: a line each
	Lost      bool               // the target was lost meanwhile
	Must      bool               // it failed in what the row's text calls MUST, whatever the row's level
}

// Result of running a row, before its level and waivers are looked at.
type Result string

// The results.
const (
	Passed      Result = "passed"
	Failed      Result = "failed"
	NotAssessed Result = "not-assessed" // could not be exercised; Reason says why
	Broken      Result = "broken"       // the suite is at fault: no request, no assertion, a panic
)

// Outcome is what came of running a row. It holds no secret.
type Outcome struct {
	Row        string   `json:"row"`
	Result     Result   `json:"result"`
	Reason     string   `json:"reason,omitempty"` // one line: why it failed or wasn't assessed
	Notes      []string `json:"notes,omitempty"`
	Figures    []string `json:"figures,omitempty"` // of an experiment (Measured)
	Expected   string   `json:"expected,omitempty"`
	Actual     string   `json:"actual,omitempty"`
	Message    string   `json:"message,omitempty"` // the failure in full, for a terminal
	Exchanges  []Shown  `json:"exchanges,omitempty"`
	Culprit    int      `json:"culprit"` // index in Exchanges of the one that failed; -1 if none
	Assertions int      `json:"assertions"`
	DurationMS float64  `json:"duration_ms"`
	Lost       bool     `json:"lost,omitempty"` // the target was lost while the row ran
	Must       bool     `json:"must,omitempty"` // it failed in what the row's text calls MUST (Measured)
}

// Check compares specs with the catalogue's rows of the given APIs, and returns what doesn't fit: a row without a spec,
// a spec without a row, an ID twice.
func Check(specs []Spec, rows []catalogue.Row) []string {
	var faults []string
	wanted := map[string]bool{}
	for _, row := range rows {
		wanted[row.ID] = true
	}
	seen := map[string]bool{}
	for _, s := range specs {
		switch {
		case !wanted[s.ID]:
			faults = append(faults, "spec "+s.ID+" has no row in the catalogue")
		case seen[s.ID]:
			faults = append(faults, "row "+s.ID+" has two specs")
		case (s.Body == nil) == (s.Measure == nil):
			faults = append(faults, "spec "+s.ID+" needs either a body or a measurement")
		}
		seen[s.ID] = true
	}
	for _, row := range rows {
		if !seen[row.ID] {
			faults = append(faults, "row "+row.ID+" has no spec")
		}
	}
	return faults
}
