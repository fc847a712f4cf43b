package attack

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/fixtures/pipenet"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/tally"
	"leadconform/load/internal/trace"
)

// What an attack keeps doesn't grow with its length, not even where each refusal is worded anew.
func TestMemoryIsFlat(t *testing.T) {
	if raceDetector {
		t.Skip("many requests, and nothing in them that other tests don't do")
	}
	const early, late = 20_000, 60_000 // by the first all that is bounded is full
	heap := map[int]uint64{}
	synctest.Test(t, func(t *testing.T) {
		network := pipenet.New()
		var served atomic.Int64
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprintf(w, `{"error":"rate_limited","retry_after":0.%06d}`, served.Add(1))
		})}
		ended := make(chan struct{})
		go func() { defer close(ended); _ = server.Serve(network) }()
		defer func() { server.Close(); <-ended }()

		phases := []plan.Phase{{Name: "phase-1", Endpoint: "ingest", Stream: "primary", Length: (late + 1) * time.Millisecond, Rate: 1000}}
		out, err := trace.NewWriter(io.Discard, trace.Meta{Plan: plan.Plan{Phases: phases}})
		if err != nil {
			t.Fatal(err)
		}
		var sum tally.Tally
		start := time.Now()
		session := &Session{Start: start, Write: func(s trace.Sample) error {
			sum.Add(start, s)
			if sum.Sent == early || sum.Sent == late {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				heap[sum.Sent] = m.HeapAlloc
			}
			return out.Write(s)
		}}
		body := make([]byte, 284)
		attack := Attack{
			Script: NewSchedule(phases, 0), Phases: phases, URL: "http://lab", Dial: network.DialContext, Sleeper: PlainSleeper,
			Build: func(int) (*http.Request, error) {
				return http.NewRequest(http.MethodPost, "http://lab/", bytes.NewReader(body))
			},
			Read: func(_ int, a Answer) Reading {
				refusal := trace.ReadRefusal(a.Header, a.Body, a.Received)
				return Reading{Kind: trace.Limited, Refusal: &refusal}
			},
		}
		if err := attack.Run(t.Context(), session); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%d KiB after %d requests, %d KiB after %d", heap[early]>>10, early, heap[late]>>10, late)
	if grown := int64(heap[late]) - int64(heap[early]); heap[late] == 0 || grown > 1<<20 {
		t.Errorf("the heap grew by %d KiB over %d requests", grown>>10, late-early)
	}
}
