package distro

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestLookup(t *testing.T) {
	s := newService(t)
	body := newLead("cmp-open").with("phone", "+1 555 010 0155", "email", "Look.Up@Example.com")
	placed := s.ingest(primaryKey, body).want(201)
	for _, query := range []string{
		"id=" + placed.text("id"),
		"phone=15550100155",
		"phone=" + url.QueryEscape("+1 (555) 010-0155"),
		"phone=+1+555+010+0155", // a plus sign that nobody escaped
		"email=look.up@example.com",
		"email=LOOK.UP%40EXAMPLE.COM&phone=&id=",
		"id=" + placed.text("id") + "&page=2",
	} {
		a := s.lookup(primaryKey, query).want(200)
		if diff := cmp.Diff(placed.body, a.body); diff != "" {
			t.Errorf("%s (-placed +found):\n%s", query, diff)
		}
	}

	unmatched := s.ingest(primaryKey, newLead("cmp-unmatched")).want(200)
	if diff := cmp.Diff(unmatched.body, s.lookup(primaryKey, "id="+unmatched.text("id")).want(200).body); diff != "" {
		t.Errorf("unmatched (-placed +found):\n%s", diff)
	}

	s.clock.advance(time.Second)
	newer := s.ingest(primaryKey, body).want(201)
	if got := s.lookup(primaryKey, "phone=15550100155").want(200).text("id"); got != newer.text("id") {
		t.Errorf("found %s by phone, the newest is %s", got, newer.text("id"))
	}
}

func TestLookupFaults(t *testing.T) {
	s := newService(t)
	id := s.ingest(primaryKey, newLead("cmp-open").with("email", "ada@example.com")).want(201).text("id")
	for _, test := range []struct {
		query string
		want  []string
	}{
		{"", []string{}},
		{"id=", []string{}},
		{"lead=" + id, []string{}},
		{"id=" + id + "&email=ada@example.com", []string{}},
		{"id=" + id + "&id=" + id, []string{}},
		{"id=%zz", []string{}},
		{"phone=555", []string{"phone:invalid_format"}},
		{"phone=555010010x", []string{"phone:invalid_format"}},
		{"email=ada", []string{"email:invalid_format"}},
		{"email=%ff@example.com", []string{"email:invalid_format"}},
	} {
		a := s.lookup(primaryKey, test.query).wantError(400, "validation_failed")
		if diff := cmp.Diff(test.want, a.fieldErrors()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.query, diff)
		}
	}
}

// TestLookupOfAnother: what isn't there, what was never an id, and what belongs to someone else are answered alike.
func TestLookupOfAnother(t *testing.T) {
	s := newService(t)
	body := newLead("cmp-open")
	id := s.ingest(primaryKey, body).want(201).text("id")
	none := s.lookup(secondaryKey, "id="+uuid.NewString()).wantError(404, "lead_not_found")
	for _, query := range []string{
		"id=" + id,
		"phone=" + body["phone"].(string),
		"email=" + body["email"].(string),
		"id=" + uuid.Nil.String(),
		"id=x",
		"id=" + strings.ReplaceAll(id, "-", ""),
		"id=urn:uuid:" + id,
	} {
		a := s.lookup(secondaryKey, query)
		if diff := cmp.Diff([]any{none.status, none.raw, none.header}, []any{a.status, a.raw, a.header}); diff != "" {
			t.Errorf("%s (-none +got):\n%s", query, diff)
		}
	}
	s.lookup(primaryKey, "id="+id).want(200)
	s.lookup(primaryKey, "id="+strings.ReplaceAll(id, "-", "")).want(404)
}
