package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/fixtures/pipenet"
	"leadconform/reference/server"
)

// running is a server that serves in the background.
type running struct {
	t               *testing.T
	public, control *pipenet.Network
	stop            context.CancelFunc
	ended           chan error
}

func serve(t *testing.T, c server.Config) *running {
	r := &running{t: t, public: pipenet.New(), control: pipenet.New(), ended: make(chan error, 1)}
	var ctx context.Context
	ctx, r.stop = context.WithCancel(t.Context())
	s := newReference(t, c)
	go func() { r.ended <- s.Serve(ctx, r.public, r.control) }()
	return r
}

// conn is a client's connection.
type conn struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func (r *running) connect(n *pipenet.Network) conn {
	r.t.Helper()
	c, err := n.DialContext(r.t.Context(), "", "")
	if err != nil {
		r.t.Fatal(err)
	}
	return conn{r.t, c, bufio.NewReader(c)}
}

func (c conn) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads an answer whole: its status and its body.
func (c conn) answer() (status int, body string) {
	c.t.Helper()
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatalf("half an answer: %v", err)
	}
	return res.StatusCode, string(text)
}

// mustBeCut waits until the server closes the connection, and returns how long that took.
func (c conn) mustBeCut() time.Duration {
	c.t.Helper()
	begun := time.Now()
	if rest, err := io.ReadAll(c.in); err != nil {
		c.t.Fatalf("after %q: %v", rest, err)
	}
	return time.Since(begun)
}

const anIngest = "POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nX-Api-Key: " + primaryKey + "\r\nContent-Length: 100\r\n\r\n"

func ask(target string) string { return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n" }

// slow makes every answer take so long, unless the client goes first.
func slow(d time.Duration) func(*server.Parts) {
	return func(p *server.Parts) {
		p.Handler = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				select {
				case <-time.After(d):
					next.ServeHTTP(w, r)
				case <-r.Context().Done():
				}
			})
		}
	}
}

func TestDrainLetsRequestsFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serve(t, server.Config{Assemble: slow(8 * time.Second)})
		busy, operator := r.connect(r.public), r.connect(r.control)
		busy.send(ask("/api/v1/leads/lookup"))
		synctest.Wait() // net/http drops a request whose headers it is still reading when it is told to stop
		operator.send(ask("/readyz"))
		if status, body := operator.answer(); status != 200 {
			t.Errorf("before the drain, /readyz is %d %s", status, body)
		}
		begun := time.Now()
		r.stop()
		synctest.Wait()

		if _, err := r.public.DialContext(t.Context(), "", ""); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a draining server accepts a connection: %v", err)
		}
		operator = r.connect(r.control)
		operator.send(ask("/readyz"))
		if status, body := operator.answer(); status != 503 || !strings.Contains(body, "draining") {
			t.Errorf("during the drain, /readyz is %d %s", status, body)
		}
		if status, body := busy.answer(); status != 401 || !strings.Contains(body, "unauthorized") {
			t.Errorf("the request under way is answered %d %s", status, body)
		}
		if err := <-r.ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if took := time.Since(begun); took < 8*time.Second || took > 10*time.Second {
			t.Errorf("the drain took %v, for a request that takes 8 s", took)
		}
		if _, err := r.control.DialContext(t.Context(), "", ""); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the control listener is still open: %v", err)
		}
	})
}

func TestDrainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serve(t, server.Config{Assemble: slow(time.Hour)})
		stuck := r.connect(r.public)
		stuck.send(ask("/api/v1/leads/lookup"))
		synctest.Wait()
		begun := time.Now()
		r.stop()
		if err := <-r.ended; err == nil || !strings.Contains(err.Error(), "cut off") {
			t.Errorf("the server ended with %v", err)
		}
		if took := time.Since(begun); took != 15*time.Second {
			t.Errorf("the drain took %v", took)
		}
		if took := stuck.mustBeCut(); took != 0 {
			t.Errorf("the request that took too long was cut off %v after the end", took)
		}
	})
}

