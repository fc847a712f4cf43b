package insertion_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"leadconform/reference/internal/leads"
)

// IN-PATCH-01, IN-PATCH-02: one member changes, all others stay, by either id.
func TestPatchOneMember(t *testing.T) {
	for field, value := range mutations {
		t.Run(field, func(t *testing.T) {
			b := newBench(t)
			lead := fullLead()
			id := b.post(t, lead).expectUpsert(t, "inserted")
			want := b.read(t, id)
			ids := map[any]bool{id: true, want["user_id"]: true}
			for i, name := range []string{id, lead.external(), strings.ToUpper(lead.external())} {
				b.clock.advance(time.Second)
				a := b.as(t, acme, http.MethodPatch, collection+"/"+name, members{field: value}.String()).expect(t, http.StatusOK, "")
				event, _ := a.body["event"].(map[string]any)["id"].(string)
				if uuid.Validate(event) != nil || ids[event] || len(a.body) != 3 {
					t.Errorf("patch %d: %s", i, a.raw)
				}
				ids[event] = true
				want[field] = value
				want["updated_at"] = fmt.Sprintf("2026-03-01T12:00:0%d.700000Z", i+1)
				if !equalJSON(want, a.lead()) || !equalJSON(want, b.read(t, id)) {
					t.Errorf("patch %d: got %v, reads back %v, want %v", i, a.lead(), b.read(t, id), want)
				}
			}
		})
	}
}

func TestPatchSeveralMembers(t *testing.T) {
	b := newBench(t)
	lead := newLead()
	b.post(t, lead).expectUpsert(t, "inserted")
	b.as(t, acme, http.MethodPatch, collection+"/"+lead.external(), mutations.String()).expect(t, http.StatusOK, "")
	got := b.read(t, lead.external())
	for field, value := range mutations {
		if !equalJSON(got[field], value) {
			t.Errorf("%s is %v, want %v", field, got[field], value)
		}
	}
}

// IN-400-09, IN-400-10: nothing to change, and what can't be changed.
func TestPatchRefused(t *testing.T) {
	b := newBench(t)
	lead := newLead()
	b.post(t, lead).expectUpsert(t, "inserted")
	before := b.read(t, lead.external())
	for _, test := range []struct{ name, body, code string }{
		{"an empty object", `{}`, "empty_patch"},
		{"an empty object, spaced", " {\n} ", "empty_patch"},
		{"no body", "", "malformed_json"},
		{"the campaign", `{"campaign_id":102,"first_name":"Eve"}`, "campaign_id: must not be changed"},
		{"the campaign it has", `{"campaign_id":101}`, "campaign_id: must not be changed"},
		{"the external id", `{"external_lead_id":"` + uuid.NewString() + `"}`, "external_lead_id: must not be changed"},
		{"both, and a fault", `{"external_lead_id":1,"campaign_id":1,"phone":1}`,
			"external_lead_id: must not be changed, campaign_id: must not be changed, phone: must be a string"},
		{"phone and email away", `{"phone":null,"email":null}`, "phone: must be a string, email: must be a string"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b.as(t, acme, http.MethodPatch, collection+"/"+lead.external(), test.body).expect(t, http.StatusBadRequest, test.code)
			b.as(t, acme, http.MethodPatch, collection+"/"+uuid.NewString(), test.body).expect(t, http.StatusBadRequest, test.code)
		})
	}
	b.unchanged(t, before)
}

// IN-409-01, IN-409-02: a PATCH between whose read and write another write fell, and the way out.
func TestLostRace(t *testing.T) {
	b := newBench(t)
	lead := newLead()
	b.post(t, lead).expectUpsert(t, "inserted")
	target := collection + "/" + lead.external()
	b.Interleave = func(context.Context, leads.InsertionLead) {
		b.Interleave = nil
		b.as(t, acme, http.MethodPatch, target, `{"last_name":"Concurrent"}`).expect(t, http.StatusOK, "")
	}
	b.as(t, acme, http.MethodPatch, target, `{"first_name":"Ada"}`).expect(t, http.StatusConflict, "conflict")
	after := b.read(t, lead.external())
	if after["first_name"] != nil || after["last_name"] != "Concurrent" {
		t.Errorf("after the conflict: %v", after)
	}
	b.as(t, acme, http.MethodPatch, target, `{"first_name":"Ada"}`).expect(t, http.StatusOK, "")
	after = b.read(t, lead.external())
	if after["first_name"] != "Ada" || after["last_name"] != "Concurrent" {
		t.Errorf("after the merge: %v", after)
	}
}

// A POST in between makes a PATCH lose as well, but only if it changed something.
func TestRaceWithPost(t *testing.T) {
	for outcome, want := range map[string]int{"patched": http.StatusConflict, "deduped": http.StatusOK} {
		b := newBench(t)
		lead := newLead()
		b.post(t, lead).expectUpsert(t, "inserted")
		b.Interleave = func(context.Context, leads.InsertionLead) {
			post := lead
			if outcome == "patched" {
				post = lead.with("phone", "5550100199")
			}
			b.post(t, post).expectUpsert(t, outcome)
		}
		a := b.as(t, acme, http.MethodPatch, collection+"/"+lead.external(), `{"first_name":"Ada"}`)
		if a.status != want {
			t.Errorf("%s in between: %d %s, want %d", outcome, a.status, a.raw, want)
		}
	}
}

// IN-409-03: many at once answer 200 or 409, and what reads back was written by a 200. The barrier makes all of them read
// the same version.
func TestConcurrentPatches(t *testing.T) {
	const n = 30
	b := newBench(t)
	lead := newLead()
	b.post(t, lead).expectUpsert(t, "inserted")
	var reading, all sync.WaitGroup
	reading.Add(n)
	b.Interleave = func(context.Context, leads.InsertionLead) {
		reading.Done()
		reading.Wait()
	}
	answers := make([]answer, n)
	for i := range n {
		all.Go(func() {
			answers[i] = b.as(t, acme, http.MethodPatch, collection+"/"+lead.external(), members{"custom_fields": members{"n": i}}.String())
		})
	}
	all.Wait()
	statuses := map[int]int{}
	var written any
	for i, a := range answers {
		statuses[a.status]++
		if a.status == http.StatusOK {
			written = json.Number(fmt.Sprint(i))
		}
	}
	if statuses[http.StatusOK] != 1 || statuses[http.StatusConflict] != n-1 {
		t.Errorf("answers %v", statuses)
	}
	if got := b.read(t, lead.external())["custom_fields"].(map[string]any)["n"]; got != written {
		t.Errorf("reads back %v, written was %v", got, written)
	}
}
