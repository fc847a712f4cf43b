package replicas

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
)

// rateKey is the key of a supplier that no other test uses outside PROOF, at the limits of this rig.
const rateKey = "ldk_limits_c_9Sx3Bn2Qe6"

// measuring is how long admissions are counted. What a stall of this machine shifts at either end is small against it.
const measuring = 20 * time.Second

// admittedTogether holds that what three replicas admit under lasting overload, once the burst credit is used up, is within
// 3 % of the limit. A request that comes late takes the token that it has left, so a busy machine changes the moments of
// admission and not their number, as long as more is offered than admitted.
func admittedTogether(t *testing.T, r rig) {
	lead := func() string {
		id := uuid.New()
		return fmt.Sprintf(`{"flo_campaign_id": "cmp-open", "flo_supplier_id": "sup-limits-c", "first_name": "Ada", "last_name": "Byron",
			"phone": "999%07d", "email": "%s@example.com"}`, id.ID()%10_000_000, id)
	}
	endpoints := []struct {
		limit
		method, path string
		body         func() string
	}{
		{limit{Endpoint: "ingest", Rate: ingestRate}, http.MethodPost, ingestPath, lead},
		{limit{Endpoint: "ping", Rate: pingRate}, http.MethodPost, "/api/v1/ping", lead},
		{limit{Endpoint: "lookup", Rate: lookupRate}, http.MethodGet, lookupPath + "?phone=9990000000", func() string { return "" }},
	}
	var all sync.WaitGroup
	for i := range endpoints {
		all.Go(func() {
			of := &endpoints[i]
			ask := func() (*http.Request, error) {
				req, err := http.NewRequestWithContext(t.Context(), of.method, r.Balancer.Public+of.path, bytes.NewReader([]byte(of.body())))
				if err == nil {
					req.Header.Set("x-api-key", rateKey)
				}
				return req, err
			}
			of.Admitted = steadyRate(t, of.Rate, ask)
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	for _, of := range endpoints {
		t.Logf("%+v", of.limit)
		if of.Admitted == tooSlow {
			const why = "%s: this machine is too busy to measure what is admitted under lasting overload of %.0f requests a second"
			if os.Getenv("PROOF") != "" {
				t.Errorf(why, of.Endpoint, of.Rate)
				continue
			}
			t.Skipf(why, of.Endpoint, of.Rate)
		}
		if math.Abs(of.Admitted/of.Rate-1) > 0.03 {
			t.Errorf("%s: %.2f a second are admitted, want %.0f within 3 %%", of.Endpoint, of.Admitted, of.Rate)
		}
		note(t, func(r *record) { r.Limits = append(r.Limits, of.limit) })
	}
}

// tooSlow is a rate that wasn't measured, since too few requests were sent, or the replicas gave some of them up.
const tooSlow = -1

// steadyRate offers more than the limit until no more than the limit gets in, and measures from there on. A request that
// takes longer than a replica is willing to wait for its database is answered 503; whether it was admitted isn't known, so
// what is measured meanwhile doesn't count.
func steadyRate(t *testing.T, rate float64, ask func() (*http.Request, error)) float64 {
	const clients = 12
	ctx, stop := context.WithCancel(t.Context())
	client := newClient(clients)
	defer client.CloseIdleConnections()
	var admitted, offered, givenUp atomic.Int64
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	for range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				req, err := ask()
				if err != nil {
					t.Error(err)
					return
				}
				res, err := client.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				_ = res.Body.Close()
				offered.Add(1)
				switch res.StatusCode {
				case http.StatusOK, http.StatusCreated, http.StatusNotFound:
					admitted.Add(1)
				case http.StatusTooManyRequests:
					time.Sleep(pause)
				case http.StatusServiceUnavailable:
					givenUp.Add(1)
					time.Sleep(pause)
				default:
					t.Errorf("a request is answered %d", res.StatusCode)
					return
				}
			}
		})
	}

	over := func(d time.Duration) (got, asked float64, sound bool) {
		began, a, o, g := time.Now(), admitted.Load(), offered.Load(), givenUp.Load()
		time.Sleep(d)
		seconds := time.Since(began).Seconds()
		got, asked = float64(admitted.Load()-a)/seconds, float64(offered.Load()-o)/seconds
		return got, asked, asked > 1.5*rate && givenUp.Load() == g
	}
	for end := time.Now().Add(patience); ; {
		got, asked, sound := over(3 * time.Second)
		settled := got < 1.25*rate
		if sound && settled {
			if got, _, sound = over(measuring); sound {
				return got
			}
		}
		if time.Now().After(end) || t.Failed() {
			if sound && !settled {
				t.Errorf("of %.1f requests a second %.1f are still admitted, with a limit of %.0f", asked, got, rate)
			}
			return tooSlow
		}
	}
}
