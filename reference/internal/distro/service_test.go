package distro

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"leadconform/fixtures"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/ratelimit"
	"leadconform/reference/internal/world"
)

// The callers of the embedded world.
const (
	primaryKey   = "ldk_primary_7Qm2Xw9Rk4"
	secondaryKey = "ldk_secondary_3Hd8Ys6Tn1"
	detachedKey  = "ldk_detached_5Vb1Lc7Pz9"
)

// service is an API under test, with a clock that stands still until it is moved: at noon UTC, told in another zone.
type service struct {
	t     testing.TB
	api   *API
	store *leads.Memory
	clock *clock
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// newService serves the embedded world.
func newService(t testing.TB) *service {
	t.Helper()
	data, err := fixtures.FS.ReadFile("world.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return newServiceOf(t, data)
}

// newServiceWith serves a world of its own: the campaigns given, in YAML, for the one supplier sup with the key k, at
// limits that no test meets.
func newServiceWith(t testing.TB, campaigns string) *service {
	t.Helper()
	return newServiceOf(t, []byte(`
distro:
  limits: {ingest: &high {rate: 10000000, burst: 10000000, window: 10s}, ping: *high, lookup: *high}
  ping_token: {lifetime: 30m, secret: test}
  suppliers: [{id: sup, keys: [k]}]
  campaigns:`+campaigns+`
insertion: {limit: {requests: 1, window: 1s}, signature_window: 5m, accounts: []}
`))
}

func newServiceOf(t testing.TB, data []byte) *service {
	t.Helper()
	w, err := world.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, store: leads.NewMemory(), clock: &clock{now: time.Date(2026, 3, 1, 21, 0, 0, 0, time.FixedZone("east", 9*60*60))}}
	s.api = New(Deps{World: &w.Distro, Limiter: ratelimit.NewMemory(s.clock.Now), Store: s.store, Now: s.clock.Now})
	return s
}

// lead is a body in the making.
type lead map[string]any

// newLead is a valid lead of the primary supplier. Each has a phone and email of its own.
func newLead(campaign string) lead {
	n := fmt.Sprintf("%07d", persons.Add(1))
	return lead{
		"flo_campaign_id": campaign, "flo_supplier_id": "sup-primary",
		"first_name": "Ada", "last_name": "Test", "phone": "555" + n, "email": "ada." + n + "@example.com",
	}
}

// with returns the lead with members set, or taken away where the value is absent.
func (l lead) with(namesAndValues ...any) lead {
	changed := maps.Clone(l)
	for i := 0; i < len(namesAndValues); i += 2 {
		name, value := namesAndValues[i].(string), namesAndValues[i+1]
		if value == absent {
			delete(changed, name)
			continue
		}
		changed[name] = value
	}
	return changed
}

type nothing struct{}

var absent nothing

var persons atomic.Int64

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (s *service) ingest(key string, body any) answer { return s.post("/api/v1/ingest", key, body) }
func (s *service) ping(key string, body any) answer   { return s.post("/api/v1/ping", key, body) }
func (s *service) lookup(key, query string) answer {
	return s.do(s.request("GET", "/api/v1/leads/lookup?"+query, key, ""))
}

func (s *service) post(path, key string, body any) answer {
	s.t.Helper()
	text, ok := body.(string)
	if !ok {
		encoded, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		text = string(encoded)
	}
	r := s.request("POST", path, key, text)
	r.Header.Set("Content-Type", "application/json")
	return s.do(r)
}

func (s *service) request(method, target, key, body string) *http.Request {
	r := httptest.NewRequestWithContext(s.t.Context(), method, target, strings.NewReader(body))
	if key != "" {
		r.Header.Set("x-api-key", key)
	}
	return r
}

// do sends a request, and holds the answer against what every answer must be (LD-ENV-*).
func (s *service) do(r *http.Request) answer {
	s.t.Helper()
	recorder := httptest.NewRecorder()
	s.api.ServeHTTP(recorder, r)
	a := answer{t: s.t, status: recorder.Code, header: recorder.Header(), raw: recorder.Body.String()}
	if err := json.Unmarshal(bytes.TrimSpace(recorder.Body.Bytes()), &a.body); err != nil {
		s.t.Fatalf("the body of the %d is no JSON object: %v\n%s", a.status, err, a.raw)
	}
	if problem := envelopeFault(a); problem != "" {
		s.t.Fatalf("%d: %s\n%s", a.status, problem, a.raw)
	}
	return a
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("got %d %s, want %d", a.status, a.raw, status)
	}
	return a
}

func (a answer) wantError(status int, code string) answer {
	a.t.Helper()
	if a.want(status); a.body["error"] != code {
		a.t.Fatalf("got %s, want the error %s", a.raw, code)
	}
	return a
}

func (a answer) text(member string) string {
	text, _ := a.body[member].(string)
	return text
}

// pairs lists two members of each entry of a list as "first:second".
func (a answer) pairs(list, first, second string) []string {
	entries, _ := a.body[list].([]any)
	pairs := []string{}
	for _, entry := range entries {
		members, _ := entry.(map[string]any)
		one, _ := members[first].(string)
		if two, ok := members[second].(string); ok && second != "" {
			one += ":" + two
		}
		pairs = append(pairs, one)
	}
	return pairs
}

func (a answer) fieldErrors() []string { return a.pairs("field_errors", "field", "code") }
func (a answer) rules() []string       { return a.pairs("filter_errors", "rule", "") }