// A client that sends slowly is answered or cut off in bounded time, drain or not, and keeps nobody else waiting.
func TestSlowClients(t *testing.T) {
	for _, tc := range []struct {
		name   string
		send   func(conn)
		within time.Duration
		answer string // part of it; "" if the connection is just cut
	}{
		{"nothing at all", func(conn) {}, 5 * time.Second, ""},
		{"half a request line", func(c conn) { c.send("POST /api/v1/in") }, 5 * time.Second, ""},
		{"headers by drops", func(c conn) { drip(c, "POST / HTTP/1.1\r\n"+strings.Repeat("A: b\r\n", 100)) }, 5 * time.Second, ""},
		{"no body", func(c conn) { c.send(anIngest) }, 10 * time.Second, "validation_failed"},
		{"half a body", func(c conn) { c.send(anIngest + `{"first_name":`) }, 10 * time.Second, "validation_failed"},
		{"a body by drops", func(c conn) { c.send(anIngest); drip(c, strings.Repeat(" ", 100)) }, 10 * time.Second, "validation_failed"},
		{"half a body of the other API", func(c conn) {
			c.send("POST /api/leads/ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + acmeSecret + "\r\nContent-Length: 100\r\n\r\n{")
		}, 10 * time.Second, `"ok":false`},
		{"half a chunk", func(c conn) {
			c.send(strings.Replace(anIngest, "Content-Length: 100", "Transfer-Encoding: chunked", 1) + "10\r\n{")
		}, 10 * time.Second, "validation_failed"},
	} {
		for _, drain := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, drain %v", tc.name, drain), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := serve(t, server.Config{})
					begun := time.Now()
					c := r.connect(r.public)
					sent := make(chan struct{})
					go func() { tc.send(c); close(sent) }()
					synctest.Wait()

					other := r.connect(r.public)
					other.send(ask("/api/v1/leads/lookup"))
					if status, _ := other.answer(); status != 401 || time.Since(begun) > 0 {
						t.Errorf("another client is answered %d after %v", status, time.Since(begun))
					}
					if drain {
						r.stop()
					}
					if tc.answer != "" {
						if status, body := c.answer(); status != 400 || !strings.Contains(body, tc.answer) {
							t.Errorf("answered %d %s", status, body)
						}
					}
					c.mustBeCut()
					if took := time.Since(begun); took > tc.within+time.Second {
						t.Errorf("it took %v", took)
					}
					<-sent
					r.stop()
					if err := <-r.ended; err != nil {
						t.Errorf("the server ended with %v", err)
					}
				})
			})
		}
	}
}

// drip sends a byte a second until the connection is cut.
func drip(c conn, text string) {
	for i := range text {
		if _, err := io.WriteString(c, text[i:i+1]); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// A client that doesn't read its answer, and one that has nothing more to ask, are cut off too.
func TestIdleClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serve(t, server.Config{})
		deaf, idle := r.connect(r.public), r.connect(r.public)
		deaf.send(ask("/api/v1/leads/lookup"))
		idle.send(ask("/api/v1/leads/lookup"))
		idle.answer()
		if took := idle.mustBeCut(); took != 2*time.Minute {
			t.Errorf("an idle connection was kept for %v", took)
		}
		if rest, err := io.ReadAll(deaf.in); err != nil || len(rest) > 0 {
			t.Errorf("an answer that nobody read for 30 s is still there: %q, %v", rest, err)
		}
		r.stop()
		if err := <-r.ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
}

// A listener that fails ends the server, and says so.
func TestServeReportsAListenerThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serve(t, server.Config{})
		synctest.Wait()
		_ = r.control.Close()
		if err := <-r.ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the server ended with %v", err)
		}
		if _, err := r.public.DialContext(t.Context(), "", ""); err == nil {
			t.Error("the public listener is still open")
		}
	})
}
