package replicas

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
)

// oneTuple sends one lead to two replicas, two hundred times at once: one of them inserts it.
func oneTuple(t *testing.T, r rig) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200}}
	defer client.CloseIdleConnections()
	p := newPerson("insertion")
	path, body := p.request()
	const senders = 200
	answers := make([]exchange, senders)
	var ready, done sync.WaitGroup
	var givenUp atomic.Int64
	begin := make(chan struct{})
	for i := range senders {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-begin
			for { // until it isn't given up by a replica whose database is slow
				answers[i] = send(client, "insertion", http.MethodPost, r.Replicas[i%2].Public()+path, body)
				if !unavailable(answers[i]) {
					return
				}
				givenUp.Add(1)
				time.Sleep(pause)
			}
		})
	}
	ready.Wait()
	close(begin)
	done.Wait()
	outcomes, ids := map[string]int{}, map[any]int{}
	for _, e := range answers {
		lead, _ := e.body["lead"].(map[string]any)
		ids[lead["id"]]++
		outcomes[fmt.Sprint(e.status, " ", e.body["status"])]++
	}
	inserted := outcomes["201 inserted"] // whose answer may be one that was given up
	if inserted > 1 || inserted == 0 && givenUp.Load() == 0 || outcomes["200 deduped"] != senders-inserted || len(ids) != 1 {
		t.Errorf("the outcomes are %v, of %d leads; %d requests were given up", outcomes, len(ids), givenUp.Load())
	}
}

// clockOff: the last replica's clock is 3 s ahead. Signatures are good all the same, limits hold, and leads are listed in
// the order in which they came.
func clockOff(t *testing.T, r rig) {
	ahead, right := r.Replicas[replicaCount-1].Public(), r.Replicas[0].Public()
	for _, test := range []struct {
		age    time.Duration
		status int
	}{{0, 404}, {290 * time.Second, 404}, {-290 * time.Second, 404}, {310 * time.Second, 401}, {-310 * time.Second, 401}} {
		for _, replica := range r.Replicas {
			if status := signedGet(t, replica.Public(), test.age); status != test.status {
				t.Errorf("a signature of the age of %v is answered %d, want %d", test.age, status, test.status)
			}
		}
	}

	var order []string
	for i, base := range []string{right, ahead, right, ahead, right} {
		p := newPerson("insertion")
		path, body := p.request()
		e := send(http.DefaultClient, "insertion", http.MethodPost, base+path, body)
		lead, _ := e.body["lead"].(map[string]any)
		if e.status != 201 {
			t.Fatalf("lead %d is answered %d %v", i, e.status, e.body)
		}
		order = append([]string{fmt.Sprint(lead["id"])}, order...)
	}
	listed := send(http.DefaultClient, "insertion", http.MethodGet, right+insertionPath+"?limit=5", "")
	leads, _ := listed.body["leads"].([]any)
	for i, id := range order {
		if len(leads) != 5 || leads[i].(map[string]any)["id"] != id {
			t.Fatalf("the leads came as %v, newest first, and are listed as %v", order, leads)
		}
	}

	// 10 a second, 20 for 5 s: of a supplier at rest at most 54 + 10τ and 6 + 20τ are admitted in τ seconds, whoever is asked.
	const lookups = 200
	began := time.Now()
	answers := lookUpAtOnce(t, r.Balancer.Public, lookups)
	took := time.Since(began)
	admitted, limited, givenUp := answers[http.StatusNotFound], answers[http.StatusTooManyRequests], answers[http.StatusServiceUnavailable]
	most := min(54+10*took.Seconds(), 6+20*took.Seconds())
	if float64(admitted) > most || admitted < 6 || limited == 0 || admitted+limited+givenUp != lookups || givenUp > 0 && took < impatient {
		t.Errorf("lookups are answered %v in %v, want 6 to %.1f admitted and all others limited", answers, took, most)
	}
}

// impatient is the soonest that a replica gives a request up, because Redis is slow (PostgreSQL is given longer). A busy
// machine makes it so.
const impatient = time.Second

// limitedKey is the key of a supplier that no other test uses, at the documented limits.
const limitedKey = "ldk_limits_d_4Rt7Uy1Ao8"

// lookUpAtOnce asks for a lead that doesn't exist, so often at once, and returns how often it was answered with what.
func lookUpAtOnce(t *testing.T, base string, times int) map[int]int {
	t.Helper()
	client := newClient(times)
	defer client.CloseIdleConnections()
	answers := make([]int, times)
	var all sync.WaitGroup
	for i := range times {
		all.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+lookupPath+"?phone=9990000000", nil)
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("x-api-key", limitedKey)
			res, err := client.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			_ = res.Body.Close()
			answers[i] = res.StatusCode
		})
	}
	all.Wait()
	count := map[int]int{}
	for _, status := range answers {
		count[status]++
	}
	return count
}

// signedGet asks for a lead that doesn't exist, with a signature of that age.
func signedGet(t *testing.T, base string, age time.Duration) int {
	t.Helper()
	timestamp := fmt.Sprint(time.Now().Add(-age).Unix())
	mac := hmac.New(sha256.New, []byte(bearer))
	fmt.Fprintf(mac, "%s.", timestamp)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+insertionPath+"/"+uuid.NewString(), strings.NewReader(""))
	must(t, err)
	req.Header.Set("X-AdBuy-Public-Key", "adp_acme_primary")
	req.Header.Set("X-AdBuy-Timestamp", timestamp)
	req.Header.Set("X-AdBuy-Signature", hex.EncodeToString(mac.Sum(nil)))
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	_ = res.Body.Close()
	return res.StatusCode
}
