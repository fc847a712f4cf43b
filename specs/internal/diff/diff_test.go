package diff_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"leadconform/load/harness"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/diff"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/verdict"
)

// run is a report in short: rows that are no pass, and what else matters.
type run struct {
	level    string                     // "": full
	apis     []string                   // nil: both
	verdicts map[string]verdict.Verdict // of rows that didn't pass; "": not in the report
	waived   string
	selected func(id string) bool
	limits   []harness.Limit
	reason   string
}

func (s run) report() *report.Report {
	if s.level == "" {
		s.level = "full"
	}
	if s.apis == nil {
		s.apis = []string{"distro", "insertion"}
	}
	r := &report.Report{Target: report.Target{Name: "t"}, Run: report.Run{ID: "r1", Started: time.Unix(0, 0), Level: s.level, Selected: s.selected != nil},
		Levels: map[string]string{}, Policy: report.Policy{Peak: "strict"}, Limits: s.limits, Verdict: verdict.Conformant}
	for _, api := range s.apis {
		r.Levels[api] = "core"
	}
	for _, row := range catalogue.Rows() {
		if !slices.Contains(s.apis, row.API) {
			continue
		}
		v, changed := s.verdicts[row.ID]
		reason := s.reason
		switch {
		case s.selected != nil && !s.selected(row.ID):
			v, reason = verdict.NotAssessed, verdict.ReasonNotSelected
		case !catalogue.Tier(s.level).Holds(row.Tier):
			v = verdict.NotAssessed
		case changed && v == "":
			continue
		case !changed:
			v, reason = verdict.Pass, ""
		}
		one := report.Row{ID: row.ID, API: row.API, Level: string(row.Level), Tier: string(row.Tier), Title: row.Title, Verdict: v, Reason: reason}
		if v == verdict.Fail {
			one.Waived = s.waived
		}
		r.Rows = append(r.Rows, one)
	}
	return r
}

func verdicts(pairs ...string) map[string]verdict.Verdict {
	all := map[string]verdict.Verdict{}
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = verdict.Verdict(pairs[i+1])
	}
	return all
}

func TestRows(t *testing.T) {
	const must, should, obs = "LD-ENV-01", "LD-ENV-03", "IN-IDEM-13"
	for name, c := range map[string]struct {
		old, new run
		want     string // "kind old→new" of each row that changed
	}{
		"nothing changed":                   {run{}, run{}, ""},
		"a failure stays":                   {run{verdicts: verdicts(must, "fail")}, run{verdicts: verdicts(must, "fail")}, ""},
		"MUST passed and fails":             {run{}, run{verdicts: verdicts(must, "fail")}, "regression pass→fail"},
		"MUST passed and isn't assessed":    {run{}, run{verdicts: verdicts(must, "not-assessed")}, "regression pass→not-assessed"},
		"MUST wasn't assessed and fails":    {run{verdicts: verdicts(must, "not-assessed")}, run{verdicts: verdicts(must, "fail")}, "regression not-assessed→fail"},
		"MUST failed and isn't assessed":    {run{verdicts: verdicts(must, "fail")}, run{verdicts: verdicts(must, "not-assessed")}, "other fail→not-assessed"},
		"SHOULD warned and isn't assessed":  {run{verdicts: verdicts(should, "warn")}, run{verdicts: verdicts(should, "not-assessed")}, "other warn→not-assessed"},
		"SHOULD wasn't assessed and warns":  {run{verdicts: verdicts(should, "not-assessed")}, run{verdicts: verdicts(should, "warn")}, "regression not-assessed→warn"},
		"SHOULD warned and fails in a MUST": {run{verdicts: verdicts(should, "warn")}, run{verdicts: verdicts(should, "fail")}, "regression warn→fail"},
		"a MUST of a SHOULD failed, warns":  {run{verdicts: verdicts(should, "fail")}, run{verdicts: verdicts(should, "warn")}, "improvement fail→warn"},
		"MUST wasn't assessed and passes":   {run{verdicts: verdicts(must, "not-assessed")}, run{}, "improvement not-assessed→pass"},
		"OBS became a MUST and passes":      {run{verdicts: verdicts(must, "observed")}, run{}, "other observed→pass"},
		"MUST failed and passes":            {run{verdicts: verdicts(must, "fail")}, run{}, "improvement fail→pass"},
		"SHOULD passed and warns":           {run{}, run{verdicts: verdicts(should, "warn")}, "regression pass→warn"},
		"SHOULD warned and passes":          {run{verdicts: verdicts(should, "warn")}, run{}, "improvement warn→pass"},
		"OBS was observed and isn't":        {run{verdicts: verdicts(obs, "observed")}, run{verdicts: verdicts(obs, "not-assessed")}, "other observed→not-assessed"},
		"a failure that is waived":          {run{}, run{verdicts: verdicts(must, "fail"), waived: "ticket 7"}, "other pass→fail"},
		"a row that passed is gone":         {run{}, run{verdicts: verdicts(must, "")}, "regression pass→"},
		"a row that failed is gone":         {run{verdicts: verdicts(must, "fail")}, run{verdicts: verdicts(must, "")}, "other fail→"},
		"a row is new":                      {run{verdicts: verdicts(must, "")}, run{verdicts: verdicts(must, "fail")}, "other →fail"},
		"the new run is of a lower level":   {run{}, run{level: "core"}, ""},
		"the old run is of a lower level":   {run{level: "core"}, run{verdicts: verdicts("LD-500-01", "fail")}, ""},
		"the new run is a selection":        {run{}, run{selected: func(id string) bool { return id != must }}, ""},
		"a selected row fails":              {run{}, run{selected: func(id string) bool { return id == must }, verdicts: verdicts(must, "fail")}, "regression pass→fail"},
		"an API is in the old report alone": {run{}, run{apis: []string{"insertion"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := diff.Compare(c.old.report(), c.new.report())
			var got []string
			for _, row := range d.Rows {
				got = append(got, string(row.Kind)+" "+string(row.Old)+"→"+string(row.New))
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
			if regressed := strings.HasPrefix(c.want, "regression"); (d.Regressions() > 0) != regressed {
				t.Errorf("%d regressions", d.Regressions())
			}
		})
	}
}

func TestWhatIsNotComparedIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		old, new run
		want     string
	}{
		"another level": {run{}, run{level: "core"}, "52 rows are not compared: only one of the runs was asked for them (level full and level core)"},
		"a selection":   {run{}, run{selected: func(id string) bool { return id == "LD-ENV-01" }}, "179 rows are not compared: only one of the runs was asked for them (level full and some rows of level full)"},
		"one API":       {run{}, run{apis: []string{"insertion"}}, "the API distro is in the old report alone"},
		"no limits":     {run{limits: []harness.Limit{{}}}, run{}, "limits were measured in one of the two runs only"},
	} {
		if notes := strings.Join(diff.Compare(c.old.report(), c.new.report()).Notes, "\n"); !strings.Contains(notes, c.want) {
			t.Errorf("%s: the notes are %q, want %q", name, notes, c.want)
		}
	}
}

