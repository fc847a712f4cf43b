package attack

import (
	"context"
	"net/http"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// A preflight is long enough for a quartile to be known to a few percent.
const (
	preflightRequests = 200
	preflightRate     = 160 // per second
)

// RoundTrips measures some two hundred round trips, from which the jitter of the way to a target is estimated. How to
// reach it, a says; build makes requests that touch no limit under test; see, if it isn't nil, takes each answer.
func RoundTrips(ctx context.Context, a Attack, build func() (*http.Request, error), see func(Answer)) ([]time.Duration, error) {
	a.Phases = []plan.Phase{{Name: "preflight", Rate: preflightRate, Length: preflightRequests * time.Second / preflightRate}}
	a.Script = NewSchedule(a.Phases, 0)
	a.Build = func(int) (*http.Request, error) { return build() }
	a.Read = func(_ int, answer Answer) Reading {
		if see != nil && answer.Err == nil {
			see(answer)
		}
		return Reading{Kind: trace.Admitted}
	}
	a.Record, a.Then = nil, nil
	var trips []time.Duration
	session := &Session{Write: func(s trace.Sample) error {
		if s.Status != 0 {
			trips = append(trips, s.Latency())
		}
		return nil
	}}
	err := Together(ctx, session, []Attack{a}, func() error { return nil })
	return trips, err
}
