package harness_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/load/harness"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/simulate"
)

// modelServer is a Lead Distro API of the barest kind, with any limiter before it.
type modelServer struct {
	start  time.Time
	jitter time.Duration // standard deviation of a trip, one way
	base   time.Duration // of a trip

	mu    sync.Mutex
	model simulate.Model
	rng   *rand.Rand
	limit string          // the body of a 429; "": as the contract has it
	takes bool            // whether the lead of a 429 is taken in all the same
	seen  map[string]bool // phones on the campaign that checks for duplicates
	conns int
	leads int
}

func newModelServer(l simulate.Limiter, base, jitter time.Duration, seed uint64) *modelServer {
	return newModelServerFor(simulate.Policies(simulate.Documented()), l, base, jitter, seed)
}

// newModelServerFor is a model server with limits that differ from the documented ones.
func newModelServerFor(policies map[string]plan.Policy, l simulate.Limiter, base, jitter time.Duration, seed uint64) *modelServer {
	h := fnv.New64a()
	_, _ = io.WriteString(h, l.Name)
	rng := rand.New(rand.NewPCG(seed, h.Sum64()))
	return &modelServer{
		start: time.Now(), base: base, jitter: jitter, rng: rng, seen: map[string]bool{},
		model: l.New(policies, rng),
	}
}

type connKey struct{}

// connContext numbers the connections, which is what a balancer may stick to.
func (m *modelServer) connContext(ctx context.Context, _ net.Conn) context.Context {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conns++
	return context.WithValue(ctx, connKey{}, m.conns)
}

// trip is how long a request or an answer is on its way.
func (m *modelServer) trip() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(m.base/10, m.base+time.Duration(m.rng.NormFloat64()*float64(m.jitter)))
}

