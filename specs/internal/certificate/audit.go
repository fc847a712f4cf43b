package certificate

import (
	"fmt"
	"slices"
	"strings"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/spec"
	"leadconform/specs/internal/verdict"
)

// audit looks at a report as somebody who doesn't trust whoever wrote it: does it hold every row of the catalogue as it
// stands there, do the rows agree with themselves and with their exchanges, and does the verdict follow from them? It
// returns what doesn't.
func audit(r *report.Report) Faults {
	a := &auditor{report: r}
	a.apis()
	a.coverage()
	for i := range r.Rows {
		a.row(&r.Rows[i])
	}
	a.exchanges()
	if len(a.faults) == 0 { // else what follows would say the same again
		a.verdict()
	}
	return a.faults
}

type auditor struct {
	report *report.Report
	faults Faults
}

func (a *auditor) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

// names returns the tested APIs in the order of the contract.
func (a *auditor) names() []string {
	var names []string
	for _, api := range []string{catalogue.Distro, catalogue.Insertion} {
		if _, tested := a.report.Levels[api]; tested {
			names = append(names, api)
		}
	}
	return names
}

func (a *auditor) apis() {
	r := a.report
	if len(a.names()) != len(r.Levels) || len(r.Levels) != len(r.Target.BaseURLs) {
		a.fault("the APIs that have a level are not those that have a base URL, or not those that certificates are for")
		return
	}
	for _, api := range a.names() {
		if r.Target.BaseURLs[api] == "" {
			a.fault("the API %s has a level and no base URL", api)
		}
	}
}

// coverage holds the rows against the catalogue: all are there, once, in its order, and as they stand there.
func (a *auditor) coverage() {
	wanted := slices.DeleteFunc(catalogue.Rows(), func(row catalogue.Row) bool { return !slices.Contains(a.names(), row.API) })
	seen := map[string]int{}
	for _, row := range a.report.Rows {
		seen[row.ID]++
		known := slices.ContainsFunc(wanted, func(w catalogue.Row) bool { return w.ID == row.ID })
		switch {
		case !known:
			a.fault("row %s of the report is not in the catalogue", row.ID)
		case seen[row.ID] == 2:
			a.fault("row %s stands twice in the report", row.ID)
		}
	}
	var missing []string
	for _, row := range wanted {
		if seen[row.ID] == 0 {
			missing = append(missing, row.ID)
		}
	}
	if len(missing) > 0 {
		a.fault("%d rows of the catalogue were left out of the report: %s", len(missing), strings.Join(missing, ", "))
	}
	if len(a.faults) > 0 {
		return
	}
	for i, row := range a.report.Rows {
		if row.ID != wanted[i].ID {
			a.fault("the rows of the report are out of order from %s on: the catalogue has %s there", row.ID, wanted[i].ID)
			return
		}
		a.asInCatalogue(row, wanted[i])
	}
}

func (a *auditor) asInCatalogue(row report.Row, wanted catalogue.Row) {
	level := string(wanted.Level)
	if row.Verdict == verdict.Fail { // of a SHOULD row the text may call a part MUST: failing that makes it a MUST row
		level = string(catalogue.Must)
	}
	for _, part := range []struct{ name, is, should string }{
		{"API", row.API, wanted.API}, {"level", row.Level, level}, {"tier", row.Tier, string(wanted.Tier)},
		{"section", row.Section, wanted.Section}, {"title", row.Title, wanted.Title}, {"source", row.Source, report.Source(wanted)},
	} {
		if part.is != part.should {
			a.fault("row %s: its %s was edited: it is %q, in the catalogue %q", row.ID, part.name, part.is, part.should)
		}
	}
}

