package spec_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onsi/gomega"

	"leadconform/fixtures/pipenet"
	"leadconform/fixtures/target"
	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/spec"
)

const secret = "a-very-secret-key"

const profile = `
name: t
distro:
  base_url: http://target.example
  credentials: {primary: {supplier: s, key: ` + secret + `}}
  campaigns: {open: {id: c}}
  hooks:
    fault_500_on: {http: {method: POST, url: http://target.example/hook/on}}
    fault_500_off: {http: {method: POST, url: http://target.example/hook/off}}
`

// against runs a body as row LD-201-01 against a handler, in virtual time and without a network.
func against(t *testing.T, handler http.HandlerFunc, s spec.Spec, o target.Options) (outcome spec.Outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, err := target.Parse("p.yaml", []byte(profile), nil)
		if err != nil {
			t.Fatal(err)
		}
		network := pipenet.New()
		server := &http.Server{Handler: handler}
		go server.Serve(network)
		if o.Dial == nil {
			o.Dial = network.DialContext
		}
		client := target.NewClient(p, o)
		if s.ID == "" {
			s.ID = "LD-201-01"
		}
		outcome = spec.NewRunner(p, client, spec.NewData("r1", 1, p.Phones, 0)).Run(t.Context(), s)
		client.Close()
		server.Close()
		synctest.Wait()
	})
	return outcome
}

// always answers with a status and a body.
func always(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func get(path string) target.Request {
	return target.Request{API: target.APIDistro, Method: http.MethodGet, Path: path, Header: http.Header{"X-Api-Key": {secret}}}
}

var ok = answer.That("200", answer.Status(200))

func TestResults(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		body    spec.Body
		result  spec.Result
		reason  string
	}{
		"passes": {always(200, "{}"), func(g spec.Gomega, e *spec.Env) {
			g.Expect(e.Send(get("/"))).To(ok)
		}, spec.Passed, ""},
		"fails": {always(404, "{}"), func(g spec.Gomega, e *spec.Env) {
			g.Expect(e.Send(get("/"))).To(ok)
		}, spec.Failed, "expected 200, but the status is 404, not 200"},
		"fails, and says of what": {always(404, "{}"), func(g spec.Gomega, e *spec.Env) {
			g.Expect(e.Send(get("/"))).To(ok, "the answer to %s", "it")
		}, spec.Failed, "expected the answer to it: 200, but the status is 404, not 200"},
		"is what it must not be": {always(200, "{}"), func(g spec.Gomega, e *spec.Env) {
			g.Expect(e.Send(get("/"))).NotTo(ok)
		}, spec.Failed, "expected anything but 200"},
		"fails by a matcher of Gomega's own": {always(200, "{}"), func(g spec.Gomega, e *spec.Env) {
			g.Expect(e.Send(get("/")).Status).To(gomega.Equal(201))
		}, spec.Failed, "to equal"},
		"ends at the first failed assertion": {always(404, "{}"), func(g spec.Gomega, e *spec.Env) {
			g.Expect(e.Send(get("/"))).To(ok)
			panic("it went on")
		}, spec.Failed, "404"},
		"makes no request": {always(200, "{}"), func(g spec.Gomega, _ *spec.Env) {
			g.Expect(1).To(gomega.Equal(1))
		}, spec.Broken, "no request"},
		"makes no assertion": {always(200, "{}"), func(_ spec.Gomega, e *spec.Env) { e.Send(get("/")) }, spec.Broken, "no assertion"},
		"starts an assertion and never makes it": {always(200, "{}"), func(g spec.Gomega, e *spec.Env) {
			g.Expect(e.Send(get("/")))
		}, spec.Broken, "no assertion"},
		"panics": {always(200, "{}"), func(_ spec.Gomega, _ *spec.Env) { panic("oops") }, spec.Broken, "oops"},
		"panics in a case": {always(200, "{}"), func(_ spec.Gomega, e *spec.Env) {
			e.Each(spec.Case{Name: "one", Check: func(spec.Gomega, *spec.Env) { panic("oops") }})
		}, spec.Broken, "oops"},
		"sees nothing accepted": {always(401, "{}"), func(g spec.Gomega, e *spec.Env) {
			g.Expect(e.Send(get("/"))).To(answer.That("401", answer.Status(401)))
		}, spec.NotAssessed, "without a positive control"},
		"its control fails": {always(401, "{}"), func(g spec.Gomega, e *spec.Env) {
			e.Control("a valid lead", func(g spec.Gomega, e *spec.Env) { g.Expect(e.Send(get("/"))).To(ok) })
			panic("it went on")
		}, spec.NotAssessed, "the positive control failed (a valid lead): expected 200"},
		"its control gets no answer": {hangUp, func(_ spec.Gomega, e *spec.Env) {
			e.Control("a valid lead", func(g spec.Gomega, e *spec.Env) { g.Expect(e.Send(get("/"))).To(ok) })
		}, spec.NotAssessed, "the positive control failed (a valid lead): no answer"},
		"gets no answer": {hangUp, func(_ spec.Gomega, e *spec.Env) { e.Send(get("/")) }, spec.Failed, "no answer to GET /"},
		"waits in vain": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			func(_ spec.Gomega, e *spec.Env) { e.Send(get("/")) }, spec.Failed, "no answer in time"},
		"one of several cases fails": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/b" {
				w.WriteHeader(500)
			}
		}, func(_ spec.Gomega, e *spec.Env) {
			check := func(path string) spec.Body {
				return func(g spec.Gomega, e *spec.Env) { g.Expect(e.Send(get(path))).To(ok) }
			}
			e.Each(spec.Case{Name: "case a", Check: check("/a")}, spec.Case{Name: "case b", Check: check("/b")})
		}, spec.Failed, "case b: expected 200"},
		"a case isn't assessed": {always(200, "{}"), func(_ spec.Gomega, e *spec.Env) {
			e.Each(spec.Case{Name: "case a", Check: func(g spec.Gomega, e *spec.Env) { g.Expect(e.Send(get("/"))).To(ok) }},
				spec.Case{Name: "case b", Check: func(_ spec.Gomega, e *spec.Env) { e.NotAssessed("no way") }})
		}, spec.NotAssessed, "case b: no way"},
		"a failed case outranks one that isn't assessed": {always(404, "{}"), func(_ spec.Gomega, e *spec.Env) {
			e.Each(spec.Case{Name: "case a", Check: func(g spec.Gomega, e *spec.Env) { g.Expect(e.Send(get("/"))).To(ok) }},
				spec.Case{Name: "case b", Check: func(_ spec.Gomega, e *spec.Env) { e.NotAssessed("no way") }})
		}, spec.Failed, "case a"},
		"a hook fails": {func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/hook/") {
				w.WriteHeader(500)
			}
		}, func(_ spec.Gomega, e *spec.Env) {
			e.Between("fault_500_on", "fault_500_off", func() { panic("it went on") })
		}, spec.NotAssessed, "hook distro.hooks.fault_500_on: answered 500"},
	} {
		t.Run(name, func(t *testing.T) {
			o := against(t, c.handler, spec.Spec{Body: c.body}, target.Options{})
			if o.Result != c.result || !strings.Contains(o.Reason, c.reason) {
				t.Errorf("%s: %q; want %s: %q", o.Result, o.Reason, c.result, c.reason)
			}
		})
	}
}

