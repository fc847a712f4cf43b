package insertion

import (
	"time"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// Object is a JSON object of an answer.
type Object map[string]any

// success is the envelope of every success: ok, and what the endpoint has to say (IN-ENV-03).
func success(status int, body Object) wire.Answer {
	body["ok"] = true
	return wire.Answer{Status: status, Body: body}
}

// failure is the envelope of every failure (IN-ENV-01).
func failure(r *Refusal) wire.Answer {
	return wire.Answer{Status: r.Status, Header: r.Header, Body: Object{"ok": false, "error": r.Code}}
}

// view shows a lead whole: what it is known by, every field of the schema (null if it isn't set), and its times.
func (a *API) view(lead leads.InsertionLead) Object {
	o := Object{
		"id":                lead.ID,
		"user_id":           lead.UserID,
		"account_id":        lead.AccountID,
		"created_at":        formatTime(lead.CreatedAt),
		"updated_at":        formatTime(lead.UpdatedAt),
		fieldCampaignID:     lead.CampaignID,
		fieldExternalLeadID: lead.ExternalLeadID,
	}
	for _, p := range a.Schema {
		if !p.Tuple {
			o[p.Name] = lead.Fields[p.Name]
		}
	}
	return o
}

// formatTime writes a time in UTC to the microsecond, which is all that a lead's times hold, always at full length.
func formatTime(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}
