// Package pipenet is a network within the process: connections are in-memory pipes, which testing/synctest counts as
// waiting, so that real clients and real servers run in virtual time.
package pipenet

import (
	"context"
	"net"
	"sync"
)

// Network joins one server and its clients. It is the server's net.Listener.
type Network struct {
	arriving chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

// New returns a network on which nobody listens yet: a dial waits until somebody does.
func New() *Network {
	return &Network{arriving: make(chan net.Conn), closed: make(chan struct{})}
}

// DialContext connects to the server, whatever the address (net.Dialer.DialContext).
func (n *Network) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.arriving <- server:
		return client, nil
	case <-n.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept waits for the next connection (net.Listener).
func (n *Network) Accept() (net.Conn, error) {
	select {
	case conn := <-n.arriving:
		return conn, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the network for new connections (net.Listener).
func (n *Network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

// Addr names the network (net.Listener).
func (n *Network) Addr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "pipe" }
func (address) String() string  { return "pipe:80" }
