package mutant

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
	"leadconform/reference/server"
)

// insertionMutants are the mutants of the Insertion API.
func insertionMutants() []Mutant {
	return slices.Concat(
		insertionEnvelope(), insertionAuthentication(), insertionSignatures(), insertionScopes(), insertionHidden(),
		insertionMethods(), insertionContent(), insertionTypes(), insertionOutcomes(), insertionTuples(),
		insertionComparisons(), insertionRaces(), insertionReading(), insertionLists(), insertionConflicts(),
		insertionFaults(),
	)
}

// insertionAPI makes a mutant that changes the Insertion API when it has been built.
func insertionAPI(change func(a *insertion.API)) func(*server.Parts) {
	return func(p *server.Parts) { p.Insertion = change }
}

// The paths of the Insertion API.
const (
	insertionLeads    = "/api/v1/insertion/leads"
	insertionInternal = "/api/leads/ingest"
)

// byInsertion picks the exchanges of the Insertion API.
func byInsertion(x *exchange) bool {
	return strings.HasPrefix(x.request.URL.Path, insertionLeads) || x.request.URL.Path == insertionInternal
}

// refused picks the Insertion API's refusals with one of the statuses; without any, all.
func refused(statuses ...int) where {
	return func(x *exchange) bool {
		return byInsertion(x) && x.status >= 400 && (len(statuses) == 0 || slices.Contains(statuses, x.status))
	}
}

// succeeded picks the Insertion API's successes.
func succeeded(x *exchange) bool { return byInsertion(x) && x.status < 300 }

// refusing makes a mutant that words the refusals with a code in another way.
func refusing(code string, change func(r *insertion.Refusal)) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		failure := a.Failure
		a.Failure = func(r *insertion.Refusal) wire.Answer {
			if r.Code == code {
				r = &insertion.Refusal{Status: r.Status, Code: r.Code, Header: maps.Clone(r.Header)}
				change(r)
			}
			return failure(r)
		}
	})
}

// named gives a refusal another code.
func named(code string) func(*insertion.Refusal) { return func(r *insertion.Refusal) { r.Code = code } }

// answered gives a refusal another status and code.
func answered(status int, code string) func(*insertion.Refusal) {
	return func(r *insertion.Refusal) { r.Status, r.Code = status, code }
}

// refusal is an error with which a step refuses.
func refusal(status int, code string) error { return &insertion.Refusal{Status: status, Code: code} }

// unknownLead is the refusal of what isn't there.
func unknownLead() error { return refusal(http.StatusNotFound, insertion.CodeNotFound) }

// upsert is the step that writes a POST.
type upsert = func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error)

// upserting makes a mutant that wraps the writing of a POST. The wrapper is made anew for every server.
func upserting(wrap func(a *insertion.API, next upsert) upsert) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) { a.Upsert = wrap(a, a.Upsert) })
}

// tupleOf is the key under which the contract knows a draft.
func tupleOf(call *insertion.Call, draft insertion.Draft) leads.Tuple {
	return leads.Tuple{AccountID: call.Key.Account.ID, CampaignID: draft.CampaignID, ExternalLeadID: draft.ExternalLeadID}
}

// notes remember something by a key.
type notes[K comparable, V any] struct {
	mu sync.Mutex
	m  map[K]V
}

// swap notes a value and returns the one before it.
func (n *notes[K, V]) swap(key K, value V) (before V, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before, known = n.m[key]
	if n.m == nil {
		n.m = map[K]V{}
	}
	n.m[key] = value
	return before, known
}

// first notes a value, unless there is one, and returns the one that is there.
func (n *notes[K, V]) first(key K, value V) V {
	n.mu.Lock()
	defer n.mu.Unlock()
	if there, known := n.m[key]; known {
		return there
	}
	if n.m == nil {
		n.m = map[K]V{}
	}
	n.m[key] = value
	return value
}

func (n *notes[K, V]) get(key K) (V, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	value, known := n.m[key]
	return value, known
}

// owners remember whose each lead is, by its own and its external id.
type owners struct {
	notes[uuid.UUID, leads.InsertionLead]
}

// newOwners watches the leads that are upserted.
func newOwners(a *insertion.API) *owners {
	o := &owners{}
	next := a.Upsert
	a.Upsert = func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
		lead, outcome, err := next(ctx, call, draft)
		if err == nil {
			o.swap(lead.ID, lead)
			o.swap(lead.ExternalLeadID, lead)
		}
		return lead, outcome, err
	}
	return o
}

// foreign returns the lead that a call names, if it belongs to another account.
func (o *owners) foreign(call *insertion.Call) (leads.InsertionLead, bool) {
	id, err := uuid.Parse(call.Route.LeadID)
	if err != nil {
		return leads.InsertionLead{}, false
	}
	lead, known := o.get(id)
	return lead, known && lead.AccountID != call.Key.Account.ID
}

// finding wraps the reading of one lead.
func finding(a *insertion.API, wrap func(ctx context.Context, call *insertion.Call, lead leads.InsertionLead, err error) (leads.InsertionLead, error)) {
	next := a.Find
	a.Find = func(ctx context.Context, call *insertion.Call) (leads.InsertionLead, error) {
		lead, err := next(ctx, call)
		return wrap(ctx, call, lead, err)
	}
}
