package faults

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"

	"leadconform/reference/internal/wire"
)

// API is what Guard needs to know of an API. One that can be Closed has a method Maintenance() wire.Answer as well.
type API interface {
	http.Handler
	Endpoint(*http.Request) string // the name of the endpoint that a request would reach, or ""
	InternalError() wire.Answer    // 500 in the API's envelope, in generic words
}

type closable interface {
	Maintenance() wire.Answer // 503 in the API's envelope
}

// Guard puts an API behind the board: a request fails if a switch is on for it. It also answers 500, in the API's
// envelope and without a word of the cause, where the API panics. Faults are drawn in the order 503, 500, 500_after.
func (b *Board) Guard(name string, api API, log *slog.Logger) http.Handler {
	return &guard{board: b, name: name, api: api, log: log}
}

type guard struct {
	board *Board
	name  string
	api   API
	log   *slog.Logger
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.board.on.Load() {
		g.serve(w, r)
		return
	}
	endpoint := g.api.Endpoint(r)
	shop, canClose := g.api.(closable)
	switch {
	case canClose && g.board.Take(g.name, endpoint, Closed):
		g.fail(w, r, shop.Maintenance())
	case g.board.Take(g.name, endpoint, Before):
		g.fail(w, r, g.api.InternalError())
	case g.board.Take(g.name, endpoint, After):
		g.serve(&discarded{header: http.Header{}}, r)
		g.fail(w, r, g.api.InternalError())
	default:
		g.serve(w, r)
	}
}

// fail answers in the API's place. The body is read first, or a client that is still sending would not see the answer.
func (g *guard) fail(w http.ResponseWriter, r *http.Request, answer wire.Answer) {
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, wire.MaxBody))
	g.write(w, r, answer)
}

func (g *guard) write(w http.ResponseWriter, r *http.Request, answer wire.Answer) {
	if err := answer.Write(w); err != nil {
		g.log.DebugContext(r.Context(), "an answer was not delivered", "api", g.name, "error", err)
	}
}

// serve lets the API answer. If it panics before its answer has begun, the answer is a 500; if it panics later, the
// connection is cut, so that nobody takes half an answer for a whole one.
func (g *guard) serve(w http.ResponseWriter, r *http.Request) {
	answer := &answer{ResponseWriter: w}
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) { // a handler's own wish to cut the connection
			panic(http.ErrAbortHandler)
		}
		g.log.ErrorContext(r.Context(), "a handler panicked",
			"api", g.name, "method", r.Method, "path", r.URL.Path, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
		if answer.status != 0 {
			panic(http.ErrAbortHandler)
		}
		clear(w.Header())
		g.write(w, r, g.api.InternalError())
	}()
	g.api.ServeHTTP(answer, r)
}

// answer remembers which status was sent; 0 as long as none was.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 { // 1xx announce an answer, they are none
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController through.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// discarded is where an answer goes that nobody is to see.
type discarded struct{ header http.Header }

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) Write(p []byte) (int, error) { return len(p), nil }
func (d *discarded) WriteHeader(int)             {}
