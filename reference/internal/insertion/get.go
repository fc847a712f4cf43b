package insertion

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// get serves GET of one lead.
func (a *API) get(ctx context.Context, call *Call) (wire.Answer, error) {
	lead, err := a.Find(ctx, call)
	if err != nil {
		return wire.Answer{}, err
	}
	return a.GetAnswer(lead), nil
}

// find looks the path's id up as the lead's own or its external id. What is no UUID can't name a lead, and is as
// unknown as any other.
func (a *API) find(ctx context.Context, call *Call) (leads.InsertionLead, error) {
	if !isUUID(call.Route.LeadID) {
		return leads.InsertionLead{}, notFound()
	}
	id, err := uuid.Parse(call.Route.LeadID)
	if err != nil {
		return leads.InsertionLead{}, notFound()
	}
	lead, err := a.Store.Get(ctx, call.Key.Account.ID, leads.Ref{ID: id})
	if err != nil {
		return leads.InsertionLead{}, fmt.Errorf("read the lead: %w", err)
	}
	return lead, nil
}

func (a *API) getAnswer(lead leads.InsertionLead) wire.Answer {
	return success(http.StatusOK, Object{"lead": a.View(lead)})
}
