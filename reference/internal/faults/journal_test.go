package faults_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"leadconform/reference/internal/faults"
)

func where(r *http.Request) (api, endpoint string) { return "distro", strings.Trim(r.URL.Path, "/") }

// watched is a journal over a handler that reads the body whole, and a clock that the test turns.
func watched(now *time.Time) (*faults.Journal, http.Handler) {
	j := faults.NewJournal(func() time.Time { return *now })
	return j, j.Watch(http.HandlerFunc(created), where, nil)
}

func TestJournalRecords(t *testing.T) {
	opened := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	now := opened
	j := faults.NewJournal(func() time.Time { return now })
	var observed []faults.Entry
	h := j.Watch(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now = now.Add(3 * time.Millisecond)
		created(w, r)
	}), where, func(e faults.Entry) { observed = append(observed, e) })

	now = now.Add(time.Second)
	r := httptest.NewRequest("POST", "/ingest?phone=555&x=%20", strings.NewReader(`{"a":1}`))
	r.Header = http.Header{
		"X-Api-Key":         {"ldk_primary", "second"},
		"Authorization":     {"Bearer ads_acme"},
		"X-Adbuy-Signature": {"abcdef"},
		"X-Adbuy-Public-Key": {
			"adp_acme"},
		"Idempotency-Key": {"idem-1"},
	}
	h.ServeHTTP(httptest.NewRecorder(), r)

	entries, arrived := j.Entries()
	want := []faults.Entry{{
		N: 1, At: opened.Add(time.Second), Arrived: 1e9, API: "distro", Endpoint: "ingest", Method: "POST",
		Path: "/ingest", Query: "phone=555&x=%20", Status: 201, Took: 3e6, Body: `{"a":1}`,
		Header: http.Header{
			"X-Api-Key":          {"[redacted]", "[redacted]"},
			"Authorization":      {"[redacted]"},
			"X-Adbuy-Signature":  {"[redacted]"},
			"X-Adbuy-Public-Key": {"adp_acme"},
			"Idempotency-Key":    {"idem-1"},
		},
	}}
	if diff := cmp.Diff(want, entries); diff != "" || arrived != 1 {
		t.Errorf("%d arrived:\n%s", arrived, diff)
	}
	if entries[0].Header, entries[0].Body = nil, ""; !cmp.Equal(entries, observed) {
		diff := cmp.Diff(entries, observed)
		t.Errorf("what was observed differs from what was recorded:\n%s", diff)
	}
	if r.Header.Get("X-Api-Key") != "ldk_primary" {
		t.Error("the request itself was redacted")
	}
}

func TestJournalKeepsSomeOfEachBody(t *testing.T) {
	const most = 64 << 10
	for _, tc := range []struct {
		name, sent, text, binary string
		truncated                bool
	}{
		{name: "none"},
		{name: "text", sent: "größer", text: "größer"},
		{name: "binary", sent: "\xff\x00", binary: "\xff\x00"},
		{name: "a character cut off by the client", sent: "x\xc3", binary: "x\xc3"},
		{name: "just as much", sent: strings.Repeat("x", most), text: strings.Repeat("x", most)},
		{name: "a byte more", sent: strings.Repeat("x", most+1), text: strings.Repeat("x", most), truncated: true},
		{name: "a character cut in two", sent: strings.Repeat("x", most-1) + "ö!", text: strings.Repeat("x", most-1), truncated: true},
		{name: "a character cut in four", sent: strings.Repeat("x", most-3) + "🙂!", text: strings.Repeat("x", most-3), truncated: true},
		{name: "a character that ends at the edge", sent: strings.Repeat("x", most-2) + "ö!", text: strings.Repeat("x", most-2) + "ö", truncated: true},
		{name: "much binary", sent: strings.Repeat("\xff", most+9), binary: strings.Repeat("\xff", most), truncated: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			now := time.Now()
			j, h := watched(&now)
			if w := ask(h, "/ingest", tc.sent); w.Body.String() != "got "+tc.sent {
				t.Error("the handler didn't get the body whole")
			}
			e := only(t, j)
			if e.Body != tc.text || string(e.Binary) != tc.binary || e.Truncated != tc.truncated {
				t.Errorf("kept are %d bytes of text and %d of binary, truncated %v; expected %d, %d, %v",
					len(e.Body), len(e.Binary), e.Truncated, len(tc.text), len(tc.binary), tc.truncated)
			}
		})
	}
}

func only(t *testing.T, j *faults.Journal) faults.Entry {
	t.Helper()
	entries, _ := j.Entries()
	if len(entries) != 1 {
		t.Fatalf("the journal holds %d entries, expected one", len(entries))
	}
	return entries[0]
}

