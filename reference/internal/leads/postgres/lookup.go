package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"leadconform/reference/internal/leads"
)

// Seen reports whether the campaign has a lead with that phone or email. See leads.Distro.
func (s *Store) Seen(ctx context.Context, campaignID, phone, email string) (seen bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	err = s.pool.QueryRow(ctx, `SELECT $2::text <> '' AND EXISTS (SELECT FROM distro_leads l WHERE `+campaignPhone+` = $1::text || E'\x1f' || $2)
		OR $3::text <> '' AND EXISTS (SELECT FROM distro_leads l WHERE `+campaignEmail+` = $1::text || E'\x1f' || $3)`,
		campaignID, phone, email).Scan(&seen)
	if err != nil {
		return false, fmt.Errorf("ask whether a phone or email was seen: %w", err)
	}
	return seen, nil
}

const findColumns = `SELECT id, campaign_id, supplier_id, status, buyer_id, phone, email, fields, created_at FROM distro_leads `

// Find returns the supplier's newest lead that matches. See leads.Distro.
func (s *Store) Find(ctx context.Context, supplierID string, c leads.Criterion) (leads.DistroLead, error) {
	var query string
	var value any
	switch {
	case c.ID != uuid.Nil:
		query, value = findColumns+`WHERE id = $2 AND supplier_id = $1`, c.ID
	case c.Phone != "":
		query, value = findColumns+`WHERE supplier_id = $1 AND phone = $2 ORDER BY created_at DESC, seq DESC LIMIT 1`, c.Phone
	case c.Email != "":
		query, value = findColumns+`WHERE supplier_id = $1 AND email = $2 ORDER BY created_at DESC, seq DESC LIMIT 1`, c.Email
	default:
		return leads.DistroLead{}, leads.ErrNotFound
	}
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	rows, err := s.pool.Query(ctx, query, supplierID, value)
	if err != nil {
		return leads.DistroLead{}, fmt.Errorf("find a lead: %w", err)
	}
	lead, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[leads.DistroLead])
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return leads.DistroLead{}, leads.ErrNotFound
	case err != nil:
		return leads.DistroLead{}, fmt.Errorf("find a lead: %w", err)
	}
	return lead, nil
}
