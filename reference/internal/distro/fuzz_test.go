package distro

import (
	"strings"
	"testing"
	"unicode/utf8"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/ratelimit"
)

// seeds are bodies near the edges of what is well formed.
var seeds = []string{
	``, `{}`, `[]`, `null`, `{"`, `{"phone":"5550100100"`, "\xff", `{"a":"\u0000"}`, `{"a":"\ud800"}`, `{"":"","":""}`,
	`{"flo_campaign_id":"cmp-open","flo_supplier_id":"sup-primary","first_name":"A","last_name":"B","phone":"5550100100","email":"a@example.com"}`,
	`{"flo_campaign_id":"cmp-required","flo_supplier_id":"sup-primary","first_name":"A","last_name":"B","phone":"5550100100","email":"a@example.com","case_type":null}`,
	`{"flo_campaign_id":"cmp-filtered","flo_supplier_id":"sup-primary","first_name":"A","last_name":"B","phone":"5550100100","email":"a@example.com","state":"NY","case_type":["workers_comp"]}`,
	`{"flo_campaign_id":"cmp-unique","flo_supplier_id":"sup-primary","first_name":"A","last_name":"B","phone":"+1 (555) 010-0100","email":"\"a b\"@example.com","flo_ping_id":"AAAA"}`,
	`{"flo_campaign_id":"cmp-elsewhere","flo_supplier_id":"sup-primary","first_name":1,"last_name":null,"phone":[],"email":{},"state":"é"}`,
	`flo_campaign_id=cmp-open&flo_supplier_id=sup-primary&first_name=A&last_name=B&phone=5550100100&email=a%40example.com`,
	`a=%ff&b=%zz;`, `phone=1&phone=2`,
}

// newFuzzService is a service for many requests: nothing limits them.
func newFuzzService(f *testing.F) *service {
	s := newService(f)
	s.api.Limiter = limiterFunc(func() (ratelimit.Decision, error) { return ratelimit.Decision{Allowed: true}, nil })
	return s
}

// begin lets the service forget what was sent before.
func (s *service) begin(t *testing.T) {
	s.t = t
	if err := s.store.Reset(t.Context(), leads.ResetAll); err != nil {
		t.Fatal(err)
	}
}

// FuzzRequests: whatever is sent, the answer is one of the documented ones, in its envelope.
func FuzzRequests(f *testing.F) {
	for _, seed := range seeds {
		f.Add("/api/v1/ingest", "application/json", seed)
		f.Add("/api/v1/ping", "application/x-www-form-urlencoded", seed)
	}
	f.Add("/api/v1/ingest", "a/b; c", `{}`)
	s := newFuzzService(f)
	f.Fuzz(func(t *testing.T, path, contentType, body string) {
		if path != "/api/v1/ping" {
			path = "/api/v1/ingest"
		}
		s.begin(t)
		r := s.request("POST", path, primaryKey, body)
		r.Header.Set("Content-Type", contentType)
		switch a := s.do(r); a.status { // do looks at the envelope
		case 200, 201, 400, 403, 404, 422:
		default:
			t.Errorf("answered with %d: %s", a.status, a.raw)
		}
	})
}

// FuzzLookup is the same for queries.
func FuzzLookup(f *testing.F) {
	for _, seed := range []string{"", "id=", "id=00000000-0000-0000-0000-000000000000", "phone=5550100100", "email=a%40example.com", "id=1&phone=2", "a=%zz", "email=%ff", ";"} {
		f.Add(seed)
	}
	s := newFuzzService(f)
	f.Fuzz(func(t *testing.T, query string) {
		s.begin(t)
		r := s.request("GET", "/api/v1/leads/lookup", primaryKey, "")
		r.URL.RawQuery = query
		switch a := s.do(r); a.status {
		case 400, 404:
		default:
			t.Errorf("answered with %d: %s", a.status, a.raw)
		}
	})
}

// FuzzParseLead: a lead that was parsed is one JSON object in valid UTF-8, whose fields are its members.
func FuzzParseLead(f *testing.F) {
	for _, seed := range seeds {
		f.Add(false, seed)
		f.Add(true, seed)
	}
	f.Fuzz(func(t *testing.T, form bool, body string) {
		contentType := "application/json"
		if form {
			contentType = "application/x-www-form-urlencoded"
		}
		lead, err := parseLead(contentType, []byte(body))
		if err != nil {
			return
		}
		again, err := parseLead("application/json", lead.Raw)
		if err != nil || len(again.Fields) != len(lead.Fields) {
			t.Fatalf("what is kept, %q, doesn't parse again as it was: %v", lead.Raw, err)
		}
		for _, field := range lead.Fields {
			if same, _ := again.Field(field.Name); same.Text != field.Text || !utf8.ValidString(field.Text) {
				t.Errorf("%q is %q at first and %q then", field.Name, field.Text, same.Text)
			}
		}
	})
}

// FuzzFormats: what passes the formats is fit for comparison.
func FuzzFormats(f *testing.F) {
	for _, seed := range []string{"", "5550100100", "+1 (555) 010-0100", "a@example.com", "\"a\"@b.c", "a@b..c", "CA", "é", "\x00", "A@B.C "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if digits := normalPhone(text); phoneFault(text) == "" && (len(digits) < 10 || len(digits) > 15 || normalPhone(digits) != digits) {
			t.Errorf("the phone %q becomes %q", text, digits)
		}
		email := normalEmail(text)
		local, domain, _ := strings.Cut(email, "@")
		if emailFault(text) == "" && (local == "" || strings.ContainsAny(email, " \t\r\n<>,") || strings.Count(email, "@") != 1 || !strings.Contains(domain, ".")) {
			t.Errorf("the email %q becomes %q", text, email)
		}
		if stateFault(text) == "" && len(text) != 2 {
			t.Errorf("the state %q", text)
		}
	})
}