// hangUp ends the connection without an answer.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestBusyTargetIsTriedAgainOnceAfterTheWaitThatItAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		busy   int64 // answers before the target has time
		header string
		result spec.Result
		waited time.Duration
	}{
		"once, 3 s":            {1, "3", spec.Passed, 3 * time.Second},
		"once, no header":      {1, "", spec.Passed, time.Second},
		"twice":                {2, "3", spec.NotAssessed, 3 * time.Second},
		"asks for too much":    {1, "3600", spec.NotAssessed, 0},
		"asks for what is nil": {1, "0", spec.Passed, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var seen atomic.Int64
			var waited time.Duration
			handler := func(w http.ResponseWriter, _ *http.Request) {
				if seen.Add(1) <= c.busy {
					w.Header().Set("Retry-After", c.header)
					w.WriteHeader(429)
				}
			}
			o := against(t, handler, spec.Spec{Body: func(g spec.Gomega, e *spec.Env) {
				start := time.Now()
				defer func() { waited = time.Since(start) }()
				g.Expect(e.Send(get("/"))).To(ok)
			}}, target.Options{})
			if o.Result != c.result || waited != c.waited {
				t.Errorf("%s (%s) after %v; want %s after %v", o.Result, o.Reason, waited, c.result, c.waited)
			}
		})
	}
}

func TestRowThatLacksItsNeedsIsNotAssessed(t *testing.T) {
	o := against(t, always(200, "{}"), spec.Spec{ID: "LD-200-02", Body: func(spec.Gomega, *spec.Env) { panic("it ran") }}, target.Options{})
	if o.Result != spec.NotAssessed || !strings.Contains(o.Reason, "needs campaigns.capped") {
		t.Errorf("%s: %s", o.Result, o.Reason)
	}
}

func TestBudgetAndLostTarget(t *testing.T) {
	three := func(g spec.Gomega, e *spec.Env) {
		for range 4 {
			if a, err := e.Attempt(get("/")); err == nil {
				g.Expect(a).To(ok)
			}
		}
	}
	o := against(t, always(200, ""), spec.Spec{Body: three}, target.Options{MaxRequests: 3})
	if o.Result != spec.NotAssessed || !strings.Contains(o.Reason, "--max-requests") || len(o.Exchanges) != 3 {
		t.Errorf("budget: %s: %s after %d exchanges", o.Result, o.Reason, len(o.Exchanges))
	}
	refuse := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("connection refused") }
	o = against(t, always(200, ""), spec.Spec{Body: three}, target.Options{Dial: refuse})
	if o.Result != spec.NotAssessed || !o.Lost || len(o.Exchanges) != 3 {
		t.Errorf("lost: %s: %s, lost %t after %d exchanges", o.Result, o.Reason, o.Lost, len(o.Exchanges))
	}
}

