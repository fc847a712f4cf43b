package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"leadconform/reference/internal/containers"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/leads/postgres"
	"leadconform/reference/internal/leads/storetest"
)

// The suite that every store passes, once more: three stores on one database are one store.
func TestStore(t *testing.T) {
	url := containers.Start(t, containers.Postgres)[0]
	store := &several{stores: []leads.Store{open(t, url), open(t, url), open(t, url)}}
	shared := func(*testing.T) leads.Store { return store }
	t.Run("Distro", func(t *testing.T) { storetest.Distro(t, shared) })
	t.Run("Insertion", func(t *testing.T) { storetest.Insertion(t, shared) })
	t.Run("keeps the audit trail", func(t *testing.T) { auditTrail(t, store, connect(t, url)) })
	t.Run("survives text that can't be stored", func(t *testing.T) { badText(t, store) })
}

// The Insertion API writes an audit event with each PATCH, and with nothing else.
func auditTrail(t *testing.T, store leads.Store, admin *pgx.Conn) {
	phone := func(number string) leads.Fields { return leads.Fields{"phone": json.RawMessage(number)} }
	tuple, now := newTuple(), time.Now()
	lead, _, err := store.Upsert(t.Context(), tuple, phone(`"5550100100"`), now)
	if err != nil {
		t.Fatal(err)
	}
	var want []leads.Event
	for _, number := range []string{`"5550100101"`, `"5550100102"`} {
		patched, event, err := store.Patch(t.Context(), tuple.AccountID, lead.ID, lead.Version, phone(number), now)
		if err != nil {
			t.Fatal(err)
		}
		lead, want = patched, append(want, event)
	}
	if _, _, err := store.Patch(t.Context(), tuple.AccountID, lead.ID, 1, phone(`"5550100103"`), now); !errors.Is(err, leads.ErrConflict) {
		t.Fatalf("a stale patch: %v", err)
	}
	if _, _, err := store.Upsert(t.Context(), tuple, phone(`"5550100104"`), now); err != nil {
		t.Fatal(err)
	}
	rows, err := admin.Query(t.Context(), `SELECT id, lead_id, before, after, at FROM insertion_events WHERE lead_id = $1 ORDER BY version`, lead.ID)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowToStructByPos[leads.Event])
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v; events (-want +got):\n%s", err, diff)
	}
}

// PostgreSQL stores no NUL. A lead that holds one is refused, and hurts nobody else.
func badText(t *testing.T, store leads.Store) {
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			p := newPlacement()
			if i%5 == 0 {
				p.Email = "a\x00da@example.com"
			}
			if _, err := store.Place(t.Context(), p); (err != nil) != (i%5 == 0) {
				t.Errorf("lead %d, of which every fifth can't be stored: %v", i, err)
			}
		})
	}
	all.Wait()
}

// patience is more than a busy machine takes, and less than a test's deadline.
const patience = 10 * time.Second

func open(t testing.TB, url string) *postgres.Store {
	t.Helper()
	store, err := postgres.Open(t.Context(), url, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// several are stores that share their calls out, each call to the next of them, as a balancer does with replicas.
type several struct {
	stores []leads.Store
	calls  atomic.Uint64
}

func (s *several) next() leads.Store { return s.stores[s.calls.Add(1)%uint64(len(s.stores))] }

func (s *several) Place(ctx context.Context, p leads.Placement) (leads.DistroLead, error) {
	return s.next().Place(ctx, p)
}

func (s *several) Seen(ctx context.Context, campaignID, phone, email string) (bool, error) {
	return s.next().Seen(ctx, campaignID, phone, email)
}

func (s *several) Find(ctx context.Context, supplierID string, c leads.Criterion) (leads.DistroLead, error) {
	return s.next().Find(ctx, supplierID, c)
}

func (s *several) Upsert(ctx context.Context, t leads.Tuple, sent leads.Fields, at time.Time) (leads.InsertionLead, leads.Outcome, error) {
	return s.next().Upsert(ctx, t, sent, at)
}

func (s *several) Get(ctx context.Context, accountID string, ref leads.Ref) (leads.InsertionLead, error) {
	return s.next().Get(ctx, accountID, ref)
}

func (s *several) Patch(ctx context.Context, accountID string, id uuid.UUID, version int64, changes leads.Fields, at time.Time) (leads.InsertionLead, leads.Event, error) {
	return s.next().Patch(ctx, accountID, id, version, changes, at)
}

func (s *several) List(ctx context.Context, accountID string, q leads.Query) ([]leads.InsertionLead, bool, error) {
	return s.next().List(ctx, accountID, q)
}

func (s *several) Reset(ctx context.Context, scope leads.ResetScope) error {
	return s.next().Reset(ctx, scope)
}

func (s *several) Ready(ctx context.Context) error { return s.next().Ready(ctx) }
