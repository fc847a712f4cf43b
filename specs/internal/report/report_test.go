package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"leadconform/fixtures"
	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/spec"
	"leadconform/specs/internal/verdict"
)

// hostile is text that a target might send to harm whoever reads a report.
const hostile = "</script><script>alert(1)</script>\x1b[2J\x00]]>&\u2028"

// sample is a report with a row of every verdict, one of them waived.
func sample(t *testing.T, strict bool) *report.Report { return sampleOf(t, strict, nil) }

// selected is the same of a run in which only some rows were picked.
func selected(t *testing.T, ids ...string) *report.Report {
	return sampleOf(t, false, func(id string) bool { return slices.Contains(ids, id) })
}

func sampleOf(t *testing.T, strict bool, picked func(id string) bool) *report.Report {
	t.Helper()
	exchange := func(row string) target.Shown {
		return target.Shown{Row: row, At: time.Unix(0, 0).UTC(), Request: target.ShownRequest{Method: "POST", URL: "http://t.example/x", Headers: http.Header{}},
			Response: &target.ShownResponse{Status: 400, Proto: "HTTP/1.1", Headers: http.Header{"X": {hostile}, "Content-Type": {"text/plain"}}, Body: hostile}, Curl: "curl " + row}
	}
	outcome := func(row string, result spec.Result) spec.Outcome {
		o := spec.Outcome{Row: row, Result: result, Culprit: -1, Exchanges: []target.Shown{exchange(row), exchange(row)}, DurationMS: 1.5}
		if result != spec.Passed {
			o.Reason, o.Message, o.Culprit = "because of "+hostile, "the failure of "+row+" in full\n", 0
		}
		return o
	}
	outcomes := map[string]spec.Outcome{
		"LD-ENV-01": outcome("LD-ENV-01", spec.Passed), "LD-ENV-02": outcome("LD-ENV-02", spec.Failed),
		"LD-ENV-03": outcome("LD-ENV-03", spec.Failed), "LD-201-01": outcome("LD-201-01", spec.NotAssessed),
		"LD-201-02": outcome("LD-201-02", spec.Failed), "IN-IDEM-13": outcome("IN-IDEM-13", spec.Passed),
	}
	r := &report.Report{
		Suite:  report.Suite{Name: "leadconform", Version: "0", Commit: "c"},
		Target: report.Target{Name: "t", BaseURLs: map[string]string{"distro": "http://t.example"}, ProfileSHA256: strings.Repeat("0", 64)},
		Run:    report.Run{ID: "r1", Started: time.Unix(0, 0).UTC(), Finished: time.Unix(2, 0).UTC(), Level: "core", Strict: strict, Selected: picked != nil},
		Policy: report.Policy{Peak: "strict"},
	}
	r.Fill(verdict.Judge(catalogue.Rows(), outcomes, verdict.Asked{
		APIs: []string{"distro", "insertion"}, Level: catalogue.Core, Strict: strict, Now: time.Unix(0, 0), Selected: picked,
		Waivers: []target.Waiver{{ID: "LD-201-02", Reason: "known", Expires: "2030-01-01"}},
	}))
	return r
}

