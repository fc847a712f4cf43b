package certificate

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/spec"
	"leadconform/specs/internal/verdict"
)

// acme is what the samples certify.
var acme = Implementation{Name: "Acme Leads", Version: "2.3"}

// run is what a sample's run was like.
type run struct {
	apis    []string // nil: both
	level   catalogue.Tier
	results map[string]spec.Result // of the rows that didn't pass
	waivers []target.Waiver
	lost    bool
	only    func(id string) bool
	must    string // a SHOULD row that failed in what its text calls MUST
}

// sample returns a report, as a run writes it, and the public form of the profile that it was made with.
func (s run) sample(t *testing.T) (r *report.Report, profile []byte) {
	t.Helper()
	p := target.Reference("https://staging.example", "")
	profile, err := p.Public()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := p.PublicDigest()
	if err != nil {
		t.Fatal(err)
	}
	if s.apis == nil {
		s.apis = []string{catalogue.Distro, catalogue.Insertion}
	}
	if s.level == "" {
		s.level = catalogue.Full
	}
	started := time.Date(2026, 5, 6, 7, 8, 9, 123456000, time.UTC)
	r = &report.Report{
		Suite:  report.Suite{Name: "leadconform", Version: "0.1.0", Commit: "0123456789abcdef0123456789abcdef01234567"},
		Target: report.Target{Name: p.Name, BaseURLs: map[string]string{}, ProfileSHA256: digest},
		Run:    report.Run{ID: "rabc", Started: started, Finished: started.Add(time.Minute), Level: string(s.level), Seed: 1<<63 + 1, Requests: 4000, Selected: s.only != nil},
		Policy: report.Policy{Peak: "strict"},
	}
	for _, api := range s.apis {
		r.Target.BaseURLs[api] = "https://staging.example"
	}
	outcomes := map[string]spec.Outcome{}
	for _, row := range catalogue.Rows() {
		outcomes[row.ID] = s.outcome(row)
	}
	r.Fill(verdict.Judge(catalogue.Rows(), outcomes, verdict.Asked{APIs: s.apis, Level: s.level, Waivers: s.waivers, Selected: s.only, Now: started}))
	return r, profile
}

func (s run) outcome(row catalogue.Row) spec.Outcome {
	o := spec.Outcome{Row: row.ID, Result: spec.Passed, Culprit: -1, DurationMS: 12.5, Notes: []string{"a note"}}
	if row.Tier == catalogue.Limits {
		o.Figures = []string{"R̂: 100.2, accepted 96 to 104"}
	} else {
		for _, status := range []int{422, 201} {
			o.Exchanges = append(o.Exchanges, target.Shown{
				Row: row.ID, At: time.Date(2026, 5, 6, 7, 8, 10, 0, time.UTC),
				Request:  target.ShownRequest{Method: "POST", URL: "https://staging.example/x", Headers: http.Header{"X": {"<&>"}}},
				Response: &target.ShownResponse{Status: status, Proto: "HTTP/1.1", Body: "\ufffd\u2028</script>"}, Curl: "curl",
			})
		}
	}
	if result, ok := s.results[row.ID]; ok {
		o.Result, o.Reason, o.Lost = result, "because", s.lost
		if result == spec.Failed {
			o.Must = s.must == row.ID
			o.Expected, o.Actual = "this", "that"
		}
	}
	return o
}

func textOf(t *testing.T, r *report.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func newKey(t *testing.T) PrivateKey {
	t.Helper()
	prefix := filepath.Join(t.TempDir(), "k")
	if _, err := Generate(prefix); err != nil {
		t.Fatal(err)
	}
	key, err := ReadPrivateKey(prefix + ".key")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issued is a certificate with all that it takes to check it.
type issued struct {
	certificate, report []byte
	profile             []byte
	key                 PrivateKey
}

func issue(t *testing.T, s run) issued {
	t.Helper()
	r, profile := s.sample(t)
	i := issued{report: textOf(t, r), profile: profile, key: newKey(t)}
	var err error
	if i.certificate, err = Issue(t.Context(), i.report, profile, acme, i.key); err != nil {
		t.Fatal(err)
	}
	return i
}

// forge signs what doesn't follow from the report: what somebody with a key of their own can do.
func (i issued) forge(t *testing.T, text []byte, change func(statement map[string]any)) []byte {
	t.Helper()
	var r report.Report
	if err := json.Unmarshal(text, &r); err != nil { // report.Read would refuse some of what is forged
		t.Fatal(err)
	}
	payload, err := evidence{&r, text, i.profile, acme, i.key.Public()}.statement()
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		var statement map[string]any
		if err := json.Unmarshal(payload, &statement); err != nil {
			t.Fatal(err)
		}
		change(statement)
		if payload, err = json.Marshal(statement); err != nil {
			t.Fatal(err)
		}
	}
	return i.sign(t, payload)
}

func (i issued) sign(t *testing.T, payload []byte) []byte {
	t.Helper()
	text, err := seal(context.Background(), payload, i.key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// edit changes a report as its writer would have it.
func (i issued) edit(t *testing.T, change func(*report.Report)) []byte {
	t.Helper()
	r, err := report.Read(i.report)
	if err != nil {
		t.Fatal(err)
	}
	change(r)
	return textOf(t, r)
}

func rowOf(r *report.Report, id string) *report.Row {
	return &r.Rows[slices.IndexFunc(r.Rows, func(row report.Row) bool { return row.ID == id })]
}
