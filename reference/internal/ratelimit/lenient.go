package ratelimit

import (
	"context"
	"log/slog"
)

// Lenient is a Limiter that admits what the one behind it can't decide: for those who would rather serve without a limit
// than not at all.
type Lenient struct {
	Limiter
	Log *slog.Logger
}

// TwoRate decides one request under p.
func (l Lenient) TwoRate(ctx context.Context, key Key, p TwoRate) (Decision, error) {
	if err := p.Validate(); err != nil {
		return Decision{}, err
	}
	d, err := l.Limiter.TwoRate(ctx, key, p)
	return l.admit(ctx, key, d, err), nil
}

// FixedWindow decides one request under p.
func (l Lenient) FixedWindow(ctx context.Context, key Key, p FixedWindow) (Decision, error) {
	if err := p.Validate(); err != nil {
		return Decision{}, err
	}
	d, err := l.Limiter.FixedWindow(ctx, key, p)
	return l.admit(ctx, key, d, err), nil
}

// Ready is always nil: without the limiter everything is admitted, which is how it was asked for.
func (l Lenient) Ready(context.Context) error { return nil }

func (l Lenient) admit(ctx context.Context, key Key, d Decision, err error) Decision {
	if err == nil {
		return d
	}
	l.Log.ErrorContext(ctx, "a request was admitted without a limit", "scope", key.Scope, "error", err)
	return Decision{Allowed: true}
}
