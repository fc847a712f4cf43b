package harness

import (
	"slices"
	"strings"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// limits tells of each endpoint what was sent, what came back, and what was measured.
func (r *run) limits() []Limit {
	byPhase := make([][]trace.Sample, len(r.book.phases()))
	for _, s := range r.book.samples {
		byPhase[s.Phase] = append(byPhase[s.Phase], s)
	}
	limits := []Limit{}
	for _, e := range r.book.meta.Plan.Endpoints {
		if r.dropped[e.Name] {
			continue
		}
		l := Limit{
			API: e.API, Endpoint: e.Name, Phases: []Phase{}, Estimate: r.estimates(e),
			Policy: Promise{Rate: e.Policy.Rate, Burst: e.Policy.Burst, WindowS: e.Policy.Window.Seconds()},
		}
		l.Supplier = r.keys[plan.StreamA]
		if e.API == target.APIInsertion {
			l.Supplier = r.keys[plan.StreamFirst]
		}
		for i, p := range r.book.phases() {
			if p.Endpoint == e.Name && len(byPhase[i]) > 0 {
				l.Phases = append(l.Phases, r.phase(p, byPhase[i]))
			}
		}
		limits = append(limits, l)
	}
	return limits
}

// phase tells of one phase that was run.
func (r *run) phase(p plan.Phase, samples []trace.Sample) Phase {
	told := Phase{Name: string(p.Name), Stream: string(p.Stream), Key: r.keys[p.Stream], Attempt: p.Attempt, Rate: p.Rate, Sent: len(samples)}
	start, end := samples[0].Intended, samples[0].Intended
	lags, trips := make([]time.Duration, len(samples)), make([]time.Duration, len(samples))
	for i, s := range samples {
		start, end = min(start, s.Intended), max(end, s.Intended)
		lags[i], trips[i] = s.Lag(), s.Latency()
		switch s.Kind {
		case trace.Admitted:
			told.Admitted++
		case trace.Limited:
			told.Limited++
		default:
			told.Other++
		}
	}
	slices.Sort(lags)
	slices.Sort(trips)
	told.StartS, told.LengthS = start.Seconds(), (end - start).Seconds()
	told.LagMS, told.TripMS = milliseconds(lags[(len(lags)-1)*99/100]), milliseconds(trips[len(trips)/2])
	told.Seconds = seconds(samples, start)
	return told
}

// seconds counts what happened in each second of a phase.
func seconds(samples []trace.Sample, start time.Duration) []Second {
	var all []Second
	var trips [][]time.Duration
	at := func(t time.Duration) (n int) {
		n = max(0, int((t-start)/time.Second))
		for len(all) <= n {
			all, trips = append(all, Second{}), append(trips, nil)
		}
		return n
	}
	for _, s := range samples {
		all[at(s.Intended)].Offered++
		n := at(s.Sent)
		all[n].Sent++
		trips[n] = append(trips[n], s.Latency())
		switch s.Kind {
		case trace.Admitted:
			all[n].Admitted++
		case trace.Limited:
			all[n].Limited++
		case trace.Other: // seen as what was sent and neither admitted nor limited
		}
	}
	for n, t := range trips {
		if len(t) > 0 {
			slices.Sort(t)
			all[n].TripMS, all[n].SlowestMS = milliseconds(t[len(t)/2]), milliseconds(t[len(t)-1])
		}
	}
	return all
}

// estimates are the figures that the clauses measured of an endpoint: rate and burst in requests per second, credit in
// requests; or the requests that a fixed window holds, and its length in seconds.
func (r *run) estimates(e plan.Endpoint) map[string]float64 {
	measured := map[string]float64{}
	for _, f := range r.judged.Findings {
		if f.Endpoint != e.Name || f.Verdict == NotAssessed {
			continue
		}
		switch {
		case strings.HasPrefix(f.Clause, "R̂"):
			measured["rate"] = f.Figure
		case strings.HasPrefix(f.Clause, "B̂"):
			measured["burst"] = f.Figure
		case strings.HasPrefix(f.Clause, "Emax"):
			measured["credit"] = f.Figure
		}
	}
	if w := r.judged.Window; w != nil && e.API == target.APIInsertion {
		measured["requests"], measured["window_s"] = float64(w.Requests), w.Seconds
	}
	return measured
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
