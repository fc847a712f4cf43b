package suite_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"leadconform/fixtures/target"
)

// exchange is one request and its answer, as they were on the wire.
type exchange struct {
	row      string
	method   string
	url      string
	header   http.Header
	body     []byte
	status   int
	answered http.Header
	answer   []byte
}

func (x exchange) path() string {
	u, err := url.Parse(x.url)
	if err != nil {
		return x.url
	}
	return u.Path
}

func (x exchange) request() *http.Request {
	r := httptest.NewRequest(x.method, x.url, bytes.NewReader(x.body))
	r.Header = x.header.Clone()
	return r
}

// recorder keeps every exchange with a server.
type recorder struct {
	http.Handler
	mu        sync.Mutex
	exchanges []exchange
}

// sender is the row in the suite's User-Agent.
var sender = regexp.MustCompile(`; ([A-Z0-9-]+)\)$`)

func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	x := exchange{row: "none", method: request.Method, url: request.URL.String(), header: request.Header.Clone()}
	if found := sender.FindStringSubmatch(request.UserAgent()); found != nil {
		x.row = found[1]
	}
	x.body, _ = io.ReadAll(request.Body)
	request.Body = io.NopCloser(bytes.NewReader(x.body))
	answer := httptest.NewRecorder()
	r.Handler.ServeHTTP(answer, request)
	x.status, x.answered, x.answer = answer.Code, answer.Header().Clone(), answer.Body.Bytes()
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(x.status)
	_, _ = w.Write(x.answer)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.exchanges = append(r.exchanges, x)
}

// The operations, each with a request that is valid.
var operations = []struct{ method, path, body string }{
	{"POST", "/api/v1/ingest", `{"flo_campaign_id":"cmp-open","flo_supplier_id":"sup-limits-a","first_name":"A","last_name":"B","phone":"9990100142","email":"a@example.com"}`},
	{"POST", "/api/v1/ping", `{"flo_campaign_id":"cmp-open","flo_supplier_id":"sup-limits-a"}`},
	{"GET", "/api/v1/leads/lookup?phone=9990100142", ""},
	{"POST", "/api/v1/insertion/leads", newLead},
	{"GET", "/api/v1/insertion/leads", ""},
	{"GET", "/api/v1/insertion/leads/6f1c1e0a-8f0e-4b61-9d35-0a52f6a5d201", ""},
	{"PATCH", "/api/v1/insertion/leads/6f1c1e0a-8f0e-4b61-9d35-0a52f6a5d201", `{"first_name":"A"}`},
	{"POST", "/api/leads/ingest", newLead},
}

const newLead = `{"campaign_id":301,"external_lead_id":"6f1c1e0a-8f0e-4b61-9d35-0a52f6a5d201","phone":"9990100142"}`

// provokeTheRest causes the answers that no row of tiers core and full asks for: every 429, failures of endpoints that no row
// looks at, and those of the internal path. The server is called in memory.
func provokeTheRest(server http.Handler) {
	p := target.Reference("http://127.0.0.1:1", "")
	as := func(role, method, path, body string) int {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		switch {
		case role == "":
		case strings.Contains(path, "/insertion/") || path == "/api/leads/ingest":
			r.Header = p.Insertion.SignedHeader(p.Insertion.Credentials[role], time.Now(), []byte(body))
		default:
			r.Header = p.Distro.KeyHeader(p.Distro.Credentials[role].Key)
		}
		r.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, r)
		return answer.Code
	}
	for _, o := range operations {
		for range 2000 { // a burst of an ingest is allowed a thousand
			if as("limits_a", o.method, o.path, o.body) == http.StatusTooManyRequests {
				break
			}
		}
	}
	for _, fault := range []string{`{"api": "distro", "kind": "500"}`, `{"api": "distro", "kind": "503"}`, `{"api": "insertion", "kind": "500"}`} {
		as("", "POST", "/control/faults", fault)
		for _, o := range operations {
			as("limits_b", o.method, o.path, o.body)
		}
		as("", "DELETE", "/control/faults", "")
	}
	const internal = "/api/leads/ingest"
	as("", "POST", internal, newLead)                                          // 401
	as("read_only", "POST", internal, newLead)                                 // 403
	as("primary", "POST", internal, `{}`)                                      // 400
	as("primary", "POST", internal, strings.Replace(newLead, "301", "999", 1)) // 404
	as("primary", "GET", internal, "")                                         // 405
	as("primary", "GET", "/api/v1/insertion/leads?limit=0", "")                // 400
}
