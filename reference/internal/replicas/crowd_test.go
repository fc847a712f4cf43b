package replicas

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
)

// Credentials of the embedded world.
const (
	supplierKey = "ldk_primary_7Qm2Xw9Rk4"
	bearer      = "ads_acme_primary_1Nz8Gk5Tq2Vw7Yb4"
	account     = "acc-acme"
)

const (
	ingestPath    = "/api/v1/ingest"
	lookupPath    = "/api/v1/leads/lookup"
	insertionPath = "/api/v1/insertion/leads"
)

// exchange is a request and what came of it.
type exchange struct {
	api          string // distro or insertion
	began, ended time.Time
	status       int // 0: the connection broke
	header       http.Header
	body         map[string]any
	acknowledged bool
}

// send sends a request and reads its answer, if there is one.
func send(client *http.Client, api, method, url, body string) exchange {
	e := exchange{api: api, began: time.Now()}
	defer func() { e.ended = time.Now() }()
	req, err := http.NewRequest(method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		panic(err)
	}
	if api == "distro" {
		req.Header.Set("x-api-key", supplierKey)
	} else {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := client.Do(req)
	if err != nil {
		e.ended = time.Now()
		return e
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	e.ended = time.Now()
	if err != nil {
		return e
	}
	e.status, e.header = res.StatusCode, res.Header
	_ = json.Unmarshal(text, &e.body) // a balancer's own answer has no body
	return e
}

// person is a lead, by what it is known by on each API.
type person struct {
	api      string
	external uuid.UUID // insertion
	phone    string    // distro
	id       string    // once it was acknowledged with one
	inserted int       // how often it was answered as new
}

var serial atomic.Int64

func newPerson(api string) *person {
	return &person{api: api, external: uuid.New(), phone: fmt.Sprintf("9%02d%07d", time.Now().Unix()%100, serial.Add(1))}
}

// request is the person's lead as each API takes it. The Lead Distro API's campaign refuses one that it has seen.
func (p *person) request() (path, body string) {
	if p.api == "distro" {
		return ingestPath, fmt.Sprintf(`{"flo_campaign_id": "cmp-unique", "flo_supplier_id": "sup-primary",
			"first_name": "Ada", "last_name": "Byron", "phone": %q, "email": "%s@example.com"}`, p.phone, p.external)
	}
	return insertionPath, fmt.Sprintf(`{"campaign_id": 101, "external_lead_id": %q, "phone": %q}`, p.external, p.phone)
}

// send sends the lead once.
func (p *person) send(client *http.Client, base string) exchange {
	path, body := p.request()
	return send(client, p.api, http.MethodPost, base+path, body)
}

// crowd are clients who send leads, one after the other, and each of them again until it is acknowledged.
type crowd struct {
	t      *testing.T
	base   string
	client *http.Client

	enough atomic.Bool
	home   sync.WaitGroup

	mu        sync.Mutex
	turns     []int // how many exchanges each client has had
	exchanges []exchange
	people    []*person // acknowledged
}

// pause is how long a client waits before it tries again. The documents ask for more; here it is the figures that count.
const pause = 20 * time.Millisecond

// gather starts a crowd of clients, half of them on each API.
func gather(t *testing.T, base string, clients int) *crowd {
	c := &crowd{t: t, base: base, client: newClient(clients), turns: make([]int, clients)}
	for i := range clients {
		c.home.Go(func() {
			for !c.enough.Load() {
				c.persist(i, newPerson([]string{"distro", "insertion"}[i%2]), 0)
			}
		})
	}
	return c
}

func newClient(connections int) *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
}

// dismiss ends the crowd, when every lead that was begun has been acknowledged.
func (c *crowd) dismiss() {
	c.enough.Store(true)
	c.home.Wait()
	c.client.CloseIdleConnections()
}

// persist sends a lead until it is acknowledged. client is who sends it (-1: nobody of the crowd), tries how often it was
// sent before.
func (c *crowd) persist(client int, p *person, tries int) {
	for try := tries; ; try++ {
		e := p.send(c.client, c.base)
		e.acknowledged = c.judge(p, e, try)
		c.note(client, p, e)
		if e.acknowledged || c.t.Failed() {
			return
		}
		time.Sleep(pause)
	}
}

// judge says whether an answer acknowledges the lead. One that neither does nor says in its API's envelope that the
// service is out of order fails the test.
func (c *crowd) judge(p *person, e exchange, try int) bool {
	switch {
	case p.api == "distro" && e.status == 201:
		p.id, _ = e.body["id"].(string)
		p.inserted++
		return true
	case p.api == "distro" && e.status == 422 && try > 0 && isDuplicate(e): // an attempt whose answer was lost took effect
		return true
	case p.api == "insertion" && (e.status == 201 || e.status == 200):
		lead, _ := e.body["lead"].(map[string]any)
		p.id, _ = lead["id"].(string)
		if e.body["status"] == "inserted" {
			p.inserted++
		}
		return true
	case e.status == 0 || e.status == 502: // broken off, which the balancer tells as 502
	case p.api == "distro" && e.status == 503 && e.body["error"] == "service_unavailable" && e.header.Get("Retry-After") != "":
	case p.api == "insertion" && e.status == 500 && e.body["error"] == "internal_error" && e.body["ok"] == false:
	default:
		c.t.Errorf("%s try %d is answered %d %v %v", p.api, try, e.status, e.header, e.body)
	}
	return false
}

// isDuplicate reports whether a refusal's only reason is that the lead is known.
func isDuplicate(e exchange) bool {
	reasons, _ := e.body["filter_errors"].([]any)
	if len(reasons) != 1 {
		return false
	}
	reason, _ := reasons[0].(map[string]any)
	return reason["rule"] == "duplicate"
}

func (c *crowd) note(client int, p *person, e exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client >= 0 {
		c.turns[client]++
	}
	c.exchanges = append(c.exchanges, e)
	if e.acknowledged {
		c.people = append(c.people, p)
	}
}

// adopt takes over what another crowd has done.
func (c *crowd) adopt(other *crowd) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.exchanges, c.people = append(c.exchanges, other.exchanges...), append(c.people, other.people...)
}

// await waits for so many more exchanges of each API that are as described.
func (c *crowd) await(n int, as func(exchange) bool) {
	c.t.Helper()
	from, count := -1, map[string]int{}
	c.until("both APIs have answered as expected", func() bool {
		if from < 0 {
			from = len(c.exchanges)
		}
		for ; from < len(c.exchanges); from++ {
			if e := c.exchanges[from]; as(e) {
				count[e.api]++
			}
		}
		return min(count["distro"], count["insertion"]) >= n
	})
}

// turn returns a function that waits until every client has had an answer since.
func (c *crowd) turn() (wait func()) {
	c.mu.Lock()
	before := slices.Clone(c.turns)
	c.mu.Unlock()
	return func() {
		c.t.Helper()
		c.until("every client has had an answer", func() bool {
			for i, n := range c.turns {
				if n == before[i] {
					return false
				}
			}
			return true
		})
	}
}

// until waits for something to become true, as long as the test hasn't failed.
func (c *crowd) until(what string, is func() bool) {
	c.t.Helper()
	soon(c.t, what, func() bool {
		if c.t.Failed() {
			c.t.FailNow()
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		return is()
	})
}

func acknowledged(e exchange) bool { return e.acknowledged }
func unavailable(e exchange) bool  { return e.status == 500 || e.status == 503 }

// during are the exchanges that began and ended between two moments.
func (c *crowd) during(from, to time.Time) []exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.exchanges), func(e exchange) bool { return e.began.Before(from) || e.ended.After(to) })
}
