package judge

import (
	"fmt"
	"math"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// steadyAbove: under lasting overload no more than R a second gets in (LD-LIM-E-STEADY). Only counting after exhaustion
// can tell R from 0.95 R: traffic at R itself would take E/0.05R seconds to drain the credit.
func steadyAbove(e *evidence) Finding {
	f, ok := e.finding(e.row("STEADY"), "R̂ after exhaustion, requests per second", plan.A1, plan.A2)
	if !ok {
		return f
	}
	h := e.steadyHalfWidth()
	f.Detectable = e.deviation("R", "higher", h+e.steadyNoise(), e.Policy.Rate)
	return f.judged(e.steady.rate, AtMost(e.Policy.Rate+h), "more gets in under lasting overload than the sustained rate")
}

// steadyBelow: nor does what gets in fall below R: refused requests are not charged, nobody is locked out
// (LD-LIM-E-FLOOR).
func steadyBelow(e *evidence) Finding {
	f, ok := e.finding(e.row("FLOOR"), "R̂ after exhaustion, requests per second", plan.A1, plan.A2)
	switch {
	case !ok:
		return f
	case !e.limited(plan.A2):
		return f.notAssessed(noLimit)
	}
	h := e.steadyHalfWidth()
	f.Detectable = e.deviation("R", "lower", h+e.steadyNoise(), e.Policy.Rate)
	return f.judged(e.steady.rate, AtLeast(e.Policy.Rate-h), "less gets in under lasting overload than the sustained rate")
}

// steadyHalfWidth of the interval around R: 3 %, and what jitter moves across the slopes of the trapezoid.
func (e *evidence) steadyHalfWidth() float64 {
	return 0.03*e.Policy.Rate + 0.25*e.phase[plan.A2].noise(e.jitter)/(e.steady.to-e.steady.from-1)
}

// steadyNoise is what R̂ may be off by: one request, and jitter.
func (e *evidence) steadyNoise() float64 {
	return (1 + 0.25*e.phase[plan.A2].noise(e.jitter)) / (e.steady.to - e.steady.from - 1)
}

// answersInTime: a limiter that holds requests back instead of refusing them lets in no more a second, but lets waiting
// grow without bound (LD-LIM-E-STEADY). The figure is the mean latency, in A's last second, of what got in or was never
// answered, less the smallest: refusals come at once even from a limiter that holds back what it admits.
//
// Slowness of this kind looks like a noisy network. It is told apart by the traffic that may not be limited: where the
// answers to A1 and C come in time, the network is sound.
func answersInTime(e *evidence) Finding {
	f, ok := e.finding(e.row("STEADY"), "latency under overload beyond the smallest, seconds", plan.A1)
	if !ok {
		return f
	}
	a2 := e.phase[plan.A2]
	if a2 == nil || len(a2.samples) == 0 {
		return f.notAssessed("phase %s was not run", plan.A2)
	}
	if c := e.at(plan.C, a2.Attempt); c != nil && len(c.guard.slow) > 0 {
		return f.notAssessed("client or network too noisy (phase C: %v)", c.guard.slow)
	}
	smallest, sum, n := math.Inf(1), 0.0, 0
	for _, s := range e.phase[plan.A1].samples {
		smallest = min(smallest, s.Latency().Seconds())
	}
	last := a2.last()
	for _, s := range a2.samples {
		if s.Sent.Seconds() > last-1 && s.Kind != trace.Limited {
			sum += s.Latency().Seconds()
			n++
		}
	}
	if n == 0 {
		return f.notAssessed("nothing got in during the last second of %s", plan.A2)
	}
	f.Detectable = "answers held back by a second"
	f = f.judged(sum/float64(n)-smallest, AtMost(1), "requests are held back instead of refused")
	if f.Verdict == Pass && len(a2.guard.faults()) > 0 {
		f.phases = append(f.phases, a2)
		f, _ = f.guarded()
	}
	return f
}

// peakMeasure is B̂, by two measures: the mean (the trapezoid) sees whatever happened in the stretch that was counted, the
// median sees the finer deviation.
type peakMeasure struct {
	mean, median float64
	seconds      float64 // for how long it was counted, but for the slopes
	silent       float64 // seconds of these in which the client, held up, offered nothing
	short        bool    // what gets in fell off before a second of it could be counted
}

// peakRate counts B̂ on B1 while the credit lasts, for five seconds at most. It begins when even a peak bucket as deep as
// one second of B is drained, and when a limiter that counts by the clock is through its first, cut-off second. It ends
// before what gets in falls off, and a second before W is over: a limiter that admits a second's worth at once may have
// used up its credit by then. ok is false if W is too short for that.
func (e *evidence) peakRate() (m peakMeasure, ok bool) {
	p, b1 := e.Policy, e.phase[plan.B1]
	after := max(1, p.Burst/(b1.Rate-p.Burst)+0.2) // b1.Rate is above B
	end := p.Window.Seconds() - 1
	if end-after-1 < 1 {
		return peakMeasure{}, false
	}
	dense := p.Burst - 0.3*(p.Burst-p.Rate) // 0.85 B for the documented limits: below B, above R
	fell := lastDense(b1.admitted, dense) - b1.begin
	k := math.Floor(min(end, fell-0.1) - after - 1)
	short := k < 1
	k = min(4, max(1, k))
	from := b1.begin + after
	return peakMeasure{
		mean:    Trapezoid(b1.admitted, from, from+k+1),
		median:  MedianRate(b1.admitted, from, from+k+1),
		seconds: k,
		silent:  b1.silence(from, from+k+1),
		short:   short,
	}, true
}

// peakWidths are the half-widths of the intervals around B for the mean and for the median: 3 %, and jitter.
//
// With 20 a second admitted at the turn of each second, a jitter of 10 ms moves the mean over two seconds by up to 0.6,
// because the one request that comes first after the turn moves a whole bunch; it doesn't move the median at all, which
// may be off by what is missing to a whole number instead.
func (e *evidence) peakWidths(m peakMeasure) (mean, median float64) {
	noise := e.phase[plan.B1].noise(e.jitter) / m.seconds
	count := e.Policy.Burst * m.seconds
	missing := math.Abs(count-math.Round(count)) / m.seconds
	return 0.03*e.Policy.Burst + 0.5*noise, 0.03*e.Policy.Burst + 0.25*noise + missing
}

// peakAbove: offered more than B, no more than B a second gets in (LD-LIM-E-PEAK).
func peakAbove(e *evidence) []Finding {
	const failure = "more gets in per second than the burst rate"
	mean, median := e.peakFindings(e.row("PEAK"), "higher")
	if mean.Verdict == NotAssessed {
		return []Finding{mean}
	}
	mean = mean.judged(mean.Figure, AtMost(mean.Accept.High), failure)
	median = median.judged(median.Figure, AtMost(median.Accept.High), failure)
	return []Finding{e.underPeakPolicy(mean), e.underPeakPolicy(median)}
}

// peakBelow: while the credit lasts, B a second does get in, whatever is offered (LD-LIM-E-FLOOR).
func peakBelow(e *evidence) []Finding {
	const failure = "less gets in per second than the burst rate, while the allowance lasts"
	mean, median := e.peakFindings(e.row("FLOOR"), "lower")
	switch {
	case mean.Verdict == NotAssessed:
		return []Finding{mean}
	case !e.limited(plan.B1):
		return []Finding{mean.notAssessed(noLimit)}
	}
	// A limiter that lets a second of B in at once may have used up a small credit by then.
	b1 := e.phase[plan.B1]
	if m, _ := e.peakRate(); m.short && e.creditOn(b1) >= e.Policy.Credit()-e.creditMargin(b1) {
		return []Finding{mean.notAssessed("the burst allowance was used up before the rate in it could be counted")}
	}
	return []Finding{
		mean.judged(mean.Figure, AtLeast(mean.Accept.Low), failure),
		median.judged(median.Figure, AtLeast(median.Accept.Low), failure),
	}
}

// peakFindings measures B̂ both ways, with the interval around B of each. If it can't be measured, the first says so.
func (e *evidence) peakFindings(row, direction string) (mean, median Finding) {
	f, ok := e.finding(row, "", plan.B1)
	mean, median = f, f
	mean.Clause = "B̂ while the credit lasts, mean, requests per second"
	median.Clause = "B̂ while the credit lasts, median, requests per second"
	if !ok {
		return mean, median
	}
	m, ok := e.peakRate()
	if !ok {
		return mean.notAssessed("the burst window is too short to count the rate in it"), median
	}
	ofMean, ofMedian := e.peakWidths(m)
	mean.Figure, mean.Accept = m.mean, around(e.Policy.Burst, ofMean)
	median.Figure, median.Accept = m.median, around(e.Policy.Burst, ofMedian)
	if direction == "lower" {
		// What was not asked for could not get in, and a log of the last second is so much later from then on.
		lost := e.Policy.Burst * m.silent / m.seconds
		mean.Accept.Low -= lost
		ofMean += lost
	}
	mean.Detectable = e.deviation("B", direction, ofMean+1/m.seconds, e.Policy.Burst)
	median.Detectable = e.deviation("B", direction, ofMedian+1/m.seconds, e.Policy.Burst)
	return mean, median
}

// peakSecond: within no second much more than twice B gets in, whatever the phase of a limiter's windows
// (LD-LIM-E-PEAK). ok is false where no more than that is offered.
func peakSecond(e *evidence) (f Finding, ok bool) {
	f, ok = e.finding(e.row("PEAK"), "most admitted within one second", plan.B1)
	if !ok {
		return f, true
	}
	b1 := e.phase[plan.B1]
	limit := math.Floor(2.06*e.Policy.Burst + 1 + 2*b1.noise(e.jitter))
	if b1.Rate <= limit {
		return f, false
	}
	f.Detectable = fmt.Sprintf("more than %.0f requests within a second, of %.4g offered", limit, b1.Rate)
	return e.underPeakPolicy(f.judged(float64(Most(b1.admitted)), AtMost(limit), "more gets in within one second than two windows hold")), true
}

// peakStretch: nor does more than B a second get in over any longer stretch of the burst, at its beginning or its end
// (LD-LIM-E-PEAK). The figure is the most by which D outgrows B·t between two admissions. A limiter that keeps to B may
// let a second of B in at once, or two windows' worth that meet: at the rate offered these take a while to arrive.
func peakStretch(e *evidence) Finding {
	f, ok := e.finding(e.row("PEAK"), "most admitted beyond B over any stretch of the burst", plan.B1)
	if !ok {
		return f
	}
	b1, burst := e.phase[plan.B1], e.Policy.Burst
	meeting := 2 * burst * (1 - burst/b1.Rate)
	limit := max(burst, meeting) + 0.03*burst + 1 + 2*b1.noise(e.jitter)
	f.Detectable = fmt.Sprintf("a peak that is not policed for %.2g s", limit/(b1.Rate-burst))
	return e.underPeakPolicy(f.judged(greatestRise(b1.admitted, burst), AtMost(limit), "more gets in than the burst rate and what two windows hold"))
}

// underPeakPolicy only shows what bounds the peak where B is read as a capacity.
func (e *evidence) underPeakPolicy(f Finding) Finding {
	if e.peak == plan.PeakCapacity {
		return f.observed("policy peak: capacity: B sizes the allowance and bounds no second")
	}
	return f
}

// deviation words the smallest deviation that a rate's interval and noise leave visible.
func (e *evidence) deviation(what, direction string, by, of float64) string {
	return fmt.Sprintf("%s %s by %.2g %%", what, direction, 100*by/of)
}
