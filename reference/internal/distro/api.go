// Package distro is the Lead Distro API: ingest, ping and lookup, as the rows LD-* describe them.
//
// A request walks through the steps of its endpoint (see Chain), and the first step that has an answer ends it. The steps
// hold the order of things; each question that a step asks (whose key is this, does that filter pass, what does a refusal
// look like) is a field of API, set by New and read at the moment of use. So whoever puts a server together can exchange
// one part, or move one step, and leave all the rest as it is.
package distro

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

// Deps is what the API stands on.
type Deps struct {
	World   *world.Distro
	Limiter ratelimit.Limiter
	Store   leads.Distro
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: nothing is logged
}

// API answers the requests of the Lead Distro API. Its fields may be changed before the first request, not after.
type API struct {
	// Ingest, Ping and Lookup are the steps of the three endpoints, in the order in which they are taken.
	Ingest, Ping, Lookup Chain

	// Limiter counts requests, Store keeps leads, Now tells the time: as they were handed to New.
	Limiter ratelimit.Limiter
	Store   leads.Distro
	Now     func() time.Time

	// Credential reads the API key that a request presents, and reports whether it presents exactly one (LD-401-07, LD-401-08).
	Credential func(*http.Request) (key string, ok bool)
	// SupplierOf finds the supplier whom an API key belongs to (LD-401-02).
	SupplierOf func(key string) (*world.Supplier, bool)

	// LimitKey names the count that a request is charged to: one per supplier and endpoint (LD-LIM-KEY, LD-LIM-ENDPOINT).
	LimitKey func(*Call) ratelimit.Key
	// LimitPolicy says which limit holds for a request: the supplier's, for this endpoint.
	LimitPolicy func(*Call) ratelimit.TwoRate

	// ReadBody reads a bounded body. Its error is a *wire.BodyError.
	ReadBody func(http.ResponseWriter, *http.Request) ([]byte, error)
	// Decode turns a body into a Lead. Its error is a *wire.BodyError (LD-400-12, LD-400-20).
	Decode func(contentType string, body []byte) (Lead, error)

	// IngestFields and PingFields are the system fields that each endpoint knows, in the order in which faults are reported.
	IngestFields, PingFields []FieldRule
	// Validate holds a lead against system fields and returns every fault it finds (LD-400-01…11, LD-400-14).
	Validate func(Lead, []FieldRule) []FieldError
	// Missing returns a fault for each custom field that the campaign requires and the lead lacks (LD-400-07).
	Missing func(*world.Campaign, Lead) []FieldError

	// CampaignOf finds a campaign by its id (LD-404-01).
	CampaignOf func(id string) (*world.Campaign, bool)
	// Attached reports whether a supplier may send to a campaign (LD-403-01).
	Attached func(*world.Campaign, *world.Supplier) bool

	// Rules are the business rules, in the order in which they are named to the client. All of them are asked (LD-422-06).
	Rules []Rule
	// Passes reports whether a lead satisfies a filter, be it a campaign's or a buyer's.
	Passes func(world.Filter, Lead) bool
	// NormalPhone and NormalEmail bring a phone and an email to the form in which they are compared (LD-422-08).
	NormalPhone, NormalEmail func(string) string

	// Order puts the buyers of a campaign in the order in which its lead of that turn is offered to them.
	Order func(d world.Distribution, buyers []*world.Buyer, turn uint64) []*world.Buyer
	// Candidate says under which cap a buyer takes leads.
	Candidate func(*world.Buyer) leads.Candidate
	// Placement says how the lead of a call is to be stored and shared out.
	Placement func(*Call) leads.Placement

	// Tokens issues and verifies ping tokens (LD-PING-05).
	Tokens PingTokens
	// Criterion reads what a lookup asks for. It returns the faults of the query, or a reason why there is no criterion
	// in it at all.
	Criterion func(*http.Request) (leads.Criterion, []FieldError, string)

	// Answers are the forms of all answers.
	Answers Answers

	log *slog.Logger
}

// New puts the API together as the contract describes it.
func New(deps Deps) *API {
	a := &API{
		Limiter: deps.Limiter,
		Store:   deps.Store,
		Now:     deps.Now,

		Credential: headerKey,
		SupplierOf: deps.World.SupplierByKey,

		LimitKey:    limitKey,
		LimitPolicy: limitPolicy,

		ReadBody: wire.ReadBody,
		Decode:   parseLead,

		IngestFields: ingestFields(),
		PingFields:   pingFields(),
		Validate:     validate,
		Missing:      missing,

		CampaignOf: deps.World.Campaign,
		Attached:   attached,

		Passes:      passes,
		NormalPhone: normalPhone,
		NormalEmail: normalEmail,

		Order:     order,
		Candidate: candidate,

		Tokens:  newSignedTokens(deps.World.PingToken),
		Answers: newAnswers(),

		log: deps.Log,
	}
	if a.Now == nil {
		a.Now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.Rules = a.rules(deps.World.Campaigns)
	a.Placement = a.placement
	a.Criterion = a.criterion
	a.Ingest, a.Ping, a.Lookup = a.ingestChain(), a.pingChain(), a.lookupChain()
	return a
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := a.answer(w, r).Write(w); err != nil {
		a.log.DebugContext(r.Context(), "an answer was not delivered", "path", r.URL.Path, "error", err)
	}
}

func (a *API) answer(w http.ResponseWriter, r *http.Request) wire.Answer {
	route, found := routeOf(r)
	switch {
	case !found:
		return a.Answers.NoRoute()
	case route.method != r.Method:
		return a.Answers.WrongMethod(route.method)
	}
	call := &Call{Request: r, Writer: w, Endpoint: route.endpoint, At: a.Now().UTC()}
	return a.chain(route.endpoint).run(r.Context(), call)
}

// InternalError is the answer to a request that the server failed on: for the one that recovers from a panic, and for the
// fault switch (LD-500-*).
func (a *API) InternalError() wire.Answer { return a.Answers.Internal() }

// Maintenance is the answer to every request while the service is closed (LD-503-*).
func (a *API) Maintenance() wire.Answer { return a.Answers.Maintenance() }

// unavailable is the answer where the store or the limiter failed: nothing was acknowledged, and the client may try again.
func (a *API) unavailable(ctx context.Context, doing string, err error) *wire.Answer {
	a.log.ErrorContext(ctx, "a request could not be served", "while", doing, "error", err)
	return new(a.Answers.Unavailable())
}
