package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"leadconform/reference/server"
)

// Credentials of the embedded world.
const (
	primaryKey = "ldk_primary_7Qm2Xw9Rk4"
	limitedKey = "ldk_limits_a_2Jf6Ge0Mu3"
	acmeSecret = "ads_acme_primary_1Nz8Gk5Tq2Vw7Yb4"
)

// reference is a server under test: its two handlers.
type reference struct {
	t *testing.T
	*server.Server
}

func newReference(t *testing.T, c server.Config) reference {
	t.Helper()
	s, err := server.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return reference{t, s}
}

// reply is an answer whose body is an object.
type reply struct {
	status int
	header http.Header
	body   map[string]any
}

func (r reply) lead() map[string]any { lead, _ := r.body["lead"].(map[string]any); return lead }

func (r reference) send(h http.Handler, method, target, body string, header ...string) reply {
	r.t.Helper()
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	answer := reply{status: w.Code, header: w.Header()}
	if err := json.Unmarshal(w.Body.Bytes(), &answer.body); err != nil {
		r.t.Fatalf("%s %s is answered %d with no object: %s", method, target, w.Code, w.Body)
	}
	return answer
}

func (r reference) control(method, target, body string) reply {
	r.t.Helper()
	return r.send(r.Control(), method, target, body)
}

// ingest sends a lead with this phone number's last four digits.
func (r reference) ingest(campaign string, last int) reply {
	r.t.Helper()
	return r.send(r.Handler(), "POST", "/api/v1/ingest", fmt.Sprintf(
		`{"flo_campaign_id": %q, "flo_supplier_id": "sup-primary", "first_name": "Ada", "last_name": "Byron", "phone": "555010%04d", "email": "a%d@example.com"}`,
		campaign, last, last), "x-api-key", primaryKey)
}

// insertion calls the Insertion API as the primary key of acc-acme.
func (r reference) insertion(method, path, body string) reply {
	r.t.Helper()
	return r.send(r.Handler(), method, path, body, "Authorization", "Bearer "+acmeSecret)
}

const (
	leadsPath  = "/api/v1/insertion/leads"
	externalID = "7f1a3c52-7a56-4a0e-9a40-0a4a54b6a001"
	insertLead = `{"campaign_id": 101, "external_lead_id": "` + externalID + `", "phone": "5550100001"}`
)

func (r reply) want(t *testing.T, status int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("the answer is %d %v, expected %d", r.status, r.body, status)
	}
	return r
}

// Every path has an API that answers for it, in its own envelope.
func TestRouting(t *testing.T) {
	r := newReference(t, server.Config{})
	for path, insertion := range map[string]bool{
		"/api/v1/insertion/leads":          true,
		"/api/v1/insertion/leads/x":        true,
		"/api/v1/insertion":                true,
		"/api/v1/insertion/":               true,
		"/api/v1/insertion/none":           true,
		"/api/v1/insertion/%2e%2e/ingest":  true,
		"/api/v1/insertion/../ingest":      true,
		"/api/leads/ingest":                true,
		"/api/leads/ingest/":               true,
		"/api/v1/insertions":               false,
		"/api/v1/ingest":                   false,
		"/api/v1/leads/lookup":             false,
		"/api/v1/../v1/insertion/leads":    false,
		"//api/v1/insertion/leads":         false,
		"/api/leads/ingestion":             false,
		"/api/leads":                       false,
		"/":                                false,
		"/healthz":                         false, // the operator's paths are not public
		"/metrics":                         false,
		"/control/faults":                  false,
		"/api/v1/insertion%2fleads":        true, // escaped, it reaches no lead, but it is the Insertion API that says so
		"http://example.com/api/v1/ingest": false,
	} {
		answer := r.send(r.Handler(), "DELETE", path, "")
		if answer.status != 404 && answer.status != 405 {
			t.Errorf("DELETE %s is answered %d", path, answer.status)
		}
		if _, has := answer.body["ok"]; has != insertion {
			t.Errorf("%s is answered %v, expected the Insertion API's envelope: %v", path, answer.body, insertion)
		}
	}
	r.ingest("cmp-open", 1).want(t, 201)
	r.insertion("POST", leadsPath, insertLead).want(t, 201)
}

func TestConfigErrors(t *testing.T) {
	for _, tc := range []struct {
		config server.Config
		want   string
	}{
		{server.Config{Store: "postgres://user:hunter2@host:port/leads"}, "store: read the URL: write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE: start PostgreSQL, correct the URL, or keep leads in memory"},
		{server.Config{Limiter: "redis://:hunter2@host:port"}, "limiter: read the URL: write it as redis://USER:PASSWORD@HOST:PORT/DATABASE: start Redis, correct the URL, or count requests in memory"},
		{server.Config{Limiter: "hunter2"}, "limiter: there is no such kind: write memory, or redis://USER:PASSWORD@HOST:PORT/DATABASE"},
		{server.Config{LimiterOutage: "hunter"}, `limiter-outage: there is no "hunter": choose closed or open`},
		{server.Config{World: []byte("a: b\n")}, `world: world.yaml:1: unknown field "a": remove it, or mend its spelling`},
		{server.Config{World: []byte("a: b\n"), WorldFile: "mine.yaml"}, `world: mine.yaml:1: unknown field "a": remove it, or mend its spelling`},
	} {
		_, err := server.New(tc.config)
		if err == nil || err.Error() != tc.want {
			t.Errorf("the error is %v, expected %s", err, tc.want)
		}
	}
	for _, c := range []server.Config{{}, {Store: "memory", Limiter: "memory"}} {
		if _, err := server.New(c); err != nil {
			t.Error(err)
		}
	}
}
