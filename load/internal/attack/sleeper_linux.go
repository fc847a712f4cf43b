package attack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// FineSleeper sleeps on a timer of the kernel's, which the runtime waits for as it waits for a socket: about a tenth of
// a millisecond late, at no cost to the processor. Not for virtual time.
func FineSleeper(ctx context.Context) (Sleeper, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a timer file descriptor: %w", err)
	}
	file := os.NewFile(uintptr(fd), "timerfd")
	s := &fineSleeper{ctx: ctx, fd: fd, file: file}
	// A deadline in the past wakes the reader: the end of the context must not wait for the timer.
	s.release = context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Unix(1, 0)) })
	return s, nil
}

// A processor that has slept for long takes its time to wake. So that this time isn't a request's, the last stretch of a
// long sleep is a sleep of its own.
const (
	longSleep = 2 * time.Millisecond
	wakeUp    = 300 * time.Microsecond
)

type fineSleeper struct {
	ctx     context.Context
	fd      int
	file    *os.File
	release func() bool
}

func (s *fineSleeper) Until(t time.Time) error {
	for wait := time.Until(t); wait > 0; wait = time.Until(t) {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if wait > longSleep {
			wait -= wakeUp
		}
		spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(wait))}
		if err := unix.TimerfdSettime(s.fd, 0, &spec, nil); err != nil {
			return fmt.Errorf("set the timer: %w", err)
		}
		var expirations [8]byte
		if _, err := s.file.Read(expirations[:]); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return s.ctx.Err()
			}
			return fmt.Errorf("wait for the timer: %w", err)
		}
	}
	return s.ctx.Err()
}

func (s *fineSleeper) Close() error {
	s.release()
	return s.file.Close()
}
