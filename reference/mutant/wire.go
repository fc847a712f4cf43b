package mutant

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"leadconform/reference/server"
)

// exchange is a request and its answer, before the answer leaves. An edit may change the answer; of the request it sees
// what was sent.
type exchange struct {
	request *http.Request
	sent    []byte // the request's body
	status  int
	header  http.Header
	body    []byte
}

// where picks exchanges.
type where func(*exchange) bool

// edit changes the answer of an exchange.
type edit func(*exchange)

// answers makes a mutant that edits the answers that a condition picks.
func answers(which where, edits ...edit) func(*server.Parts) {
	return handler(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			x := record(next, r)
			if which(x) {
				for _, change := range edits {
					change(x)
				}
			}
			x.write(w)
		})
	})
}

// handler makes a mutant that wraps both APIs.
func handler(wrap func(http.Handler) http.Handler) func(*server.Parts) {
	return func(p *server.Parts) { p.Handler = wrap }
}

// record answers a request into memory.
func record(h http.Handler, r *http.Request) *exchange {
	sent, _ := io.ReadAll(io.LimitReader(r.Body, 2<<20)) // more than the server reads
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(sent))
	answer := &recorder{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(answer, r)
	return &exchange{request: r, sent: sent, status: answer.status, header: answer.header, body: answer.body.Bytes()}
}

// again is the request once more, with its body.
func (x *exchange) again() *http.Request {
	r := x.request.Clone(x.request.Context())
	r.Body = io.NopCloser(bytes.NewReader(x.sent))
	return r
}

// write sends the answer. Its length is that of the body as it is now.
func (x *exchange) write(w http.ResponseWriter) {
	header := w.Header()
	for name, values := range x.header {
		header[name] = values
	}
	if header.Get("Transfer-Encoding") == "" {
		header.Set("Content-Length", strconv.Itoa(len(x.body)))
	} else {
		header.Del("Content-Length")
		header.Del("Transfer-Encoding") // net/http sets it when no length is given
	}
	w.WriteHeader(x.status)
	if flush, ok := w.(http.Flusher); ok && header.Get("Content-Length") == "" {
		half := len(x.body) / 2
		_, _ = w.Write(x.body[:half])
		flush.Flush()
		_, _ = w.Write(x.body[half:])
		return
	}
	_, _ = w.Write(x.body)
}

// recorder is an http.ResponseWriter in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

// The Lead Distro API's endpoints, by path.
const (
	ingest = "/api/v1/ingest"
	ping   = "/api/v1/ping"
	lookup = "/api/v1/leads/lookup"
)

// on picks the exchanges with a path.
func on(path string) where { return func(x *exchange) bool { return x.request.URL.Path == path } }

// with picks the answers with one of the statuses.
func with(statuses ...int) where {
	return func(x *exchange) bool { return slices.Contains(statuses, x.status) }
}

// all picks what every condition picks.
func all(conditions ...where) where {
	return func(x *exchange) bool {
		return !slices.ContainsFunc(conditions, func(c where) bool { return !c(x) })
	}
}

// anything picks every exchange of the Lead Distro API.
func anything(x *exchange) bool {
	return slices.Contains([]string{ingest, ping, lookup}, x.request.URL.Path)
}

// containing picks the answers whose body contains a text.
func containing(text string) where {
	return func(x *exchange) bool { return bytes.Contains(x.body, []byte(text)) }
}

// status sets the status.
func status(code int) edit { return func(x *exchange) { x.status = code } }

// header sets a header field.
func header(name, value string) edit { return func(x *exchange) { x.header.Set(name, value) } }

// text replaces the body by text of that type.
func text(contentType, body string) edit {
	return func(x *exchange) {
		x.header.Set("Content-Type", contentType)
		x.body = []byte(body)
	}
}

// object edits the body's JSON object. A body that is none stays as it is.
func object(change func(o map[string]any)) edit {
	return func(x *exchange) {
		if o := x.object(); o != nil {
			change(o)
			x.setJSON(o)
		}
	}
}

// object returns the body as a JSON object, or nil.
func (x *exchange) object() map[string]any {
	var o map[string]any
	decoder := json.NewDecoder(bytes.NewReader(x.body))
	decoder.UseNumber()
	if decoder.Decode(&o) != nil {
		return nil
	}
	return o
}

func (x *exchange) setJSON(value any) {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // mutants are made of JSON values
	}
	x.body = body
}

// set sets a member.
func set(name string, value any) edit { return object(func(o map[string]any) { o[name] = value }) }

// drop removes members.
func drop(names ...string) edit {
	return object(func(o map[string]any) {
		for _, name := range names {
			delete(o, name)
		}
	})
}

// rewrite replaces a member's text, if it is there.
func rewrite(name string, change func(old string) any) edit {
	return object(func(o map[string]any) {
		if old, ok := o[name].(string); ok {
			o[name] = change(old)
		}
	})
}

// each edits the objects in a member that is an array.
func each(name string, change func(entry map[string]any)) edit {
	return object(func(o map[string]any) {
		entries, _ := o[name].([]any)
		for _, entry := range entries {
			if e, ok := entry.(map[string]any); ok {
				change(e)
			}
		}
	})
}

// compressed compresses the body, if whoever asked accepts that.
func compressed(x *exchange) {
	if !strings.Contains(x.request.Header.Get("Accept-Encoding"), "gzip") || len(x.body) == 0 {
		return
	}
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, _ = writer.Write(x.body)
	_ = writer.Close()
	x.body = out.Bytes()
	x.header.Set("Content-Encoding", "gzip")
	x.header.Add("Vary", "Accept-Encoding")
}

// under puts the whole body below a member.
func under(name string) edit {
	return func(x *exchange) {
		if o := x.object(); o != nil {
			x.setJSON(map[string]any{name: o})
		}
	}
}

// lower is strings.ToLower as a change of a member.
func lower(old string) any { return strings.ToLower(old) }
