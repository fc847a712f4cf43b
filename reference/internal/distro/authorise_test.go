package distro

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAuthorisation(t *testing.T) {
	s := newService(t)
	for _, test := range []struct {
		name     string
		campaign string
		supplier string
		status   int
		code     string
	}{
		{"not attached", "cmp-elsewhere", "sup-primary", 403, "forbidden"},
		{"another's name", "cmp-open", "sup-secondary", 403, "forbidden"},
		{"a name that doesn't exist", "cmp-open", "sup-nobody", 403, "forbidden"},
		{"another's name, at its own campaign", "cmp-elsewhere", "sup-detached", 403, "forbidden"},
		{"no such campaign", "cmp-none", "sup-primary", 404, "campaign_not_found"},
		{"another letter case", "CMP-OPEN", "sup-primary", 404, "campaign_not_found"},
		{"another's name, and no such campaign", "cmp-none", "sup-secondary", 403, "forbidden"},
	} {
		for _, path := range []string{"/api/v1/ingest", "/api/v1/ping"} {
			t.Run(test.name+" "+path, func(t *testing.T) {
				body := newLead(test.campaign).with("flo_supplier_id", test.supplier)
				s.post(path, primaryKey, body).wantError(test.status, test.code)
				s.lookup(primaryKey, "phone="+body["phone"].(string)).want(404)
			})
		}
	}
	s.ingest(detachedKey, newLead("cmp-elsewhere").with("flo_supplier_id", "sup-detached")).want(201)
}

// TestPrecedence: of several things wrong with a request the first in this order is answered.
func TestPrecedence(t *testing.T) {
	s := newServiceOf(t, []byte(tightWorld))
	malformed := "{"
	invalid := newLead("none").with("flo_supplier_id", "nobody", "phone", "1")
	stranger := newLead("none").with("flo_supplier_id", "nobody")
	unknown := newLead("none").with("flo_supplier_id", "sup")
	valid := newLead("c").with("flo_supplier_id", "sup")
	spare := newLead("c").with("flo_supplier_id", "sup")

	exhaust(t, func() answer { return s.ingest("k", malformed) })
	s.ingest("", malformed).want(401)
	for _, body := range []any{malformed, invalid, stranger, unknown, valid} {
		s.ingest("k", body).want(429)
	}
	next := func(body any) answer {
		s.clock.advance(10e9)
		return s.ingest("k", body)
	}
	next(malformed).want(400)
	next(invalid).want(400)
	next(stranger).want(403)
	next(unknown).want(404)
	next(valid).want(201)
	next(valid).want(422)
	next(valid.with("phone", "1")).want(400) // malformed and a duplicate
	next(spare).want(201)
}

// TestOrderOfSteps writes the chains down a second time: who moves a step must mean it.
func TestOrderOfSteps(t *testing.T) {
	api := newService(t).api
	for name, test := range map[string]struct {
		chain Chain
		want  []string
	}{
		"ingest": {api.Ingest, []string{"authenticate", "limit", "decode", "validate", "check_supplier", "find_campaign", "check_attachment", "judge", "reject", "place"}},
		"ping":   {api.Ping, []string{"authenticate", "limit", "decode", "validate", "check_supplier", "find_campaign", "check_attachment", "judge", "offer"}},
		"lookup": {api.Lookup, []string{"authenticate", "limit", "read_criterion", "find_lead"}},
	} {
		var got []string
		for _, step := range test.chain {
			got = append(got, step.Name)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
