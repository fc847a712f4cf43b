package attack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/fixtures/pipenet"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// lab is a server and a session on a network of pipes, to be used within a bubble.
type lab struct {
	network *pipenet.Network
	server  *http.Server
	session *Session

	mu       sync.Mutex
	arrivals []arrival
	samples  []trace.Sample
}

// arrival is a request as the server saw it.
type arrival struct {
	at     time.Duration
	name   string
	remote int
}

// newLab starts a server whose handler comes after the journal.
func newLab(t *testing.T, handler http.HandlerFunc) *lab {
	l := &lab{network: pipenet.New()}
	l.session = &Session{Start: time.Now(), Write: func(s trace.Sample) error {
		l.samples = append(l.samples, s)
		return nil
	}}
	var connections atomic.Int64
	type connection struct{}
	l.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			l.mu.Lock()
			l.arrivals = append(l.arrivals, arrival{time.Since(l.session.Start), r.Header.Get("Name"), r.Context().Value(connection{}).(int)})
			l.mu.Unlock()
			if handler != nil {
				handler(w, r)
			}
		}),
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connection{}, int(connections.Add(1)))
		},
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = l.server.Serve(l.network) }()
	t.Cleanup(func() { l.server.Close(); <-served })
	return l
}

// came returns the requests that have arrived by now.
func (l *lab) came() []arrival {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.arrivals)
}

// attack is an attack on the lab whose requests are numbered in the order in which they were built.
func (l *lab) attack(script plan.Script, phases ...plan.Phase) Attack {
	var built atomic.Int64
	return Attack{
		Script: script, Phases: phases, URL: "http://lab", Dial: l.network.DialContext, Sleeper: PlainSleeper,
		Build: func(int) (*http.Request, error) {
			r, err := http.NewRequest(http.MethodPost, "http://lab/", nil)
			if err == nil {
				r.Header.Set("Name", fmt.Sprint(built.Add(1)-1))
			}
			return r, err
		},
		Read: func(_ int, a Answer) Reading {
			switch {
			case a.Err != nil:
				return Reading{Kind: trace.Other, Fault: trace.Reset}
			case a.Status == 200:
				return Reading{Kind: trace.Admitted}
			}
			return Reading{Kind: trace.Limited}
		},
	}
}

// bySeq returns the samples in the order of sending.
func (l *lab) bySeq() []trace.Sample {
	return slices.SortedFunc(slices.Values(l.samples), func(a, b trace.Sample) int { return int(a.Seq) - int(b.Seq) })
}

func TestAttackSendsEachRequestOnceAtItsTime(t *testing.T) {
	for _, rate := range []float64{7, 100, 970} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				phases := []plan.Phase{
					{Length: 4 * time.Second, Rate: rate},
					{Start: 12 * time.Second, Length: 4 * time.Second, Rate: 2 * rate},
				}
				l := newLab(t, func(http.ResponseWriter, *http.Request) { time.Sleep(3 * time.Millisecond) })
				schedule := NewSchedule(phases, 0, 1)
				if err := l.attack(schedule, phases...).Run(t.Context(), l.session); err != nil {
					t.Fatal(err)
				}
				samples := l.bySeq()
				if want := phases[0].Count() + phases[1].Count(); len(samples) != want || len(l.came()) != want {
					t.Fatalf("%d samples of %d requests, want %d", len(samples), len(l.came()), want)
				}
				for i, s := range samples {
					phase, n := 0, i
					if i >= phases[0].Count() {
						phase, n = 1, i-phases[0].Count()
					}
					due := phases[phase].At(n)
					want := trace.Sample{Intended: due, Sent: due, Received: due + 3*time.Millisecond, Seq: uint32(i),
						Phase: uint16(phase), Status: 200, Kind: trace.Admitted}
					if s != want {
						t.Fatalf("sample %d: %+v, want %+v", i, s, want)
					}
				}
				names := map[string]bool{}
				for i, a := range l.came() {
					if a.at != samples[i].Intended {
						t.Fatalf("request %d arrived at %v, due at %v", i, a.at, samples[i].Intended)
					}
					names[a.name] = true
				}
				if len(names) != len(l.came()) {
					t.Errorf("%d requests, but only %d different ones", len(l.came()), len(names))
				}
				if stalls := schedule.Stalls(); len(stalls) > 0 {
					t.Errorf("stalls %+v, want none", stalls)
				}
			})
		})
	}
}

