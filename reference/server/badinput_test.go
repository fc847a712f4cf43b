package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"leadconform/reference/server"
)

// Whatever is sent, the answer is a 4xx in the envelope of the API that the path belongs to, and the server goes on.
func TestBadInput(t *testing.T) {
	var log lockedBuffer
	address := listenAndServe(t, server.Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
	accepted := func() {
		t.Helper()
		for _, request := range []string{leadWith(`"x": 1`), insertionWith(`"x": 1`)} {
			if status, body := exchange(t, address, request); status != 201 && status != 200 {
				t.Fatalf("a good lead is answered %d %s", status, body)
			}
		}
	}
	accepted()
	for _, tc := range badInputs() {
		t.Run(tc.name, func(t *testing.T) {
			status, body := exchange(t, address, tc.request)
			if status < 400 || status > 499 || tc.status != 0 && status != tc.status {
				t.Fatalf("answered %d %.300s, expected %d", status, body, tc.status)
			}
			if tc.http {
				return
			}
			var object map[string]any
			if err := json.Unmarshal(body, &object); err != nil {
				t.Fatalf("the body is no object: %.300s", body)
			}
			if wrong := tc.want(status, object); wrong != "" {
				t.Errorf("%s: %d %.300s", wrong, status, body)
			}
			if len(body) > 64<<10 {
				t.Errorf("the answer has %d bytes: it grows with what is sent", len(body))
			}
		})
	}
	if strings.Contains(log.String(), "panic") || strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("the log says\n%.3000s", log.String())
	}
	accepted()
}

// listenAndServe starts a server on loopback, with all the bounds that Serve sets.
func listenAndServe(t *testing.T, c server.Config) (address string) {
	t.Helper()
	r := newReference(t, c)
	var listeners [2]net.Listener
	for i := range listeners {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners[i] = l
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error)
	go func() { ended <- r.Serve(ctx, listeners[0], listeners[1]) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return listeners[0].Addr().String()
}

// exchange sends bytes on a connection of their own and reads the answer.
func exchange(t *testing.T, address, request string) (status int, body []byte) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	go func() { _, _ = io.WriteString(c, request) }() // the server may answer before it has read all, and close
	method, _, _ := strings.Cut(request, " ")
	res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer res.Body.Close()
	if body, err = io.ReadAll(res.Body); err != nil {
		t.Fatalf("half an answer: %v", err)
	}
	return res.StatusCode, body
}

// lockedBuffer is a log that is written by many.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}
