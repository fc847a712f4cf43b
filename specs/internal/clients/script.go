package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"leadconform/fixtures/target"
)

// Script plays one scenario in front of the API.
type Script struct {
	recipe   string
	scenario Scenario
	profile  *target.Profile
	api      http.Handler
	began    time.Time

	mu      sync.Mutex
	trial   lead
	control lead
	own     bool // the client sends leads of its own: the first that comes is the one that the script is about
	phase   Phase
	begun   chan struct{} // closed by the phase's first request; nil where nobody waits for it
	next    int           // step
	journal *Journal
}

// newScript makes the script of a scenario. Without leads of ours, the client sends its own.
func newScript(recipe string, scenario Scenario, p *target.Profile, speed float64, trial, control lead) *Script {
	return &Script{
		recipe: recipe, scenario: scenario, profile: p, began: time.Now(), trial: trial, control: control,
		own: trial.payload == nil, journal: &Journal{Scenario: scenario, Speed: speed},
	}
}

// Wrap puts the script before the API.
func (s *Script) Wrap(api http.Handler) http.Handler {
	s.api = api
	return s
}

// begin starts a phase: the requests from here on belong to that call of the client. The first of them closes begun.
func (s *Script) begin(p Phase) (begun <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase, s.begun = p, make(chan struct{})
	return s.begun
}

// sent says whether the lead has come.
func (s *Script) sent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.journal.tries()) > 0
}

// end returns the journal. Requests that are still under way stay as they are: nobody waits for them any more.
func (s *Script) end() *Journal {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := *s.journal
	j.Length = time.Since(s.began)
	j.Entries = make([]*Entry, len(s.journal.Entries))
	for i, e := range s.journal.Entries {
		entry := *e
		j.Entries[i] = &entry
	}
	return &j
}

// maxBody is more than the API reads of a body.
const maxBody = 2 << 20

// ServeHTTP answers a request by the step that it meets, or by the API.
func (s *Script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away before its request was whole
	}
	entry, step := s.arrive(r, body)
	if !s.slow(r, step) {
		panic(http.ErrAbortHandler)
	}
	var a *answer
	switch {
	case step == nil || (step.Status == 0 && step.Drop == ""):
		a = s.pass(r, body)
	case step.Drop == DropBefore:
		s.answered(entry, nil)
		reset(w)
	case step.Drop == DropAfter:
		_ = s.pass(r, body)
		s.answered(entry, nil)
		panic(http.ErrAbortHandler)
	default:
		if step.Conflict != nil {
			s.interfere(step.Conflict)
		}
		a = s.scripted(entry, step)
	}
	s.answered(entry, a)
	a.write(w)
}

// arrive journals a request and finds the step that answers it; nil means the API.
func (s *Script) arrive(r *http.Request, body []byte) (*Entry, *Step) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun != nil {
		close(s.begun)
		s.begun = nil
	}
	e := &Entry{
		Phase: s.phase, Arrived: now.Sub(s.began), Answered: now.Sub(s.began), At: now,
		Method: r.Method, Path: r.URL.RequestURI(), Header: r.Header.Clone(), Body: body,
	}
	e.About = s.about(r, body)
	if len(s.journal.Entries) >= maxEntries {
		s.journal.Unkept++
	} else {
		s.journal.Entries = append(s.journal.Entries, e)
	}
	if e.About != TheLead || s.phase != First || s.next >= len(s.scenario.Steps) {
		return e, nil
	}
	s.next++
	e.Scripted = s.scenario.Steps[s.next-1].Status != 0 || s.scenario.Steps[s.next-1].Drop != ""
	return e, &s.scenario.Steps[s.next-1]
}

// about says which lead a request carries. In the client's first call that is the lead, whatever the client made of it.
func (s *Script) about(r *http.Request, body []byte) About {
	if !s.sends(r) {
		return NoLead
	}
	if s.own && s.trial.marks == nil {
		s.trial.marks = marksOf(body)
	}
	switch {
	case s.own && s.trial.is(r.URL.Path, body):
		return TheLead
	case s.own:
		return SecondLead
	case s.control.is(r.URL.Path, body):
		return SecondLead
	case s.phase == First, s.trial.is(r.URL.Path, body):
		return TheLead
	}
	return NoLead
}

// collection is where the Insertion API has its leads.
const collection = "/api/v1/insertion/leads"

