package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"leadconform/reference/server"
)

// LD-500-*, LD-503-*: a fault is on until it is turned off, and then the same request succeeds.
func TestFaultsOfTheLeadDistroAPI(t *testing.T) {
	for _, tc := range []struct {
		kind, error string
		status      int
	}{
		{"500", "internal_error", 500},
		{"500_after", "internal_error", 500},
		{"503", "service_unavailable", 503},
	} {
		t.Run(tc.kind, func(t *testing.T) {
			r := newReference(t, server.Config{})
			r.control("POST", "/control/faults", fmt.Sprintf(`{"api": "distro", "kind": %q}`, tc.kind)).want(t, 200)
			for last := range 3 {
				answer := r.ingest("cmp-open", last).want(t, tc.status)
				if answer.body["error"] != tc.error || answer.body["message"] == "" {
					t.Errorf("the envelope is %v", answer.body)
				}
				if (answer.header.Get("Retry-After") != "") != (tc.status == 503) {
					t.Errorf("Retry-After is %q", answer.header.Get("Retry-After"))
				}
			}
			r.insertion("POST", leadsPath, insertLead).want(t, 201) // the other API has no part in it
			r.control("DELETE", "/control/faults?api=distro", "").want(t, 200)
			r.ingest("cmp-open", 0).want(t, 201)
		})
	}
}

// A 500 before the handler leaves nothing behind, a 500 after it leaves what was done (IN-500-02).
func TestA500BeforeAndAfterTheWrite(t *testing.T) {
	r := newReference(t, server.Config{})
	r.control("POST", "/control/faults", `{"api": "distro", "kind": "500", "endpoint": "ingest", "count": 1}`)
	r.ingest("cmp-unique", 1).want(t, 500)
	r.ingest("cmp-unique", 1).want(t, 201)

	r.control("POST", "/control/faults", `{"api": "distro", "kind": "500_after", "endpoint": "ingest", "count": 1}`)
	r.ingest("cmp-unique", 2).want(t, 500)
	r.ingest("cmp-unique", 2).want(t, 422) // it was taken in

	r.control("POST", "/control/faults", `{"api": "insertion", "kind": "500", "count": 1}`)
	r.insertion("POST", leadsPath, insertLead).want(t, 500)
	r.insertion("GET", leadsPath+"/"+externalID, "").want(t, 404)

	r.control("POST", "/control/faults", `{"api": "insertion", "kind": "500_after", "endpoint": "create", "count": 1}`)
	failed := r.insertion("POST", leadsPath, insertLead).want(t, 500)
	if failed.body["ok"] != false || failed.body["error"] != "internal_error" {
		t.Errorf("the envelope is %v", failed.body)
	}
	if again := r.insertion("POST", leadsPath, insertLead).want(t, 200); again.body["status"] != "deduped" {
		t.Errorf("the retry is %v", again.body["status"])
	}
}

// IN-409-01, IN-409-02: the PATCH loses to a write that really happened, changes nothing, and succeeds when tried again.
func TestForcedConflict(t *testing.T) {
	now := time.Now()
	r := newReference(t, server.Config{Now: func() time.Time { now = now.Add(time.Second); return now }})
	inserted := r.insertion("POST", leadsPath, insertLead).want(t, 201).lead()
	one := leadsPath + "/" + inserted["id"].(string)
	change := `{"first_name": "Grace"}`

	r.control("POST", "/control/faults", `{"api": "insertion", "kind": "conflict", "endpoint": "patch", "count": 1}`).want(t, 200)
	before := r.insertion("GET", one, "").want(t, 200).lead()
	r.insertion("PATCH", one, `{}`).want(t, 400) // a PATCH that isn't one doesn't use it up
	r.insertion("PATCH", leadsPath+"/"+strings.ToUpper(externalID[:35])+"f", change).want(t, 404)

	lost := r.insertion("PATCH", one, change).want(t, 409)
	if lost.body["ok"] != false || lost.body["error"] != "conflict" {
		t.Errorf("the envelope is %v", lost.body)
	}
	between := r.insertion("GET", one, "").want(t, 200).lead()
	if between["first_name"] != nil {
		t.Errorf("the PATCH that lost is written: %v", between)
	}
	if between["updated_at"] == before["updated_at"] {
		t.Error("nothing was written in between: the conflict is not a real one")
	}
	if won := r.insertion("PATCH", one, change).want(t, 200); won.lead()["first_name"] != "Grace" {
		t.Errorf("the second PATCH reads back %v", won.lead())
	}
	if left := r.control("GET", "/control/faults", "").body["faults"]; len(left.([]any)) != 0 {
		t.Errorf("still on: %v", left)
	}
}

