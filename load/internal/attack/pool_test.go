package attack

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/fixtures/pipenet"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

func TestConnectionsStandBeforeTheFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phases := []plan.Phase{{Length: time.Second, Rate: 160}, {Start: 20 * time.Second, Length: time.Second, Rate: 160}}
		l := newLab(t, nil)
		var dialled atomic.Int64
		late := 0
		a := l.attack(NewSchedule(phases, 0, 1), phases...)
		a.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			time.Sleep(100 * time.Millisecond) // a long way
			dialled.Add(1)
			return l.network.DialContext(ctx, network, addr)
		}
		ready, err := a.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n := dialled.Load(); n != lanes {
			t.Errorf("%d connections stand before the first request, want %d", n, lanes)
		}
		l.session.Start = time.Now()
		if err := ready.Run(t.Context(), l.session); err != nil {
			t.Fatal(err)
		}
		for _, s := range l.samples {
			if s.Lag() > 0 {
				late++
			}
		}
		// The server may have closed what was silent for 19 s, so they are dialled anew, and again in time.
		if late > 0 || dialled.Load() != 2*lanes {
			t.Errorf("%d requests waited for a connection, of which %d were dialled; want 0 and %d", late, dialled.Load(), 2*lanes)
		}
	})
}

func TestPoolTrustsNoOldConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := pipenet.New()
		defer network.Close()
		go func() {
			for {
				conn, err := network.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
			}
		}()
		p := newPool(network.DialContext, "target:80")
		if err := p.fill(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		old := p.ready[3].Conn
		if conn, err := p.DialContext(t.Context(), "tcp", "target:80"); err != nil || len(p.ready) != 3 {
			t.Errorf("%v, %d left; want one of the four", err, len(p.ready))
		} else {
			conn.Close()
		}
		time.Sleep(freshFor + time.Second)
		conn, err := p.DialContext(t.Context(), "tcp", "target:80")
		if err != nil || conn == old || len(p.ready) != 0 {
			t.Errorf("%v, an old one: %t, %d left; want a new one", err, conn == old, len(p.ready))
		}
		conn.Close()
		if _, err := old.Write([]byte("x")); err == nil {
			t.Error("an old connection was left open")
		}
		p.close()
	})
}

func TestConnectNamesWhomItDoesNotReach(t *testing.T) {
	refuse := errors.New("connection refused")
	a := Attack{Script: NewSchedule(nil), URL: "http://target:81", Dial: func(context.Context, string, string) (net.Conn, error) { return nil, refuse }}
	if _, err := a.Connect(t.Context()); !errors.Is(err, refuse) || err.Error() != "connect to target:81: connection refused" {
		t.Errorf("error %v", err)
	}
	err := Together(t.Context(), &Session{}, []Attack{a}, func() error { t.Error("it began"); return nil })
	if !errors.Is(err, ErrUnreachable) {
		t.Errorf("error %v, want %v", err, ErrUnreachable)
	}
}

func TestAttackOverTLS(t *testing.T) {
	var mu sync.Mutex
	protocols, connections := map[string]int{}, map[string]bool{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		protocols[r.Proto]++
		connections[r.RemoteAddr] = true
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	phases := []plan.Phase{{Length: 200 * time.Millisecond, Rate: 320}}
	run := func(config *tls.Config) (answered int, err error) {
		a := Attack{
			Script: NewSchedule(phases, 0), Phases: phases, URL: server.URL, TLS: config,
			Build: func(int) (*http.Request, error) { return http.NewRequest(http.MethodGet, server.URL, nil) },
			Read: func(_ int, a Answer) Reading {
				if a.Status == http.StatusOK {
					answered++
				}
				return Reading{Kind: trace.Admitted}
			},
		}
		return answered, a.Run(t.Context(), &Session{Start: time.Now(), Write: func(trace.Sample) error { return nil }})
	}
	answered, err := run(&tls.Config{RootCAs: roots})
	if err != nil || answered != 64 || protocols["HTTP/1.1"] != 64 || len(connections) < lanes {
		t.Errorf("%v, %d answered, %v, %d connections; want 64 over HTTP/1.1 on at least %d", err, answered, protocols, len(connections), lanes)
	}
	if _, err := run(nil); err == nil {
		t.Error("a certificate that nobody vouches for was accepted")
	}
}