// sends says whether a request is one that carries a lead in this scenario.
func (s *Script) sends(r *http.Request) bool {
	switch {
	case s.recipe == Distro:
		return r.Method == http.MethodPost && r.URL.Path == "/api/v1/ingest"
	case s.scenario.Action == Update:
		return r.Method == http.MethodPatch && strings.HasPrefix(r.URL.Path, collection+"/")
	}
	return r.Method == http.MethodPost && (r.URL.Path == collection || r.URL.Path == "/api/leads/ingest")
}

// slow waits as long as the step takes, and reports whether the client is still there.
func (s *Script) slow(r *http.Request, step *Step) bool {
	if step == nil || step.Slow == 0 {
		return true
	}
	select {
	case <-time.After(scaled(step.Slow, s.journal.Speed)):
		return true
	case <-r.Context().Done():
		return false
	}
}

// scripted makes the answer of a step, and journals what it asks for.
func (s *Script) scripted(e *Entry, step *Step) *answer {
	a := &answer{status: step.Status, header: http.Header{"Content-Type": {"application/json"}}}
	for name, value := range step.Header {
		a.header.Set(name, value)
	}
	members := map[string]any{}
	for name, value := range step.Body {
		members[name] = value
	}
	if step.RetryAfter > 0 {
		wait := step.wait(s.journal.Speed)
		seconds := int64(wait / time.Second)
		now := time.Now()
		until := now.Add(wait)
		a.header.Set("Retry-After", strconv.FormatInt(seconds, 10))
		if step.As == AsDate { // a date knows whole seconds only: the next one from there
			until = until.Truncate(time.Second).Add(time.Second)
			a.header.Set("Retry-After", until.UTC().Format(http.TimeFormat))
		}
		if s.recipe == Distro && step.Status == http.StatusTooManyRequests {
			members["retry_after"] = seconds
		}
		s.mu.Lock()
		e.Wait, e.Until, e.Dated = until.Sub(now), until.Sub(s.began), step.As == AsDate
		s.mu.Unlock()
	}
	a.body, _ = json.Marshal(members) // it was YAML: it can be written as JSON
	return a
}

// answered journals an answer; nil is none.
func (s *Script) answered(e *Entry, a *answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Answered = time.Since(s.began)
	if a != nil {
		e.Status, e.AnswerHeader, e.AnswerBody = a.status, a.header.Clone(), a.body
	}
}

// pass lets the API answer.
func (s *Script) pass(r *http.Request, body []byte) *answer {
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	a := &answer{header: http.Header{}}
	s.api.ServeHTTP(a, again)
	return a
}

// reset ends a connection the hard way, as a network does that loses it.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
	panic(http.ErrAbortHandler)
}

// prepare puts the leads of an update where the client expects them.
func (s *Script) prepare() error {
	if s.scenario.Action != Update {
		return nil
	}
	for _, l := range []*lead{&s.trial, &s.control} {
		a, err := s.ask(http.MethodPost, collection, l.payload)
		if err != nil {
			return fmt.Errorf("create the lead that the client is to update: %w", err)
		}
		created, _ := a["lead"].(map[string]any)
		if id, ok := created["id"].(string); ok {
			l.marks = append(l.marks, id)
		}
		if l.payload, err = json.Marshal(change()); err != nil {
			return err
		}
	}
	s.journal.Mine = change()
	return nil
}

// interfere is the concurrent change that makes a 409.
func (s *Script) interfere(change map[string]any) {
	body, _ := json.Marshal(change) // it was YAML: it can be written as JSON
	_, err := s.ask(http.MethodPatch, collection+"/"+s.trial.id, body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal.Theirs = change
	if err != nil {
		s.journal.Fault = fmt.Errorf("make the concurrent change: %w", err)
	}
}

// look journals what an update has made of the lead.
func (s *Script) look() {
	if s.scenario.Action != Update {
		return
	}
	a, err := s.ask(http.MethodGet, collection+"/"+s.trial.id, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal.Final, _ = a["lead"].(map[string]any)
	if err != nil {
		s.journal.Fault = fmt.Errorf("look at the lead: %w", err)
	}
}

// ask sends a request of our own to the API, past the script, and returns the answer of a success.
func (s *Script) ask(method, path string, body []byte) (map[string]any, error) {
	r, err := http.NewRequest(method, path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = s.profile.Insertion.SignedHeader(s.profile.Insertion.Credentials["primary"], time.Now(), body)
	r.Header.Set("Content-Type", "application/json")
	r.RequestURI = path
	a := s.pass(r, body)
	if a.status/100 != 2 {
		return nil, fmt.Errorf("%s %s: the API answered %d %s", method, path, a.status, a.body)
	}
	var members map[string]any
	if err := json.Unmarshal(a.body, &members); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return members, nil
}
