package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/verdict"
)

// The parts of JUnit's XML that common CI systems read. A row is a test case, a section a suite.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name      string        `xml:"name,attr"`
	ClassName string        `xml:"classname,attr"`
	Time      string        `xml:"time,attr"`
	Failure   *junitFailure `xml:"failure,omitempty"`
	Skipped   *junitSkipped `xml:"skipped,omitempty"`
	SystemOut string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

// WriteJUnit writes the report as JUnit XML. A failure is a <failure>; a row that was not assessed, a warning and a
// waived failure are <skipped> with the reason, since none of them is a pass.
func (r *Report) WriteJUnit(w io.Writer) error {
	all := junitSuites{Name: r.Suite.Name + " " + r.Target.Name, Time: seconds(float64(r.Run.Finished.Sub(r.Run.Started).Milliseconds()))}
	for _, section := range r.sections() {
		suite := junitSuite{Name: section.name(), Timestamp: r.Run.Started.UTC().Format("2006-01-02T15:04:05"), Properties: r.junitProperties()}
		total := 0.0
		for _, row := range section.rows {
			c := r.junitCase(row)
			suite.Cases = append(suite.Cases, c)
			suite.Tests++
			total += row.DurationMS
			if c.Failure != nil {
				suite.Failures++
			}
			if c.Skipped != nil {
				suite.Skipped++
			}
		}
		suite.Time = seconds(total)
		all.Tests, all.Failures, all.Skipped = all.Tests+suite.Tests, all.Failures+suite.Failures, all.Skipped+suite.Skipped
		all.Suites = append(all.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// junitProperties say what was tested, by what.
func (r *Report) junitProperties() []junitProperty {
	properties := []junitProperty{
		{"target", r.Target.Name}, {"suite", r.Suite.Version + " (" + r.Suite.Commit + ")"}, {"run", r.Run.ID},
		{"level", r.Run.Level}, {"seed", strconv.FormatUint(r.Run.Seed, 10)}, {"peak", r.Policy.Peak},
	}
	for _, api := range slices.Sorted(maps.Keys(r.Target.BaseURLs)) {
		properties = append(properties, junitProperty{"base_url." + api, r.Target.BaseURLs[api]})
	}
	return properties
}

// junitCase puts a row under API and section, as CI systems show packages and classes. The message is what they show in a
// line, the text what they show when it is opened.
func (r *Report) junitCase(row Row) junitCase {
	c := junitCase{Name: row.ID + " " + row.Title, ClassName: row.API + "." + row.Section, Time: seconds(row.DurationMS),
		SystemOut: target.Printable(strings.Join(slices.Concat(row.Notes, row.Figures), "\n"))}
	reason := plainLine(row.Reason)
	switch {
	case row.Waived != "":
		c.Skipped = &junitSkipped{Message: "waived failure (" + plainLine(row.Waived) + "): " + reason}
	case row.Verdict == verdict.Fail, row.Verdict == verdict.Warn && r.Run.Strict:
		c.Failure = &junitFailure{Message: reason, Type: row.Level, Text: target.Printable(row.message)}
	case row.Verdict == verdict.Warn:
		c.Skipped = &junitSkipped{Message: "warning: " + reason}
	case row.Verdict == verdict.NotAssessed:
		c.Skipped = &junitSkipped{Message: "not assessed: " + reason}
	}
	return c
}

func seconds(ms float64) string { return fmt.Sprintf("%.3f", ms/1000) }

// section is a run of rows that belong together.
type section struct {
	api, title string
	rows       []Row
}

func (s section) name() string { return s.api + ": " + s.title }

// sections groups the rows in their order.
func (r *Report) sections() []section {
	var all []section
	for _, row := range r.Rows {
		if n := len(all); n == 0 || all[n-1].api != row.API || all[n-1].title != row.Section {
			all = append(all, section{api: row.API, title: row.Section})
		}
		last := &all[len(all)-1]
		last.rows = append(last.rows, row)
	}
	return all
}