func TestReportHoldsAgainstItsSchema(t *testing.T) {
	text, err := fixtures.FS.ReadFile("schema/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("report.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	read := func(r *report.Report) any {
		var b bytes.Buffer
		if err := r.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(&b)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	if err := schema.Validate(read(sample(t, false))); err != nil {
		t.Errorf("the report doesn't hold against its schema: %v", err)
	}
	for name, spoil := range map[string]func(r *report.Report){
		"a pass without an exchange":  func(r *report.Report) { r.Rows[0].Exchanges = []int{} },
		"a failure without a reason":  func(r *report.Report) { r.Rows[1].Reason = "" },
		"a MUST row that warns":       func(r *report.Report) { r.Rows[0].Verdict = verdict.Warn },
		"a SHOULD row that fails":     func(r *report.Report) { r.Rows[2].Verdict = verdict.Fail },
		"another schema's version":    func(r *report.Report) { r.Schema = 2 },
		"no rows":                     func(r *report.Report) { r.Rows = []report.Row{} },
		"an unknown verdict of a run": func(r *report.Report) { r.Verdict = "fine" },
	} {
		t.Run(name, func(t *testing.T) {
			r := sample(t, false)
			spoil(r)
			if schema.Validate(read(r)) == nil {
				t.Error("the schema accepts it")
			}
		})
	}
}

func TestExchangesAreNumberedAndBelongToTheirRows(t *testing.T) {
	r := sample(t, false)
	for _, row := range r.Rows {
		for _, n := range row.Exchanges {
			if x := r.Exchanges[n-1]; x.N != n || x.Row != row.ID {
				t.Errorf("%s names exchange %d, which is number %d of %s", row.ID, n, x.N, x.Row)
			}
		}
	}
	if r.Rows[1].Reproduce != "curl LD-ENV-02" {
		t.Errorf("reproduce is %q", r.Rows[1].Reproduce)
	}
	if len(r.Exchanges) != 12 {
		t.Errorf("%d exchanges, want 12", len(r.Exchanges))
	}
}

// junit is what a CI system reads of JUnit's XML.
type junit struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Skipped  int `xml:"skipped,attr"`
	Suites   []struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func TestJUnit(t *testing.T) {
	for _, strict := range []bool{false, true} {
		r := sample(t, strict)
		var b bytes.Buffer
		if err := r.WriteJUnit(&b); err != nil {
			t.Fatal(err)
		}
		var read junit
		if err := xml.Unmarshal(b.Bytes(), &read); err != nil {
			t.Fatalf("it can't be read back: %v", err)
		}
		kinds, tests, failures, skipped := map[string]string{}, 0, 0, 0
		for _, s := range read.Suites {
			tests, failures, skipped = tests+s.Tests, failures+s.Failures, skipped+s.Skipped
			for _, c := range s.Cases {
				id, _, _ := strings.Cut(c.Name, " ")
				kinds[id] = "pass"
				if c.Failure != nil {
					kinds[id] = "failure"
				}
				if c.Skipped != nil {
					kinds[id] = "skipped: " + c.Skipped.Message
				}
			}
		}
		if tests != len(r.Rows) || read.Tests != tests || read.Failures != failures || read.Skipped != skipped {
			t.Errorf("counts don't add up: %d tests, %d failures, %d skipped", tests, failures, skipped)
		}
		warning := "skipped: warning"
		if strict {
			warning = "failure"
		}
		for id, want := range map[string]string{
			"LD-ENV-01": "pass", "LD-ENV-02": "failure", "LD-ENV-03": warning, "LD-201-01": "skipped: not assessed",
			"LD-201-02": "skipped: waived failure (known)", "IN-IDEM-13": "pass", "LD-500-01": "skipped: not assessed: above",
		} {
			if !strings.HasPrefix(kinds[id], want) {
				t.Errorf("strict %t: %s is %q, want %q", strict, id, kinds[id], want)
			}
		}
	}
}

func TestTerminalExplains(t *testing.T) {
	var b bytes.Buffer
	report.Terminal{W: &b}.Write(sample(t, false))
	for _, want := range []string{"Lead Distro API", "Insertion API", "Failed: 1", "the failure of LD-ENV-02 in full", "Failed, but waived: 1",
		"Warnings (SHOULD): 1", "of tier limits, above the asked level core", "NON-CONFORMANT at level core", "level granted: none"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the text doesn't say %q", want)
		}
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Error("there is an escape sequence in a text without colour")
	}
}

func TestTerminalSaysAnIdenticalNoteOnce(t *testing.T) {
	r := sample(t, false)
	r.Rows[0].Notes, r.Rows[2].Notes = []string{"of both"}, []string{"of both", "of one"}
	var b bytes.Buffer
	report.Terminal{W: &b}.Write(r)
	for _, want := range []string{"  of both\n      LD-ENV-01 LD-ENV-03\n", "  LD-ENV-03    of one\n"} {
		if strings.Count(b.String(), want) != 1 {
			t.Errorf("the text doesn't say once %q:\n%s", want, b.String())
		}
	}
}

func TestFilesAreWholeAndInPlace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := sample(t, false).WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(text) || bytes.Contains(text, []byte("</script>")) {
		t.Error("report.json is no JSON, or can't stand in a page")
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	hidden, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if len(names) != 3 || len(hidden) != 0 {
		t.Errorf("files: %v %v", names, hidden)
	}
	if err := sample(t, false).WriteFiles(filepath.Join(dir, "report.json")); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("a folder that can't be made: %v", err)
	}
}
