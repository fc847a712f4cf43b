package verdict_test

import (
	"strings"
	"testing"
	"time"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/spec"
	"leadconform/specs/internal/verdict"
)

// A small world of rows: IDs of the real catalogue, so that waivers can be looked up.
var rows = []catalogue.Row{
	{ID: "LD-ENV-01", API: "distro", Level: catalogue.Must, Tier: catalogue.Core},
	{ID: "LD-ENV-03", API: "distro", Level: catalogue.Should, Tier: catalogue.Core},
	{ID: "LD-429-01", API: "distro", Level: catalogue.Must, Tier: catalogue.Limits},
	{ID: "LD-429-10", API: "distro", Level: catalogue.Obs, Tier: catalogue.Limits},
	{ID: "LD-500-01", API: "distro", Level: catalogue.Must, Tier: catalogue.Full},
	{ID: "IN-ENV-01", API: "insertion", Level: catalogue.Must, Tier: catalogue.Core},
}

func outcomes(changed map[string]spec.Result) map[string]spec.Outcome {
	all := map[string]spec.Outcome{}
	for _, row := range rows {
		result := spec.Passed
		if r, ok := changed[row.ID]; ok {
			result = r
		}
		if result != "" {
			all[row.ID] = spec.Outcome{Row: row.ID, Result: result, Reason: "because"}
		}
	}
	return all
}

var now = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)

func TestExitLevelsAndOverall(t *testing.T) {
	both := []string{"distro", "insertion"}
	waiver := func(id, expires string) []target.Waiver {
		return []target.Waiver{{ID: id, Reason: "known", Expires: expires}}
	}
	only := func(id string) func(string) bool { return func(other string) bool { return other == id } }
	for name, c := range map[string]struct {
		changed map[string]spec.Result
		asked   verdict.Asked
		exit    int
		overall verdict.Overall
		granted string
		problem string
	}{
		"all pass, core":                 {nil, verdict.Asked{APIs: both, Level: "core"}, 0, verdict.Conformant, "none", ""},
		"all pass, full, distro":         {nil, verdict.Asked{APIs: both[:1], Level: "full"}, 0, verdict.Conformant, "full", ""},
		"MUST fails":                     {map[string]spec.Result{"LD-ENV-01": spec.Failed}, verdict.Asked{APIs: both[:1], Level: "full"}, 1, verdict.NonConformant, "none", ""},
		"SHOULD fails":                   {map[string]spec.Result{"LD-ENV-03": spec.Failed}, verdict.Asked{APIs: both[:1], Level: "full"}, 0, verdict.Conformant, "full", ""},
		"SHOULD fails, strict":           {map[string]spec.Result{"LD-ENV-03": spec.Failed}, verdict.Asked{APIs: both[:1], Level: "full", Strict: true}, 1, verdict.Conformant, "full", ""},
		"OBS fails, strict":              {map[string]spec.Result{"LD-429-10": spec.Failed}, verdict.Asked{APIs: both[:1], Level: "full", Strict: true}, 0, verdict.Conformant, "full", ""},
		"limits fail above core":         {map[string]spec.Result{"LD-429-01": spec.Failed}, verdict.Asked{APIs: both[:1], Level: "core"}, 0, verdict.Conformant, "core", ""},
		"limits fail":                    {map[string]spec.Result{"LD-429-01": spec.Failed}, verdict.Asked{APIs: both[:1], Level: "full"}, 1, verdict.NonConformant, "core", ""},
		"limits not assessed":            {map[string]spec.Result{"LD-429-01": spec.NotAssessed}, verdict.Asked{APIs: both[:1], Level: "full"}, 3, verdict.Inconclusive, "core", ""},
		"never ran":                      {map[string]spec.Result{"LD-500-01": ""}, verdict.Asked{APIs: both[:1], Level: "full"}, 3, verdict.Inconclusive, "limits", ""},
		"fail beats not assessed":        {map[string]spec.Result{"LD-429-01": spec.NotAssessed, "LD-ENV-01": spec.Failed}, verdict.Asked{APIs: both[:1], Level: "full"}, 1, verdict.NonConformant, "none", ""},
		"broken":                         {map[string]spec.Result{"LD-ENV-01": spec.Broken}, verdict.Asked{APIs: both[:1], Level: "full"}, 2, verdict.Inconclusive, "none", "at fault in LD-ENV-01"},
		"broken beats failed":            {map[string]spec.Result{"LD-ENV-01": spec.Broken, "LD-429-01": spec.Failed}, verdict.Asked{APIs: both[:1], Level: "full"}, 2, verdict.NonConformant, "none", "at fault"},
		"selected grants none":           {nil, verdict.Asked{APIs: both[:1], Level: "full", Selected: only("LD-ENV-01")}, 0, verdict.Conformant, "none", ""},
		"failure not selected":           {map[string]spec.Result{"LD-ENV-01": spec.Failed}, verdict.Asked{APIs: both[:1], Level: "full", Selected: only("LD-500-01")}, 0, verdict.Conformant, "none", ""},
		"waived":                         {map[string]spec.Result{"LD-ENV-01": spec.Failed}, verdict.Asked{APIs: both[:1], Level: "full", Waivers: waiver("LD-ENV-01", "2026-05-06")}, 0, verdict.NonConformant, "none", ""},
		"waiver expired":                 {map[string]spec.Result{"LD-ENV-01": spec.Failed}, verdict.Asked{APIs: both[:1], Level: "full", Waivers: waiver("LD-ENV-01", "2026-05-05")}, 1, verdict.NonConformant, "none", "expired"},
		"waiver of a row that passes":    {nil, verdict.Asked{APIs: both[:1], Level: "full", Waivers: waiver("LD-ENV-01", "2026-05-06")}, 1, verdict.Conformant, "full", "passes"},
		"waiver of no row":               {nil, verdict.Asked{APIs: both[:1], Level: "full", Waivers: waiver("LD-NO-01", "2026-05-06")}, 1, verdict.Conformant, "full", "no such row"},
		"waiver of a row that isn't run": {map[string]spec.Result{"LD-ENV-01": spec.NotAssessed}, verdict.Asked{APIs: both[:1], Level: "full", Waivers: waiver("LD-ENV-01", "2026-05-06")}, 3, verdict.Inconclusive, "none", ""},
		"one API fails":                  {map[string]spec.Result{"IN-ENV-01": spec.Failed}, verdict.Asked{APIs: both, Level: "full"}, 1, verdict.NonConformant, "none", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.asked.Now = now
			j := verdict.Judge(rows, outcomes(c.changed), c.asked)
			if j.Exit != c.exit || j.Overall != c.overall {
				t.Errorf("exit %d, %s; want %d, %s", j.Exit, j.Overall, c.exit, c.overall)
			}
			if c.granted != "none" && j.Granted != c.granted {
				t.Errorf("granted %s, want %s", j.Granted, c.granted)
			}
			if got := strings.Join(j.Problems, "\n"); !strings.Contains(got, c.problem) || (c.problem == "") != (got == "") {
				t.Errorf("problems %q, want %q", got, c.problem)
			}
		})
	}
}

