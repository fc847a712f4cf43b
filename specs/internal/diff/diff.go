// Package diff compares two reports: which rows changed their verdict, which limits moved, and whether anything got worse.
// It is pure: no clock, no network, no files.
package diff

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"leadconform/load/harness"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/verdict"
)

// Moved is how much a measured limit must differ, as a part of the greater of the two figures, to have moved. It is the
// width in which the limits rows themselves take a rate to be right: what is less may be the measurement's own noise.
const Moved = 0.03

// Kind says what a change means.
type Kind string

// The kinds of changes. A regression is a row that got worse: it passed (or was observed) and no longer does, it is now
// found to fail, or it has gone from the report. A failure that was not looked for this time is no improvement. A row of level OBS is never judged, so it can't regress, and a failure
// that the profile waives is known and is none. A limit that moved is not a regression by itself: the rows on it say
// whether it moved too far.
const (
	Regression  Kind = "regression"
	Improvement Kind = "improvement"
	Other       Kind = "other"
)

// Diff is what two reports differ in.
type Diff struct {
	Old    Side          `json:"old"`
	New    Side          `json:"new"`
	Rows   []RowChange   `json:"rows"`   // in the order of the contract
	Limits []LimitChange `json:"limits"` // that moved
	Notes  []string      `json:"notes"`  // what was not compared, and what makes the comparison lame
}

// Side is one of the two reports in short.
type Side struct {
	Target  string            `json:"target"`
	Suite   report.Suite      `json:"suite"`
	Run     report.Run        `json:"run"`
	Verdict verdict.Overall   `json:"verdict"`
	Levels  map[string]string `json:"levels"`
}

// RowChange is a row whose verdict changed.
type RowChange struct {
	ID     string          `json:"id"`
	Level  string          `json:"level"`
	Title  string          `json:"title"`
	Kind   Kind            `json:"kind"`
	Old    verdict.Verdict `json:"old"`    // "" if the row is new
	New    verdict.Verdict `json:"new"`    // "" if the row is gone
	Reason string          `json:"reason"` // of the new verdict
	Waived string          `json:"waived,omitempty"`
}

// LimitChange is a figure of a limit that moved.
type LimitChange struct {
	API      string  `json:"api"`
	Endpoint string  `json:"endpoint"`
	Supplier string  `json:"supplier"` // the role of the key
	Figure   string  `json:"figure"`   // such as "rate measured" or "burst promised"
	Old      float64 `json:"old"`
	New      float64 `json:"new"`
}

// Regressions counts the rows that got worse.
func (d Diff) Regressions() int {
	n := 0
	for _, row := range d.Rows {
		if row.Kind == Regression {
			n++
		}
	}
	return n
}

// Compare compares two reports. Rows that only one of the runs was asked for are left out, and the notes
// say so.
func Compare(older, newer *report.Report) Diff {
	d := Diff{Old: side(older), New: side(newer), Rows: []RowChange{}, Limits: []LimitChange{}, Notes: []string{}}
	d.remark(older, newer)
	d.rows(older, newer)
	d.limits(older.Limits, newer.Limits)
	return d
}

func side(r *report.Report) Side {
	return Side{Target: r.Target.Name, Suite: r.Suite, Run: r.Run, Verdict: r.Verdict, Levels: r.Levels}
}

func (d *Diff) note(format string, args ...any) {
	d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
}

// remark says what makes the comparison lame.
func (d *Diff) remark(older, newer *report.Report) {
	if older.Target.Name != newer.Target.Name {
		d.note("the targets differ: %s and %s", older.Target.Name, newer.Target.Name)
	}
	if older.Policy.Peak != newer.Policy.Peak {
		d.note("the burst rate was read differently: %s and %s", older.Policy.Peak, newer.Policy.Peak)
	}
	for _, api := range slices.Sorted(maps.Keys(older.Levels)) {
		if _, tested := newer.Levels[api]; !tested {
			d.note("the API %s is in the old report alone, so its rows are not compared", api)
		}
	}
}

