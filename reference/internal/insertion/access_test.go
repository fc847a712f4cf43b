package insertion_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// IN-403-01, IN-403-02: a key that may only read writes nothing.
func TestWriteScope(t *testing.T) {
	const code = "scope_required:leads:write"
	for _, path := range []string{collection, ingest} {
		b := newBench(t)
		lead := newLead()
		b.as(t, readOnly, http.MethodPost, path, lead.String()).expect(t, http.StatusForbidden, code)
		b.nothingStored(t, lead)
	}
	b := newBench(t)
	lead := newLead()
	b.post(t, lead)
	before := b.read(t, lead.external())
	b.as(t, readOnly, http.MethodPatch, collection+"/"+lead.external(), `{"first_name":"Eve"}`).expect(t, http.StatusForbidden, code)
	b.unchanged(t, before)
	b.as(t, readOnly, http.MethodGet, collection, "").expect(t, http.StatusOK, "")
	b.as(t, readOnly, http.MethodGet, collection+"/"+lead.external(), "").expect(t, http.StatusOK, "")
}

// IN-403-03: a key that may only write reads nothing.
func TestReadScope(t *testing.T) {
	const code = "scope_required:leads:read"
	b := newBench(t)
	lead := newLead()
	b.as(t, writeOnly, http.MethodPost, collection, lead.String()).expectUpsert(t, "inserted")
	b.as(t, writeOnly, http.MethodGet, collection, "").expect(t, http.StatusForbidden, code)
	b.as(t, writeOnly, http.MethodGet, collection+"/"+lead.external(), "").expect(t, http.StatusForbidden, code)
	b.as(t, writeOnly, http.MethodPatch, collection+"/"+lead.external(), `{"first_name":"Eve"}`).expect(t, http.StatusOK, "")
}

// IN-404-01 to IN-404-04: whatever a caller has no part in is answered alike, to the byte and the header.
func TestNotFoundIsOneAnswer(t *testing.T) {
	b := newBench(t)
	lead := newLead()
	id := b.post(t, lead).expectUpsert(t, "inserted")
	before := b.read(t, id)
	patch := `{"first_name":"Eve"}`

	want := b.as(t, globex, http.MethodGet, collection+"/"+uuid.NewString(), "").expect(t, http.StatusNotFound, "not_found")
	for _, test := range []struct {
		name                 string
		key                  apiKey
		method, target, body string
	}{
		{"patch of an unknown lead", globex, http.MethodPatch, collection + "/" + uuid.NewString(), patch},
		{"another account's lead by id", globex, http.MethodGet, collection + "/" + id, ""},
		{"another account's lead by external id", globex, http.MethodGet, collection + "/" + lead.external(), ""},
		{"patch of another account's lead by id", globex, http.MethodPatch, collection + "/" + id, patch},
		{"patch of another account's lead by external id", globex, http.MethodPatch, collection + "/" + lead.external(), patch},
		{"what is no UUID", globex, http.MethodGet, collection + "/17", ""},
		{"a UUID in braces", acme, http.MethodGet, collection + "/%7B" + id + "%7D", ""},
		{"a UUID without hyphens", acme, http.MethodGet, collection + "/" + strings.ReplaceAll(id, "-", ""), ""},
		{"patch of what is no UUID", globex, http.MethodPatch, collection + "/me", patch},
		{"another account's campaign", globex, http.MethodPost, collection, newLead().String()},
		{"an unknown campaign", acme, http.MethodPost, collection, newLead().with("campaign_id", 999).String()},
		{"an unknown campaign on the internal path", acme, http.MethodPost, ingest, newLead().with("campaign_id", 999).String()},
		{"switched off: create", initech, http.MethodPost, collection, newLead().with("campaign_id", 103).String()},
		{"switched off: ingest", initech, http.MethodPost, ingest, newLead().with("campaign_id", 103).String()},
		{"switched off: list", initech, http.MethodGet, collection, ""},
		{"switched off: get", initech, http.MethodGet, collection + "/" + id, ""},
		{"switched off: patch", initech, http.MethodPatch, collection + "/" + id, patch},
		{"switched off: malformed", initech, http.MethodPost, collection, "{"},
		{"an unknown path", acme, http.MethodGet, "/api/v1/insertion", ""},
		{"a trailing slash", acme, http.MethodGet, collection + "/", ""},
		{"a path below a lead", acme, http.MethodGet, collection + "/" + id + "/events", ""},
		{"a path below the internal one", acme, http.MethodPost, ingest + "/" + id, newLead().String()},
		{"an escaped letter in the path", acme, http.MethodGet, "/api/v1/insertion/lead%73", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := b.as(t, test.key, test.method, test.target, test.body)
			if got.status != want.status || got.raw != want.raw {
				t.Errorf("got %d %s, want %d %s", got.status, got.raw, want.status, want.raw)
			}
			if diff := cmp.Diff(want.header, got.header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
	b.unchanged(t, before)
}

// IN-IDEM-07, IN-LIST-03: two accounts may hold the same campaign and external id, and neither sees the other's lead.
func TestAccountsAreApart(t *testing.T) {
	b := newBench(t)
	lead := newLead().with("campaign_id", 103)
	owners := map[apiKey]string{acme: "acc-acme", globex: "acc-globex"}
	ids := map[apiKey]string{}
	for key, account := range owners {
		ids[key] = b.as(t, key, http.MethodPost, collection, lead.with("first_name", account).String()).expectUpsert(t, "inserted")
	}
	if ids[acme] == ids[globex] {
		t.Fatal("two accounts share a lead")
	}
	for key, account := range owners {
		one := b.as(t, key, http.MethodGet, collection+"/"+lead.external(), "").expect(t, http.StatusOK, "").lead()
		if one["id"] != ids[key] || one["account_id"] != account || one["first_name"] != account {
			t.Errorf("%s reads %v", account, one)
		}
		list := b.as(t, key, http.MethodGet, collection, "").body["leads"].([]any)
		if len(list) != 1 || list[0].(map[string]any)["id"] != ids[key] {
			t.Errorf("%s lists %v", account, list)
		}
	}
}
