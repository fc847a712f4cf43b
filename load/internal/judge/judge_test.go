package judge_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/simulate"
	"leadconform/load/internal/trace"
)

var ingest = simulate.Documented()[0]

// limiter finds a limiter of the catalogue.
func limiter(t *testing.T, name string) simulate.Limiter {
	t.Helper()
	all := simulate.Catalogue()
	i := slices.IndexFunc(all, func(l simulate.Limiter) bool { return l.Name == name })
	if i < 0 {
		t.Fatalf("no limiter %q", name)
	}
	return all[i]
}

const (
	right     = "dual bucket, peak depth 0.25 s"
	unlimited = "no limit"
)

// run lets a limiter be attacked on ingest over a network with a jitter of 2 ms.
func run(t *testing.T, name string) *trace.Trace {
	t.Helper()
	_, tr := simulate.Trial{Limiter: limiter(t, name), Network: simulate.Jitter2, Endpoints: []plan.Endpoint{ingest}, Seed: 1}.Run()
	return tr
}

// verdicts are a report's rows, without what they have in common.
func verdicts(t *testing.T, tr *trace.Trace, o judge.Options) map[string]judge.Verdict {
	t.Helper()
	rows := make(map[string]judge.Verdict)
	for row, v := range judge.Run(tr, o).Rows() {
		rows[strings.TrimPrefix(row, "LD-LIM-INGEST-")] = v
	}
	return rows
}

func expect(t *testing.T, got map[string]judge.Verdict, want map[string]judge.Verdict) {
	t.Helper()
	for row, v := range want {
		if got[row] != v {
			t.Errorf("%s: %q, want %q", row, got[row], v)
		}
	}
}

var (
	limitRows   = []string{"SUSTAIN", "BURST", "PEAK", "WINDOW", "STEADY", "FLOOR", "RECOVER", "LD-LIM-KEY"}
	refusalRows = []string{"LD-429-01", "LD-429-04", "LD-429-05", "LD-429-06", "LD-429-07", "LD-429-09"}
)

func all(v judge.Verdict, rows ...string) map[string]judge.Verdict {
	want := make(map[string]judge.Verdict)
	for _, r := range rows {
		want[r] = v
	}
	return want
}

func TestARightLimiterPassesEveryRow(t *testing.T) {
	got := verdicts(t, run(t, right), judge.Options{})
	expect(t, got, all(judge.Pass, append(limitRows, refusalRows...)...))
	expect(t, got, map[string]judge.Verdict{"LD-429-10": judge.Observed, "LD-LIM-ENDPOINT": judge.NotAssessed})
}

func TestWithoutALimitNothingPassesThatOneWouldProve(t *testing.T) {
	got := verdicts(t, run(t, unlimited), judge.Options{})
	expect(t, got, all(judge.Fail, "PEAK", "WINDOW", "STEADY"))
	expect(t, got, all(judge.NotAssessed, "SUSTAIN", "BURST", "FLOOR", "RECOVER", "LD-LIM-KEY"))
	expect(t, got, all(judge.NotAssessed, refusalRows...))
}

func TestThePeakIsOnlyObservedWhereBIsACapacity(t *testing.T) {
	tr := run(t, "single bucket")
	expect(t, verdicts(t, tr, judge.Options{}), map[string]judge.Verdict{"PEAK": judge.Fail})
	capacity := verdicts(t, tr, judge.Options{Peak: plan.PeakCapacity})
	expect(t, capacity, map[string]judge.Verdict{"PEAK": judge.Observed})
	expect(t, capacity, all(judge.Pass, "SUSTAIN", "BURST", "WINDOW", "STEADY", "FLOOR", "RECOVER"))
}

