package clients

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// gate bounds how many clients start at a time. What it costs to start one is often more than all that it does afterwards,
// and where all start at once on a busy machine, none is in time.
type gate chan struct{}

// gateTime is how long a client is taken to be starting, if no request of its own shows that it has. Clients that never send
// anything may hold up the others no longer than that.
const gateTime = time.Second

func newGate() gate { return make(gate, 2*runtime.GOMAXPROCS(0)) }

// enter waits for a place, and returns how it is left. Once ctx is done nobody waits.
func (g gate) enter(ctx context.Context) (leave func()) {
	select {
	case g <- struct{}{}:
		return sync.OnceFunc(func() { <-g })
	case <-ctx.Done():
		return func() {}
	}
}

// waitFor waits until something has happened, a time is over or ctx is done. It reports whether it has happened.
func waitFor(ctx context.Context, happened <-chan struct{}, atMost time.Duration) bool {
	select {
	case <-happened:
		return true
	case <-time.After(atMost):
	case <-ctx.Done():
	}
	return false
}
