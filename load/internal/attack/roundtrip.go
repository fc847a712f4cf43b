package attack

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// placeholder gives Vegeta something to send; RoundTrip sends the hit in its stead.
func (d *driver) placeholder() vegeta.Targeter {
	target := vegeta.Target{Method: http.MethodGet, URL: d.URL}
	return func(t *vegeta.Target) error {
		*t = target
		return nil
	}
}

// client is Vegeta's client. It doesn't follow redirects, and leaves time limits to RoundTrip, where they cost less.
func (d *driver) client() *http.Client {
	return &http.Client{
		Transport:     d,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// RoundTrip sends the request that was built for Vegeta's sequence number (http.RoundTripper).
func (d *driver) RoundTrip(placeholder *http.Request) (*http.Response, error) {
	n, err := strconv.ParseUint(placeholder.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read Vegeta's sequence number: %w", err)
	}
	d.mu.Lock()
	h := d.hits[n]
	d.mu.Unlock()

	ctx, cancel := context.WithTimeoutCause(d.hard, d.Timeout, ErrTimeout)
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { h.sent.Store(int64(d.elapsed()) + 1) },
	})
	response, err := d.lanes[n%lanes].RoundTrip(h.request.WithContext(traced))
	if err != nil {
		h.err = reason(ctx, err)
		cancel()
		return nil, h.err
	}
	h.status = response.StatusCode
	response.Body = &answerBody{ReadCloser: response.Body, ctx: ctx, cancel: cancel, hit: h}
	return response, nil
}

// reason says why a request failed: the cause, where its context ended.
func reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// answerBody remembers why a body could not be read, and ends the request's context with it.
type answerBody struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelFunc
	hit    *hit
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		b.hit.err = reason(b.ctx, err)
	}
	return n, err
}

func (b *answerBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// close gives back all connections.
func (d *driver) close() {
	d.pool.close()
	for _, lane := range d.lanes {
		lane.CloseIdleConnections()
	}
}

var _ http.RoundTripper = (*driver)(nil)
