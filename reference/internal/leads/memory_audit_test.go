package leads

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// The Insertion API writes an audit event with each PATCH, and with nothing else.
func TestMemoryKeepsTheAuditTrail(t *testing.T) {
	store, now := NewMemory(), time.Now()
	tuple := Tuple{AccountID: "acc", CampaignID: 1, ExternalLeadID: uuid.New()}
	phone := func(number string) Fields { return Fields{"phone": json.RawMessage(number)} }
	lead, _, err := store.Upsert(t.Context(), tuple, phone(`"5550100100"`), now)
	if err != nil {
		t.Fatal(err)
	}
	var want []Event
	for _, number := range []string{`"5550100101"`, `"5550100102"`} {
		patched, event, err := store.Patch(t.Context(), "acc", lead.ID, lead.Version, phone(number), now)
		if err != nil {
			t.Fatal(err)
		}
		lead, want = patched, append(want, event)
	}
	if _, _, err := store.Patch(t.Context(), "acc", lead.ID, 1, phone(`"5550100103"`), now); err == nil {
		t.Fatal("a stale patch got through")
	}
	if _, _, err := store.Upsert(t.Context(), tuple, phone(`"5550100104"`), now); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, store.insertion.accounts["acc"].byID[lead.ID].events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
