//go:build !linux

package attack

import "context"

// FineSleeper is the finest sleeper that this system offers: here, the plain one.
func FineSleeper(ctx context.Context) (Sleeper, error) { return PlainSleeper(ctx) }
