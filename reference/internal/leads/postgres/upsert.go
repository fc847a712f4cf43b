package postgres

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"leadconform/reference/internal/leads"
)

// upsert is a call of Upsert, upserted its answer.
type upsert struct {
	tuple leads.Tuple
	sent  leads.Fields
	at    time.Time
}

type upserted struct {
	lead    leads.InsertionLead
	outcome leads.Outcome
}

// Upsert inserts, patches or leaves alone the tuple's lead. See leads.Insertion.
func (s *Store) Upsert(ctx context.Context, t leads.Tuple, sent leads.Fields, at time.Time) (leads.InsertionLead, leads.Outcome, error) {
	is, err := s.upserts.do(ctx, upsert{t, sent, at})
	if err != nil {
		return leads.InsertionLead{}, "", fmt.Errorf("upsert a lead: %w", err)
	}
	return is.lead, is.outcome, nil
}

// upsert decides upserts, one after the other, and writes them in one transaction.
func (s *Store) upsert(ctx context.Context, all []upsert) (answers []upserted, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		a, err := openAccounts(ctx, tx, all)
		if err != nil {
			return err
		}
		for _, u := range all {
			answers = append(answers, a.decide(u))
		}
		return a.write(ctx)
	})
	return answers, err
}

// accounts is what upserts are decided on, as it stands in the midst of a transaction.
type accounts struct {
	tx     pgx.Tx
	newest map[string]time.Time // per account: when its newest lead was created
	byRef  map[leads.Tuple]*row
}

// row is a lead, and what the transaction has done to it.
type row struct {
	leads.InsertionLead
	isNew, changed bool
}

// openAccounts locks the accounts, and reads the leads of the tuples. The locks are taken in one order, whoever takes
// them, and so nobody waits in a circle.
func openAccounts(ctx context.Context, tx pgx.Tx, all []upsert) (*accounts, error) {
	a := &accounts{tx: tx, newest: map[string]time.Time{}, byRef: map[leads.Tuple]*row{}}
	var ids []string
	var locks []int32
	var tuples struct {
		accounts  []string
		campaigns []int64
		externals []uuid.UUID
	}
	for _, u := range all {
		ids, locks = append(ids, u.tuple.AccountID), append(locks, lockOf(u.tuple.AccountID))
		tuples.accounts = append(tuples.accounts, u.tuple.AccountID)
		tuples.campaigns = append(tuples.campaigns, u.tuple.CampaignID)
		tuples.externals = append(tuples.externals, u.tuple.ExternalLeadID)
	}
	slices.Sort(locks)
	locks = slices.Compact(locks)
	slices.Sort(ids)
	ids = slices.Compact(ids)

	var batch pgx.Batch
	for _, lock := range locks {
		batch.Queue(`SELECT pg_advisory_xact_lock($1, $2)`, lockAccount, lock)
	}
	batch.Queue(`SELECT id, newest FROM unnest($1::text[]) AS asked (id), LATERAL (
			SELECT created_at FROM insertion_leads WHERE account_id = asked.id ORDER BY created_at DESC LIMIT 1
		) AS last (newest)`, ids).Query(func(rows pgx.Rows) error {
		var id string
		var newest time.Time
		_, err := pgx.ForEachRow(rows, []any{&id, &newest}, func() error { a.newest[id] = newest; return nil })
		return err
	})
	// A PATCH doesn't take the account's lock: it is kept out by the lock on the row.
	batch.Queue(insertionColumns+`FROM unnest($1::text[], $2::bigint[], $3::uuid[]) AS asked (account, campaign, external)
		JOIN insertion_leads l ON l.account_id = asked.account AND l.campaign_id = asked.campaign AND l.external_lead_id = asked.external
		FOR UPDATE OF l`, tuples.accounts, tuples.campaigns, tuples.externals).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, scanInsertionLead)
		for _, lead := range found {
			a.byRef[lead.Tuple] = &row{InsertionLead: lead}
		}
		return err
	})
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, fmt.Errorf("read what upserts are decided on: %w", err)
	}
	return a, nil
}

// lockOf is the account's number among the locks. Two accounts that share one only wait for each other.
func lockOf(account string) int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(account))
	return int32(h.Sum32())
}

// decide does to the tuple's lead what the upsert asks for.
func (a *accounts) decide(u upsert) upserted {
	r, known := a.byRef[u.tuple]
	switch {
	case !known:
		r = a.insert(u)
		return upserted{r.InsertionLead, leads.Inserted}
	case !differs(r.Fields, u.sent):
		return upserted{r.InsertionLead, leads.Deduped}
	}
	r.Fields = merged(r.Fields, u.sent)
	r.Version++
	if at := u.at.UTC().Truncate(time.Microsecond); at.After(r.UpdatedAt) {
		r.UpdatedAt = at
	}
	r.changed = true
	return upserted{r.InsertionLead, leads.Patched}
}

// insert makes a lead the account's newest: created a microsecond after the last one, if the clock says no later. So no
// two are equal, whosever clock is behind, and no lead ever appears behind a cursor.
func (a *accounts) insert(u upsert) *row {
	created := u.at.UTC().Truncate(time.Microsecond)
	if newest, ok := a.newest[u.tuple.AccountID]; ok && !created.After(newest) {
		created = newest.Add(time.Microsecond)
	}
	a.newest[u.tuple.AccountID] = created
	r := &row{isNew: true, InsertionLead: leads.InsertionLead{
		ID: uuid.New(), UserID: uuid.New(), Tuple: u.tuple,
		Fields: merged(nil, u.sent), Version: 1, CreatedAt: created, UpdatedAt: created,
	}}
	a.byRef[u.tuple] = r
	return r
}

// write stores what has changed.
func (a *accounts) write(ctx context.Context) error {
	var batch pgx.Batch
	for _, r := range a.byRef {
		switch {
		case r.isNew:
			batch.Queue(`INSERT INTO insertion_leads
				(id, user_id, account_id, campaign_id, external_lead_id, fields, version, created_at, updated_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, r.ID, r.UserID, r.AccountID, r.CampaignID, r.ExternalLeadID,
				encodeFields(r.Fields), r.Version, r.CreatedAt, r.UpdatedAt)
		case r.changed:
			batch.Queue(`UPDATE insertion_leads SET fields = $2, version = $3, updated_at = $4 WHERE id = $1`,
				r.ID, encodeFields(r.Fields), r.Version, r.UpdatedAt)
		}
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := a.tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("write leads: %w", err)
	}
	return nil
}

// differs reports whether a field that was sent is not what is stored.
func differs(stored, sent leads.Fields) bool {
	for name, value := range sent {
		if is, ok := stored[name]; !ok || !bytes.Equal(is, value) {
			return true
		}
	}
	return false
}

// merged is a new set of fields: the old ones with the changes laid over them.
func merged(old, changes leads.Fields) leads.Fields {
	fields := make(leads.Fields, len(old)+len(changes))
	maps.Copy(fields, old)
	maps.Copy(fields, changes)
	return fields
}
