package insertion_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

// IN-201-01: the first sight of a tuple.
func TestInserted(t *testing.T) {
	for _, path := range []string{collection, ingest} {
		b := newBench(t)
		a := b.as(t, acme, http.MethodPost, path, newLead().String())
		a.expectUpsert(t, "inserted")
		lead := a.lead()
		if user, _ := lead["user_id"].(string); uuid.Validate(user) != nil || lead["campaign_id"] != json.Number("101") || len(lead) != 3 {
			t.Errorf("%s: lead %v", path, lead)
		}
	}
}

// IN-IDEM-01 to IN-IDEM-04: replayed, mutated, replayed, mutated back.
func TestReplayAndMutation(t *testing.T) {
	b := newBench(t)
	original := fullLead()
	mutated := original.with("first_name", "Grace")
	id := b.post(t, original).expectUpsert(t, "inserted")
	first := b.read(t, id)

	sameLead := func(a answer, outcome string) {
		t.Helper()
		b.clock.advance(time.Second)
		if got := a.expectUpsert(t, outcome); got != id {
			t.Errorf("%s: lead %s, want %s", outcome, got, id)
		}
	}
	b.clock.advance(time.Second)
	sameLead(b.post(t, original), "deduped")
	b.unchanged(t, first)
	sameLead(b.post(t, mutated), "patched")
	after := b.read(t, id)
	if after["first_name"] != "Grace" || after["updated_at"] == first["updated_at"] {
		t.Errorf("after the mutation: %v", after)
	}
	after["first_name"], after["updated_at"] = first["first_name"], first["updated_at"]
	if !equalJSON(first, after) {
		t.Errorf("the mutation changed more than its field: %v", after)
	}
	sameLead(b.post(t, mutated), "deduped")
	sameLead(b.post(t, original), "patched")
	if got := b.read(t, id)["first_name"]; got != "Ada" {
		t.Errorf("first_name %v after mutating back", got)
	}
}

// mutations has another value for every member that isn't part of the tuple.
var mutations = members{
	"phone": "5550100199", "email": "grace@example.com", "first_name": "Grace", "last_name": "Hopper", "source": "partner",
	"source_form_url": "https://example.com/other", "ip_address": "2001:db8::7", "tcpa_consent": false,
	"tcpa_consent_text": "I agree,\nplease write.", "tcpa_consent_timestamp": "2026-03-01T11:58:00Z",
	"custom_fields": members{"case_type": "auto", "score": 8}, "workflow_ids": []string{},
}

// IN-IDEM-12: a change of any one member is a mutation, and reads back. So is a member that was not there before.
func TestEveryMemberCounts(t *testing.T) {
	for field, value := range mutations {
		t.Run(field, func(t *testing.T) {
			b := newBench(t)
			lead := fullLead()
			b.post(t, lead).expectUpsert(t, "inserted")
			b.post(t, lead.with(field, value)).expectUpsert(t, "patched")
			if got := b.read(t, lead.external())[field]; !equalJSON(got, value) {
				t.Errorf("reads back %v, want %v", got, value)
			}
			b.post(t, lead.with(field, value)).expectUpsert(t, "deduped")

			less := fullLead().without(field)
			b.post(t, less).expectUpsert(t, "inserted")
			b.post(t, less.with(field, value)).expectUpsert(t, "patched")
		})
	}
	if want := slices.Sorted(maps.Keys(fullLead().without("campaign_id", "external_lead_id"))); !slices.Equal(slices.Sorted(maps.Keys(mutations)), want) {
		t.Errorf("mutations don't cover %v", want)
	}
}

// IN-IDEM-05: the state that counts is the present one, however it came about.
func TestReplayAfterPatch(t *testing.T) {
	b := newBench(t)
	lead := newLead().with("first_name", "Ada")
	b.post(t, lead).expectUpsert(t, "inserted")
	b.as(t, acme, http.MethodPatch, collection+"/"+lead.external(), `{"first_name":"Grace"}`).expect(t, http.StatusOK, "")
	b.post(t, lead.with("first_name", "Grace")).expectUpsert(t, "deduped")
	b.post(t, lead).expectUpsert(t, "patched")
}

// IN-IDEM-06, IN-IDEM-14, IN-IDEM-15: what the tuple is made of, and what not.
func TestTuple(t *testing.T) {
	b := newBench(t)
	lead := newLead()
	id := b.post(t, lead).expectUpsert(t, "inserted")
	if other := b.post(t, lead.with("campaign_id", 102)).expectUpsert(t, "inserted"); other == id {
		t.Error("two campaigns share a lead")
	}
	b.post(t, lead.with("external_lead_id", uuid.NewString())).expectUpsert(t, "inserted")
	b.post(t, lead.with("external_lead_id", strings.ToUpper(lead.external()))).expectUpsert(t, "deduped")
	b.as(t, acme, http.MethodPost, ingest, lead.String()).expectUpsert(t, "deduped")
	b.as(t, writeOnly, http.MethodPost, collection, lead.String()).expectUpsert(t, "deduped")
	r := request(t, http.MethodPost, collection, lead.String())
	bearer(acme.secret)(r, time.Time{}, "")
	b.send(t, r).expectUpsert(t, "deduped")
}

