package simulate_test

import (
	"runtime"
	"testing"
	"time"

	"leadconform/load/internal/estimate"
	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/simulate"
	"leadconform/load/internal/trace"
)

func moments(samples []trace.Sample) []time.Duration {
	var all []time.Duration
	for _, s := range samples {
		all = append(all, s.Sent, s.Received)
	}
	return all
}

// million is a trace of a million samples: the experiment at twenty times the documented limits, and a fingerprint.
func million(b *testing.B) *trace.Trace {
	b.Helper()
	endpoint := plan.Endpoint{API: "distro", Name: "ping", Policy: plan.Policy{Rate: 9000, Burst: 18_000, Window: 10 * time.Second}}
	_, tr := simulate.Trial{Limiter: simulate.Right()[1], Network: simulate.Jitter2, Endpoints: []plan.Endpoint{endpoint}, Seed: 1}.Run()
	f := plan.Known(endpoint.Name, plan.Policy{Rate: 3000, Burst: 6000, Window: 10 * time.Second})
	e := simulate.Experiment{
		Plan:    plan.Plan{Endpoints: []plan.Endpoint{endpoint}, Phases: f.Phases()},
		Scripts: []simulate.Scripted{{Script: plan.NewFingerprintScript(f, 0), After: -1}},
	}
	rng := simulate.Seeded(1)
	over := e.Run(simulate.Right()[1].New(simulate.Policies(tr.Meta.Plan.Endpoints), rng), simulate.Jitter2, tr.Meta.Preflight, rng)
	for _, s := range over.Samples {
		s.Phase += uint16(len(tr.Meta.Plan.Phases))
		tr.Samples = append(tr.Samples, s)
	}
	tr.Meta.Plan.Phases = append(tr.Meta.Plan.Phases, f.Phases()...)
	return tr
}

func BenchmarkJudgeAndEstimateAMillion(b *testing.B) {
	tr := million(b)
	b.ReportMetric(float64(len(tr.Samples)), "samples")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	for range b.N {
		judge.Run(tr, judge.Options{})
		if _, err := estimate.Fingerprint(tr, "ping"); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/1e6, "MB-allocated/op")
	b.ReportMetric(float64(cap(tr.Samples)*48)/1e6, "MB-trace")
}

func BenchmarkTrial(b *testing.B) {
	for _, e := range simulate.Documented() {
		b.Run(e.Name, func(b *testing.B) {
			for i := range b.N {
				simulate.Trial{Limiter: simulate.Right()[1], Network: simulate.Jitter10, Endpoints: []plan.Endpoint{e}, Seed: uint64(i)}.Run()
			}
		})
	}
}
