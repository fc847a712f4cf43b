package distro

import (
	"context"
	"net/http"
	"time"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
	"leadconform/reference/internal/world"
)

// Chain is the way of a request through an endpoint: its steps, first to last. The order of the steps is the order of
// precedence of their answers.
type Chain []Step

// Step is one step on that way.
type Step struct {
	Name string // unique within its chain
	// Do does the step. It returns the answer that ends the call, or nil if the next step is to go on.
	Do func(ctx context.Context, c *Call) *wire.Answer
}

// Call is one request on its way through a chain. Each step reads what earlier ones have found out and adds its own; until
// the step that fills it has been taken, a field is zero.
type Call struct {
	Request  *http.Request
	Writer   http.ResponseWriter // bounds the body; a step never writes to it
	Endpoint string              // ingest, ping or lookup
	At       time.Time           // when the request came in, UTC

	Supplier  *world.Supplier // authenticate: whose key it is
	Lead      Lead            // decode: what was sent
	Campaign  *world.Campaign // find_campaign: where it is sent
	Caught    []FilterError   // judge: the rules that caught it
	Criterion leads.Criterion // read_criterion: what a lookup asks for
}

// run takes the steps until one answers. A chain whose last step doesn't answer is a mistake of whoever built it.
func (chain Chain) run(ctx context.Context, c *Call) wire.Answer {
	for _, step := range chain {
		if answer := step.Do(ctx, c); answer != nil {
			return *answer
		}
	}
	panic("distro: the chain of " + c.Endpoint + " ended without an answer")
}

// ingestChain: 401, 429, 400, 403 or 404, 422, and then 200 or 201.
func (a *API) ingestChain() Chain {
	return Chain{
		{"authenticate", a.authenticate},
		{"limit", a.limit},
		{"decode", a.decode},
		{"validate", a.validateLead},
		{"check_supplier", a.checkSupplier},
		{"find_campaign", a.findCampaign},
		{"check_attachment", a.checkAttachment},
		{"judge", a.judge},
		{"reject", a.reject},
		{"place", a.place},
	}
}

// pingChain is the same as far as it goes: a ping asks whether the lead would be taken, and leaves nothing behind.
func (a *API) pingChain() Chain {
	return Chain{
		{"authenticate", a.authenticate},
		{"limit", a.limit},
		{"decode", a.decode},
		{"validate", a.validatePing},
		{"check_supplier", a.checkSupplier},
		{"find_campaign", a.findCampaign},
		{"check_attachment", a.checkAttachment},
		{"judge", a.judge},
		{"offer", a.offer},
	}
}

// lookupChain: 401, 429, 400, 404, and then 200.
func (a *API) lookupChain() Chain {
	return Chain{
		{"authenticate", a.authenticate},
		{"limit", a.limit},
		{"read_criterion", a.readCriterion},
		{"find_lead", a.findLead},
	}
}
