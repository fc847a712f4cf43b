package matrix

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/spec"
)

// State is what came of a subject.
type State string

// The states.
const (
	Killed     State = "killed"      // wrong, and a row that names its fault failed
	Survived   State = "survived"    // wrong, and no row that names its fault failed
	Accepted   State = "accepted"    // conforming, and every row passed
	FalseAlarm State = "false-alarm" // conforming, and a row failed, or a MUST row could not be assessed
	Refused    State = "refused"     // null, and no row passed but for those that are excused
	Fooled     State = "fooled"      // null, and a row passed
	Error      State = "error"       // it could not be tried, or the suite itself broke on it
)

// Handful is how many rows beside the declared ones a wrong subject may keep from passing. One that keeps more is too
// coarse, or shows rows that depend on each other.
const Handful = 5

// Verdict is a subject and what came of it.
type Verdict struct {
	Part string `json:"part"`
	Subject
	State      State    `json:"state"`
	By         []string `json:"by,omitempty"`         // declared rows that failed
	Missed     []string `json:"missed,omitempty"`     // declared rows that did not
	Collateral []string `json:"collateral,omitempty"` // rows beside the declared ones that did not pass
	Passed     []string `json:"passed,omitempty"`     // null: rows that passed and are not excused
}

// Line is a row and what it showed.
type Line struct {
	ID    string          `json:"id"`
	API   string          `json:"api"`
	Level catalogue.Level `json:"level"`
	Tier  catalogue.Tier  `json:"tier"`
	Part  string          `json:"part"`
	Kills []string        `json:"kills"` // the subjects that declare it and on which it failed
	Also  int             `json:"also"`  // how many others it failed on
	// Judged says that its part was tried. A row that wasn't judged has killed nothing, and nothing follows from that.
	Judged bool `json:"judged"`
}

// Matrix is all parts together.
type Matrix struct {
	Schema   int            `json:"schema"`
	Version  string         `json:"version"` // of the suite
	Commit   string         `json:"commit"`
	Level    catalogue.Tier `json:"level"`    // rows above it were left out
	Selected bool           `json:"selected"` // only some subjects were tried: a row that killed nothing is no fault
	Seconds  float64        `json:"seconds"`  // of trying the servers
	Totals   []Total        `json:"totals"`
	Faults   []string       `json:"faults"`     // why the matrix is not well; none if it is
	Missing  []string       `json:"not_judged"` // parts that were not given: their rows are not judged
	Subjects []Verdict      `json:"subjects"`
	Rows     []Line         `json:"rows"`
}

// Total counts what came of the subjects of one part and one API.
type Total struct {
	Part        string `json:"part"`
	API         string `json:"api"`
	Wrong       int    `json:"wrong"`
	Killed      int    `json:"killed"`
	Survived    int    `json:"survived"`
	Conforming  int    `json:"conforming"`
	Runs        int    `json:"runs"` // of the conforming ones, together
	FalseAlarms int    `json:"false_alarms"`
	Null        int    `json:"null"`
	Fooled      int    `json:"fooled"`
	Errors      int    `json:"errors"`
}

// Asked says what to judge.
type Asked struct {
	Level    catalogue.Tier    // rows above it are left out
	Selected func(string) bool // which subjects, by their IDs; nil: all
}

// rows are those that the level holds.
func (a Asked) rows() []catalogue.Row {
	return slices.DeleteFunc(catalogue.Rows(), func(r catalogue.Row) bool { return !a.Level.Holds(r.Tier) })
}

// Reaches reports whether there is anything to judge of a subject at the level.
func (a Asked) Reaches(s Subject) bool {
	_, some := s.within(a.rows())
	return some
}

// StateOf judges one subject by itself.
func (a Asked) StateOf(part string, s Subject) State {
	narrowed, _ := s.within(a.rows())
	return judge(part, narrowed).State
}

