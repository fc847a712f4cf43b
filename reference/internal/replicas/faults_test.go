package replicas

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"leadconform/reference/internal/outage"
)

// allFaults does each fault to replicas that serve a crowd of clients, and counts afterwards: no lead that was acknowledged is
// lost, none is there twice. With PROOF=1 each is done five times.
func allFaults(t *testing.T, r rig) {
	runs := 1
	if os.Getenv("PROOF") != "" {
		runs = 5
	}
	for run := range runs {
		for _, fault := range []struct {
			name string
			do   func(t *testing.T, r rig, c *crowd) span
		}{
			{"kill -9 a replica", killReplica},
			{"kill -9 PostgreSQL", killPostgres},
			{"stop PostgreSQL", stopPostgres},
			{"stop Redis", stopRedis},
			{"pause PostgreSQL for 5 s", func(t *testing.T, r rig, c *crowd) span { return pauseFor5s(t, r, c, r.Postgres) }},
			{"pause Redis for 5 s", func(t *testing.T, r rig, c *crowd) span { return pauseFor5s(t, r, c, r.Redis) }},
			{"lose the answers to writes", loseAnswers},
		} {
			t.Run(fmt.Sprintf("%s, run %d", fault.name, run+1), func(t *testing.T) {
				c := gather(t, r.Balancer.Public, 12)
				c.await(50, acknowledged)
				during := fault.do(t, r, c)
				c.await(50, acknowledged)
				c.dismiss()
				f := c.count(t, r.database(t), during)
				f.Fault, f.Run = fault.name, run+1
				t.Logf("%+v", f)
				note(t, func(r *record) { r.Faults = append(r.Faults, f) })
			})
		}
	}
}

// span is when a fault began, and when it was ordered to end. If recovered is set, it is when a lead was first acknowledged
// by what had failed; otherwise the crowd's exchanges tell.
type span struct{ began, ended, recovered time.Time }

// killReplica ends a replica as a power failure would, and starts it again when the others have served for a while. What it
// had acknowledged is there; what it was at work on is answered 502 by the balancer, and sent again.
func killReplica(t *testing.T, r rig, c *crowd) (s span) {
	victim := r.Replicas[1]
	s.began = time.Now()
	must(t, victim.Kill(t.Context()))
	c.await(100, acknowledged) // by the others
	s.ended = time.Now()
	must(t, victim.Restart(t.Context())) // it returns when the replica is ready
	p := newPerson("insertion")
	if e := p.send(c.client, victim.Public()); e.status != http.StatusCreated {
		t.Errorf("a lead is answered %d %v by the replica that was killed", e.status, e.body)
	}
	s.recovered = time.Now()
	return s
}

// killPostgres ends the database as a power failure would. What was acknowledged is on its disk.
func killPostgres(t *testing.T, r rig, c *crowd) (s span) {
	s.began = time.Now()
	must(t, r.Postgres.Kill(t.Context()))
	return outOfOrder(t, r, c, s, r.Postgres)
}

func stopPostgres(t *testing.T, r rig, c *crowd) (s span) {
	s.began = time.Now()
	must(t, r.Postgres.Shut(t.Context()))
	return outOfOrder(t, r, c, s, r.Postgres)
}

// stopRedis: without it nobody is admitted, for nobody could be limited; unless --limiter-outage says that all are.
func stopRedis(t *testing.T, r rig, c *crowd) (s span) {
	limited := func() (admitted, refused int) {
		for status, n := range lookUpAtOnce(t, r.Open.Public(), 100) {
			switch status {
			case http.StatusNotFound:
				admitted = n
			case http.StatusTooManyRequests:
				refused = n
			}
		}
		return admitted, refused
	}
	soon(t, "--limiter-outage open limits with Redis", func() bool { _, refused := limited(); return refused > 0 })
	s.began = time.Now()
	must(t, r.Redis.Shut(t.Context()))
	soon(t, "without Redis, --limiter-outage open admits 100 of 100 lookups", func() bool { // and the database is in time for all
		admitted, refused := limited()
		if refused > 0 {
			t.Fatalf("without Redis, --limiter-outage open refuses %d of 100 lookups", refused)
		}
		return admitted == 100
	})
	if status, _, err := r.ask(t.Context(), r.Open.Control()+"/readyz"); err != nil || status != http.StatusOK {
		t.Errorf("without Redis, --limiter-outage open has a /readyz of %d, %v", status, err)
	}
	if answers := lookUpAtOnce(t, r.Replicas[0].Public(), 100); answers[http.StatusServiceUnavailable] != 100 {
		t.Errorf("without Redis, lookups are answered %v by a replica that is to refuse them", answers)
	}
	s = outOfOrder(t, r, c, s, r.Redis)
	soon(t, "--limiter-outage open limits again", func() bool { _, refused := limited(); return refused > 0 })
	return s
}

