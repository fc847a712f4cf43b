// Package insertion is the Insertion API (CONTRACT part B): signed or bearer-authenticated requests that insert, patch
// and read the leads of an account.
//
// A request is judged in this order, and the first fault decides the answer:
//
//  1. route: an unknown path is 404, an unknown method of a known path is 405. Neither asks who is calling.
//  2. body: read whole, since the signature covers it; one that is too long or never ends is 400
//  3. authentication: 401, key and signature before the age of the timestamp
//  4. limit: 429. Every authenticated request counts, whatever becomes of it, and both paths count together
//  5. feature flag: 404, the same as for a lead that isn't there
//  6. scope: 403
//  7. content: 400, with all faults of the body or the query in one answer
//  8. existence: 404 for a lead or a campaign that isn't the account's
//  9. conflict: 409
//
// Each of these is a step: a field of Steps that New sets. The handlers run through the fields, so that one step can be
// replaced from outside while the rest stays as it is.
package insertion

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/ratelimit"
	"leadconform/reference/internal/wire"
	"leadconform/reference/internal/world"
)

// Deps is what the API works with.
type Deps struct {
	World   *world.Insertion
	Limiter ratelimit.Limiter
	Store   leads.Insertion
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: nothing is logged
}

// API serves the Insertion API. Its fields may be replaced until the first request.
type API struct {
	Deps
	Steps

	// Interleave, unless nil, is called during a PATCH, between the reading of the lead and the write that expects it
	// unchanged, with the lead as it was read. Whoever writes to that lead here makes the PATCH lose the race (IN-409-01).
	// It is the place where tests and the control listener force that.
	Interleave func(ctx context.Context, lead leads.InsertionLead)
}

// New returns the API with every step as the contract has it.
func New(deps Deps) *API {
	a := &API{Deps: deps}
	if a.Now == nil {
		a.Now = time.Now
	}
	if a.Log == nil {
		a.Log = slog.New(slog.DiscardHandler)
	}
	a.Steps = a.conforming()
	return a
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := a.serve(w, r)
	if err != nil {
		refusal := a.Explain(err)
		if refusal.Status == http.StatusInternalServerError {
			a.Log.ErrorContext(r.Context(), "insertion: request failed", "endpoint", a.Endpoint(r), "error", err)
		}
		answer = a.Failure(refusal)
	}
	if err := answer.Write(w); err != nil {
		a.Log.DebugContext(r.Context(), "insertion: answer not delivered", "error", err)
	}
}

// serve takes a request through the steps up to the one that fails.
func (a *API) serve(w http.ResponseWriter, r *http.Request) (wire.Answer, error) {
	ctx := r.Context()
	route, err := a.Match(r)
	if err != nil {
		return wire.Answer{}, err
	}
	body, err := a.ReadBody(w, r)
	if err != nil {
		return wire.Answer{}, err
	}
	call := &Call{Request: r, Route: route, Body: body}
	for _, admit := range []func(context.Context, *Call) error{a.Authenticate, a.Limit, a.RequireFeature, a.RequireScope} {
		if err := admit(ctx, call); err != nil {
			return wire.Answer{}, err
		}
	}
	switch route.Endpoint {
	case EndpointCreate, EndpointIngest:
		return a.Create(ctx, call)
	case EndpointGet:
		return a.Get(ctx, call)
	case EndpointPatch:
		return a.Patch(ctx, call)
	default:
		return a.List(ctx, call)
	}
}

// Endpoint names what a request asks for: "create", "list", "get", "patch", "ingest", or "" for anything else.
func (a *API) Endpoint(r *http.Request) string {
	route, err := a.Match(r)
	if err != nil {
		return ""
	}
	return string(route.Endpoint)
}

// InternalError is the answer to an unexpected failure, whatever it was: 500 and nothing of the cause (IN-500-01).
func (a *API) InternalError() wire.Answer {
	return a.Failure(&Refusal{Status: http.StatusInternalServerError, Code: CodeInternalError})
}
