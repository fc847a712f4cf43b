package mutant

import (
	"context"
	"net/http"
	"slices"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/wire"
	"leadconform/reference/server"
)

const (
	scopeRead  = "leads:read"
	scopeWrite = "leads:write"
)

// insertionScopes breaks IN-403-*.
func insertionScopes() []Mutant {
	return []Mutant{
		{
			ID: "in-scope-unchecked-on-post", Title: "POST asks for no scope but reading",
			Doc:   "A key that may read was thought to be the least that there is.",
			Kills: []string{"IN-403-01", "IN-ENV-01", "IN-ENV-02", "IN-ENV-04", "IN-ENV-05"},
			Apply: scopeOf(scopeRead, insertion.EndpointCreate),
		},
		{
			ID: "in-scope-unchecked-on-patch", Title: "PATCH asks for no scope but reading",
			Doc:   "One route lacks the middleware that the others have.",
			Kills: []string{"IN-403-02", "IN-ENV-04"},
			Apply: scopeOf(scopeRead, insertion.EndpointPatch),
		},
		{
			ID: "in-scope-unchecked-on-get", Title: "GET of one lead takes a key that may only write",
			Doc:   "Who may write a lead may see what became of it.",
			Kills: []string{"IN-403-03"},
			Apply: scopeUnchecked(func(call *insertion.Call) bool { return call.Route.Endpoint == insertion.EndpointGet }),
		},
		{
			ID: "in-scope-unchecked-on-list", Title: "the list takes a key that may only write",
			Doc:   "One route lacks the middleware that the others have.",
			Kills: []string{"IN-403-03"},
			Apply: scopeUnchecked(func(call *insertion.Call) bool { return call.Route.Endpoint == insertion.EndpointList }),
		},
		{
			ID: "in-scope-unchecked-for-bearer", Title: "a bearer token has every scope",
			Doc:   "Scopes are read from the public key, which a bearer token doesn't come with.",
			Kills: []string{"IN-403-01", "IN-403-02", "IN-403-03"},
			Apply: scopeUnchecked(func(call *insertion.Call) bool { return call.Request.Header.Get("Authorization") != "" }),
		},
		{
			ID: "in-scope-unnamed", Title: "a missing scope is a 403 forbidden",
			Doc:   "The caller isn't told which scope is missing.",
			Kills: []string{"IN-403-01", "IN-403-02", "IN-403-03"},
			Apply: insertionAPI(func(a *insertion.API) {
				failure := a.Failure
				a.Failure = func(r *insertion.Refusal) wire.Answer {
					if r.Status == http.StatusForbidden {
						r = &insertion.Refusal{Status: r.Status, Code: "forbidden"}
					}
					return failure(r)
				}
			}),
		},
		{
			ID: "in-scope-shortened", Title: "a missing scope is named scope_required:write",
			Doc:   "The scope's own name was not taken whole.",
			Kills: []string{"IN-403-01", "IN-403-02"},
			Apply: refusing(insertion.CodeScopeRequired+scopeWrite, named("scope_required:write")),
		},
		{
			ID: "in-scope-read-named-write", Title: "GET names the scope leads:write",
			Doc:   "The text was copied from the handler of POST.",
			Kills: []string{"IN-403-03"},
			Apply: refusing(insertion.CodeScopeRequired+scopeRead, named(insertion.CodeScopeRequired+scopeWrite)),
		},
		{
			ID: "in-scope-after-insert", Title: "POST by a reader is refused once the lead is stored",
			Doc:   "The scope is asked for when the answer is made.",
			Kills: []string{"IN-403-01"},
			Apply: refusedTooLate(insertion.EndpointCreate),
		},
		{
			ID: "in-scope-after-patch", Title: "PATCH by a reader is refused once the change is made",
			Doc:   "The scope is asked for when the answer is made.",
			Kills: []string{"IN-403-02"},
			Apply: refusedTooLate(insertion.EndpointPatch),
		},
	}
}

// scopeOf makes a mutant in which some endpoints ask for another scope.
func scopeOf(scope string, endpoints ...insertion.Endpoint) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.ScopeOf
		a.ScopeOf = func(e insertion.Endpoint) string {
			if slices.Contains(endpoints, e) {
				return scope
			}
			return next(e)
		}
	})
}

// scopeUnchecked makes a mutant in which some calls need no scope.
func scopeUnchecked(when func(call *insertion.Call) bool) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.RequireScope
		a.RequireScope = func(ctx context.Context, call *insertion.Call) error {
			if when(call) {
				return nil
			}
			return next(ctx, call)
		}
	})
}

// refusedTooLate makes a mutant in which an endpoint does its work before the scope is asked for.
func refusedTooLate(endpoint insertion.Endpoint) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.RequireScope
		a.RequireScope = func(ctx context.Context, call *insertion.Call) error {
			err := next(ctx, call)
			if err == nil || call.Route.Endpoint != endpoint {
				return err
			}
			work := a.Create
			if endpoint == insertion.EndpointPatch {
				work = a.Patch
			}
			_, _ = work(ctx, call)
			return err
		}
	})
}
