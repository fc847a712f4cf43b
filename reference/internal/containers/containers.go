// Package containers starts PostgreSQL and Redis as containers: for the tests that need them, and for whoever wants to look
// at a whole stack.
//
// The images are taken from the environment, TEST_POSTGRES_IMAGE and TEST_REDIS_IMAGE, or else from Docker Hub. Every
// container carries the label org.testcontainers.sessionId, by which what a killed run leaves behind can be removed.
package containers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/modules/postgres"
	"github.com/testcontainers/testcontainers-go/modules/redis"
	"golang.org/x/sync/errgroup"
)

// Service is a kind of server that can be started.
type Service struct {
	name  string
	data  string // the folder that it keeps its data in
	start func(ctx context.Context, options []testcontainers.ContainerCustomizer) (testcontainers.Container, string, error)
}

// The services.
var (
	Postgres = Service{"PostgreSQL", "/var/lib/postgresql/data", startPostgres}
	Redis    = Service{"Redis", "/data", startRedis}
)

// Running is a service that answers.
type Running struct {
	testcontainers.Container
	URL string // for --store or --limiter, as seen from this machine
}

// Run starts a service and returns when it answers. Whoever calls it terminates the container.
func (s Service) Run(ctx context.Context, options ...testcontainers.ContainerCustomizer) (Running, error) {
	container, url, err := s.start(ctx, append(options, Quietly))
	if err != nil {
		return Running{container, ""}, fmt.Errorf("start %s: %w", s.name, err)
	}
	return Running{container, url}, nil
}

func startPostgres(ctx context.Context, options []testcontainers.ContainerCustomizer) (testcontainers.Container, string, error) {
	c, err := postgres.Run(ctx, postgresImage(), append(options, postgres.BasicWaitStrategies(), postgres.WithDatabase("leads"))...)
	if err != nil {
		return c, "", err
	}
	url, err := c.ConnectionString(ctx, "sslmode=disable")
	return c, url, err
}

func startRedis(ctx context.Context, options []testcontainers.ContainerCustomizer) (testcontainers.Container, string, error) {
	c, err := redis.Run(ctx, redisImage(), options...)
	if err != nil {
		return c, "", err
	}
	url, err := c.ConnectionString(ctx)
	return c, url, err
}

// startTime is what all services together have to start in. The first time, their images are fetched.
const startTime = 3 * time.Minute

// Start starts services for a test, side by side and with their data in memory, and returns their URLs in the same order.
// They are removed when the test ends. Without Docker, or an image, the test is skipped; see Require.
func Start(t testing.TB, services ...Service) (urls []string) {
	t.Helper()
	Require(t)
	ctx, cancel := context.WithTimeout(t.Context(), startTime)
	defer cancel()
	running := make([]Running, len(services))
	var all errgroup.Group
	for i, s := range services {
		all.Go(func() (err error) {
			running[i], err = s.Run(ctx, testcontainers.WithTmpfs(map[string]string{s.data: "rw"}))
			return err
		})
	}
	err := all.Wait()
	for _, r := range running {
		testcontainers.CleanupContainer(t, r.Container, testcontainers.StopTimeout(0)) // nothing to do for one that wasn't made
		urls = append(urls, r.URL)
	}
	if err != nil && !haveImages(ctx) {
		require(t, fmt.Errorf("an image is neither here nor to be had: %w", err))
	}
	if err != nil {
		t.Fatal(err)
	}
	return urls
}

// haveImages reports whether both images are on this machine: if they are, a container that doesn't start is a failure
// and not a lack.
func haveImages(ctx context.Context) bool {
	provider, err := testcontainers.ProviderDocker.GetProvider(Quietly)
	if err != nil {
		return false
	}
	defer func() { _ = provider.Close() }()
	present, err := provider.(testcontainers.ImageProvider).ListImages(ctx)
	for _, wanted := range []string{postgresImage(), redisImage()} {
		here := func(i testcontainers.ImageInfo) bool { return i.Name == wanted }
		if err != nil || !slices.ContainsFunc(present, here) {
			return false
		}
	}
	return true
}

func postgresImage() string { return cmp.Or(os.Getenv("TEST_POSTGRES_IMAGE"), "postgres:15-alpine") }
func redisImage() string    { return cmp.Or(os.Getenv("TEST_REDIS_IMAGE"), "redis:7-alpine") }

// Require skips a test where Docker can't be reached, and says why. Where the variable REQUIRE_DOCKER is set, as in CI, the
// test fails instead.
func Require(t testing.TB) {
	t.Helper()
	require(t, Available(t.Context()))
}

func require(t testing.TB, unavailable error) {
	t.Helper()
	switch {
	case unavailable == nil:
	case os.Getenv("REQUIRE_DOCKER") != "":
		t.Fatalf("REQUIRE_DOCKER is set, but %v", unavailable)
	default:
		t.Skipf("needs containers: %v", unavailable)
	}
}

// Available says why no container can be started, or nothing.
func Available(ctx context.Context) (err error) {
	defer func() { // the library panics where it finds no Docker at all
		if cause := recover(); cause != nil {
			err = fmt.Errorf("there is no Docker here: %v", cause)
		}
	}()
	provider, err := testcontainers.ProviderDocker.GetProvider(Quietly)
	if err == nil {
		err = errors.Join(provider.Health(ctx), provider.Close())
	}
	if err != nil {
		return fmt.Errorf("there is no Docker here: %w", err)
	}
	return nil
}

// Quietly is an option: what a container goes through, step by step, is not worth a log.
var Quietly = testcontainers.WithLogger(log.NewNoopLogger())
