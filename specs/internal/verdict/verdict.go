// Package verdict turns what happened to each row into verdicts, levels and an exit status. It is pure: no clock, no
// network, no files.
package verdict

import (
	"fmt"
	"slices"
	"time"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/spec"
)

// Verdict on one row.
type Verdict string

// The verdicts. A row that was not exercised is never a pass.
const (
	Pass        Verdict = "pass"
	Fail        Verdict = "fail"
	Warn        Verdict = "warn"     // a SHOULD row failed
	Observed    Verdict = "observed" // an OBS row was exercised
	NotAssessed Verdict = "not-assessed"
)

// Overall is the verdict on a run, at the level it was asked for.
type Overall string

// The overall verdicts.
const (
	Conformant    Overall = "conformant"
	NonConformant Overall = "non-conformant"
	Inconclusive  Overall = "inconclusive" // nothing failed, but a MUST row was not assessed
)

// ReasonNotSelected is the reason of a row that --only and --skip left out.
const ReasonNotSelected = "not selected"

// LevelNone means that no level is granted.
const LevelNone = "none"

// Exit statuses of the command (stable: other tools read them).
const (
	ExitConformant  = 0
	ExitFailed      = 1 // a MUST row failed, or any row with --strict, or a waiver is stale
	ExitUsage       = 2 // a wrong flag or profile, or the suite itself is at fault
	ExitNotAssessed = 3 // nothing failed, but a MUST row of the asked level was not assessed
	ExitUnreachable = 4 // the target could not be reached, or was lost half-way
)

// Asked is what a run was asked for.
type Asked struct {
	APIs  []string
	Level catalogue.Tier
	// Selected reports whether a row was selected by --only and --skip; nil: all are.
	Selected func(id string) bool
	// Outside says why a row is no part of what was asked for, "" for one that is; nil: all are. Such a row is listed and
	// not assessed, and has no bearing on the level that is granted.
	Outside func(id string) string
	Strict  bool
	Waivers []target.Waiver
	Now     time.Time
}

// Row is a requirement, what happened to it and what that means.
type Row struct {
	catalogue.Row
	spec.Outcome
	Verdict Verdict
	Reason  string
	Counts  bool   // it is at or below the asked level, and selected
	Outside bool   // it is no part of what was asked for (Asked.Outside)
	Waived  string // the waiver's reason, if the row failed and is waived
}

// Judgement is the verdict on a run.
type Judgement struct {
	Rows     []Row
	Overall  Overall
	Levels   map[string]string // the level granted per API: core, limits, full or none
	Granted  string            // the lowest of them
	Exit     int
	Problems []string // stale waivers and faults of the suite, a line each
}

// Judge gives the verdict on a run. Rows without an outcome were not run.
func Judge(rows []catalogue.Row, outcomes map[string]spec.Outcome, asked Asked) Judgement {
	j := Judgement{Levels: map[string]string{}}
	for _, row := range rows {
		if slices.Contains(asked.APIs, row.API) {
			j.Rows = append(j.Rows, judgeRow(row, outcomes, asked))
		}
	}
	stale := j.waive(asked)
	for _, api := range asked.APIs {
		j.Levels[api] = j.grant(api, asked)
	}
	j.Granted = lowest(j.Levels)
	j.Overall = j.overall()
	j.Exit = j.exit(asked.Strict, stale)
	return j
}

