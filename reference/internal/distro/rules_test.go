package distro

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"leadconform/reference/internal/world"
)

const rulesCampaigns = `
    - id: c
      suppliers: [sup]
      duplicate_check: true
      filters:
        - {rule: no_ny, field: state, not_in: [NY]}
        - {rule: west_only, field: region, in: [west, "5", "true"]}
      suppression:
        phones: ["+1 (555) 010-0177"]
        emails: [" Suppressed@Example.com "]
      distribution: round_robin
      buyers: [{id: b}]
    - {id: d, suppliers: [sup], duplicate_check: true, distribution: round_robin, buyers: [{id: b}]}
    - {id: e, suppliers: [sup], distribution: round_robin, buyers: [{id: b}]}`

func TestRules(t *testing.T) {
	s := newServiceWith(t, rulesCampaigns)
	known := newLead("c").with("flo_supplier_id", "sup", "region", "west")
	s.ingest("k", known).want(201)
	for _, test := range []struct {
		name string
		edit []any
		want []string
	}{
		{"a filter", []any{"state", "NY"}, []string{"no_ny"}},
		{"a filter in another letter case", []any{"state", "ny"}, []string{"no_ny"}},
		{"a value that is not asked for", []any{"region", "east"}, []string{"west_only"}},
		{"a null", []any{"region", nil}, []string{"west_only"}},
		{"a number", []any{"region", 5}, nil},
		{"a boolean", []any{"region", true}, nil},
		{"space around", []any{"region", " West "}, nil},
		{"both filters", []any{"state", "NY", "region", "east"}, []string{"no_ny", "west_only"}},

		{"a suppressed phone", []any{"phone", "15550100177"}, []string{"suppressed_phone"}},
		{"a suppressed phone with punctuation", []any{"phone", "+1.555.010.0177"}, []string{"suppressed_phone"}},
		{"a suppressed email", []any{"email", "suppressed@example.com"}, []string{"suppressed_email"}},
		{"a suppressed email in capitals", []any{"email", "SUPPRESSED@EXAMPLE.COM"}, []string{"suppressed_email"}},
		{"a phone that only contains a suppressed one", []any{"phone", "155501001770"}, nil},

		{"a known phone", []any{"phone", known["phone"]}, []string{"duplicate"}},
		{"a known phone with punctuation", []any{"phone", "+" + known["phone"].(string)[:3] + "-" + known["phone"].(string)[3:]}, []string{"duplicate"}},
		{"a known email in capitals", []any{"email", "ADA" + known["email"].(string)[3:]}, []string{"duplicate"}},

		{"all of them", []any{"state", "NY", "region", "east", "phone", "15550100177", "email", "suppressed@example.com", "flo_ping_id", "x"},
			[]string{"ping_id", "no_ny", "west_only", "suppressed_phone", "suppressed_email"}},
		{"a filter and a duplicate", []any{"state", "NY", "phone", known["phone"]}, []string{"no_ny", "duplicate"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := newLead("c").with("flo_supplier_id", "sup", "region", "west").with(test.edit...)
			pinged := s.ping("k", body).want(200)
			a := s.ingest("k", body)
			if test.want == nil {
				a.want(201)
				return
			}
			if diff := cmp.Diff(test.want, a.wantError(422, "lead_rejected").rules()); diff != "" {
				t.Errorf("filter_errors (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(withoutPingID(test.want), pinged.text("reason")); diff != "" || pinged.body["accepted"] != false {
				t.Errorf("the ping said %s (-want +got):\n%s", pinged.raw, diff)
			}
		})
	}
}

// withoutPingID is the reason of a ping that these rules catch: it names all but the one that a ping doesn't know.
func withoutPingID(rules []string) string {
	reason := ""
	for _, rule := range rules {
		if rule == "ping_id" {
			continue
		}
		if reason != "" {
			reason += ","
		}
		reason += rule
	}
	return reason
}

// TestMissingValue: a lead that lacks what a filter asks for is refused, a ping isn't yet.
func TestMissingValue(t *testing.T) {
	s := newServiceWith(t, rulesCampaigns)
	body := newLead("c").with("flo_supplier_id", "sup")
	if a := s.ping("k", body).want(200); a.body["accepted"] != true {
		t.Errorf("the ping: %s", a.raw)
	}
	a := s.ingest("k", body).wantError(422, "lead_rejected")
	if diff := cmp.Diff([]string{"west_only"}, a.rules()); diff != "" {
		t.Errorf("filter_errors (-want +got):\n%s", diff)
	}
}

func TestDuplicatesPerCampaign(t *testing.T) {
	s := newServiceWith(t, rulesCampaigns)
	body := newLead("d").with("flo_supplier_id", "sup")
	s.ingest("k", body).want(201)
	s.ingest("k", body).want(422)
	s.ingest("k", body.with("flo_campaign_id", "c", "region", "west")).want(201)
	for range 2 {
		s.ingest("k", body.with("flo_campaign_id", "e")).want(201)
	}
}

// TestRefusedLeavesNothing: whatever a lead was refused for, corrected it is no duplicate, and is not there before
// (LD-400-17).
func TestRefusedLeavesNothing(t *testing.T) {
	s := newServiceWith(t, rulesCampaigns)
	body := newLead("c").with("flo_supplier_id", "sup", "region", "west")
	for _, edit := range [][]any{
		{"first_name", absent},
		{"state", "NY"},
		{"region", "east"},
		{"phone", "15550100177"},
		{"email", "suppressed@example.com"},
		{"flo_ping_id", "x"},
		{"flo_supplier_id", "other"},
	} {
		if a := s.ingest("k", body.with(edit...)); a.status < 400 {
			t.Fatalf("%v was accepted: %s", edit, a.raw)
		}
	}
	for _, query := range []string{"phone=" + body["phone"].(string), "email=" + body["email"].(string)} {
		s.lookup("k", query).wantError(404, "lead_not_found")
	}
	s.ingest("k", body).want(201)
	for _, query := range []string{"phone=" + body["phone"].(string), "email=" + body["email"].(string)} {
		s.lookup("k", query).want(200)
	}
}

func TestPasses(t *testing.T) {
	for _, test := range []struct {
		in, notIn []string
		body      string
		want      bool
	}{
		{[]string{"a", "b"}, []string{"b"}, `{"f":"a"}`, true},
		{[]string{"a", "b"}, []string{"b"}, `{"f":"b"}`, false},
		{[]string{"a", "b"}, []string{"b"}, `{"f":"c"}`, false},
		{[]string{"a", "b"}, []string{"b"}, `{}`, false},
		{[]string{""}, nil, `{"f":" "}`, true},
		{[]string{""}, nil, `{}`, false}, // what isn't there is in no list
		{nil, []string{""}, `{}`, true},
		{nil, nil, `{}`, true},
	} {
		lead, err := parseLead("", []byte(test.body))
		if err != nil {
			t.Fatal(err)
		}
		filter := world.Filter{Rule: "r", Field: "f", In: test.in, NotIn: test.notIn}
		if got := passes(filter, lead); got != test.want {
			t.Errorf("in %q, not in %q: %s passes: %v, want %v", test.in, test.notIn, test.body, got, test.want)
		}
	}
}

// TestDuplicateThatCameBetween: another request placed the same lead after the rules were asked.
func TestDuplicateThatCameBetween(t *testing.T) {
	s := newService(t)
	s.api.Store = blindStore{s.store}
	body := newLead("cmp-unique")
	s.ingest(primaryKey, body).want(201)
	a := s.ingest(primaryKey, body).wantError(422, "lead_rejected")
	if diff := cmp.Diff([]string{"duplicate"}, a.rules()); diff != "" {
		t.Errorf("filter_errors (-want +got):\n%s", diff)
	}
}
