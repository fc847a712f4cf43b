package server_test

import (
	"bytes"
	"net/http/httptest"
	"testing"

	"leadconform/fixtures"
	"leadconform/reference/server"
)

// The documents of both APIs are on the control listener, to the byte, and not on the public one.
func TestOpenAPIDocumentsAreServed(t *testing.T) {
	r := newReference(t, server.Config{})
	for path, want := range map[string]struct {
		method string
		status int
	}{
		"/openapi/distro.yaml":     {"GET", 200},
		"/openapi/insertion.yaml":  {"GET", 200},
		"/openapi/nowhere.yaml":    {"GET", 404},
		"/openapi/":                {"GET", 404},
		"/openapi/..%2fworld.yaml": {"GET", 404},
		"/openapi/distro.yaml?x":   {"POST", 405},
	} {
		answer := httptest.NewRecorder()
		r.Control().ServeHTTP(answer, httptest.NewRequest(want.method, path, nil))
		if answer.Code != want.status {
			t.Errorf("%s %s: %d, want %d", want.method, path, answer.Code, want.status)
		}
		if answer.Code != 200 {
			continue
		}
		text, err := fixtures.FS.ReadFile(path[1:])
		if err != nil || !bytes.Equal(answer.Body.Bytes(), text) || answer.Header().Get("Content-Type") != "application/yaml" {
			t.Errorf("%s: %q, %d bytes of %d, %v", path, answer.Header().Get("Content-Type"), answer.Body.Len(), len(text), err)
		}
		public := httptest.NewRecorder()
		r.Handler().ServeHTTP(public, httptest.NewRequest("GET", path, nil))
		if public.Code != 404 {
			t.Errorf("%s on the public listener: %d", path, public.Code)
		}
	}
}
