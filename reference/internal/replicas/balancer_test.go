package replicas

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// pretended is a replica without a container.
type pretended struct {
	*Replica
	public, control *httptest.Server
	served          atomic.Int64
	ready           atomic.Bool
	faults          atomic.Int64 // that are left
}

func pretend(t *testing.T, name string) *pretended {
	p := &pretended{Replica: &Replica{}}
	p.ready.Store(true)
	p.public = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.served.Add(1)
		if r.URL.Path == "/break" {
			panic(http.ErrAbortHandler)
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Replica", name)
		if p.faults.Load() > 0 {
			p.faults.Add(-1)
			w.WriteHeader(http.StatusConflict)
		}
		fmt.Fprintf(w, "%s %s %s", r.Method, r.URL, body)
	}))
	p.control = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/readyz" && !p.ready.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/control/faults":
			switch r.Method {
			case http.MethodPost:
				p.faults.Add(1)
			case http.MethodDelete:
				p.faults.Store(0)
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"faults": make([]int, p.faults.Load())})
		}
	}))
	p.at.Store(&addresses{p.public.URL, p.control.URL})
	t.Cleanup(p.public.Close)
	t.Cleanup(p.control.Close)
	return p
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	return l
}

// balanced is a balancer in front of three of them.
func balanced(t *testing.T) (*Balancer, []*pretended) {
	t.Helper()
	all := []*pretended{pretend(t, "one"), pretend(t, "two"), pretend(t, "three")}
	b := Balance([]*Replica{all[0].Replica, all[1].Replica, all[2].Replica}, listen(t), listen(t))
	t.Cleanup(func() { _ = b.Close() })
	return b, all
}

func ask(t *testing.T, method, url, body string) (status int, text string, header http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(all), res.Header
}

func TestBalancerSharesOut(t *testing.T) {
	b, all := balanced(t)
	for range 30 {
		status, text, header := ask(t, "PATCH", b.Public+"/some/path?q=a%20b", "a body")
		if status != 200 || text != "PATCH /some/path?q=a%20b a body" || header.Get("X-Replica") == "" {
			t.Fatalf("the answer is %d %q %v", status, text, header)
		}
		if status, text, _ := ask(t, "GET", b.Public+"/", ""); status != 200 || text != "GET / " {
			t.Fatalf("a GET is answered %d %q", status, text)
		}
	}
	for i, p := range all {
		if n := p.served.Load(); n != 20 {
			t.Errorf("replica %d served %d of 60 requests", i+1, n)
		}
	}
}

// A replica that has gone costs nobody an answer. A request that broke off half-way is not sent again.
func TestBalancerGoesRound(t *testing.T) {
	b, all := balanced(t)
	all[1].public.Close()
	all[1].control.Close()
	for range 30 {
		if status, text, _ := ask(t, "POST", b.Public+"/", "a body"); status != 200 || text != "POST / a body" {
			t.Fatalf("the answer is %d %q", status, text)
		}
	}
	before := all[0].served.Load() + all[2].served.Load()
	if status, _, _ := ask(t, "POST", b.Public+"/break", "a body"); status != http.StatusBadGateway {
		t.Errorf("a request that broke off is answered %d", status)
	}
	if n := all[0].served.Load() + all[2].served.Load() - before; n != 1 {
		t.Errorf("it was sent %d times", n)
	}
}

// A replica that is not ready gets nothing, unless none is.
func TestBalancerAsksWhoIsReady(t *testing.T) {
	b, all := balanced(t)
	all[0].ready.Store(false)
	soon(t, "the first is found not ready", func() bool { return !b.replicas[0].ready.Load() })
	before := all[0].served.Load()
	for range 10 {
		ask(t, "GET", b.Public+"/", "")
	}
	if all[0].served.Load() != before {
		t.Error("a replica that is not ready has served")
	}
	all[1].ready.Store(false)
	all[2].ready.Store(false)
	soon(t, "none is found ready", func() bool { return !b.replicas[1].ready.Load() && !b.replicas[2].ready.Load() })
	if status, _, _ := ask(t, "GET", b.Public+"/", ""); status != 200 {
		t.Errorf("with none ready the answer is %d", status)
	}
}

// While a fault is on, the replica that has it has all the traffic; a fault that is used up sets the others free again.
func TestBalancerFollowsFaults(t *testing.T) {
	b, all := balanced(t)
	conflicts := func(n int) (met int) {
		for range n {
			if status, _, _ := ask(t, "PATCH", b.Public+"/", ""); status == http.StatusConflict {
				met++
			}
		}
		return met
	}
	ask(t, "POST", b.Control+"/control/faults", "{}")
	if n := conflicts(12); n != 1 {
		t.Errorf("of 12 requests %d met the one fault", n)
	}
	if all[1].served.Load() == 0 || all[2].served.Load() == 0 {
		t.Error("the other replicas get nothing once the fault is used up")
	}
	for range 50 {
		ask(t, "POST", b.Control+"/control/faults", "{}")
	}
	if n := conflicts(12); n != 12 {
		t.Errorf("of 12 requests %d met a fault that is on", n)
	}
	ask(t, "DELETE", b.Control+"/control/faults", "")
	if n := conflicts(12); n != 0 {
		t.Errorf("of 12 requests %d met a fault that is off", n)
	}
}
