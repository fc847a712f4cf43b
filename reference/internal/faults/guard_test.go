package faults_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"leadconform/reference/internal/faults"
	"leadconform/reference/internal/wire"
)

// api is a small one whose only endpoint does what the test says, and whose path is its name.
type api struct {
	http.HandlerFunc
	served int
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.served++; a.HandlerFunc(w, r) }
func (a *api) Endpoint(r *http.Request) string                  { return strings.Trim(r.URL.Path, "/") }
func (a *api) InternalError() wire.Answer                       { return wire.Answer{Status: 500, Body: "generic"} }

// shop is an API that can be closed.
type shop struct{ *api }

func (shop) Maintenance() wire.Answer {
	return wire.Answer{Status: 503, Header: http.Header{"Retry-After": {"2"}}, Body: "closed"}
}

func created(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Own", "yes")
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, "got %s", body)
}

func ask(h http.Handler, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", path, strings.NewReader(body)))
	return w
}

func expect(t *testing.T, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if w.Code != status || w.Body.String() != body {
		t.Errorf("the answer is %d %s, expected %d %s", w.Code, w.Body, status, body)
	}
}

func TestGuardLetsThrough(t *testing.T) {
	var b faults.Board
	a := &api{HandlerFunc: created}
	expect(t, ask(b.Guard(faults.Distro, shop{a}, slog.New(slog.DiscardHandler)), "/ingest", "x"), 201, "got x")
}

func TestGuardFails(t *testing.T) {
	for _, tc := range []struct {
		kind   faults.Kind
		status int
		body   string
		served int // how often the API was asked
	}{
		{faults.Before, 500, `"generic"`, 0},
		{faults.After, 500, `"generic"`, 1},
		{faults.Closed, 503, `"closed"`, 0},
	} {
		t.Run(string(tc.kind), func(t *testing.T) {
			var b faults.Board
			a := &api{HandlerFunc: created}
			h := b.Guard(faults.Distro, shop{a}, slog.New(slog.DiscardHandler))
			set(t, &b, faults.Fault{API: faults.Distro, Kind: tc.kind, Endpoint: "ingest", Count: 1})

			expect(t, ask(h, "/ping", "x"), 201, "got x") // not this endpoint
			before := a.served
			body := strings.NewReader("x")
			failed := httptest.NewRecorder()
			h.ServeHTTP(failed, httptest.NewRequest("POST", "/ingest", body))
			expect(t, failed, tc.status, tc.body)
			if a.served-before != tc.served {
				t.Errorf("the API was asked %d times, expected %d", a.served-before, tc.served)
			}
			if body.Len() > 0 {
				t.Error("the body is not read, so the client may not see the answer")
			}
			if failed.Header().Get("X-Own") != "" {
				t.Error("something of the discarded answer is sent")
			}
			expect(t, ask(h, "/ingest", "x"), 201, "got x") // the count is used up
		})
	}
}

func TestMaintenanceOutranksFaults(t *testing.T) {
	var b faults.Board
	h := b.Guard(faults.Distro, shop{&api{HandlerFunc: created}}, slog.New(slog.DiscardHandler))
	set(t, &b,
		faults.Fault{API: faults.Distro, Kind: faults.After, Count: 1},
		faults.Fault{API: faults.Distro, Kind: faults.Before, Count: 1},
		faults.Fault{API: faults.Distro, Kind: faults.Closed, Count: 1})
	for _, status := range []int{503, 500, 500, 201} {
		if w := ask(h, "/ingest", ""); w.Code != status {
			t.Errorf("the answer is %d, expected %d", w.Code, status)
		}
	}
}

// A panic is answered in the API's envelope, and what it was about stays with us.
func TestGuardAnswersAPanic(t *testing.T) {
	for _, fault := range []*faults.Fault{nil, {API: faults.Distro, Kind: faults.After}} {
		var b faults.Board
		if fault != nil {
			set(t, &b, *fault)
		}
		var log bytes.Buffer
		h := b.Guard(faults.Distro, &api{HandlerFunc: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Half", "done")
			panic("dsn=postgres://secret")
		}}, slog.New(slog.NewTextHandler(&log, nil)))
		w := ask(h, "/ingest", "")
		expect(t, w, 500, `"generic"`)
		if w.Header().Get("X-Half") != "" {
			t.Error("a header of the answer that never came is sent")
		}
		if !strings.Contains(log.String(), "postgres://secret") || !strings.Contains(log.String(), "guard_test.go") {
			t.Errorf("the log doesn't say what happened where:\n%s", log.String())
		}
	}
}

// Half an answer must not pass for a whole one.
func TestGuardCutsAnAnswerThatPanicsHalfWay(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"after the status": func(w http.ResponseWriter) { w.WriteHeader(201) },
		"within the body":  func(w http.ResponseWriter) { _, _ = io.WriteString(w, "half") },
	} {
		t.Run(name, func(t *testing.T) {
			var b faults.Board
			srv := httptest.NewServer(b.Guard(faults.Distro, &api{HandlerFunc: func(w http.ResponseWriter, _ *http.Request) {
				begin(w)
				_ = http.NewResponseController(w).Flush() // reaches the connection through Unwrap
				panic("too late")
			}}, slog.New(slog.DiscardHandler)))
			defer srv.Close()
			res, err := http.Post(srv.URL, "", nil)
			if err != nil {
				t.Fatalf("the answer never began: %v", err)
			}
			defer res.Body.Close()
			if _, err := io.ReadAll(res.Body); err == nil {
				t.Error("the answer ends as if it were whole")
			}
		})
	}
}

func TestGuardLeavesACutConnectionAlone(t *testing.T) {
	var b faults.Board
	h := b.Guard(faults.Distro, &api{HandlerFunc: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }}, slog.New(slog.DiscardHandler))
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Error("the handler's wish to cut the connection is not passed on")
		}
	}()
	ask(h, "/ingest", "")
}

// 1xx answers are no answer yet.
func TestGuardAnswersAPanicAfterAnInformationalAnswer(t *testing.T) {
	var b faults.Board
	srv := httptest.NewServer(b.Guard(faults.Distro, &api{HandlerFunc: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		panic("after 103")
	}}, slog.New(slog.DiscardHandler)))
	defer srv.Close()
	res, err := http.Post(srv.URL, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 500 {
		t.Errorf("the answer is %d", res.StatusCode)
	}
}