func TestFaultsAreListed(t *testing.T) {
	r := newReference(t, server.Config{})
	r.control("POST", "/control/faults", `{"api": "distro", "kind": "500", "endpoint": "ping", "count": 3}`)
	set := r.control("POST", "/control/faults", `{"api": "insertion", "kind": "conflict"}`)
	for _, answer := range []reply{set, r.control("GET", "/control/faults", "")} {
		got, _ := json.Marshal(answer.body)
		const want = `{"faults":[{"api":"distro","count":3,"endpoint":"ping","kind":"500"},{"api":"insertion","count":0,"endpoint":"*","kind":"conflict"}]}`
		if string(got) != want {
			t.Errorf("the faults are\n%s, expected\n%s", got, want)
		}
	}
	left := r.control("DELETE", "/control/faults?kind=conflict", "").want(t, 200).body["faults"].([]any)
	if len(left) != 1 {
		t.Errorf("left are %v", left)
	}
	r.control("DELETE", "/control/faults", "")
	if answer := r.control("GET", "/control/faults", ""); fmt.Sprint(answer.body) != "map[faults:[]]" {
		t.Errorf("left are %v", answer.body)
	}
}

func TestReset(t *testing.T) {
	for _, tc := range []struct {
		target, scope               string
		capsFree, leadsGone, rested bool
	}{
		{"/control/reset", "all", true, true, true},
		{"/control/reset?scope=all", "all", true, true, true},
		{"/control/reset?scope=caps", "caps", true, false, false},
		{"/control/reset?scope=limits", "limits", false, false, true},
	} {
		t.Run(tc.target, func(t *testing.T) {
			r := newReference(t, server.Config{})
			for last := range 3 {
				r.ingest("cmp-capped", last).want(t, 201)
			}
			r.ingest("cmp-capped", 4).want(t, 200)
			r.ingest("cmp-unique", 1).want(t, 201)
			for r.lookup().status != 429 {
			}

			if answer := r.control("POST", tc.target, "").want(t, 200); answer.body["reset"] != tc.scope {
				t.Errorf("what was reset is %v", answer.body)
			}
			status := map[bool]int{true: 201, false: 200}
			r.ingest("cmp-capped", 5).want(t, status[tc.capsFree])
			status[false] = 422
			r.ingest("cmp-unique", 1).want(t, status[tc.leadsGone])
			if limited := r.lookup().status == 429; limited == tc.rested {
				t.Errorf("the limit is in force: %v", limited)
			}
		})
	}
}

// lookup asks for a lead that isn't there, at the documented limits.
func (r reference) lookup() reply {
	r.t.Helper()
	return r.send(r.Handler(), "GET", "/api/v1/leads/lookup?phone=5550109999", "", "x-api-key", limitedKey)
}

func TestJournal(t *testing.T) {
	r := newReference(t, server.Config{})
	r.ingest("cmp-open", 7)
	r.send(r.Handler(), "PUT", "/nowhere", "")
	answer := r.control("GET", "/control/journal", "").want(t, 200)
	text, _ := json.Marshal(answer.body)
	requests := answer.body["requests"].([]any)
	if len(requests) != 2 || answer.body["arrived"] != 2. {
		t.Fatalf("the journal is %s", text)
	}
	first, second := requests[0].(map[string]any), requests[1].(map[string]any)
	if first["n"] != 1. || first["api"] != "distro" || first["endpoint"] != "ingest" || first["status"] != 201. ||
		!strings.Contains(first["body"].(string), `"phone": "5550100007"`) {
		t.Errorf("the first entry is %v", first)
	}
	if second["method"] != "PUT" || second["path"] != "/nowhere" || second["endpoint"] != "" || second["status"] != 404. {
		t.Errorf("the second entry is %v", second)
	}
	if strings.Contains(string(text), primaryKey) {
		t.Error("the journal holds an API key")
	}
	r.control("DELETE", "/control/journal", "").want(t, 200)
	if answer := r.control("GET", "/control/journal", ""); len(answer.body["requests"].([]any)) != 0 {
		t.Errorf("the journal that was cleared is %v", answer.body)
	}
}

