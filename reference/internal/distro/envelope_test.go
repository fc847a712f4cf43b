package distro

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// envelopeFault says what an answer lacks that every answer must have, or "".
func envelopeFault(a answer) string {
	if got := a.header.Get("Content-Type"); got != "application/json" {
		return fmt.Sprintf("Content-Type is %q", got)
	}
	_, hasError := a.body["error"]
	_, hasFieldErrors := a.body["field_errors"]
	_, hasFilterErrors := a.body["filter_errors"]
	switch {
	case a.status == http.StatusOK || a.status == http.StatusCreated:
		if hasError || hasFieldErrors || hasFilterErrors {
			return "a success with the members of a failure"
		}
		return ""
	case !identifier.MatchString(a.text("error")):
		return "error is no identifier"
	case a.text("message") == "":
		return "there is no message"
	case hasFieldErrors != (a.status == http.StatusBadRequest):
		return "field_errors belong to a 400 and to nothing else"
	case hasFilterErrors != (a.status == http.StatusUnprocessableEntity):
		return "filter_errors belong to a 422 and to nothing else"
	}
	return entriesFault(a)
}

func entriesFault(a answer) string {
	for list, members := range map[string][]string{"field_errors": {"field", "code", "message"}, "filter_errors": {"rule", "message"}} {
		value, there := a.body[list]
		entries, isList := value.([]any)
		if there && !isList {
			return list + " is no array"
		}
		for _, entry := range entries {
			object, _ := entry.(map[string]any)
			for _, member := range members {
				if text, _ := object[member].(string); text == "" {
					return fmt.Sprintf("an entry of %s without %s", list, member)
				}
			}
		}
	}
	if entries, _ := a.body["filter_errors"].([]any); a.status == http.StatusUnprocessableEntity && len(entries) == 0 {
		return "a 422 that names no rule"
	}
	return ""
}

func TestAnswersAlone(t *testing.T) {
	answers := newAnswers()
	east := time.Date(2026, 3, 2, 1, 0, 0, 0, time.FixedZone("east", 9*60*60))
	if got := answers.Found(leads.DistroLead{CreatedAt: east}).Body.(LeadBody).CreatedAt; got.Location() != time.UTC || !got.Equal(east) {
		t.Errorf("created_at is %s", got)
	}
	elsewhere := &wire.BodyError{Code: "too_deep", Reason: "It is too deep", Member: "a"}
	if got := answers.Malformed(elsewhere).Body.(InvalidBody); got.Message != elsewhere.Reason || len(got.FieldErrors) != 0 {
		t.Errorf("a body that is too deep: %+v", got)
	}
}

func TestRoutes(t *testing.T) {
	s := newService(t)
	for _, test := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/api/v1/ingest", 405, "POST"},
		{"PUT", "/api/v1/ingest", 405, "POST"},
		{"OPTIONS", "/api/v1/ping", 405, "POST"},
		{"HEAD", "/api/v1/ping", 405, "POST"},
		{"POST", "/api/v1/leads/lookup", 405, "GET"},
		{"HEAD", "/api/v1/leads/lookup", 405, "GET"},
		{"post", "/api/v1/ingest", 405, "POST"},
		{"POST", "/api/v1/ingest/", 404, ""},
		{"POST", "/api/v1//ingest", 404, ""},
		{"POST", "/api/v1/x/../ingest", 404, ""},
		{"POST", "/api/v1/Ingest", 404, ""},
		{"POST", "/api/v1/%69ngest", 404, ""},
		{"POST", "/api/v1%2Fingest", 404, ""},
		{"GET", "/api/v1/leads", 404, ""},
		{"GET", "/", 404, ""},
		{"OPTIONS", "*", 404, ""},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			r := s.request(test.method, test.path, primaryKey, "")
			a := s.do(r).want(test.status)
			if got := a.header.Get("Allow"); got != test.allow {
				t.Errorf("Allow is %q, want %q", got, test.allow)
			}
			if got := s.api.Endpoint(r); got != "" {
				t.Errorf("Endpoint says %q", got)
			}
		})
	}
}

func TestEndpointNames(t *testing.T) {
	s := newService(t)
	for target, want := range map[string]string{"POST /api/v1/ingest": "ingest", "POST /api/v1/ping?x": "ping", "GET /api/v1/leads/lookup?id=1": "lookup"} {
		var method, path string
		fmt.Sscan(target, &method, &path)
		if got := s.api.Endpoint(s.request(method, path, "", "")); got != want {
			t.Errorf("%s is called %q, want %q", target, got, want)
		}
	}
}
