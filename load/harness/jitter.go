package harness

import (
	"context"
	"net/http"
	"slices"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/judge"
)

// measureJitter fills the book's preflight: round trips of requests that are refused for want of a key.
func (r *run) measureJitter(ctx context.Context) (err error) {
	api := target.APIDistro
	if len(r.endpoints(api)) == 0 {
		api = target.APIInsertion
	}
	r.book.meta.Preflight, err = attack.RoundTrips(ctx, r.reach(api), func() (*http.Request, error) { return r.caller.Keyless(api) }, r.see)
	return err
}

// trip is the median round trip of the preflight.
func (r *run) trip() time.Duration {
	trips := slices.Sorted(slices.Values(r.book.meta.Preflight))
	if len(trips) == 0 {
		return 0
	}
	return trips[len(trips)/2]
}

// jitter is σ̂ of the preflight.
func (r *run) jitter() time.Duration { return judge.Jitter(r.book.meta.Preflight) }
