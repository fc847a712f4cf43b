package harness

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// definition is a row of tier limits, as the contract has it.
type definition struct {
	id        string
	level     Level
	endpoints []string // that it is about; it is part of a verdict if one of them was asked for
	least     int      // how many of them have to be, if more than one
}

// definitions lists the rows in the contract's order.
func definitions() []definition {
	all := []string{Ingest, Ping, Lookup}
	rows := []definition{
		{"LD-429-01", Must, all[0:1], 1}, {"LD-429-02", Must, all[1:2], 1}, {"LD-429-03", Must, all[2:3], 1},
		{"LD-429-04", Must, all, 1}, {"LD-429-05", Must, all, 1}, {"LD-429-06", Must, all, 1}, {"LD-429-07", Must, all, 1},
		{rowLeadUntaken, Must, all[0:1], 1}, {"LD-429-09", Should, all, 1}, {"LD-429-10", Obs, all, 1},
	}
	perEndpoint := func(clause string, level Level) {
		for _, name := range all {
			rows = append(rows, definition{"LD-LIM-" + strings.ToUpper(name) + "-" + clause, level, []string{name}, 1})
		}
	}
	for _, clause := range []string{"SUSTAIN", "BURST", "PEAK", "WINDOW", "STEADY"} {
		perEndpoint(clause, Must)
	}
	perEndpoint("RECOVER", Should)
	rows = append(rows, definition{"LD-LIM-KEY", Must, all, 1}, definition{"LD-LIM-ENDPOINT", Must, all, 2})
	perEndpoint("FLOOR", Should)
	rows = append(rows, definition{"LD-LIM-KEYS", Obs, all, 1})
	for _, id := range []string{"IN-429-01", "IN-429-02", "IN-429-03", "IN-429-04", "IN-429-05", "IN-429-06", rowNothingStored} {
		rows = append(rows, definition{id, Must, []string{Insertion}, 1})
	}
	return rows
}

// asked reports whether the row is part of a verdict on these endpoints.
func (d definition) asked(endpoints []string) bool {
	n := 0
	for _, name := range d.endpoints {
		if slices.Contains(endpoints, name) {
			n++
		}
	}
	return n >= d.least
}

// LevelOf is the level of a row of tier limits.
func LevelOf(id string) Level {
	all := definitions()
	return all[slices.IndexFunc(all, func(d definition) bool { return d.id == id })].level
}

// Complete puts in order what the judge found in the trace of a run, or in those of all its parts together: what belongs
// to rows that the run was asked for, and, of such a row without any finding, that it was not assessed. The rows that
// single requests decide are in no trace, and so not among them.
func Complete(p plan.Plan, findings []Finding) []Finding {
	var endpoints []string
	for _, e := range p.Endpoints {
		if e.API == target.APIInsertion {
			e.Name = Insertion
		}
		endpoints = append(endpoints, e.Name)
	}
	complete := []Finding{}
	for _, d := range definitions() {
		if d.id == rowLeadUntaken || d.id == rowNothingStored || !d.asked(endpoints) {
			continue
		}
		there := len(complete)
		for _, f := range findings {
			if f.Row == d.id {
				complete = append(complete, f)
			}
		}
		if len(complete) == there {
			complete = append(complete, Finding{Row: d.id, Accept: judge.AtLeast(math.Inf(-1)), Verdict: NotAssessed, Reason: "the trace holds nothing that decides it"})
		}
	}
	return complete
}

// verdict makes the verdict of what was found.
func (r *run) verdict() Verdict {
	v := Verdict{
		RunID: r.policy.RunID, Started: r.started, Finished: time.Now(), Requests: r.book.count(), Peak: r.policy.Peak,
		Jitter: r.judged.Jitter, Rows: []Row{}, Limits: r.limits(), Notes: orEmpty(r.notes),
	}
	findings := map[string][]Finding{}
	for _, f := range r.judged.Findings {
		findings[f.Row] = append(findings[f.Row], f)
	}
	for _, d := range definitions() {
		if d.asked(r.policy.Endpoints) {
			v.Rows = append(v.Rows, r.redacted(r.row(d, findings[d.id])))
		}
	}
	for i := range v.Limits {
		v.Limits[i].Verdict = worst(v.Rows, v.Limits[i])
	}
	return v
}

