package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"leadconform/reference/internal/leads"
)

// Patch writes the changes if nobody wrote since the version was read. See leads.Insertion.
//
// It reads the lead, and then writes it and its event in one statement that holds only for the version that was read: a
// lead's version says all that its fields are.
func (s *Store) Patch(ctx context.Context, accountID string, id uuid.UUID, version int64, changes leads.Fields, at time.Time) (leads.InsertionLead, leads.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	lead, err := s.one(ctx, `WHERE account_id = $1 AND id = $2`, accountID, id)
	switch {
	case err != nil:
		return leads.InsertionLead{}, leads.Event{}, err
	case lead.Version != version:
		return leads.InsertionLead{}, leads.Event{}, leads.ErrConflict
	}
	event := leads.Event{ID: uuid.New(), LeadID: id, Before: present(lead.Fields, changes), After: merged(nil, changes)}
	lead.Fields = merged(lead.Fields, changes)
	err = s.pool.QueryRow(ctx, `WITH written AS (
			UPDATE insertion_leads SET fields = $4, version = version + 1, updated_at = greatest(updated_at, $5)
			WHERE account_id = $1 AND id = $2 AND version = $3 RETURNING version, updated_at
		), recorded AS (
			INSERT INTO insertion_events (id, lead_id, version, before, after, at)
			SELECT $6, $2, version, $7, $8, updated_at FROM written
		)
		SELECT version, updated_at FROM written`,
		accountID, id, version, encodeFields(lead.Fields), at.UTC().Truncate(time.Microsecond),
		event.ID, encodeFields(event.Before), encodeFields(event.After),
	).Scan(&lead.Version, &lead.UpdatedAt)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return leads.InsertionLead{}, leads.Event{}, leads.ErrConflict
	case err != nil:
		return leads.InsertionLead{}, leads.Event{}, fmt.Errorf("patch a lead: %w", err)
	}
	event.At = lead.UpdatedAt
	return lead, event, nil
}

// present are the stored values of the fields named in changes, as far as they are set.
func present(stored, changes leads.Fields) leads.Fields {
	before := leads.Fields{}
	for name := range changes {
		if is, ok := stored[name]; ok {
			before[name] = is
		}
	}
	return before
}
