package attack

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// leadTime is how long before its first request a run's connections have to stand.
const leadTime = 100 * time.Millisecond

// ErrUnreachable means that no connection to the target could be opened.
var ErrUnreachable = errors.New("the target can't be reached")

// Together runs attacks side by side. When the connections of all of them stand it sets the session's start, unless it
// has one, and calls begin. It ends with the last attack and what follows it; or, with the reason, when ctx ends, an attack
// breaks or the target is lost: then all of them are stopped, and end within a second.
func Together(ctx context.Context, session *Session, attacks []Attack, begin func() error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ready, err := connect(ctx, attacks)
	if err != nil {
		return err
	}
	if session.Start.IsZero() {
		session.Start = time.Now().Add(leadTime)
	}
	if err := begin(); err != nil {
		discard(ready)
		return err
	}
	var watching sync.WaitGroup
	watching.Go(func() {
		if err := session.Watch(ctx); err != nil {
			cancel(err)
		}
	})
	var running sync.WaitGroup
	for _, r := range ready {
		running.Go(func() {
			if err := r.Run(ctx, session); err != nil {
				cancel(err)
			} else if r.driver.Then != nil {
				r.driver.Then(ctx)
			}
		})
	}
	running.Wait()
	err = context.Cause(ctx)
	cancel(nil)
	watching.Wait()
	return err
}

// connect opens the connections of all attacks, or of none.
func connect(ctx context.Context, attacks []Attack) ([]*Ready, error) {
	ready := make([]*Ready, len(attacks))
	errs := make([]error, len(attacks))
	var dialling sync.WaitGroup
	for i, a := range attacks {
		dialling.Go(func() { ready[i], errs[i] = a.Connect(ctx) })
	}
	dialling.Wait()
	for _, err := range errs {
		if err == nil {
			continue
		}
		discard(ready)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return ready, nil
}

func discard(ready []*Ready) {
	for _, r := range ready {
		if r != nil {
			r.Close()
		}
	}
}
