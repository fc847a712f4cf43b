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

// noisy makes some answers to the phases of these endpoints late, in their first attempt.
func noisy(tr *trace.Trace, endpoints []string, names ...plan.Name) {
	n := 0
	for i := range tr.Samples {
		s := &tr.Samples[i]
		p := tr.Meta.Plan.Phases[s.Phase]
		if p.Attempt == 0 && slices.Contains(endpoints, p.Endpoint) && slices.Contains(names, p.Name) {
			if n++; n%20 == 0 {
				s.Received += 200 * time.Millisecond
			}
		}
	}
}

// repeated adds a second attempt to a trace: the phases of A of another run, and of C beside it, some time after the first.
func repeated(tr, second *trace.Trace, endpoints ...string) {
	repeatedStreams(tr, second, []plan.Stream{plan.StreamA, plan.StreamC}, endpoints)
}

func repeatedStreams(tr, second *trace.Trace, streams []plan.Stream, endpoints []string) {
	const later = time.Minute
	index := make(map[uint16]uint16)
	for i, p := range second.Meta.Plan.Phases {
		if slices.Contains(streams, p.Stream) && !p.Adaptive() && slices.Contains(endpoints, p.Endpoint) {
			p.Attempt, p.Start = 1, p.Start+later
			index[uint16(i)] = uint16(len(tr.Meta.Plan.Phases))
			tr.Meta.Plan.Phases = append(tr.Meta.Plan.Phases, p)
		}
	}
	for _, s := range second.Samples {
		if to, ok := index[s.Phase]; ok {
			s.Phase, s.Intended, s.Sent, s.Received = to, s.Intended+later, s.Sent+later, s.Received+later
			tr.Samples = append(tr.Samples, s)
		}
	}
}

// both runs a limiter on ingest and lookup side by side.
func both(t *testing.T, name string) *trace.Trace {
	t.Helper()
	documented := simulate.Documented()
	_, tr := simulate.Trial{Limiter: limiter(t, name), Network: simulate.Jitter2,
		Endpoints: []plan.Endpoint{documented[0], documented[2]}, Seed: 1}.Run()
	return tr
}

// A key that has no credit at first has it after a rest. What a sound A1 showed of it must not be forgotten because
// another phase was spoilt, and A1 repeated with it.
func TestAFailureSeenWellIsNotUndoneByARepetition(t *testing.T) {
	for _, spoilt := range []plan.Name{plan.C, plan.A2} {
		tr := run(t, "cold start: no credit at first")
		noisy(tr, []string{"ingest"}, spoilt)
		if again := judge.Run(tr, judge.Options{}).Again; len(again) != 1 || again[0].Stream != plan.StreamA {
			t.Fatalf("to repeat: %+v, want stream A", again)
		}
		repeated(tr, run(t, right), "ingest")
		if v := judge.Run(tr, judge.Options{}).Rows()["LD-LIM-INGEST-BURST"]; v != judge.Fail {
			t.Errorf("%s spoilt and repeated: BURST %s", spoilt, v)
		}
	}
}

func TestABurstThatWasRepeatedPassesWithANote(t *testing.T) {
	tr := run(t, right)
	noisy(tr, []string{"ingest"}, plan.A1)
	repeated(tr, run(t, right), "ingest")
	report := judge.Run(tr, judge.Options{})
	if v := report.Rows()["LD-LIM-INGEST-BURST"]; v != judge.Pass {
		t.Errorf("BURST %s", v)
	}
	if !slices.ContainsFunc(report.Findings, func(f judge.Finding) bool {
		return f.Row == "LD-LIM-INGEST-BURST" && strings.Contains(strings.Join(f.Notes, ""), "phase A1 was repeated after a rest, as client or network spoilt the first attempt: round trip")
	}) {
		t.Error("no note says why A1 was repeated")
	}
}

// Whether a key has its burst at first can't be seen after a rest: where the first bursts of both keys were spoilt, a key
// that had none doesn't pass, nor does one that may have had it.
func TestABurstThatWasNeverSeenAtFirstIsNotAssessed(t *testing.T) {
	for _, name := range []string{right, "cold start: no credit at first"} {
		tr := run(t, name)
		noisy(tr, []string{"ingest"}, plan.A1, plan.B1)
		repeatedStreams(tr, run(t, right), []plan.Stream{plan.StreamA, plan.StreamB, plan.StreamC}, []string{"ingest"})
		if v := judge.Run(tr, judge.Options{}).Rows()["LD-LIM-INGEST-BURST"]; v != judge.NotAssessed {
			t.Errorf("%s: BURST %s", name, v)
		}
	}
}

