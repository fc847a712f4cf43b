package trace

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"leadconform/load/internal/plan"
)

func meta() Meta {
	policy := plan.Policy{Rate: 100, Burst: 200, Window: 10 * time.Second}
	return Meta{
		Run:     "run-1",
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Target:  "reference",
		Plan: plan.Plan{
			Endpoints: []plan.Endpoint{{API: "distro", Name: "ingest", Policy: policy}},
			Phases:    plan.TwoRate("ingest", policy, plan.Options{Keys: 3}),
		},
		Keys:      map[plan.Stream]string{plan.StreamA: "limits_a"},
		Preflight: []time.Duration{time.Millisecond, 2 * time.Millisecond},
	}
}

func samples(t *rapid.T) []Sample {
	var refusals Refusals
	number := func(name string) time.Duration { return time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, name)) }
	refusal := rapid.Custom(func(t *rapid.T) Refusal {
		return Refusal{
			Fields:     rapid.Uint8().Draw(t, "fields"),
			Header:     HeaderForm(rapid.Uint8Range(0, 4).Draw(t, "header")),
			HeaderWait: time.Duration(rapid.Int64().Draw(t, "header wait")),
			Raw:        rapid.StringN(0, RawLimit/4, RawLimit).Draw(t, "raw"),
			Body:       BodyForm(rapid.Uint8Range(0, 2).Draw(t, "body")),
			BodyWait:   time.Duration(rapid.Int64().Draw(t, "body wait")),
			Named:      rapid.Bool().Draw(t, "named"),
			NoError:    rapid.Bool().Draw(t, "no error"),
		}
	})
	return rapid.SliceOf(rapid.Custom(func(t *rapid.T) Sample {
		s := Sample{
			Intended: number("intended"),
			Seq:      rapid.Uint32().Draw(t, "seq"),
			Phase:    rapid.Uint16Range(0, 5).Draw(t, "phase"),
			Status:   rapid.Uint16().Draw(t, "status"),
			Kind:     Kind(rapid.Uint8Range(1, 3).Draw(t, "kind")),
			Fault:    Fault(rapid.Uint8Range(0, 7).Draw(t, "fault")),
		}
		s.Sent = s.Intended + number("lag")
		s.Received = s.Sent + number("latency")
		if rapid.Bool().Draw(t, "refused") {
			s.Refusal = refusals.Keep(refusal.Draw(t, "refusal"))
		}
		return s
	})).Draw(t, "samples")
}

