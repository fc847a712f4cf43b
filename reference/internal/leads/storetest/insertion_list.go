package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"leadconform/reference/internal/leads"
)

func uniqueTimes(t *testing.T, store leads.Store) {
	const writers = 60
	account := newAccount()
	atOnce(writers, func(i int) {
		if _, _, err := store.Upsert(t.Context(), newTuple(account), fields("phone", `"5550100100"`), noon.Add(time.Nanosecond)); err != nil {
			t.Errorf("upsert %d: %v", i, err)
		}
	})
	page, more, err := store.List(t.Context(), account, leads.Query{Limit: 100})
	if err != nil || more || len(page) != writers {
		t.Fatalf("%d leads, more %v, %v; want %d", len(page), more, err, writers)
	}
	for i, lead := range page {
		if lead.CreatedAt.Before(noon) || lead.CreatedAt != lead.CreatedAt.Truncate(time.Microsecond) {
			t.Errorf("lead %d was created at %s, want a whole microsecond from %s on", i, lead.CreatedAt, noon)
		}
		if i > 0 && !lead.CreatedAt.Before(page[i-1].CreatedAt) {
			t.Errorf("lead %d was created at %s, the one listed before it at %s", i, lead.CreatedAt, page[i-1].CreatedAt)
		}
	}

	// A clock that goes back doesn't put a lead behind a cursor that a reader already holds.
	late := mustUpsert(t, store, newTuple(account), fields("phone", `"5550100100"`), noon.Add(-time.Hour), leads.Inserted)
	if !late.CreatedAt.After(page[0].CreatedAt) {
		t.Errorf("a lead inserted last was created at %s, before %s", late.CreatedAt, page[0].CreatedAt)
	}
}

func walkByCursor(t *testing.T, store leads.Store) {
	account := newAccount()
	external := uuid.New()
	var newestFirst []leads.InsertionLead
	for i := range 23 {
		tuple := leads.Tuple{AccountID: account, CampaignID: int64(1 + i%3), ExternalLeadID: uuid.New()}
		if i >= 15 && i < 18 {
			tuple.ExternalLeadID = external
		}
		lead := mustUpsert(t, store, tuple, fields("phone", `"5550100100"`), noon.Add(time.Duration(i/2)*time.Second), leads.Inserted)
		newestFirst = append([]leads.InsertionLead{lead}, newestFirst...)
	}
	campaign, nowhere := int64(2), int64(99)
	for _, test := range []struct {
		name    string
		query   leads.Query
		matches func(leads.InsertionLead) bool
	}{
		{"all, one by one", leads.Query{Limit: 1}, func(leads.InsertionLead) bool { return true }},
		{"all, page size divides the number", leads.Query{Limit: 23}, func(leads.InsertionLead) bool { return true }},
		{"all, ten by ten", leads.Query{Limit: 10}, func(leads.InsertionLead) bool { return true }},
		{"of a campaign", leads.Query{Limit: 3, CampaignID: &campaign}, func(l leads.InsertionLead) bool { return l.CampaignID == campaign }},
		{"of an external id", leads.Query{Limit: 2, ExternalLeadID: &external}, func(l leads.InsertionLead) bool { return l.ExternalLeadID == external }},
		{"of both", leads.Query{Limit: 2, CampaignID: &campaign, ExternalLeadID: &external}, func(l leads.InsertionLead) bool {
			return l.CampaignID == campaign && l.ExternalLeadID == external
		}},
		{"of a campaign without leads", leads.Query{Limit: 2, CampaignID: &nowhere}, func(leads.InsertionLead) bool { return false }},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := slices.DeleteFunc(slices.Clone(newestFirst), func(l leads.InsertionLead) bool { return !test.matches(l) })
			got := walk(t, store, account, test.query)
			if diff := cmp.Diff(want, got, cmp.Comparer(sameID), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("leads (-want +got):\n%s", diff)
			}
		})
	}
}

// walk follows the cursor to its end and fails on a page that isn't full although more follows.
func walk(t *testing.T, store leads.Insertion, account string, q leads.Query) []leads.InsertionLead {
	t.Helper()
	var all []leads.InsertionLead
	for {
		page, more, err := store.List(t.Context(), account, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > q.Limit || more && len(page) < q.Limit || len(all) > 1000 {
			t.Fatalf("a page of %d with limit %d, more %v, after %d leads", len(page), q.Limit, more, len(all))
		}
		all = append(all, page...)
		if !more {
			return all
		}
		q.Before = page[len(page)-1].CreatedAt
	}
}

func sameID(a, b leads.InsertionLead) bool { return a.ID == b.ID }
