package estimate

import (
	"errors"
	"math"
	"testing"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// piecewise returns times whose number grows at each rate for so many seconds.
func piecewise(pieces ...[2]float64) []float64 {
	var times []float64
	begin := 0.0
	for _, p := range pieces {
		for i := range int(p[0] * p[1]) {
			times = append(times, begin+float64(i)/p[0])
		}
		begin += p[1]
	}
	return times
}

func TestFitFindsTheCorners(t *testing.T) {
	tests := map[string]struct {
		pieces [][2]float64 // rate, seconds
		grain  grain
		want   []segment // from, to and slope
	}{
		"one rate":       {[][2]float64{{100, 20}}, coarse, []segment{{from: 0.5, to: 19.5, slope: 100}}},
		"two":            {[][2]float64{{200, 10}, {100, 9}}, coarse, []segment{{from: 0.5, to: 10, slope: 200}, {from: 10, to: 18.5, slope: 100}}},
		"three, finely":  {[][2]float64{{400, 1}, {200, 3}, {100, 9}}, fine, []segment{{from: 0.1, to: 1, slope: 400}, {from: 1, to: 4, slope: 200}, {from: 4, to: 13, slope: 100}}},
		"a short second": {[][2]float64{{400, 3}, {200, 0.8}, {100, 9}}, fine, []segment{{from: 0.1, to: 3, slope: 400}, {from: 3, to: 3.8, slope: 200}, {from: 3.8, to: 13, slope: 100}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			admitted := piecewise(test.pieces...)
			end := 0.0
			for _, p := range test.pieces {
				end += p[1]
			}
			o := &overload{rate: 400, end: end, admitted: admitted}
			got := o.fit(test.grain)
			if len(got) != len(test.want) {
				t.Fatalf("%d segments, want %d: %+v", len(got), len(test.want), got)
			}
			for i, want := range test.want {
				if math.Abs(got[i].from-want.from) > 0.2 || math.Abs(got[i].to-want.to) > 0.3 || math.Abs(got[i].slope/want.slope-1) > 0.02 {
					t.Errorf("segment %d: %+v, want %+v", i, got[i], want)
				}
			}
		})
	}
}

func TestRhythm(t *testing.T) {
	even := piecewise([2]float64{37, 10})
	if got := rhythm(even, 0, 10, 1); got > 0.05 {
		t.Errorf("evenly spread: %v", got)
	}
	var bunched []float64
	for s := range 10 {
		for i := range 37 {
			bunched = append(bunched, float64(s)+0.3+float64(i)*0.005)
		}
	}
	if got := rhythm(bunched, 0, 10, 1); got < 0.9 {
		t.Errorf("in bunches: %v", got)
	}
	if got := rhythm(nil, 0, 10, 1); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestBunchesDriftOrDont(t *testing.T) {
	for _, drift := range []float64{0, 0.004, 0.02} {
		o := &overload{}
		for s := range 12 {
			for i := range 20 {
				o.middles = append(o.middles, 0.97+float64(s)*(1+drift)+float64(i)*0.01)
			}
		}
		got := o.drift([]segment{{from: 0, to: 6}, {from: 6.5, to: 13}})
		if math.Abs(got-drift) > 1e-6 {
			t.Errorf("drift %v, want %v", got, drift)
		}
	}
}

func TestTooLittleToEstimate(t *testing.T) {
	overloaded := func(n int, kind trace.Kind) *trace.Trace {
		tr := &trace.Trace{Meta: trace.Meta{Plan: plan.Plan{Phases: []plan.Phase{{Name: plan.Overload, Endpoint: "ingest"}}}}}
		for i := range n {
			at := time.Duration(i) * 10 * time.Millisecond
			tr.Samples = append(tr.Samples, trace.Sample{Sent: at, Received: at + time.Millisecond, Kind: kind})
		}
		return tr
	}
	tests := map[string]*trace.Trace{
		"nothing":            {},
		"no overload":        {Meta: trace.Meta{Plan: plan.Plan{Phases: []plan.Phase{{Name: plan.A1, Endpoint: "ingest"}}}}},
		"a second":           overloaded(100, trace.Admitted),
		"everything refused": overloaded(1000, trace.Limited),
		"nothing answered":   overloaded(1000, trace.Other),
	}
	for name, tr := range tests {
		if _, err := Fingerprint(tr, "ingest"); !errors.Is(err, ErrTooShort) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	e, err := Fingerprint(overloaded(1000, trace.Admitted), "ingest")
	if err != nil || e.Family != Unlimited || e.Rate != nil || !e.Unpoliced {
		t.Errorf("everything admitted: %+v, %v", e, err)
	}
}

// stretch is a part of a run: so many requests a second for so long, all let in or none.
type stretch struct {
	rate, length float64
	kind         trace.Kind
}

// stairs is a run of a search and stretches, of which the first is the overload.
func stairs(searched int, stretches ...stretch) *trace.Trace {
	var phases []plan.Phase
	for _, name := range []plan.Name{plan.Search, plan.Overload, plan.Windows} {
		phases = append(phases, plan.Phase{Name: name, Endpoint: "leads"})
	}
	tr := &trace.Trace{Meta: trace.Meta{Plan: plan.Plan{Phases: phases}}}
	add := func(at float64, phase uint16, kind trace.Kind) {
		sent := time.Duration(at * float64(time.Second))
		tr.Samples = append(tr.Samples, trace.Sample{Sent: sent, Received: sent + time.Millisecond, Phase: phase, Kind: kind})
	}
	for i := range searched {
		add(float64(i)/100, 0, trace.Admitted)
	}
	begin := 100.0
	for i, s := range stretches {
		for k := range int(s.rate*s.length + 0.5) {
			add(begin+float64(k)/s.rate, uint16(1+min(1, i)), s.kind)
		}
		begin += s.length
	}
	return tr
}

func TestStaircase(t *testing.T) {
	in, out := trace.Admitted, trace.Limited
	for name, test := range map[string]struct {
		trace           *trace.Trace
		family          Family
		rate, length, n float64
	}{
		"a fixed window": {stairs(100, stretch{400, 0.25, in}, stretch{50, 9.75, out}, stretch{400, 0.25, in}, stretch{50, 9.75, out},
			stretch{400, 0.25, in}, stretch{400, 1.5, out}), FixedWindow, 10, 10, 100},
		"exhausted beforehand": {stairs(100, stretch{400, 3, out}, stretch{400, 0.25, in}, stretch{50, 9.75, out},
			stretch{400, 0.25, in}, stretch{400, 1.5, out}), FixedWindow, 10, 10, 100},
		"a log, which shows the pause again": {stairs(100, stretch{400, 0.25, in}, stretch{50, 9.75, out}, stretch{400, 0.25, in}, stretch{50, 9.75, out},
			stretch{400, 0.1, in}, stretch{400, 0.5, out}, stretch{400, 0.15, in}, stretch{400, 1.5, out}), SlidingWindow, 10, 10, 100},
		"a bucket that fills slowly": {stairs(100, stretch{400, 0.25, in}, stretch{50, 3, out}, stretch{50, 0.02, in}, stretch{50, 3.98, out},
			stretch{50, 0.02, in}, stretch{400, 1.5, out}), Bucket, 0.25, 0, 0},
		"a counter that settles": {stairs(100, stretch{400, 0.25, in}, stretch{50, 6, out}, stretch{33, 30, in}), Bucket, 33, 0, 0},
	} {
		e, err := Fingerprint(test.trace, "leads")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e.Family != test.family || math.Abs(e.Rate.Value/test.rate-1) > 0.01 || e.Rate.Low > test.rate || e.Rate.High < test.rate {
			t.Errorf("%s: %s, %v; want %s, %v", name, e.Family, e.Rate, test.family, test.rate)
		}
		if test.length == 0 {
			if e.Length != nil || e.Ceiling != nil {
				t.Errorf("%s: a window of %v, %v", name, e.Length, e.Ceiling)
			}
			continue
		}
		if math.Abs(e.Length.Value-test.length) > 0.02 || e.Ceiling.Value != test.n || e.Ceiling.Low != e.Ceiling.High {
			t.Errorf("%s: %v in %v s, want %v in %v", name, e.Ceiling, e.Length, test.n, test.length)
		}
	}
}

func TestAStaircaseOfOneStepIsNotMeasured(t *testing.T) {
	for name, tr := range map[string]*trace.Trace{
		"no roll-over":  stairs(0, stretch{400, 0.25, trace.Admitted}, stretch{50, 20, trace.Limited}),
		"one roll-over": stairs(0, stretch{400, 0.25, trace.Admitted}, stretch{50, 9, trace.Limited}, stretch{400, 0.25, trace.Admitted}, stretch{50, 9, trace.Limited}),
		"never let in":  stairs(0, stretch{400, 3, trace.Limited}, stretch{50, 20, trace.Limited}),
		"just let in":   stairs(0, stretch{400, 3, trace.Limited}, stretch{50, 20, trace.Limited}, stretch{400, 1, trace.Admitted}),
	} {
		if e, err := Fingerprint(tr, "leads"); !errors.Is(err, ErrTooShort) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

func TestAPieceOfTheSteadyRateIsNoBurst(t *testing.T) {
	s, found := burst([]segment{{from: 0, to: 3, slope: 200}, {from: 3, to: 9, slope: 101}, {from: 9, to: 12, slope: 100}}, 100, 400)
	if !found || s.slope != 200 {
		t.Errorf("%+v, %v; want the steeper one", s, found)
	}
	if s, found := burst([]segment{{from: 0, to: 9, slope: 102}, {from: 9, to: 12, slope: 100}}, 100, 400); found {
		t.Errorf("%+v is no burst", s)
	}
}
