// Package matrix proves that the suite can fail, and that it doesn't fail without reason: subjects that are wrong on
// purpose have to fail the rows that name their fault, subjects that take a freedom which the contract leaves have to
// pass, and on those that implement nothing no row may pass.
//
// What came of trying subjects comes in parts, each the result of one program (Part). Judge puts them together.
package matrix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/spec"
)

// The parts, each of which exercises rows of its own.
const (
	Servers  = "servers"  // reference/mutant and the null targets: the rows of tiers core and full
	Limiters = "limiters" // load/harness in virtual time: the rows of tier limits
	Clients  = "clients"  // fixtures/clients/integrator in virtual time: the rows CL-*
)

// Parts lists the parts.
var Parts = []string{Servers, Limiters, Clients}

// Kind says what is expected of a subject.
type Kind string

// The kinds of subject.
const (
	Wrong      Kind = "wrong"      // breaks the contract in one thing: the rows in Kills have to fail
	Conforming Kind = "conforming" // takes a freedom that the contract leaves: every row has to pass
	Null       Kind = "null"       // implements nothing: no row may pass
)

// Part is what came of trying the subjects of one kind of program. It is a file's content too, in JSON:
//
//	{ "schema": 1,
//	  "part": "limiters",                      one of Parts; it decides which rows may stand in it
//	  "subjects": [
//	    { "id": "no burst",                    unique within the part
//	      "title": "…",                        what it does, in one line
//	      "kind": "wrong",                     wrong, conforming or null
//	      "api": "distro",                     what it is about: distro, insertion or client; left out: both servers' APIs
//	      "kills": ["LD-LIM-INGEST-BURST"],    wrong: the rows that have to fail on it
//	      "open": ["LD-LIM-LOOKUP-WINDOW"],    wrong: rows that can't be assessed on it, because of its very fault
//	      "excused": {"IN-401-08": "…"},       null: rows that may pass on it, each with the reason
//	      "runs": 1,                           how often it was tried; a row's result is the worst of them
//	      "results": {"LD-LIM-INGEST-BURST": "failed"},   every row that was run: passed, failed, not-assessed or broken
//	      "reasons": {"LD-LIM-INGEST-BURST": "…"},        why a row didn't pass, in one line
//	      "fault": "…" } ] }                   why the subject could not be tried at all; then nothing is said by results
//
// Rows of level OBS stand in it as passed. A member of another name is an error.
type Part struct {
	Schema   int       `json:"schema"`
	Part     string    `json:"part"`
	Subjects []Subject `json:"subjects"`
}

// Subject is a server, a limiter or a client that was tried, and what came of it.
type Subject struct {
	ID      string                 `json:"id"`
	Title   string                 `json:"title"`
	Kind    Kind                   `json:"kind"`
	API     string                 `json:"api,omitempty"`
	Kills   []string               `json:"kills,omitempty"`
	Open    []string               `json:"open,omitempty"`
	Excused map[string]string      `json:"excused,omitempty"`
	Runs    int                    `json:"runs,omitempty"`
	Results map[string]spec.Result `json:"results,omitempty"`
	Reasons map[string]string      `json:"reasons,omitempty"`
	Fault   string                 `json:"fault,omitempty"`
}

// schema is the version of a part's format.
const schema = 1

// PartOf names the part that exercises a row.
func PartOf(row catalogue.Row) string {
	switch {
	case row.API == catalogue.Client:
		return Clients
	case row.Tier == catalogue.Limits:
		return Limiters
	}
	return Servers
}

// Add adds what came of one run of the subject. If it was run before, the worse result of each row stays.
func (s *Subject) Add(outcomes map[string]spec.Outcome) {
	if s.Results == nil {
		s.Results, s.Reasons = map[string]spec.Result{}, map[string]string{}
	}
	s.Runs++
	for id, o := range outcomes {
		before, known := s.Results[id]
		if known && !s.worse(o.Result, before) {
			continue
		}
		s.Results[id] = o.Result
		if o.Result != spec.Passed {
			s.Reasons[id] = brief(o.Reason)
		}
	}
}

