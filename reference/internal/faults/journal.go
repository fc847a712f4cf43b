package faults

import (
	"cmp"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Bounds on what the journal keeps.
const (
	maxEntries  = 10_000
	maxBodyKept = 64 << 10 // bytes of one request's body
	maxKept     = 64 << 20 // bytes of all bodies together
)

// Entry is one request that the server has answered.
type Entry struct {
	N        int64     `json:"n"`          // requests are numbered from 1 in the order in which they arrived
	At       time.Time `json:"at"`         // when it arrived, by the wall clock
	Arrived  int64     `json:"arrived_ns"` // the same in nanoseconds since the journal was opened, by the monotonic clock
	API      string    `json:"api"`
	Endpoint string    `json:"endpoint"` // "" for a path that is none
	Method   string    `json:"method"`
	Path     string    `json:"path"`
	Query    string    `json:"query,omitempty"`
	Status   int       `json:"status"`      // 0 if the connection was cut without an answer
	Took     int64     `json:"duration_ns"` // until the answer was handed on to be sent

	Header http.Header `json:"header"` // credentials are replaced by a remark

	// The body, as far as it was read, up to 64 KiB; in base64 if it is not UTF-8.
	Body      string `json:"body,omitempty"`
	Binary    []byte `json:"body_base64,omitempty"`
	Truncated bool   `json:"body_truncated,omitempty"`
}

// Journal keeps the latest requests: at most 10,000 of them, with at most 64 MiB of bodies. It is safe for concurrent use.
type Journal struct {
	now    func() time.Time
	opened time.Time

	mu      sync.Mutex
	last    int64    // number of the request that arrived last
	cleared int64    // number of the request that had arrived last when the journal was cleared
	kept    int      // bytes of bodies
	records []record // in the order in which they were answered
	first   int      // of records: those before it were dropped
}

// record is an entry as it is kept: what a reader of the journal is shown of header and body is worked out when one asks.
type record struct {
	Entry
	header http.Header // as it came, with credentials: nobody changes it once the request is answered
	start  []byte      // of the body
}

// entry is what a reader is shown.
func (r record) entry() Entry {
	r.Header = redacted(r.header)
	r.Body, r.Binary = legible(r.start, r.Truncated)
	return r.Entry
}

// NewJournal opens a journal that takes the time from now.
func NewJournal(now func() time.Time) *Journal {
	return &Journal{now: now, opened: now()}
}

// Watch puts a handler under the journal's eyes. where names the API and the endpoint that a request is for; observe, if
// it isn't nil, sees every entry when the request is answered, without header and body.
func (j *Journal) Watch(next http.Handler, where func(*http.Request) (api, endpoint string), observe func(Entry)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := j.arrive(r)
		e.API, e.Endpoint = where(r)
		body := &copied{ReadCloser: r.Body}
		if r.ContentLength > 0 {
			body.start = make([]byte, 0, min(r.ContentLength, maxBodyKept, 4<<10)) // what a client says is believed so far
		}
		watched := r.WithContext(r.Context()) // a handler must not change the request that it was given
		watched.Body = body
		answer := &answer{ResponseWriter: w}
		defer func() {
			e.Took = j.now().Sub(e.At).Nanoseconds()
			e.Status = answer.status
			e.Truncated = body.more
			j.add(record{Entry: e, header: r.Header, start: body.start})
			if observe != nil {
				observe(e)
			}
		}()
		next.ServeHTTP(answer, watched)
		answer.status = cmp.Or(answer.status, http.StatusOK) // what net/http sends for a handler that says nothing
	})
}

// arrive numbers a request and notes what is known of it at once.
func (j *Journal) arrive(r *http.Request) Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	at := j.now()
	return Entry{
		N: j.last, At: at, Arrived: at.Sub(j.opened).Nanoseconds(),
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery,
	}
}

// Entries returns what the journal holds, in the order of arrival, and how many requests arrived since it was cleared.
// The two differ by those that are not answered yet and those that were dropped.
func (j *Journal) Entries() (entries []Entry, arrived int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	entries = []Entry{}
	for _, r := range j.records[j.first:] {
		entries = append(entries, r.entry())
	}
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.N, b.N) })
	return entries, j.last - j.cleared
}

// Clear forgets every request that has arrived, those under way included. The numbers go on.
func (j *Journal) Clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records, j.first, j.kept, j.cleared = nil, 0, 0, j.last
}

// add files a complete entry, and drops the oldest where there is no room.
func (j *Journal) add(r record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r.N <= j.cleared {
		return
	}
	j.records = append(j.records, r)
	j.kept += len(r.start)
	for len(j.records)-j.first > maxEntries || j.kept > maxKept {
		j.kept -= len(j.records[j.first].start)
		j.records[j.first] = record{} // lets go of the body at once
		j.first++
	}
	if j.first >= maxEntries { // the space is used again
		n := copy(j.records, j.records[j.first:])
		clear(j.records[n:])
		j.records, j.first = j.records[:n], 0
	}
}

// copied is a body that keeps the beginning of what is read from it.
type copied struct {
	io.ReadCloser
	start []byte
	more  bool // than start
}

func (c *copied) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	room := maxBodyKept - len(c.start)
	c.start = append(c.start, p[:min(n, room)]...)
	c.more = c.more || n > room
	return n, err
}

// legible is the beginning of a body as text, or, if it is not UTF-8, as bytes. A character that the bound cut in two is
// left out.
func legible(start []byte, cut bool) (text string, binary []byte) {
	whole := start
	for i := 1; cut && i < utf8.UTFMax && i <= len(start); i++ {
		if tail := start[len(start)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				start = start[:len(start)-i]
			}
			break
		}
	}
	if utf8.Valid(start) {
		return string(start), nil
	}
	return "", whole
}

const redaction = "[redacted]"

// redacted is a copy of a header without the credentials in it.
func redacted(h http.Header) http.Header {
	h = h.Clone()
	for name, values := range h {
		if credential(name) {
			for i := range values {
				values[i] = redaction
			}
		}
	}
	return h
}

func credential(name string) bool {
	switch name = strings.ToLower(name); name {
	case "x-api-key", "authorization", "proxy-authorization", "cookie":
		return true
	}
	return strings.HasSuffix(name, "-signature")
}
