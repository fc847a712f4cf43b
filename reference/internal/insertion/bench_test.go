package insertion_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"leadconform/fixtures"
	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/ratelimit"
	"leadconform/reference/internal/world"
)

const (
	collection = "/api/v1/insertion/leads"
	ingest     = "/api/leads/ingest"
)

// apiKey is a key of the embedded world.
type apiKey struct{ public, secret string }

var (
	acme      = apiKey{"adp_acme_primary", "ads_acme_primary_1Nz8Gk5Tq2Vw7Yb4"} // campaigns 101, 102, 103
	readOnly  = apiKey{"adp_acme_readonly", "ads_acme_readonly_6Hc3Mx9Ld0Rs5Pf1"}
	writeOnly = apiKey{"adp_acme_writeonly", "ads_acme_writeonly_4Je7Qa2Bu8Ko6Wi3"}
	revoked   = apiKey{"adp_acme_revoked", "ads_acme_revoked_9Ty1Vr5Ze7Xn3Cg0"}
	globex    = apiKey{"adp_globex", "ads_globex_5Lm2Dp8Sf4Hj0Uk6"}   // campaigns 103, 201
	initech   = apiKey{"adp_initech", "ads_initech_7Bv4Nq1Ga9Oc3Ew8"} // switched off
	limitsA   = apiKey{"adp_limits_a", "ads_limits_a_3Fd9Yk6Rx2Mt8Lz5"}
	limitsB   = apiKey{"adp_limits_b", "ads_limits_b_0Pw7Hs4Jc1Vn6Qe2"}
)

// bench is the API on memory, with a clock that only moves when it is told to.
type bench struct {
	*insertion.API
	clock *clock
	store *leads.Memory
	log   *bytes.Buffer
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

func newBench(t testing.TB) *bench {
	t.Helper()
	data, err := fixtures.FS.ReadFile("world.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w, err := world.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{
		clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 700e6, time.UTC)},
		store: leads.NewMemory(),
		log:   &bytes.Buffer{},
	}
	b.API = insertion.New(insertion.Deps{
		World:   &w.Insertion,
		Limiter: ratelimit.NewMemory(b.clock.Now),
		Store:   b.store,
		Now:     b.clock.Now,
		Log:     slog.New(slog.NewTextHandler(b.log, nil)),
	})
	return b
}

// answer is what came back, held against the envelope.
type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (a answer) code() string { code, _ := a.body["error"].(string); return code }

func (a answer) lead() map[string]any { lead, _ := a.body["lead"].(map[string]any); return lead }