func TestJournalKeepsTheLatest(t *testing.T) {
	now := time.Now()
	j, h := watched(&now)
	for range 25_003 {
		ask(h, "/ping", "")
	}
	entries, arrived := j.Entries()
	if len(entries) != 10_000 || entries[0].N != 15_004 || entries[9_999].N != 25_003 || arrived != 25_003 {
		t.Errorf("%d entries from %d to %d, %d arrived", len(entries), entries[0].N, entries[len(entries)-1].N, arrived)
	}
}

func TestJournalBoundsAllBodiesTogether(t *testing.T) {
	now := time.Now()
	j, h := watched(&now)
	full := strings.Repeat("x", 64<<10)
	for range 1100 {
		ask(h, "/ingest", full)
	}
	ask(h, "/ingest", "y")
	entries, _ := j.Entries()
	if len(entries) != 1024 || entries[0].N != 1101-1023 || entries[1023].Body != "y" {
		t.Errorf("%d entries from %d on, the last with %d bytes", len(entries), entries[0].N, len(entries[len(entries)-1].Body))
	}
}

func TestJournalOfCutConnectionsAndSilentHandlers(t *testing.T) {
	j := faults.NewJournal(time.Now)
	ask(j.Watch(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), where, nil), "/silent", "")
	if e := only(t, j); e.Status != 200 {
		t.Errorf("a handler that says nothing is recorded with %d", e.Status)
	}
	j.Clear()
	func() {
		defer func() { _ = recover() }()
		ask(j.Watch(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), where, nil), "/cut", "")
	}()
	if e := only(t, j); e.Status != 0 {
		t.Errorf("a connection that was cut is recorded with %d", e.Status)
	}
}

// A request that was under way when the journal was cleared belongs to before.
func TestClearForgetsWhatIsUnderWay(t *testing.T) {
	j := faults.NewJournal(time.Now)
	ask(j.Watch(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { j.Clear() }), where, nil), "/ping", "")
	if entries, arrived := j.Entries(); entries == nil || len(entries) != 0 || arrived != 0 {
		t.Errorf("%v, %d arrived", entries, arrived)
	}
	ask(j.Watch(http.HandlerFunc(created), where, nil), "/ping", "")
	if e := only(t, j); e.N != 2 {
		t.Errorf("the numbers don't go on: %d", e.N)
	}
}

// Entries come in the order of arrival, not of answers.
func TestEntriesAreInTheOrderOfArrival(t *testing.T) {
	j := faults.NewJournal(time.Now)
	var h http.Handler
	h = j.Watch(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/first" {
			ask(h, "/second", "")
		}
	}), where, nil)
	ask(h, "/first", "")
	entries, _ := j.Entries()
	if len(entries) != 2 || entries[0].Endpoint != "first" || entries[1].Endpoint != "second" {
		t.Errorf("%+v", entries)
	}
}

func TestEntriesAreJSON(t *testing.T) {
	now := time.Now()
	j, h := watched(&now)
	r := httptest.NewRequest("POST", "/", strings.NewReader("\xff"))
	r.URL.RawQuery, r.URL.Path = "\xff", "/\xff\x00"
	r.Header.Set("X-Odd", "\xff")
	h.ServeHTTP(httptest.NewRecorder(), r)
	text, err := json.Marshal(only(t, j))
	if err != nil || !json.Valid(text) || !strings.Contains(string(text), `"body_base64":"/w=="`) {
		t.Errorf("%s, %v", text, err)
	}
}

// (Run with -race.)
func TestJournalManyAtOnce(t *testing.T) {
	j := faults.NewJournal(time.Now)
	h := j.Watch(http.HandlerFunc(created), where, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				ask(h, "/ingest", fmt.Sprint(i))
				if i%50 == 0 {
					j.Entries()
				}
			}
		})
	}
	wg.Wait()
	entries, arrived := j.Entries()
	if len(entries) != 1600 || arrived != 1600 {
		t.Fatalf("%d entries, %d arrived", len(entries), arrived)
	}
	for i, e := range entries {
		if e.N != int64(i)+1 {
			t.Fatalf("entry %d has the number %d", i+1, e.N)
		}
	}
}

// A body may still be sent in pieces, and closed.
func TestJournalPassesTheBodyOn(t *testing.T) {
	j := faults.NewJournal(time.Now)
	body := &closing{Reader: strings.NewReader("in pieces")}
	r := httptest.NewRequest("POST", "/", nil)
	r.Body = body
	j.Watch(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		one := make([]byte, 1)
		for {
			if _, err := r.Body.Read(one); err != nil {
				break
			}
		}
		_ = r.Body.Close()
	}), where, nil).ServeHTTP(httptest.NewRecorder(), r)
	if !body.closed || only(t, j).Body != "in pieces" {
		t.Errorf("closed %v, recorded %q", body.closed, only(t, j).Body)
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }
