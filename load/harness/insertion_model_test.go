package harness_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"leadconform/load/internal/simulate"
)

// insertionServer is an Insertion API of the barest kind, with any limiter before it.
type insertionServer struct {
	start  time.Time
	jitter time.Duration // standard deviation of a trip, one way
	base   time.Duration // of a trip

	mu      sync.Mutex
	model   simulate.Model
	rng     *rand.Rand
	limit   string // the body of a 429; "": as the contract has it
	stores  bool   // whether the lead of a POST that was answered 429 is stored all the same
	changes bool   // whether a PATCH that was answered 429 changes its lead all the same
	conns   int
	leads   map[string]*insertionLead // by either id
}

type insertionLead struct {
	ID         string `json:"id"`
	ExternalID string `json:"external_lead_id"`
	FirstName  string `json:"first_name"`
}

func newInsertionServer(l simulate.WindowLimiter, c simulate.Ceiling, base, jitter time.Duration, seed uint64) *insertionServer {
	rng := rand.New(rand.NewPCG(seed, uint64(len(l.Name))))
	return &insertionServer{
		start: time.Now(), base: base, jitter: jitter, rng: rng, model: l.New(c, rng), leads: map[string]*insertionLead{},
	}
}

// connContext numbers the connections.
func (s *insertionServer) connContext(ctx context.Context, _ net.Conn) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns++
	return context.WithValue(ctx, connKey{}, s.conns)
}

func (s *insertionServer) trip() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.base/10, s.base+time.Duration(s.rng.NormFloat64()*float64(s.jitter)))
}

func (s *insertionServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	time.Sleep(s.trip())
	status, answer, advice, hold := s.answer(r, body)
	time.Sleep(hold + s.trip())
	if advice != "" {
		w.Header().Set("Retry-After", advice)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}

func (s *insertionServer) answer(r *http.Request, body []byte) (status int, answer, advice string, hold time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := r.Header.Get("X-Adbuy-Public-Key")
	if key == "" {
		return http.StatusUnauthorized, `{"ok":false,"error":"missing_auth"}`, "", 0
	}
	name := simulate.LeadsPath
	if r.URL.Path == "/api/leads/ingest" {
		name = simulate.InternalPath
	}
	d := s.model.Decide(simulate.Request{
		Now: time.Since(s.start), Key: key, Endpoint: name, Conn: r.Context().Value(connKey{}).(int),
	})
	if d.Allowed {
		status, answer = s.take(r, body)
		return status, answer, "", d.Hold
	}
	if (r.Method == http.MethodPost && s.stores) || (r.Method == http.MethodPatch && s.changes) {
		s.take(r, body)
	}
	answer = `{"ok":false,"error":"rate_limited"}`
	if d.Advice.Body != "" {
		answer = `{"ok":false,"error":"rate_limited","retry_after":` + d.Advice.Body + `}`
	}
	if s.limit != "" {
		answer = s.limit
	}
	return http.StatusTooManyRequests, answer, d.Advice.Header, d.Hold
}

// take does what a request asks for.
func (s *insertionServer) take(r *http.Request, body []byte) (status int, answer string) {
	if r.Method == http.MethodPost {
		lead := &insertionLead{ID: uuid.NewString()}
		_ = json.Unmarshal(body, lead)
		if there := s.leads[lead.ExternalID]; there != nil {
			return http.StatusOK, success("deduped", there)
		}
		s.leads[lead.ID], s.leads[lead.ExternalID] = lead, lead
		return http.StatusCreated, success("inserted", lead)
	}
	lead := s.leads[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]]
	if lead == nil {
		return http.StatusNotFound, `{"ok":false,"error":"not_found"}`
	}
	if r.Method == http.MethodPatch {
		_ = json.Unmarshal(body, lead)
	}
	return http.StatusOK, success("patched", lead)
}

func success(status string, lead *insertionLead) string {
	text, _ := json.Marshal(lead)
	return fmt.Sprintf(`{"ok":true,"status":%q,"lead":%s}`, status, text)
}
