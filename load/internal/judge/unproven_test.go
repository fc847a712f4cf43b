package judge_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/simulate"
	"leadconform/load/internal/trace"
)

// The key of C has all of its credit, which hides a rate that is too low.
func TestSustainProvesNothingWhereLessThanRGetsInAfterExhaustion(t *testing.T) {
	got := verdicts(t, run(t, "R × 0.95, dual bucket"), judge.Options{})
	expect(t, got, map[string]judge.Verdict{"FLOOR": judge.Fail, "SUSTAIN": judge.NotAssessed})
}

// answered turns the refusals of some phases into other answers.
func answered(tr *trace.Trace, status uint16, names ...plan.Name) {
	for i := range tr.Samples {
		if s := &tr.Samples[i]; s.Kind == trace.Limited && slices.Contains(names, tr.Meta.Plan.Phases[s.Phase].Name) {
			s.Kind, s.Fault, s.Status, s.Refusal = trace.Other, trace.BadStatus, status, nil
		}
	}
}

func TestA429IsNotShownWhereTheLimitAnswersOtherwise(t *testing.T) {
	tr := run(t, right)
	answered(tr, 503, plan.B1)
	expect(t, verdicts(t, tr, judge.Options{}), map[string]judge.Verdict{"LD-429-01": judge.NotAssessed, "LD-429-05": judge.Pass})
}

// shortened leaves out most requests of a phase, as a client does that is held up.
func shortened(tr *trace.Trace, name plan.Name) {
	n := 0
	tr.Samples = slices.DeleteFunc(tr.Samples, func(s trace.Sample) bool {
		n++
		return tr.Meta.Plan.Phases[s.Phase].Name == name && n%10 > 0
	})
}

func TestABurstThatWasNotUsedUpDoesNotComeBack(t *testing.T) {
	tr := run(t, right)
	shortened(tr, plan.B1)
	report := judge.Run(tr, judge.Options{})
	if v := report.Rows()["LD-LIM-INGEST-RECOVER"]; v != judge.NotAssessed {
		t.Errorf("RECOVER %s", v)
	}
	if !slices.ContainsFunc(report.Again, func(a judge.Again) bool { return a.Stream == plan.StreamB && a.Rest >= plan.RepeatRest }) {
		t.Errorf("to repeat: %+v, want stream B after a minute, when any burst is back", report.Again)
	}
}

// Limits other than the documented ones: a credit so small that a limiter which lets a second of B in at once has used it
// up before anything can be counted, and none at all.
func TestLimitsOfAnotherShape(t *testing.T) {
	for name, p := range map[string]plan.Policy{
		"a small credit": {Rate: 1000, Burst: 1500, Window: 5 * time.Second},
		"no credit":      {Rate: 100, Burst: 100, Window: 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			for _, l := range simulate.Right() {
				if p.Credit() == 0 && l.Name == "dual bucket, no slack" {
					continue // without credit it holds a single request: on a network it refuses what was sent below R
				}
				for seed := range uint64(3) {
					endpoint := []plan.Endpoint{{API: "distro", Name: "ingest", Policy: p}}
					report, _ := simulate.Trial{Limiter: l, Network: simulate.Jitter2, Endpoints: endpoint, Seed: seed}.Run()
					for _, f := range report.Findings {
						if f.Verdict == judge.Fail {
							t.Errorf("%s, seed %d: %s: %s", l.Name, seed, f.Row, f.Reason)
						}
					}
				}
			}
		})
	}
}

// One limit for all endpoints, as large as theirs together: asked for the same multiple of each, it would look like limits
// of their own.
func TestAPoolOfAllLimitsIsNoLimitOfEach(t *testing.T) {
	for n := 2; n <= 3; n++ {
		for seed := range uint64(5) {
			endpoints := simulate.Documented()[:n]
			pool := simulate.Limiter{Name: "pool", New: simulate.Pool}
			report, _ := simulate.Trial{Limiter: pool, Network: simulate.Jitter10, Endpoints: endpoints, Seed: seed}.Run()
			if v := report.Rows()["LD-LIM-INGEST-PEAK"]; v != judge.Fail {
				t.Errorf("%d endpoints, seed %d: PEAK %s", n, seed, v)
			}
		}
	}
}

// A key that is refused on ingest and ping has lookup whole.
func TestExhaustionStaysWithItsEndpoint(t *testing.T) {
	endpoints := simulate.Documented()
	_, tr := simulate.Trial{Limiter: limiter(t, right), Network: simulate.Jitter2, Endpoints: endpoints, Seed: 1}.Run()
	if v := judge.Run(tr, judge.Options{}).Rows()["LD-LIM-ENDPOINT"]; v != judge.Pass {
		t.Errorf("undisturbed: ENDPOINT %s", v)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	refusal := trace.Refusal{}
	for i := range tr.Samples {
		if s := &tr.Samples[i]; tr.Meta.Plan.Phases[s.Phase].Name == plan.Apart && rng.Float64() < 0.1 {
			s.Kind, s.Status, s.Refusal = trace.Limited, 429, &refusal
		}
	}
	if v := judge.Run(tr, judge.Options{}).Rows()["LD-LIM-ENDPOINT"]; v != judge.Fail {
		t.Errorf("refused on lookup meanwhile: ENDPOINT %s", v)
	}
	shortened(tr, plan.Apart)
	report := judge.Run(tr, judge.Options{})
	if v := report.Rows()["LD-LIM-ENDPOINT"]; v != judge.NotAssessed {
		t.Errorf("of a client that was held up: ENDPOINT %s", v)
	}
	var again []string
	for _, a := range report.Again {
		again = append(again, a.Endpoint+" "+string(a.Stream))
	}
	if want := []string{"ingest B", "ping B", "lookup B"}; !slices.Equal(again, want) {
		t.Errorf("to repeat: %v, want %v: it takes the others", again, want)
	}
}

// A run that was stopped is no fault of the network.
func TestAPhaseThatWasCutShortIsNotCalledNoisy(t *testing.T) {
	tr := run(t, right)
	tr.End.Reason = "the run was stopped early"
	tr.Samples = slices.DeleteFunc(tr.Samples, func(s trace.Sample) bool { return s.Sent > 5*time.Second })
	told := false
	for _, f := range judge.Run(tr, judge.Options{}).Findings {
		told = told || f.Row == "LD-LIM-INGEST-BURST" && f.Reason == "the run ended before phase A1 was over"
		if f.Row == "LD-LIM-INGEST-BURST" && (f.Verdict != judge.NotAssessed || strings.Contains(f.Reason, "noisy")) {
			t.Errorf("%s: %s %s", f.Row, f.Verdict, f.Reason)
		}
	}
	if !told {
		t.Error("nothing says that A1 was cut short")
	}
}
