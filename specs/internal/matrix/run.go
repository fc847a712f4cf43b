package matrix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Runner tries servers, each in a process of its own.
type Runner struct {
	// Command returns the process that tries one server and prints, as JSON, a part with what came of it (Part.Write).
	Command func(ctx context.Context, id string) *exec.Cmd
	// Jobs is how many processes run at once, at least 1.
	Jobs int
	// Patience bounds a process. One that takes longer is killed, and its server counts as not tried.
	Patience time.Duration
	// Tell is called when a server was tried, one call at a time; may be nil.
	Tell func(Subject)
}

// ErrStart means that no process could be started.
var ErrStart = errors.New("start a process")

// Run tries the servers and returns what came of each, in their order. A process that crashes, hangs or prints anything
// else than it should is that subject's Fault. An error means that a process could not be started (ErrStart), or that ctx
// ended.
func (r Runner) Run(ctx context.Context, servers []Server) ([]Subject, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	subjects := make([]Subject, len(servers))
	next := make(chan int)
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range max(1, r.Jobs) {
		workers.Go(func() {
			for i := range next {
				s, err := r.one(ctx, servers[i].Subject)
				if err != nil {
					cancel(err)
					continue
				}
				subjects[i] = s
				if r.Tell != nil && ctx.Err() == nil {
					mu.Lock()
					r.Tell(s)
					mu.Unlock()
				}
			}
		})
	}
	for i := range servers {
		if ctx.Err() == nil {
			next <- i
		}
	}
	close(next)
	workers.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return subjects, nil
}

// one tries one server. Its declaration is kept: a process can't change what is expected of its server.
func (r Runner) one(ctx context.Context, s Subject) (Subject, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Patience)
	defer cancel()
	cmd := r.Command(ctx, s.ID)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return s, fmt.Errorf("%w for %s: %w", ErrStart, s.ID, err)
	}
	err := cmd.Wait()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		s.Fault = fmt.Sprintf("its process had not ended after %v, and was killed", r.Patience)
		return s, nil
	case err != nil:
		s.Fault = fmt.Sprintf("its process crashed: %v: %s", err, tail(stderr.String()))
		return s, nil
	}
	part, err := Read(stdout.Bytes())
	switch {
	case err != nil:
		s.Fault = "its process printed something else: " + err.Error()
	case len(part.Subjects) != 1 || part.Subjects[0].ID != s.ID:
		s.Fault = "its process spoke of something else"
	default:
		tried := part.Subjects[0]
		s.Results, s.Reasons, s.Runs, s.Fault = tried.Results, tried.Reasons, tried.Runs, tried.Fault
	}
	return s, nil
}

// tail is the end of what a process had to say, on one line.
func tail(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	const most = 500
	if len(text) > most {
		text = "…" + strings.ToValidUTF8(text[len(text)-most:], "")
	}
	return text
}
