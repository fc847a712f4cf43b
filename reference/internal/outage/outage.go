// Package outage stands between a program and a server in tests, as a TCP proxy, and takes the server away: by cutting it
// off, by stalling, or by losing an answer.
package outage

import (
	"bytes"
	"net"
	"sync"
	"testing"
)

// Proxy forwards connections to a server until it is told otherwise.
type Proxy struct {
	Addr string // where it listens, HOST:PORT

	server   string
	listener net.Listener

	mu    sync.Mutex
	state *state
	open  map[net.Conn]struct{}
	ended sync.WaitGroup
}

// state is how connections fare. It is replaced as a whole.
type state struct {
	cut  bool
	over chan struct{} // closed when the state has ended
	// stall holds back what is sent to the server, and what it answers.
	stall bool
	// loseAfter, unless nil, is what the client sends before all answers are lost.
	loseAfter []byte
	lost      chan struct{} // closed when it was sent
	loseOnce  sync.Once
}

// Start starts a proxy in front of a server. It ends with the test.
func Start(t testing.TB, server string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: l.Addr().String(), server: server, listener: l, open: map[net.Conn]struct{}{}, state: &state{over: make(chan struct{})}}
	p.ended.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.Cut()
		p.ended.Wait()
	})
	return p
}

// Heal forwards everything again. Connections that were stalled go on.
func (p *Proxy) Heal() { p.become(&state{}) }

// Cut ends all connections, and every new one at once.
func (p *Proxy) Cut() {
	p.become(&state{cut: true})
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}

// Stall accepts connections and takes what is sent, and nothing comes back.
func (p *Proxy) Stall() { p.become(&state{stall: true}) }

// LoseAnswerTo forwards everything, until a client sends the text. That still reaches the server; but no answer comes
// back any more, on any connection. The channel is closed when that happens.
func (p *Proxy) LoseAnswerTo(text string) <-chan struct{} {
	s := &state{loseAfter: []byte(text), lost: make(chan struct{})}
	p.become(s)
	return s.lost
}

func (p *Proxy) become(s *state) {
	s.over = make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.state.over)
	p.state = s
}

func (p *Proxy) now() *state {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.ended.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		_ = client.Close()
		return
	}
	if !p.admit(client, server) {
		_, _ = client.Close(), server.Close()
		return
	}
	p.ended.Go(func() { p.forward(server, client, (*state).sent) })
	p.forward(client, server, (*state).answered)
}

// admit notes both ends of a connection, so that they can be cut.
func (p *Proxy) admit(client, server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state.cut {
		return false
	}
	p.open[client], p.open[server] = struct{}{}, struct{}{}
	return true
}

// forward copies until one side ends, and asks before each piece whether it may go on.
func (p *Proxy) forward(to, from net.Conn, may func(*state, []byte)) {
	defer func() {
		_, _ = to.Close(), from.Close()
		p.mu.Lock()
		delete(p.open, to)
		p.mu.Unlock()
	}()
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			may(p.now(), piece[:n])
			if p.now().cut {
				return
			}
			if _, err := to.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// sent lets a piece pass that the client has sent.
func (s *state) sent(piece []byte) {
	switch {
	case s.stall:
		<-s.over
	case s.loseAfter != nil && bytes.Contains(piece, s.loseAfter):
		s.loseOnce.Do(func() { close(s.lost) })
	}
}

// answered lets a piece pass that the server has sent.
func (s *state) answered([]byte) {
	if s.stall {
		<-s.over
	}
	if s.lost == nil {
		return
	}
	select {
	case <-s.lost:
		<-s.over
	default:
	}
}
