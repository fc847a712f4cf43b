package attack

import (
	"context"
	"time"
)

// A Sleeper waits for a moment. It serves one goroutine at a time.
type Sleeper interface {
	// Until returns nil at t or as soon after it as the machine can, never before; or an error as soon as the
	// sleeper's context ends. A moment that has passed is no wait.
	Until(t time.Time) error
	// Close gives back what the sleeper holds. A closed sleeper waits no more.
	Close() error
}

// NewSleeper makes a sleeper that wakes when ctx ends.
type NewSleeper func(ctx context.Context) (Sleeper, error)

// PlainSleeper sleeps on the runtime's timers: about half a millisecond late in an idle process, and exact in virtual
// time (testing/synctest), where a system call would never count as waiting.
func PlainSleeper(ctx context.Context) (Sleeper, error) {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return &plainSleeper{ctx: ctx, timer: timer}, nil
}

type plainSleeper struct {
	ctx   context.Context
	timer *time.Timer
}

func (s *plainSleeper) Until(t time.Time) error {
	for wait := time.Until(t); wait > 0; wait = time.Until(t) {
		s.timer.Reset(wait)
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-s.timer.C:
		}
	}
	return s.ctx.Err()
}

func (s *plainSleeper) Close() error {
	s.timer.Stop()
	return nil
}
