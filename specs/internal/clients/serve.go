package clients

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"leadconform/fixtures/target"
)

// HeaderScenario names the scenario of a request that comes without its prefix.
const HeaderScenario = "X-Lead-Scenario"

// prefix stands before a scenario's name in a path.
const prefix = "/s/"

// Session is scenarios that are served to a client which isn't started by us: a deployed integration. Each is played to
// the first lead that it gets; every other lead is a control. One server has them all, at /s/NAME, or at / where the
// header X-Lead-Scenario has the name.
type Session struct {
	URL     string // of the server
	scripts []*Script
	stop    func()
}

// Serve starts a session on addr.
func (t Trial) Serve(ctx context.Context, addr string) (*Session, error) {
	s := &Session{}
	p := target.Reference("http://127.0.0.1", "")
	for _, scenario := range t.Scenarios() {
		var trial, control lead
		if scenario.Action == Update { // nobody can update what isn't there
			var err error
			if trial, control, err = leads(p, t.Book.Recipe, scenario); err != nil {
				return nil, err
			}
		}
		s.scripts = append(s.scripts, newScript(t.Book.Recipe, scenario, p, t.Speed, trial, control))
	}
	var err error
	if s.URL, s.stop, err = t.Start(ctx, addr, s.wrap); err != nil {
		return nil, fmt.Errorf("serve on %s: %w", addr, err)
	}
	for _, script := range s.scripts {
		if err := script.prepare(); err != nil {
			s.stop()
			return nil, err
		}
	}
	return s, nil
}

// Place is where a client finds a scenario.
type Place struct {
	Scenario Scenario
	URL      string
	LeadID   string // the lead to update; "" where the client sends its own
	Payload  string // what to set there
}

// Places lists the scenarios.
func (s *Session) Places() []Place {
	var all []Place
	for _, script := range s.scripts {
		place := Place{Scenario: script.scenario, URL: s.URL + prefix + script.scenario.Name, LeadID: script.trial.id}
		if place.LeadID != "" {
			place.Payload = string(script.trial.payload)
		}
		all = append(all, place)
	}
	return all
}

// End stops serving and returns the journals by scenario.
func (s *Session) End() map[string]*Journal {
	journals := map[string]*Journal{}
	for _, script := range s.scripts {
		script.look()
		journals[script.scenario.Name] = script.end()
	}
	s.stop()
	return journals
}

// wrap sends each request to the script of its scenario.
func (s *Session) wrap(api http.Handler) http.Handler {
	handlers := map[string]http.Handler{}
	var names []string
	for _, script := range s.scripts {
		handlers[script.scenario.Name] = script.Wrap(api)
		names = append(names, script.scenario.Name)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Header.Get(HeaderScenario)
		if below, ok := strings.CutPrefix(r.URL.Path, prefix); ok {
			name, _, _ = strings.Cut(below, "/")
		}
		handler, ok := handlers[name]
		if !ok {
			http.Error(w, fmt.Sprintf("no such scenario: put %sNAME before the path, or NAME into the header %s; the names are %s",
				prefix, HeaderScenario, strings.Join(names, ", ")), http.StatusNotFound)
			return
		}
		if strings.HasPrefix(r.URL.Path, prefix) {
			handler = http.StripPrefix(prefix+name, handler)
		}
		handler.ServeHTTP(w, r)
	})
}
