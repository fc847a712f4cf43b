package ratelimit_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"leadconform/reference/internal/ratelimit"
	"leadconform/reference/internal/ratelimit/limitertest"
)

// In front of a limiter that works it changes nothing.
func TestLenient(t *testing.T) {
	limitertest.Run(t, func(_ testing.TB, now func() time.Time) ratelimit.Limiter {
		return ratelimit.Lenient{Limiter: ratelimit.NewMemory(now), Log: slog.New(slog.DiscardHandler)}
	})
}

// gone is a limiter that is out of reach.
type gone struct{ ratelimit.Limiter }

var errGone = errors.New("connection refused")

func (gone) TwoRate(context.Context, ratelimit.Key, ratelimit.TwoRate) (ratelimit.Decision, error) {
	return ratelimit.Decision{}, errGone
}

func (gone) FixedWindow(context.Context, ratelimit.Key, ratelimit.FixedWindow) (ratelimit.Decision, error) {
	return ratelimit.Decision{}, errGone
}

func (gone) Ready(context.Context) error { return errGone }

// In front of one that can't decide it admits everything, is ready, and says so in the log.
func TestLenientInAnOutage(t *testing.T) {
	var log bytes.Buffer
	l := ratelimit.Lenient{Limiter: gone{}, Log: slog.New(slog.NewTextHandler(&log, nil))}
	key := ratelimit.Key{Scope: "ingest"}
	for range 1000 {
		two, err := l.TwoRate(t.Context(), key, ingest)
		fixed, err2 := l.FixedWindow(t.Context(), key, ratelimit.FixedWindow{Requests: 1, Window: time.Minute})
		if err != nil || err2 != nil || !two.Allowed || !fixed.Allowed {
			t.Fatalf("%+v, %v; %+v, %v", two, err, fixed, err2)
		}
	}
	if err := l.Ready(t.Context()); err != nil {
		t.Errorf("not ready: %v", err)
	}
	if n := strings.Count(log.String(), errGone.Error()); n != 2000 {
		t.Errorf("the log tells of %d of 2000 requests", n)
	}
	// What it can't be asked is no outage.
	if d, err := l.TwoRate(t.Context(), key, ratelimit.TwoRate{}); err == nil || d.Allowed {
		t.Errorf("a policy that makes no sense: %+v, %v", d, err)
	}
}
