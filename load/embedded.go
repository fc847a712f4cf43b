package main

import (
	"context"
	"errors"
	"net"

	"leadconform/reference/server"
)

// embedded starts a reference server in this process, on a free loopback port, in the world that is given, or in its own. It is all that the harness has to do with
// the reference: from here on it is a target like any other.
func embedded(ctx context.Context, world []byte) (baseURL string, stop func(), err error) {
	s, err := server.New(server.Config{World: world})
	if err != nil {
		return "", nil, err
	}
	public, errPublic := net.Listen("tcp", "127.0.0.1:0")
	control, errControl := net.Listen("tcp", "127.0.0.1:0")
	if err := errors.Join(errPublic, errControl); err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it ends when stop is called, not before
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(ctx, public, control) // an error here is an answer that doesn't come there
	}()
	stop = func() {
		cancel()
		<-ended
		_ = s.Close(context.WithoutCancel(ctx))
	}
	return "http://" + public.Addr().String(), stop, nil
}
