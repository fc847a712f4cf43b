package estimate

import (
	"math"
	"math/cmplx"
	"slices"
)

// family tells how admissions are spread within seconds: whether in bunches by the tail alone, whether these drift by all
// that came before it too.
func (o *overload) family(segments []segment) Family {
	tail := segments[len(segments)-1]
	from := tail.from + 0.5
	switch {
	case !bunched(o.admitted, from, o.end):
		return Bucket
	case o.slides(o.drift(segments)):
		return SlidingWindow
	}
	return FixedWindow
}

// slides reports whether bunches that drift by so much are those of a log. Its drift was 0.5/λ without jitter, with it at least
// (0.4 + 0.6·√(λσ̂))/λ; a fixed window's at most (0.3 + 0.2·√(λσ̂))/λ.
func (o *overload) slides(drift float64) bool { return drift > (0.35+0.35*o.noise)/o.rate }

// perSecond turns the rate at which a log of the last second lets requests in, on a segment of the curve, into what it lets in
// within any second: its bunches hold as much, but come a drift more than a second apart.
func (o *overload) perSecond(rate float64, s segment) float64 {
	if drift := o.drift([]segment{s}); o.slides(drift) {
		return rate * (1 + drift)
	}
	return rate
}

func within(times []float64, from, to float64) []float64 {
	first, _ := slices.BinarySearch(times, from)
	last, _ := slices.BinarySearch(times, to)
	return times[first:last]
}

// bunched reports whether what was admitted between two times has a rhythm of one second. Fewer than three requests a second
// are no bunches: a bucket of one or two a second would seem to have them. Nor does a rhythm show in less than two seconds.
func bunched(admitted []float64, from, to float64) bool {
	if to-from < 2 {
		return false
	}
	tail := within(admitted, from, to)
	_, strength := pulse(tail, from, to)
	return float64(len(tail)) >= 3*(to-from) && strength > windowed
}

// pulse is the period, a second or a little more, in which the times repeat most strongly, and how strongly. Jitter makes the
// bunches of a log come later by up to some 5 % of a second each. A log that turns from B to R may keep two bunches of each
// second, half of one apart, which show in half the period only.
func pulse(times []float64, from, to float64) (period, strength float64) {
	for p := 1.0; p < 1.06; p += 0.01 {
		if s := max(rhythm(times, from, to, p), rhythm(times, from, to, p/2)); s > strength {
			period, strength = p, s
		}
	}
	return period, strength
}

// windowed is how strong the rhythm of a second has to be for a limiter to count in seconds.
const windowed = 0.3

// rhythm is how strongly the times repeat with a period: |Σ w e^(2πit/period)| / Σ w with a Hann window, 0 if they are spread
// evenly, 1 if they all fall on the same moment of it.
func rhythm(times []float64, from, to, period float64) float64 {
	var sum complex128
	var weight float64
	for _, t := range times {
		w := 1 - math.Cos(2*math.Pi*(t-from)/(to-from))
		sum += complex(w, 0) * cmplx.Exp(complex(0, 2*math.Pi*t/period))
		weight += w
	}
	if weight == 0 {
		return 0
	}
	return cmplx.Abs(sum) / weight
}

// drift is by how much the bunches come later from each second to the next, in seconds. A log that forgets a request after
// a second admits the next one that comes: each of its bunches comes later by half the distance of two requests, at least.
// A fixed window's bunches stay where they are.
//
// Where a bunch lies is the mean moment of what was admitted in that second, taken half-way between sending and answer,
// which is nearer to the decision than either. In each segment bunches are of another size, so each has a line of its
// own, and all lines the same slope.
func (o *overload) drift(segments []segment) float64 {
	slices.Sort(o.middles)
	var xy, xx float64
	for _, s := range segments {
		times := within(o.middles, s.from, s.to)
		period, _ := pulse(times, s.from, s.to)
		y := bunches(times, period)
		middle := float64(len(y)-1) / 2
		for i, v := range y {
			x := float64(i) - middle
			xy += x * (v + x*(period-1))
			xx += x * x
		}
	}
	if xx == 0 {
		return 0
	}
	return xy / xx
}

// bunches are the mean moments of the whole periods that the times span, each relative to where it begins. Periods are cut
// where the fewest times are: half of one from where most of them fall.
func bunches(times []float64, period float64) []float64 {
	if len(times) == 0 {
		return nil
	}
	var sum complex128
	for _, t := range times {
		sum += cmplx.Exp(complex(0, 2*math.Pi*t/period))
	}
	cut := (cmplx.Phase(sum)/(2*math.Pi) + 0.5) * period
	var moments []float64
	// The first and the last bunch may be cut off by a corner.
	for k := math.Ceil((times[0] - cut) / period); cut+(k+1)*period <= times[len(times)-1]; k++ {
		begin := cut + k*period
		bunch := within(times, begin, begin+period)
		if len(bunch) == 0 {
			continue
		}
		var mean float64
		for _, t := range bunch {
			mean += (t - begin) / float64(len(bunch))
		}
		moments = append(moments, mean)
	}
	return moments
}
