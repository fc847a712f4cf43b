package insertion

import (
	"context"
	"fmt"
	"net/http"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// patch serves PATCH: read the lead, then write the changes if it is still as it was read.
func (a *API) patch(ctx context.Context, call *Call) (wire.Answer, error) {
	members, err := a.Decode(call)
	if err != nil {
		return wire.Answer{}, err
	}
	if len(members) == 0 {
		return wire.Answer{}, badRequest(CodeEmptyPatch)
	}
	if err := a.CheckPatch(members).orNil(); err != nil {
		return wire.Answer{}, err
	}
	changes, err := a.Changes(members)
	if err != nil {
		return wire.Answer{}, err
	}
	read, err := a.Find(ctx, call)
	if err != nil {
		return wire.Answer{}, err
	}
	if a.Interleave != nil {
		a.Interleave(ctx, read)
	}
	lead, event, err := a.Write(ctx, call, read, changes)
	if err != nil {
		return wire.Answer{}, err
	}
	return a.PatchAnswer(lead, event), nil
}

// changes are the checked members in canonical form.
func (a *API) changes(members []wire.Member) (leads.Fields, error) {
	changes := leads.Fields{}
	for _, m := range members {
		value, err := a.Canonicalise(m.Name, m.Value)
		if err != nil {
			return nil, fmt.Errorf("bring %s into canonical form: %w", m.Name, err)
		}
		changes[m.Name] = value
	}
	return changes, nil
}

// write is a compare-and-set on the version that was read. A PATCH that sets what is already there is a write like any
// other.
func (a *API) write(ctx context.Context, call *Call, read leads.InsertionLead, changes leads.Fields) (leads.InsertionLead, leads.Event, error) {
	lead, event, err := a.Store.Patch(ctx, call.Key.Account.ID, read.ID, read.Version, changes, a.Now())
	if err != nil {
		return leads.InsertionLead{}, leads.Event{}, fmt.Errorf("patch the lead: %w", err)
	}
	return lead, event, nil
}

func (a *API) patchAnswer(lead leads.InsertionLead, event leads.Event) wire.Answer {
	return success(http.StatusOK, Object{"lead": a.View(lead), "event": Object{"id": event.ID}})
}
