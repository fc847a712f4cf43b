package attack

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"leadconform/load/internal/trace"
)

// Session is what the attacks of one run share: a clock, a numbering and a trace.
type Session struct {
	// Start is the zero of all times. It may lie a little ahead, so that all attacks begin together.
	Start time.Time
	// Write takes each sample as its answer comes in; calls don't overlap. An error ends the attacks.
	Write func(trace.Sample) error
	// Alive says whether an answer shows that the target still serves. Nil: any answer does.
	Alive func(trace.Sample) bool

	mu       sync.Mutex
	begun    uint32 // requests that became due
	written  uint32 // those of them that have their sample
	refusals trace.Refusals

	alive  time.Time // when the target last showed that it serves, or when it was first asked again after a silence
	slow   bool      // that answer had taken its time
	dead   int       // answers since then that show no such thing
	reason string    // the last of them
}

// begin numbers a request that is due.
func (s *Session) begin() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun == s.written && s.dead == 0 {
		s.alive = time.Now()
	}
	s.begun++
	return s.begun - 1
}

// Begun is how many requests have become due so far.
func (s *Session) Begun() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.begun)
}

func (s *Session) write(sample trace.Sample) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written++
	switch {
	case s.serves(sample):
		s.alive, s.slow, s.dead = time.Now(), sample.Latency() > slowAnswer, 0
	case sample.Fault != trace.Stopped && sample.Fault != trace.Timeout: // of what doesn't come, the silence tells
		s.dead++
		s.reason = sample.Fault.String()
		if sample.Status != 0 {
			s.reason = fmt.Sprintf("%v (status %d)", sample.Fault, sample.Status)
		}
	}
	if sample.Refusal != nil {
		sample.Refusal = s.refusals.Keep(*sample.Refusal)
	}
	return s.Write(sample)
}

func (s *Session) serves(sample trace.Sample) bool {
	if s.Alive == nil {
		return sample.Status != 0
	}
	return s.Alive(sample)
}

// When a target counts as lost.
const (
	lostAfter    = 3 * time.Second // with answers that show nothing
	lostAnswers  = 20              // at least so many of them
	silenceAfter = 5 * time.Second // without any answer, while some are awaited
	watchEvery   = 250 * time.Millisecond

	// A target that queues requests answers later and later, and then, as far as its clients still wait, not at all. It
	// gets longer until it counts as lost, since it is the judge who has to say what it does.
	slowAnswer       = time.Second
	slowSilenceAfter = 20 * time.Second
)

// ErrLost means that the target stopped serving while it was attacked.
var ErrLost = errors.New("the target was lost half-way")

// Watch returns when the target is lost, with the reason, or nil when ctx ends.
func (s *Session) Watch(ctx context.Context) error {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := s.lost(); err != nil {
				return err
			}
		}
	}
}

func (s *Session) lost() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	since := time.Since(s.alive)
	silence := silenceAfter
	if s.slow {
		silence = slowSilenceAfter
	}
	switch {
	case s.dead >= lostAnswers && since > lostAfter:
		return fmt.Errorf("%w: not one valid answer for %.1f s; the last of %d requests met: %s", ErrLost, since.Seconds(), s.dead, s.reason)
	case s.begun > s.written && since > silence:
		return fmt.Errorf("%w: no answer for %.1f s, %d requests are waiting for one", ErrLost, since.Seconds(), s.begun-s.written)
	}
	return nil
}