func TestEveryFindingSaysWhatItRestsOn(t *testing.T) {
	for _, name := range []string{right, unlimited, "R × 1.05, dual bucket", "queue instead of reject"} {
		report := judge.Run(run(t, name), judge.Options{})
		if _, err := json.Marshal(report); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, f := range report.Findings {
			judged := f.Verdict == judge.Pass || f.Verdict == judge.Fail
			switch {
			case f.Row == "" || f.Clause == "":
				t.Errorf("%s: a finding without a row or clause: %+v", name, f)
			case judged && f.Detectable == "":
				t.Errorf("%s: %s %q doesn't say what it could have seen", name, f.Row, f.Clause)
			case judged && f.Accept.Has(f.Figure) != (f.Verdict == judge.Pass):
				t.Errorf("%s: %s %q is %s at %v, accepted %v", name, f.Row, f.Clause, f.Verdict, f.Figure, f.Accept)
			case f.Verdict != judge.Pass && f.Verdict != judge.Observed && f.Reason == "":
				t.Errorf("%s: %s %q is %s without a reason", name, f.Row, f.Clause, f.Verdict)
			}
		}
	}
}

// On lookup a burst rate that is off by 5 % is too small a difference for the mean.
func TestTheMedianSeesWhatTheMeanDoesNot(t *testing.T) {
	lookup := simulate.Documented()[2]
	mean, median := 0, 0
	const seeds = 60
	for seed := range uint64(seeds) {
		report, _ := simulate.Trial{Limiter: limiter(t, "B × 0.95, fixed windows"), Network: simulate.Jitter10,
			Endpoints: []plan.Endpoint{lookup}, Seed: seed}.Run()
		for _, f := range report.Findings {
			if f.Row == "LD-LIM-LOOKUP-FLOOR" && f.Verdict == judge.Fail {
				mean += strings.Count(f.Clause, "mean")
				median += strings.Count(f.Clause, "median")
			}
		}
	}
	if median != seeds || mean == seeds {
		t.Errorf("of %d runs the median sees %d, the mean %d", seeds, median, mean)
	}
}

