package attack

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// lanes is the number of transports that share the requests of one attack, in turn. A transport prefers the connection
// it used last, so one transport would send most requests over one connection, and a balancer that is sticky by
// connection would hide limits that are counted per node.
const lanes = 16

// Times of a connection.
const (
	dialTimeout = 5 * time.Second
	// A server may close a connection that stays silent; many do after 5 s. Ours go first, or a request could meet
	// the close half-way.
	idleTimeout = 4 * time.Second
	freshFor    = 3 * time.Second // how long a connection dialled ahead is trusted
)

// Dial opens a connection, as net.Dialer.DialContext does.
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)

// pool keeps connections to one address that were dialled ahead of their use, so that no request of the first moments
// waits for a handshake. It spends no request, and so nothing of a limit.
type pool struct {
	dial Dial
	addr string

	mu     sync.Mutex
	ready  []readyConn
	closed bool
}

type readyConn struct {
	net.Conn
	since time.Time
}

func newPool(dial Dial, addr string) *pool { return &pool{dial: dial, addr: addr} }

// fill dials until n connections are ready. It returns the first error and keeps what could be dialled.
func (p *pool) fill(ctx context.Context, n int) error {
	p.mu.Lock()
	p.dropStale()
	missing := n - len(p.ready)
	p.mu.Unlock()
	errs := make(chan error, max(missing, 0))
	for range missing {
		go func() {
			conn, err := p.dial(ctx, "tcp", p.addr)
			if err == nil {
				p.put(conn)
			}
			errs <- err
		}()
	}
	var first error
	for range missing {
		if err := <-errs; err != nil && first == nil {
			first = fmt.Errorf("connect to %s: %w", p.addr, err)
		}
	}
	return first
}

func (p *pool) put(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = conn.Close()
		return
	}
	p.ready = append(p.ready, readyConn{Conn: conn, since: time.Now()})
}

// dropStale closes what has waited too long. The oldest stand first.
func (p *pool) dropStale() {
	for len(p.ready) > 0 && time.Since(p.ready[0].since) > freshFor {
		_ = p.ready[0].Close()
		p.ready = p.ready[1:]
	}
}

// DialContext hands out a connection that is ready, or dials one.
func (p *pool) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	p.mu.Lock()
	p.dropStale()
	if len(p.ready) > 0 {
		conn := p.ready[0].Conn
		p.ready = p.ready[1:]
		p.mu.Unlock()
		return conn, nil
	}
	p.mu.Unlock()
	return p.dial(ctx, network, addr)
}

// close closes the connections that nobody took.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, conn := range p.ready {
		_ = conn.Close()
	}
	p.ready = nil
}

// dialer returns how connections of the scheme are opened: over dial, or over TCP where it is nil; with the TLS
// handshake done where the scheme is https, and without HTTP/2, which would put all requests on one connection.
func dialer(scheme string, dial Dial, config *tls.Config) Dial {
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	if scheme != "https" {
		return dial
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		raw, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			_ = raw.Close()
			return nil, err
		}
		settings := &tls.Config{}
		if config != nil {
			settings = config.Clone()
		}
		settings.NextProtos = []string{"http/1.1"}
		if settings.ServerName == "" {
			settings.ServerName = host
		}
		conn := tls.Client(raw, settings)
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		if err := conn.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, err
		}
		return conn, nil
	}
}

// newLane returns one transport that takes its connections from the pool.
func newLane(p *pool) *http.Transport {
	return &http.Transport{
		DialContext:         p.DialContext,
		DialTLSContext:      p.DialContext,
		MaxIdleConnsPerHost: 1 << 16, // every connection is kept for the next request
		IdleConnTimeout:     idleTimeout,
		DisableCompression:  true, // what counts is the answer, and unpacking it costs time
	}
}
