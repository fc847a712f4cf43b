package faults_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"leadconform/reference/internal/faults"
)

func set(t *testing.T, b *faults.Board, all ...faults.Fault) {
	t.Helper()
	for _, f := range all {
		if err := b.Set(f); err != nil {
			t.Fatal(err)
		}
	}
}

func TestABoardWithoutFaultsTakesNone(t *testing.T) {
	var b faults.Board
	for _, kind := range []faults.Kind{faults.Before, faults.After, faults.Closed, faults.Conflict} {
		if b.Take(faults.Distro, "ingest", kind) {
			t.Errorf("%s is taken from an empty board", kind)
		}
	}
	if all := b.List(); all == nil || len(all) != 0 {
		t.Errorf("an empty board lists %v", all)
	}
}

func TestAFaultHoldsForItsOwnRequestsAlone(t *testing.T) {
	var b faults.Board
	set(t, &b,
		faults.Fault{API: faults.Distro, Kind: faults.Before, Endpoint: "ping"},
		faults.Fault{API: faults.Insertion, Kind: faults.After}, // every endpoint
	)
	for _, tc := range []struct {
		api, endpoint string
		kind          faults.Kind
		want          bool
	}{
		{faults.Distro, "ping", faults.Before, true},
		{faults.Distro, "ping", faults.After, false},
		{faults.Distro, "ingest", faults.Before, false},
		{faults.Distro, "", faults.Before, false},
		{faults.Insertion, "ping", faults.Before, false},
		{faults.Insertion, "create", faults.After, true},
		{faults.Insertion, "", faults.After, true},
		{faults.Distro, "create", faults.After, false},
	} {
		for range 3 { // until it is turned off
			if got := b.Take(tc.api, tc.endpoint, tc.kind); got != tc.want {
				t.Errorf("Take(%s, %s, %s) is %v", tc.api, tc.endpoint, tc.kind, got)
			}
		}
	}
}

func TestACountedFaultEndsByItself(t *testing.T) {
	var b faults.Board
	set(t, &b, faults.Fault{API: faults.Distro, Kind: faults.Before, Endpoint: "ingest", Count: 3})
	for i := range 5 {
		if got, want := b.Take(faults.Distro, "ingest", faults.Before), i < 3; got != want {
			t.Errorf("request %d fails: %v, expected %v", i+1, got, want)
		}
		b.Take(faults.Distro, "ping", faults.Before) // doesn't count
	}
	if all := b.List(); len(all) != 0 {
		t.Errorf("still on: %v", all)
	}
}

// The last of the same kind counts, and others are left alone.
func TestSetReplaces(t *testing.T) {
	var b faults.Board
	lasting := faults.Fault{API: faults.Distro, Kind: faults.Before, Endpoint: "ingest"}
	counted := lasting
	counted.Count = 2
	other := faults.Fault{API: faults.Distro, Kind: faults.Before, Endpoint: "ping"}
	set(t, &b, lasting, other, counted)
	if diff := cmp.Diff([]faults.Fault{other, counted}, b.List()); diff != "" {
		t.Error(diff)
	}
}

func TestClear(t *testing.T) {
	distro500 := faults.Fault{API: faults.Distro, Kind: faults.Before, Endpoint: "*"}
	distro503 := faults.Fault{API: faults.Distro, Kind: faults.Closed, Endpoint: "*"}
	insertion500 := faults.Fault{API: faults.Insertion, Kind: faults.Before, Endpoint: "create"}
	conflict := faults.Fault{API: faults.Insertion, Kind: faults.Conflict, Endpoint: "patch"}
	for _, tc := range []struct {
		api  string
		kind faults.Kind
		left []faults.Fault
	}{
		{"", "", []faults.Fault{}},
		{faults.Distro, "", []faults.Fault{insertion500, conflict}},
		{"", faults.Before, []faults.Fault{distro503, conflict}},
		{faults.Distro, faults.Before, []faults.Fault{distro503, insertion500, conflict}},
		{faults.Insertion, faults.Closed, []faults.Fault{distro500, distro503, insertion500, conflict}},
	} {
		var b faults.Board
		set(t, &b, distro500, distro503, insertion500, conflict)
		if err := b.Clear(tc.api, tc.kind); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(tc.left, b.List()); diff != "" {
			t.Errorf("after Clear(%q, %q):\n%s", tc.api, tc.kind, diff)
		}
	}
	var b faults.Board
	if b.Clear("distra", "") == nil || b.Clear("", "501") == nil {
		t.Error("an unknown name is cleared without an error")
	}
}

func TestFaultsThatThereAreNot(t *testing.T) {
	for _, tc := range []struct {
		fault faults.Fault
		want  string
	}{
		{faults.Fault{Kind: faults.Before}, `api must be one of distro, insertion, not ""`},
		{faults.Fault{API: "lead", Kind: faults.Before}, `api must be one of distro, insertion, not "lead"`},
		{faults.Fault{API: faults.Distro}, `kind must be one of 500, 500_after, 503, conflict, not ""`},
		{faults.Fault{API: faults.Distro, Kind: "502"}, `not "502"`},
		{faults.Fault{API: faults.Distro, Kind: faults.Before, Endpoint: "create"}, `endpoint must be one of ingest, ping, lookup, *, not "create"`},
		{faults.Fault{API: faults.Insertion, Kind: faults.Before, Endpoint: "ping"}, `endpoint must be one of create, list, get, patch, ingest, *, not "ping"`},
		{faults.Fault{API: faults.Insertion, Kind: faults.Closed}, "the Insertion API knows no 503"},
		{faults.Fault{API: faults.Distro, Kind: faults.Conflict}, "kind conflict is for the api insertion and its endpoint patch"},
		{faults.Fault{API: faults.Insertion, Kind: faults.Conflict, Endpoint: "create"}, "kind conflict is for the api insertion and its endpoint patch"},
		{faults.Fault{API: faults.Distro, Kind: faults.Before, Count: -1}, "count must not be negative"},
	} {
		var b faults.Board
		if err := b.Set(tc.fault); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v, expected %s", tc.fault, err, tc.want)
		}
		if len(b.List()) > 0 {
			t.Errorf("%+v is refused, and yet on", tc.fault)
		}
	}
}

// A count is a count, however many requests come at once.
func TestCountsAreExactUnderConcurrency(t *testing.T) {
	var b faults.Board
	set(t, &b, faults.Fault{API: faults.Distro, Kind: faults.Before, Count: 100})
	var taken atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if b.Take(faults.Distro, "ingest", faults.Before) {
					taken.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if taken.Load() != 100 {
		t.Errorf("%d requests fail, expected 100", taken.Load())
	}
}
