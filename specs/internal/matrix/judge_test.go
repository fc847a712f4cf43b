package matrix_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/matrix"
	"leadconform/specs/internal/spec"
)

// results are those of a server of the Lead Distro API on which all rows pass, but for those that are named.
func results(but map[string]spec.Result) map[string]spec.Result {
	all := map[string]spec.Result{}
	for _, row := range catalogue.Rows() {
		if row.API == catalogue.Distro && matrix.PartOf(row) == matrix.Servers {
			all[row.ID] = spec.Passed
		}
	}
	for id, result := range but {
		all[id] = result
	}
	return all
}

func wrong(id string, but map[string]spec.Result, kills ...string) matrix.Subject {
	return matrix.Subject{ID: id, Title: "it", Kind: matrix.Wrong, API: catalogue.Distro, Kills: kills, Runs: 1, Results: results(but)}
}

func conforming(but map[string]spec.Result) matrix.Subject {
	return matrix.Subject{ID: "ok", Title: "it", Kind: matrix.Conforming, Runs: 5, Results: results(but)}
}

func null(excused map[string]string, passed ...string) matrix.Subject {
	s := matrix.Subject{ID: "null", Title: "it", Kind: matrix.Null, Excused: excused, Runs: 1, Results: results(nil)}
	for id := range s.Results {
		s.Results[id] = spec.Failed
	}
	for _, id := range passed {
		s.Results[id] = spec.Passed
	}
	return s
}

// full judges servers alone, at level full, as if they had been picked: rows that kill nothing are no fault then.
func full(subjects ...matrix.Subject) *matrix.Matrix {
	return matrix.Judge([]matrix.Part{matrix.NewPart(matrix.Servers, subjects...)},
		matrix.Asked{Level: catalogue.Full, Selected: func(string) bool { return true }})
}

func TestWhatComesOfASubject(t *testing.T) {
	for name, c := range map[string]struct {
		subject matrix.Subject
		state   matrix.State
		fault   string // "": all is well
	}{
		"killed by the row that it declares": {
			wrong("m", map[string]spec.Result{"LD-201-01": spec.Failed}, "LD-201-01"), matrix.Killed, "",
		},
		"survives, since the row passes": {
			wrong("m", nil, "LD-201-01"), matrix.Survived, "m survives (it): LD-201-01 passed",
		},
		"survives, since the row isn't assessed": {
			wrong("m", map[string]spec.Result{"LD-201-01": spec.NotAssessed}, "LD-201-01"), matrix.Survived, "LD-201-01 not-assessed",
		},
		"survives, though another row fails": {
			wrong("m", map[string]spec.Result{"LD-201-02": spec.Failed}, "LD-201-01"), matrix.Survived, "m survives",
		},
		"killed by one of two": {
			wrong("m", map[string]spec.Result{"LD-201-01": spec.Failed}, "LD-201-01", "LD-201-02"), matrix.Killed, "not by all rows that it declares: LD-201-02 passed",
		},
		"a row that it declares was not run": {
			wrong("m", map[string]spec.Result{"LD-201-01": spec.Failed}, "LD-201-01", "IN-201-01"), matrix.Killed, "IN-201-01 was not run",
		},
		"killed, with a handful beside": {
			wrong("m", map[string]spec.Result{"LD-201-01": spec.Failed, "LD-201-02": spec.Failed, "LD-201-03": spec.NotAssessed,
				"LD-201-04": spec.Failed, "LD-201-05": spec.Failed, "LD-200-01": spec.Failed}, "LD-201-01"), matrix.Killed, "",
		},
		"killed, with more than a handful beside": {
			wrong("m", map[string]spec.Result{"LD-201-01": spec.Failed, "LD-201-02": spec.Failed, "LD-201-03": spec.NotAssessed,
				"LD-201-04": spec.Failed, "LD-201-05": spec.Failed, "LD-200-01": spec.Failed, "LD-200-02": spec.NotAssessed}, "LD-201-01"),
			matrix.Killed, "keeps 6 rows from passing beside those that it declares",
		},
		"the suite breaks on it": {
			wrong("m", map[string]spec.Result{"LD-201-01": spec.Failed, "LD-201-02": spec.Broken}, "LD-201-01"), matrix.Error, "the suite is at fault: LD-201-02",
		},
		"its process crashed": {
			matrix.Subject{ID: "m", Title: "it", Kind: matrix.Wrong, Kills: []string{"LD-201-01"}, Fault: "it crashed"}, matrix.Error, "m could not be tried: it crashed",
		},
		"conforms":                         {conforming(nil), matrix.Accepted, ""},
		"conforms, and a MUST row fails":   {conforming(map[string]spec.Result{"LD-201-01": spec.Failed}), matrix.FalseAlarm, "false alarm on ok, which conforms (it): LD-201-01 failed"},
		"conforms, and a SHOULD row fails": {conforming(map[string]spec.Result{"LD-201-04": spec.Failed}), matrix.FalseAlarm, "LD-201-04 failed"},
		"conforms, and a MUST row isn't assessed": {
			conforming(map[string]spec.Result{"LD-201-01": spec.NotAssessed}), matrix.FalseAlarm, "LD-201-01 not-assessed",
		},
		"nothing passes on what implements nothing": {null(nil), matrix.Refused, ""},
		"a row passes on what implements nothing":   {null(nil, "LD-201-01"), matrix.Fooled, "implements nothing, and rows pass: LD-201-01"},
		"a row is excused there that doesn't pass":  {null(map[string]string{"LD-201-01": "why"}), matrix.Refused, "null: rows are excused that don't pass: LD-201-01"},
		"a row passes there that may":               {null(map[string]string{"LD-201-01": "why"}, "LD-201-01"), matrix.Refused, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := full(c.subject)
			if got := m.Subjects[0].State; got != c.state {
				t.Errorf("%s, want %s", got, c.state)
			}
			switch faults := strings.Join(m.Faults, "\n"); {
			case c.fault == "" && faults != "":
				t.Errorf("a fault is found: %s", faults)
			case !strings.Contains(faults, c.fault):
				t.Errorf("want the fault %q, got %q", c.fault, faults)
			}
		})
	}
}

