package spectest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"leadconform/fixtures/pipenet"
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

// network is a network in memory: its servers by host.
type network map[string]*pipenet.Network

func (n network) listen(t testing.TB, host string, h http.Handler) (url string) {
	l := pipenet.New()
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
	return l.DialContext(ctx, "", "")
}
