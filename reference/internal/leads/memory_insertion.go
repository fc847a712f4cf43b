package leads

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// insertionMemory keeps the Insertion API's leads, account by account, so that a look-up can't stray into another's.
type insertionMemory struct {
	mu       sync.RWMutex
	accounts map[string]*accountLeads
}

// accountLeads are the leads of one account. Every list has its leads in the order in which they were created.
type accountLeads struct {
	all        []*insertionRow
	byCampaign map[int64][]*insertionRow
	byExternal map[uuid.UUID][]*insertionRow // one lead per campaign
	byID       map[uuid.UUID]*insertionRow
	byTuple    map[Tuple]*insertionRow
}

// insertionRow is a lead and its audit trail. A write replaces the lead's Fields and never changes them in place, so
// that a lead once handed out stays as it was.
type insertionRow struct {
	lead   InsertionLead
	events []Event // one per PATCH, in order
}

func newInsertionMemory() insertionMemory {
	return insertionMemory{accounts: map[string]*accountLeads{}}
}

func (m *insertionMemory) reset(scope ResetScope) {
	if scope != ResetAll {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.accounts)
}

// Upsert inserts, patches or leaves alone the tuple's lead. See Insertion.
func (m *Memory) Upsert(ctx context.Context, t Tuple, sent Fields, at time.Time) (InsertionLead, Outcome, error) {
	if err := ctx.Err(); err != nil {
		return InsertionLead{}, "", err
	}
	m.insertion.mu.Lock()
	defer m.insertion.mu.Unlock()
	account := m.insertion.account(t.AccountID)
	row, seen := account.byTuple[t]
	switch {
	case !seen:
		return account.insert(t, sent, at).lead, Inserted, nil
	case !row.differs(sent):
		return row.lead, Deduped, nil
	default:
		row.write(sent, at)
		return row.lead, Patched, nil
	}
}

// Get returns a lead by its own id or its external id. See Insertion.
func (m *Memory) Get(ctx context.Context, accountID string, ref Ref) (InsertionLead, error) {
	if err := ctx.Err(); err != nil {
		return InsertionLead{}, err
	}
	m.insertion.mu.RLock()
	defer m.insertion.mu.RUnlock()
	account, ok := m.insertion.accounts[accountID]
	if !ok {
		return InsertionLead{}, ErrNotFound
	}
	if row, ok := account.byID[ref.ID]; ok {
		return row.lead, nil
	}
	if rows := account.byExternal[ref.ID]; len(rows) > 0 {
		return rows[len(rows)-1].lead, nil
	}
	return InsertionLead{}, ErrNotFound
}

// Patch writes the changes if nobody wrote since the version was read. See Insertion.
func (m *Memory) Patch(ctx context.Context, accountID string, id uuid.UUID, version int64, changes Fields, at time.Time) (InsertionLead, Event, error) {
	if err := ctx.Err(); err != nil {
		return InsertionLead{}, Event{}, err
	}
	m.insertion.mu.Lock()
	defer m.insertion.mu.Unlock()
	account, ok := m.insertion.accounts[accountID]
	if !ok {
		return InsertionLead{}, Event{}, ErrNotFound
	}
	row, ok := account.byID[id]
	if !ok {
		return InsertionLead{}, Event{}, ErrNotFound
	}
	if row.lead.Version != version {
		return InsertionLead{}, Event{}, ErrConflict
	}
	event := Event{ID: uuid.New(), LeadID: id, Before: row.present(changes), After: merged(nil, changes)}
	row.write(changes, at)
	event.At = row.lead.UpdatedAt
	row.events = append(row.events, event)
	return row.lead, event, nil
}

// List returns a page of the account's leads, newest first. See Insertion. It looks through the shortest list that the
// filters allow, from the cursor on.
func (m *Memory) List(ctx context.Context, accountID string, q Query) (page []InsertionLead, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	m.insertion.mu.RLock()
	defer m.insertion.mu.RUnlock()
	account, ok := m.insertion.accounts[accountID]
	if !ok {
		return nil, false, nil
	}
	rows := account.candidates(q)
	if !q.Before.IsZero() {
		end, _ := slices.BinarySearchFunc(rows, q.Before, func(row *insertionRow, before time.Time) int {
			return row.lead.CreatedAt.Compare(before)
		})
		rows = rows[:end]
	}
	for _, row := range slices.Backward(rows) {
		if q.CampaignID != nil && row.lead.CampaignID != *q.CampaignID {
			continue
		}
		if len(page) == q.Limit {
			return page, true, nil
		}
		page = append(page, row.lead)
	}
	return page, false, nil
}

// account finds an account's leads, or opens an empty list for it. The caller holds the lock for writing.
func (m *insertionMemory) account(id string) *accountLeads {
	account, ok := m.accounts[id]
	if !ok {
		account = &accountLeads{
			byCampaign: map[int64][]*insertionRow{},
			byExternal: map[uuid.UUID][]*insertionRow{},
			byID:       map[uuid.UUID]*insertionRow{},
			byTuple:    map[Tuple]*insertionRow{},
		}
		m.accounts[id] = account
	}
	return account
}

// insert adds a lead as the account's newest. Its time of creation is a microsecond after the one before it if the
// clock says no later, so that no two are equal and no lead ever appears behind a cursor.
func (a *accountLeads) insert(t Tuple, sent Fields, at time.Time) *insertionRow {
	created := at.UTC().Truncate(time.Microsecond)
	if len(a.all) > 0 {
		if next := a.all[len(a.all)-1].lead.CreatedAt.Add(time.Microsecond); created.Before(next) {
			created = next
		}
	}
	row := &insertionRow{lead: InsertionLead{
		ID: uuid.New(), UserID: uuid.New(), Tuple: t,
		Fields: merged(nil, sent), Version: 1, CreatedAt: created, UpdatedAt: created,
	}}
	a.all = append(a.all, row)
	a.byCampaign[t.CampaignID] = append(a.byCampaign[t.CampaignID], row)
	a.byExternal[t.ExternalLeadID] = append(a.byExternal[t.ExternalLeadID], row)
	a.byID[row.lead.ID] = row
	a.byTuple[t] = row
	return row
}

// candidates is the shortest list that holds every lead the query can match.
func (a *accountLeads) candidates(q Query) []*insertionRow {
	switch {
	case q.ExternalLeadID != nil:
		return a.byExternal[*q.ExternalLeadID]
	case q.CampaignID != nil:
		return a.byCampaign[*q.CampaignID]
	default:
		return a.all
	}
}

// differs reports whether a field that was sent is not what is stored.
func (r *insertionRow) differs(sent Fields) bool {
	for name, value := range sent {
		if stored, ok := r.lead.Fields[name]; !ok || !bytes.Equal(stored, value) {
			return true
		}
	}
	return false
}

// present are the stored values of the fields named in changes, as far as they are set.
func (r *insertionRow) present(changes Fields) Fields {
	before := Fields{}
	for name := range changes {
		if stored, ok := r.lead.Fields[name]; ok {
			before[name] = stored
		}
	}
	return before
}

// write lays the changes over what is stored.
func (r *insertionRow) write(changes Fields, at time.Time) {
	r.lead.Fields = merged(r.lead.Fields, changes)
	r.lead.Version++
	if at = at.UTC().Truncate(time.Microsecond); at.After(r.lead.UpdatedAt) {
		r.lead.UpdatedAt = at
	}
}

// merged is a new set of fields: the old ones with the changes laid over them.
func merged(old, changes Fields) Fields {
	fields := make(Fields, len(old)+len(changes))
	maps.Copy(fields, old)
	maps.Copy(fields, changes)
	return fields
}
