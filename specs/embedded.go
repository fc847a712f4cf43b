package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"leadconform/reference/mutant"
	"leadconform/reference/server"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/matrix"
)

// embedded starts a reference server and its control listener in this process, on free loopback ports. It is all that
// the suite has to do with the reference: from here on it is a target like any other.
func embedded(ctx context.Context) (baseURL, controlURL string, stop func(), err error) {
	return start(ctx, server.Config{})
}

// start starts a reference server as configured.
func start(ctx context.Context, config server.Config) (baseURL, controlURL string, stop func(), err error) {
	s, err := server.New(config)
	if err != nil {
		return "", "", nil, err
	}
	public, errPublic := net.Listen("tcp", "127.0.0.1:0")
	control, errControl := net.Listen("tcp", "127.0.0.1:0")
	if err := errors.Join(errPublic, errControl); err != nil {
		return "", "", nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it ends when stop is called, not before
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(ctx, public, control) // an error here is a row's error there: no answer
	}()
	stop = func() {
		cancel()
		<-ended
		_ = s.Close(context.WithoutCancel(ctx))
	}
	return "http://" + public.Addr().String(), "http://" + control.Addr().String(), stop, nil
}

// mutants are the reference's deliberate faults and its conforming variants.
func mutants() []matrix.Server {
	var servers []matrix.Server
	for _, m := range mutant.All() {
		s := matrix.Server{
			Subject: matrix.Subject{ID: m.ID, Title: m.Title, Kind: matrix.Wrong, API: catalogue.Distro, Kills: m.Kills},
			Start: func(ctx context.Context) (string, string, func(), error) {
				return start(ctx, server.Config{Assemble: m.Apply})
			},
		}
		if m.Conforming {
			s.Kind = matrix.Conforming
		}
		if strings.HasPrefix(m.ID, "in-") {
			s.API = catalogue.Insertion
		}
		servers = append(servers, s)
	}
	return servers
}

// scripted starts a reference server behind a wrap, for the clients that are tried against it.
func scripted(ctx context.Context, addr string, wrap func(http.Handler) http.Handler) (baseURL string, stop func(), err error) {
	s, err := server.New(server.Config{Assemble: func(p *server.Parts) { p.Handler = wrap }})
	if err != nil {
		return "", nil, err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("listen: %w", err)
	}
	front := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = front.Serve(listener) // it ends by stop alone; a client that meets it closed says so itself
	}()
	stop = func() {
		_ = front.Close() // requests under way are cut off: nobody waits for them any more
		<-ended
		_ = s.Close(context.WithoutCancel(ctx))
	}
	return "http://" + listener.Addr().String(), stop, nil
}