// row looks at what a row says of itself. That a verdict fits the row's level is seen to by the report's schema.
func (a *auditor) row(row *report.Row) {
	asked := !a.report.Run.Selected && catalogue.Tier(a.report.Run.Level).Holds(catalogue.Tier(row.Tier))
	failed := row.Verdict == verdict.Fail || row.Verdict == verdict.Warn
	switch {
	case !failed && row.Waived != "":
		a.fault("row %s: it is %s and yet waived", row.ID, row.Verdict)
	case row.Verdict == verdict.NotAssessed:
	case !asked:
		a.fault("row %s: it is %s, though the run was not asked for it", row.ID, row.Verdict)
	case failed: // and says why: the schema sees to it
	case row.Reason != "" || row.Expected != "" || row.Actual != "":
		a.fault("row %s: it is %s, and yet says why it is not", row.ID, row.Verdict)
	case !a.exercised(row):
		a.fault("row %s: it is %s, and nothing in the report shows that the target accepted anything", row.ID, row.Verdict)
	}
}

// exercised reports whether there is something that a pass rests on: an answer of 2xx among its exchanges, without which
// a refusal proves nothing, or the figures of an experiment.
func (a *auditor) exercised(row *report.Row) bool {
	if row.Tier == string(catalogue.Limits) {
		return len(row.Figures) > 0 || len(row.Exchanges) > 0
	}
	return slices.ContainsFunc(row.Exchanges, func(n int) bool {
		if n > len(a.report.Exchanges) {
			return false
		}
		answer := a.report.Exchanges[n-1].Response
		return answer != nil && answer.Status/100 == 2
	})
}

// exchanges: they are numbered from 1 on, and each belongs to the row that names it.
func (a *auditor) exchanges() {
	next := 1
	for _, row := range a.report.Rows {
		for _, n := range row.Exchanges {
			if n != next || n > len(a.report.Exchanges) || a.report.Exchanges[n-1].N != n || a.report.Exchanges[n-1].Row != row.ID {
				a.fault("row %s: exchange %d is not its own, or out of order", row.ID, n)
				return
			}
			next++
		}
	}
	if next <= len(a.report.Exchanges) {
		a.fault("exchange %d belongs to no row", next)
	}
}

// results are the outcomes that lead to a verdict.
var results = map[verdict.Verdict]spec.Result{
	verdict.Pass: spec.Passed, verdict.Observed: spec.Passed, verdict.Fail: spec.Failed, verdict.Warn: spec.Failed,
	verdict.NotAssessed: spec.NotAssessed,
}

// verdict works the verdict of the run out anew, by the code that gave it.
func (a *auditor) verdict() {
	r := a.report
	outcomes := map[string]spec.Outcome{}
	for _, row := range r.Rows {
		outcomes[row.ID] = spec.Outcome{Row: row.ID, Result: results[row.Verdict], Reason: row.Reason, Must: row.Verdict == verdict.Fail}
	}
	asked := verdict.Asked{APIs: a.names(), Level: catalogue.Tier(r.Run.Level), Strict: r.Run.Strict}
	for _, row := range r.Rows {
		if row.Waived != "" { // it held then, or the row would not be marked
			asked.Waivers = append(asked.Waivers, target.Waiver{ID: row.ID, Reason: row.Waived, Expires: "9999-12-31"})
		}
	}
	if r.Run.Selected {
		asked.Selected = func(string) bool { return true }
	}
	j := verdict.Judge(catalogue.Rows(), outcomes, asked)
	for _, api := range a.names() {
		if r.Levels[api] != j.Levels[api] {
			a.fault("the report grants %s the level %s, and its rows give %s", api, r.Levels[api], j.Levels[api])
		}
	}
	if r.LevelGranted != j.Granted {
		a.fault("the report grants the level %s, and its rows give %s", r.LevelGranted, j.Granted)
	}
	if r.Verdict != j.Overall {
		a.fault("the report's verdict is %s, and its rows give %s", r.Verdict, j.Overall)
	}
	if count := report.Summarise(r.Rows); r.Summary != count {
		a.fault("the report counts %+v, and its rows are %+v", r.Summary, count)
	}
	stale := r.Run.Exit == verdict.ExitFailed && len(r.Problems) > 0
	if r.Run.Exit != j.Exit && !stale && Refusal(r) == "" {
		a.fault("the report's exit status is %d, and its rows give %d", r.Run.Exit, j.Exit)
	}
	if r.Run.Finished.Before(r.Run.Started) {
		a.fault("the run ended before it began")
	}
}