func (d *Diff) rows(older, newer *report.Report) {
	was := map[string]report.Row{}
	for _, row := range older.Rows {
		was[row.ID] = row
	}
	var left int
	seen := map[string]bool{}
	for _, row := range newer.Rows {
		seen[row.ID] = true
		old, known := was[row.ID]
		switch {
		case known && asked(newer, row) != asked(older, old):
			left++
		case !asked(newer, row):
		case !known:
			d.Rows = append(d.Rows, change(report.Row{}, row))
		case old.Verdict != row.Verdict:
			d.Rows = append(d.Rows, change(old, row))
		}
	}
	for _, old := range older.Rows {
		if _, tested := newer.Levels[old.API]; tested && !seen[old.ID] && asked(older, old) {
			gone := old
			gone.Verdict, gone.Reason, gone.Waived = "", "it is not in the new report", ""
			d.Rows = append(d.Rows, change(old, gone))
		}
	}
	if left > 0 {
		d.note("%d rows are not compared: only one of the runs was asked for them (%s and %s)", left, askedFor(older), askedFor(newer))
	}
}

// askedFor is what a run was asked for, in words.
func askedFor(r *report.Report) string {
	if r.Run.Selected {
		return "some rows of level " + r.Run.Level
	}
	return "level " + r.Run.Level
}

// asked reports whether a run was asked for a row.
func asked(r *report.Report, row report.Row) bool {
	return catalogue.Tier(r.Run.Level).Holds(catalogue.Tier(row.Tier)) &&
		!(r.Run.Selected && row.Verdict == verdict.NotAssessed && row.Reason == verdict.ReasonNotSelected)
}

func change(old, row report.Row) RowChange {
	return RowChange{ID: row.ID, Level: row.Level, Title: row.Title, Kind: kind(old, row), Old: old.Verdict, New: row.Verdict,
		Reason: row.Reason, Waived: row.Waived}
}

func kind(old, row report.Row) Kind {
	switch {
	case old.Verdict == "" || row.Level == string(catalogue.Obs) || row.Waived != "":
		return Other
	case row.Verdict == "" && rank(old.Verdict) < rank(verdict.Pass):
		return Other
	case rank(row.Verdict) < rank(old.Verdict):
		return Regression
	case row.Verdict == verdict.NotAssessed || rank(row.Verdict) == rank(old.Verdict): // nobody looked, or only the level is another
		return Other
	}
	return Improvement
}

// rank puts verdicts in order, the best highest.
func rank(v verdict.Verdict) int {
	switch v {
	case verdict.Pass, verdict.Observed:
		return 3
	case verdict.NotAssessed:
		return 2
	case verdict.Warn:
		return 1
	case verdict.Fail:
		return 0
	}
	return -1 // gone
}

// limits compares what was promised and what was measured, endpoint by endpoint and key by key.
func (d *Diff) limits(older, newer []harness.Limit) {
	for _, limit := range newer {
		i := slices.IndexFunc(older, func(l harness.Limit) bool {
			return l.API == limit.API && l.Endpoint == limit.Endpoint && l.Supplier == limit.Supplier
		})
		if i < 0 {
			continue
		}
		was, is := figures(older[i]), figures(limit)
		for _, name := range slices.Sorted(maps.Keys(is)) {
			old, measured := was[name]
			if measured && moved(old, is[name]) {
				d.Limits = append(d.Limits, LimitChange{limit.API, limit.Endpoint, limit.Supplier, name, old, is[name]})
			}
		}
	}
	if (len(older) == 0) != (len(newer) == 0) {
		d.note("limits were measured in one of the two runs only, so none is compared")
	}
}

func figures(l harness.Limit) map[string]float64 {
	all := map[string]float64{"rate promised": l.Policy.Rate, "burst promised": l.Policy.Burst, "window_s promised": l.Policy.WindowS}
	for name, value := range l.Estimate {
		all[name+" measured"] = value
	}
	return all
}

func moved(a, b float64) bool {
	return math.Abs(a-b) > Moved*cmp.Or(max(math.Abs(a), math.Abs(b)), 1)
}