// outOfOrder goes on when clients of both APIs have been told, in each API's envelope, that the service is out of order
// (see crowd.judge) and every replica says that it isn't ready. It starts the service again, and waits for all replicas to
// be ready of their own accord.
func outOfOrder(t *testing.T, r rig, c *crowd, s span, service *Service) span {
	gone := time.Now()
	c.await(10, unavailable)
	r.readiness(t, http.StatusServiceUnavailable)
	s.ended = time.Now()
	must(t, service.Start(t.Context()))
	for _, e := range c.during(gone, s.ended) {
		if e.acknowledged {
			t.Errorf("a lead was acknowledged without the service: %d %v", e.status, e.body)
		}
	}
	r.readiness(t, http.StatusOK)
	return s
}

// pauseFor5s stops a service in its tracks: it takes connections and says nothing. However many clients come, each gets an
// answer while the service still stands, and nothing is left of them afterwards.
func pauseFor5s(t *testing.T, r rig, c *crowd, service *Service) (s span) {
	before := r.goroutines(t)
	s.began = time.Now()
	must(t, service.Pause(t.Context()))
	resumed := false
	defer func() {
		if !resumed {
			_ = service.Resume(context.WithoutCancel(t.Context()))
		}
	}()
	over := time.After(5 * time.Second)
	answered := c.turn()
	flood := gather(t, r.Balancer.Public, 400)
	flood.turn()()
	answered()
	c.await(1, unavailable)
	<-over
	s.ended = time.Now()
	must(t, service.Resume(t.Context()))
	resumed = true
	flood.dismiss()
	c.adopt(flood)
	r.readiness(t, http.StatusOK)
	soon(t, "the replicas have no more to do than before", func() bool {
		r.transport.CloseIdleConnections()
		for i, n := range r.goroutines(t) {
			if n > before[i]+50 {
				return false
			}
		}
		return true
	})
	return s
}

// goroutines is how much every replica has to do.
func (r rig) goroutines(t *testing.T) (all []int) {
	t.Helper()
	for _, replica := range r.Replicas {
		_, body, err := r.ask(t.Context(), replica.Control()+"/metrics")
		must(t, err)
		var n int
		for line := range strings.Lines(string(body)) {
			if count, ok := strings.CutPrefix(line, "go_goroutines "); ok {
				_, err = fmt.Sscan(count, &n)
			}
		}
		if err != nil || n == 0 {
			t.Fatalf("the metrics tell of no goroutines: %v", err)
		}
		all = append(all, n)
	}
	return all
}

// loseAnswers has writes take effect whose answers never arrive. The client's retry is told that the lead is known.
func loseAnswers(t *testing.T, r rig, c *crowd) (s span) {
	u, err := url.Parse(r.Replicas[0].Public())
	must(t, err)
	line := outage.Start(t, u.Host)
	s.began = time.Now()
	for range 10 {
		for _, api := range []string{"distro", "insertion"} {
			p := newPerson(api)
			taken := line.LoseAnswerTo(p.phone)
			answer := make(chan exchange, 1)
			go func() { answer <- p.send(c.client, "http://"+line.Addr) }()
			<-taken
			var stored exchange
			soon(t, "the lead whose answer is lost is stored", func() bool {
				stored = c.read(p)
				return stored.status == http.StatusOK
			})
			line.Cut()
			e := <-answer
			if e.status != 0 {
				t.Errorf("the answer that was lost is %d %v", e.status, e.body)
			}
			c.note(-1, p, e)
			line.Heal()
			c.persist(-1, p, 1)
			if p.inserted != 0 {
				t.Errorf("the retry on the %s API was taken for a new lead", api)
			}
			if lead, ok := stored.body["lead"].(map[string]any); ok && lead["id"] != p.id {
				t.Errorf("the retry is answered with lead %s, the first attempt stored %s", p.id, lead["id"])
			}
		}
	}
	s.ended = time.Now()
	return s
}