// Rows that a limiter fails on all three endpoints are one clause.
func TestRowsOfThreeEndpointsAreOneBeside(t *testing.T) {
	s := matrix.Subject{ID: "l", Title: "it", Kind: matrix.Wrong, Kills: []string{"LD-LIM-KEY"}, Runs: 1, Results: map[string]spec.Result{"LD-LIM-KEY": spec.Failed}}
	for _, endpoint := range []string{"INGEST", "PING", "LOOKUP"} {
		for _, clause := range []string{"SUSTAIN", "BURST"} {
			s.Results["LD-LIM-"+endpoint+"-"+clause] = spec.Failed
		}
	}
	m := matrix.Judge([]matrix.Part{matrix.NewPart(matrix.Limiters, s)}, matrix.Asked{Level: catalogue.Full, Selected: func(string) bool { return true }})
	if len(m.Faults) > 0 || len(m.Subjects[0].Collateral) != 6 {
		t.Errorf("%d rows beside, faults %q", len(m.Subjects[0].Collateral), m.Faults)
	}
}

func TestAMustRowThatNeverKillsIsAFault(t *testing.T) {
	part := matrix.NewPart(matrix.Servers, wrong("m", map[string]spec.Result{"LD-201-01": spec.Failed, "LD-201-02": spec.Failed}, "LD-201-01"))
	m := matrix.Judge([]matrix.Part{part}, matrix.Asked{Level: catalogue.Core})
	has := func(row string) bool {
		return slices.Contains(m.Faults, row+" is a MUST row, and has never been seen to fail")
	}
	for row, want := range map[string]bool{
		"LD-201-01": false, // it killed
		"LD-201-02": true,  // it failed, but nobody had said that it must
		"IN-201-01": true,  // it was never run
		"LD-201-04": false, // a SHOULD row
		"LD-500-01": false, // above the level
		"CL-LD-01":  false, // its part was not given
	} {
		if has(row) != want {
			t.Errorf("%s: a fault: %t, want %t", row, has(row), want)
		}
	}
	line := m.Rows[slices.IndexFunc(m.Rows, func(l matrix.Line) bool { return l.ID == "LD-201-02" })]
	if line.Also != 1 || len(line.Kills) != 0 || !line.Judged {
		t.Errorf("LD-201-02: %+v", line)
	}
	if !slices.Contains(m.Idle(catalogue.Should), "LD-201-04") {
		t.Error("a SHOULD row that kills nothing is not listed")
	}
}

// What wasn't given is said, and counts for nothing.
func TestPartsThatAreMissingAreSaid(t *testing.T) {
	m := matrix.Judge([]matrix.Part{matrix.NewPart(matrix.Servers, conforming(nil))}, matrix.Asked{Level: catalogue.Full})
	if !slices.Equal(m.Missing, []string{matrix.Limiters, matrix.Clients}) {
		t.Errorf("missing: %v", m.Missing)
	}
	for _, line := range m.Rows {
		if line.Judged != (line.Part == matrix.Servers && line.Level != catalogue.Obs) {
			t.Errorf("%s, %s: judged %t", line.ID, line.Part, line.Judged)
		}
	}
	var text bytes.Buffer
	if err := m.WriteText(&text, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"rows were not judged", "limiters: --limits FILE", "clients: --clients FILE", "FAULT LD-201-01 is a MUST row"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not said:\n%s", want, text.String())
		}
	}
	if core := matrix.Judge(nil, matrix.Asked{Level: catalogue.Core}); slices.Contains(core.Missing, matrix.Limiters) {
		t.Error("the limiters are missed at a level that has no row of theirs")
	}
}

func TestLevelNarrowsWhatIsDeclared(t *testing.T) {
	s := wrong("m", map[string]spec.Result{"LD-500-01": spec.Failed}, "LD-500-01")
	core, full := matrix.Asked{Level: catalogue.Core}, matrix.Asked{Level: catalogue.Full}
	if core.Reaches(s) || !full.Reaches(s) {
		t.Error("a server that breaks a row of tier full is tried at level core, or not at level full")
	}
	if m := matrix.Judge([]matrix.Part{matrix.NewPart(matrix.Servers, s)}, core); len(m.Subjects) != 0 {
		t.Errorf("it is judged at level core: %v", m.Subjects)
	}
}

func TestFilesHoldTheWholeMatrix(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	m := full(wrong("one-mutant", map[string]spec.Result{"LD-201-01": spec.Failed, "LD-201-02": spec.NotAssessed}, "LD-201-01"), conforming(nil), null(nil))
	if err := m.WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "mutants.json"))
	if err != nil {
		t.Fatal(err)
	}
	var read matrix.Matrix
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	sum := read.Sum()
	if sum.Wrong != 1 || sum.Killed != 1 || sum.Conforming != 1 || sum.Runs != 5 || sum.Null != 1 || sum.FalseAlarms+sum.Fooled+sum.Survived+sum.Errors != 0 {
		t.Errorf("%+v", sum)
	}
	page, err := os.ReadFile(filepath.Join(dir, "mutants.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| servers | one-mutant | it | killed | LD-201-01 | LD-201-02 |", "| LD-201-01 | MUST | 1 | one-mutant | 0 |", "| LD-LIM-KEY | MUST | not judged |"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("mutants.md lacks %q", want)
		}
	}
}