func TestRowsThatNeitherRunWasAskedForAreNoNote(t *testing.T) {
	if notes := diff.Compare(run{level: "core"}.report(), run{level: "core"}.report()).Notes; len(notes) > 0 {
		t.Errorf("the notes are %q", notes)
	}
}

func TestLimits(t *testing.T) {
	limit := func(rate, burst, promised float64) harness.Limit {
		return harness.Limit{API: "distro", Endpoint: "ingest", Supplier: "limits_a", Policy: harness.Promise{Rate: promised, Burst: 200, WindowS: 10},
			Estimate: map[string]float64{"rate": rate, "burst": burst}}
	}
	older := run{limits: []harness.Limit{limit(100, 200, 100)}}.report()
	for name, c := range map[string]struct {
		new  harness.Limit
		want string
	}{
		"the same":                {limit(100, 200, 100), ""},
		"within the noise":        {limit(102.9, 194.1, 100), ""},
		"the rate moved":          {limit(96, 200, 100), "rate measured 100→96"},
		"both moved":              {limit(104, 150, 100), "burst measured 200→150, rate measured 100→104"},
		"the promise moved":       {limit(100, 200, 120), "rate promised 100→120"},
		"the rate is gone":        {limit(0, 200, 100), "rate measured 100→0"},
		"another key's is no one": {harness.Limit{API: "distro", Endpoint: "ingest", Supplier: "limits_b", Estimate: map[string]float64{"rate": 1}}, ""},
	} {
		d := diff.Compare(older, run{limits: []harness.Limit{c.new}}.report())
		var got []string
		for _, l := range d.Limits {
			got = append(got, fmt.Sprintf("%s %g→%g", l.Figure, l.Old, l.New))
		}
		if text := strings.Join(got, ", "); text != c.want || d.Regressions() != 0 {
			t.Errorf("%s: got %q, %d regressions; want %q and none", name, text, d.Regressions(), c.want)
		}
	}
}

func TestTextTellsAll(t *testing.T) {
	older := run{limits: []harness.Limit{{API: "distro", Endpoint: "ingest", Supplier: "limits_a", Estimate: map[string]float64{"rate": 100}}}}.report()
	newer := run{verdicts: verdicts("LD-ENV-01", "fail"), reason: "expected this,\n but that",
		limits: []harness.Limit{{API: "distro", Endpoint: "ingest", Supplier: "limits_a", Estimate: map[string]float64{"rate": 90}}}}.report()
	var b bytes.Buffer
	if err := diff.Compare(older, newer).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Regressions: 1", "LD-ENV-01            MUST   pass → fail", "expected this, but that", "rate measured 100 → 90 (-10.0 %)", "REGRESSION: 1 rows got worse"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the text doesn't say %q:\n%s", want, b.String())
		}
	}
}

// What a target said may be meant to break out of the page.
func TestHostileTextStaysInItsBlock(t *testing.T) {
	newer := run{verdicts: verdicts("LD-ENV-01", "fail"), reason: "a\n```\n<script>alert(1)</script>\n````` \x1b[2J"}.report()
	var b bytes.Buffer
	if err := diff.Compare(run{}.report(), newer).WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if !strings.HasPrefix(text, "## leadconform: 1 rows got worse\n\n``````text\n") || !strings.HasSuffix(text, "\n``````\n\n") || strings.Count(text, "``````") != 2 {
		t.Errorf("the block is not whole:\n%s", text)
	}
	if strings.Contains(text, "\x1b") {
		t.Error("an escape sequence is there")
	}
}
