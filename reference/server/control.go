package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"leadconform/fixtures"
	"leadconform/reference/internal/faults"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// controlHandler answers to the operator.
func (s *Server) controlHandler(m *metrics) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/healthz", methods{http.MethodGet: healthy})
	mux.Handle("/readyz", methods{http.MethodGet: s.readiness})
	mux.Handle("/metrics", m.handler())
	mux.Handle("/control/faults", methods{
		http.MethodGet:    s.listFaults,
		http.MethodPost:   s.setFault,
		http.MethodDelete: s.clearFaults,
	})
	mux.Handle("/control/reset", methods{http.MethodPost: s.reset})
	mux.Handle("/control/journal", methods{
		http.MethodGet:    s.readJournal,
		http.MethodDelete: s.clearJournal,
	})
	mux.HandleFunc("/openapi/{document}", openAPI)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_ = refused(http.StatusNotFound, "not_found",
			"there is nothing at %s; there are /healthz, /readyz, /metrics, /control/faults, /control/reset, /control/journal, /openapi/distro.yaml and /openapi/insertion.yaml", r.URL.Path).Write(w)
	})
	return mux
}

// methods answers one path: each method in its own way, and 405 to all others.
type methods map[string]func(*http.Request) wire.Answer

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	respond, ok := m[method]
	if !ok {
		allowed := make([]string, 0, len(m))
		for method := range m {
			allowed = append(allowed, method)
		}
		slices.Sort(allowed)
		respond = func(r *http.Request) wire.Answer {
			answer := refused(http.StatusMethodNotAllowed, "method_not_allowed", "%s answers %s", r.URL.Path, strings.Join(allowed, ", "))
			answer.Header = http.Header{"Allow": {strings.Join(allowed, ", ")}}
			return answer
		}
	}
	_ = respond(r).Write(w) // the operator has gone: there is nobody to tell
}

// openAPI serves the documents of both APIs (RFC 9512 for the media type).
func openAPI(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		methods{http.MethodGet: nil}.ServeHTTP(w, r) // 405
		return
	}
	text, err := fixtures.FS.ReadFile("openapi/" + r.PathValue("document"))
	if err != nil {
		_ = refused(http.StatusNotFound, "not_found", "there is no such document; there are distro.yaml and insertion.yaml").Write(w)
		return
	}
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(text) // the operator has gone: there is nobody to tell
}

type object map[string]any

func refused(status int, code, format string, args ...any) wire.Answer {
	return wire.Answer{Status: status, Body: object{"error": code, "message": fmt.Sprintf(format, args...)}}
}

func badRequest(err error) wire.Answer {
	return refused(http.StatusBadRequest, "bad_request", "%v", err)
}

func healthy(*http.Request) wire.Answer {
	return wire.Answer{Status: http.StatusOK, Body: object{"status": "ok"}}
}

// patience is how long the store and the limiter have to say that they are ready.
const patience = 2 * time.Second

// readiness says whether requests should be sent here. Why a part is not ready is for the log: it may name addresses.
func (s *Server) readiness(r *http.Request) wire.Answer {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	names := [...]string{"store", "limiter"}
	var errs [len(names)]error
	var asked sync.WaitGroup // side by side: one that doesn't answer uses up the time
	for i, ready := range [...]func(context.Context) error{s.store.Ready, s.gate.Ready} {
		asked.Go(func() { errs[i] = ready(ctx) })
	}
	asked.Wait()

	var reasons []string
	if s.draining.Load() {
		reasons = append(reasons, "the server is draining")
	}
	for i, name := range names {
		if errs[i] != nil {
			reasons = append(reasons, "the "+name+" is not ready")
			s.log.WarnContext(ctx, "not ready", "part", name, "error", errs[i])
		}
	}
	if len(reasons) > 0 {
		return wire.Answer{Status: http.StatusServiceUnavailable, Body: object{"status": "not ready", "reasons": reasons}}
	}
	return wire.Answer{Status: http.StatusOK, Body: object{"status": "ready"}}
}

func (s *Server) listFaults(*http.Request) wire.Answer {
	return wire.Answer{Status: http.StatusOK, Body: object{"faults": s.board.List()}}
}

func (s *Server) setFault(r *http.Request) wire.Answer {
	const most = 4 << 10 // bytes; a fault takes a hundred
	body, err := io.ReadAll(io.LimitReader(r.Body, most))
	if err != nil {
		return badRequest(errors.New("the body could not be read to its end"))
	}
	var fault faults.Fault
	if err := json.Unmarshal(body, &fault, json.RejectUnknownMembers(true)); err != nil {
		return badRequest(fmt.Errorf(`the body must be an object such as {"api": "distro", "kind": "500", "endpoint": "*", "count": 1}: %w`, err))
	}
	if err := s.board.Set(fault); err != nil {
		return badRequest(err)
	}
	return s.listFaults(r)
}

func (s *Server) clearFaults(r *http.Request) wire.Answer {
	query, err := query(r, "api", "kind")
	if err != nil {
		return badRequest(err)
	}
	if err := s.board.Clear(query["api"], faults.Kind(query["kind"])); err != nil {
		return badRequest(err)
	}
	return s.listFaults(r)
}

func (s *Server) reset(r *http.Request) wire.Answer {
	query, err := query(r, "scope")
	if err != nil {
		return badRequest(err)
	}
	scope := query["scope"]
	switch scope {
	case "", "all":
		scope = "all"
		err = errors.Join(s.store.Reset(r.Context(), leads.ResetAll), s.limiter.Reset(r.Context()))
	case "caps":
		err = s.store.Reset(r.Context(), leads.ResetCaps)
	case "limits":
		err = s.limiter.Reset(r.Context())
	default:
		return badRequest(fmt.Errorf("scope must be one of all, caps, limits, not %q", scope))
	}
	if err != nil {
		s.log.ErrorContext(r.Context(), "reset failed", "scope", scope, "error", err)
		return refused(http.StatusServiceUnavailable, "unavailable", "the store or the limiter could not be reset: see the log")
	}
	return wire.Answer{Status: http.StatusOK, Body: object{"reset": scope}}
}

func (s *Server) readJournal(*http.Request) wire.Answer {
	entries, arrived := s.journal.Entries()
	return wire.Answer{Status: http.StatusOK, Body: object{"arrived": arrived, "requests": entries}}
}

func (s *Server) clearJournal(*http.Request) wire.Answer {
	s.journal.Clear()
	return wire.Answer{Status: http.StatusOK, Body: object{"arrived": 0, "requests": []faults.Entry{}}}
}

// query reads the parameters that are known, each at most once. A parameter that isn't known is an error, lest a
// misspelt one do more than was asked.
func query(r *http.Request, known ...string) (map[string]string, error) {
	all, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, errors.New("the query can't be read")
	}
	values := map[string]string{}
	for name, given := range all {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no parameter %q; there is %s", name, strings.Join(known, ", "))
		}
		if len(given) > 1 {
			return nil, fmt.Errorf("%s is given %d times: give it once", name, len(given))
		}
		values[name] = given[0]
	}
	return values, nil
}
