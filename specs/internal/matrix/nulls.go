package matrix

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
)

// NullServer is a server that implements nothing: it gives one answer to everything, or none.
type NullServer struct {
	ID, Title string
	Handler   http.Handler
	Excused   map[string]string // rows that may pass on it, with the reason
}

// Nulls are servers that implement nothing.
func Nulls() []NullServer {
	nulls := []NullServer{
		{"null-200", "200 and {} to everything", always(200, `{}`), nil},
		{"null-200-empty", "200 and no body", always(200, ``), nil},
		{"null-201", "201 and {} to everything", always(201, `{}`), nil},
		{"null-302", "a redirect to everything", http.RedirectHandler("/", http.StatusFound), nil},
		{"null-400", "400 to everything", always(400, `{"error": "validation_failed", "message": "No", "field_errors": []}`), nil},
		{"null-401", "401 to everything", always(401, `{"error": "unauthorized", "message": "Who are you?"}`), nil},
		{"null-403", "403 to everything", always(403, `{"ok": false, "error": "scope_required:leads:write", "message": "No"}`), nil},
		{"null-404", "404 to everything", always(404, `{"error": "not_found", "message": "There is nothing here"}`), nil},
		{"null-405", "405 to everything", always(405, `{"ok": false, "error": "method_not_allowed", "message": "No"}`), nil},
		{"null-409", "409 to everything", always(409, `{"ok": false, "error": "conflict", "message": "No"}`), nil},
		{"null-422", "422 to everything", always(422, `{"error": "rejected", "message": "No", "filter_errors": ["duplicate"]}`), nil},
		{"null-429", "429 to everything", always(429, `{"error": "rate_limited", "message": "Too many", "retry_after": 1}`), nil},
		{"null-500", "500 to everything", always(500, `{"error": "internal_error", "message": "Sorry"}`), nil},
		{"null-503", "503 to everything", always(503, `{"error": "maintenance", "message": "Later"}`), nil},
		{"null-hangup", "hangs up", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), nil},
		{"null-silence", "reads, and never answers", http.HandlerFunc(silence), nil},
		{"null-garbage", "200 and 200 bytes of noise", http.HandlerFunc(garbage), nil},
		{"null-echo", "sends back what was sent", http.HandlerFunc(echo), nil},
	}
	for _, status := range []int{200, 201} {
		for _, outcome := range []string{"inserted", "deduped", "patched"} {
			nulls = append(nulls, parrot(status, outcome))
		}
	}
	return nulls
}

// parrot answers everything as the Insertion API answers a success.
func parrot(status int, outcome string) NullServer {
	const lead = `{"id": "6f1c1e0a-8f0e-4b61-9d35-0a52f6a5d201", "user_id": "6f1c1e0a-8f0e-4b61-9d35-0a52f6a5d202",
		"campaign_id": 101, "external_lead_id": "6f1c1e0a-8f0e-4b61-9d35-0a52f6a5d203", "first_name": "Beatrix", "last_name": "Beatrix"}`
	n := NullServer{
		ID:      fmt.Sprintf("null-%d-%s", status, outcome),
		Title:   fmt.Sprintf("%d and a lead, %s, to everything", status, outcome),
		Handler: always(status, fmt.Sprintf(`{"ok": true, "status": %q, "lead": %s, "leads": [%[2]s], "nextCursor": null, "event": {"id": 1}}`, outcome, lead)),
		Excused: map[string]string{
			"IN-401-08": "it asks that a right signature is accepted, which it is",
			"IN-401-09": "it asks that a right token is accepted, which it is",
			"IN-ENV-03": "it asks that a success has ok = true, which it has",
			"LD-201-05": "it asks that a lead with an unknown field is accepted, which it is",
			"LD-400-10": "it asks that phones of 10 and of 15 digits are accepted, which they are",
			"IN-409-04": "it records, and judges nothing",
		},
	}
	if status == 201 {
		n.Excused["LD-201-01"] = "it asks that a valid lead is answered 201, which it is"
	}
	if status == 201 && outcome == "inserted" {
		n.Excused["IN-201-01"] = "it asks for this very answer"
	}
	return n
}

func always(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// silence answers nothing until the client has given up.
func silence(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // or a client that gives up isn't noticed
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
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
