package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Bounds on how long a client may take, and on what it may send before its body.
const (
	headerTimeout = 5 * time.Second  // from the connection, or the first byte of a further request, to the end of the headers
	readTimeout   = 10 * time.Second // to the end of the body
	writeTimeout  = 30 * time.Second // from the end of the headers to the end of the answer
	idleTimeout   = 2 * time.Minute  // between two requests
	maxHeader     = 32 << 10         // bytes

	// drainTime is how long requests that are under way may take when the server is to stop. It is longer than
	// readTimeout, so that a client that sends slowly gets an answer too.
	drainTime = 15 * time.Second
)

// Serve answers for the APIs on one listener and to the operator on the other, until ctx is done. Then it drains: /readyz
// turns red, no connection is accepted any more, and requests under way are answered, for at most 15 seconds; the control
// listener is closed last. Serve returns nil if everything was answered. It closes both listeners, and not the server.
func (s *Server) Serve(ctx context.Context, public, control net.Listener) error {
	front, back := s.httpServer(s.public), s.httpServer(s.control)
	ended := make(chan error, 2)
	go func() { ended <- serve(front, public) }()
	go func() { ended <- serve(back, control) }()

	running := 2
	var errs []error
	select {
	case <-ctx.Done():
	case err := <-ended:
		running--
		errs = append(errs, err)
	}
	s.draining.Store(true)
	drained, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	errs = append(errs, shutDown(drained, front), shutDown(drained, back))
	for range running {
		errs = append(errs, <-ended)
	}
	return errors.Join(errs...)
}

func serve(h *http.Server, l net.Listener) error {
	if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	}
	return nil
}

// shutDown lets requests finish until ctx is done, and cuts off those that are left.
func shutDown(ctx context.Context, h *http.Server) error {
	if err := h.Shutdown(ctx); err != nil {
		_ = h.Close()
		return fmt.Errorf("drain: requests that took longer than %v were cut off: %w", drainTime, err)
	}
	return nil
}

func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:                      h,
		ReadHeaderTimeout:            headerTimeout,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               maxHeader,
		DisableGeneralOptionsHandler: true, // OPTIONS * is for the API to refuse, in its envelope
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
}
