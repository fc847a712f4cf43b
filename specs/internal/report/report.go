// Package report writes what a run found: for a person in a terminal, for programs as JSON and JUnit.
package report

import (
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/harness"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/verdict"
)

// SchemaVersion is the version of report.json's form. It changes when a reader of the former would misread the latter.
const SchemaVersion = 1

// Report is the content of report.json (fixtures/schema/report.schema.json).
type Report struct {
	Schema       int               `json:"schema"`
	Suite        Suite             `json:"suite"`
	Target       Target            `json:"target"`
	Run          Run               `json:"run"`
	Verdict      verdict.Overall   `json:"verdict"`
	LevelGranted string            `json:"level_granted"`
	Levels       map[string]string `json:"levels"`
	Policy       Policy            `json:"policy"`
	Summary      Summary           `json:"summary"`
	Problems     []string          `json:"problems"` // stale waivers and faults of the suite itself
	Rows         []Row             `json:"rows"`
	Limits       []harness.Limit   `json:"limits"`
	Exchanges    []target.Shown    `json:"exchanges"`
}

// Suite is the program that wrote the report.
type Suite struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Commit  string `json:"commit"` // "unknown" where the build didn't say
}

// Target is what was tested.
type Target struct {
	Name          string            `json:"name"`
	BaseURLs      map[string]string `json:"base_urls"`
	ProfileSHA256 string            `json:"profile_sha256"`
}

// Run is when and how.
type Run struct {
	ID       string    `json:"id"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Level    string    `json:"level"`
	Seed     uint64    `json:"seed"`
	Selected bool      `json:"selected"` // by --only or --skip: no level is granted
	Strict   bool      `json:"strict"`
	Requests int64     `json:"requests"`
	Exit     int       `json:"exit"`
}

// Policy is how what the documents leave open was read.
type Policy struct {
	Peak string `json:"peak"` // strict or capacity
}

// Summary counts rows by verdict.
type Summary struct {
	Pass        int `json:"pass"`
	Fail        int `json:"fail"`
	Warn        int `json:"warn"`
	Observed    int `json:"observed"`
	NotAssessed int `json:"not_assessed"`
}

// Row is one requirement and its verdict.
type Row struct {
	ID         string          `json:"id"`
	API        string          `json:"api"`
	Level      string          `json:"level"`
	Tier       string          `json:"tier"`
	Section    string          `json:"section"`
	Title      string          `json:"title"`
	Source     string          `json:"source"` // the letters, then the place: "S: Errors & Idempotency, Status Codes"
	Verdict    verdict.Verdict `json:"verdict"`
	Reason     string          `json:"reason"`
	Waived     string          `json:"waived,omitempty"`
	Notes      []string        `json:"notes"`
	Figures    []string        `json:"figures,omitempty"` // what an experiment measured, and what it could not have seen
	Expected   string          `json:"expected"`
	Actual     string          `json:"actual"`
	DurationMS float64         `json:"duration_ms"`
	Exchanges  []int           `json:"exchanges"`
	Reproduce  string          `json:"reproduce"`

	outside bool   // no part of what was asked for, whatever the level
	counts  bool   // at or below the asked level, and selected
	culprit int    // the exchange that Reproduce sends again; 0 if there is none
	message string // the failure in full, for a terminal
}

// Fill sets what follows from a judgement: verdicts, levels, counts, rows and their exchanges, numbered from 1.
func (r *Report) Fill(j verdict.Judgement) {
	r.Schema, r.Verdict, r.LevelGranted, r.Levels = SchemaVersion, j.Overall, j.Granted, j.Levels
	r.Run.Exit, r.Problems = j.Exit, orEmpty(j.Problems)
	r.Rows, r.Exchanges, r.Limits = []Row{}, []target.Shown{}, orEmpty(r.Limits)
	for _, judged := range j.Rows {
		row := newRow(judged)
		for i, x := range judged.Exchanges {
			x.N = len(r.Exchanges) + 1
			r.Exchanges = append(r.Exchanges, x)
			row.Exchanges = append(row.Exchanges, x.N)
			if i == judged.Culprit || (judged.Culprit < 0 && i == len(judged.Exchanges)-1) {
				row.Reproduce, row.culprit = x.Curl, x.N
			}
		}
		r.Rows = append(r.Rows, row)
		r.Summary.count(row.Verdict)
	}
}

func newRow(j verdict.Row) Row {
	return Row{
		ID: j.Row.ID, API: j.API, Level: string(j.Level), Tier: string(j.Tier), Section: j.Section, Title: j.Title,
		Source: Source(j.Row), Verdict: j.Verdict, Reason: j.Reason, Waived: j.Waived, Notes: orEmpty(j.Notes), Figures: j.Figures,
		Expected: j.Expected, Actual: j.Actual, DurationMS: j.DurationMS, Exchanges: []int{},
		outside: j.Outside, counts: j.Counts, message: j.Message,
	}
}

// Source says where a row comes from: the letters, then the place.
func Source(row catalogue.Row) string {
	letters := ""
	for i, s := range row.Source {
		if i > 0 {
			letters += ","
		}
		letters += s
	}
	return letters + ": " + row.Cites
}

// Summarise counts rows by verdict.
func Summarise(rows []Row) Summary {
	var s Summary
	for _, row := range rows {
		s.count(row.Verdict)
	}
	return s
}

func (s *Summary) count(v verdict.Verdict) {
	switch v {
	case verdict.Pass:
		s.Pass++
	case verdict.Fail:
		s.Fail++
	case verdict.Warn:
		s.Warn++
	case verdict.Observed:
		s.Observed++
	case verdict.NotAssessed:
		s.NotAssessed++
	}
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
