package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"leadconform/reference/internal/leads"
)

const insertionColumns = `SELECT id, user_id, account_id, campaign_id, external_lead_id, fields, version, created_at, updated_at `

// Get returns a lead by its own id or its external id. See leads.Insertion.
func (s *Store) Get(ctx context.Context, accountID string, ref leads.Ref) (leads.InsertionLead, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	lead, err := s.one(ctx, `WHERE account_id = $1 AND id = $2`, accountID, ref.ID)
	if errors.Is(err, leads.ErrNotFound) {
		return s.one(ctx, `WHERE account_id = $1 AND external_lead_id = $2 ORDER BY created_at DESC LIMIT 1`, accountID, ref.ID)
	}
	return lead, err
}

// one returns the lead that the condition names, or leads.ErrNotFound.
func (s *Store) one(ctx context.Context, where string, args ...any) (leads.InsertionLead, error) {
	rows, err := s.pool.Query(ctx, insertionColumns+`FROM insertion_leads `+where, args...)
	if err != nil {
		return leads.InsertionLead{}, fmt.Errorf("read a lead: %w", err)
	}
	lead, err := pgx.CollectExactlyOneRow(rows, scanInsertionLead)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return leads.InsertionLead{}, leads.ErrNotFound
	case err != nil:
		return leads.InsertionLead{}, fmt.Errorf("read a lead: %w", err)
	}
	return lead, nil
}

// List returns a page of the account's leads, newest first. See leads.Insertion.
func (s *Store) List(ctx context.Context, accountID string, q leads.Query) (page []leads.InsertionLead, more bool, err error) {
	where, args := []string{"account_id = $1"}, []any{accountID}
	and := func(condition string, value any) {
		args = append(args, value)
		where = append(where, fmt.Sprintf("%s $%d", condition, len(args)))
	}
	if q.CampaignID != nil {
		and("campaign_id =", *q.CampaignID)
	}
	if q.ExternalLeadID != nil {
		and("external_lead_id =", *q.ExternalLeadID)
	}
	if !q.Before.IsZero() {
		and("created_at <", ceiling(q.Before))
	}
	args = append(args, q.Limit+1) // one more than asked for shows that more follow
	query := fmt.Sprintf("%s FROM insertion_leads WHERE %s ORDER BY created_at DESC LIMIT $%d", insertionColumns, strings.Join(where, " AND "), len(args))

	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	rows, err := s.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, false, fmt.Errorf("list leads: %w", err)
	}
	if page, err = pgx.CollectRows(rows, scanInsertionLead); err != nil {
		return nil, false, fmt.Errorf("list leads: %w", err)
	}
	if len(page) > q.Limit {
		return page[:q.Limit], true, nil
	}
	return page, false, nil
}

// ceiling is the whole microsecond at or after t. Times of creation are whole ones: those before t are those before it.
func ceiling(t time.Time) time.Time {
	if whole := t.Truncate(time.Microsecond); whole.Before(t) {
		return whole.Add(time.Microsecond)
	}
	return t
}

// scanInsertionLead reads a row of insertionColumns.
func scanInsertionLead(r pgx.CollectableRow) (lead leads.InsertionLead, err error) {
	var fields []byte
	err = r.Scan(&lead.ID, &lead.UserID, &lead.AccountID, &lead.CampaignID, &lead.ExternalLeadID, &fields, &lead.Version, &lead.CreatedAt, &lead.UpdatedAt)
	if err != nil {
		return lead, err
	}
	if err = json.Unmarshal(fields, &lead.Fields); err != nil {
		return lead, fmt.Errorf("read the fields of lead %s: %w", lead.ID, err)
	}
	return lead, nil
}

// encodeFields writes fields as one JSON object. It leaves the values as they are: their form is what they are compared
// by, and an encoder of JSON would change it.
func encodeFields(fields leads.Fields) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		quoted, _ := json.Marshal(name) // text is always written
		b.WriteByte("{,"[min(b.Len(), 1)])
		b.Write(quoted)
		b.WriteByte(':')
		b.Write(fields[name])
	}
	if b.Len() == 0 {
		return "{}"
	}
	return b.String() + "}"
}
