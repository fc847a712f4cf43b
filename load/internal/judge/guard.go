package judge

import (
	"fmt"
	"math"
	"strings"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// The validity guard: the run judges itself before it judges the target. A target is never failed because the client
// stalled, and never passed because the client sent less than it meant to.
const (
	// LagBound is how late a request may be sent, but for one in a thousand.
	LagBound = 50 * time.Millisecond
	// TripBound is how much longer than the median an answer may take, but for one in a thousand.
	TripBound = 50 * time.Millisecond
	// JitterBound is the largest σ̂.
	JitterBound = 20 * time.Millisecond
	// ShareBound is the share of a phase's requests that may be missing, and by which it may take longer.
	ShareBound = 0.01
	// LeastPreflight is how many round trips σ̂ has to rest on.
	LeastPreflight = 50
)

// guard is what a phase shows of the client and the network.
type guard struct {
	late  []string // faults of the client: sent late, too few, too many at once
	slow  []string // faults of the network, or of a target that takes its time
	other []string // answers that were neither a success nor a refusal
}

// faults of the phase, in words; none if it is sound.
func (g guard) faults() []string {
	var all []string
	all = append(all, g.late...)
	all = append(all, g.slow...)
	return append(all, g.other...)
}

// watch looks over one phase. scratch is as long as the phase, at least; it is written over.
func watch(p *phase, policy plan.Policy, jitter float64, scratch []float64) guard {
	samples := p.samples
	var g guard
	if bound := JitterBound.Seconds(); jitter > bound {
		g.slow = append(g.slow, fmt.Sprintf("jitter σ̂ %s, above %s", ms(jitter), ms(bound)))
	}
	g.late = append(g.late, delivery(p)...)
	g.late = append(g.late, crowding(p, policy)...)

	lags := scratch[:0]
	for _, s := range samples {
		lags = append(lags, s.Lag().Seconds())
	}
	if beyond(lags, LagBound.Seconds()) {
		g.late = append(g.late, fmt.Sprintf("send lag p99.9 %s, above %s", ms(quantile(lags, 0.999)), ms(LagBound.Seconds())))
	}
	trips := scratch[:0]
	for _, s := range samples {
		if s.Fault != trace.Timeout && s.Fault != trace.Stopped {
			trips = append(trips, s.Latency().Seconds())
		}
	}
	middle := median(trips)
	if beyond(trips, middle+TripBound.Seconds()) {
		g.slow = append(g.slow, fmt.Sprintf("round trip p99.9 %s, more than %s above the median %s",
			ms(quantile(trips, 0.999)), ms(TripBound.Seconds()), ms(middle)))
	}
	if other := others(samples); other != "" {
		g.other = append(g.other, other)
	}
	return g
}

// delivery says whether the client sent what it meant to in the time in which it meant to. One request is granted, as it
// is more than a hundredth of a short phase.
func delivery(p *phase) []string {
	if p.Adaptive() {
		return nil
	}
	var faults []string
	planned, n := p.Count(), len(p.samples)
	if missing := planned - n; float64(missing) > max(1, ShareBound*float64(planned)) {
		faults = append(faults, fmt.Sprintf("%d of %d requests sent", n, planned))
	}
	if n == 0 {
		return faults
	}
	took, meant := p.end-p.begin, float64(n)/p.Rate
	if took > meant*(1+ShareBound)+1/p.Rate {
		faults = append(faults, fmt.Sprintf("took %.2f s instead of %.2f s", took, meant))
	}
	return faults
}

// restored says whether so much credit came back before A2, because it began later after A1 than planned, that a limiter
// which conforms may not be exhausted when R̂ is counted.
func restored(a1, a2 *phase, policy plan.Policy) []string {
	if len(a1.samples) == 0 || len(a2.samples) == 0 {
		return nil
	}
	late := (a2.begin - a1.begin) - (a2.Start - a1.Start).Seconds()
	drained := min(policy.Overload(), policy.Burst) - policy.Rate // credit per second
	if late <= 0 || drained <= 0 || late*policy.Rate/drained <= policy.Reserve().Seconds() {
		return nil
	}
	return []string{fmt.Sprintf("began %.2f s late, in which credit came back", late)}
}

// crowding says whether the client itself exceeded, within some second, what the phase must not exceed.
func crowding(p *phase, policy plan.Policy) []string {
	var limit float64
	switch p.Name {
	case plan.A1, plan.B3:
		limit = policy.Burst
	case plan.C, plan.Apart:
		limit = policy.Rate
	default:
		return nil
	}
	if most := Most(p.sent()); float64(most) > limit {
		return []string{fmt.Sprintf("%d requests sent within one second, of at most %g", most, limit)}
	}
	return nil
}

// others counts the answers that were neither a success nor a well-formed refusal.
func others(samples []*trace.Sample) string {
	count := make(map[string]int)
	var kinds []string
	for _, s := range samples {
		if s.Kind != trace.Other {
			continue
		}
		kind := s.Fault.String()
		if s.Status != 0 {
			kind = fmt.Sprintf("%s, status %d", kind, s.Status)
		}
		if count[kind] == 0 {
			kinds = append(kinds, kind)
		}
		count[kind]++
	}
	var parts []string
	for _, k := range kinds {
		parts = append(parts, fmt.Sprintf("%d× %s", count[k], k))
	}
	return strings.Join(parts, ", ")
}

// beyond reports whether more than one in a thousand of the values lie above the bound. Of few values that can't be
// counted off: of 100, a single one above the bound makes their p99.9 exceed it, though one in ten samples of a
// network exactly at the bound has such a one. So the number above the bound is held against the number which, at a true
// share of one in a thousand, is exceeded once in a thousand phases (Poisson).
func beyond(values []float64, bound float64) bool {
	above := 0
	for _, v := range values {
		if v > bound {
			above++
		}
	}
	return above > tolerated(len(values))
}

// tolerated is the smallest k with P(N > k) ≤ 0.001, N being Poisson with mean n/1000.
func tolerated(n int) int {
	mean := float64(n) / 1000
	if mean > 500 {
		return int(mean + 3.09*math.Sqrt(mean))
	}
	k, term := 0, math.Exp(-mean)
	for sum := term; sum < 0.999; sum += term {
		k++
		term *= mean / float64(k)
	}
	return k
}

// ms prints seconds as milliseconds.
func ms(s float64) string { return fmt.Sprintf("%.1f ms", 1000*s) }
