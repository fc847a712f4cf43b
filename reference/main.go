// Command reference is the reference server of the Lead Distro API and the Insertion API: what a conforming target does,
// row by row. It is for tests. It keeps no secret and, unless told otherwise, nothing beyond its own life.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"leadconform/reference/server"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1 // could not listen, or did not end well
	exitUsage  = 2 // a flag, or what it names, is wrong
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(server.GCPercent)
	}
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	options, done, err := parse(args, stdout)
	if done {
		return exitOK
	}
	if err == nil && options.Mutant == "list" {
		listMutants(stdout)
		return exitOK
	}
	if err == nil {
		err = start(ctx, options, stdout, stderr)
	}
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "reference: %v\n", err)
	if _, ok := errors.AsType[*kong.ParseError](err); ok {
		fmt.Fprintln(stderr, "reference --help lists the flags")
		return exitUsage
	}
	if _, ok := errors.AsType[*server.ConfigError](err); ok {
		return exitUsage
	}
	return exitFailed
}

// start serves until a signal asks for the end; a second signal doesn't wait for it.
func start(ctx context.Context, o options, stdout, stderr io.Writer) error {
	log := o.logger(stderr)
	signalled, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	serving, drain := context.WithCancel(ctx)
	defer drain()
	quiet := context.AfterFunc(signalled, func() {
		stop()
		log.Info("draining: requests under way are answered, then the server ends")
		drain()
	})
	defer quiet()

	s, err := o.server(log)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close(ctx) }()
	public, err := listen("addr", o.Addr)
	if err != nil {
		return err
	}
	control, err := listen("control", o.Control)
	if err != nil {
		_ = public.Close()
		return err
	}
	fmt.Fprintf(stdout, "both APIs  http://%s\ncontrol    http://%s\n", public.Addr(), control.Addr())
	return s.Serve(serving, public, control)
}

// listen opens the address that a flag names.
func listen(flag, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("--%s %s: the port is in use: stop the program that holds it, or choose another; port 0 takes any that is free", flag, address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("--%s %s: this port is not for everyone: choose one above 1023", flag, address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("--%s %s: this machine has no such address: choose one of its own, such as 127.0.0.1", flag, address)
	}
	return nil, fmt.Errorf("--%s %s: %w", flag, address, err)
}
