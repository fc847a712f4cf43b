package tally

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"leadconform/load/internal/trace"
)

func TestHistogramIsWithinOnePercent(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, scale := range []time.Duration{time.Microsecond, time.Millisecond, time.Second, time.Minute} {
		var h Histogram
		all := make([]time.Duration, 10_000)
		for i := range all {
			all[i] = time.Duration(rng.ExpFloat64() * float64(scale))
			h.Add(all[i])
		}
		slices.Sort(all)
		for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 1} {
			want := all[max(1, int(q*float64(len(all))))-1]
			got := h.Quantile(q)
			if diff := (got - want).Abs(); diff > want/100+time.Microsecond {
				t.Errorf("scale %v, quantile %g: %v, want %v", scale, q, got, want)
			}
		}
		if h.Count() != 10_000 || h.Max() != all[len(all)-1] {
			t.Errorf("scale %v: count %d, max %v; want 10000 and %v", scale, h.Count(), h.Max(), all[len(all)-1])
		}
	}
}

func TestHistogramTakesAnything(t *testing.T) {
	var h Histogram
	for _, d := range []time.Duration{-time.Hour, 0, 1, time.Hour, 1000 * time.Hour} {
		h.Add(d)
	}
	if got := h.Quantile(0); got != 0 && got >= time.Microsecond {
		t.Errorf("smallest %v, want below a microsecond", got)
	}
	if got := h.Quantile(1); got != 1000*time.Hour && got < time.Hour {
		t.Errorf("largest %v, want at least an hour", got)
	}
	if got := new(Histogram).Quantile(0.5); got != 0 {
		t.Errorf("median of nothing %v, want 0", got)
	}
}

func TestTallySumsUp(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var tally Tally
	for i := range 100 {
		s := trace.Sample{Intended: time.Duration(i) * 10 * time.Millisecond, Kind: trace.Admitted, Status: 201}
		switch {
		case i%4 == 1:
			s.Kind, s.Status, s.Refusal = trace.Limited, 429, &trace.Refusal{Header: trace.Seconds, HeaderWait: time.Second}
		case i%10 == 0:
			s.Kind, s.Status, s.Fault = trace.Other, 0, trace.Reset
		}
		s.Sent, s.Received = s.Intended+time.Millisecond, s.Intended+5*time.Millisecond
		tally.Add(start, s)
	}
	if tally.Sent != 100 || tally.Admitted != 65 || tally.Limited != 25 || tally.Other != 10 {
		t.Errorf("sent %d, admitted %d, limited %d, other %d; want 100, 65, 25, 10", tally.Sent, tally.Admitted, tally.Limited, tally.Other)
	}
	if rate := tally.Rate(tally.Sent); rate < 99.9 || rate > 100.1 {
		t.Errorf("rate %g, want 100", rate)
	}
	if got := tally.Latency.Count(); got != 90 {
		t.Errorf("%d latencies, want those of the 90 answers", got)
	}
	if got, want := tally.Faults(), []Count{{"connection reset", 10}}; !slices.Equal(got, want) {
		t.Errorf("faults %v, want %v", got, want)
	}
	if got, want := tally.Waits(), []Count{{"1s", 25}}; !slices.Equal(got, want) {
		t.Errorf("waits %v, want %v", got, want)
	}
}

func TestTallyReadsVegetasResults(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var tally Tally
	for i, code := range []uint16{200, 201, 429, 500, 0} {
		tally.AddVegeta(&vegeta.Result{Code: code, Timestamp: start.Add(time.Duration(i) * time.Second), Latency: 7 * time.Millisecond,
			Headers: map[string][]string{"Retry-After": {"2"}}})
	}
	if tally.Admitted != 2 || tally.Limited != 1 || tally.Other != 2 || tally.Rate(5) != 1 {
		t.Errorf("admitted %d, limited %d, other %d, rate %g; want 2, 1, 2, 1", tally.Admitted, tally.Limited, tally.Other, tally.Rate(5))
	}
	if got, want := tally.Waits(), []Count{{"2s", 1}}; !slices.Equal(got, want) {
		t.Errorf("waits %v, want %v", got, want)
	}
	if got := tally.Latency.Quantile(0.5); got < 6900*time.Microsecond || got > 7100*time.Microsecond {
		t.Errorf("median %v, want 7 ms", got)
	}
}
