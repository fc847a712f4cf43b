package spectest

import (
	"io"
	"log"
	"math/rand/v2"
	"net/http"
)

// Null is a server that implements nothing. No row may pass on it.
type Null struct {
	Name    string
	Handler http.Handler
}

// Nulls are servers that implement nothing: one answer to everything, or none.
func Nulls() []Null {
	return []Null{
		{"200 to everything", always(200, `{}`)},
		{"201 to everything", always(201, `{}`)},
		{"200 and no body", always(200, ``)},
		{"404 to everything", always(404, `{"error": "not_found", "message": "There is nothing here"}`)},
		{"401 to everything", always(401, `{"error": "unauthorized", "message": "Who are you?"}`)},
		{"400 to everything", always(400, `{"error": "validation_failed", "message": "No", "field_errors": []}`)},
		{"429 to everything", always(429, `{"error": "rate_limited", "message": "Too many", "retry_after": 1}`)},
		{"500 to everything", always(500, `{"error": "internal_error", "message": "Sorry"}`)},
		{"a redirect to everything", http.RedirectHandler("/", http.StatusFound)},
		{"hangs up", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })},
		{"garbage", http.HandlerFunc(garbage)},
		{"echo", http.HandlerFunc(echo)},
	}
}

func always(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func garbage(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	noise := make([]byte, 200)
	for i := range noise {
		noise[i] = byte(rand.UintN(256))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(noise)
}

// echo sends back what was sent.
func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	_, _ = io.Copy(w, r.Body)
}

// quiet is a log that keeps nothing.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
