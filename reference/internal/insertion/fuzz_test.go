package insertion_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

var bodies = []string{
	"", "{}", "[]", "null", `"x"`, "{", `{"a":1}`, `{"campaign_id":101}`, `{"campaign_id":1e400,"external_lead_id":"x","phone":1}`,
	`{"campaign_id":101,"external_lead_id":"9b2f7c1a-5d3e-4f60-8a71-c2d3e4f50617","phone":"5550100100"}`,
	`{"campaign_id":101.0,"external_lead_id":"9B2F7C1A-5D3E-4F60-8A71-C2D3E4F50617","email":"ada@example.com","custom_fields":{"a":[1e400,{"b":null}]}}`,
	`{"phone":"\u0000","email":"@","first_name":null,"tcpa_consent_timestamp":"2026-13-01","workflow_ids":[1],"ip_address":"::1%x"}`,
	`{"\u0000":1,"a,b":2,"":3,"custom_fields":[]}`, `{"source_form_url":"http://[::1","custom_fields":{"\u0000":1e9999999999999999}}`,
	"{\"first_name\":\"\xff\"}", `{"first_name":"\ud800"}`, `{"a":1,"a":2}`,
}

// FuzzBody sends any body to POST and PATCH: no panic, no 5xx, always the envelope, and what was accepted reads back and
// is known again.
func FuzzBody(f *testing.F) {
	for _, body := range bodies {
		f.Add(body)
	}
	b := newBench(f)
	f.Fuzz(func(t *testing.T, body string) {
		b.clock.advance(time.Minute) // a new window for the limit
		if err := b.store.Reset(t.Context(), leads.ResetAll); err != nil {
			t.Fatal(err)
		}
		known := newLead()
		b.post(t, known).expectUpsert(t, "inserted")
		patched := b.as(t, acme, http.MethodPatch, collection+"/"+known.external(), body, "Content-Type", "application/json")
		if patched.status != http.StatusOK && patched.status != http.StatusBadRequest {
			t.Fatalf("PATCH: %d %s", patched.status, patched.raw)
		}
		posted := b.as(t, acme, http.MethodPost, collection, body, "Content-Type", "application/json")
		switch posted.status {
		case http.StatusBadRequest, http.StatusNotFound:
			return
		case http.StatusCreated:
			b.as(t, acme, http.MethodPost, ingest, body).expectUpsert(t, "deduped")
			b.read(t, posted.lead()["id"].(string))
		case http.StatusOK: // the body names the lead that was there before
		default:
			t.Fatalf("POST: %d %s", posted.status, posted.raw)
		}
	})
}

// FuzzValidate checks any object against the schema: the summary has at least a part for each fault, and what has no
// fault can be made a lead.
func FuzzValidate(f *testing.F) {
	for _, body := range bodies {
		f.Add(body)
	}
	b := newBench(f)
	f.Fuzz(func(t *testing.T, body string) {
		members, err := wire.ParseObject([]byte(body))
		if err != nil {
			return
		}
		faults := b.CheckCreate(members)
		if len(faults) == 0 {
			if _, err := b.Compose(nil, members); err != nil {
				t.Errorf("%s is valid, but makes no lead: %v", body, err)
			}
		} else if parts := strings.Count(faults.Error(), ",") + 1; parts < len(faults) {
			t.Errorf("%d parts for %d faults: %s", parts, len(faults), faults.Error())
		}
		for _, fault := range faults {
			if fault.Field == "" || fault.Problem == "" || strings.Contains(fault.Problem, ",") {
				t.Errorf("fault %+v", fault)
			}
		}
		if faults := b.CheckPatch(members); len(faults) == 0 {
			if _, err := b.Changes(members); err != nil {
				t.Errorf("%s is valid, but makes no change: %v", body, err)
			}
		}
		// Each member that the schema doesn't know, and each that is null, is a fault of its own.
		var plain map[string]json.RawMessage
		if err := json.Unmarshal([]byte(body), &plain); err != nil {
			t.Fatalf("the standard library refuses %q: %v", body, err)
		}
		least := 0
		for name, value := range plain {
			if b.Schema.Find(name) == nil || string(value) == "null" {
				least++
			}
		}
		if len(faults) < least {
			t.Errorf("%d faults in %s, want at least %d", len(faults), body, least)
		}
	})
}
