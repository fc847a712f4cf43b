package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/leads/postgres"
	"leadconform/reference/internal/ratelimit"
	"leadconform/reference/internal/ratelimit/redis"
)

// How long a request waits at most for each of the two, before it is answered without.
const (
	storePatience   = 3 * time.Second
	limiterPatience = time.Second
)

const inMemory = "memory"

func openStore(where string) (leads.Store, error) {
	scheme, _, _ := strings.Cut(cmp.Or(where, inMemory), "://")
	switch scheme {
	case inMemory:
		return leads.NewMemory(), nil
	case "postgres", "postgresql":
		store, err := postgres.Open(context.Background(), where, storePatience)
		if err != nil {
			return nil, fmt.Errorf("%w: start PostgreSQL, correct the URL, or keep leads in memory", err)
		}
		return store, nil
	}
	return nil, errors.New("there is no such kind: write memory, or postgres://USER:PASSWORD@HOST:PORT/DATABASE")
}

func openLimiter(where string, now func() time.Time) (ratelimit.Limiter, error) {
	scheme, _, _ := strings.Cut(cmp.Or(where, inMemory), "://")
	switch scheme {
	case inMemory:
		return ratelimit.NewMemory(now), nil
	case "redis", "rediss":
		limiter, err := redis.Open(context.Background(), where, limiterPatience)
		if err != nil {
			return nil, fmt.Errorf("%w: start Redis, correct the URL, or count requests in memory", err)
		}
		return limiter, nil
	}
	return nil, errors.New("there is no such kind: write memory, or redis://USER:PASSWORD@HOST:PORT/DATABASE")
}

// What becomes of requests while the limiter can't decide.
const (
	outageClosed = "closed" // they are refused as unavailable
	outageOpen   = "open"   // they are admitted
)

func checkOutage(choice string) error {
	switch cmp.Or(choice, outageClosed) {
	case outageClosed, outageOpen:
		return nil
	}
	return fmt.Errorf("there is no %q: choose closed or open", choice)
}
