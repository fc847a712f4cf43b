package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"leadconform/reference/internal/leads"
)

// placed is what became of a placement: a lead, or a duplicate.
type placed struct {
	lead      leads.DistroLead
	duplicate bool
}

// Place stores a lead and gives it to a buyer. See leads.Distro.
func (s *Store) Place(ctx context.Context, p leads.Placement) (leads.DistroLead, error) {
	is, err := s.placements.do(ctx, p)
	switch {
	case err != nil:
		return leads.DistroLead{}, fmt.Errorf("place a lead: %w", err)
	case is.duplicate:
		return leads.DistroLead{}, leads.ErrDuplicate
	}
	return is.lead, nil
}

// place decides placements, one after the other, and writes them in one transaction.
func (s *Store) place(ctx context.Context, all []leads.Placement) (answers []placed, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		l, err := openLedger(ctx, tx, all)
		if err != nil {
			return err
		}
		var kept []leads.DistroLead
		for i, p := range all {
			if p.DuplicateCheck && l.hasSeen(i, p) {
				answers = append(answers, placed{duplicate: true})
				continue
			}
			buyer, err := l.take(ctx, p)
			if err != nil {
				return err
			}
			lead := newLead(p, buyer)
			l.note(p)
			kept = append(kept, lead)
			answers = append(answers, placed{lead: lead})
		}
		return l.write(ctx, kept)
	})
	return answers, err
}

func newLead(p leads.Placement, buyer string) leads.DistroLead {
	lead := leads.DistroLead{
		ID:         uuid.New(),
		CampaignID: p.CampaignID,
		SupplierID: p.SupplierID,
		Status:     leads.Unmatched,
		BuyerID:    buyer,
		Phone:      p.Phone,
		Email:      p.Email,
		Fields:     append([]byte(nil), p.Fields...), // the caller's slice may be part of a larger buffer
		CreatedAt:  p.At.Truncate(time.Microsecond),
	}
	if buyer != "" {
		lead.Status = leads.Accepted
	}
	return lead
}

// ledger is what placements are decided on, as it stands in the midst of a transaction: what the database held when it
// began, and what the placements so far have added.
type ledger struct {
	tx    pgx.Tx
	turns map[string]int64  // per campaign
	used  map[buyerDay]int  // as far as it was asked for
	seen  map[subject]bool  // added by this transaction
	known map[int]bool      // placements whose phone or email the database holds, by position
	taken map[string]bool   // campaigns whose turns have changed
	given map[buyerDay]bool // days whose use has changed
}

// subject is a phone or an email within a campaign.
type subject struct{ campaign, kind, value string }

// buyerDay is a buyer on one UTC day.
type buyerDay struct {
	buyer string
	day   time.Time
}

// What duplicates are found by, as their indexes have it.
const (
	campaignPhone = `(l.campaign_id || E'\x1f' || l.phone)`
	campaignEmail = `(l.campaign_id || E'\x1f' || l.email)`
)

// openLedger takes the lock under which placements are decided, and reads what they are decided on.
func openLedger(ctx context.Context, tx pgx.Tx, all []leads.Placement) (*ledger, error) {
	l := &ledger{
		tx:    tx,
		turns: map[string]int64{},
		used:  map[buyerDay]int{},
		seen:  map[subject]bool{},
		known: map[int]bool{},
		taken: map[string]bool{},
		given: map[buyerDay]bool{},
	}
	var campaigns, phones, emails []string
	for _, p := range all {
		campaigns, phones, emails = append(campaigns, p.CampaignID), append(phones, p.Phone), append(emails, p.Email)
	}
	var batch pgx.Batch
	batch.Queue(`SELECT pg_advisory_xact_lock($1, 0)`, lockPlacement)
	batch.Queue(`SELECT campaign_id, turns FROM distro_turns WHERE campaign_id = ANY($1)`, campaigns).Query(func(rows pgx.Rows) error {
		var campaign string
		var turns int64
		_, err := pgx.ForEachRow(rows, []any{&campaign, &turns}, func() error { l.turns[campaign] = turns; return nil })
		return err
	})
	// OFFSET 0 changes nothing but the plan: without it, PostgreSQL may read the whole table into a hash table first.
	batch.Queue(`SELECT n FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS asked (campaign, phone, email, n)
		WHERE phone <> '' AND EXISTS (SELECT FROM distro_leads l WHERE `+campaignPhone+` = asked.campaign || E'\x1f' || asked.phone OFFSET 0)
		OR email <> '' AND EXISTS (SELECT FROM distro_leads l WHERE `+campaignEmail+` = asked.campaign || E'\x1f' || asked.email OFFSET 0)`,
		campaigns, phones, emails).Query(func(rows pgx.Rows) error {
		var n int
		_, err := pgx.ForEachRow(rows, []any{&n}, func() error { l.known[n-1] = true; return nil })
		return err
	})
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, fmt.Errorf("read what placements are decided on: %w", err)
	}
	return l, nil
}