func TestLostTargetExits4(t *testing.T) {
	all := outcomes(nil)
	lost := all["LD-500-01"]
	lost.Result, lost.Lost = spec.NotAssessed, true
	all["LD-500-01"] = lost
	if j := verdict.Judge(rows, all, verdict.Asked{APIs: []string{"distro"}, Level: "full", Now: now}); j.Exit != 4 {
		t.Errorf("exit %d, want 4", j.Exit)
	}
}

func TestLevelsArePerAPIAndTheLowestIsGranted(t *testing.T) {
	j := verdict.Judge(rows, outcomes(map[string]spec.Result{"LD-500-01": spec.Failed}),
		verdict.Asked{APIs: []string{"distro", "insertion"}, Level: "full", Now: now})
	if j.Levels["distro"] != "limits" || j.Levels["insertion"] != "full" || j.Granted != "limits" {
		t.Errorf("levels %v, granted %s", j.Levels, j.Granted)
	}
}

func TestVerdictsOfRows(t *testing.T) {
	j := verdict.Judge(rows, outcomes(map[string]spec.Result{
		"LD-ENV-01": spec.Failed, "LD-ENV-03": spec.Failed, "LD-500-01": spec.NotAssessed,
	}), verdict.Asked{APIs: []string{"distro"}, Level: "full", Now: now})
	want := map[string]verdict.Verdict{
		"LD-ENV-01": verdict.Fail, "LD-ENV-03": verdict.Warn, "LD-429-01": verdict.Pass,
		"LD-429-10": verdict.Observed, "LD-500-01": verdict.NotAssessed,
	}
	for _, row := range j.Rows {
		if row.Verdict != want[row.Row.ID] {
			t.Errorf("%s: %s, want %s", row.Row.ID, row.Verdict, want[row.Row.ID])
		}
	}
	if len(j.Rows) != len(want) {
		t.Errorf("%d rows, want %d: those of the other API don't belong", len(j.Rows), len(want))
	}
}

func TestRowsOutsideWhatWasAskedForHaveNoBearing(t *testing.T) {
	asked := verdict.Asked{APIs: []string{"distro"}, Level: "core", Now: now, Outside: func(id string) string {
		if id == "LD-ENV-01" {
			return "about something else"
		}
		return ""
	}}
	j := verdict.Judge(rows, outcomes(map[string]spec.Result{"LD-ENV-01": spec.Failed}), asked)
	if j.Exit != 0 || j.Granted != "core" || j.Rows[0].Verdict != verdict.NotAssessed || j.Rows[0].Reason != "about something else" {
		t.Errorf("exit %d, level %s, %s (%s)", j.Exit, j.Granted, j.Rows[0].Verdict, j.Rows[0].Reason)
	}
}

func TestLevelAboveTheAskedOneIsNotGrantedForWantOfRows(t *testing.T) {
	core := rows[:2]
	if j := verdict.Judge(core, outcomes(nil), verdict.Asked{APIs: []string{"distro"}, Level: "core", Now: now}); j.Granted != "core" {
		t.Errorf("granted %s, want core", j.Granted)
	}
}

func TestShouldRowThatFailsInItsMustFails(t *testing.T) {
	all := outcomes(map[string]spec.Result{"LD-ENV-03": spec.Failed})
	failed := all["LD-ENV-03"]
	failed.Must = true
	all["LD-ENV-03"] = failed
	j := verdict.Judge(rows, all, verdict.Asked{APIs: []string{"distro"}, Level: "core", Now: now})
	if j.Exit != 1 || j.Granted != "none" || j.Rows[1].Verdict != verdict.Fail || j.Rows[1].Level != catalogue.Must {
		t.Errorf("exit %d, level %s, %s of a %s row", j.Exit, j.Granted, j.Rows[1].Verdict, j.Rows[1].Level)
	}
}
