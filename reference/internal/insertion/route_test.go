package insertion_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"leadconform/reference/internal/wire"
)

// IN-405-01, IN-405-02: whoever asks, a method that the path doesn't know is 405 and names those that it does.
func TestMethodNotAllowed(t *testing.T) {
	one := collection + "/" + uuid.NewString()
	for _, test := range []struct {
		target, allow string
		methods       []string
	}{
		{collection, "GET, POST", []string{"DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "BREW"}},
		{one, "GET, PATCH", []string{"DELETE", "PUT", "POST", "OPTIONS", "TRACE", "BREW"}},
		{ingest, "POST", []string{"GET", "DELETE", "PUT", "PATCH", "OPTIONS"}},
	} {
		for _, method := range test.methods {
			t.Run(method+" "+test.target, func(t *testing.T) {
				b := newBench(t)
				for name, a := range map[string]answer{
					"signed":   b.as(t, acme, method, test.target, newLead().String()),
					"unsigned": b.send(t, request(t, method, test.target, "")),
				} {
					a.expect(t, http.StatusMethodNotAllowed, "method_not_allowed")
					if got := a.header.Get("Allow"); got != test.allow {
						t.Errorf("%s: Allow %q, want %q", name, got, test.allow)
					}
				}
			})
		}
	}
}

// A HEAD is refused like any unknown method. Over a connection its answer has no body.
func TestHead(t *testing.T) {
	server := httptest.NewServer(newBench(t))
	defer server.Close()
	response, err := http.Head(server.URL + collection)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET, POST" {
		t.Errorf("got %d with Allow %q", response.StatusCode, response.Header.Get("Allow"))
	}
}

func TestEndpoint(t *testing.T) {
	b := newBench(t)
	one := collection + "/" + uuid.NewString()
	for _, test := range []struct{ method, target, want string }{
		{"POST", collection, "create"},
		{"GET", collection + "?limit=1", "list"},
		{"GET", one, "get"},
		{"PATCH", one, "patch"},
		{"POST", ingest, "ingest"},
		{"DELETE", one, ""},
		{"GET", ingest, ""},
		{"GET", "/", ""},
		{"POST", collection + "/", ""},
	} {
		if got := b.Endpoint(request(t, test.method, test.target, "")); got != test.want {
			t.Errorf("%s %s: %q, want %q", test.method, test.target, got, test.want)
		}
	}
}

// An unknown path is unknown to everyone, whatever the method.
func TestUnknownPath(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{"/", "/api/v1/insertion", collection + "/", collection + "/x/y", collection + "//", ingest + "/"} {
		for _, method := range []string{"GET", "POST", "PATCH", "DELETE"} {
			b.send(t, request(t, method, path, "")).expect(t, http.StatusNotFound, "not_found")
		}
	}
}

// The order of checks: a request with every fault at once, mended one by one from the front.
func TestOrderOfChecks(t *testing.T) {
	b := newBench(t)
	key, ok := b.World.KeyByPublicKey(limitsA.public)
	if !ok {
		t.Fatal("no such key")
	}
	one := collection + "/" + uuid.NewString()
	tooLong := strings.Repeat("x", wire.MaxBody+1)
	stranger := apiKey{"adp_nobody", "x"}

	b.as(t, limitsA, http.MethodGet, collection, "").expect(t, http.StatusOK, "")
	ceiling := key.Limit.Requests
	key.Limit.Requests, key.Account.Enabled, key.Scopes = 1, false, nil

	b.as(t, stranger, http.MethodPut, one, tooLong).expect(t, http.StatusMethodNotAllowed, "method_not_allowed")
	b.as(t, stranger, http.MethodPatch, one, tooLong).expect(t, http.StatusBadRequest, "body_too_large")
	b.as(t, stranger, http.MethodPatch, one, "{").expect(t, http.StatusUnauthorized, "invalid_public_key")
	b.as(t, limitsA, http.MethodPatch, one, "{").expect(t, http.StatusTooManyRequests, "rate_limited")
	key.Limit.Requests = ceiling
	b.as(t, limitsA, http.MethodPatch, one, "{").expect(t, http.StatusNotFound, "not_found")
	key.Account.Enabled = true
	b.as(t, limitsA, http.MethodPatch, one, "{").expect(t, http.StatusForbidden, "scope_required:leads:write")
	key.Scopes = []string{"leads:write"}
	b.as(t, limitsA, http.MethodPatch, one, "{").expect(t, http.StatusBadRequest, "malformed_json")
	b.as(t, limitsA, http.MethodPatch, one, `{"phone":1}`).expect(t, http.StatusBadRequest, "phone: must be a string")
	b.as(t, limitsA, http.MethodPatch, one, `{"source":"x"}`).expect(t, http.StatusNotFound, "not_found")
}
