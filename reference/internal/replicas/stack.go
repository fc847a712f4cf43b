// Package replicas runs the reference server as it would run past one machine: several replicas of the real program, each
// in a container of its own, on one PostgreSQL and one Redis, behind a balancer. It serves the tests of what must hold
// then, and whoever wants to look at it.
package replicas

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
	"golang.org/x/sync/errgroup"

	"leadconform/reference/internal/containers"
)

// Options say what Start starts.
type Options struct {
	Replicas int
	World    []byte               // for --world; nil: the embedded one
	Flags    func(i int) []string // further flags of the i-th replica; nil: none
	Programs []string             // packages whose programs the image of the replicas holds as well
	Progress func(step string)    // told what is being done; nil: nobody
}

// Stack is what runs. It must be stopped.
type Stack struct {
	Postgres, Redis *Service
	Replicas        []*Replica

	network *testcontainers.DockerNetwork
	image   string
}

// startTime is how long the containers may take to start, once the program is built.
const startTime = 3 * time.Minute

// Start builds the program and its image, and starts everything. What it has started when it fails is taken down again.
func Start(ctx context.Context, o Options) (_ *Stack, err error) {
	if err := containers.Available(ctx); err != nil {
		return nil, err
	}
	say := o.Progress
	if say == nil {
		say = func(string) {}
	}
	say("building the program")
	archive, err := packPrograms(ctx, o.Programs)
	if err != nil {
		return nil, err
	}

	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	s := &Stack{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		}
	}()
	say("starting PostgreSQL and Redis")
	if s.network, err = network.New(ctx); err != nil {
		return s, fmt.Errorf("make a network: %w", err)
	}
	var all errgroup.Group
	all.Go(func() (err error) { s.image, err = buildImage(ctx, archive); return err })
	// PostgreSQL waits for its disk, and keeps its data there: both are stopped and started again.
	all.Go(func() (err error) {
		s.Postgres, err = s.service(ctx, containers.Postgres, "postgres", testcontainers.WithCmd("postgres"))
		return err
	})
	all.Go(func() (err error) { s.Redis, err = s.service(ctx, containers.Redis, "redis"); return err })
	if err = all.Wait(); err != nil {
		return s, err
	}
	say(fmt.Sprintf("starting %d replicas", o.Replicas))
	s.Replicas = make([]*Replica, o.Replicas)
	for i := range s.Replicas {
		all.Go(func() (err error) { s.Replicas[i], err = s.replica(ctx, o, i); return err })
	}
	return s, all.Wait()
}

// Stop takes everything down and leaves nothing behind.
func (s *Stack) Stop(ctx context.Context) error {
	var all errgroup.Group
	terminate := func(c *container) {
		if c != nil && c.Container != nil {
			all.Go(func() error { return testcontainers.TerminateContainer(c.Container, testcontainers.StopTimeout(0)) })
		}
	}
	for _, r := range s.Replicas {
		if r != nil {
			terminate(r.container)
		}
	}
	for _, service := range []*Service{s.Postgres, s.Redis} {
		if service != nil {
			terminate(service.container)
		}
	}
	errs := []error{all.Wait()}
	if s.network != nil {
		errs = append(errs, s.network.Remove(ctx))
	}
	if s.image != "" {
		errs = append(errs, removeImage(ctx, s.image))
	}
	return errors.Join(errs...)
}
