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
	if !bunched(o.admitted, from, o.end) {
		return Bucket
	}
	// A log's drift was 0.5/λ without jitter, (0.5 + 1.5·√(λσ̂))/λ with it; a fixed window's at most 0.25·√(λσ̂)/λ.
	if o.drift(segments) > (0.25+0.5*o.noise)/o.rate {
		return SlidingWindow
	}
	return FixedWindow
}

func within(times []float64, from, to float64) []float64 {
	first, _ := slices.BinarySearch(times, from)
	last, _ := slices.BinarySearch(times, to)
	return times[first:last]
}

// bunched reports whether what was admitted between two times has a rhythm of one second. Fewer than two requests a second are
// no bunches: a bucket of one a second would seem to have them.
func bunched(admitted []float64, from, to float64) bool {
	tail := within(admitted, from, to)
	return float64(len(tail)) >= 2*(to-from) && rhythm(tail, from, to) > windowed
}

// windowed is how strong the rhythm of a second has to be for a limiter to count in seconds.
const windowed = 0.3

// rhythm is how strongly the times repeat every second: |Σ w e^(2πit)| / Σ w with a Hann window, 0 if they are spread
// evenly, 1 if they all fall on the same moment of the second.
func rhythm(times []float64, from, to float64) float64 {
	var sum complex128
	var weight float64
	for _, t := range times {
		w := 1 - math.Cos(2*math.Pi*(t-from)/(to-from))
		sum += complex(w, 0) * cmplx.Exp(complex(0, 2*math.Pi*t))
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
		y := bunches(within(o.middles, s.from, s.to))
		middle := float64(len(y)-1) / 2
		for i, v := range y {
			x := float64(i) - middle
			xy += x * v
			xx += x * x
		}
	}
	if xx == 0 {
		return 0
	}
	return xy / xx
}

// bunches are the mean moments of the whole seconds that the times span, relative to the first bunch. Seconds are cut where
// the fewest bunches are: half a second from where most of the times fall.
func bunches(times []float64) []float64 {
	if len(times) == 0 {
		return nil
	}
	var sum complex128
	for _, t := range times {
		sum += cmplx.Exp(complex(0, 2*math.Pi*t))
	}
	cut := cmplx.Phase(sum)/(2*math.Pi) + 0.5
	var moments []float64
	// The first and the last bunch may be cut off by a corner.
	for k := math.Ceil(times[0] - cut); cut+k+1 <= times[len(times)-1]; k++ {
		second := within(times, cut+k, cut+k+1)
		if len(second) == 0 {
			continue
		}
		var mean float64
		for _, t := range second {
			mean += (t - cut - k) / float64(len(second))
		}
		moments = append(moments, mean)
	}
	return moments
}
