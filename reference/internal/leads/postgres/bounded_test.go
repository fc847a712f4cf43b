package postgres_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"leadconform/reference/internal/containers"
	"leadconform/reference/internal/leads"
)

// A call reads a handful of pages, however many leads its campaign, its supplier or its account has.
func TestCallsReadFewPages(t *testing.T) {
	url := containers.Start(t, containers.Postgres)[0]
	admin := connect(t, url)
	store := open(t, url)

	const many = 3000
	oldest, first := newPlacement(), newTuple()
	placed, err := store.Place(t.Context(), oldest)
	if err != nil {
		t.Fatal(err)
	}
	lead, _, err := store.Upsert(t.Context(), first, leads.Fields{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var all errgroup.Group
	all.SetLimit(50)
	for i := range many {
		all.Go(func() error {
			p := oldest
			p.Phone, p.Email = fmt.Sprintf("5551%06d", i), fmt.Sprintf("ada-%d@example.com", i)
			_, err := store.Place(t.Context(), p)
			return err
		})
		all.Go(func() error {
			tuple := leads.Tuple{AccountID: first.AccountID, CampaignID: first.CampaignID + int64(2*i/many), ExternalLeadID: uuid.New()}
			_, _, err := store.Upsert(t.Context(), tuple, leads.Fields{}, time.Now())
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	_ = store.Close()

	for _, test := range []struct {
		name string
		call func(leads.Store) error
	}{
		{"place", func(s leads.Store) error {
			p := oldest
			p.DuplicateCheck, p.Phone, p.Email = true, "5552000000", "grace@example.com"
			_, err := s.Place(t.Context(), p)
			return err
		}},
		{"seen", func(s leads.Store) error {
			_, err := s.Seen(t.Context(), oldest.CampaignID, "5553000000", oldest.Email)
			return err
		}},
		{"find by id", func(s leads.Store) error {
			_, err := s.Find(t.Context(), oldest.SupplierID, leads.Criterion{ID: placed.ID})
			return err
		}},
		{"find by phone", func(s leads.Store) error {
			_, err := s.Find(t.Context(), oldest.SupplierID, leads.Criterion{Phone: oldest.Phone})
			return err
		}},
		{"find by email", func(s leads.Store) error {
			_, err := s.Find(t.Context(), oldest.SupplierID, leads.Criterion{Email: oldest.Email})
			return err
		}},
		{"upsert", func(s leads.Store) error {
			_, _, err := s.Upsert(t.Context(), first, leads.Fields{"phone": json.RawMessage(`"1"`)}, time.Now())
			return err
		}},
		{"get", func(s leads.Store) error {
			_, err := s.Get(t.Context(), first.AccountID, leads.Ref{ID: lead.ID})
			return err
		}},
		{"get by external id", func(s leads.Store) error {
			_, err := s.Get(t.Context(), first.AccountID, leads.Ref{ID: first.ExternalLeadID})
			return err
		}},
		{"patch", func(s leads.Store) error {
			_, _, err := s.Patch(t.Context(), first.AccountID, lead.ID, 2, leads.Fields{"phone": json.RawMessage(`"2"`)}, time.Now())
			return err
		}},
		{"list", func(s leads.Store) error {
			_, _, err := s.List(t.Context(), first.AccountID, leads.Query{Limit: 1})
			return err
		}},
		{"list from the middle", func(s leads.Store) error {
			_, _, err := s.List(t.Context(), first.AccountID, leads.Query{Limit: 1, Before: lead.CreatedAt.Add(time.Millisecond)})
			return err
		}},
		{"list a campaign", func(s leads.Store) error {
			_, _, err := s.List(t.Context(), first.AccountID, leads.Query{Limit: 1, CampaignID: &first.CampaignID})
			return err
		}},
		{"list an external id", func(s leads.Store) error {
			_, _, err := s.List(t.Context(), first.AccountID, leads.Query{Limit: 1, ExternalLeadID: &first.ExternalLeadID})
			return err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := pagesRead(t, admin)
			store := open(t, url)
			if err := test.call(store); err != nil {
				t.Fatal(err)
			}
			_ = store.Close()
			if n := pagesRead(t, admin) - before; n < 1 || n > 40 {
				t.Errorf("%d pages were read, want a few, and more than none", n)
			}
		})
	}
}

// pagesRead is how many pages of tables and indexes have been read so far. What a connection has read is counted by its end.
func pagesRead(t *testing.T, admin *pgx.Conn) (n int64) {
	t.Helper()
	for others := 1; others > 0; {
		if err := admin.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`).Scan(&others); err != nil {
			t.Fatal(err)
		}
	}
	err := admin.QueryRow(t.Context(), `SELECT sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)
		FROM pg_statio_user_tables WHERE relname <> 'schema_migrations'`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What the statistics say of a campaign's leads must not lead a plan astray: here that all have one phone and no email, so
// that a lead of any other phone and email looks as if the whole campaign had to be read.
func TestStatisticsDontMislead(t *testing.T) {
	url := containers.Start(t, containers.Postgres)[0]
	admin := connect(t, url)
	_ = open(t, url).Close() // which makes the tables
	p, filler := newPlacement(), connect(t, url)
	if _, err := filler.Exec(t.Context(), `INSERT INTO distro_leads (id, campaign_id, supplier_id, status, buyer_id, phone, email, fields, created_at)
		SELECT gen_random_uuid(), $1, $2, 'accepted', 'buyer', '5552000000', '', '{}', now() FROM generate_series(1, 20000)`, p.CampaignID, p.SupplierID); err != nil {
		t.Fatal(err)
	}
	if _, err := filler.Exec(t.Context(), `ANALYZE`); err != nil {
		t.Fatal(err)
	}
	_ = filler.Close(t.Context()) // so that what it has read is counted now
	before := pagesRead(t, admin)
	store := open(t, url)
	p.DuplicateCheck = true
	if _, err := store.Place(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if seen, err := store.Seen(t.Context(), p.CampaignID, "5553000000", "grace@example.com"); err != nil || seen {
		t.Errorf("a phone and an email that nobody has are seen: %v, %v", seen, err)
	}
	_ = store.Close()
	if n := pagesRead(t, admin) - before; n < 1 || n > 60 {
		t.Errorf("%d pages were read, want a few, and more than none", n)
	}
}
