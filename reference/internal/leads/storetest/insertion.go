// Package storetest holds a store of leads against what its interface promises, so that every implementation passes the same
// tests.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"leadconform/reference/internal/leads"
)

// Insertion holds a store against what leads.Insertion promises. The store that open returns may be shared with other
// tests: every test here works in accounts of its own, and only the last one resets the store.
func Insertion(t *testing.T, open func(t *testing.T) leads.Store) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, store leads.Store)
	}{
		{"behaves like a plain model", insertionModel},
		{"inserts a tuple once under concurrency", insertedOnce},
		{"loses no write under concurrency", noLostUpserts},
		{"lets one of many patches of a version through", onePatchWins},
		{"loses neither patches nor upserts that meet", noLostPatches},
		{"records a patch as an event", patchEvent},
		{"keeps accounts apart", accountsApart},
		{"keeps campaigns apart", campaignsApart},
		{"gives every lead of an account its own time", uniqueTimes},
		{"walks a list by cursor", walkByCursor},
		{"prefers a lead's own id to an external id", ownIDFirst},
		{"keeps values as they are", valuesKept},
		{"does nothing for a caller that has gone", cancelled},
		{"forgets on reset", resetForgets},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// noon is when the leads of these tests arrive, in a precision that every store can keep.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newAccount() string { return "acc-" + uuid.NewString() }

func newTuple(accountID string) leads.Tuple {
	return leads.Tuple{AccountID: accountID, CampaignID: 101, ExternalLeadID: uuid.New()}
}

// fields builds a set of fields from names and JSON texts in turn.
func fields(namesAndValues ...string) leads.Fields {
	set := leads.Fields{}
	for pair := range slices.Chunk(namesAndValues, 2) {
		set[pair[0]] = json.RawMessage(pair[1])
	}
	return set
}

func mustUpsert(t *testing.T, store leads.Insertion, tuple leads.Tuple, sent leads.Fields, at time.Time, want leads.Outcome) leads.InsertionLead {
	t.Helper()
	lead, outcome, err := store.Upsert(t.Context(), tuple, sent, at)
	if err != nil || outcome != want {
		t.Fatalf("upsert: got %q, %v; want %q", outcome, err, want)
	}
	return lead
}

func insertedOnce(t *testing.T, store leads.Store) {
	const writers = 200
	tuple := newTuple(newAccount())
	outcomes := make([]leads.Outcome, writers)
	ids := make([]uuid.UUID, writers)
	atOnce(writers, func(i int) {
		lead, outcome, err := store.Upsert(t.Context(), tuple, fields("phone", `"5550100100"`), noon)
		if err != nil {
			t.Errorf("upsert %d: %v", i, err)
		}
		outcomes[i], ids[i] = outcome, lead.ID
	})
	want := map[leads.Outcome]int{leads.Inserted: 1, leads.Deduped: writers - 1}
	if diff := cmp.Diff(want, tally(outcomes)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if distinct := tally(ids); len(distinct) != 1 {
		t.Errorf("one tuple became %d leads", len(distinct))
	}
	page, _, err := store.List(t.Context(), tuple.AccountID, leads.Query{Limit: 100})
	if err != nil || len(page) != 1 {
		t.Errorf("the account lists %d leads, %v; want 1", len(page), err)
	}
}

func noLostUpserts(t *testing.T, store leads.Store) {
	const writers = 100
	tuple := newTuple(newAccount())
	outcomes := make([]leads.Outcome, writers)
	atOnce(writers, func(i int) {
		// Each writer has a field of its own, so that every write can be seen in the end.
		_, outcome, err := store.Upsert(t.Context(), tuple, fields(fmt.Sprintf("field_%d", i), `true`), noon)
		if err != nil {
			t.Errorf("upsert %d: %v", i, err)
		}
		outcomes[i] = outcome
	})
	want := map[leads.Outcome]int{leads.Inserted: 1, leads.Patched: writers - 1}
	if diff := cmp.Diff(want, tally(outcomes)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	lead := mustUpsert(t, store, tuple, nil, noon, leads.Deduped)
	if len(lead.Fields) != writers || lead.Version != writers {
		t.Errorf("%d fields at version %d, want %d at %d", len(lead.Fields), lead.Version, writers, writers)
	}
}

func onePatchWins(t *testing.T, store leads.Store) {
	const writers = 100
	tuple := newTuple(newAccount())
	read := mustUpsert(t, store, tuple, fields("phone", `"5550100100"`), noon, leads.Inserted)
	won := make([]bool, writers)
	atOnce(writers, func(i int) {
		_, _, err := store.Patch(t.Context(), tuple.AccountID, read.ID, read.Version, fields("first_name", fmt.Sprintf("%q", fmt.Sprint(i))), noon)
		if err != nil && !errors.Is(err, leads.ErrConflict) {
			t.Errorf("patch %d: %v", i, err)
		}
		won[i] = err == nil
	})
	if n := tally(won)[true]; n != 1 {
		t.Fatalf("%d patches of one version got through, want 1", n)
	}
	lead, err := store.Get(t.Context(), tuple.AccountID, leads.Ref{ID: read.ID})
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%q", fmt.Sprint(slices.Index(won, true))); string(lead.Fields["first_name"]) != want || lead.Version != 2 {
		t.Errorf("first_name %s at version %d, want %s at 2", lead.Fields["first_name"], lead.Version, want)
	}
}

func noLostPatches(t *testing.T, store leads.Store) {
	const writers, rounds = 8, 15 // half of the writers patch, the others upsert, one write after the other
	tuple := newTuple(newAccount())
	read := mustUpsert(t, store, tuple, fields("phone", `"5550100100"`), noon, leads.Inserted)
	atOnce(writers, func(i int) {
		for round := range rounds {
			mine := fields(fmt.Sprintf("field_%d_%d", i, round), `true`)
			write := func() error {
				_, _, err := store.Upsert(t.Context(), tuple, mine, noon)
				return err
			}
			if i%2 == 0 {
				write = func() error { return patchAsRead(t.Context(), store, read.AccountID, read.ID, mine) }
			}
			if err := write(); err != nil {
				t.Errorf("writer %d, round %d: %v", i, round, err)
			}
		}
	})
	const writes = 1 + writers*rounds
	lead := mustUpsert(t, store, tuple, nil, noon, leads.Deduped)
	if len(lead.Fields) != writes || lead.Version != writes {
		t.Errorf("%d fields at version %d, want %d at %d", len(lead.Fields), lead.Version, writes, writes)
	}
}

// patchAsRead reads and patches until nobody comes in between.
func patchAsRead(ctx context.Context, store leads.Insertion, accountID string, id uuid.UUID, changes leads.Fields) error {
	for {
		lead, err := store.Get(ctx, accountID, leads.Ref{ID: id})
		if err != nil {
			return err
		}
		if _, _, err = store.Patch(ctx, accountID, id, lead.Version, changes, noon); !errors.Is(err, leads.ErrConflict) {
			return err
		}
	}
}

func patchEvent(t *testing.T, store leads.Store) {
	tuple := newTuple(newAccount())
	read := mustUpsert(t, store, tuple, fields("phone", `"5550100100"`, "source", `"web"`), noon, leads.Inserted)
	later := noon.Add(time.Minute)
	changes := fields("source", `"part\u0000ner"`, "last_name", `"Ray"`)
	lead, event, err := store.Patch(t.Context(), tuple.AccountID, read.ID, read.Version, changes, later)
	if err != nil {
		t.Fatal(err)
	}
	clear(changes) // they are the caller's own
	if diff := cmp.Diff(fields("phone", `"5550100100"`, "source", `"web"`), read.Fields); diff != "" {
		t.Errorf("the lead read before the patch changed (-want +got):\n%s", diff)
	}
	want := read
	want.Fields = fields("phone", `"5550100100"`, "source", `"part\u0000ner"`, "last_name", `"Ray"`)
	want.Version, want.UpdatedAt = 2, later
	if diff := cmp.Diff(want, lead); diff != "" {
		t.Errorf("lead (-want +got):\n%s", diff)
	}
	if event.ID == uuid.Nil {
		t.Error("the event has no id")
	}
	wantEvent := leads.Event{
		ID: event.ID, LeadID: read.ID, At: later,
		Before: fields("source", `"web"`), After: fields("source", `"part\u0000ner"`, "last_name", `"Ray"`),
	}
	if diff := cmp.Diff(wantEvent, event); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func accountsApart(t *testing.T, store leads.Store) {
	ours, theirs := newAccount(), newAccount()
	tuple := newTuple(ours)
	mine := mustUpsert(t, store, tuple, fields("phone", `"5550100100"`), noon, leads.Inserted)
	for _, id := range []uuid.UUID{mine.ID, tuple.ExternalLeadID} {
		if _, err := store.Get(t.Context(), ours, leads.Ref{ID: id}); err != nil {
			t.Fatalf("the owner can't get %s: %v", id, err)
		}
		if _, err := store.Get(t.Context(), theirs, leads.Ref{ID: id}); !errors.Is(err, leads.ErrNotFound) {
			t.Errorf("another account gets %s: %v", id, err)
		}
	}
	if _, _, err := store.Patch(t.Context(), theirs, mine.ID, mine.Version, fields("phone", `"5550100199"`), noon); !errors.Is(err, leads.ErrNotFound) {
		t.Errorf("another account's patch: %v", err)
	}

	tuple.AccountID = theirs
	other := mustUpsert(t, store, tuple, fields("phone", `"5550100101"`), noon, leads.Inserted)
	if other.ID == mine.ID || other.UserID == mine.UserID {
		t.Error("the same campaign and external id became the same lead in two accounts")
	}
	for account, want := range map[string]leads.InsertionLead{ours: mine, theirs: other} {
		page, more, err := store.List(t.Context(), account, leads.Query{Limit: 100})
		if err != nil || more {
			t.Errorf("list: more %v, %v", more, err)
		}
		if diff := cmp.Diff([]leads.InsertionLead{want}, page); diff != "" {
			t.Errorf("list of %s (-want +got):\n%s", account, diff)
		}
	}
}

func campaignsApart(t *testing.T, store leads.Store) {
	tuple := newTuple(newAccount())
	first := mustUpsert(t, store, tuple, fields("phone", `"5550100100"`), noon, leads.Inserted)
	tuple.CampaignID++
	second := mustUpsert(t, store, tuple, fields("phone", `"5550100100"`), noon, leads.Inserted)
	if first.ID == second.ID {
		t.Error("two campaigns share one lead")
	}
	newest, err := store.Get(t.Context(), tuple.AccountID, leads.Ref{ID: tuple.ExternalLeadID})
	if err != nil || newest.ID != second.ID {
		t.Errorf("the external id that two campaigns hold names %s, %v; want the newest, %s", newest.ID, err, second.ID)
	}
}

func ownIDFirst(t *testing.T, store leads.Store) {
	tuple := newTuple(newAccount())
	first := mustUpsert(t, store, tuple, fields("phone", `"5550100100"`), noon, leads.Inserted)
	tuple.ExternalLeadID = first.ID
	mustUpsert(t, store, tuple, fields("phone", `"5550100101"`), noon, leads.Inserted)
	got, err := store.Get(t.Context(), tuple.AccountID, leads.Ref{ID: first.ID})
	if err != nil || got.ID != first.ID {
		t.Errorf("got %s, %v; want the lead with that id of its own, %s", got.ID, err, first.ID)
	}
}

func valuesKept(t *testing.T, store leads.Store) {
	tuple := newTuple(newAccount())
	sent := fields(
		"custom_fields", `{"a":[1,1e+400,-0.5,12345678901234567890],"b":{"":null,"é😀":"\"\\ \n","\u0000":"a\u0000b"}}`,
		"tcpa_consent", `false`, "first_name", `""`, "workflow_ids", `[]`)
	mustUpsert(t, store, tuple, sent, noon, leads.Inserted)
	want := fields()
	for name, value := range sent {
		want[name] = slices.Clone(value)
	}
	delete(sent, "first_name")
	got, err := store.Get(t.Context(), tuple.AccountID, leads.Ref{ID: tuple.ExternalLeadID})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	mustUpsert(t, store, tuple, want, noon, leads.Deduped)
}

func cancelled(t *testing.T, store leads.Store) {
	tuple := newTuple(newAccount())
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, outcome, err := store.Upsert(gone, tuple, fields("phone", `"5550100100"`), noon); err == nil {
		t.Errorf("an upsert for a caller that has gone was acknowledged: %s", outcome)
	}
	if _, err := store.Get(t.Context(), tuple.AccountID, leads.Ref{ID: tuple.ExternalLeadID}); !errors.Is(err, leads.ErrNotFound) {
		t.Errorf("it left something behind: %v", err)
	}
}

func resetForgets(t *testing.T, store leads.Store) {
	tuple := newTuple(newAccount())
	mustUpsert(t, store, tuple, fields("phone", `"5550100100"`), noon, leads.Inserted)
	if err := store.Reset(t.Context(), leads.ResetCaps); err != nil {
		t.Fatal(err)
	}
	mustUpsert(t, store, tuple, fields("phone", `"5550100100"`), noon, leads.Deduped)
	if err := store.Reset(t.Context(), leads.ResetAll); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Get(t.Context(), tuple.AccountID, leads.Ref{ID: tuple.ExternalLeadID}); !errors.Is(err, leads.ErrNotFound) {
		t.Errorf("after a reset: %v", err)
	}
	mustUpsert(t, store, tuple, fields("phone", `"5550100100"`), noon, leads.Inserted)
}

// atOnce runs n calls side by side, all released at the same moment.
func atOnce(n int, call func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			call(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// tally counts how often each value occurs.
func tally[V comparable](values []V) map[V]int {
	counts := map[V]int{}
	for _, v := range values {
		counts[v]++
	}
	return counts
}
