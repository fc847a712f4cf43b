package judge

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// every returns times at a constant rate.
func every(from, to, rate float64) []float64 {
	var times []float64
	for i := range int((to - from) * rate) {
		times = append(times, from+float64(i)/rate)
	}
	return times
}

// bunched returns times at which a fixed window of a second, beginning at offset, admits: n at the turn of each second.
func bunched(offset, to float64, n int, distance float64) []float64 {
	var times []float64
	for s := offset; s < to; s++ {
		for i := range n {
			times = append(times, s+float64(i)*distance)
		}
	}
	return times
}

func TestTrapezoidSeesNoWindows(t *testing.T) {
	for offset := 0.0; offset < 1; offset += 0.07 {
		for _, length := range []float64{3, 4.2, 7.5} {
			if got := Trapezoid(bunched(offset, 20, 100, 0.002), 3, 3+length); math.Abs(got-100) > 0.01 {
				t.Errorf("windows from %.2f, over %.1f s: %v, want 100", offset, length, got)
			}
		}
	}
	if got := Trapezoid(every(0, 20, 100), 3.3, 8.1); math.Abs(got-100) > 0.2 {
		t.Errorf("evenly: %v, want 100", got)
	}
}

func TestMedianRateIsNotMovedByOneBunch(t *testing.T) {
	times := bunched(0.4, 20, 20, 0.0125)
	for i := range times {
		if times[i] > 5 && times[i] < 6 {
			times[i] += 0.02 // one bunch comes late
		}
	}
	if got := MedianRate(times, 3, 6); got != 20 {
		t.Errorf("median %v, want 20", got)
	}
	if got := Trapezoid(times, 3, 6); math.Abs(got-20) < 0.05 {
		t.Errorf("the trapezoid is %v; it should have moved, or this test shows nothing", got)
	}
}

func TestMost(t *testing.T) {
	tests := []struct {
		name  string
		times []float64
		want  int
	}{
		{"none", nil, 0},
		{"one", []float64{3}, 1},
		{"a second is half open", []float64{0, 0.5, 1}, 2},
		{"two windows that touch", []float64{0, 0.8, 0.9, 1.0, 1.1, 3}, 4},
	}
	for _, test := range tests {
		if got := Most(test.times); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

func TestLastDense(t *testing.T) {
	times := append(every(0, 5, 20), every(5, 10, 10)...)
	if got := lastDense(times, 17); math.Abs(got-5.3) > 0.11 {
		t.Errorf("fell at %v, want about 5.3: 17 in the second up to there", got)
	}
	if got := lastDense(times, 30); !math.IsInf(got, -1) {
		t.Errorf("never so dense, got %v", got)
	}
	if got := lastDense(nil, 5); !math.IsInf(got, -1) {
		t.Errorf("of nothing: %v", got)
	}
}

// excess by the definition: D(t), the number of times before t, minus the line.
func excess(times []float64, rate, origin, t float64) float64 {
	n := 0
	for _, u := range times {
		if u < t {
			n++
		}
	}
	return float64(n) - rate*(t-origin)
}

func TestExcessesAgreeWithTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.Float64Range(0, 10), 1, 60).Draw(t, "times")
		slices.Sort(times)
		rate := rapid.Float64Range(0, 20).Draw(t, "rate")
		const from, to, width = 2.0, 9.0, 0.5

		least := math.Inf(1)
		most := math.Inf(-1)
		const fine = 0.001
		for u := from; u <= to; u += fine {
			least = min(least, excess(times, rate, 0, u))
		}
		for u := from; u+width <= to; u += 0.1 {
			var mean float64
			for i := range 100 {
				mean += excess(times, rate, 0, u+(float64(i)+0.5)*width/100) / 100
			}
			most = max(most, mean)
		}
		if got := leastExcess(times, rate, 0, from, to); got > least+1e-9 || got < least-1-rate*fine {
			t.Fatalf("least excess %v, by the definition %v", got, least)
		}
		if got := mostExcess(times, rate, 0, from, to, width); got < most-0.2-rate*0.02 || got > most+1.5+rate*0.1 {
			t.Fatalf("most excess %v, by the definition %v", got, most)
		}
	})
}

func TestQuantileIsThatOfTheSortedValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-5, 5), 1, 200).Draw(t, "values")
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		sorted := slices.Sorted(slices.Values(values))
		want := sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
		if got := quantile(slices.Clone(values), q); got != want {
			t.Fatalf("quantile %v of %v: %v, want %v", q, sorted, got, want)
		}
	})
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestToleratedIsThePoissonQuantile(t *testing.T) {
	for n, want := range map[int]int{1: 0, 97: 2, 1000: 5, 10_000: 21} {
		if got := tolerated(n); got != want {
			t.Errorf("of %d: %d, want %d", n, got, want)
		}
	}
	// The approximation for very many goes on where the sum ends.
	if below, above := tolerated(500_000), tolerated(501_000); (above-below) < -3 || above-below > 3 {
		t.Errorf("from %d to %d", below, above)
	}
}

func TestIntervalInWordsAndJSON(t *testing.T) {
	tests := map[string]struct {
		interval Interval
		words    string
		json     string
	}{
		"both":    {around(100, 3), "97 to 103", `{"low":97,"high":103}`},
		"low":     {AtLeast(97), "at least 97", `{"low":97,"high":null}`},
		"high":    {AtMost(4), "at most 4", `{"low":null,"high":4}`},
		"exactly": {Exactly(0), "exactly 0", `{"low":0,"high":0}`},
		"none":    {anything(), "anything", `{"low":null,"high":null}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := test.interval.String(); got != test.words {
				t.Errorf("%q, want %q", got, test.words)
			}
			got, err := test.interval.MarshalJSON()
			if err != nil || string(got) != test.json {
				t.Errorf("%s, %v; want %s", got, err, test.json)
			}
			var back Interval
			if err := back.UnmarshalJSON(got); err != nil || back != test.interval {
				t.Errorf("read back: %v, %v", back, err)
			}
		})
	}
}