// brief is the beginning of a text, on one line.
func brief(text string) string {
	const most = 200
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// worse reports whether a result is worse than another for what is expected of the subject.
func (s *Subject) worse(a, b spec.Result) bool {
	order := []spec.Result{spec.Broken, spec.Failed, spec.NotAssessed, spec.Passed}
	if s.Kind != Conforming {
		order = []spec.Result{spec.Broken, spec.Passed, spec.NotAssessed, spec.Failed}
	}
	return slices.Index(order, a) < slices.Index(order, b)
}

// NewPart returns a part of that name.
func NewPart(name string, subjects ...Subject) Part {
	return Part{Schema: schema, Part: name, Subjects: subjects}
}

// Write writes the part as JSON.
func (p Part) Write(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(p)
}

// ReadFile reads the part of that name from a file. An error names the file and what is wrong with it.
func ReadFile(file, name string) (Part, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Part{}, err
	}
	p, err := Read(text)
	if err == nil && p.Part != name {
		err = fmt.Errorf("it is the part %q, not %q", p.Part, name)
	}
	if err != nil {
		return Part{}, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// Read reads a part and checks it against the catalogue.
func Read(text []byte) (Part, error) {
	var p Part
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		return Part{}, fmt.Errorf("it is no part of a matrix: %w", err)
	}
	return p, p.check()
}

// check reports all that is wrong with a part.
func (p Part) check() error {
	if p.Schema != schema || !slices.Contains(Parts, p.Part) {
		return fmt.Errorf("schema %d, part %q: want schema %d and one of %q", p.Schema, p.Part, schema, Parts)
	}
	if len(p.Subjects) == 0 {
		return errors.New("it has no subjects")
	}
	var errs []error
	seen := map[string]bool{}
	for _, s := range p.Subjects {
		if seen[s.ID] || s.ID == "" {
			errs = append(errs, fmt.Errorf("subject %q stands twice, or has no id", s.ID))
		}
		seen[s.ID] = true
		for _, fault := range s.faults(p.Part) {
			errs = append(errs, fmt.Errorf("subject %q: %s", s.ID, fault))
		}
	}
	return errors.Join(errs...)
}

// faults are what can't be true of a subject of that part.
func (s Subject) faults(part string) []string {
	var faults []string
	switch s.Kind {
	case Wrong:
		if len(s.Kills) == 0 {
			faults = append(faults, "it is wrong and names no row that has to fail")
		}
	case Conforming, Null:
		if len(s.Kills)+len(s.Open) > 0 {
			faults = append(faults, fmt.Sprintf("it is %s and names rows that must not pass", s.Kind))
		}
	default:
		faults = append(faults, fmt.Sprintf("it is of kind %q, want wrong, conforming or null", s.Kind))
	}
	if !slices.Contains([]string{"", catalogue.Distro, catalogue.Insertion, catalogue.Client}, s.API) {
		faults = append(faults, fmt.Sprintf("there is no API %q", s.API))
	}
	named := slices.Concat(s.Kills, s.Open, slices.Collect(maps.Keys(s.Results)), slices.Collect(maps.Keys(s.Excused)))
	slices.Sort(named)
	for _, id := range slices.Compact(named) {
		if row, known := catalogue.Lookup(id); !known {
			faults = append(faults, fmt.Sprintf("the catalogue has no row %s", id))
		} else if PartOf(row) != part {
			faults = append(faults, fmt.Sprintf("%s is no row of the %s", id, part))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.Results)) {
		switch s.Results[id] {
		case spec.Passed, spec.Failed, spec.NotAssessed, spec.Broken:
		default:
			faults = append(faults, fmt.Sprintf("%s: there is no result %q", id, s.Results[id]))
		}
	}
	if s.Fault == "" && len(s.Results) == 0 {
		faults = append(faults, "no row was run, and no fault says why")
	}
	return faults
}
