package command

import (
	"slices"
	"testing"

	"leadconform/load/harness"
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