// Judge judges the parts. Rows whose part isn't there are not judged: they count neither as killing nor as failing to.
func Judge(parts []Part, asked Asked) *Matrix {
	m := &Matrix{Schema: schema, Level: asked.Level, Selected: asked.Selected != nil, Faults: []string{}, Missing: []string{}}
	rows := asked.rows()
	there := map[string]bool{}
	for _, part := range parts {
		there[part.Part] = true
		for _, s := range part.Subjects {
			if asked.Selected != nil && !asked.Selected(s.ID) {
				continue
			}
			if narrowed, some := s.within(rows); some {
				m.Subjects = append(m.Subjects, judge(part.Part, narrowed))
			}
		}
	}
	for _, name := range Parts {
		if !there[name] && slices.ContainsFunc(rows, func(r catalogue.Row) bool { return PartOf(r) == name }) {
			m.Missing = append(m.Missing, name)
		}
	}
	m.count(rows, there)
	m.total()
	m.blame()
	return m
}

// within is the subject as far as the rows go, and whether anything is left of it.
func (s Subject) within(rows []catalogue.Row) (Subject, bool) {
	beyond := func(id string) bool {
		return !slices.ContainsFunc(rows, func(r catalogue.Row) bool { return r.ID == id })
	}
	declared := len(s.Kills)
	s.Kills = slices.DeleteFunc(slices.Clone(s.Kills), beyond)
	s.Open = slices.DeleteFunc(slices.Clone(s.Open), beyond)
	s.Results = maps.Clone(s.Results)
	maps.DeleteFunc(s.Results, func(id string, _ spec.Result) bool { return beyond(id) })
	return s, declared == 0 || len(s.Kills) > 0
}

func judge(part string, s Subject) Verdict {
	v := Verdict{Part: part, Subject: s}
	if v.Fault == "" {
		v.Fault = s.broken()
	}
	if v.Fault != "" {
		v.State = Error
		return v
	}
	switch s.Kind {
	case Wrong:
		v.hunt()
	case Conforming:
		v.State = Accepted
		for _, id := range slices.Sorted(maps.Keys(s.Results)) {
			row, _ := catalogue.Lookup(id)
			if s.Results[id] == spec.Failed || (s.Results[id] == spec.NotAssessed && row.Level == catalogue.Must) {
				v.State, v.By = FalseAlarm, append(v.By, id)
			}
		}
	case Null:
		v.State = Refused
		for _, id := range slices.Sorted(maps.Keys(s.Results)) {
			if _, excused := s.Excused[id]; s.Results[id] == spec.Passed && !excused {
				v.State, v.Passed = Fooled, append(v.Passed, id)
			}
		}
	}
	return v
}