// What a client does wrong must neither fail nor pass the target.
func TestTheRunJudgesItselfFirst(t *testing.T) {
	phase := func(tr *trace.Trace, s *trace.Sample) plan.Name { return tr.Meta.Plan.Phases[s.Phase].Name }
	tests := []struct {
		name  string
		spoil func(tr *trace.Trace)
		rows  []string // that have to be not assessed
		words string
	}{
		{"the run was cut off in A2", func(tr *trace.Trace) {
			tr.Samples = slices.DeleteFunc(tr.Samples, func(s trace.Sample) bool { return s.Sent > 17*time.Second })
		}, []string{"BURST", "WINDOW", "STEADY", "FLOOR", "RECOVER", "SUSTAIN"}, "requests sent"},
		{"every fiftieth request of C was not sent", func(tr *trace.Trace) {
			n := 0
			tr.Samples = slices.DeleteFunc(tr.Samples, func(s trace.Sample) bool {
				if phase(tr, &s) == plan.C {
					n++
				}
				return phase(tr, &s) == plan.C && n%50 == 0
			})
		}, []string{"SUSTAIN", "LD-LIM-KEY"}, "requests sent"},
		{"A1 took longer", func(tr *trace.Trace) {
			for i := range tr.Samples {
				if s := &tr.Samples[i]; phase(tr, s) == plan.A1 && s.Intended > 5*time.Second {
					s.Intended += 300 * time.Millisecond
					s.Sent += 300 * time.Millisecond
					s.Received += 300 * time.Millisecond
				}
			}
		}, []string{"BURST", "WINDOW", "STEADY", "FLOOR"}, "instead of"},
		{"the client was held up between A1 and A2", func(tr *trace.Trace) {
			for i := range tr.Samples {
				if s := &tr.Samples[i]; phase(tr, s) == plan.A2 {
					s.Intended += 300 * time.Millisecond
					s.Sent += 300 * time.Millisecond
					s.Received += 300 * time.Millisecond
				}
			}
		}, []string{"WINDOW", "STEADY", "FLOOR"}, "in which credit came back"},
		{"B1 was sent late", func(tr *trace.Trace) {
			for i := range tr.Samples {
				if s := &tr.Samples[i]; phase(tr, s) == plan.B1 && i%100 < 2 {
					s.Sent += 80 * time.Millisecond
					s.Received += 80 * time.Millisecond
				}
			}
		}, []string{"PEAK", "BURST", "FLOOR"}, "send lag"},
		{"answers to A2 came late", func(tr *trace.Trace) {
			for i := range tr.Samples {
				if s := &tr.Samples[i]; phase(tr, s) == plan.A2 && i%100 < 2 {
					s.Received += 80 * time.Millisecond
				}
			}
		}, []string{"STEADY", "WINDOW"}, "round trip"},
		{"the network is jittery", func(tr *trace.Trace) {
			for i := range tr.Meta.Preflight {
				tr.Meta.Preflight[i] *= 20
			}
		}, limitRows, "jitter"},
		{"nobody measured the jitter", func(tr *trace.Trace) { tr.Meta.Preflight = nil }, limitRows, "preflight"},
		{"B3 was sent in a heap", func(tr *trace.Trace) {
			for i := range tr.Samples {
				if s := &tr.Samples[i]; phase(tr, s) == plan.B3 && s.Sent > 25*time.Second {
					s.Sent -= 40 * time.Millisecond
				}
			}
		}, []string{"RECOVER"}, "within one second"},
		{"one answer to C was a 500", func(tr *trace.Trace) {
			i := slices.IndexFunc(tr.Samples, func(s trace.Sample) bool { return phase(tr, &s) == plan.C })
			tr.Samples[i].Kind, tr.Samples[i].Status, tr.Samples[i].Fault = trace.Other, 500, trace.BadStatus
		}, []string{"SUSTAIN", "LD-LIM-KEY"}, "neither a success nor a refusal: 1× unexpected status, status 500"},
		{"the target went away in A2", func(tr *trace.Trace) {
			for i := range tr.Samples {
				if s := &tr.Samples[i]; phase(tr, s) == plan.A2 && s.Sent > 18*time.Second {
					s.Kind, s.Status, s.Fault, s.Refusal = trace.Other, 0, trace.Refused, nil
				}
			}
		}, []string{"STEADY", "WINDOW"}, "neither a success nor a refusal: "},
	}
	for _, test := range tests {
		for _, name := range []string{right, "R × 1.20, dual bucket", "W × 0.50, dual bucket", "R × 0.90, fixed windows"} {
			tr := run(t, name)
			test.spoil(tr)
			report := judge.Run(tr, judge.Options{})
			said := false
			for _, f := range report.Findings {
				row := strings.TrimPrefix(f.Row, "LD-LIM-INGEST-")
				said = said || strings.Contains(f.Reason, test.words)
				if name == right && f.Verdict == judge.Fail {
					t.Errorf("%s: the right limiter failed %s: %s", test.name, f.Row, f.Reason)
				}
				if v := report.Rows()[f.Row]; slices.Contains(test.rows, row) && v == judge.Pass {
					t.Errorf("%s: %s passed %s", test.name, name, f.Row)
				}
			}
			if !said {
				t.Errorf("%s, %s: no reason says %q", test.name, name, test.words)
			}
		}
	}
}

