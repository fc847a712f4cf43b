package attack

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestFineSleeperIsNeverEarly(t *testing.T) {
	sleeper, err := FineSleeper(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer sleeper.Close()
	for _, wait := range []time.Duration{-time.Second, 0, time.Nanosecond, 30 * time.Microsecond, time.Millisecond, 7 * time.Millisecond} {
		due := time.Now().Add(wait)
		if err := sleeper.Until(due); err != nil {
			t.Fatal(err)
		}
		if early := time.Until(due); early > 0 {
			t.Errorf("woke %v early from a sleep of %v", early, wait)
		}
	}
}

func TestSleepersWakeWhenTheContextEnds(t *testing.T) {
	for name, newSleeper := range map[string]NewSleeper{"plain": PlainSleeper, "fine": FineSleeper} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			sleeper, err := newSleeper(ctx)
			if err != nil {
				t.Fatal(err)
			}
			defer sleeper.Close()
			woken := make(chan error)
			go func() { woken <- sleeper.Until(time.Now().Add(time.Hour)) }()
			cancel()
			// A sleeper that isn't woken leaves the test to its own time limit.
			if err := <-woken; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context canceled", err)
			}
			if err := sleeper.Until(time.Now().Add(time.Hour)); !errors.Is(err, context.Canceled) {
				t.Errorf("the next sleep: got %v, want context canceled", err)
			}
		})
	}
}

func TestPlainSleeperIsExactInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sleeper, err := PlainSleeper(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for i := range 1000 {
			due := start.Add(time.Duration(i) * 1_234_567 * time.Nanosecond)
			if err := sleeper.Until(due); err != nil {
				t.Fatal(err)
			}
			if now := time.Now(); !now.Equal(due) {
				t.Fatalf("sleep %d ended at %v, due at %v", i, now.Sub(start), due.Sub(start))
			}
		}
	})
}
