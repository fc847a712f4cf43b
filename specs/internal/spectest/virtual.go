package spectest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/spec"
)

// Virtual starts a server and its control listener on connections in memory, so that both can be part of a bubble of
// testing/synctest, and returns a runner for the profile, whose base URLs are set. Control may be nil.
func Virtual(t testing.TB, p *target.Profile, public, control http.Handler) *spec.Runner {
	t.Helper()
	network := network{}
	p.SetBaseURL(network.listen(t, "public", public))
	if control != nil {
		p.Control = network.listen(t, "control", control)
	}
	id := target.NewRunID()
	c := target.NewClient(p, target.Options{RunID: id, Version: "test", Dial: network.dial})
	t.Cleanup(c.Close)
	return spec.NewRunner(p, c, spec.NewData(id, 1, p.Phones, 0))
}

// Handlers are those of a reference server.
func Handlers(t testing.TB) (public, control http.Handler) {
	t.Helper()
	s := newServer(t, nil)
	return s.Handler(), s.Control()
}

// network is a network in memory: its listeners by host.
type network map[string]*listener

func (n network) listen(t testing.TB, host string, h http.Handler) (url string) {
	l := &listener{host: host, arriving: make(chan net.Conn), closed: make(chan struct{})}
	n[host] = l
	s := httptest.NewUnstartedServer(h)
	_ = s.Listener.Close()
	s.Listener = l
	s.Config.ErrorLog = quiet()
	s.Start()
	t.Cleanup(s.Close)
	return "http://" + host
}

func (n network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	l, ok := n[host]
	if !ok {
		return nil, fmt.Errorf("there is no %s in this network", host)
	}
	client, server := net.Pipe()
	select {
	case l.arriving <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// listener is one host's (net.Listener).
type listener struct {
	host     string
	arriving chan net.Conn
	closed   chan struct{}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.arriving:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return address(l.host) }

type address string

func (address) Network() string  { return "memory" }
func (a address) String() string { return string(a) }
