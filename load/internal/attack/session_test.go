package attack

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// slowerAndSlower answers the first hundred requests after two seconds, and the others after nine.
func slowerAndSlower() http.HandlerFunc {
	var n atomic.Int64
	return func(http.ResponseWriter, *http.Request) {
		if n.Add(1) <= 100 {
			time.Sleep(2 * time.Second)
			return
		}
		time.Sleep(9 * time.Second)
	}
}

func TestSessionNoticesALostTarget(t *testing.T) {
	valid := func(s trace.Sample) bool { return s.Kind != trace.Other }
	hangUp := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}
	for _, c := range []struct {
		name   string
		alive  func(trace.Sample) bool
		broken http.HandlerFunc // from 2 s on
		lost   time.Duration    // how soon it is noticed; 0: never
	}{
		{"it answers on", valid, func(http.ResponseWriter, *http.Request) {}, 0},
		{"it hangs", nil, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 5500 * time.Millisecond},
		{"it hangs up", nil, hangUp, 3500 * time.Millisecond},
		{"it answers nonsense, which counts", valid, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) }, 3500 * time.Millisecond},
		{"it answers nonsense, which is let pass", nil, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) }, 0},
		{"it is slow", valid, func(http.ResponseWriter, *http.Request) { time.Sleep(4 * time.Second) }, 0},
		{"it is slow and then slower, as a queue is", valid, slowerAndSlower(), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// The silence between the phases is longer than any patience.
				phases := []plan.Phase{{Length: time.Second, Rate: 50}, {Start: 9 * time.Second, Length: 10 * time.Second, Rate: 50}}
				const brokenFrom = 10 * time.Second
				var l *lab
				l = newLab(t, func(w http.ResponseWriter, r *http.Request) {
					if time.Since(l.session.Start) >= brokenFrom {
						c.broken(w, r)
					}
				})
				l.session.Alive = c.alive
				a := l.attack(NewSchedule(phases, 0, 1), phases...)
				a.Read = func(_ int, answer Answer) Reading {
					if answer.Err != nil || answer.Status == 418 {
						return Reading{Kind: trace.Other, Fault: trace.BadStatus}
					}
					return Reading{Kind: trace.Admitted}
				}
				ctx, cancel := context.WithCancel(t.Context())
				go func() { _ = a.Run(ctx, l.session); cancel() }()
				err := l.session.Watch(ctx)
				cancel()
				at := time.Since(l.session.Start) - brokenFrom
				switch {
				case c.lost == 0 && err != nil:
					t.Errorf("lost after %v: %v", at, err)
				case c.lost > 0 && (!errors.Is(err, ErrLost) || at > c.lost):
					t.Errorf("after %v: %v, want it lost within %v", at, err, c.lost)
				}
			})
		})
	}
}