// With two keys, B has A's, and B1 is not what it was first asked for.
func TestABurstOfAKeyThatWasUsedBeforeIsNoFirstOne(t *testing.T) {
	shared := func() *trace.Trace {
		rng := rand.New(rand.NewPCG(1, 1))
		preflight := simulate.Preflight(simulate.Jitter2, rng)
		model := limiter(t, right).New(simulate.Policies([]plan.Endpoint{ingest}), rng)
		return simulate.TwoRate([]plan.Endpoint{ingest}, plan.Options{Jitter: judge.Jitter(preflight), Keys: 2}).
			RunFrom(0, model, simulate.Jitter2, preflight, rng)
	}
	tr := shared()
	if v := judge.Run(tr, judge.Options{}).Rows()["LD-LIM-INGEST-BURST"]; v != judge.Pass {
		t.Fatalf("undisturbed: BURST %s", v)
	}
	noisy(tr, []string{"ingest"}, plan.A1)
	repeated(tr, shared(), "ingest")
	if v := judge.Run(tr, judge.Options{}).Rows()["LD-LIM-INGEST-BURST"]; v != judge.NotAssessed {
		t.Errorf("A1 spoilt and repeated: BURST %s", v)
	}
}

// That endpoints don't share a limit shows only where they are asked at once.
func TestEndpointsAreAskedAgainAtOnce(t *testing.T) {
	tr := both(t, right)
	if report := judge.Run(tr, judge.Options{}); report.Rows()["LD-LIM-ENDPOINT"] != judge.Pass || len(report.Again) > 0 {
		t.Fatalf("ENDPOINT %s, to repeat: %+v", report.Rows()["LD-LIM-ENDPOINT"], report.Again)
	}
	noisy(tr, []string{"lookup"}, plan.A1)
	again := judge.Run(tr, judge.Options{}).Again
	if len(again) != 2 || again[0].Rest != again[1].Rest || again[0].Rest < simulate.Documented()[0].Policy.Rest() {
		t.Fatalf("to repeat: %+v, want A on both after the same rest", again)
	}

	alone := both(t, right)
	noisy(alone, []string{"lookup"}, plan.A1)
	repeated(alone, both(t, right), "lookup")
	if v := judge.Run(alone, judge.Options{}).Rows()["LD-LIM-ENDPOINT"]; v != judge.NotAssessed {
		t.Errorf("lookup repeated alone: ENDPOINT %s", v)
	}
	repeated(tr, both(t, right), "ingest", "lookup")
	if v := judge.Run(tr, judge.Options{}).Rows()["LD-LIM-ENDPOINT"]; v != judge.Pass {
		t.Errorf("both repeated: ENDPOINT %s", v)
	}
}

// Where the burst after a rest was spoilt, it is asked for once more after so long a rest that nothing is left open.
func TestASpoiltRecoveryIsDecidedByALongRest(t *testing.T) {
	for _, test := range []struct {
		limiter string
		want    judge.Verdict
	}{{right, judge.Pass}, {"burst never comes back", judge.Fail}} {
		rng := rand.New(rand.NewPCG(1, 1))
		policies := simulate.Policies([]plan.Endpoint{ingest})
		model := limiter(t, test.limiter).New(policies, rng)
		preflight := simulate.Preflight(simulate.Jitter2, rng)
		tr := simulate.TwoRate([]plan.Endpoint{ingest}, plan.Options{Jitter: judge.Jitter(preflight), Keys: 3}).
			RunFrom(0, model, simulate.Jitter2, preflight, rng)
		noisy(tr, []string{"ingest"}, plan.B3)
		again := judge.Run(tr, judge.Options{}).Again
		if len(again) != 1 || !again[0].OnlyB3 || again[0].Rest < plan.RepeatRest {
			t.Fatalf("%s: to repeat: %+v, want B3 alone after a minute", test.limiter, again)
		}
		b3, _ := plan.RepeatB3(tr.Meta.Plan.Phases, "ingest", 100*time.Second)
		second := simulate.Experiment{Plan: plan.Plan{Endpoints: []plan.Endpoint{ingest}, Phases: []plan.Phase{b3}}}.
			RunFrom(0, model, simulate.Jitter2, nil, rng)
		for _, s := range second.Samples {
			s.Phase = uint16(len(tr.Meta.Plan.Phases))
			tr.Samples = append(tr.Samples, s)
		}
		tr.Meta.Plan.Phases = append(tr.Meta.Plan.Phases, b3)
		report := judge.Run(tr, judge.Options{})
		for _, f := range report.Findings {
			if f.Row != "LD-LIM-INGEST-RECOVER" {
				continue
			}
			notes := strings.Join(f.Notes, "; ")
			if f.Verdict != test.want || !strings.Contains(notes, "B3 was repeated") || strings.Contains(notes, "was not back") {
				t.Errorf("%s: RECOVER %s %s, notes %q", test.limiter, f.Verdict, f.Reason, notes)
			}
		}
		if len(report.Again) > 0 {
			t.Errorf("%s: to repeat once more: %+v", test.limiter, report.Again)
		}
	}
}
