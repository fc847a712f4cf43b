package server_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"leadconform/reference/internal/containers"
	"leadconform/reference/internal/outage"
	"leadconform/reference/server"
)

// proxied puts a proxy in front of a service.
func proxied(t *testing.T, service string) (string, *outage.Proxy) {
	t.Helper()
	u, err := url.Parse(service)
	if err != nil {
		t.Fatal(err)
	}
	proxy := outage.Start(t, u.Host)
	u.Host = proxy.Addr
	return u.String(), proxy
}

// steady asks again for an answer that comes as soon as connections of the time before are found dead.
func steady(t *testing.T, ask func() reply, status int) reply {
	t.Helper()
	var answer reply
	for range 50 {
		if answer = ask(); answer.status == status {
			break
		}
	}
	return answer.want(t, status)
}

// While PostgreSQL or Redis is out of reach, each API says so in its own envelope, soon, and nobody is admitted without a
// limit who wasn't meant to be. When it is back, all goes on by itself.
func TestOutage(t *testing.T) {
	services := containers.Start(t, containers.Postgres, containers.Redis)
	for _, service := range []string{"store", "limiter"} {
		for _, way := range []struct {
			name string
			take func(*outage.Proxy)
		}{
			{"gone", (*outage.Proxy).Cut},
			{"standing still", (*outage.Proxy).Stall},
		} {
			t.Run(service+" "+way.name, func(t *testing.T) {
				store, storeProxy := proxied(t, services[0])
				limiter, limiterProxy := proxied(t, services[1])
				proxy := map[string]*outage.Proxy{"store": storeProxy, "limiter": limiterProxy}[service]
				r := newReference(t, server.Config{Store: store, Limiter: limiter})
				defer r.Close(t.Context())
				r.control("POST", "/control/reset", "").want(t, 200)
				r.control("GET", "/readyz", "").want(t, 200)
				r.ingest("cmp-open", 1).want(t, 201)
				r.insertion("POST", leadsPath, insertLead).want(t, 201)

				way.take(proxy)
				refused := r.ingest("cmp-unique", 2).want(t, 503)
				if refused.header.Get("Retry-After") == "" || refused.body["error"] != "service_unavailable" {
					t.Errorf("the Lead Distro API answers %v %v", refused.header, refused.body)
				}
				failed := r.insertion("POST", leadsPath, strings.ReplaceAll(insertLead, "6a001", "6a002")).want(t, 500)
				if failed.body["ok"] != false || failed.body["error"] != "internal_error" {
					t.Errorf("the Insertion API answers %v", failed.body)
				}
				if reasons := r.control("GET", "/readyz", "").want(t, 503).body["reasons"].([]any); !slices.Equal(reasons, []any{"the " + service + " is not ready"}) {
					t.Errorf("the reasons are %v", reasons)
				}
				r.control("GET", "/healthz", "").want(t, 200)

				proxy.Heal()
				steady(t, func() reply { return r.control("GET", "/readyz", "") }, 200)
				again := steady(t, func() reply { return r.insertion("POST", leadsPath, insertLead) }, 200)
				if again.body["status"] != "deduped" {
					t.Errorf("the lead of the time before is %v", again.body)
				}
				steady(t, func() reply { return r.ingest("cmp-unique", 3) }, 201)
			})
		}
	}
}

// Whoever would rather serve without a limit than not at all can say so.
func TestLimiterOutageOpen(t *testing.T) {
	limiter, proxy := proxied(t, containers.Start(t, containers.Redis)[0])
	r := newReference(t, server.Config{Limiter: limiter, LimiterOutage: "open"})
	defer r.Close(t.Context())
	refused := func() (n int) {
		for range 100 { // of whom six are admitted, and told that there is no such lead
			if r.lookup().status != 404 {
				n++
			}
		}
		return n
	}
	if refused() == 0 {
		t.Fatal("nobody is limited")
	}
	proxy.Cut()
	if n := refused(); n != 0 {
		t.Errorf("%d of 100 are refused without a limiter", n)
	}
	r.control("GET", "/readyz", "").want(t, 200)
	proxy.Heal()
	for refused() == 0 { // the test's own deadline ends this
	}
}

// Several servers on one database and one Redis are one server.
func TestServersAreOne(t *testing.T) {
	services := containers.Start(t, containers.Postgres, containers.Redis)
	config := server.Config{Store: services[0], Limiter: services[1]}
	behind := config
	behind.Now = func() time.Time { return time.Now().Add(-3 * time.Second) }
	a, b := newReference(t, config), newReference(t, behind)
	defer a.Close(t.Context())
	defer b.Close(t.Context())

	a.ingest("cmp-unique", 1).want(t, 201)
	b.ingest("cmp-unique", 1).want(t, 422)
	if inserted := a.insertion("POST", leadsPath, insertLead).want(t, 201); inserted.body["status"] != "inserted" {
		t.Errorf("the first is answered %v", inserted.body)
	}
	b.insertion("POST", leadsPath, insertLead).want(t, 200)
	newer := b.insertion("POST", leadsPath, strings.ReplaceAll(insertLead, "6a001", "6a002")).want(t, 201).lead()
	page := a.insertion("GET", leadsPath, "").want(t, 200).body["leads"].([]any)
	if len(page) != 2 || page[0].(map[string]any)["id"] != newer["id"] {
		t.Errorf("the newest lead, of the server whose clock is behind, is not listed first: %v", page)
	}

	// At rest six lookups are admitted at once. Of a supplier who has just been refused it is one, and one more in 50 ms.
	for {
		began := time.Now()
		for a.lookup().status != 429 {
			began = time.Now()
		}
		admitted := 0
		for range 6 {
			if b.lookup().status != 429 {
				admitted++
			}
		}
		most := 1 + 20*time.Since(began).Seconds()
		if float64(admitted) > most {
			t.Errorf("a supplier whom one server refuses is admitted by the other %d times in %.3f s", admitted, (most-1)/20)
		}
		if most < 6 { // else this machine was too slow to tell
			return
		}
	}
}
