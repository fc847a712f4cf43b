package redis

import (
	"context"
	"time"
)

// OpenAt opens a limiter that takes the time from now, not from Redis, and whose keys don't expire meanwhile.
func OpenAt(ctx context.Context, url string, patience time.Duration, now func() time.Time) (*Limiter, error) {
	const clock = `
		local now = tonumber(ARGV[#ARGV])
		local function keep(key, value) redis.call('SET', key, value) end
	`
	return open(ctx, url, patience, clock, func() []any { return []any{now().UnixMicro()} })
}
