package shard_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/shard"
	"leadconform/load/internal/trace"
)

func TestShardsAreReadAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]shard.Shard{"0/1": {Count: 1}, "2/3": {Index: 2, Count: 3}} {
		var s shard.Shard
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want || s.String() != text {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "1", "3/3", "-1/3", "a/b", "0/0", "0/99999", "1/2/3"} {
		if err := new(shard.Shard).UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// moments are when the requests of some phases are due, in order.
func moments(phases []plan.Phase) []time.Duration {
	var all []time.Duration
	for _, p := range phases {
		for i := range p.Count() {
			all = append(all, p.At(i))
		}
	}
	slices.Sort(all)
	return all
}

// The shares of a phase are the phase: each request once, at its time.
func TestSharesAreTheWhole(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		p := plan.Phase{Start: time.Duration(rng.IntN(5000)) * time.Millisecond, Length: time.Duration(1+rng.IntN(9000)) * time.Millisecond, Rate: float64(1+rng.IntN(5000)) / 4}
		n := 1 + rng.IntN(9)
		var shares []plan.Phase
		for i := range n {
			shares = append(shares, shard.Shard{Index: i, Count: n}.Interleave(p))
		}
		want, got := moments([]plan.Phase{p}), moments(shares)
		if len(want) != len(got) {
			t.Fatalf("%+v over %d: %d requests, want %d", p, n, len(got), len(want))
		}
		for i := range want {
			if (want[i] - got[i]).Abs() > time.Microsecond {
				t.Fatalf("%+v over %d: request %d at %v, want %v", p, n, i, got[i], want[i])
			}
		}
	}
}

func TestStreamsAreSplitIfThereAreEnough(t *testing.T) {
	var phases []plan.Phase
	for i, stream := range []plan.Stream{"a", "b", "c", "d", "a"} {
		phases = append(phases, plan.Phase{Stream: stream, Start: time.Duration(i) * time.Second, Length: time.Second, Rate: 10})
	}
	var all []plan.Phase
	for i := range 3 {
		own, interleaved := shard.Shard{Index: i, Count: 3}.Split(phases)
		if interleaved {
			t.Error("four keys are interleaved over three workers")
		}
		all = append(all, own...)
	}
	slices.SortFunc(all, func(a, b plan.Phase) int { return cmp.Compare(a.Start, b.Start) })
	if !slices.Equal(all, phases) {
		t.Errorf("the shares are %+v", all)
	}
	if _, interleaved := (shard.Shard{Index: 0, Count: 5}).Split(phases); !interleaved {
		t.Error("four keys are split over five workers")
	}
	if own, interleaved := (shard.Shard{}).Split(phases); interleaved || !slices.Equal(own, phases) {
		t.Error("one worker doesn't do all")
	}
}

var startAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// part is what a worker wrote whose clock is ahead of the others'.
func part(i, n int, interleaved bool, ahead time.Duration) *trace.Trace {
	whole := plan.Phase{Name: "x", Endpoint: "ingest", Stream: "a", Start: time.Second, Length: 3 * time.Second, Rate: 30}
	p := shard.Shard{Index: i, Count: n}.Interleave(whole)
	if !interleaved {
		p = whole
		p.Stream = plan.Stream(fmt.Sprint("key-", i))
	}
	t := &trace.Trace{Meta: trace.Meta{
		Started: startAt, Plan: plan.Plan{Endpoints: []plan.Endpoint{{Name: "ingest"}}, Phases: []plan.Phase{p}},
		Keys: map[plan.Stream]string{p.Stream: "distro.x"}, Preflight: []time.Duration{time.Millisecond}, Rested: true,
		Shard: &trace.Shard{Index: i, Count: n, StartAt: startAt, Interleaved: interleaved,
			Clock: &trace.ClockWindow{Low: -ahead - 5*time.Millisecond, High: -ahead + 5*time.Millisecond}},
	}, End: trace.End{Reason: trace.Complete, Stalls: []trace.Stall{{At: time.Second}}}}
	for k := range p.Count() {
		t.Samples = append(t.Samples, trace.Sample{Seq: uint32(k), Intended: p.At(k), Sent: p.At(k), Received: p.At(k) + time.Millisecond})
	}
	return t
}

func TestMergedIsTheWhole(t *testing.T) {
	for _, interleaved := range []bool{true, false} {
		m, err := shard.Merge([]*trace.Trace{part(2, 3, interleaved, 0), part(0, 3, interleaved, 0), part(1, 3, interleaved, 0)})
		if err != nil {
			t.Fatal(err)
		}
		phases := m.Trace.Meta.Plan.Phases
		wantPhases, wantSamples := 3, 270
		if interleaved {
			wantPhases, wantSamples = 1, 90
			if p := phases[0]; p.Start != time.Second || (p.Length-3*time.Second).Abs() > time.Microsecond || p.Rate < 29.99 || p.Rate > 30.01 || p.Count() != 90 {
				t.Errorf("the phase is %+v", p)
			}
		}
		if len(phases) != wantPhases || len(m.Trace.Samples) != wantSamples || len(m.Trace.Meta.Preflight) != 3 || len(m.Trace.End.Stalls) != 3 {
			t.Errorf("%d phases, %d samples, %d round trips, %d stalls", len(phases), len(m.Trace.Samples), len(m.Trace.Meta.Preflight), len(m.Trace.End.Stalls))
		}
		for i, s := range m.Trace.Samples {
			if int(s.Seq) != i || i > 0 && s.Intended < m.Trace.Samples[i-1].Intended {
				t.Fatalf("sample %d is out of order: %+v", i, s)
			}
		}
		if len(m.Missing) > 0 || len(m.Clocks) > 0 || m.Trace.Meta.Shard != nil || !m.Trace.Meta.Rested || m.Trace.End.Reason != trace.Complete {
			t.Errorf("missing %v, clocks %v, %+v", m.Missing, m.Clocks, m.Trace.End)
		}
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	cut := part(1, 3, false, 0)
	cut.End.Reason = "the trace ends early"
	late := part(2, 3, false, 0)
	late.Meta.Started = late.Meta.Started.Add(300 * time.Millisecond)
	m, err := shard.Merge([]*trace.Trace{cut, late})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(m.Missing, "; "); got != "worker 1/3: the trace ends early; worker 2/3 started 300ms late; worker 0/3 is missing" {
		t.Errorf("missing: %s", got)
	}
	// The late one's times moved to the common start.
	if s := m.Trace.Samples[len(m.Trace.Samples)-1]; s.Intended < 4*time.Second {
		t.Errorf("the last sample is at %v", s.Intended)
	}
	other := part(0, 3, false, 0)
	other.Meta.Shard.StartAt = startAt.Add(time.Hour)
	for name, parts := range map[string][]*trace.Trace{
		"of another run": {part(1, 3, false, 0), other}, "of another number": {part(0, 3, false, 0), part(1, 4, false, 0)},
		"twice": {part(1, 3, false, 0), part(1, 3, false, 0)}, "none": nil,
	} {
		if _, err := shard.Merge(parts); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestClocksThatDisagreeAreNamed(t *testing.T) {
	merge := func(parts ...*trace.Trace) []string {
		m, err := shard.Merge(parts)
		if err != nil {
			t.Fatal(err)
		}
		return m.Clocks
	}
	if got := merge(part(0, 2, false, 0), part(1, 2, false, 40*time.Millisecond)); len(got) > 0 {
		t.Errorf("40 ms apart: %v", got)
	}
	got := merge(part(0, 3, false, 0), part(1, 3, false, 2*time.Second), part(2, 3, false, 0))
	if len(got) != 2 || !strings.Contains(got[0], "workers 0 and 1 disagree by 1.99s at least") || !strings.Contains(got[1], "workers 1 and 2") {
		t.Errorf("one of three is off: %v", got)
	}
	blind := part(1, 2, false, 0)
	blind.Meta.Shard.Clock = nil
	if got := merge(part(0, 2, false, 0), blind); len(got) != 1 || !strings.Contains(got[0], "can't be compared") {
		t.Errorf("no date: %v", got)
	}
}

// A clock that is off shows in the Date headers, to within about a round trip and a half.
func TestClockFromDates(t *testing.T) {
	for _, off := range []time.Duration{0, 30 * time.Millisecond, -1700 * time.Millisecond, time.Hour} {
		var c shard.Clock
		for i := range 200 {
			sent := startAt.Add(time.Duration(i) * 6250 * time.Microsecond)
			written := sent.Add(2*time.Millisecond + off) // by the target's clock
			c.See(http.Header{"Date": {written.UTC().Format(http.TimeFormat)}}, sent, sent.Add(5*time.Millisecond))
		}
		w := c.Window()
		if w == nil || w.Low > off || w.High < off || w.High-w.Low > 15*time.Millisecond {
			t.Errorf("off by %v: %+v", off, w)
		}
	}
	var none, two shard.Clock
	none.See(http.Header{}, startAt, startAt)
	for i := range 200 {
		at := startAt.Add(time.Duration(i) * 6250 * time.Microsecond)
		two.See(http.Header{"Date": {at.Add(time.Duration(i%2) * 3 * time.Second).Format(http.TimeFormat)}}, at, at)
	}
	if none.Window() != nil || two.Window() != nil {
		t.Error("no date, or two clocks, are a window")
	}
}
