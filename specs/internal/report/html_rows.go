package report

import (
	"fmt"
	"slices"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/verdict"
)

// group is a part of the list of rows: those that failed, those that warn, or what is left of a section.
type group struct {
	ID, API, Title string
	Rows           []htmlRow
	Counts         Summary // of the whole section
	Moved          int     // rows of the section that stand above, since they failed or warn
}

// htmlRow is a row as the page shows it.
type htmlRow struct {
	Row
	Text     string     // the requirement in full
	Block    int        // where its exchanges are packed
	Culprit  int        // the exchange that shows why it failed or warns; 0 of other rows
	Open     bool       // from the start
	Pictures []endpoint // that show what it was decided by
	Selected bool
}

// openAtFirst bounds how many failures are open from the start: a target that fails everywhere is read row by row.
const openAtFirst = 20

// groups are the rows, failures first, then warnings, then section by section.
func (r *Report) groups(blockOf []int, endpoints []endpoint) []group {
	failed := group{ID: "failed", Title: "Failed"}
	warned := group{ID: "warned", Title: "Warnings"}
	var sections []group
	for i, row := range r.Rows {
		shown := htmlRow{Row: row, Text: requirement(row), Block: blockOf[i], Selected: row.counts || !r.Run.Selected, Pictures: about(row, endpoints)}
		if n := len(sections); n == 0 || sections[n-1].API != row.API || sections[n-1].Title != row.Section {
			sections = append(sections, group{ID: fmt.Sprintf("section-%d", n+1), API: row.API, Title: row.Section})
		}
		section := &sections[len(sections)-1]
		section.Counts.count(row.Verdict)
		switch {
		case row.Verdict == verdict.Fail:
			shown.Culprit = row.culprit
			shown.Open = len(failed.Rows) < openAtFirst
			failed.add(shown)
			section.Moved++
		case row.Verdict == verdict.Warn:
			shown.Culprit = row.culprit
			warned.add(shown)
			section.Moved++
		default:
			section.Rows = append(section.Rows, shown)
		}
	}
	return slices.DeleteFunc(append([]group{failed, warned}, sections...), func(g group) bool { return len(g.Rows)+g.Moved == 0 })
}

func (g *group) add(row htmlRow) {
	g.Rows = append(g.Rows, row)
	g.Counts.count(row.Verdict)
}

// about are the endpoints whose attacks decided a row.
func about(row Row, endpoints []endpoint) []endpoint {
	return slices.DeleteFunc(slices.Clone(endpoints), func(e endpoint) bool {
		return !slices.ContainsFunc(e.Rows, func(of Row) bool { return of.ID == row.ID })
	})
}

// requirement is what a row demands, in full if the catalogue has it.
func requirement(row Row) string {
	if known, ok := catalogue.Lookup(row.ID); ok {
		return known.Text
	}
	return row.Title
}

// apis are those asked for, in their usual order.
func (r *Report) apis() []string {
	return slices.DeleteFunc([]string{target.APIDistro, target.APIInsertion, "client"}, func(api string) bool {
		_, asked := r.Levels[api]
		return !asked
	})
}

// ofClient reports whether a client was tried.
func (r *Report) ofClient() bool {
	_, tried := r.Levels[catalogue.Client]
	return tried
}

// ladder is how far an API got: a level is granted if every MUST row up to it passes.
type ladder struct {
	API, Granted string
	Rungs        []rung
}

// rung is one level, and what of its own tier stands against it.
type rung struct {
	Level                     string
	Granted                   bool
	Must, Failed, NotAssessed int       // MUST rows of that tier
	Against                   []against // the first of them, those that failed before the others
}

// against is a row that stands against a level.
type against struct {
	ID     string
	Waived bool // which changes nothing
}

// More reports whether there are more rows against it than it names.
func (s rung) More() bool { return s.Failed+s.NotAssessed > len(s.Against) }

// namedAgainst bounds how many rows a rung names.
const namedAgainst = 6

func (r *Report) ladders() []ladder {
	var ladders []ladder
	for _, api := range r.apis() {
		l := ladder{API: api, Granted: r.Levels[api]}
		granted := l.Granted != verdict.LevelNone
		for _, tier := range catalogue.Tiers {
			if !slices.ContainsFunc(r.Rows, func(row Row) bool { return row.API == api && row.Tier == string(tier) }) {
				continue // a client has no limits to hold
			}
			step := r.rung(api, tier)
			step.Granted = granted
			granted = granted && l.Granted != string(tier)
			l.Rungs = append(l.Rungs, step)
		}
		ladders = append(ladders, l)
	}
	return ladders
}

func (r *Report) rung(api string, tier catalogue.Tier) rung {
	step := rung{Level: string(tier)}
	var failed, open []against
	for _, row := range r.Rows {
		if row.API != api || row.Tier != string(tier) || row.Level != string(catalogue.Must) || row.outside {
			continue
		}
		step.Must++
		switch row.Verdict {
		case verdict.Fail:
			failed = append(failed, against{row.ID, row.Waived != ""})
		case verdict.NotAssessed:
			open = append(open, against{ID: row.ID})
		}
	}
	step.Failed, step.NotAssessed = len(failed), len(open)
	step.Against = slices.Concat(failed, open)
	step.Against = step.Against[:min(len(step.Against), namedAgainst)]
	return step
}
