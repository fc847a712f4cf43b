// Package redis counts requests in Redis. Any number of programs may share one Redis: they are one limiter.
//
// A decision is one round trip: a script that Redis runs atomically, by Redis's own clock, so that neither the number of
// programs nor their clocks matter. A key expires when it is rested, for then a fresh one would say the same.
package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"leadconform/reference/internal/ratelimit"
)

// prefix is what the names of all keys begin with.
const prefix = "leadconform:"

//go:embed clock.lua
var clock string

//go:embed tworate.lua
var twoRate string

//go:embed window.lua
var window string

// What goes wrong is in the errors, and who calls decides what becomes of it: the library's own log is not for us to fill.
func init() { redis.SetLogger(quiet{}) }

type quiet struct{}

// Printf says nothing.
func (quiet) Printf(context.Context, string, ...any) {}

// Limiter is a ratelimit.Limiter. It must be closed.
type Limiter struct {
	client   *redis.Client
	patience time.Duration

	twoRate, window *redis.Script

	// time are arguments of every script, after its own; the clock of Redis needs none.
	time func() []any
}

var _ ratelimit.Limiter = (*Limiter)(nil)

// Open connects to the Redis that a URL names (redis://USER:PASSWORD@HOST:PORT/DATABASE, or rediss:// for TLS). No error of
// it holds the password. From then on no decision takes longer than patience, waiting for a connection included.
func Open(ctx context.Context, url string, patience time.Duration) (*Limiter, error) {
	return open(ctx, url, patience, clock, func() []any { return nil })
}

// open makes a limiter that takes the time from a script of its own.
func open(ctx context.Context, url string, patience time.Duration, clock string, time func() []any) (*Limiter, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("read the URL: write it as redis://USER:PASSWORD@HOST:PORT/DATABASE")
	}
	options.ContextTimeoutEnabled = true
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = patience, patience, patience, patience
	options.DialerRetries = 1
	options.MaxRetries = -1 // a decision whose answer was lost may have been counted: asked again, it would be counted twice
	options.DisableIdentity = true
	l := &Limiter{
		client:   redis.NewClient(options),
		patience: patience,
		twoRate:  redis.NewScript(clock + twoRate),
		window:   redis.NewScript(clock + window),
		time:     time,
	}
	if err := l.Ready(ctx); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// Close lets go of all connections.
func (l *Limiter) Close() error { return l.client.Close() }

// Ready asks Redis for a sign of life.
func (l *Limiter) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	if err := l.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ask Redis for a sign of life: %w", err)
	}
	return nil
}

// TwoRate decides one request under p.
func (l *Limiter) TwoRate(ctx context.Context, key ratelimit.Key, p ratelimit.TwoRate) (ratelimit.Decision, error) {
	if err := p.Validate(); err != nil {
		return ratelimit.Decision{}, fmt.Errorf("limit %s: %w", key.Scope, err)
	}
	return l.decide(ctx, l.twoRate, "tworate", key, p.Rate, billionths(p.CommittedDepth()), p.Burst, billionths(p.PeakDepth()))
}

// FixedWindow decides one request under p.
func (l *Limiter) FixedWindow(ctx context.Context, key ratelimit.Key, p ratelimit.FixedWindow) (ratelimit.Decision, error) {
	if err := p.Validate(); err != nil {
		return ratelimit.Decision{}, fmt.Errorf("limit %s: %w", key.Scope, err)
	}
	return l.decide(ctx, l.window, "window", key, p.Requests, max(1, p.Window.Microseconds()))
}

// decide runs a script on one key. It answers with the number of whole seconds to wait, 0 if the request passes.
func (l *Limiter) decide(ctx context.Context, script *redis.Script, kind string, key ratelimit.Key, args ...any) (ratelimit.Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	seconds, err := script.Run(ctx, l.client, []string{name(kind, key)}, append(args, l.time()...)...).Int64()
	if err != nil {
		return ratelimit.Decision{}, fmt.Errorf("ask Redis about %s: %w", key.Scope, err)
	}
	return ratelimit.Decision{Allowed: seconds == 0, RetryAfter: time.Duration(seconds) * time.Second}, nil
}

// name is the key's name in Redis. No two keys share one.
func name(kind string, key ratelimit.Key) string {
	return prefix + kind + ":" + url.PathEscape(key.Scope) + "/" + url.PathEscape(key.Subject)
}

// billionths is the scripts' way of counting requests.
func billionths(requests float64) string {
	return strconv.FormatFloat(math.Round(requests*1e9), 'f', 0, 64)
}

// Reset forgets every count. It takes as long as it takes to look through all keys of the database.
func (l *Limiter) Reset(ctx context.Context) error {
	const many = 1000
	for next := uint64(0); ; {
		keys, cursor, err := l.client.Scan(ctx, next, prefix+"*", many).Result()
		if err != nil {
			return fmt.Errorf("look for counts to forget: %w", err)
		}
		if len(keys) > 0 {
			if err := l.client.Unlink(ctx, keys...).Err(); err != nil {
				return fmt.Errorf("forget counts: %w", err)
			}
		}
		if next = cursor; next == 0 {
			return nil
		}
	}
}
