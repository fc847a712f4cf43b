package insertion

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// Draft is the lead that a valid POST describes.
type Draft struct {
	CampaignID     int64
	ExternalLeadID uuid.UUID
	Fields         leads.Fields // all but the two above, canonical
}

// create serves POST, on either path.
func (a *API) create(ctx context.Context, call *Call) (wire.Answer, error) {
	a.noteIdempotencyKey(ctx, call)
	members, err := a.Decode(call)
	if err != nil {
		return wire.Answer{}, err
	}
	if err := a.CheckCreate(members).orNil(); err != nil {
		return wire.Answer{}, err
	}
	draft, err := a.Compose(call, members)
	if err != nil {
		return wire.Answer{}, err
	}
	if err := a.RequireCampaign(call, draft.CampaignID); err != nil {
		return wire.Answer{}, err
	}
	lead, outcome, err := a.Upsert(ctx, call, draft)
	if err != nil {
		return wire.Answer{}, err
	}
	return a.UpsertAnswer(lead, outcome), nil
}

// noteIdempotencyKey logs the header of that name, for whoever debugs a client. It decides nothing (IN-IDEM-09).
func (a *API) noteIdempotencyKey(ctx context.Context, call *Call) {
	const most = 255 // bytes
	if key := call.Request.Header.Get("Idempotency-Key"); key != "" {
		a.Log.InfoContext(ctx, "insertion: idempotency key", "account", call.Key.Account.ID, "idempotency_key", key[:min(len(key), most)])
	}
}

// compose splits the checked members into the tuple's parts and the fields. The external id's letter case doesn't
// count: a UUID is a number.
func (a *API) compose(_ *Call, members []wire.Member) (Draft, error) {
	draft := Draft{Fields: leads.Fields{}}
	for _, m := range members {
		switch m.Name {
		case fieldCampaignID:
			id, ok := integerOf(m.Value)
			if !ok {
				return Draft{}, Faults{{m.Name, "must be a positive integer"}}
			}
			draft.CampaignID = id
		case fieldExternalLeadID:
			id, err := uuid.Parse(unquote(m.Value))
			if err != nil {
				return Draft{}, Faults{{m.Name, "must be a UUID"}}
			}
			draft.ExternalLeadID = id
		default:
			value, err := a.Canonicalise(m.Name, m.Value)
			if err != nil {
				return Draft{}, fmt.Errorf("bring %s into canonical form: %w", m.Name, err)
			}
			draft.Fields[m.Name] = value
		}
	}
	return draft, nil
}

// upsert writes the draft under the tuple of account, campaign and external id, which is all that decides whether the
// lead is known. Fields that were not sent stay as they are (IN-IDEM-13).
func (a *API) upsert(ctx context.Context, call *Call, draft Draft) (leads.InsertionLead, leads.Outcome, error) {
	tuple := leads.Tuple{
		AccountID:      call.Key.Account.ID,
		CampaignID:     draft.CampaignID,
		ExternalLeadID: draft.ExternalLeadID,
	}
	lead, outcome, err := a.Store.Upsert(ctx, tuple, draft.Fields, a.Now())
	if err != nil {
		return leads.InsertionLead{}, "", fmt.Errorf("upsert the lead: %w", err)
	}
	return lead, outcome, nil
}

// upsertAnswer is 201 for a new lead and 200 for one that was known (IN-201-01, IN-IDEM-01, IN-IDEM-02).
func upsertAnswer(lead leads.InsertionLead, outcome leads.Outcome) wire.Answer {
	status := http.StatusOK
	if outcome == leads.Inserted {
		status = http.StatusCreated
	}
	return success(status, Object{
		"status": outcome,
		"lead":   Object{"id": lead.ID, "user_id": lead.UserID, "campaign_id": lead.CampaignID},
	})
}
