package command

import (
	"slices"
	"strings"
	"testing"
	"time"

	"leadconform/load/harness"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/tally"
)

func TestFiguresSayOnceWhatIsTheSame(t *testing.T) {
	finding := func(endpoint, clause string, figure float64, v harness.Outcome) harness.Finding {
		f := harness.Finding{Endpoint: endpoint, Clause: clause, Figure: figure, Verdict: v}
		f.Accept.High = 1
		return f
	}
	for _, c := range []struct {
		name string
		row  harness.Row
		want []string
	}{
		{"the same on two", harness.Row{ID: "LD-429-04", Outcome: harness.Pass, Findings: []harness.Finding{
			finding("ingest", "wrong", 0, harness.Pass), finding("ping", "wrong", 0, harness.Pass), finding("lookup", "wrong", 1, harness.Pass),
		}}, []string{"ingest, ping: wrong 0 (0 to 1)", "lookup: wrong 1 (0 to 1)"}},
		{"only what decided", harness.Row{ID: "LD-429-04", Outcome: harness.Fail, Findings: []harness.Finding{
			finding("ingest", "wrong", 0, harness.Pass), finding("ping", "wrong", 7, harness.Fail),
		}}, []string{"ping: wrong 7 (0 to 1)"}},
		{"the row says where", harness.Row{ID: "LD-LIM-PING-PEAK", Outcome: harness.Pass, Findings: []harness.Finding{
			finding("ping", "rate", 1, harness.Pass),
		}}, []string{"rate 1 (0 to 1)"}},
		{"no finding", harness.Row{ID: "LD-429-08", Outcome: harness.Pass, Actual: "201, then 422"}, []string{"201, then 422"}},
	} {
		if got := figures(c.row); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestASecondWithoutAnAnswerHasNoQuantiles(t *testing.T) {
	var out strings.Builder
	line(&out, time.Second, 5, 5, tally.Tally{})
	if got := out.String(); strings.Count(got, "–") != 3 {
		t.Errorf("it says %q", got)
	}
}

func TestWhatIsGivenUpIsSaid(t *testing.T) {
	for given, want := range map[int]bool{0: false, 77: true} {
		var out strings.Builder
		s := summarise(&tally.Tally{})
		s.GivenUp = given
		if err := s.write(&out, "text"); err != nil || strings.Contains(out.String(), "given up  77") != want {
			t.Errorf("%d: %v, %s", given, err, out.String())
		}
	}
}

func TestPatienceIsATenthOrALittle(t *testing.T) {
	for length, want := range map[time.Duration]time.Duration{time.Second: 3 * time.Second, time.Hour: 6 * time.Minute} {
		if got := patience(plan.Plan{Phases: []plan.Phase{{Length: length}, {Length: time.Millisecond}}}); got != want {
			t.Errorf("%v: %v, want %v", length, got, want)
		}
	}
}
