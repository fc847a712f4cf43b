package distro

import (
	"context"

	"leadconform/reference/internal/ratelimit"
	"leadconform/reference/internal/wire"
)

// limit charges the request to its supplier's limit for this endpoint (LD-429-*, LD-LIM-*). Every authenticated request
// is charged, whatever its answer will be.
func (a *API) limit(ctx context.Context, c *Call) *wire.Answer {
	decision, err := a.Limiter.TwoRate(ctx, a.LimitKey(c), a.LimitPolicy(c))
	switch {
	case err != nil:
		return a.unavailable(ctx, "asking the limiter", err)
	case !decision.Allowed:
		return new(a.Answers.RateLimited(decision.RetryAfter))
	}
	return nil
}

func limitKey(c *Call) ratelimit.Key {
	scope := "distro/lookup"
	switch c.Endpoint {
	case endpointIngest:
		scope = "distro/ingest"
	case endpointPing:
		scope = "distro/ping"
	}
	return ratelimit.Key{Scope: scope, Subject: c.Supplier.ID}
}

func limitPolicy(c *Call) ratelimit.TwoRate {
	switch c.Endpoint {
	case endpointIngest:
		return c.Supplier.Limits.Ingest
	case endpointPing:
		return c.Supplier.Limits.Ping
	default:
		return c.Supplier.Limits.Lookup
	}
}