func written(t interface{ Fatal(...any) }, m Meta, all []Sample, e End) []byte {
	var file bytes.Buffer
	w, err := NewWriter(&file, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if err := w.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(e); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := &Trace{Meta: meta(), Samples: samples(t), End: End{Reason: Complete, Stalls: []Stall{{At: 1, Slid: 2, Phase: 3}}}}
		got, err := Read(bytes.NewReader(written(t, want.Meta, want.Samples, want.End)))
		if err != nil {
			t.Fatal(err)
		}
		if len(want.Samples) == 0 {
			want.Samples = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestPhasesAddedOnTheWay(t *testing.T) {
	var file bytes.Buffer
	w, err := NewWriter(&file, meta())
	if err != nil {
		t.Fatal(err)
	}
	first := len(meta().Plan.Phases)
	again := plan.Repeat(meta().Plan.Phases, "ingest", plan.StreamB, time.Minute)
	before := Sample{Seq: 1, Phase: 2, Kind: Admitted}
	after := Sample{Seq: 2, Phase: uint16(first), Kind: Admitted}
	for _, err := range []error{w.Write(before), w.AddPhases(again), w.Write(after), w.Close(End{Reason: Complete})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Sample{before, after}, got.Samples); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(again, got.Meta.Plan.Phases[first:]); diff != "" {
		t.Error(diff)
	}
}

func many(n int) []Sample {
	var refusals Refusals
	all := make([]Sample, n)
	for i := range all {
		at := time.Duration(i) * time.Millisecond
		all[i] = Sample{Seq: uint32(i), Phase: uint16(i % 3), Intended: at, Sent: at + 80_000, Received: at + 1_250_000,
			Status: 201, Kind: Admitted}
		if i%2 == 1 {
			all[i].Status, all[i].Kind = 429, Limited
			all[i].Refusal = refusals.Keep(Refusal{Fields: 1, Header: Seconds, HeaderWait: time.Second, Raw: "1",
				Body: Number, BodyWait: time.Second})
		}
	}
	return all
}

func TestATraceThatWasCutOffIsReadUpToThere(t *testing.T) {
	all := many(50_000)
	file := written(t, meta(), all, End{Reason: Complete})
	for _, kept := range []int{len(file) - 1, len(file) / 2, len(file) / 3} {
		got, err := Read(bytes.NewReader(file[:kept]))
		if !errors.Is(err, ErrCut) {
			t.Errorf("%d of %d bytes: error %v, want ErrCut", kept, len(file), err)
			continue
		}
		if got.End.Reason == Complete || got.End.Reason == "" {
			t.Errorf("%d of %d bytes: reason %q", kept, len(file), got.End.Reason)
		}
		if least := len(all) * (kept - 2*frameFull) / len(file); len(got.Samples) < least {
			t.Errorf("%d of %d bytes: %d samples, want at least %d", kept, len(file), len(got.Samples), least)
		}
		if diff := cmp.Diff(all[:len(got.Samples)], got.Samples); diff != "" {
			t.Errorf("%d of %d bytes: %s", kept, len(file), diff)
		}
	}
}

// Whatever happens to a file, it is never read as something else that looks whole.
func TestADamagedTraceIsNoticed(t *testing.T) {
	file := written(t, meta(), many(1000), End{Reason: Complete})
	for at := range file {
		damaged := bytes.Clone(file)
		damaged[at] ^= 0x10
		if got, err := Read(bytes.NewReader(damaged)); err == nil {
			t.Fatalf("byte %d of %d changed: read %d samples without an error", at, len(file), len(got.Samples))
		}
	}
}

func TestWhatFollowsTheEndIsNoticed(t *testing.T) {
	file := written(t, meta(), many(10), End{Reason: Complete})
	got, err := Read(bytes.NewReader(append(bytes.Clone(file), file...)))
	if !errors.Is(err, ErrDamaged) || len(got.Samples) != 10 || got.End.Reason == Complete {
		t.Errorf("%v, %d samples, end %q; want what came before, and an error", err, len(got.Samples), got.End.Reason)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(written(f, meta(), many(100), End{Reason: Complete}))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, file []byte) {
		_, _ = Read(bytes.NewReader(file)) // must return
	})
}

func TestSamplesAreSmallInTheFile(t *testing.T) {
	const n = 100_000
	if size := len(written(t, meta(), many(n), End{Reason: Complete})); size > 20*n {
		t.Errorf("%d samples take %d bytes, %.1f each", n, size, float64(size)/n)
	}
}

func TestNumbersTooLongToCountAreCut(t *testing.T) {
	if got := wait(math.Inf(1)); got != longest*time.Second {
		t.Errorf("wait(+Inf) = %v", got)
	}
	if got := wait(-1e300); got != -longest*time.Second {
		t.Errorf("wait(-1e300) = %v", got)
	}
}

// A target may word every refusal anew. The file holds them all; writer and reader hold so many and no more.
func TestManyDifferentRefusals(t *testing.T) {
	var all []Sample
	var kept Refusals
	for i := range 3 * mostRefusals {
		r := Refusal{Fields: 1, Header: Seconds, HeaderWait: time.Second, Body: Number, BodyWait: time.Duration(i)}
		all = append(all, Sample{Seq: uint32(i), Kind: Limited, Status: 429, Refusal: kept.Keep(r)})
	}
	all = append(all, Sample{Seq: 1, Kind: Limited, Refusal: kept.Keep(*all[7].Refusal)}, Sample{Seq: 2, Kind: Limited, Refusal: kept.Keep(*all[2*mostRefusals].Refusal)})
	if len(kept.seen) != mostRefusals {
		t.Errorf("%d are kept, want %d", len(kept.seen), mostRefusals)
	}
	m := meta()
	r, err := NewReader(bytes.NewReader(written(t, m, all, End{Reason: Complete})))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = r.Samples(func(s Sample) {
		if *all[n].Refusal != *s.Refusal || all[n].Seq != s.Seq {
			t.Fatalf("sample %d: %+v, want %+v", n, *s.Refusal, *all[n].Refusal)
		}
		n++
	})
	if err != nil || n != len(all) || len(r.refusals) != mostRefusals {
		t.Errorf("%d samples of %d, %d refusals kept: %v", n, len(all), len(r.refusals), err)
	}
}