// lateOnce is a sleeper that oversleeps its nth sleep.
func lateOnce(nth int, by time.Duration) NewSleeper {
	return func(ctx context.Context) (Sleeper, error) {
		plain, err := PlainSleeper(ctx)
		return &oversleeper{Sleeper: plain, left: nth, by: by}, err
	}
}

type oversleeper struct {
	Sleeper
	left int
	by   time.Duration
}

func (s *oversleeper) Until(t time.Time) error {
	if s.left--; s.left == 0 {
		t = t.Add(s.by)
	}
	return s.Sleeper.Until(t)
}

func TestAttackNeverCatchesUpAfterAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phases := []plan.Phase{{Length: 5 * time.Second, Rate: 1000}}
		l := newLab(t, nil)
		schedule := NewSchedule(phases, 0)
		a := l.attack(schedule, phases...)
		a.Sleeper = lateOnce(1500, 200*time.Millisecond)
		if err := a.Run(t.Context(), l.session); err != nil {
			t.Fatal(err)
		}
		if len(l.came()) != 5000 {
			t.Errorf("%d requests, want 5000: a stall drops none", len(l.came()))
		}
		times := make([]time.Duration, 0, len(l.came()))
		for _, a := range l.came() {
			times = append(times, a.at)
		}
		if most := mostWithin(times, time.Second); most > 1001 {
			t.Errorf("%d requests within a second, want at most 1001", most)
		}
		if most := mostWithin(times, 50*time.Millisecond); most > 51 {
			t.Errorf("%d requests within 50 ms, want at most 51", most)
		}
		if stalls := schedule.Stalls(); len(stalls) != 1 || stalls[0].Slid != 199*time.Millisecond {
			t.Errorf("stalls %+v, want one of 199 ms", stalls)
		}
	})
}

// mostWithin is the most of the times that fall within any half-open window of that length.
func mostWithin(times []time.Duration, window time.Duration) (most int) {
	slices.Sort(times)
	first := 0
	for i, at := range times {
		for at-times[first] >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func TestAttackSpreadsOverItsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phases := []plan.Phase{{Length: 2 * time.Second, Rate: 160}}
		l := newLab(t, nil)
		if err := l.attack(NewSchedule(phases, 0), phases...).Run(t.Context(), l.session); err != nil {
			t.Fatal(err)
		}
		used := map[int]int{}
		for _, a := range l.came() {
			used[a.remote]++
		}
		if len(used) != lanes {
			t.Errorf("%d connections were used, want %d", len(used), lanes)
		}
		for connection, n := range used {
			if n != 320/lanes {
				t.Errorf("connection %d carried %d requests, want %d", connection, n, 320/lanes)
			}
		}
	})
}

func TestAttackStopsWithItsContext(t *testing.T) {
	why := errors.New("enough")
	for name, hang := range map[string]bool{"while the target answers": false, "while the target hangs": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				phases := []plan.Phase{{Length: 3 * time.Second, Rate: 100}, {Start: time.Hour, Length: time.Hour, Rate: 1}}
				l := newLab(t, func(_ http.ResponseWriter, r *http.Request) {
					if hang {
						<-r.Context().Done()
					}
				})
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(4*time.Second, func() { cancel(why) }) // the pacer sleeps
				err := l.attack(NewSchedule(phases, 0, 1), phases...).Run(ctx, l.session)
				if !errors.Is(err, why) {
					t.Errorf("error %v, want %v", err, why)
				}
				if took := time.Since(l.session.Start); took > 4600*time.Millisecond {
					t.Errorf("stopped after %v, want within 0.6 s of 4 s", took)
				}
				if len(l.samples) != 300 {
					t.Errorf("%d samples, want all 300 that were sent", len(l.samples))
				}
			})
		})
	}
}

func TestAttackStoppedWhileNothingMoreFitsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phases := []plan.Phase{{Length: time.Minute, Rate: 100}}
		l := newLab(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		a := l.attack(NewSchedule(phases, 0), phases...)
		a.MaxInFlight = 20
		if err := a.Run(ctx, l.session); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want %v", err, context.DeadlineExceeded)
		}
		if len(l.samples) != 20 || len(l.came()) != 20 {
			t.Errorf("%d samples, %d arrivals, want 20: nothing is sent after the stop", len(l.samples), len(l.came()))
		}
	})
}

func TestAttackEndsWhereTheTraceCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phases := []plan.Phase{{Length: time.Hour, Rate: 100}}
		l := newLab(t, nil)
		full := errors.New("disk full")
		l.session.Write = func(trace.Sample) error { return full }
		err := l.attack(NewSchedule(phases, 0), phases...).Run(t.Context(), l.session)
		if !errors.Is(err, full) {
			t.Errorf("error %v, want %v", err, full)
		}
	})
}

func TestAttackEndsWhereARequestCannotBeBuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phases := []plan.Phase{{Length: time.Hour, Rate: 100}}
		l := newLab(t, nil)
		a := l.attack(NewSchedule(phases, 0), phases...)
		broken := errors.New("no more phones")
		build := a.Build
		var n atomic.Int64
		a.Build = func(phase int) (*http.Request, error) {
			if n.Add(1) > 500 {
				return nil, broken
			}
			return build(phase)
		}
		if err := a.Run(t.Context(), l.session); !errors.Is(err, broken) {
			t.Errorf("error %v, want %v", err, broken)
		}
		if len(l.samples) != 500 {
			t.Errorf("%d samples, want those of the 500 requests before", len(l.samples))
		}
	})
}

func TestAttackStallsRatherThanHoldMoreInFlightThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phases := []plan.Phase{{Length: time.Second, Rate: 1000}}
		l := newLab(t, func(_ http.ResponseWriter, r *http.Request) { time.Sleep(time.Second) })
		schedule := NewSchedule(phases, 0)
		a := l.attack(schedule, phases...)
		a.MaxInFlight = 100
		if err := a.Run(t.Context(), l.session); err != nil {
			t.Fatal(err)
		}
		times := make([]time.Duration, 0, len(l.came()))
		for _, a := range l.came() {
			times = append(times, a.at)
		}
		if most := mostWithin(times, time.Second); most > 101 {
			t.Errorf("%d requests within the second that each takes, want 100 in flight", most)
		}
		if len(schedule.Stalls()) == 0 {
			t.Error("no stall was recorded")
		}
	})
}

// drainTwice sends three requests, waits for their answers, and once more.
type drainTwice struct {
	sent, answered int
	drained        []int // answers seen when it was asked again
}

func (s *drainTwice) Next(now time.Duration) plan.Move {
	if s.sent > 0 && s.sent%3 == 0 && len(s.drained) < s.sent/3 {
		if s.answered == s.sent {
			s.drained = append(s.drained, s.answered)
		}
		return plan.Move{Kind: plan.Drain}
	}
	if s.sent == 6 {
		return plan.Move{Kind: plan.Done}
	}
	s.sent++
	return plan.Move{Kind: plan.Send} // at 0: at once
}

func (s *drainTwice) Observe(a plan.Answer) { s.answered++ }

func TestAttackFollowsAScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(http.ResponseWriter, *http.Request) { time.Sleep(50 * time.Millisecond) })
		script := &drainTwice{}
		if err := l.attack(script, plan.Phase{}).Run(t.Context(), l.session); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(script.drained, []int{3, 6}) {
			t.Errorf("drained with %v answers, want 3 and 6", script.drained)
		}
		for i, s := range l.bySeq() {
			if want := time.Duration(i/3) * 50 * time.Millisecond; s.Intended != want || s.Sent != want {
				t.Errorf("request %d was due at %v and sent at %v, want %v", i, s.Intended, s.Sent, want)
			}
		}
	})
}

func TestAttackGivesUpOnAnAnswerThatDoesNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phases := []plan.Phase{{Length: time.Second, Rate: 3}}
		l := newLab(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Name") == "1" { // half an answer
				w.Header().Set("Content-Length", "10")
				_, _ = io.WriteString(w, "half")
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		})
		a := l.attack(NewSchedule(phases, 0), phases...)
		a.Timeout = 2 * time.Second
		var errs []error
		a.Read = func(_ int, answer Answer) Reading {
			errs = append(errs, answer.Err)
			return Reading{Kind: trace.Other, Fault: trace.Timeout}
		}
		if err := a.Run(t.Context(), l.session); err != nil {
			t.Fatal(err)
		}
		for i, err := range errs {
			if !errors.Is(err, ErrTimeout) {
				t.Errorf("request %d: %v, want %v", i, err, ErrTimeout)
			}
		}
		for i, s := range l.bySeq() {
			if s.Latency() != 2*time.Second {
				t.Errorf("request %d was given up after %v, want 2 s", i, s.Latency())
			}
		}
		if len(errs) != 3 {
			t.Errorf("%d answers, want 3", len(errs))
		}
	})
}