// request builds a request that nobody has signed.
func request(t testing.TB, method, target, body string) *http.Request {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(context.Background(), method, target, reader)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// signature is computed here on its own terms, from the public description of the scheme.
func signature(secret, timestamp, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	io.WriteString(mac, timestamp+"."+body)
	return hex.EncodeToString(mac.Sum(nil))
}

func signAt(r *http.Request, key apiKey, at time.Time, body string) *http.Request {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	r.Header.Set("X-AdBuy-Public-Key", key.public)
	r.Header.Set("X-AdBuy-Timestamp", timestamp)
	r.Header.Set("X-AdBuy-Signature", signature(key.secret, timestamp, body))
	return r
}

// as sends a signed request, with headers given as name and value in turn.
func (b *bench) as(t testing.TB, key apiKey, method, target, body string, headers ...string) answer {
	t.Helper()
	r := signAt(request(t, method, target, body), key, b.clock.Now(), body)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.send(t, r)
}

var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]*(:[a-z][a-z0-9_:.\-]*)?$`)

// send serves a request and holds the answer against what every answer promises (IN-ENV-*).
func (b *bench) send(t testing.TB, r *http.Request) answer {
	t.Helper()
	recorder := httptest.NewRecorder()
	b.ServeHTTP(recorder, r)
	a := answer{status: recorder.Code, header: recorder.Header(), raw: recorder.Body.String()}
	decoder := json.NewDecoder(strings.NewReader(a.raw))
	decoder.UseNumber() // a lead may hold numbers that no float64 can
	if err := decoder.Decode(&a.body); err != nil {
		t.Fatalf("%s %s: %d with a body that is no object: %q", r.Method, r.URL, a.status, a.raw)
	}
	if got := a.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("%s %s: Content-Type %q", r.Method, r.URL, got)
	}
	success := a.status == http.StatusOK || a.status == http.StatusCreated
	if a.body["ok"] != success {
		t.Errorf("%s %s: %d with ok %v", r.Method, r.URL, a.status, a.body["ok"])
	}
	if _, has := a.body["error"]; has == success {
		t.Errorf("%s %s: %d, error present: %v", r.Method, r.URL, a.status, has)
	}
	if !success && (a.code() == "" || len(a.body) != 2) {
		t.Errorf("%s %s: %d with %s", r.Method, r.URL, a.status, a.raw)
	}
	if !success && a.status != http.StatusBadRequest && !identifier.MatchString(a.code()) {
		t.Errorf("%s %s: %d with error %q, not an identifier", r.Method, r.URL, a.status, a.code())
	}
	return a
}

// expect fails the test unless the answer has that status, and that error if one is given.
func (a answer) expect(t testing.TB, status int, code string) answer {
	t.Helper()
	if a.status != status || a.code() != code {
		t.Fatalf("got %d %s, want %d %q", a.status, a.raw, status, code)
	}
	return a
}

// expectUpsert fails the test unless the answer is that outcome, and returns the lead's id.
func (a answer) expectUpsert(t testing.TB, outcome string) string {
	t.Helper()
	status := http.StatusOK
	if outcome == "inserted" {
		status = http.StatusCreated
	}
	if a.status != status || a.body["status"] != outcome {
		t.Fatalf("got %d %s, want %s", a.status, a.raw, outcome)
	}
	id, _ := a.lead()["id"].(string)
	if uuid.Validate(id) != nil {
		t.Fatalf("the lead's id is %q", id)
	}
	return id
}

// members is a body under construction.
type members map[string]any

// newLead is a valid create body with a fresh external id, in campaign 101.
func newLead() members {
	return members{"campaign_id": 101, "external_lead_id": uuid.NewString(), "phone": "5550100100"}
}

// fullLead has every member that a lead can have.
func fullLead() members {
	return members{
		"campaign_id": 101, "external_lead_id": uuid.NewString(), "phone": "5550100100", "email": "ada@example.com",
		"first_name": "Ada", "last_name": "Reyes", "source": "web", "source_form_url": "https://example.com/form?a=b",
		"ip_address": "192.0.2.7", "tcpa_consent": true, "tcpa_consent_text": "I agree,\nplease call.",
		"tcpa_consent_timestamp": "2026-03-01T11:59:00Z", "custom_fields": map[string]any{"case_type": "auto", "score": 7},
		"workflow_ids": []string{"0b8a2f9e-3c61-4f0e-9a53-6f2d1c7b8e90"},
	}
}

// with is a copy with other members, given as name and value in turn. drop leaves a member out.
func (m members) with(namesAndValues ...any) members {
	c := members{}
	for name, value := range m {
		c[name] = value
	}
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		c[namesAndValues[i].(string)] = namesAndValues[i+1]
	}
	return c
}

func (m members) without(names ...string) members {
	c := m.with()
	for _, name := range names {
		delete(c, name)
	}
	return c
}

func (m members) String() string {
	text, err := json.Marshal(map[string]any(m))
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (m members) external() string { return m["external_lead_id"].(string) }

// post sends a create body as acme.
func (b *bench) post(t testing.TB, m members) answer {
	t.Helper()
	return b.as(t, acme, http.MethodPost, collection, m.String())
}

// read gets acme's lead by either id.
func (b *bench) read(t testing.TB, id string) map[string]any {
	t.Helper()
	return b.as(t, acme, http.MethodGet, collection+"/"+id, "").expect(t, http.StatusOK, "").lead()
}

// unchanged fails the test unless the lead reads back exactly as it was.
func (b *bench) unchanged(t testing.TB, before map[string]any) {
	t.Helper()
	id := before["id"].(string)
	if after := b.read(t, id); !equalJSON(before, after) {
		t.Errorf("the lead changed from %v to %v", before, after)
	}
}

// nothingStored fails the test if acme has a lead with the external id of the body. That such a lead would be found is
// what posting the valid body in its place shows, in the end.
func (b *bench) nothingStored(t testing.TB, m members) {
	t.Helper()
	b.as(t, acme, http.MethodGet, collection+"/"+m.external(), "").expect(t, http.StatusNotFound, "not_found")
	b.post(t, newLead().with("external_lead_id", m.external())).expectUpsert(t, "inserted")
	b.read(t, m.external())
}

func equalJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
