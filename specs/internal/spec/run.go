package spec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
)

// Runner runs rows against one target.
type Runner struct {
	Profile  *target.Profile
	Client   *target.Client
	Redactor *target.Redactor
	Data     *Data
	// Brief keeps the exchanges of failed rows alone, for runs of many servers whose report nobody reads.
	Brief bool
}

// NewRunner returns a runner for the target of a profile.
func NewRunner(p *target.Profile, c *target.Client, d *Data) *Runner {
	return &Runner{Profile: p, Client: c, Redactor: target.NewRedactor(p), Data: d}
}

// Run runs one row. It never panics and always returns an outcome.
func (r *Runner) Run(ctx context.Context, s Spec) Outcome {
	started := time.Now()
	row, ok := catalogue.Lookup(s.ID)
	if !ok {
		return Outcome{Row: s.ID, Result: Broken, Culprit: -1, Reason: "the catalogue has no such row"}
	}
	rec := &record{}
	var outcome Outcome
	if missing := r.Profile.Missing(row.API, row.Needs); len(missing) > 0 {
		outcome = r.conclude(row, rec, unassessed{"needs " + strings.Join(missing, ", ") + " in the profile"})
	} else if s.Measure != nil {
		outcome = r.measured(row, s.Measure(ctx))
	} else {
		outcome = r.conclude(row, rec, r.attempt(ctx, s, row, rec))
	}
	outcome.DurationMS = float64(time.Since(started).Microseconds()) / 1000
	return outcome
}

func (r *Runner) attempt(ctx context.Context, s Spec, row catalogue.Row, rec *record) error {
	e := &Env{Row: row, Profile: r.Profile, Data: r.Data.of(row.ID), ctx: ctx, runner: r, record: rec}
	return e.attempt(s.Body)
}

// conclude makes the outcome of how a body ended and what it did. A body that ended well without a request, an
// assertion or any answer that accepted something has proven nothing.
func (r *Runner) conclude(row catalogue.Row, rec *record, end error) Outcome {
	o := Outcome{Row: row.ID, Culprit: -1, Assertions: rec.assertions, Lost: rec.lost}
	for _, note := range rec.notes {
		o.Notes = append(o.Notes, r.Redactor.Text(note))
	}
	var failed failure
	var skipped unassessed
	if !r.Brief || errors.As(end, &failed) {
		for _, x := range rec.exchanges {
			o.Exchanges = append(o.Exchanges, r.Profile.Show(r.Redactor, x))
		}
	}
	switch {
	case end == nil && len(rec.exchanges) == 0:
		o.Result, o.Reason = Broken, "the spec made no request"
	case end == nil && rec.assertions == 0:
		o.Result, o.Reason = Broken, "the spec made no assertion"
	case end == nil && rec.accepted == 0:
		o.Result, o.Reason = NotAssessed, "the target accepted nothing: without a positive control a refusal proves nothing"
	case end == nil:
		o.Result = Passed
	case errors.As(end, &failed):
		r.fail(&o, row, rec, failed)
	case errors.As(end, &skipped):
		o.Result, o.Reason = NotAssessed, r.Redactor.Text(skipped.reason)
	default:
		o.Result, o.Reason = Broken, r.Redactor.Text(end.Error())
	}
	return o
}

// measured makes the outcome of an experiment.
func (r *Runner) measured(row catalogue.Row, m Measured) Outcome {
	o := Outcome{Row: row.ID, Culprit: -1, Result: m.Result, Reason: r.Redactor.Text(m.Reason), Lost: m.Lost, Must: m.Must}
	for _, note := range m.Notes {
		o.Notes = append(o.Notes, r.Redactor.Text(note))
	}
	for _, figure := range m.Figures {
		o.Figures = append(o.Figures, r.Redactor.Text(figure))
	}
	for _, x := range m.Exchanges {
		shown := r.Profile.Show(r.Redactor, x)
		shown.Row = row.ID // an experiment sends for all of its rows together
		o.Exchanges = append(o.Exchanges, shown)
	}
	switch {
	case o.Result == Passed && len(m.Figures) == 0 && len(m.Exchanges) == 0:
		o.Result, o.Reason = Broken, "the experiment passed the row without a figure or an exchange"
	case o.Result == Failed:
		o.Expected, o.Actual, o.Culprit = r.Redactor.Text(m.Expected), r.Redactor.Text(m.Actual), len(o.Exchanges)-1
		o.Message = message(row, o)
	}
	return o
}

func (r *Runner) fail(o *Outcome, row catalogue.Row, rec *record, f failure) {
	o.Result, o.Reason = Failed, r.Redactor.Text(f.brief())
	o.Expected, o.Actual = r.Redactor.Text(f.expected), r.Redactor.Text(f.actual)
	if o.Expected == "" {
		o.Expected, o.Actual = row.Title, r.Redactor.Text(f.message)
	}
	o.Culprit = slices.Index(rec.exchanges, f.exchange)
	if o.Culprit < 0 {
		o.Culprit = len(rec.exchanges) - 1
	}
	o.Message = message(row, *o)
}

// message is a failure as a person reads it in a terminal.
func message(row catalogue.Row, o Outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s (%s, %s: %s)\n", row.ID, row.Title, row.Level, strings.Join(row.Source, ","), row.Cites)
	fmt.Fprintf(&b, "expected  %s\n", indent(o.Expected))
	fmt.Fprintf(&b, "got       %s\n", indent(o.Actual))
	if o.Culprit >= 0 {
		x := o.Exchanges[o.Culprit]
		if x.Request.Comment != "" {
			fmt.Fprintf(&b, "case      %s\n", x.Request.Comment)
		}
		fmt.Fprintf(&b, "exchange\n%s", x)
		fmt.Fprintf(&b, "reproduce\n%s\n", x.Curl)
	}
	return b.String()
}

func indent(text string) string {
	return strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n          ")
}