func judgeRow(row catalogue.Row, outcomes map[string]spec.Outcome, asked Asked) Row {
	r := Row{Row: row, Verdict: NotAssessed, Outcome: spec.Outcome{Row: row.ID, Culprit: -1}}
	if asked.Outside != nil {
		if why := asked.Outside(row.ID); why != "" {
			r.Outside, r.Reason = true, why
			return r
		}
	}
	switch {
	case asked.Selected != nil && !asked.Selected(row.ID):
		r.Reason = ReasonNotSelected
		return r
	case !asked.Level.Holds(row.Tier):
		r.Reason = fmt.Sprintf("above the asked level: %s is of tier %s, the run is of level %s", row.ID, row.Tier, asked.Level)
		return r
	}
	r.Counts = true
	outcome, ran := outcomes[row.ID]
	if !ran {
		r.Reason = "the run ended before this row"
		return r
	}
	r.Outcome, r.Reason = outcome, outcome.Reason
	if outcome.Must { // the row's text says which part of it is MUST: that it failed makes it a MUST row in this report
		r.Level = catalogue.Must
	}
	switch {
	case outcome.Result == spec.Passed && row.Level == catalogue.Obs:
		r.Verdict = Observed
	case outcome.Result == spec.Passed:
		r.Verdict = Pass
	case outcome.Result == spec.Failed && r.Level == catalogue.Must:
		r.Verdict = Fail
	case outcome.Result == spec.Failed && r.Level == catalogue.Should:
		r.Verdict = Warn
	}
	return r
}

// waive marks the rows whose failure is waived, and returns how many waivers are stale.
func (j *Judgement) waive(asked Asked) (stale int) {
	problem := func(format string, args ...any) {
		stale++
		j.Problems = append(j.Problems, fmt.Sprintf(format, args...))
	}
	for _, w := range asked.Waivers {
		i := slices.IndexFunc(j.Rows, func(r Row) bool { return r.Row.ID == w.ID })
		_, exists := catalogue.Lookup(w.ID)
		switch {
		case !exists:
			problem("waiver of %s: there is no such row; remove it or mend the ID", w.ID)
		case w.Expired(asked.Now):
			problem("waiver of %s: it expired on %s; remove it or renew it", w.ID, w.Expires)
		case i < 0: // of an API that wasn't asked for
		case j.Rows[i].Verdict == Pass || j.Rows[i].Verdict == Observed:
			problem("waiver of %s: the row passes; remove it", w.ID)
		case j.Rows[i].Verdict == Fail || j.Rows[i].Verdict == Warn:
			j.Rows[i].Waived = w.Reason
		}
	}
	return stale
}

// grant returns the highest level whose MUST rows, and those of the levels below, all pass. A selected run grants none.
func (j *Judgement) grant(api string, asked Asked) string {
	granted := LevelNone
	if asked.Selected != nil {
		return granted
	}
	for _, tier := range catalogue.Tiers {
		if !asked.Level.Holds(tier) { // an API without rows of that tier has not earned it
			break
		}
		for _, row := range j.Rows {
			if row.API == api && row.Tier == tier && row.Level == catalogue.Must && !row.Outside && row.Verdict != Pass {
				return granted
			}
		}
		granted = string(tier)
	}
	return granted
}

func lowest(levels map[string]string) string {
	order := []string{LevelNone, string(catalogue.Core), string(catalogue.Limits), string(catalogue.Full)}
	low := len(order) - 1
	for _, level := range levels {
		low = min(low, slices.Index(order, level))
	}
	return order[low]
}

// overall looks at the MUST rows that count. A waiver doesn't change it.
func (j *Judgement) overall() Overall {
	result := Conformant
	for _, row := range j.Rows {
		switch {
		case !row.Counts || row.Level != catalogue.Must:
		case row.Verdict == Fail:
			return NonConformant
		case row.Verdict != Pass:
			result = Inconclusive
		}
	}
	return result
}

func (j *Judgement) exit(strict bool, stale int) int {
	var broken, lost, failed, open bool
	for _, row := range j.Rows {
		if !row.Counts {
			continue
		}
		if row.Result == spec.Broken {
			broken = true
			j.Problems = append(j.Problems, fmt.Sprintf("the suite is at fault in %s: %s", row.Row.ID, row.Reason))
		}
		lost = lost || row.Lost
		failed = failed || (row.Waived == "" && (row.Verdict == Fail || (strict && row.Verdict == Warn)))
		open = open || (row.Level == catalogue.Must && row.Verdict == NotAssessed)
	}
	switch {
	case broken:
		return ExitUsage
	case lost:
		return ExitUnreachable
	case failed || stale > 0:
		return ExitFailed
	case open:
		return ExitNotAssessed
	}
	return ExitConformant
}