func (m *modelServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	time.Sleep(m.trip())
	status, answer, advice, hold := m.answer(r, body)
	time.Sleep(hold + m.trip())
	if advice != "" {
		w.Header().Set("Retry-After", advice)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}

func (m *modelServer) answer(r *http.Request, body []byte) (status int, answer, advice string, hold time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := r.Header.Get("X-Api-Key")
	if key == "" {
		return http.StatusUnauthorized, `{"error":"unauthorized"}`, "", 0
	}
	name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	d := m.model.Decide(simulate.Request{
		Now: time.Since(m.start), Key: key, Endpoint: name, Conn: r.Context().Value(connKey{}).(int),
	})
	var lead struct {
		Campaign string `json:"flo_campaign_id"`
		Phone    string `json:"phone"`
	}
	_ = json.Unmarshal(body, &lead)
	if !d.Allowed {
		m.seen[lead.Phone] = m.seen[lead.Phone] || m.takes
		answer = `{"error":"rate_limited"}`
		if d.Advice.Body != "" {
			answer = `{"error":"rate_limited","retry_after":` + d.Advice.Body + `}`
		}
		if m.limit != "" {
			answer = m.limit
		}
		return http.StatusTooManyRequests, answer, d.Advice.Header, d.Hold
	}
	switch name {
	case "ping":
		return http.StatusOK, `{"accepted":true,"ping_id":"p"}`, "", d.Hold
	case "lookup":
		return http.StatusOK, `{"id":"1","status":"ACCEPTED"}`, "", d.Hold
	}
	if lead.Campaign == "cmp-unique" {
		if m.seen[lead.Phone] {
			return http.StatusUnprocessableEntity, `{"error":"rejected","filter_errors":["duplicate"]}`, "", d.Hold
		}
		m.seen[lead.Phone] = true
	}
	m.leads++
	return http.StatusCreated, fmt.Sprintf(`{"id":"%d","status":"ACCEPTED","buyer_id":"b"}`, m.leads), "", d.Hold
}

// against verifies a limiter, with a real attacker and a real server, in virtual time.
func against(t *testing.T, l simulate.Limiter, base, jitter time.Duration, seed uint64, endpoints ...string) (verdict harness.Verdict) {
	synctest.Test(t, func(t *testing.T) {
		m := newModelServer(l, base, jitter, seed)
		var err error
		verdict, err = verifyServer(t, &http.Server{Handler: m, ConnContext: m.connContext}, harness.Policy{Endpoints: endpoints})
		if err != nil {
			t.Error(err)
		}
		time.Sleep(5 * time.Minute) // answers that nobody waits for any more
	})
	return verdict
}

// rows lists the rows that came out in one of these ways, with the reason.
func rows(v harness.Verdict, outcomes ...harness.Outcome) (list []string) {
	for _, row := range v.Rows {
		if slices.Contains(outcomes, row.Outcome) {
			list = append(list, fmt.Sprintf("%s %s: %s", row.ID, row.Outcome, row.Reason))
		}
	}
	return list
}

// The virtual network: a way of 5 ms, with some jitter, so that dozens of requests are under way at a time.
const (
	way      = 5 * time.Millisecond
	wayNoise = 2 * time.Millisecond
)

// proof asks for the whole table: every limiter, on all endpoints.
var proof = os.Getenv("PROOF") != ""

// inCI are the limiters that are verified in every test run.
var inCI = []string{
	"dual bucket, peak depth 50 ms", "GCRA pair", "fixed 1 s windows with credit, from the first request", "sliding log",
	"burst timer with cool-down", "retry_after a fraction in the body",
	"R × 0.95, dual bucket", "R × 1.05, fixed windows", "B × 0.95, dual bucket", "B × 1.05, fixed windows", "W × 0.80, dual bucket",
	"W × 1.50, dual bucket", "no burst", "no limit", "single bucket", "per IP", "shared across endpoints", "a limit per connection",
	"rejects charged", "penalty box, 2 s", "burst never comes back", "queue instead of reject", "2 % refused at random",
	"Retry-After: missing", "Retry-After: too short", "Retry-After: too long", "Retry-After: header ≠ body",
}

// inRace are those of them whose ways through the harness differ most.
var inRace = []string{"GCRA pair", "burst timer with cool-down", "a limit per connection", "burst never comes back", "queue instead of reject"}

// endpointsFor are those on which a limiter is verified: ingest, whose requests are few enough; two where one shows nothing.
func endpointsFor(l simulate.Limiter) []string {
	if proof {
		return []string{harness.Ingest, harness.Ping, harness.Lookup}
	}
	switch {
	case l.Couples:
		return []string{harness.Ingest, harness.Lookup}
	case raceDetector:
		return []string{harness.Lookup} // a tenth of the requests
	}
	return []string{harness.Ingest}
}

func TestLimitersAgainstTheRealAttacker(t *testing.T) {
	for _, l := range simulate.Catalogue() {
		if !proof && !slices.Contains(inCI, l.Name) || raceDetector && !slices.Contains(inRace, l.Name) {
			continue
		}
		t.Run(l.Name, func(t *testing.T) {
			verdict := against(t, l, way, wayNoise, 1, endpointsFor(l)...)
			failed := rows(verdict, harness.Fail)
			switch {
			case l.Right && len(failed) > 0:
				t.Errorf("it is right, but failed: %s", strings.Join(failed, "\n"))
			case l.Right && len(rows(verdict, harness.NotAssessed)) > 1: // LD-LIM-ENDPOINT needs two endpoints, KEYS two keys
				t.Errorf("not assessed: %s", strings.Join(rows(verdict, harness.NotAssessed), "\n"))
			case !l.Right && len(failed) == 0:
				t.Errorf("it is wrong, and nothing failed; not assessed: %s", strings.Join(rows(verdict, harness.NotAssessed), "\n"))
			}
		})
	}
}

func TestInCINamesLimiters(t *testing.T) {
	for _, name := range append(inRace, inCI...) {
		if !slices.ContainsFunc(simulate.Catalogue(), func(l simulate.Limiter) bool { return l.Name == name }) {
			t.Errorf("there is no limiter %q", name)
		}
	}
}
