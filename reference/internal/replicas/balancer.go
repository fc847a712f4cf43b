package replicas

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// Balancer shares requests out among replicas, each to the next one that is ready. If none is, they go to all the same:
// a replica without its database has an answer of its own to give. A request that a replica could not be reached for goes
// to the next; one that was lost half-way is answered 502, since nobody knows whether it took effect.
//
// Its control listener is that of the first replica. A fault that is switched on there is one replica's, so while one is
// on, that replica has all the traffic.
type Balancer struct {
	Public, Control string // base URLs

	replicas  []*member
	turns     atomic.Uint64
	faults    faults
	transport *http.Transport
	servers   []*http.Server
	stop      context.CancelFunc
	ended     sync.WaitGroup
}

// member is a replica in the balancer's eyes.
type member struct {
	*Replica
	ready atomic.Bool
}

// faults is what the balancer knows of the faults of the first replica.
type faults struct {
	mu      sync.Mutex
	on      bool
	changes int // how often somebody may have switched one on or off
}

// look returns whether a fault may be on, and as of which change.
func (f *faults) look() (on bool, change int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.on, f.changes
}

// changed notes that one may have been switched on or off.
func (f *faults) changed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on, f.changes = true, f.changes+1
}

// none notes that none is left, if nothing has changed since the replica was asked.
func (f *faults) none(change int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changes == change {
		f.on = false
	}
}

const (
	// checkEvery is how often each replica is asked whether it is ready.
	checkEvery = 200 * time.Millisecond
	// mostIdle is how many connections to each replica are kept for later, and idle for how long: for less than the
	// replicas keep theirs, so that none is closed just as a request is sent on it.
	mostIdle = 512
	idle     = 20 * time.Second
)

// Balance starts a balancer, for both APIs and for the operator. It must be closed; that closes the listeners too.
func Balance(replicas []*Replica, public, control net.Listener) *Balancer {
	b := &Balancer{
		Public:    "http://" + public.Addr().String(),
		Control:   "http://" + control.Addr().String(),
		transport: &http.Transport{MaxIdleConnsPerHost: mostIdle, IdleConnTimeout: idle, DisableCompression: true},
	}
	for _, r := range replicas {
		m := &member{Replica: r}
		m.ready.Store(true)
		b.replicas = append(b.replicas, m)
	}
	for l, handler := range map[net.Listener]http.Handler{
		public:  proxy(publicSide{b}),
		control: b.watchFaults(proxy(controlSide{b})),
	} {
		server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
		b.servers = append(b.servers, server)
		b.ended.Go(func() { _ = server.Serve(l) })
	}
	var ctx context.Context
	ctx, b.stop = context.WithCancel(context.Background())
	for _, m := range b.replicas {
		b.ended.Go(func() { b.check(ctx, m) })
	}
	return b
}

// Close stops the balancer. Requests under way are cut off.
func (b *Balancer) Close() error {
	b.stop()
	var errs []error
	for _, server := range b.servers {
		errs = append(errs, server.Close())
	}
	b.ended.Wait()
	b.transport.CloseIdleConnections()
	return errors.Join(errs...)
}

// check asks a replica again and again whether it is ready.
func (b *Balancer) check(ctx context.Context, m *member) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		status, _, err := b.ask(ctx, m.Control()+"/readyz")
		m.ready.Store(err == nil && status == http.StatusOK)
	}
}

// ask gets an answer from a replica, soon or not at all.
func (b *Balancer) ask(ctx context.Context, url string) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	res, err := b.transport.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

// proxy is a handler that sends requests on by a transport that knows where to.
func proxy(transport http.RoundTripper) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "a-replica" },
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0), // the client is told
	}
}

// publicSide sends a request to the replica whose turn it is.
type publicSide struct{ *Balancer }

func (b publicSide) RoundTrip(r *http.Request) (res *http.Response, err error) {
	on, change := b.faults.look()
	for _, m := range b.order(on) {
		res, err = b.send(r, m.Public())
		if failure, ok := errors.AsType[*net.OpError](err); !ok || failure.Op != "dial" {
			break // it has been sent
		}
	}
	if on {
		b.lookForFaults(r.Context(), change)
	}
	return res, err
}

// order is the replicas in the order in which a request is offered to them.
func (b *Balancer) order(faulty bool) []*member {
	if faulty {
		return b.replicas[:1]
	}
	n := len(b.replicas)
	first := int(b.turns.Add(1) % uint64(n))
	var ready, others []*member
	for i := range n {
		if m := b.replicas[(first+i)%n]; m.ready.Load() {
			ready = append(ready, m)
		} else {
			others = append(others, m)
		}
	}
	return append(ready, others...)
}

// send sends a request on to a base URL. A body that nothing was read from can be sent again: the proxy closes it.
func (b *Balancer) send(r *http.Request, base string) (*http.Response, error) {
	at, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	out := r.Clone(r.Context())
	out.URL.Host = at.Host
	if r.Body != nil {
		out.Body = io.NopCloser(r.Body)
	}
	return b.transport.RoundTrip(out)
}

// controlSide sends a request to the first replica's control listener.
type controlSide struct{ *Balancer }

func (b controlSide) RoundTrip(r *http.Request) (*http.Response, error) {
	return b.send(r, b.replicas[0].Control())
}

// watchFaults notes that faults may have changed, before anyone is told that they have.
func (b *Balancer) watchFaults(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/control/faults" {
			b.faults.changed()
		}
		next.ServeHTTP(w, r)
	})
}

// lookForFaults asks the first replica whether any fault is left.
func (b *Balancer) lookForFaults(ctx context.Context, change int) {
	var left struct {
		Faults []json.RawMessage `json:"faults"`
	}
	status, body, err := b.ask(ctx, b.replicas[0].Control()+"/control/faults")
	if err == nil && status == http.StatusOK && json.Unmarshal(body, &left) == nil && len(left.Faults) == 0 {
		b.faults.none(change)
	}
}
