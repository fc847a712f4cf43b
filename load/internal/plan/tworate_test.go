package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The documented limits.
var (
	ingest = Policy{Rate: 100, Burst: 200, Window: 10 * time.Second}
	ping   = Policy{Rate: 500, Burst: 1000, Window: 10 * time.Second}
	lookup = Policy{Rate: 10, Burst: 20, Window: 5 * time.Second}
)

func TestTheExperimentOnTheDocumentedLimits(t *testing.T) {
	type row struct {
		Name   Name
		Stream Stream
		Start  time.Duration
		Length time.Duration
		Rate   float64
		Count  int
	}
	const ms = time.Millisecond
	tests := map[string]struct {
		policy Policy
		want   []row
	}{
		"ingest": {ingest, []row{
			{A1, StreamA, 0, 10_000 * ms, 194, 1940},
			{A2, StreamA, 12_200 * ms, 8_000 * ms, 200, 1600},
			{B1, StreamB, 370 * ms, 10_500 * ms, 400, 4200},
			{B3, StreamB, 22_870 * ms, 4_000 * ms, 194, 776},
			{C, StreamC, 150 * ms, 20_050 * ms, 90, 1805},
		}},
		"ping": {ping, []row{
			{A1, StreamA, 0, 10_000 * ms, 970, 9700},
			{A2, StreamA, 12_200 * ms, 8_000 * ms, 1000, 8000},
			{B1, StreamB, 370 * ms, 10_500 * ms, 1500, 15750},
			{B3, StreamB, 22_870 * ms, 4_000 * ms, 970, 3880},
			{C, StreamC, 150 * ms, 20_050 * ms, 450, 9023},
		}},
		"lookup": {lookup, []row{
			{A1, StreamA, 0, 5_000 * ms, 19.4, 97},
			{A2, StreamA, 7_200 * ms, 11_000 * ms, 60, 660},
			{B1, StreamB, 370 * ms, 5_500 * ms, 80, 440},
			{Apart, StreamB, 6_970 * ms, 3_900 * ms, 9, 36},
			{B3, StreamB, 17_370 * ms, 2_000 * ms, 19.4, 39},
			{C, StreamC, 150 * ms, 18_050 * ms, 9, 163},
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []row
			phases := TwoRate(name, test.policy, Options{Keys: 3, Others: []Policy{ingest, ping, lookup}})
			for _, p := range phases {
				if !p.Adaptive() {
					got = append(got, row{p.Name, p.Stream, p.Start, p.Length, p.Rate, p.Count()})
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if end := (Plan{Phases: phases}).Length(); end > 27*time.Second {
				t.Errorf("takes %v", end)
			}
		})
	}
}

func TestJitterLowersThePace(t *testing.T) {
	for jitter, want := range map[time.Duration]float64{0: 0.97, 12 * time.Millisecond: 0.97, 20 * time.Millisecond: 0.95} {
		if got := Pace(jitter); got < want-1e-9 || got > want+1e-9 {
			t.Errorf("at %v: %v, want %v", jitter, got, want)
		}
	}
}

// With fewer keys no two phases of one key may overlap, and a key rests before it is used from rest.
func TestFewerKeysFollowEachOther(t *testing.T) {
	for keys := range 3 {
		for _, policy := range []Policy{ingest, ping, lookup} {
			phases := TwoRate("any", policy, Options{Keys: keys})
			shared := map[Stream]bool{StreamA: true, StreamB: true, StreamC: keys < 2}
			var end time.Duration
			for _, p := range phases {
				if !shared[p.Stream] {
					continue
				}
				if p.Start < end {
					t.Errorf("%d keys, %v: %s starts at %v, before %v", keys, policy, p.Name, p.Start, end)
				}
				if (p.Name == B1 || p.Name == B3) && p.Start-end < policy.Rest() {
					t.Errorf("%d keys, %v: %s starts %v after the phase before, want a rest of %v", keys, policy, p.Name, p.Start-end, policy.Rest())
				}
				end = max(end, p.End())
			}
		}
	}
}

func TestCountAndTimesOfAPhase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Phase{
			Start:  time.Duration(rapid.IntRange(0, 30_000).Draw(t, "start")) * time.Millisecond,
			Length: time.Duration(rapid.IntRange(1, 30_000).Draw(t, "length")) * time.Millisecond,
			Rate:   rapid.Float64Range(0.1, 3000).Draw(t, "rate"),
		}
		n := p.Count()
		const hair = time.Microsecond
		if n > 0 && p.At(n-1) >= p.End()+hair {
			t.Fatalf("the last of %d is due at %v, the phase ends at %v", n, p.At(n-1), p.End())
		}
		if p.At(n) < p.End()-10*hair {
			t.Fatalf("another one would be due at %v, the phase ends at %v", p.At(n), p.End())
		}
	})
}

func TestRepeat(t *testing.T) {
	phases := append(TwoRate("ingest", ingest, Options{Keys: 3}), TwoRate("lookup", lookup, Options{Keys: 3})...)
	again := Repeat(phases, "ingest", StreamA, time.Minute)
	names := map[Name]time.Duration{}
	for _, p := range again {
		if p.Attempt != 1 || p.Endpoint != "ingest" {
			t.Errorf("%+v", p)
		}
		names[p.Name] = p.Start
	}
	if names[A1] != time.Minute || names[A2] != time.Minute+12200*time.Millisecond || names[C] != time.Minute+150*time.Millisecond {
		t.Errorf("starts %v", names)
	}
	if _, ok := names[B1]; ok {
		t.Error("B1 was repeated with A")
	}
	for _, p := range Repeat(append(phases, again...), "ingest", StreamA, 2*time.Minute) {
		if p.Attempt != 2 {
			t.Errorf("the second repetition has attempt %d", p.Attempt)
		}
	}
	b3, ok := RepeatB3(phases, "lookup", time.Hour)
	if !ok || b3.Start != time.Hour || b3.Attempt != 1 || b3.Endpoint != "lookup" || b3.Rate != 19.4 {
		t.Errorf("%+v, %v", b3, ok)
	}
	if _, ok := RepeatB3(phases, "ping", time.Hour); ok {
		t.Error("found B3 of an endpoint that isn't in the plan")
	}
}

func TestPolicyIsChecked(t *testing.T) {
	if err := ingest.Validate(); err != nil {
		t.Error(err)
	}
	for _, p := range []Policy{{}, {Rate: 1, Burst: 0.5, Window: 1}, {Rate: 1, Burst: 2}, {Rate: -1, Burst: 2, Window: 1}} {
		if p.Validate() == nil {
			t.Errorf("%v passed", p)
		}
	}
	if e := ingest.Credit(); e != 1000 {
		t.Errorf("credit %v", e)
	}
	if r := lookup.Rest(); r != 6500*time.Millisecond {
		t.Errorf("rest %v", r)
	}
}
