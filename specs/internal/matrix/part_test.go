package matrix_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadconform/specs/internal/matrix"
	"leadconform/specs/internal/spec"
)

func TestAPartIsReadAsItWasWritten(t *testing.T) {
	var text bytes.Buffer
	if err := matrix.NewPart(matrix.Servers, wrong("m", nil, "LD-201-01"), conforming(nil), null(nil)).Write(&text); err != nil {
		t.Fatal(err)
	}
	part, err := matrix.Read(text.Bytes())
	if err != nil || len(part.Subjects) != 3 || part.Subjects[0].Results["LD-201-01"] != spec.Passed {
		t.Errorf("%v: %+v", err, part)
	}
}

func TestAPartThatIsWrongIsRefused(t *testing.T) {
	subject := func(members string) string {
		return `{"schema": 1, "part": "limiters", "subjects": [{"id": "l", "title": "t", "runs": 1, ` + members + `}]}`
	}
	for text, want := range map[string]string{
		`{}`:           `schema 0, part ""`,
		`no`:           "it is no part of a matrix",
		`{"rows": []}`: `unknown field "rows"`,
		`{"schema": 2, "part": "limiters", "subjects": []}`:                                                                                            "schema 2",
		`{"schema": 1, "part": "servants", "subjects": []}`:                                                                                            `part "servants"`,
		`{"schema": 1, "part": "limiters", "subjects": []}`:                                                                                            "no subjects",
		subject(`"kind": "wrong", "kills": ["LD-LIM-KEYRING"], "results": {"LD-LIM-KEY": "failed"}`):                                                   `subject "l": the catalogue has no row LD-LIM-KEYRING`,
		subject(`"kind": "wrong", "kills": ["LD-LIM-KEY"], "results": {"LD-LIM-KEYRING": "failed"}`):                                                   "the catalogue has no row LD-LIM-KEYRING",
		subject(`"kind": "wrong", "kills": ["LD-LIM-KEY"], "results": {"LD-201-01": "failed"}`):                                                        "LD-201-01 is no row of the limiters",
		subject(`"kind": "wrong", "kills": ["LD-LIM-KEY"], "results": {"LD-LIM-KEY": "fail"}`):                                                         `LD-LIM-KEY: there is no result "fail"`,
		subject(`"kind": "wrong", "kills": ["LD-LIM-KEY"]`):                                                                                            "no row was run",
		subject(`"kind": "wrong", "results": {"LD-LIM-KEY": "failed"}`):                                                                                "names no row that has to fail",
		subject(`"kind": "right", "results": {"LD-LIM-KEY": "failed"}`):                                                                                `kind "right"`,
		subject(`"kind": "null", "kills": ["LD-LIM-KEY"], "results": {"LD-LIM-KEY": "failed"}`):                                                        "it is null and names rows",
		subject(`"kind": "null", "api": "crm", "results": {"LD-LIM-KEY": "failed"}`):                                                                   `no API "crm"`,
		subject(`"kind": "null", "results": {"LD-LIM-KEY": "failed"}}, {"id": "l", "title": "t", "kind": "null", "results": {"LD-LIM-KEY": "failed"}`): `subject "l" stands twice`,
	} {
		if _, err := matrix.Read([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n\tgot %v, want %q", text, err, want)
		}
	}
}

func TestAPartInThePlaceOfAnother(t *testing.T) {
	file := filepath.Join(t.TempDir(), "limiters.json")
	if err := os.WriteFile(file, []byte(`{"schema": 1, "part": "clients", "subjects": [{"id": "c", "title": "t", "kind": "null", "results": {"CL-LD-01": "not-assessed"}}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := matrix.ReadFile(file, matrix.Limiters); err == nil || !strings.Contains(err.Error(), `limiters.json: it is the part "clients", not "limiters"`) {
		t.Errorf("got %v", err)
	}
	if _, err := matrix.ReadFile(file, matrix.Clients); err != nil {
		t.Error(err)
	}
}

// Of several runs the one counts that is worst for what is expected.
func TestTheWorstOfSeveralRunsCounts(t *testing.T) {
	for _, c := range []struct {
		kind        matrix.Kind
		first, then spec.Result
		want        spec.Result
	}{
		{matrix.Conforming, spec.Passed, spec.Failed, spec.Failed},
		{matrix.Conforming, spec.Failed, spec.Passed, spec.Failed},
		{matrix.Conforming, spec.NotAssessed, spec.Passed, spec.NotAssessed},
		{matrix.Wrong, spec.Failed, spec.Passed, spec.Passed},
		{matrix.Null, spec.Failed, spec.Passed, spec.Passed},
		{matrix.Wrong, spec.Failed, spec.Broken, spec.Broken},
	} {
		s := matrix.Subject{Kind: c.kind}
		for _, result := range []spec.Result{c.first, c.then} {
			s.Add(map[string]spec.Outcome{"LD-201-01": {Result: result, Reason: strings.Repeat("reason ", 100)}})
		}
		if got := s.Results["LD-201-01"]; got != c.want || s.Runs != 2 || len(s.Reasons["LD-201-01"]) > 210 {
			t.Errorf("%s, %s and %s: %s after %d runs, want %s; %d bytes of reason", c.kind, c.first, c.then, got, s.Runs, c.want, len(s.Reasons["LD-201-01"]))
		}
	}
}
