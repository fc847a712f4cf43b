// Package ratelimit decides whether a request is admitted. A policy says what is promised, a Limiter keeps count.
//
// The Lead Distro API promises two rates (LD-LIM-*): a sustained one and a burst one that holds for a window. The
// Insertion API promises a fixed window per key (IN-429-*).
package ratelimit

import (
	"context"
	"time"
)

// TwoRate is the policy of the Lead Distro API: Rate requests per second for ever, and, from rest, Burst requests per
// second for Window.
type TwoRate struct {
	Rate   float64       `yaml:"rate"`   // R, requests per second, > 0
	Burst  float64       `yaml:"burst"`  // B, requests per second, >= Rate
	Window time.Duration `yaml:"window"` // W, > 0
}

// FixedWindow is the policy of the Insertion API: at most Requests in a window that opens with a key's first request.
type FixedWindow struct {
	Requests int64         `yaml:"requests"` // > 0
	Window   time.Duration `yaml:"window"`   // > 0
}

// Key names one count. It is comparable and built without allocation.
type Key struct {
	Scope   string // what is counted: an endpoint, or an API as a whole
	Subject string // who is counted: a supplier, or an API key
}

// Decision is a limiter's answer for one request.
type Decision struct {
	Allowed bool
	// RetryAfter is how long to wait before a single request is admitted, if nothing else is sent meanwhile: whole
	// seconds, at least one. Zero if Allowed.
	RetryAfter time.Duration
}

// Limiter counts requests. A refused request costs nothing. Every decision is atomic, and an implementation that can't
// decide returns an error rather than guess.
type Limiter interface {
	// TwoRate decides one request under p.
	TwoRate(ctx context.Context, key Key, p TwoRate) (Decision, error)
	// FixedWindow decides one request under p.
	FixedWindow(ctx context.Context, key Key, p FixedWindow) (Decision, error)
	// Reset forgets every count: all keys are rested.
	Reset(ctx context.Context) error
	// Ready reports whether the limiter can decide now.
	Ready(ctx context.Context) error
}