func TestMetrics(t *testing.T) {
	r := newReference(t, server.Config{})
	r.ingest("cmp-open", 1).want(t, 201)
	r.ingest("cmp-none", 1).want(t, 404)
	r.insertion("GET", leadsPath, "").want(t, 200)
	r.send(r.Handler(), "GET", "/some/path", "").want(t, 404)
	r.send(r.Handler(), "BREW", "/api/v1/ingest", "").want(t, 405)
	for r.lookup().status != 429 {
	}
	w := httptest.NewRecorder()
	r.Control().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`reference_requests_total{api="distro",endpoint="ingest",status="201"} 1`,
		`reference_requests_total{api="distro",endpoint="ingest",status="404"} 1`,
		`reference_requests_total{api="distro",endpoint="none",status="404"} 1`,
		`reference_requests_total{api="distro",endpoint="none",status="405"} 1`,
		`reference_requests_total{api="distro",endpoint="lookup",status="429"} 1`,
		`reference_requests_total{api="insertion",endpoint="list",status="200"} 1`,
		`reference_request_duration_seconds_count{api="distro",endpoint="ingest"} 2`,
		`reference_limiter_decisions_total{outcome="allowed",scope="distro/ingest"} 2`,
		`reference_limiter_decisions_total{outcome="allowed",scope="insertion"} 1`,
		`reference_limiter_decisions_total{outcome="refused",scope="distro/lookup"} 1`,
	} {
		if !strings.Contains(w.Body.String(), want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func TestBadControlInput(t *testing.T) {
	for _, tc := range []struct {
		method, target, body string
		status               int
		want                 string // part of the message
	}{
		{"POST", "/control/faults", ``, 400, `the body must be an object such as {"api": "distro"`},
		{"POST", "/control/faults", `[]`, 400, "the body must be an object"},
		{"POST", "/control/faults", `{"api": "distro", "kind": "500"} x`, 400, "the body must be an object"},
		{"POST", "/control/faults", `{"api": "distro", "kind": "500", "endpoints": "*"}`, 400, "endpoints"},
		{"POST", "/control/faults", `{"api": "distro", "kind": 500}`, 400, "kind"},
		{"POST", "/control/faults", `{"api": "distro", "kind": "500", "count": "1"}`, 400, "count"},
		{"POST", "/control/faults", `{"api": "distro", "kind": "500", "count": -1}`, 400, "count must not be negative"},
		{"POST", "/control/faults", `{"kind": "500"}`, 400, `api must be one of distro, insertion, not ""`},
		{"POST", "/control/faults", `{"api": "distro", "kind": "502"}`, 400, "kind must be one of 500, 500_after, 503, conflict"},
		{"POST", "/control/faults", `{"api": "insertion", "kind": "503"}`, 400, "knows no 503"},
		{"POST", "/control/faults", `{"api": "distro", "kind": "500", "endpoint": "` + strings.Repeat("x", 5000) + `"}`, 400, "the body must be an object"},
		{"DELETE", "/control/faults?api=lead", "", 400, `api must be one of distro, insertion, not "lead"`},
		{"DELETE", "/control/faults?kind=5", "", 400, `kind must be one of`},
		{"DELETE", "/control/faults?endpoint=ping", "", 400, `there is no parameter "endpoint"; there is api, kind`},
		{"DELETE", "/control/faults?api=distro&api=insertion", "", 400, "api is given 2 times"},
		{"DELETE", "/control/faults?api=%zz", "", 400, "the query can't be read"},
		{"PUT", "/control/faults", "", 405, "/control/faults answers DELETE, GET, POST"},
		{"POST", "/control/reset?scope=lead", "", 400, `scope must be one of all, caps, limits, not "lead"`},
		{"POST", "/control/reset?skope=all", "", 400, `there is no parameter "skope"; there is scope`},
		{"GET", "/control/reset", "", 405, "/control/reset answers POST"},
		{"POST", "/control/journal", "", 405, "/control/journal answers DELETE, GET"},
		{"POST", "/healthz", "", 405, "/healthz answers GET"},
		{"GET", "/control", "", 404, "there is nothing at /control; there are /healthz, /readyz, /metrics, /control/faults"},
		{"GET", "/api/v1/ingest", "", 404, "there is nothing at /api/v1/ingest"},
	} {
		t.Run(tc.method+" "+tc.target, func(t *testing.T) {
			r := newReference(t, server.Config{})
			r.ingest("cmp-capped", 1)
			answer := r.control(tc.method, tc.target, tc.body).want(t, tc.status)
			if code, _ := answer.body["error"].(string); code == "" || !strings.Contains(answer.body["message"].(string), tc.want) {
				t.Errorf("the answer is %v, expected a message with: %s", answer.body, tc.want)
			}
			if (answer.header.Get("Allow") != "") != (tc.status == 405) {
				t.Errorf("Allow is %q", answer.header.Get("Allow"))
			}
			if on := r.control("GET", "/control/faults", ""); len(on.body["faults"].([]any)) > 0 {
				t.Errorf("a fault is on: %v", on.body)
			}
		})
	}
}

func TestControlBodyThatBreaksOff(t *testing.T) {
	r := newReference(t, server.Config{})
	w := httptest.NewRecorder()
	r.Control().ServeHTTP(w, httptest.NewRequest("POST", "/control/faults", io.MultiReader(strings.NewReader(`{"api"`), iotest.ErrReader(io.ErrUnexpectedEOF))))
	if w.Code != 400 || !strings.Contains(w.Body.String(), "could not be read") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestHealth(t *testing.T) {
	r := newReference(t, server.Config{})
	r.control("GET", "/healthz", "").want(t, http.StatusOK)
	r.control("GET", "/readyz", "").want(t, http.StatusOK)
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.control("GET", "/healthz", "").want(t, http.StatusOK)
	answer := r.control("GET", "/readyz", "").want(t, http.StatusServiceUnavailable)
	if fmt.Sprint(answer.body["reasons"]) != "[the server is draining]" {
		t.Errorf("the reasons are %v", answer.body["reasons"])
	}
}