func TestOffHookIsCalledWhateverHappens(t *testing.T) {
	for name, body := range map[string]func(g spec.Gomega, e *spec.Env){
		"failure": func(g spec.Gomega, e *spec.Env) {
			g.Expect(e.Send(get("/"))).To(answer.That("404", answer.Status(404)))
		},
		"panic":        func(spec.Gomega, *spec.Env) { panic("oops") },
		"not assessed": func(_ spec.Gomega, e *spec.Env) { e.NotAssessed("no") },
	} {
		t.Run(name, func(t *testing.T) {
			var off atomic.Bool
			handler := func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/hook/off" {
					off.Store(true)
				}
			}
			against(t, handler, spec.Spec{Body: func(g spec.Gomega, e *spec.Env) {
				e.Between("fault_500_on", "fault_500_off", func() { body(g, e) })
			}}, target.Options{})
			if !off.Load() {
				t.Error("the fault is still on")
			}
		})
	}
}

func TestFailureShowsRowExpectationExchangeAndCurlWithoutSecrets(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(403)
		_, _ = w.Write([]byte(`{"error":"` + r.Header.Get("X-Api-Key") + ` is not welcome"}`))
	}
	o := against(t, echo, spec.Spec{Body: func(g spec.Gomega, e *spec.Env) {
		e.Note("the key is %s", secret)
		g.Expect(e.Send(get("/path"))).To(ok)
	}}, target.Options{})
	row, _ := catalogue.Lookup("LD-201-01")
	for _, want := range []string{row.ID, row.Title, "expected  200", "the status is 403", "> GET http://target.example/path",
		"< HTTP/1.1 403", "$LD_PRIMARY_KEY is not welcome", `curl -isS -X GET 'http://target.example/path' -H "X-Api-Key: ${LD_PRIMARY_KEY}"`} {
		if !strings.Contains(o.Message, want) {
			t.Errorf("the message doesn't hold %q:\n%s", want, o.Message)
		}
	}
	for what, text := range map[string]string{"message": o.Message, "reason": o.Reason, "actual": o.Actual, "notes": strings.Join(o.Notes, "")} {
		if strings.Contains(text, secret) {
			t.Errorf("the %s holds the secret: %s", what, text)
		}
	}
	if o.Culprit != 0 {
		t.Errorf("the culprit is %d", o.Culprit)
	}
}

func TestCheckFindsWhatDoesNotFit(t *testing.T) {
	rows := []catalogue.Row{{ID: "A"}, {ID: "B"}}
	body := func(spec.Gomega, *spec.Env) {}
	for name, c := range map[string]struct {
		specs []spec.Spec
		want  string
	}{
		"fits":             {[]spec.Spec{{ID: "A", Body: body}, {ID: "B", Measure: func(context.Context) spec.Measured { return spec.Measured{} }}}, ""},
		"row without spec": {[]spec.Spec{{ID: "A", Body: body}}, "row B has no spec"},
		"spec without row": {[]spec.Spec{{ID: "A", Body: body}, {ID: "B", Body: body}, {ID: "C", Body: body}}, "spec C has no row"},
		"two specs":        {[]spec.Spec{{ID: "A", Body: body}, {ID: "A", Body: body}, {ID: "B", Body: body}}, "row A has two specs"},
		"neither":          {[]spec.Spec{{ID: "A", Body: body}, {ID: "B"}}, "B needs either"},
	} {
		t.Run(name, func(t *testing.T) {
			faults := strings.Join(spec.Check(c.specs, rows), "; ")
			if !strings.Contains(faults, c.want) || (c.want == "") != (faults == "") {
				t.Errorf("faults %q, want %q", faults, c.want)
			}
		})
	}
}

// An experiment sends for all of its rows together: what one row rests on is shown as its own.
func TestExchangesOfAnExperimentBelongToTheRowThatRestsOnThem(t *testing.T) {
	shared := &target.Exchange{Request: target.Request{API: target.APIDistro, Method: "GET", Path: "/x"}, Response: &target.Response{Status: 429}}
	outcome := against(t, always(200, `{}`), spec.Spec{Measure: func(context.Context) spec.Measured {
		return spec.Measured{Result: spec.Passed, Exchanges: []*target.Exchange{shared}}
	}}, target.Options{})
	if len(outcome.Exchanges) != 1 || outcome.Exchanges[0].Row != "LD-201-01" {
		t.Errorf("the exchanges are %+v", outcome.Exchanges)
	}
}
