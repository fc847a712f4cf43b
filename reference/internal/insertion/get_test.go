package insertion_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"leadconform/reference/internal/leads"
)

// IN-GET-01: the lead whole, by either id, with null for what isn't set.
func TestGetOne(t *testing.T) {
	b := newBench(t)
	for _, sent := range []members{fullLead(), newLead()} {
		a := b.post(t, sent)
		id := a.expectUpsert(t, "inserted")
		lead := b.read(t, id)
		want := members{}
		for name := range fullLead() {
			want[name] = nil
		}
		want = want.with("id", id, "user_id", a.lead()["user_id"], "account_id", "acc-acme",
			"created_at", lead["created_at"], "updated_at", lead["created_at"])
		for name, value := range sent {
			want[name] = value
		}
		if !equalJSON(want, lead) {
			t.Errorf("got %v, want %v", lead, want)
		}
		if byExternal := b.read(t, sent.external()); !equalJSON(lead, byExternal) {
			t.Errorf("by external id: %v", byExternal)
		}
	}
}

// Where two campaigns hold one external id, it names the newest lead; a lead's own id goes before any external id.
func TestAmbiguousIDs(t *testing.T) {
	b := newBench(t)
	lead := newLead()
	first := b.post(t, lead).expectUpsert(t, "inserted")
	second := b.post(t, lead.with("campaign_id", 102)).expectUpsert(t, "inserted")
	if got := b.read(t, lead.external())["id"]; got != second {
		t.Errorf("the external id names %v, want %s", got, second)
	}
	b.post(t, newLead().with("external_lead_id", first)).expectUpsert(t, "inserted")
	if got := b.read(t, first)["id"]; got != first {
		t.Errorf("the lead's own id names %v", got)
	}
}

// Numbers read back as they were meant, however far from what a float64 holds.
func TestNumbersReadBack(t *testing.T) {
	b := newBench(t)
	lead := newLead().with("custom_fields", raw(`{"big":12345678901234567890123,"exact":0.1000000000000000055511151231257827,"far":1e400,"same":1.0}`))
	b.post(t, lead).expectUpsert(t, "inserted")
	got := b.read(t, lead.external())["custom_fields"].(map[string]any)
	want := map[string]any{"big": json.Number("1.2345678901234567890123e+22"), "exact": json.Number("0.1000000000000000055511151231257827"),
		"far": json.Number("1e+400"), "same": json.Number("1")}
	if !equalJSON(want, got) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Times are shown in UTC, in whatever zone a store hands them out.
func TestTimesInUTC(t *testing.T) {
	at := time.Date(2026, 3, 1, 1, 0, 0, 1000, time.FixedZone("east", 2*3600))
	view := newBench(t).View(leads.InsertionLead{CreatedAt: at, UpdatedAt: at})
	if want := "2026-02-28T23:00:00.000001Z"; view["created_at"] != want || view["updated_at"] != want {
		t.Errorf("created_at %v, updated_at %v, want %s", view["created_at"], view["updated_at"], want)
	}
}

// A body on a GET is covered by the signature and otherwise ignored.
func TestGetIgnoresBody(t *testing.T) {
	b := newBench(t)
	b.as(t, acme, http.MethodGet, collection, "{").expect(t, http.StatusOK, "")
	b.as(t, acme, http.MethodGet, collection+"/"+uuid.NewString(), "{").expect(t, http.StatusNotFound, "not_found")
}