// IN-IDEM-08: equal JSON values are the same payload, however they are written.
func TestSpellingsOfOnePayload(t *testing.T) {
	const external = "9b2f7c1a-5d3e-4f60-8a71-c2d3e4f50617"
	spellings := []string{
		`{"campaign_id":101,"external_lead_id":"` + external + `","phone":"5550100100","custom_fields":{"a":{"x":100,"y":[1,2]},"b":"Aé/"}}`,
		`{"custom_fields":{"b":"Aé/","a":{"y":[1,2],"x":100}},"phone":"5550100100","external_lead_id":"` + external + `","campaign_id":101}`,
		"{\r\n\t\"campaign_id\" : 101 ,\"external_lead_id\": \"" + external + "\",\"phone\":\"5550100100\",\"custom_fields\": { \"a\":{\"x\":100,\"y\":[ 1 , 2 ]},\"b\":\"Aé/\"}}\n",
		`{"campaign_id":101.0,"external_lead_id":"` + external + `","phone":"5550100100","custom_fields":{"a":{"x":1e2,"y":[1.0,20e-1]},"b":"Aé/"}}`,
		`{"c\u0061mpaign_id":1.01E2,"external_lead_id":"` + strings.ToUpper(external) + `","phone":"\u0035550100100","custom_fields":{"\u0061":{"x":100.00,"y":[0.1e1,2]},"b":"\u0041\u00e9\/"}}`,
	}
	for i, first := range spellings {
		for j, second := range spellings {
			b := newBench(t)
			b.as(t, acme, http.MethodPost, collection, first).expectUpsert(t, "inserted")
			a := b.as(t, acme, http.MethodPost, collection, second)
			if a.status != http.StatusOK || a.body["status"] != "deduped" {
				t.Errorf("spelling %d after %d: %s", j, i, a.raw)
			}
		}
	}
	b := newBench(t)
	b.as(t, acme, http.MethodPost, collection, spellings[0]).expectUpsert(t, "inserted")
	for _, other := range []string{`"y":[2,1]`, `"y":[1,2,2]`, `"y":["1",2]`, `"y":[1.0000000000000000000001,2]`} {
		b.as(t, acme, http.MethodPost, collection, strings.Replace(spellings[0], `"y":[1,2]`, other, 1)).expectUpsert(t, "patched")
	}
}

// IN-IDEM-13: what is left out stays as it is. An object is one value, replaced whole.
func TestOmittedMembersStay(t *testing.T) {
	b := newBench(t)
	full := fullLead()
	b.post(t, full).expectUpsert(t, "inserted")
	before := b.read(t, full.external())
	for field := range mutations {
		b.post(t, full.without(field)).expectUpsert(t, "deduped")
	}
	b.unchanged(t, before)
	b.post(t, full.with("custom_fields", members{"case_type": "auto"})).expectUpsert(t, "patched")
	if got := b.read(t, full.external())["custom_fields"]; !equalJSON(got, members{"case_type": "auto"}) {
		t.Errorf("custom_fields %v", got)
	}
}

// IN-IDEM-09: Idempotency-Key is logged, cut to a bearable length, and decides nothing.
func TestIdempotencyKey(t *testing.T) {
	b := newBench(t)
	lead := newLead()
	send := func(m members, key string) answer {
		return b.as(t, acme, http.MethodPost, collection, m.String(), "Idempotency-Key", key)
	}
	send(lead, "key-one").expectUpsert(t, "inserted")
	send(lead.with("external_lead_id", uuid.NewString()), "key-one").expectUpsert(t, "inserted")
	send(lead, "key-two").expectUpsert(t, "deduped")
	send(lead.with("first_name", "Grace"), "key-one").expectUpsert(t, "patched")
	send(lead.with("first_name", "Grace"), strings.Repeat("k", 1000)).expectUpsert(t, "deduped")
	for _, want := range []string{"key-one", "key-two", strings.Repeat("k", 255)} {
		if !strings.Contains(b.log.String(), want) {
			t.Errorf("%s is not in the log", want)
		}
	}
	if strings.Contains(b.log.String(), strings.Repeat("k", 256)) {
		t.Error("a key of any length is logged")
	}
}

// IN-IDEM-10, IN-IDEM-11: one tuple, many at once.
func TestConcurrentPosts(t *testing.T) {
	const n = 50
	for _, test := range []struct {
		name string
		body func(m members, i int) members
		rest string // the outcome of all but one
	}{
		{"identical", func(m members, _ int) members { return m }, "deduped"},
		{"different", func(m members, i int) members { return m.with("first_name", fmt.Sprint(i)) }, "patched"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			lead := newLead()
			answers := make([]answer, n)
			var all sync.WaitGroup
			for i := range n {
				all.Go(func() {
					path := []string{collection, ingest}[i%2]
					answers[i] = b.as(t, acme, http.MethodPost, path, test.body(lead, i).String())
				})
			}
			all.Wait()
			outcomes, ids := map[any]int{}, map[any]bool{}
			for _, a := range answers {
				outcomes[a.body["status"]]++
				ids[a.lead()["id"]] = true
			}
			if len(ids) != 1 || outcomes["inserted"] != 1 || outcomes[test.rest] != n-1 {
				t.Errorf("outcomes %v, %d ids", outcomes, len(ids))
			}
			list := b.as(t, acme, http.MethodGet, collection, "").body["leads"].([]any)
			if len(list) != 1 {
				t.Errorf("%d leads are listed", len(list))
			}
		})
	}
}
