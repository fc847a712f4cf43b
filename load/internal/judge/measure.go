package judge

import (
	"math"
	"slices"
)

// The measures in this file work on admission times: seconds since the start of the run, in order.

// Trapezoid is the rate of the times within [from, to], per second. Each weighs 0 to 1 over the first second, 1, and 1 to
// 0 over the last; the sum is divided by the integral of that weight, to-from-1. Whatever repeats every second counts
// exactly once in it, wherever the second begins: windows of one second leave no trace in the rate. to-from > 1.
func Trapezoid(times []float64, from, to float64) float64 {
	var sum float64
	for _, t := range within(times, from, to) {
		sum += min(1, t-from, to-t)
	}
	return sum / (to - from - 1)
}

// MedianRate is the median, over all stretches within [from, to] that are a second shorter, of the number of times in them,
// per second; the trapezoid is their mean. Where times come in bunches, jitter moves whole bunches and with them the
// mean, but most stretches begin and end between bunches and all hold the same number. to-from > 1.
func MedianRate(times []float64, from, to float64) float64 {
	const step = 0.01
	length := to - from - 1
	var counts []float64
	for t := from; t <= from+1; t += step {
		counts = append(counts, float64(len(within(times, t, t+length))))
	}
	return median(counts) / length
}

// Most is the largest number of times within any one second.
func Most(times []float64) int {
	most, first := 0, 0
	for i, t := range times {
		for t-times[first] >= 1 {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// refusedByLog is how many of the times a limiter refuses that admits most of them within any one second.
func refusedByLog(times []float64, most float64) int {
	admitted := make([]float64, 0, len(times))
	first, refused := 0, 0 // the first one admitted within the last second
	for _, t := range times {
		for first < len(admitted) && admitted[first] <= t-1 {
			first++
		}
		if float64(len(admitted)-first)+1 > most {
			refused++
		} else {
			admitted = append(admitted, t)
		}
	}
	return refused
}

// lastDense is the last of the times whose trailing second holds at least n of them; -Inf if there is none.
func lastDense(times []float64, n float64) float64 {
	for last := len(times) - 1; last >= 0; last-- {
		first := last + 1 - int(math.Ceil(n))
		if first < 0 {
			break
		}
		if times[last]-times[first] < 1 {
			return times[last]
		}
	}
	return math.Inf(-1)
}

// leastExcess is the minimum over [from, to] of D(t) - rate·(t-origin), D(t) being the number of times before t.
func leastExcess(times []float64, rate, origin, from, to float64) float64 {
	first, _ := slices.BinarySearch(times, from)
	last, _ := slices.BinarySearch(times, to)
	// D is constant between two times, so the minimum is at the end of such a stretch.
	least := float64(last) - rate*(to-origin)
	for i := first; i < last; i++ {
		least = min(least, float64(i)-rate*(times[i]-origin))
	}
	return least
}

// greatestRise is the largest n - rate·d of any n times that follow each other within d. 0 of none.
func greatestRise(times []float64, rate float64) float64 {
	lowest, greatest := math.Inf(1), 0.0
	for i, t := range times {
		lowest = min(lowest, float64(i)-rate*t)
		greatest = max(greatest, float64(i+1)-rate*t-lowest)
	}
	return greatest
}

// mostExcess is the maximum over [from, to] of the mean of D(t) - rate·(t-origin) over a stretch of the given width.
// The mean keeps the bunches of a windowed limiter from counting as credit.
func mostExcess(times []float64, rate, origin, from, to, width float64) float64 {
	const step = 0.02 // seconds
	var left, right integral
	most := math.Inf(-1)
	for t := from; t+width <= to; t += step {
		mean := (right.upTo(times, t+width) - left.upTo(times, t)) / width
		most = max(most, mean-rate*(t+width/2-origin))
	}
	return most
}

// integral is that of D, the number of times before t: the sum of t-tᵢ over them.
type integral struct {
	n   int
	sum float64
}

// upTo moves on to t, which must not be before the last one, and returns the integral up to there.
func (a *integral) upTo(times []float64, t float64) float64 {
	for a.n < len(times) && times[a.n] < t {
		a.sum += times[a.n]
		a.n++
	}
	return float64(a.n)*t - a.sum
}

// within is the stretch of sorted times in [from, to].
func within(times []float64, from, to float64) []float64 {
	first, _ := slices.BinarySearch(times, from)
	last, _ := slices.BinarySearch(times, to)
	return times[first:last]
}

// median of the values, whose order it changes. 0 of none.
func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile is the smallest value that a share q of all don't exceed. It changes the order of the values (Hoare's
// selection). 0 of none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	k := max(0, int(math.Ceil(q*float64(len(values))))-1)
	low, high := 0, len(values)-1
	for low < high {
		pivot := values[(low+high)/2]
		i, j := low, high
		for i <= j {
			for values[i] < pivot {
				i++
			}
			for values[j] > pivot {
				j--
			}
			if i <= j {
				values[i], values[j] = values[j], values[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			high = j
		case k >= i:
			low = i
		default:
			return values[k]
		}
	}
	return values[k]
}
