package insertion_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"leadconform/reference/internal/wire"
)

// IN-400-01 and what is no JSON object in other ways: on POST and PATCH alike, with one error each, and no effect.
func TestUnreadableBody(t *testing.T) {
	valid := newLead()
	for _, test := range []struct{ name, body, code string }{
		{"empty", "", "malformed_json"},
		{"blank", " \n", "malformed_json"},
		{"cut short", `{"phone":"5550100101"`, "malformed_json"},
		{"two values", `{} {}`, "malformed_json"},
		{"a trailing comma", `{"phone":"5550100101",}`, "malformed_json"},
		{"single quotes", `{'phone':'5550100101'}`, "malformed_json"},
		{"NaN", `{"phone":NaN}`, "malformed_json"},
		{"a number with a leading zero", `{"campaign_id":0101}`, "malformed_json"},
		{"an array", `[]`, "not_an_object"},
		{"a string", `"phone"`, "not_an_object"},
		{"a number", `1`, "not_an_object"},
		{"null", `null`, "not_an_object"},
		{"a member twice", `{"phone":"5550100101","phone":"5550100102"}`, "duplicate_member"},
		{"a member twice, deep down", `{"custom_fields":{"a":[{"b":1,"b":1}]}}`, "duplicate_member"},
		{"a member twice, spelled differently", `{"phone":"5550100101","\u0070hone":"5550100102"}`, "duplicate_member"},
		{"invalid UTF-8", "{\"first_name\":\"\xff\"}", "malformed_json"},
		{"half a surrogate pair", `{"first_name":"\ud800"}`, "malformed_json"},
		{"a raw control character", "{\"first_name\":\"\x01\"}", "malformed_json"},
		{"a byte-order mark", "\ufeff{}", "malformed_json"},
		{"too deep", `{"custom_fields":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, "too_deep"},
		{"too long", `{"first_name":"` + strings.Repeat("x", wire.MaxBody) + `"}`, "body_too_large"},
		{"too many members", manyMembers(101), "too_many_members"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.post(t, valid).expectUpsert(t, "inserted")
			before := b.read(t, valid.external())
			b.as(t, acme, http.MethodPost, collection, test.body).expect(t, http.StatusBadRequest, test.code)
			b.as(t, acme, http.MethodPost, ingest, test.body).expect(t, http.StatusBadRequest, test.code)
			b.as(t, acme, http.MethodPatch, collection+"/"+valid.external(), test.body).expect(t, http.StatusBadRequest, test.code)
			b.unchanged(t, before)
		})
	}
}

func manyMembers(n int) string {
	m := members{}
	for i := range n {
		m[fmt.Sprintf("m%d", i)] = i
	}
	return m.String()
}

func TestContentType(t *testing.T) {
	for value, accepted := range map[string]bool{
		"":                                  true, // no header at all
		"application/json":                  true,
		"application/json; charset=utf-8":   true,
		"APPLICATION/JSON":                  true,
		"application/vnd.lead+json":         true,
		"application/x-www-form-urlencoded": false,
		"text/plain":                        false,
		"text/json":                         false,
		"text/vnd.lead+json":                false,
		"application/json, text/plain":      false,
		"application/jsonp":                 false,
		";":                                 false,
	} {
		t.Run(value, func(t *testing.T) {
			b := newBench(t)
			lead := newLead()
			send := func(method, target, body string) answer {
				r := signAt(request(t, method, target, body), acme, b.clock.Now(), body)
				r.Header.Del("Content-Type")
				if value != "" {
					r.Header.Set("Content-Type", value)
				}
				return b.send(t, r)
			}
			if accepted {
				send(http.MethodPost, collection, lead.String()).expectUpsert(t, "inserted")
				send(http.MethodPatch, collection+"/"+lead.external(), `{"source":"x"}`).expect(t, http.StatusOK, "")
				return
			}
			send(http.MethodPost, collection, lead.String()).expect(t, http.StatusBadRequest, "invalid_content_type")
			send(http.MethodPatch, collection+"/"+lead.external(), `{"source":"x"}`).expect(t, http.StatusBadRequest, "invalid_content_type")
			b.nothingStored(t, lead)
		})
	}
}

// Two content types are none that can be relied on.
func TestRepeatedContentType(t *testing.T) {
	b := newBench(t)
	lead := newLead()
	r := signAt(request(t, http.MethodPost, collection, lead.String()), acme, b.clock.Now(), lead.String())
	r.Header.Add("Content-Type", "text/plain")
	b.send(t, r).expect(t, http.StatusBadRequest, "invalid_content_type")
	b.nothingStored(t, lead)
}

// text of n characters, none of them of one byte, so that bytes aren't taken for characters.
func text(n int) string { return strings.Repeat("é", n) }

func email(n int) string { return text(n-len("@example.com")) + "@example.com" }

// IN-400-02 to IN-400-07: one wrong member in an otherwise valid body, on POST and on PATCH. The error is the whole
// summary.
func TestRefusedMember(t *testing.T) {
	const (
		control = "must not hold control characters"
		isText  = "must be a string"
	)
	integer := []any{"101", true, nil, []int{101}, map[string]int{}, 0, -1, 1.5, raw("1e400"), raw("1e-400"),
		raw("9223372036854775808"), raw("101.0000000000000000000001"), raw("1e9999999999999999999")}
	for _, test := range []struct {
		field   string
		problem string
		values  []any
	}{
		{"campaign_id", "must be a positive integer", integer},
		{"external_lead_id", isText, []any{1, nil, true, []string{}, members{}}},
		{"external_lead_id", "must be a UUID", []any{"", "17", strings.Repeat("g", 36), uuid.NewString() + "0",
			"{" + uuid.NewString() + "}", "urn:uuid:" + uuid.NewString(), strings.ReplaceAll(uuid.NewString(), "-", "")}},
		{"phone", isText, []any{5550100100, nil, true, []string{}, members{}}},
		{"phone", "must have at least 10 characters", []any{"", text(9)}},
		{"phone", "must have at most 50 characters", []any{text(51)}},
		{"phone", control, []any{"5550100\x00100", "5550100100\n", "5550100\u0085100"}},
		{"email", isText, []any{1, nil, true, []string{}, members{}}},
		{"email", "must have at most 320 characters", []any{email(321)}},
		{"email", "must be an email address", []any{"", "ada", "ada@", "@example.com", "ada@example", "ada@@example.com", "a b@example.com", "ada@.com", "ada@example..com"}},
		{"first_name", isText, []any{1, nil, true, []string{}, members{}}},
		{"first_name", "must have at most 100 characters", []any{text(101)}},
		{"first_name", control, []any{"A\x00", "A\tB", "A\x7fB"}},
		{"last_name", isText, []any{1, nil, true, []string{}, members{}}},
		{"last_name", "must have at most 100 characters", []any{text(101)}},
		{"source", isText, []any{1, nil, true, []string{}, members{}}},
		{"source", control, []any{"a\nb"}},
		{"source_form_url", isText, []any{1, nil, true, []string{}, members{}}},
		{"source_form_url", "must be an http or https URL", []any{"", "example.com/form", "/form", "http://", "ftp://example.com/", "javascript:alert(1)", "http://%zz/"}},
		{"ip_address", isText, []any{1, nil, true, []string{}, members{}}},
		{"ip_address", "must be an IP address", []any{"", "192.0.2", "192.0.2.256", "192.0.2.7:80", "::g", "fe80::1%eth0", "example.com"}},
		{"tcpa_consent", "must be a boolean", []any{"true", 1, nil, []bool{true}, members{}}},
		{"tcpa_consent_text", isText, []any{1, nil, true, []string{}, members{}}},
		{"tcpa_consent_text", control, []any{"I agree\x00", "I\x1b[1m agree"}},
		{"tcpa_consent_timestamp", isText, []any{1772366400, nil, true, []string{}, members{}}},
		{"tcpa_consent_timestamp", "must be an ISO 8601 date and time", []any{"", "yesterday", "2026-02-30", "2026-3-1", "2026-03-01 12:00:00", "2026-03-01T25:00:00Z",
			"2026-03-01T12:60Z", "2026-03-01T12:00:60Z", "2026-03-01T1:00:00Z", "2026-03-01T12:00:00+25:00", "2026-03-01T12:00:00Zulu", "2026-03-01T", "Sun, 01 Mar 2026 12:00:00 GMT"}},
		{"custom_fields", "must be an object", []any{"{}", 1, nil, true, []int{}}},
		{"custom_fields", control, []any{members{"a": []any{members{"b": "\x00"}}}, members{"a\x00": 1}}},
		{"custom_fields", "must not hold a number with an exponent of more than 15 digits", []any{raw(`{"a":[1e1234567890123456]}`)}},
		{"workflow_ids", "must be an array of UUIDs", []any{uuid.NewString(), 1, nil, true, members{}, []any{1}, []any{nil}, []any{"17"},
			[]any{uuid.NewString(), "17"}, []any{[]string{uuid.NewString()}}, []any{members{}}}},
		{"nickname", "unknown member", []any{"Ada", 1, nil, members{}}},
		{"Phone", "unknown member", []any{"5550100100"}},
	} {
		t.Run(test.field+" "+test.problem, func(t *testing.T) {
			b := newBench(t)
			known := newLead()
			b.post(t, known).expectUpsert(t, "inserted")
			before := b.read(t, known.external())
			for _, value := range test.values {
				draft := newLead().with("email", "ada@example.com")
				body := draft.with(test.field, value)
				b.post(t, body).expect(t, http.StatusBadRequest, test.field+": "+test.problem)
				b.nothingStored(t, draft)

				problem := test.problem
				if test.field == "campaign_id" || test.field == "external_lead_id" {
					problem = "must not be changed"
				}
				b.as(t, acme, http.MethodPatch, collection+"/"+known.external(), members{test.field: value}.String()).
					expect(t, http.StatusBadRequest, test.field+": "+problem)
			}
			b.unchanged(t, before)
		})
	}
}

// raw is a JSON value as it stands.
type raw string

func (r raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// IN-400-05 from the other side: what is just within the bounds, and every form that is meant to pass.
func TestAcceptedMember(t *testing.T) {
	for field, values := range map[string][]any{
		"external_lead_id":       {"00000000-0000-0000-0000-000000000000", "9B2F7C1A-5D3E-4F60-8A71-C2D3E4F50617", "9b2f7c1a-5d3e-7f60-8a71-c2d3e4f50618"},
		"phone":                  {text(10), text(50), "+1 (555) 010-0100"},
		"email":                  {email(320), "a@b.cd", "Ada.Reyes+x@mail.example.com", "ada@пример.example"},
		"first_name":             {"", text(100), "O'Brien-Ñuñez", "😀"},
		"last_name":              {"", text(100)},
		"source":                 {"", text(5000), "a, b"},
		"source_form_url":        {"http://example.com", "https://user@example.com:8443/a%20b?c=d#e", "HTTPS://EXAMPLE.COM/"},
		"ip_address":             {"192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7"},
		"tcpa_consent":           {true, false},
		"tcpa_consent_text":      {"", "I agree:\r\n\t1. to be called", text(5000)},
		"tcpa_consent_timestamp": {"2026-03-01", "2026-03-01T12:00", "2026-03-01T12:00Z", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00.123456789Z", "2026-03-01T12:00:00,5+01:00", "2024-02-29T23:59:59-0330"},
		"custom_fields":          {members{}, members{"": nil, "a\nb": []any{1, "x", members{}}}, raw(`{"n":1e400,"z":0e9999999999999999999}`)},
		"workflow_ids":           {[]string{}, []string{uuid.NewString(), strings.ToUpper(uuid.NewString())}},
	} {
		t.Run(field, func(t *testing.T) {
			b := newBench(t)
			known := newLead()
			b.post(t, known).expectUpsert(t, "inserted")
			for _, value := range values {
				b.post(t, newLead().with(field, value)).expectUpsert(t, "inserted")
				if field != "external_lead_id" {
					b.as(t, acme, http.MethodPatch, collection+"/"+known.external(), members{field: value}.String()).expect(t, http.StatusOK, "")
				}
			}
		})
	}
	for _, spelling := range []raw{"101", "101.0", "101.000e0", "1.01e2", "1.01E+2", "10100e-2"} {
		t.Run("campaign_id "+string(spelling), func(t *testing.T) {
			a := newBench(t).post(t, newLead().with("campaign_id", spelling))
			a.expectUpsert(t, "inserted")
			if got := a.lead()["campaign_id"]; got != json.Number("101") {
				t.Errorf("campaign_id %v, want 101", got)
			}
		})
	}
}

// IN-400-04: one of phone and email is enough; an invalid one is not the same as none.
func TestPhoneOrEmail(t *testing.T) {
	b := newBench(t)
	b.post(t, newLead().without("phone").with("email", "ada@example.com")).expectUpsert(t, "inserted")
	b.post(t, newLead().without("phone")).expect(t, http.StatusBadRequest, "phone: required where email is missing")
	b.post(t, newLead().with("phone", "1")).expect(t, http.StatusBadRequest, "phone: must have at least 10 characters")
}

// IN-400-08, IN-400-12: all faults in one string, a part for each, and each names its field.
func TestAllFaultsAtOnce(t *testing.T) {
	b := newBench(t)
	for _, test := range []struct{ name, body, want string }{
		{"everything missing", `{}`, "campaign_id: required, external_lead_id: required, phone: required where email is missing"},
		{"faults in the order of the body, then what is missing",
			`{"nickname":1,"email":"ada","phone":2,"external_lead_id":"x"}`,
			"nickname: unknown member, email: must be an email address, phone: must be a string, external_lead_id: must be a UUID, campaign_id: required"},
		{"two faults of one field", `{"campaign_id":101,"external_lead_id":"` + uuid.NewString() + `","phone":"5\u0000"}`,
			"phone: must not hold control characters, phone: must have at least 10 characters"},
		{"names that could be mistaken for text", newLead().with("", 1, "a, b", 2, "\n", 3, strings.Repeat("n", 70), 4).String(),
			`"": unknown member, "\n": unknown member, a, b: unknown member, ` + strings.Repeat("n", 64) + "…: unknown member"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b.as(t, acme, http.MethodPost, collection, test.body).expect(t, http.StatusBadRequest, test.want)
		})
	}
}
