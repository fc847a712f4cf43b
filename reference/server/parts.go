package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"leadconform/reference/internal/distro"
	"leadconform/reference/internal/faults"
	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/ratelimit"
	"leadconform/reference/internal/world"
)

// Parts are what a server is put together from, in this order: the APIs stand on the world, the limiter, the store and
// the clock; then each API's own steps may be changed; then the handler that holds both is wrapped.
type Parts struct {
	World   *world.World
	Limiter ratelimit.Limiter
	Store   leads.Store
	Now     func() time.Time

	// Distro and Insertion, unless nil, are called with each API when it has been built, to change its steps.
	Distro    func(*distro.API)
	Insertion func(*insertion.API)

	// Handler, unless nil, wraps both APIs, with their faults. The journal and the metrics see what it lets through.
	Handler func(http.Handler) http.Handler
}

// assemble builds the public handler, from the inside out.
func (s *Server) assemble(p *Parts, m *metrics) http.Handler {
	d := distro.New(distro.Deps{World: &p.World.Distro, Limiter: s.gate, Store: p.Store, Now: p.Now, Log: s.log})
	if p.Distro != nil {
		p.Distro(d)
	}
	i := insertion.New(insertion.Deps{World: &p.World.Insertion, Limiter: s.gate, Store: p.Store, Now: p.Now, Log: s.log})
	i.Interleave = s.interleave
	if p.Insertion != nil {
		p.Insertion(i)
	}

	handlers := map[string]http.Handler{
		faults.Distro:    s.board.Guard(faults.Distro, d, s.log),
		faults.Insertion: s.board.Guard(faults.Insertion, i, s.log),
	}
	var public http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handlers[apiOf(r)].ServeHTTP(w, r)
	})
	if p.Handler != nil {
		public = p.Handler(public)
	}
	where := func(r *http.Request) (api, endpoint string) {
		if api = apiOf(r); api == faults.Insertion {
			return api, i.Endpoint(r)
		}
		return api, d.Endpoint(r)
	}
	return s.journal.Watch(public, where, m.observe)
}

// apiOf names the API that answers for a path.
func apiOf(r *http.Request) string {
	for _, root := range []string{"/api/v1/insertion", "/api/leads/ingest"} {
		if below, ok := strings.CutPrefix(r.URL.Path, root); ok && (below == "" || below[0] == '/') {
			return faults.Insertion
		}
	}
	return faults.Distro
}

// interleave makes a PATCH lose its race when the board says so: another write comes in between, a real one through the
// store, so that what follows is what follows in earnest (IN-409-01).
func (s *Server) interleave(ctx context.Context, lead leads.InsertionLead) {
	if !s.board.Take(faults.Insertion, string(insertion.EndpointPatch), faults.Conflict) {
		return
	}
	_, _, err := s.store.Patch(ctx, lead.AccountID, lead.ID, lead.Version, leads.Fields{}, s.now())
	if err != nil && !errors.Is(err, leads.ErrConflict) { // a conflict here means that someone else was faster still
		s.log.ErrorContext(ctx, "a forced conflict failed", "lead", lead.ID, "error", err)
	}
}