func TestWhatIsUnsoundIsRepeatedOnce(t *testing.T) {
	tr := run(t, right)
	for i := range tr.Samples {
		if s := &tr.Samples[i]; tr.Meta.Plan.Phases[s.Phase].Name == plan.A2 && i%100 < 2 {
			s.Received += 80 * time.Millisecond
		}
	}
	again := judge.Run(tr, judge.Options{}).Again
	if len(again) != 1 || again[0].Stream != plan.StreamA || again[0].OnlyB3 || again[0].Rest < ingest.Policy.Rest() {
		t.Fatalf("to repeat: %+v, want stream A after a rest", again)
	}
	// The second attempt is that of another run, sound.
	sound := run(t, right)
	first := len(tr.Meta.Plan.Phases)
	for _, p := range sound.Meta.Plan.Phases {
		p.Attempt = 1
		tr.Meta.Plan.Phases = append(tr.Meta.Plan.Phases, p)
	}
	for _, s := range sound.Samples {
		if name := sound.Meta.Plan.Phases[s.Phase].Name; name == plan.A1 || name == plan.A2 || name == plan.C {
			s.Phase += uint16(first)
			tr.Samples = append(tr.Samples, s)
		}
	}
	report := judge.Run(tr, judge.Options{})
	if len(report.Again) > 0 {
		t.Errorf("to repeat once more: %+v", report.Again)
	}
	for _, row := range []string{"SUSTAIN", "BURST", "WINDOW", "STEADY"} {
		if v := report.Rows()["LD-LIM-INGEST-"+row]; v != judge.Pass {
			t.Errorf("%s: %s after the second attempt", row, v)
		}
	}
}

func TestABurstThatIsSlowToComeBackPassesWithANote(t *testing.T) {
	// Half the rate at which the credit should come back: gone after the usual rest, whole after a minute.
	slow := simulate.Limiter{Name: "slow recovery", New: func(policies map[string]plan.Policy, rng *rand.Rand) simulate.Model {
		return simulate.SlowRecovery(policies, rng)
	}}
	report, _ := simulate.Trial{Limiter: slow, Network: simulate.Jitter2, Endpoints: []plan.Endpoint{ingest}, Seed: 1}.Run()
	for _, f := range report.Findings {
		if f.Row == "LD-LIM-INGEST-RECOVER" {
			if f.Verdict != judge.Pass || len(f.Notes) == 0 {
				t.Errorf("%s, notes %q: %s", f.Verdict, f.Notes, f.Reason)
			}
		}
	}
}

// Nonsense may be judged as it likes, but it has to be judged, and the report has to be written.
func TestNonsenseIsJudgedWithoutPanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := plan.Policy{
			Rate:   rapid.Float64Range(0.1, 300).Draw(t, "rate"),
			Window: time.Duration(rapid.IntRange(1, 20_000).Draw(t, "window")) * time.Millisecond,
		}
		policy.Burst = policy.Rate * rapid.Float64Range(1, 4).Draw(t, "burst")
		tr := &trace.Trace{Meta: trace.Meta{Plan: plan.Plan{
			Endpoints: []plan.Endpoint{{API: "distro", Name: "any", Policy: policy}, {API: "insertion", Name: "leads"}},
			Phases: append(plan.TwoRate("any", policy, plan.Options{Keys: rapid.IntRange(0, 4).Draw(t, "keys"), Twins: true}),
				plan.FixedWindow{Path1: "leads", Path2: "internal", Window: time.Second}.Phases()...),
		}}}
		tr.Meta.Preflight = make([]time.Duration, rapid.IntRange(0, 100).Draw(t, "preflight"))
		for range rapid.IntRange(0, 400).Draw(t, "samples") {
			at := time.Duration(rapid.Int64Range(-1e9, 4e10).Draw(t, "at"))
			s := trace.Sample{Intended: at, Sent: at, Received: at + time.Duration(rapid.Int64Range(-1e6, 1e10).Draw(t, "trip")),
				Phase: uint16(rapid.IntRange(0, len(tr.Meta.Plan.Phases)-1).Draw(t, "phase")),
				Kind:  trace.Kind(rapid.IntRange(1, 3).Draw(t, "kind")), Status: 429}
			if rapid.Bool().Draw(t, "says") {
				s.Refusal = &trace.Refusal{Fields: 1, Header: trace.Seconds, HeaderWait: time.Duration(rapid.Int64Range(0, 1e11).Draw(t, "wait"))}
			}
			tr.Samples = append(tr.Samples, s)
		}
		if _, err := json.Marshal(judge.Run(tr, judge.Options{})); err != nil {
			t.Fatal(err)
		}
	})
}
