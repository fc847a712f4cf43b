package simulate

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// Documented lists the endpoints of the Lead Distro API with the limits of its documents.
func Documented() []plan.Endpoint {
	return []plan.Endpoint{
		{API: "distro", Name: "ingest", Policy: plan.Policy{Rate: 100, Burst: 200, Window: 10 * time.Second}},
		{API: "distro", Name: "ping", Policy: plan.Policy{Rate: 500, Burst: 1000, Window: 10 * time.Second}},
		{API: "distro", Name: "lookup", Policy: plan.Policy{Rate: 10, Burst: 20, Window: 5 * time.Second}},
	}
}

// Policies of endpoints by name.
func Policies(endpoints []plan.Endpoint) map[string]plan.Policy {
	policies := make(map[string]plan.Policy)
	for _, e := range endpoints {
		policies[e.Name] = e.Policy
	}
	return policies
}

// Trial is one run of the two-rate experiment, with what is repeated of it, against one limiter.
type Trial struct {
	Limiter   Limiter
	Network   Network
	Endpoints []plan.Endpoint
	Seed      uint64
	Peak      plan.Peak
}

// Run goes through the experiment as a real client does: it measures the jitter, plans, runs, judges, repeats once what
// deserves it, and judges again.
func (t Trial) Run() (judge.Report, *trace.Trace) {
	rng := t.rng()
	preflight := Preflight(t.Network, rng)
	model := t.Limiter.New(Policies(t.Endpoints), rng)
	experiment := TwoRate(t.Endpoints, plan.Options{Jitter: judge.Jitter(preflight), Keys: 3})
	ahead := time.Duration(rng.Int64N(int64(10 * time.Second)))
	run := experiment.RunFrom(ahead, model, t.Network, preflight, rng)
	options := judge.Options{Peak: t.Peak}
	report := judge.Run(run, options)
	if len(report.Again) == 0 {
		return report, run
	}
	t.again(run, report.Again, ahead, model, rng)
	return judge.Run(run, options), run
}

// again repeats streams, and adds what is seen to the trace.
func (t Trial) again(run *trace.Trace, list []judge.Again, ahead time.Duration, model Model, rng *rand.Rand) {
	last := slices.MaxFunc(run.Samples, func(a, b trace.Sample) int { return int(a.Received - b.Received) }).Received
	phases := run.Meta.Plan.Phases
	var more []plan.Phase
	for _, a := range list {
		if a.OnlyB3 {
			if b3, ok := plan.RepeatB3(phases, a.Endpoint, last+a.Rest); ok {
				more = append(more, b3)
			}
			continue
		}
		for _, p := range plan.Repeat(phases, a.Endpoint, a.Stream, last+a.Rest) {
			if !p.Adaptive() {
				more = append(more, p)
			}
		}
	}
	second := Experiment{Plan: plan.Plan{Endpoints: t.Endpoints, Phases: more}}.RunFrom(ahead, model, t.Network, nil, rng)
	for _, s := range second.Samples {
		s.Phase += uint16(len(phases))
		s.Seq += uint32(len(run.Samples))
		run.Samples = append(run.Samples, s)
	}
	run.Meta.Plan.Phases = append(slices.Clip(phases), more...)
}

// rng is the trial's own source of chance: the same trial always goes the same way.
func (t Trial) rng() *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(t.Limiter.Name + "\x00" + t.Network.Name))
	for _, e := range t.Endpoints {
		h.Write([]byte("\x00" + e.Name))
	}
	return rand.New(rand.NewPCG(t.Seed, h.Sum64()))
}

// Seeded is a source of chance for a test.
func Seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
