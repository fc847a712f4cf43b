package distro

import (
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBodyFaults(t *testing.T) {
	s := newService(t)
	for _, test := range []struct {
		name string
		body string
		want []string
	}{
		{"empty", "", []string{}},
		{"blank", " \n", []string{}},
		{"cut off", `{"first_name": "A`, []string{}},
		{"no JSON", `first_name=Ada`, []string{}},
		{"a trailing comma", `{"first_name": "Ada",}`, []string{}},
		{"two values", `{} {}`, []string{}},
		{"an array", `[]`, []string{}},
		{"a string", `"lead"`, []string{}},
		{"a number", `1`, []string{}},
		{"null", `null`, []string{}},
		{"no UTF-8", "{\"first_name\": \"\xff\"}", []string{}},
		{"half a surrogate pair", `{"first_name": "\ud800"}`, []string{}},
		{"too deep", `{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, []string{}},
		{"too large", `{"a":"` + strings.Repeat("x", 1<<20) + `"}`, []string{}},
		{"a member twice", `{"phone": "5550100100", "phone": "5550100101"}`, []string{"phone:duplicate"}},
		{"a nameless member twice", `{"": 1, "": 2}`, []string{}},
	} {
		for _, path := range []string{"/api/v1/ingest", "/api/v1/ping"} {
			t.Run(test.name+" "+path, func(t *testing.T) {
				a := s.post(path, primaryKey, test.body).wantError(400, "validation_failed")
				if diff := cmp.Diff(test.want, a.fieldErrors()); diff != "" {
					t.Errorf("field_errors (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestContentTypes(t *testing.T) {
	s := newService(t)
	for contentType, want := range map[string]int{
		"":                                  201,
		"application/json":                  201,
		"Application/JSON; charset=utf-8":   201,
		"text/plain":                        400,
		"multipart/form-data; boundary=x":   400,
		"application/x-www-form-urlencoded": 400, // JSON is no lead in a form
		"/":                                 400,
		"application/json; charset":         400,
	} {
		t.Run(contentType, func(t *testing.T) {
			body := `{"flo_campaign_id": "cmp-open", "flo_supplier_id": "sup-primary", "first_name": "Ada", "last_name": "Test",
				"phone": "5550100100", "email": "ada@example.com"}`
			r := s.request("POST", "/api/v1/ingest", primaryKey, body)
			if contentType != "" {
				r.Header.Set("Content-Type", contentType)
			}
			s.do(r).want(want)
		})
	}
}

func TestForm(t *testing.T) {
	s := newService(t)
	post := func(body string) answer {
		r := s.request("POST", "/api/v1/ingest", primaryKey, body)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return s.do(r)
	}
	form := url.Values{}
	for name, value := range newLead("cmp-filtered").with("state", "CA", "note", "50% \"off\" & more") {
		form.Set(name, value.(string))
	}
	id := post(form.Encode()).want(201).text("id")
	if got := s.lookup(primaryKey, "id="+id).want(200).text("email"); got != form.Get("email") {
		t.Errorf("the email came to be %q", got)
	}
	form.Set("state", "NY")
	post(form.Encode()).wantError(422, "lead_rejected")

	if got := post("").want(400).fieldErrors(); len(got) != 6 {
		t.Errorf("an empty form lacks %q", got)
	}
	if got := post("phone=1&phone=2").want(400).fieldErrors(); !cmp.Equal(got, []string{"phone:duplicate"}) {
		t.Errorf("a repeated field: %q", got)
	}
	for _, malformed := range []string{"phone=%zz", "a=1;b=2", "first_name=%ff", "%ff=1"} {
		if got := post(malformed).want(400).fieldErrors(); len(got) != 0 {
			t.Errorf("%q: %q", malformed, got)
		}
	}
}

func TestFormBecomesAnObject(t *testing.T) {
	lead, err := parseLead("application/x-www-form-urlencoded", []byte("b=%22%0A&a+c=1"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(lead.Raw), `{"a c":"1","b":"\"\n"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestBodyThatBreaksOff(t *testing.T) {
	s := newService(t)
	r := s.request("POST", "/api/v1/ingest", primaryKey, "")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"a":`), brokenReader{}))
	s.do(r).wantError(400, "validation_failed")
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
