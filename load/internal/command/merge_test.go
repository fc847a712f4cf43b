package command

import (
	"errors"
	"testing"

	"leadconform/load/harness"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/soak"
)

// The status of a report is that of its MUST rows and its suppliers; an attack of one's own is not judged.
func TestStatusOfAReport(t *testing.T) {
	found := func(row string, v harness.Outcome) harness.Finding { return harness.Finding{Row: row, Verdict: v} }
	pass, fail := found("LD-LIM-KEY", harness.Pass), found("LD-429-05", harness.Fail)
	open, warn := found("LD-LIM-PING-PEAK", harness.NotAssessed), found("LD-LIM-PING-FLOOR", harness.Fail)
	for name, c := range map[string]struct {
		m    merged
		want int
	}{
		"nothing that is judged":       {merged{}, 0},
		"all pass":                     {merged{findings: []harness.Finding{pass}}, 0},
		"a SHOULD row fails":           {merged{findings: []harness.Finding{pass, warn}}, 0},
		"a SHOULD row is open":         {merged{findings: []harness.Finding{pass, found("LD-LIM-PING-FLOOR", harness.NotAssessed)}}, 0},
		"a MUST row is open":           {merged{findings: []harness.Finding{pass, open}}, 3},
		"a MUST row fails":             {merged{findings: []harness.Finding{open, fail, pass}}, 1},
		"a trace is cut":               {merged{findings: []harness.Finding{pass}, missing: true}, 3},
		"it fails in what is left":     {merged{findings: []harness.Finding{fail}, missing: true}, 1},
		"a supplier is open":           {merged{soaks: []soak.Verdicts{{NotAssessed: 1}}}, 3},
		"a supplier of a second fails": {merged{soaks: []soak.Verdicts{{NotAssessed: 1}, {Fail: 1}}}, 1},
	} {
		err, got := c.m.status(), exitOK
		if ended := new(exitError); errors.As(err, &ended) {
			got = ended.status
		}
		if got != c.want {
			t.Errorf("%s: exit %d (%v), want %d", name, got, err, c.want)
		}
	}
}

// What a run was asked for and its trace doesn't decide is said to be open, but for what single requests decide.
func TestWhatATraceLacksIsSaid(t *testing.T) {
	p := plan.Plan{Endpoints: []plan.Endpoint{{API: "distro", Name: "lookup"}, {API: "insertion", Name: "leads"}}}
	open := map[string]bool{}
	for _, f := range harness.Complete(p, []harness.Finding{{Row: "LD-429-03", Verdict: harness.Pass}, {Row: "LD-LIM-ENDPOINT", Verdict: harness.NotAssessed}}) {
		open[f.Row] = f.Verdict == harness.NotAssessed && f.Reason != ""
	}
	for row, want := range map[string]bool{"LD-429-03": false, "LD-LIM-LOOKUP-PEAK": true, "IN-429-06": true} {
		if got, there := open[row]; got != want || !there {
			t.Errorf("%s: there %t, open %t, want %t", row, there, got, want)
		}
	}
	for _, row := range []string{"LD-429-01", "LD-429-08", "LD-LIM-ENDPOINT", "LD-LIM-PING-PEAK", "IN-429-07"} {
		if _, there := open[row]; there {
			t.Errorf("%s was not asked for, or is in no trace", row)
		}
	}
}
