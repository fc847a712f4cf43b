package server_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"leadconform/reference/internal/distro"
	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/ratelimit"
	"leadconform/reference/internal/wire"
	"leadconform/reference/server"
)

// outOfReach is a limiter and a store whose backend is gone.
type outOfReach struct {
	ratelimit.Limiter
	leads.Store
	closed int
}

var errGone = errors.New("dial tcp 10.0.0.7:5432: password=hunter2")

func (*outOfReach) TwoRate(context.Context, ratelimit.Key, ratelimit.TwoRate) (ratelimit.Decision, error) {
	return ratelimit.Decision{}, errGone
}

func (*outOfReach) FixedWindow(context.Context, ratelimit.Key, ratelimit.FixedWindow) (ratelimit.Decision, error) {
	return ratelimit.Decision{}, errGone
}
func (*outOfReach) Place(context.Context, leads.Placement) (leads.DistroLead, error) {
	return leads.DistroLead{}, errGone
}

func (*outOfReach) Upsert(context.Context, leads.Tuple, leads.Fields, time.Time) (leads.InsertionLead, leads.Outcome, error) {
	return leads.InsertionLead{}, "", errGone
}
func (*outOfReach) Ready(context.Context) error { return errGone }

// limiterOutOfReach and storeOutOfReach settle which of the two a Reset is for.
type limiterOutOfReach struct{ *outOfReach }

func (limiterOutOfReach) Reset(context.Context) error { return errGone }
func (l limiterOutOfReach) Close() error              { l.closed++; return errGone }

type storeOutOfReach struct{ *outOfReach }

func (storeOutOfReach) Reset(context.Context, leads.ResetScope) error { return errGone }

// The limiter and the store are exchanged before the APIs are built on them, and what fails in them is told to the
// operator in the log alone.
func TestPartsOutOfReach(t *testing.T) {
	gone := &outOfReach{}
	for _, tc := range []struct {
		name     string
		assemble func(*server.Parts)
		reason   string
		reset    string // the scope that it makes impossible
	}{
		{"limiter", func(p *server.Parts) { p.Limiter = limiterOutOfReach{gone} }, "[the limiter is not ready]", "limits"},
		{"store", func(p *server.Parts) { p.Store = storeOutOfReach{gone} }, "[the store is not ready]", "caps"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var log bytes.Buffer
			r := newReference(t, server.Config{Assemble: tc.assemble, Log: slog.New(slog.NewTextHandler(&log, nil))})
			for what, answer := range map[string]reply{
				"ingest":         r.ingest("cmp-open", 1).want(t, 503),
				"insertion":      r.insertion("POST", leadsPath, insertLead).want(t, 500),
				"readiness":      r.control("GET", "/readyz", "").want(t, 503),
				"a reset":        r.control("POST", "/control/reset?scope="+tc.reset, "").want(t, 503),
				"a reset of all": r.control("POST", "/control/reset", "").want(t, 503),
			} {
				for member, value := range answer.body {
					if text, _ := value.(string); strings.Contains(text, "dial") || strings.Contains(text, "hunter2") {
						t.Errorf("%s tells why in %s: %s", what, member, text)
					}
				}
			}
			if reasons := r.control("GET", "/readyz", "").body["reasons"].([]any); len(reasons) != 1 || "["+reasons[0].(string)+"]" != tc.reason {
				t.Errorf("the reasons are %v, expected %s", reasons, tc.reason)
			}
			if !strings.Contains(log.String(), "dial tcp") {
				t.Error("the log doesn't say why")
			}
		})
	}
}

func TestCloseClosesTheParts(t *testing.T) {
	gone := &outOfReach{}
	r := newReference(t, server.Config{Assemble: func(p *server.Parts) { p.Limiter = limiterOutOfReach{gone} }})
	if err := r.Close(t.Context()); !errors.Is(err, errGone) || !strings.Contains(err.Error(), "close the limiter") || gone.closed != 1 {
		t.Errorf("closed %d times: %v", gone.closed, err)
	}
}

// Each part can be exchanged: the world, the clock, a step of either API, and the handler around both.
func TestAssemble(t *testing.T) {
	past := time.Date(2020, 2, 2, 2, 2, 2, 0, time.UTC)
	r := newReference(t, server.Config{Assemble: func(p *server.Parts) {
		p.World.Distro.Campaigns[0].Suppliers = nil // cmp-open
		p.Now = func() time.Time { return past }
		p.Distro = func(api *distro.API) {
			api.Answers.Forbidden = func() wire.Answer { return wire.Answer{Status: 418, Body: map[string]string{"error": "teapot"}} }
		}
		p.Insertion = func(api *insertion.API) {
			view := api.View
			api.View = func(lead leads.InsertionLead) insertion.Object {
				o := view(lead)
				o["id"] = "always the same"
				return o
			}
		}
		p.Handler = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Wrapped", "yes")
				next.ServeHTTP(w, r)
			})
		}
	}})
	answer := r.ingest("cmp-open", 1).want(t, 418)
	if answer.header.Get("X-Wrapped") != "yes" {
		t.Error("the handler is not wrapped")
	}
	r.insertion("POST", leadsPath, insertLead).want(t, 201)
	lead := r.insertion("GET", leadsPath+"/"+externalID, "").want(t, 200).lead()
	if lead["id"] != "always the same" || !strings.HasPrefix(lead["created_at"].(string), "2020-02-02T02:02:02") {
		t.Errorf("the lead is %v", lead)
	}
	entry := r.control("GET", "/control/journal", "").body["requests"].([]any)[0].(map[string]any)
	if !strings.HasPrefix(entry["at"].(string), "2020-02-02") || entry["status"] != 418. {
		t.Errorf("the journal entry is %v", entry)
	}
}
