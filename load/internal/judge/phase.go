package judge

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// phase is what a trace shows of one phase. Times are seconds since the start of the run. A request counts at the time
// at which it was sent: a target that holds a request back has let it in all the same.
type phase struct {
	plan.Phase
	begin, end float64 // from the first intended time to one interval after the last

	admitted, refused []float64       // when requests were sent that were; each in order
	samples           []*trace.Sample // in the order of sending

	guard guard
	cut   bool // the run ended before the phase did
}

// phases sorts a trace by phase. It goes over the samples twice: to count, and to fill.
func phases(t *trace.Trace, jitter float64) []*phase {
	all := make([]*phase, len(t.Meta.Plan.Phases))
	count := make([]int, len(all))
	for i := range t.Samples {
		count[t.Samples[i].Phase]++
	}
	of := make([][]*trace.Sample, len(all))
	most := 0
	for i := range all {
		of[i] = make([]*trace.Sample, 0, count[i])
		most = max(most, count[i])
	}
	scratch := make([]float64, 0, most)
	for i := range t.Samples {
		s := &t.Samples[i]
		of[s.Phase] = append(of[s.Phase], s)
	}
	policies := make(map[string]plan.Policy)
	for _, e := range t.Meta.Plan.Endpoints {
		policies[e.Name] = e.Policy
	}
	for i, p := range t.Meta.Plan.Phases {
		all[i] = newPhase(p, policies[p.Endpoint], of[i], jitter, scratch)
		all[i].cut = t.End.Reason != trace.Complete && !p.Adaptive() && len(of[i]) < p.Count()
	}
	for _, a2 := range all {
		if a1 := before(a2, all); a1 != nil {
			a2.guard.late = append(a2.guard.late, restored(a1, a2, policies[a2.Endpoint])...)
		}
	}
	return all
}

// before is the A1 to an A2: the phase that used up the credit which A2 begins without. nil if there is none.
func before(a2 *phase, all []*phase) *phase {
	for _, p := range all {
		if a2.Name == plan.A2 && p.Name == plan.A1 && p.Endpoint == a2.Endpoint && p.Attempt == a2.Attempt {
			return p
		}
	}
	return nil
}

func newPhase(p plan.Phase, policy plan.Policy, samples []*trace.Sample, jitter float64, scratch []float64) *phase {
	bySending := func(a, b *trace.Sample) int { return cmp.Compare(a.Sent, b.Sent) }
	if !slices.IsSortedFunc(samples, bySending) {
		slices.SortFunc(samples, bySending)
	}
	ph := &phase{Phase: p, samples: samples, begin: math.Inf(1), end: math.Inf(-1)}
	var admitted, refused int
	for _, s := range samples {
		admitted += one(s.Kind == trace.Admitted)
		refused += one(s.Kind == trace.Limited)
		ph.begin = min(ph.begin, s.Intended.Seconds())
		ph.end = max(ph.end, s.Intended.Seconds())
	}
	ph.admitted, ph.refused = make([]float64, 0, admitted), make([]float64, 0, refused)
	for _, s := range samples {
		switch s.Kind {
		case trace.Admitted:
			ph.admitted = append(ph.admitted, s.Sent.Seconds())
		case trace.Limited:
			ph.refused = append(ph.refused, s.Sent.Seconds())
		}
	}
	if p.Rate > 0 {
		ph.end += 1 / p.Rate
	}
	ph.guard = watch(ph, policy, jitter, scratch)
	return ph
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sent is when the requests were sent, in order.
func (p *phase) sent() []float64 {
	times := make([]float64, len(p.samples))
	for i, s := range p.samples {
		times[i] = s.Sent.Seconds()
	}
	return times
}

// tooNoisy is the reason why an unsound phase decides nothing, with the guard's figures.
func (p *phase) tooNoisy() string {
	if p.cut {
		return fmt.Sprintf("the run ended before phase %s was over", p.Name)
	}
	return fmt.Sprintf("client or network too noisy (phase %s: %s)", p.Name, strings.Join(p.guard.faults(), "; "))
}

// last is when the last request was sent. There has to be one.
func (p *phase) last() float64 { return p.samples[len(p.samples)-1].Sent.Seconds() }

// silence is for how long, within [from, to], the client offered nothing though the phase's rate asked for it. What is held
// up for less than 10 ms doesn't count.
func (p *phase) silence(from, to float64) float64 {
	const least = 0.01 // seconds
	times := within(p.sent(), from, to)
	var sum float64
	for i := 1; i < len(times); i++ {
		if extra := times[i] - times[i-1] - 1/p.Rate; extra > least {
			sum += extra
		}
	}
	return sum
}

// noise is √(λσ̂): how many of a phase's requests the jitter moves across the edge of a stretch of time, in standard
// deviations.
func (p *phase) noise(jitter float64) float64 { return math.Sqrt(p.Rate * jitter) }

// medianTrip is the median of round trips, in seconds.
func medianTrip(roundTrips []time.Duration) float64 {
	return median(inSeconds(roundTrips))
}

func inSeconds(durations []time.Duration) []float64 {
	values := make([]float64, len(durations))
	for i, d := range durations {
		values[i] = d.Seconds()
	}
	return values
}

// Jitter is σ̂, the standard deviation of a one-way trip, estimated from round trips: from their interquartile range,
// which a few stragglers don't move, and which is 1.349 σ for a normal deviate; a round trip has the variance of two.
func Jitter(roundTrips []time.Duration) time.Duration {
	values := inSeconds(roundTrips)
	range50 := quantile(values, 0.75) - quantile(values, 0.25)
	return time.Duration(range50 / 1.349 / math.Sqrt2 * float64(time.Second))
}
