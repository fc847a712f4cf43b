package report_test

import (
	"bytes"
	"encoding/xml"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"leadconform/specs/internal/report"
	"leadconform/specs/internal/verdict"
)

// document is what CI systems read of JUnit's XML, each its part: GitLab and GitHub's reporters names, classes, times and
// failures; Jenkins and Azure Pipelines suites with time stamp and properties.
type document struct {
	XMLName xml.Name `xml:"testsuites"`
	Suites  []struct {
		Name       string     `xml:"name,attr"`
		Time       string     `xml:"time,attr"`
		Timestamp  string     `xml:"timestamp,attr"`
		Properties []property `xml:"properties>property"`
		Cases      []struct {
			Name    string `xml:"name,attr"`
			Class   string `xml:"classname,attr"`
			Time    string `xml:"time,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
				Type    string `xml:"type,attr"`
				Text    string `xml:",chardata"`
			} `xml:"failure"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
			Out string `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

func junitOf(t *testing.T, r *report.Report) (document, string) {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	var d document
	if err := xml.Unmarshal(b.Bytes(), &d); err != nil {
		t.Fatalf("it can't be read back: %v", err)
	}
	return d, b.String()
}

func TestJUnitHasWhatCISystemsRender(t *testing.T) {
	d, text := junitOf(t, sample(t, false))
	seconds, moment := regexp.MustCompile(`^\d+\.\d{3}$`), regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`)
	seen := map[string]bool{}
	failures := 0
	for _, s := range d.Suites {
		if s.Name == "" || !seconds.MatchString(s.Time) || !moment.MatchString(s.Timestamp) {
			t.Errorf("suite %q: time %q, time stamp %q", s.Name, s.Time, s.Timestamp)
		}
		if !slices.Contains(s.Properties, property{"base_url.distro", "http://t.example"}) {
			t.Errorf("suite %q: properties %v", s.Name, s.Properties)
		}
		for _, c := range s.Cases {
			if c.Name == "" || c.Class == "" || !seconds.MatchString(c.Time) || seen[c.Class+c.Name] {
				t.Errorf("case %q of class %q: time %q; or it stands twice", c.Name, c.Class, c.Time)
			}
			seen[c.Class+c.Name] = true
			if c.Failure == nil {
				continue
			}
			failures++
			if c.Class != "distro.Envelope" || c.Failure.Type != "MUST" || !strings.HasPrefix(c.Failure.Message, "because of") || !strings.Contains(c.Failure.Text, "in full") {
				t.Errorf("%s, %s: failure %+v", c.Class, c.Name, c.Failure)
			}
		}
	}
	if failures != 1 {
		t.Errorf("%d failures", failures)
	}
	if strings.Index(text, "<properties>") > strings.Index(text, "<testcase") {
		t.Error("the properties stand after the cases")
	}
}

func TestJUnitIsSafeAgainstHostileText(t *testing.T) {
	r := sample(t, false)
	evil := hostile + "\xff\n]]></failure></testcase>\u202e" + strings.Repeat("long ", 1<<20)
	for i := range r.Rows {
		r.Rows[i].Notes = []string{hostile + "\u202e"}
		if r.Rows[i].Verdict != verdict.Pass && r.Rows[i].Verdict != verdict.Observed {
			r.Rows[i].Reason = evil
		}
	}
	r.Target.Name = hostile
	d, text := junitOf(t, r)
	if !utf8.ValidString(text) || len(text) > 1<<20 {
		t.Errorf("valid UTF-8: %v, %d bytes", utf8.ValidString(text), len(text))
	}
	if i := strings.IndexFunc(text, func(c rune) bool { return c != '\n' && unicode.In(c, unicode.Cc, unicode.Cf) }); i >= 0 {
		t.Errorf("there is a control character: %q", text[i:min(len(text), i+10)])
	}
	cases := 0
	for _, s := range d.Suites {
		for _, c := range s.Cases {
			cases++
			if c.Failure != nil && strings.Contains(c.Failure.Message, "\n") {
				t.Errorf("%s: the message has several lines", c.Name)
			}
		}
	}
	if cases != len(r.Rows) {
		t.Errorf("%d cases of %d rows", cases, len(r.Rows))
	}
}
