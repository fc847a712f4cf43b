package limitertest

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"leadconform/reference/internal/ratelimit"
)

// The window opens with a key's first request, not on a round second, and again with the first one after it has ended.
func testWindowAnchor(t *testing.T, s *subject) {
	p := ratelimit.FixedWindow{Requests: 3, Window: 10 * time.Second}
	key := s.freshKey()
	steps := []struct {
		after time.Duration
		want  bool
		why   string
	}{
		{0, true, "the first"},
		{9 * time.Second, true, "the second"},
		{0, true, "the third"},
		{0, false, "one too many"},
		{time.Second - time.Microsecond, false, "still the first window"},
		{time.Microsecond, true, "the window has ended, and this opens another"},
		{0, true, "the second of the second window"},
		{25 * time.Second, true, "long after the second window: this opens a third"},
		{9999 * time.Millisecond, true, "the second of the third window, which is not aligned with those before"},
		{0, true, "the third of the third window"},
		{999 * time.Microsecond, false, "one too many"},
		{time.Microsecond, true, "the third window has ended"},
	}
	for i, step := range steps {
		s.clock.advance(step.after)
		if got := s.fixedWindow(t, key, p); got.Allowed != step.want {
			t.Errorf("step %d (%s): allowed is %v", i+1, step.why, got.Allowed)
		}
	}
}

// Retry-After is the time until the window rolls over, rounded up, however often one asks.
func testWindowRetryAfter(t *testing.T, s *subject) {
	p := ratelimit.FixedWindow{Requests: 1, Window: 10 * time.Second}
	key := s.freshKey()
	s.fixedWindow(t, key, p)
	var now time.Duration
	for _, tc := range []struct{ at, want time.Duration }{
		{0, 10 * time.Second},
		{time.Microsecond, 10 * time.Second},
		{999_999 * time.Microsecond, 10 * time.Second},
		{time.Second, 9 * time.Second},
		{5500 * time.Millisecond, 5 * time.Second},
		{9 * time.Second, time.Second},
		{9_999_999 * time.Microsecond, time.Second},
	} {
		s.clock.advance(tc.at - now)
		now = tc.at
		for range 3 {
			if d := s.fixedWindow(t, key, p); d.Allowed || d.RetryAfter != tc.want {
				t.Errorf("%v into the window: %+v, expected to retry after %v", tc.at, d, tc.want)
			}
		}
	}
	s.clock.advance(time.Microsecond)
	if !s.fixedWindow(t, key, p).Allowed {
		t.Error("refused when the window has rolled over")
	}
}

// testWindowOracle compares with a count that knows only when the last window opened.
func testWindowOracle(t *testing.T, s *subject) {
	rapid.Check(t, func(t *rapid.T) {
		requests := rapid.Int64Range(1, 20).Draw(t, "requests")
		millis := rapid.Int64Range(1, 5000).Draw(t, "window, ms")
		p := ratelimit.FixedWindow{Requests: requests, Window: time.Duration(millis) * time.Millisecond}
		key := s.freshKey()
		opened, count := int64(-1), int64(0)
		var now int64 // µs
		for range 200 {
			if opened < 0 || now-opened >= millis*1000 {
				opened, count = now, 0
			}
			want := ratelimit.Decision{Allowed: count < requests}
			if want.Allowed {
				count++
			} else {
				want.RetryAfter = time.Duration((opened+millis*1000-now+999_999)/1_000_000) * time.Second
			}
			if got := s.fixedWindow(t, key, p); got != want {
				t.Fatalf("%+v: the request at %d µs is decided %+v, expected %+v", p, now, got, want)
			}
			step := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 2*millis*1000/requests), rapid.Just(millis*1000)).Draw(t, "step, µs")
			now += step
			s.clock.advance(time.Duration(step) * time.Microsecond)
		}
	})
}
