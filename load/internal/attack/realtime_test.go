package attack

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// loopback attacks a bare server on loopback at 1000 requests per second and returns the samples in order of sending.
func loopback(tb testing.TB, sleeper NewSleeper, length time.Duration) ([]trace.Sample, []trace.Stall) {
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		served.Add(1)
		fmt.Fprint(w, `{"id":"a150-byte answer or so","status":"ACCEPTED","buyer_id":"north"}`)
	}))
	defer server.Close()
	body := make([]byte, 284)
	phases := []plan.Phase{{Length: length, Rate: 1000}}
	schedule := NewSchedule(phases, 0)
	schedule.Tolerance = FineTolerance
	var samples []trace.Sample
	attack := Attack{
		Script: schedule, Phases: phases, URL: server.URL, Sleeper: sleeper,
		Build: func(int) (*http.Request, error) {
			return http.NewRequest(http.MethodPost, server.URL+"/", bytes.NewReader(body))
		},
		Read: func(_ int, a Answer) Reading { return Reading{Kind: trace.Admitted} },
	}
	session := &Session{Start: time.Now().Add(50 * time.Millisecond), Write: func(s trace.Sample) error {
		samples = append(samples, s)
		return nil
	}}
	if err := attack.Run(tb.Context(), session); err != nil {
		tb.Fatal(err)
	}
	if len(samples) != phases[0].Count() || int(served.Load()) != len(samples) {
		tb.Fatalf("%d samples, %d served, want %d", len(samples), served.Load(), phases[0].Count())
	}
	slices.SortFunc(samples, func(a, b trace.Sample) int { return int(a.Seq) - int(b.Seq) })
	return samples, schedule.Stalls()
}

// lags returns how late each request was sent, in ascending order.
func lags(samples []trace.Sample) []time.Duration {
	lags := make([]time.Duration, len(samples))
	for i, s := range samples {
		lags[i] = s.Lag()
	}
	slices.Sort(lags)
	return lags
}

func sentTimes(samples []trace.Sample) []time.Duration {
	times := make([]time.Duration, len(samples))
	for i, s := range samples {
		times[i] = s.Sent
	}
	return times
}

// What holds on any machine, however busy: no request before its time, and no more than the rate is ever meant.
func TestRealTimeIsNeverEarly(t *testing.T) {
	samples, _ := loopback(t, FineSleeper, 2*time.Second)
	intended := make([]time.Duration, len(samples))
	for i, s := range samples {
		intended[i] = s.Intended
		if s.Lag() < 0 {
			t.Errorf("request %d was sent %v before its time", i, -s.Lag())
		}
	}
	if most := mostWithin(intended, time.Second); most > 1001 {
		t.Errorf("%d requests were meant for one second, want 1000", most)
	}
}

// The bar for a machine of its own: set PROOF=1 (make proof).
func TestRealTimeOnAQuietMachine(t *testing.T) {
	if os.Getenv("PROOF") == "" {
		t.Skip("needs a quiet machine: PROOF=1")
	}
	for name, sleeper := range map[string]NewSleeper{"fine": FineSleeper, "plain": PlainSleeper} {
		samples, stalls := loopback(t, sleeper, 10*time.Second)
		lags := lags(samples)
		p50, p99, p999 := lags[len(lags)/2], lags[len(lags)*99/100], lags[len(lags)*999/1000]
		most, most100 := mostWithin(sentTimes(samples), time.Second), mostWithin(sentTimes(samples), 100*time.Millisecond)
		t.Logf("%s: lag p50 %v, p99 %v, p99.9 %v; most in 1 s %d, in 100 ms %d; %d stalls", name, p50, p99, p999, most, most100, len(stalls))
		if lags[0] < 0 {
			t.Errorf("a request was sent %v before its time", -lags[0])
		}
		// The plain sleeper, for other systems than Linux, wakes on a grid of a millisecond.
		if name == "fine" && p99 > 2*time.Millisecond {
			t.Errorf("send lag p99 %v, want at most 2 ms", p99)
		}
		if most > 1010 {
			t.Errorf("%d requests within a second, want at most 1 %% above 1000", most)
		}
	}
}

// BenchmarkRequest is the cost of one request at 1000 per second, sender and bare server together; lag-p50-µs and
// lag-p99-µs say how late it was sent.
func BenchmarkRequest(b *testing.B) {
	for name, sleeper := range map[string]NewSleeper{"fine": FineSleeper, "plain": PlainSleeper} {
		b.Run(name, func(b *testing.B) {
			samples, _ := loopback(b, sleeper, time.Duration(b.N)*time.Millisecond)
			lags := lags(samples)
			b.ReportMetric(float64(lags[len(lags)/2].Microseconds()), "lag-p50-µs")
			b.ReportMetric(float64(lags[len(lags)*99/100].Microseconds()), "lag-p99-µs")
		})
	}
}
