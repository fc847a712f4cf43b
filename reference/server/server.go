// Package server puts the reference server together: both lead-intake APIs on one public handler, and a second handler to
// observe and steer them, which belongs on a listener of its own that only its operator can reach.
//
// # The public handler
//
// /api/v1/insertion/… and /api/leads/ingest are the Insertion API; everything else is the Lead Distro API, so that even
// an unknown path is answered in an envelope. Each API answers its own 404 and 405.
//
// # The control handler
//
// GET /healthz is 200 while the process runs. GET /readyz is 200 while the store and the limiter can be reached, and 503
// with the reasons otherwise, or while the server drains. GET /metrics speaks Prometheus. The rest takes and gives JSON;
// an error is {"error": identifier, "message": sentence}.
//
//	GET    /control/faults                     the faults that are on: {"faults": [{"api", "kind", "endpoint", "count"}]}
//	POST   /control/faults                     turns one on, and lists them: {"api": "distro", "kind": "500", "endpoint": "*", "count": 0}
//	DELETE /control/faults?api=distro&kind=500 turns off those of the api and the kind, and lists the rest; without either, all
//	POST   /control/reset?scope=all            forgets leads, caps and limits; scope=caps: today's counts per buyer; scope=limits: all limits
//	GET    /control/journal                    the latest requests, oldest first: {"arrived": n, "requests": [{"n", "at", "arrived_ns", "api",
//	                                           "endpoint", "method", "path", "status", "duration_ns", "header", "body", …}]}
//	DELETE /control/journal                    forgets them
//
// A fault's api is distro or insertion. Its kind is 500 (instead of the handler), 500_after (the handler runs, its answer
// is thrown away), 503 (maintenance; distro only) or conflict (a PATCH meets a concurrent write; insertion only). Its
// endpoint is ingest, ping or lookup of distro; create, list, get, patch or ingest of insertion; or *, for all of the API.
// Its count is how many requests fail; 0, or none, means until it is turned off.
//
// # Other servers than this one
//
// A deliberately wrong server is this one with one part exchanged from outside, through Config.Assemble. Nothing in here
// knows of such servers.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"leadconform/fixtures"
	"leadconform/reference/internal/faults"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/ratelimit"
	"leadconform/reference/internal/world"
)

// GCPercent is how many percent the heap of the program grows before garbage is collected, unless GOGC says otherwise.
// Requests leave much garbage and little that lives on.
const GCPercent = 400

// Config says what server New is to make. The zero value is the reference server in its default form.
type Config struct {
	World     []byte // YAML; nil: the embedded world
	WorldFile string // what errors call World; world.yaml if not given

	Store   string // where leads are kept: memory, also if not given, or the URL of a PostgreSQL, postgres://…
	Limiter string // where requests are counted: memory, also if not given, or the URL of a Redis, redis://…

	LimiterOutage string // what becomes of requests while the limiter is out of reach: closed, also if not given, or open

	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: nothing is logged

	// Assemble, unless nil, is called once, before the server is put together. It may exchange any of the parts.
	Assemble func(*Parts)
}

// ConfigError says which option New can't work with, and why.
type ConfigError struct {
	Option string // world, store, limiter or limiter-outage
	Err    error
}

func (e *ConfigError) Error() string { return e.Option + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *ConfigError) Unwrap() error { return e.Err }

// Server is a reference server that is ready to answer.
type Server struct {
	public, control http.Handler

	limiter ratelimit.Limiter
	gate    ratelimit.Limiter // what requests ask: the limiter, counted, and lenient if that was chosen
	store   leads.Store
	board   *faults.Board
	journal *faults.Journal
	now     func() time.Time
	log     *slog.Logger

	draining atomic.Bool
}

// New makes a server. The error is a *ConfigError.
func New(c Config) (*Server, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	parts, err := c.parts()
	if err != nil {
		return nil, err
	}
	if c.Assemble != nil {
		c.Assemble(parts)
	}
	s := &Server{
		limiter: parts.Limiter,
		store:   parts.Store,
		board:   &faults.Board{},
		journal: faults.NewJournal(parts.Now),
		now:     parts.Now,
		log:     c.Log,
	}
	metrics := newMetrics()
	s.gate = metrics.counted(parts.Limiter) // an outage is counted as one, whatever becomes of the request
	if c.LimiterOutage == outageOpen {
		s.gate = ratelimit.Lenient{Limiter: s.gate, Log: c.Log}
	}
	s.public = s.assemble(parts, metrics)
	s.control = s.controlHandler(metrics)
	return s, nil
}

// parts are what the configuration names.
func (c Config) parts() (*Parts, error) {
	if c.World == nil {
		var err error
		if c.World, err = fixtures.FS.ReadFile("world.yaml"); err != nil {
			return nil, &ConfigError{"world", err}
		}
	}
	w, err := world.LoadNamed(cmp.Or(c.WorldFile, "world.yaml"), c.World)
	if err != nil {
		return nil, &ConfigError{"world", err}
	}
	if err := checkOutage(c.LimiterOutage); err != nil {
		return nil, &ConfigError{"limiter-outage", err}
	}
	limiter, err := openLimiter(c.Limiter, c.Now)
	if err != nil {
		return nil, &ConfigError{"limiter", err}
	}
	store, err := openStore(c.Store)
	if err != nil {
		_ = closeParts(nil, limiter)
		return nil, &ConfigError{"store", err}
	}
	return &Parts{World: w, Store: store, Limiter: limiter, Now: c.Now}, nil
}

// Handler answers for both APIs.
func (s *Server) Handler() http.Handler { return s.public }

// Control answers to the operator: see the package's description.
func (s *Server) Control() http.Handler { return s.control }

// Close lets go of the store and the limiter. From its call on, /readyz says that the server drains.
func (s *Server) Close(context.Context) error {
	s.draining.Store(true)
	return closeParts(s.store, s.limiter)
}

// closeParts lets go of a store and a limiter, as far as they are there and hold anything.
func closeParts(store leads.Store, limiter ratelimit.Limiter) error {
	var errs []error
	for name, part := range map[string]any{"store": store, "limiter": limiter} {
		if closer, ok := part.(io.Closer); ok {
			if err := closer.Close(); err != nil {
				errs = append(errs, fmt.Errorf("close the %s: %w", name, err))
			}
		}
	}
	return errors.Join(errs...)
}
