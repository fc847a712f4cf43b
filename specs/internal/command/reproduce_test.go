package command

import (
	"testing"

	"leadconform/specs/internal/certificate"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/verdict"
)

// A certificate that somebody else wrote may not ask for any variable of the environment that it likes.
func TestAProfileOutOfACertificateReadsItsOwnVariablesOnly(t *testing.T) {
	getenv := ownVariables(func(string) (string, bool) { return "value", true })
	for name, want := range map[string]bool{
		"LD_PRIMARY_KEY": true, "LD_LIMITS_TWIN_ONE_KEY": true, "IN_READ_ONLY_SECRET": true,
		"AWS_SECRET_ACCESS_KEY": false, "HOME": false, "LD_KEY": false, "IN_PRIMARY_KEY": false, "XLD_PRIMARY_KEY": false, "OPENAI_API_KEY": false,
	} {
		if _, got := getenv(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestWhetherALevelIsReproduced(t *testing.T) {
	certified := []certificate.API{{API: "distro", Level: "limits"}, {API: "insertion", Level: "core"}}
	row := func(tier string, v verdict.Verdict) report.Row {
		return report.Row{API: "distro", Tier: tier, Verdict: v}
	}
	for name, c := range map[string]struct {
		distro, insertion string
		rows              []report.Row
		exit              int
		want              int
	}{
		"the same levels":               {"limits", "core", nil, 0, 0},
		"higher levels":                 {"full", "full", nil, 0, 0},
		"a row above the level fails":   {"limits", "core", []report.Row{row("full", verdict.Fail)}, 1, 0},
		"a row of the level fails":      {"core", "core", []report.Row{row("limits", verdict.Fail)}, 1, 1},
		"a row of the level is open":    {"core", "core", []report.Row{row("limits", verdict.NotAssessed)}, 3, 3},
		"a SHOULD row warns":            {"core", "core", []report.Row{row("limits", verdict.Warn)}, 3, 3},
		"the other API's level is less": {"limits", "none", nil, 3, 3},
		"an API wasn't tested":          {"limits", "", nil, 0, 3},
		"the target was lost":           {"core", "core", []report.Row{row("limits", verdict.NotAssessed)}, 4, 4},
	} {
		again := &report.Report{Levels: map[string]string{"distro": c.distro, "insertion": c.insertion}, Rows: c.rows, Run: report.Run{Exit: c.exit}}
		if got := reproduced(certified, again); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