// hunt judges a wrong subject.
func (v *Verdict) hunt() {
	for _, id := range v.Kills {
		if v.Results[id] == spec.Failed {
			v.By = append(v.By, id)
		} else {
			v.Missed = append(v.Missed, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(v.Results)) {
		if v.Results[id] != spec.Passed && !slices.Contains(v.Kills, id) && !slices.Contains(v.Open, id) {
			v.Collateral = append(v.Collateral, id)
		}
	}
	v.State = Survived
	if len(v.By) > 0 {
		v.State = Killed
	}
}

// broken says in which rows the suite itself broke.
func (s Subject) broken() string {
	var broken []string
	for _, id := range slices.Sorted(maps.Keys(s.Results)) {
		if s.Results[id] == spec.Broken {
			broken = append(broken, id+": "+s.Reasons[id])
		}
	}
	if len(broken) == 0 {
		return ""
	}
	return "the suite is at fault: " + strings.Join(broken, "; ")
}

// count works out what each row killed.
func (m *Matrix) count(rows []catalogue.Row, there map[string]bool) {
	for _, row := range rows {
		line := Line{ID: row.ID, API: row.API, Level: row.Level, Tier: row.Tier, Part: PartOf(row), Kills: []string{}}
		line.Judged = there[line.Part] && row.Level != catalogue.Obs
		for _, v := range m.Subjects {
			switch {
			case v.Kind != Wrong || v.State == Error:
			case slices.Contains(v.By, row.ID):
				line.Kills = append(line.Kills, v.ID)
			case v.Results[row.ID] == spec.Failed:
				line.Also++
			}
		}
		m.Rows = append(m.Rows, line)
	}
}

// total counts by part and API, in the order in which they first come.
func (m *Matrix) total() {
	for _, v := range m.Subjects {
		i := slices.IndexFunc(m.Totals, func(t Total) bool { return t.Part == v.Part && t.API == v.API })
		if i < 0 {
			i = len(m.Totals)
			m.Totals = append(m.Totals, Total{Part: v.Part, API: v.API})
		}
		m.Totals[i].add(v)
	}
}

func (t *Total) add(v Verdict) {
	switch v.Kind {
	case Wrong:
		t.Wrong++
	case Conforming:
		t.Conforming++
		t.Runs += v.Runs
	case Null:
		t.Null++
	}
	switch v.State {
	case Killed:
		t.Killed++
	case Survived:
		t.Survived++
	case FalseAlarm:
		t.FalseAlarms++
	case Fooled:
		t.Fooled++
	case Error:
		t.Errors++
	case Accepted, Refused: // what is left of their kinds
	}
}

// blame lists why the matrix is not well.
func (m *Matrix) blame() {
	for _, v := range m.Subjects {
		if fault := v.blame(); fault != "" {
			m.Faults = append(m.Faults, fault)
		}
	}
	for _, row := range m.Idle(catalogue.Must) {
		if !m.Selected {
			m.Faults = append(m.Faults, fmt.Sprintf("%s is a MUST row, and has never been seen to fail", row))
		}
	}
}

// named is how many rows a fault names with their reasons; mutants.json has all of them.
const named = 3

// blame says what is not well with one subject; "" if all is.
func (v Verdict) blame() string {
	because := func(rows []string) string {
		var all []string
		for i, id := range rows {
			if i == named {
				all = append(all, fmt.Sprintf("and %d rows more", len(rows)-named))
				break
			}
			result := string(v.Results[id])
			if result == "" {
				result = "was not run"
			}
			all = append(all, strings.TrimRight(fmt.Sprintf("%s %s: %s", id, result, v.Reasons[id]), ": "))
		}
		return strings.Join(all, "; ")
	}
	switch {
	case v.State == Error:
		return fmt.Sprintf("%s could not be tried: %s", v.ID, v.Fault)
	case v.State == Survived:
		return fmt.Sprintf("%s survives (%s): %s", v.ID, v.Title, because(v.Missed))
	case v.State == FalseAlarm:
		return fmt.Sprintf("false alarm on %s, which conforms (%s): %s", v.ID, v.Title, because(v.By))
	case v.State == Fooled:
		return fmt.Sprintf("%s implements nothing, and rows pass: %s", v.ID, strings.Join(v.Passed, ", "))
	case len(v.stale()) > 0:
		return fmt.Sprintf("%s: rows are excused that don't pass: %s", v.ID, strings.Join(v.stale(), ", "))
	case len(v.Missed) > 0:
		return fmt.Sprintf("%s is killed, but not by all rows that it declares: %s", v.ID, because(v.Missed))
	case v.beside() > Handful:
		return fmt.Sprintf("%s keeps %d rows from passing beside those that it declares, more than a handful (%d): %s",
			v.ID, v.beside(), Handful, strings.Join(v.Collateral, ", "))
	}
	return ""
}

// stale are rows that are excused for passing on a null subject, and don't.
func (v Verdict) stale() []string {
	var stale []string
	for _, id := range slices.Sorted(maps.Keys(v.Excused)) {
		if result, run := v.Results[id]; run && result != spec.Passed {
			stale = append(stale, id)
		}
	}
	return stale
}

// beside counts the collateral rows. Those that say the same of ingest, ping and lookup count as one: a limiter stands
// before all three.
func (v Verdict) beside() int {
	clauses := map[string]bool{}
	for _, id := range v.Collateral {
		for _, endpoint := range []string{"-INGEST-", "-PING-", "-LOOKUP-"} {
			id = strings.Replace(id, "LD-LIM"+endpoint, "LD-LIM-", 1)
		}
		clauses[id] = true
	}
	return len(clauses)
}

// Idle lists the rows of a level that were judged and killed nothing.
func (m *Matrix) Idle(level catalogue.Level) []string {
	var idle []string
	for _, line := range m.Rows {
		if line.Level == level && line.Judged && len(line.Kills) == 0 {
			idle = append(idle, line.ID)
		}
	}
	return idle
}
