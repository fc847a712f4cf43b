// Package spectest runs specs against servers in this process: the reference, mutants of it, and servers that are no
// implementation at all. It is for tests only.
package spectest

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"leadconform/fixtures/target"
	"leadconform/reference/mutant"
	"leadconform/reference/server"
	"leadconform/specs/internal/matrix"
	"leadconform/specs/internal/spec"
)

// Reference starts a reference server with its control listener on loopback, changed by a mutant's Apply unless that is
// nil, and returns a runner for it. Both end with the test.
func Reference(t testing.TB, apply func(*server.Parts)) *spec.Runner {
	t.Helper()
	s := newServer(t, apply)
	return runner(t, target.Reference(listen(t, s.Handler()).URL, listen(t, s.Control()).URL))
}

// Mutant starts a mutant. There are many of them: of the rows that pass no exchange is kept.
func Mutant(t testing.TB, m mutant.Mutant) *spec.Runner {
	t.Helper()
	r := Reference(t, m.Apply)
	r.Brief = true
	return r
}

// OverHTTP2 starts a reference server that speaks HTTP/2 over TLS.
func OverHTTP2(t testing.TB) *spec.Runner {
	t.Helper()
	s := newServer(t, nil)
	public := httptest.NewUnstartedServer(s.Handler())
	public.EnableHTTP2 = true
	public.StartTLS()
	t.Cleanup(public.Close)
	p := target.Reference(public.URL, listen(t, s.Control()).URL)
	p.InsecureTLS = true
	return runner(t, p)
}

// Rewriting starts a reference server that sees what a client sends as rewrite leaves it, packet by packet. The rewritten
// bytes must not be more than there were.
func Rewriting(t testing.TB, rewrite func(sent []byte) []byte) *spec.Runner {
	t.Helper()
	s := newServer(t, nil)
	public := httptest.NewUnstartedServer(s.Handler())
	public.Listener = rewritingListener{public.Listener, rewrite}
	public.Start()
	t.Cleanup(public.Close)
	return runner(t, target.Reference(public.URL, listen(t, s.Control()).URL))
}

type rewritingListener struct {
	net.Listener
	rewrite func([]byte) []byte
}

func (l rewritingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return &rewritingConn{conn, l.rewrite}, err
}

type rewritingConn struct {
	net.Conn
	rewrite func([]byte) []byte
}

func (c *rewritingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return copy(p, c.rewrite(p[:n])), err
}

// At starts listeners on loopback for the handlers of a reference server.
func At(t testing.TB, public, control http.Handler) *spec.Runner {
	t.Helper()
	return runner(t, target.Reference(listen(t, public).URL, listen(t, control).URL))
}

// Translating starts a reference server that knows members of a body by other names.
func Translating(t testing.TB, names map[string]string) *spec.Runner {
	t.Helper()
	s := newServer(t, nil)
	var out, in []string
	for ours, theirs := range names {
		out, in = append(out, ours, theirs), append(in, theirs, ours)
	}
	outward, inward := strings.NewReplacer(out...), strings.NewReplacer(in...)
	return At(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(inward.Replace(string(body))))
		r.ContentLength = -1
		answer := httptest.NewRecorder()
		s.Handler().ServeHTTP(answer, r)
		maps.Copy(w.Header(), answer.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(answer.Code)
		_, _ = io.WriteString(w, outward.Replace(answer.Body.String()))
	}), s.Control())
}

// Serve starts a server of any kind, without a control listener. The profile is the reference's; its hooks are calls
// that the server itself answers.
func Serve(t testing.TB, h http.Handler) *spec.Runner {
	t.Helper()
	url := listen(t, h).URL
	return runner(t, target.Reference(url, url))
}

func newServer(t testing.TB, apply func(*server.Parts)) *server.Server {
	t.Helper()
	s, err := server.New(server.Config{Assemble: apply})
	if err != nil {
		t.Fatalf("start a reference server: %v", err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func listen(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = quiet()
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// patience is how long an answer may take on loopback, on a machine that does many other things at the time.
const patience = 2 * time.Minute

func runner(t testing.TB, p *target.Profile) *spec.Runner {
	t.Helper()
	p.Timeout = patience
	id := target.NewRunID()
	c := target.NewClient(p, target.Options{RunID: id, Version: "test"})
	t.Cleanup(c.Close)
	return spec.NewRunner(p, c, spec.NewData(id, 1, p.Phones, 0))
}

// Run runs rows, those that may side by side and then the serial ones one by one, and returns the outcomes by row.
func Run(ctx context.Context, r *spec.Runner, specs []spec.Spec) map[string]spec.Outcome {
	return matrix.SideBySide(ctx, r, specs)
}