// hasSeen reports whether the campaign has the phone or the email of the i-th placement.
func (l *ledger) hasSeen(i int, p leads.Placement) bool {
	return l.known[i] || l.seen[subject{p.CampaignID, "phone", p.Phone}] || l.seen[subject{p.CampaignID, "email", p.Email}]
}

// note remembers the placement's phone and email. An empty one is no name: nothing is a duplicate by it.
func (l *ledger) note(p leads.Placement) {
	if p.Phone != "" {
		l.seen[subject{p.CampaignID, "phone", p.Phone}] = true
	}
	if p.Email != "" {
		l.seen[subject{p.CampaignID, "email", p.Email}] = true
	}
}

// take counts the lead against the first candidate that has room, and against the campaign's turns. It returns the buyer,
// or nothing.
func (l *ledger) take(ctx context.Context, p leads.Placement) (string, error) {
	candidates := p.Order(uint64(l.turns[p.CampaignID]))
	day := p.At.UTC().Truncate(24 * time.Hour)
	if err := l.readUse(ctx, candidates, day); err != nil {
		return "", err
	}
	for _, c := range candidates {
		today := buyerDay{c.BuyerID, day}
		if c.DailyCap > 0 {
			if l.used[today] >= c.DailyCap {
				continue
			}
			l.used[today]++
			l.given[today] = true
		}
		l.turns[p.CampaignID]++
		l.taken[p.CampaignID] = true
		return c.BuyerID, nil
	}
	return "", nil
}

// readUse reads what counts against the caps of these candidates, unless it is known.
func (l *ledger) readUse(ctx context.Context, candidates []leads.Candidate, day time.Time) error {
	var unknown []string
	for _, c := range candidates {
		today := buyerDay{c.BuyerID, day}
		if _, known := l.used[today]; c.DailyCap > 0 && !known {
			unknown, l.used[today] = append(unknown, c.BuyerID), 0
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	rows, err := l.tx.Query(ctx, `SELECT buyer_id, used FROM distro_caps WHERE buyer_id = ANY($1) AND day = $2`, unknown, day)
	if err != nil {
		return fmt.Errorf("read the use of caps: %w", err)
	}
	var buyer string
	var used int
	if _, err := pgx.ForEachRow(rows, []any{&buyer, &used}, func() error { l.used[buyerDay{buyer, day}] = used; return nil }); err != nil {
		return fmt.Errorf("read the use of caps: %w", err)
	}
	return nil
}

// write stores the leads and what has changed of the counts.
func (l *ledger) write(ctx context.Context, kept []leads.DistroLead) error {
	if len(kept) == 0 {
		return nil
	}
	var batch pgx.Batch
	for _, lead := range kept {
		batch.Queue(`INSERT INTO distro_leads (id, campaign_id, supplier_id, status, buyer_id, phone, email, fields, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, lead.ID, lead.CampaignID, lead.SupplierID, lead.Status, lead.BuyerID,
			lead.Phone, lead.Email, lead.Fields, lead.CreatedAt)
	}
	for campaign := range l.taken {
		batch.Queue(`INSERT INTO distro_turns (campaign_id, turns) VALUES ($1, $2)
			ON CONFLICT (campaign_id) DO UPDATE SET turns = excluded.turns`, campaign, l.turns[campaign])
	}
	for today := range l.given {
		batch.Queue(`INSERT INTO distro_caps (buyer_id, day, used) VALUES ($1, $2, $3)
			ON CONFLICT (buyer_id, day) DO UPDATE SET used = excluded.used`, today.buyer, today.day, l.used[today])
	}
	if err := l.tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("write leads: %w", err)
	}
	return nil
}
