// Command stack runs the reference server as it would run past one machine, for whoever wants to look at it: replicas in
// containers, on one PostgreSQL and one Redis, behind a balancer. It needs Docker, and the Go toolchain to build the
// replicas. It takes everything down when it ends.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"leadconform/reference/internal/containers"
	"leadconform/reference/internal/replicas"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2 // a flag, or what it names, is wrong
)

// options are the flags.
type options struct {
	Replicas int    `default:"3" help:"How many replicas there are, 1 to 20."`
	Addr     string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where the balancer serves both APIs. Port 0 takes any that is free."`
	Control  string `default:"127.0.0.1:8081" placeholder:"HOST:PORT" help:"Where the operator of the first replica is served. It asks for no credentials: keep it on loopback."`
	World    string `placeholder:"FILE" help:"Who may call, with what key and at which limits, as YAML; without it, the embedded world."`
}

// Validate is called by kong when the flags have been read.
func (o options) Validate() error {
	if o.Replicas < 1 || o.Replicas > 20 {
		return fmt.Errorf("--replicas %d: choose 1 to 20", o.Replicas)
	}
	return nil
}

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	helped := false
	parser, err := kong.New(&o,
		kong.Name("stack"),
		kong.Description("Replicas of the reference server on PostgreSQL and Redis, in containers, behind a balancer. Ctrl-C takes everything down."),
		kong.Writers(stdout, io.Discard),
		kong.Exit(func(int) { helped = true }),
	)
	if err == nil {
		_, err = parser.Parse(args)
	}
	switch {
	case helped:
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "stack: %v\nstack --help lists the flags\n", err)
		return exitUsage
	}
	if err := serve(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "stack: %v\n", err)
		return exitFailed
	}
	return exitOK
}

// serve starts everything, and takes it down when a signal asks for the end. A second signal doesn't wait for that.
func serve(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	wanted := replicas.Options{Replicas: o.Replicas, Progress: func(step string) { fmt.Fprintln(stderr, step) }}
	if o.World != "" {
		if wanted.World, err = os.ReadFile(o.World); err != nil {
			return fmt.Errorf("--world: %w: name a file that can be read", err)
		}
	}
	// The ports first: that one is taken should be known before anything is started.
	public, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return fmt.Errorf("--addr %s: %w: choose another, or stop the program that holds it", o.Addr, err)
	}
	defer public.Close()
	control, err := net.Listen("tcp", o.Control)
	if err != nil {
		return fmt.Errorf("--control %s: %w: choose another, or stop the program that holds it", o.Control, err)
	}
	defer control.Close()
	if err := containers.Available(ctx); err != nil {
		return fmt.Errorf("%w: start Docker, or run the reference server by itself: go run ./reference", err)
	}

	s, err := replicas.Start(ctx, wanted)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("broken off before everything was started: %w", err)
	}
	if err != nil {
		return err
	}
	b := replicas.Balance(s.Replicas, public, control)
	err = show(context.WithoutCancel(ctx), s, b, stdout)
	if err == nil {
		<-ctx.Done()
	}
	fmt.Fprintln(stderr, "taking everything down")
	return errors.Join(err, b.Close(), s.Stop(context.WithoutCancel(ctx)))
}

// show says where everything is.
func show(ctx context.Context, s *replicas.Stack, b *replicas.Balancer, w io.Writer) error {
	fmt.Fprintf(w, "both APIs   %s\ncontrol     %s (of replica 1)\n", b.Public, b.Control)
	for i, r := range s.Replicas {
		fmt.Fprintf(w, "replica %-3d %s, control %s\n", i+1, r.Public(), r.Control())
	}
	for _, of := range []struct {
		name    string
		service *replicas.Service
	}{{"PostgreSQL", s.Postgres}, {"Redis", s.Redis}} {
		url, err := of.service.URL(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%-11s %s\n", of.name, url)
	}
	fmt.Fprintln(w, "Ctrl-C takes everything down.")
	return nil
}
