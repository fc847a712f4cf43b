package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"leadconform/reference/internal/leads"
)

// insertionModel runs random sequences of writes and compares the store, after every step, with a model too plain to
// be wrong: a list of leads, searched from end to end.
func insertionModel(t *testing.T, store leads.Store) {
	rapid.Check(t, func(rt *rapid.T) {
		run := &modelRun{ctx: t.Context(), store: store, accounts: []string{newAccount(), newAccount()}}
		run.externals = []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
		rt.Repeat(map[string]func(*rapid.T){
			"upsert":      run.upsert,
			"replay":      run.replay,
			"patch":       run.patch,
			"stale patch": run.stalePatch,
			"":            run.compare,
		})
	})
}

// modelRun is one random sequence. Few accounts, campaigns, external ids and values, so that they meet often.
type modelRun struct {
	ctx       context.Context
	store     leads.Store
	accounts  []string
	externals []uuid.UUID

	model []*modelLead // in the order of insertion
	sent  []sentUpsert
}

type modelLead struct {
	id      uuid.UUID
	tuple   leads.Tuple
	fields  leads.Fields
	version int64
}

type sentUpsert struct {
	tuple  leads.Tuple
	fields leads.Fields
}

func (r *modelRun) upsert(t *rapid.T) {
	tuple := leads.Tuple{
		AccountID:      rapid.SampledFrom(r.accounts).Draw(t, "account"),
		CampaignID:     rapid.Int64Range(1, 2).Draw(t, "campaign"),
		ExternalLeadID: rapid.SampledFrom(r.externals).Draw(t, "external id"),
	}
	r.send(t, sentUpsert{tuple, anyFields().Draw(t, "fields")})
}

func (r *modelRun) replay(t *rapid.T) {
	if len(r.sent) == 0 {
		t.Skip("nothing was sent yet")
	}
	r.send(t, rapid.SampledFrom(r.sent).Draw(t, "sent before"))
}

func (r *modelRun) send(t *rapid.T, s sentUpsert) {
	r.sent = append(r.sent, s)
	got, outcome, err := r.store.Upsert(r.ctx, s.tuple, s.fields, anyTime().Draw(t, "at"))
	if err != nil {
		t.Fatalf("upsert: %v", err)
	}
	i := slices.IndexFunc(r.model, func(m *modelLead) bool { return m.tuple == s.tuple })
	want := leads.Patched
	switch {
	case i < 0:
		want = leads.Inserted
		i = len(r.model)
		r.model = append(r.model, &modelLead{id: got.ID, tuple: s.tuple, fields: maps.Clone(s.fields), version: 1})
	case !r.model[i].changedBy(s.fields):
		want = leads.Deduped
	default:
		r.model[i].write(s.fields)
	}
	if outcome != want {
		t.Fatalf("outcome %q, want %q", outcome, want)
	}
	r.model[i].mustEqual(t, got)
}

func (r *modelRun) patch(t *rapid.T) {
	lead := r.anyLead(t)
	changes := anyFields().Draw(t, "changes")
	got, event, err := r.store.Patch(r.ctx, lead.tuple.AccountID, lead.id, lead.version, changes, anyTime().Draw(t, "at"))
	if err != nil {
		t.Fatalf("patch: %v", err)
	}
	for name, value := range changes {
		if !bytes.Equal(event.Before[name], lead.fields[name]) || !bytes.Equal(event.After[name], value) {
			t.Fatalf("the event says %s went from %s to %s, want %s to %s", name, event.Before[name], event.After[name], lead.fields[name], value)
		}
	}
	lead.write(changes)
	lead.mustEqual(t, got)
}

func (r *modelRun) stalePatch(t *rapid.T) {
	lead := r.anyLead(t)
	version := rapid.Int64Range(0, lead.version+1).Filter(func(v int64) bool { return v != lead.version }).Draw(t, "version")
	_, _, err := r.store.Patch(r.ctx, lead.tuple.AccountID, lead.id, version, anyFields().Draw(t, "changes"), noon)
	if !errors.Is(err, leads.ErrConflict) {
		t.Fatalf("a patch of version %d while the lead is at %d: %v", version, lead.version, err)
	}
}

// compare reads everything back, by each way there is.
func (r *modelRun) compare(t *rapid.T) {
	for _, account := range r.accounts {
		var want []*modelLead
		newest := map[uuid.UUID]*modelLead{}
		for _, m := range slices.Backward(r.model) {
			if m.tuple.AccountID != account {
				continue
			}
			want = append(want, m)
			if newest[m.tuple.ExternalLeadID] == nil {
				newest[m.tuple.ExternalLeadID] = m
			}
			r.mustGet(t, account, m.id, m)
		}
		for external, m := range newest {
			r.mustGet(t, account, external, m)
		}
		page, more, err := r.store.List(r.ctx, account, leads.Query{Limit: 100})
		if err != nil || more || len(page) != len(want) {
			t.Fatalf("list: %d leads, more %v, %v; want %d", len(page), more, err, len(want))
		}
		for i, m := range want {
			m.mustEqual(t, page[i])
		}
	}
}

func (r *modelRun) mustGet(t *rapid.T, account string, id uuid.UUID, want *modelLead) {
	got, err := r.store.Get(r.ctx, account, leads.Ref{ID: id})
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	want.mustEqual(t, got)
}

func (r *modelRun) anyLead(t *rapid.T) *modelLead {
	if len(r.model) == 0 {
		t.Skip("no lead yet")
	}
	return r.model[rapid.IntRange(0, len(r.model)-1).Draw(t, "lead")]
}

func (m *modelLead) changedBy(sent leads.Fields) bool {
	for name, value := range sent {
		if stored, ok := m.fields[name]; !ok || string(stored) != string(value) {
			return true
		}
	}
	return false
}

func (m *modelLead) write(changes leads.Fields) {
	maps.Copy(m.fields, changes)
	m.version++
}

func (m *modelLead) mustEqual(t *rapid.T, got leads.InsertionLead) {
	t.Helper()
	same := maps.EqualFunc(m.fields, got.Fields, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })
	if got.ID != m.id || got.Tuple != m.tuple || got.Version != m.version || !same {
		t.Fatalf("got %s; want id %s, tuple %v, version %d, fields %s", describe(got), m.id, m.tuple, m.version, m.fields)
	}
	if got.UserID == uuid.Nil || got.UpdatedAt.Before(got.CreatedAt) {
		t.Fatalf("user %s, created %s, updated %s", got.UserID, got.CreatedAt, got.UpdatedAt)
	}
}

func describe(l leads.InsertionLead) string {
	return fmt.Sprintf("id %s, tuple %v, version %d, fields %s", l.ID, l.Tuple, l.Version, l.Fields)
}

// anyFields draws a few members from few values. The values of different members never need to differ.
func anyFields() *rapid.Generator[leads.Fields] {
	return rapid.Custom(func(t *rapid.T) leads.Fields {
		set := leads.Fields{}
		for _, name := range []string{"phone", "email", "custom_fields"} {
			if value := rapid.SampledFrom([]string{"", `"x"`, `"y"`, `{}`, `{"a":1}`}).Draw(t, name); value != "" {
				set[name] = json.RawMessage(value)
			}
		}
		return set
	})
}

// anyTime draws a moment near noon, so that moments repeat and go back.
func anyTime() *rapid.Generator[time.Time] {
	return rapid.Map(rapid.IntRange(-2, 2), func(seconds int) time.Time {
		return noon.Add(time.Duration(seconds) * time.Second)
	})
}
