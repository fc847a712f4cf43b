// Package attack sends requests at the moments a script names, with Vegeta as the engine, and says of each when it was
// due, when it was sent, when it was answered and how.
//
// Vegeta's own pacing catches up after a stall, which exceeds the rate that was meant, and its results don't know when a
// request was due. Here the pacer owns the clock, and the round tripper sends the request that was built beforehand for
// Vegeta's sequence number, so that every answer is tied to the due time of its request.
package attack

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// Defaults of an Attack.
const (
	DefaultConnections = lanes
	DefaultMaxInFlight = 4096
	DefaultTimeout     = 10 * time.Second
)

// GCPercent is how many percent the heap of the program grows before garbage is collected, unless GOGC says otherwise.
// Requests leave much garbage and little that lives on: at Go's own 100 the collector takes a tenth of the processor time.
const GCPercent = 400

const (
	builtAhead = 128                    // how many requests of a key wait for their time, by default
	maxAnswer  = 64 << 10               // how many bytes of an answer are kept while it is read
	drainFor   = 500 * time.Millisecond // how long requests under way may still be answered once the run is stopped
	refillFor  = 300 * time.Millisecond // how long before the end of a silence connections are dialled anew
)

// An Attack is one stream of requests to one address. It can be run once.
type Attack struct {
	Script plan.Script  // what to send when
	Phases []plan.Phase // of the plan; a script's moves and a trace's samples point into it
	URL    string       // scheme and host of all requests
	// Build makes a request for a phase, ahead of its time. Phases of one endpoint and key share what is built.
	// Calls for different endpoints or keys may overlap.
	Build func(phase int) (*http.Request, error)
	// Read says what an answer means. Calls don't overlap.
	Read func(phase int, answer Answer) Reading
	// Record, if it isn't nil, takes what Vegeta's own programs read, with the time that was meant as timestamp and
	// the latency counted from there. Calls don't overlap.
	Record func(*vegeta.Result) error
	// Then, if it isn't nil, is what follows when the script is over and all answers are in (see Together).
	Then func(ctx context.Context)

	Connections int           // dialled ahead; at least 16, the default
	BuiltAhead  int           // requests of each endpoint and key that are built before their time; default 128
	MaxInFlight int           // requests that may wait for an answer; default 4096. More than that stall the schedule
	Timeout     time.Duration // from a request's beginning to the end of its answer; default 10 s
	Dial        Dial          // how to reach the address; nil: TCP
	TLS         *tls.Config   // for https; nil: verified against the system's roots
	Sleeper     NewSleeper    // nil: FineSleeper
}

// Answer is what came back for one request: an answer of which at most 64 KiB are kept, or in Err the reason why there
// is none, or no whole one.
type Answer struct {
	Request  *http.Request // as Build made it
	Status   int           // 0: no answer
	Header   http.Header
	Body     []byte
	Took     time.Duration // from the time that was meant
	Received time.Time     // when it was complete or given up
	Err      error
}

// Reading is what an answer means.
type Reading struct {
	Kind    trace.Kind
	Fault   trace.Fault
	Refusal *trace.Refusal
}

// Ready is an attack whose connections stand. It has to be run, or closed.
type Ready struct{ driver *driver }

// Connect opens the connections of the attack. It spends no request, and so nothing of a limit.
func (a Attack) Connect(ctx context.Context) (*Ready, error) {
	d, err := a.newDriver()
	if err != nil {
		return nil, err
	}
	if err := d.pool.fill(ctx, d.Connections); err != nil {
		d.close()
		return nil, err
	}
	return &Ready{d}, nil
}

// Close gives the connections of an attack back that will not be run.
func (r *Ready) Close() { r.driver.close() }

// Run runs the attack to the end of its script. If ctx ends before, nothing more is sent, requests under way have half a
// second to be answered, and Run returns the cause; by then every request that was sent has its sample.
func (r *Ready) Run(ctx context.Context, session *Session) error {
	defer r.driver.close()
	return r.driver.run(ctx, session)
}

// Run connects and runs the attack.
func (a Attack) Run(ctx context.Context, session *Session) error {
	r, err := a.Connect(ctx)
	if err != nil {
		return err
	}
	return r.Run(ctx, session)
}

// newDriver fills in the defaults.
func (a Attack) newDriver() (*driver, error) {
	at, err := url.Parse(a.URL)
	if err != nil || at.Host == "" {
		return nil, fmt.Errorf("%q is no base URL", a.URL)
	}
	a.Connections = max(a.Connections, DefaultConnections)
	if a.BuiltAhead <= 0 {
		a.BuiltAhead = builtAhead
	}
	if a.MaxInFlight <= 0 {
		a.MaxInFlight = DefaultMaxInFlight
	}
	if a.Timeout <= 0 {
		a.Timeout = DefaultTimeout
	}
	if a.Sleeper == nil {
		a.Sleeper = FineSleeper
	}
	d := &driver{
		Attack:   a,
		pool:     newPool(dialer(at.Scheme, a.Dial, a.TLS), hostPort(at)),
		builders: map[route]chan *hit{},
		hits:     map[uint64]*hit{},
		answered: make(chan struct{}, 1),
	}
	for range lanes {
		d.lanes = append(d.lanes, newLane(d.pool))
	}
	return d, nil
}

func hostPort(at *url.URL) string {
	if at.Port() != "" {
		return at.Host
	}
	if at.Scheme == "https" {
		return net.JoinHostPort(at.Hostname(), "443")
	}
	return net.JoinHostPort(at.Hostname(), "80")
}

// ErrStopped is what requests end with that were under way when the run was stopped.
var ErrStopped = errors.New("the run was stopped before the answer came")

// ErrTimeout is what requests end with that were not answered in time.
var ErrTimeout = errors.New("no answer within the time limit")
