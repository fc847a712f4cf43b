// Package limits holds the rows of tier limits: the ones on rates, bursts and Retry-After. They are decided together, by
// one experiment that the load harness runs when the first of them is asked for.
package limits

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"leadconform/load/harness"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/spec"
)

// Experiment is the one attack that all rows of this tier are judged by. It is run once, however many rows ask.
type Experiment struct {
	Target harness.Target
	Policy harness.Policy

	once    sync.Once
	begun   atomic.Bool
	verdict harness.Verdict
	err     error
}

// Begun reports whether the experiment was run, or still is.
func (x *Experiment) Begun() bool { return x.begun.Load() }

// Verdict returns what the experiment found, nil if it wasn't run. It waits for its end.
func (x *Experiment) Verdict() *harness.Verdict {
	if !x.Begun() {
		return nil
	}
	x.once.Do(func() {})
	if x.verdict.RunID == "" {
		return nil
	}
	return &x.verdict
}

// Narrow leaves out the endpoints that none of the given rows is about.
func (x *Experiment) Narrow(ids []string) {
	wanted := map[string]bool{}
	for _, id := range ids {
		for _, name := range endpointsOf(id) {
			wanted[name] = true
		}
	}
	x.Policy.Endpoints = slices.DeleteFunc(harness.Endpoints(), func(name string) bool { return !wanted[name] })
}

// endpointsOf lists the endpoints that must be attacked to decide a row.
func endpointsOf(id string) []string {
	if strings.HasPrefix(id, "IN-") {
		return []string{harness.Insertion}
	}
	for _, name := range []string{harness.Ingest, harness.Ping, harness.Lookup} {
		if strings.Contains(id, "-"+strings.ToUpper(name)+"-") {
			return []string{name}
		}
	}
	return []string{harness.Ingest, harness.Ping, harness.Lookup}
}

// Specs returns the specs of every row of the tier. get returns the experiment when the first of them runs; it may
// return nil and the reason why there is none.
func Specs(get func() (*Experiment, string)) []spec.Spec {
	var specs []spec.Spec
	for _, row := range catalogue.Rows() {
		if row.Tier != catalogue.Limits {
			continue
		}
		specs = append(specs, spec.Spec{ID: row.ID, Serial: true, Measure: func(ctx context.Context) spec.Measured {
			experiment, reason := get()
			if experiment == nil {
				return spec.Measured{Result: spec.NotAssessed, Reason: reason}
			}
			return experiment.row(ctx, row.ID)
		}})
	}
	return specs
}

// row runs the experiment, if need be, and takes one row's result out of its verdict.
func (x *Experiment) row(ctx context.Context, id string) spec.Measured {
	x.once.Do(func() {
		x.begun.Store(true)
		x.verdict, x.err = harness.Verify(ctx, x.Target, x.Policy)
	})
	for _, row := range x.verdict.Rows {
		if row.ID == id {
			return x.measured(row)
		}
	}
	reason := "the experiment doesn't decide this row"
	if x.err != nil {
		reason = x.err.Error()
	}
	return spec.Measured{Result: spec.NotAssessed, Reason: reason, Lost: errors.Is(x.err, harness.ErrLost)}
}

// results maps the harness's outcomes; whether a failure is a warning is decided later, by the row's level.
var results = map[harness.Outcome]spec.Result{
	harness.Pass: spec.Passed, harness.Observed: spec.Passed, harness.Fail: spec.Failed, harness.NotAssessed: spec.NotAssessed,
}

func (x *Experiment) measured(row harness.Row) spec.Measured {
	m := spec.Measured{
		Result: results[row.Outcome], Reason: row.Reason, Expected: row.Expected, Actual: row.Actual,
		Notes: slices.Clone(row.Notes), Exchanges: row.Exchanges, Lost: errors.Is(x.err, harness.ErrLost),
	}
	for _, f := range row.Findings {
		m.Figures = append(m.Figures, figure(f))
	}
	return m
}

// figure is a finding on one line: what was measured, where it should lie, and what the run could not have seen.
func figure(f harness.Finding) string {
	if f.Verdict == harness.NotAssessed {
		return fmt.Sprintf("%s: %s", f.Clause, f.Reason)
	}
	text := fmt.Sprintf("%s: %.4g, accepted %v", f.Clause, f.Figure, f.Accept)
	if f.Endpoint != "" {
		text = f.Endpoint + ", " + text
	}
	if f.Detectable != "" {
		text += "; smallest deviation that this run would have seen: " + f.Detectable
	}
	return text
}