// row makes one row of its findings.
func (r *run) row(d definition, findings []Finding) Row {
	row := Row{ID: d.id, Outcome: NotAssessed}
	if effect, ok := r.effects[d.id]; ok {
		row = effect
	}
	row.API, row.Level, row.Findings = apiOf(d.endpoints[0]), d.level, orEmpty(findings)
	if len(findings) == 0 {
		if row.Reason == "" && row.Outcome == NotAssessed {
			row.Reason = r.unexercised(d)
		}
		return row
	}
	row.Outcome = r.judged.Rows()[d.id]
	var expected, actual []string
	for _, f := range findings {
		if f.Verdict == row.Outcome {
			if row.Reason == "" {
				row.Reason = about(f, f.Reason)
			}
			expected = append(expected, about(f, fmt.Sprintf("%s: %v", f.Clause, f.Accept)))
			actual = append(actual, about(f, fmt.Sprintf("%.4g", f.Figure)))
		}
		for _, note := range f.Notes {
			if note = about(f, note); !slices.Contains(row.Notes, note) {
				row.Notes = append(row.Notes, note)
			}
		}
	}
	if row.Outcome == Pass && d.level == Obs {
		row.Outcome = Observed
	}
	if row.Outcome != NotAssessed {
		row.Expected, row.Actual = strings.Join(expected, "; "), strings.Join(actual, "; ")
	} else if r.reason != trace.Complete {
		row.Reason = r.reason + "; " + row.Reason
	}
	row.Exchanges = r.evidence(d, findings)
	return row
}

// about puts the endpoint's name before what is said of it.
func about(f Finding, text string) string {
	if f.Endpoint == "" || text == "" {
		return text
	}
	return f.Endpoint + ": " + text
}

// unexercised says why a row has no finding.
func (r *run) unexercised(d definition) string {
	if r.reason != trace.Complete {
		return r.reason
	}
	var reasons []string
	for _, name := range d.endpoints {
		reasons = append(reasons, r.skipped[name]...)
	}
	if d.endpoints[0] == Insertion {
		for _, name := range []string{"leads", "internal"} {
			reasons = append(reasons, r.skipped[name]...)
		}
	}
	if len(reasons) > 0 {
		return strings.Join(reasons, "; ")
	}
	return "needs " + needs(d)
}

// needs says what of a profile a row can't do without.
func needs(d definition) string {
	switch d.id {
	case rowLeadUntaken:
		return "credentials.limits_d and campaigns.unique"
	case rowNothingStored:
		return "credentials.limits_c"
	case "LD-LIM-KEYS":
		return "credentials.limits_twin_one and credentials.limits_twin_two"
	}
	return "credentials.limits_a"
}

// evidence is what a row shows of the requests that it rests on: on each endpoint that decides it the first that was
// admitted and the first that was refused, or, where it failed or could not be assessed for it, the first answer that was
// neither.
func (r *run) evidence(d definition, findings []Finding) []*target.Exchange {
	kinds := []trace.Kind{trace.Admitted, trace.Limited}
	if slices.ContainsFunc(findings, func(f Finding) bool { return f.Verdict == Fail || f.Verdict == NotAssessed }) {
		kinds = append(kinds, trace.Other)
	}
	var shown []*target.Exchange
	for _, name := range d.endpoints {
		for _, kind := range kinds {
			if x := r.book.first(name, kind); x != nil {
				shown = append(shown, x)
			}
		}
	}
	return shown
}

// worst is the verdict on an endpoint: the worst of what its MUST rows found there.
func worst(rows []Row, l Limit) Outcome {
	outcome := NotAssessed
	first := true
	for _, row := range rows {
		if row.API != l.API || row.Level != Must {
			continue
		}
		for _, f := range row.Findings {
			if (f.Endpoint == l.Endpoint || f.Endpoint == "") && (first || rank(f.Verdict) < rank(outcome)) {
				outcome, first = f.Verdict, false
			}
		}
	}
	return outcome
}

// rank orders outcomes, the worst first.
func rank(o Outcome) int { return slices.Index([]Outcome{Fail, NotAssessed, Pass, Observed}, o) }

// redacted is the row without any secret that a target may have echoed.
func (r *run) redacted(row Row) Row {
	row.Reason, row.Expected, row.Actual = r.caller.Redact.Text(row.Reason), r.caller.Redact.Text(row.Expected), r.caller.Redact.Text(row.Actual)
	row.Notes = orEmpty(row.Notes)
	for i := range row.Notes {
		row.Notes[i] = r.caller.Redact.Text(row.Notes[i])
	}
	return row
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
