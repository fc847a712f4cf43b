package attack

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// driver is one run of an attack.
type driver struct {
	Attack
	session *Session
	start   time.Time
	pool    *pool
	lanes   []*http.Transport
	hard    context.Context // ends with the requests under way
	kill    context.CancelCauseFunc
	work    sync.WaitGroup // builders and refills

	// Of the pacer's goroutine alone.
	builders map[route]chan *hit
	waiting  *hit // built, and not yet due

	mu       sync.Mutex
	hits     map[uint64]*hit // due and not yet answered, by Vegeta's sequence number
	script   sync.Mutex      // a script's calls must not overlap
	answered chan struct{}   // holds a token after an answer, for who waits for the last
	failure  error           // what ended the attack early, under mu
}

// route is what requests are built for: one endpoint with one key.
type route struct {
	endpoint string
	stream   plan.Stream
}

// hit is one request on its way.
type hit struct {
	seq     uint32
	phase   int
	request *http.Request
	built   time.Time
	due     time.Duration
	sent    atomic.Int64 // nanoseconds since the start, plus one; 0: not sent. The transport's goroutine writes it
	status  int
	err     error
}

func (d *driver) elapsed() time.Duration { return time.Since(d.start) }

// run does what Ready.Run says.
func (d *driver) run(ctx context.Context, session *Session) error {
	d.session, d.start = session, session.Start
	d.hard, d.kill = context.WithCancelCause(context.WithoutCancel(ctx))
	pacing, endPacing := context.WithCancel(ctx)
	defer endPacing()
	sleeper, err := d.Sleeper(pacing)
	if err != nil {
		return err
	}
	defer func() { _ = sleeper.Close() }()

	// An attacker serves once. Its Stop frees a pacer whose hit finds no worker; a sleeping one wakes with its context.
	attacker := vegeta.NewAttacker(vegeta.Client(d.client()), vegeta.Workers(lanes),
		vegeta.MaxWorkers(uint64(max(d.MaxInFlight, lanes))), vegeta.MaxBody(maxAnswer))
	defer d.stopWith(pacing, attacker)()

	for result := range attacker.Attack(d.placeholder(), &pacer{driver: d, pacing: pacing, sleeper: sleeper}, 0, "") {
		if err := d.take(result); err != nil {
			d.fail(err)
			endPacing()
		}
	}
	endPacing()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failure
}

// stopWith stops the attacker when pacing ends, and a little later what is still under way. The function it returns
// waits until that is done.
func (d *driver) stopWith(pacing context.Context, attacker *vegeta.Attacker) (wait func()) {
	d.work.Go(func() {
		<-pacing.Done()
		attacker.Stop()
		grace := time.NewTimer(drainFor)
		defer grace.Stop()
		select {
		case <-grace.C:
			d.kill(ErrStopped)
		case <-d.hard.Done():
		}
	})
	return func() {
		d.kill(nil)
		d.work.Wait()
	}
}

// fail notes why the attack can't go on.
func (d *driver) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failure == nil {
		d.failure = err
	}
}

// next asks the script for its next move.
func (d *driver) next() plan.Move {
	d.script.Lock()
	defer d.script.Unlock()
	return d.Script.Next(d.elapsed())
}

// drain waits until every request is answered, and reports whether pacing goes on.
func (d *driver) drain(pacing context.Context) bool {
	for {
		d.mu.Lock()
		left := len(d.hits)
		d.mu.Unlock()
		if left == 0 {
			return true
		}
		select {
		case <-d.answered:
		case <-pacing.Done():
			return false
		}
	}
}

// due is the time that is meant by a move's: a script may name one that has passed.
func (d *driver) due(at time.Duration) time.Duration {
	if now := d.elapsed(); now-at > DefaultTolerance {
		return now
	}
	return at
}

// begin makes the hit known to the worker that will send it. Vegeta numbers hits in the order in which workers set to
// them and hands out one tick for each call of begin, so every number that a worker asks for is there, and each once.
func (d *driver) begin(n uint64, due time.Duration) {
	d.waiting.due = due
	d.waiting.seq = d.session.begin()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hits[n] = d.waiting
}

// take turns Vegeta's result into a sample, and tells the script.
func (d *driver) take(result *vegeta.Result) error {
	d.mu.Lock()
	h := d.hits[result.Seq]
	d.mu.Unlock()
	reading := d.Read(h.phase, Answer{
		Request: h.request, Status: h.status, Header: result.Headers, Body: result.Body,
		Took: result.End().Sub(d.start.Add(h.due)), Received: result.End(), Err: h.err,
	})
	sample := trace.Sample{
		Intended: h.due,
		Received: result.End().Sub(d.start),
		Refusal:  reading.Refusal,
		Seq:      h.seq,
		Phase:    uint16(h.phase),
		Status:   uint16(h.status),
		Kind:     reading.Kind,
		Fault:    reading.Fault,
	}
	// A request that never left counts as sent when it was given up: it was late by that much at least.
	sample.Sent = sample.Received
	if sent := h.sent.Load(); sent > 0 {
		sample.Sent = time.Duration(sent - 1)
	}
	d.observe(sample)
	d.mu.Lock()
	delete(d.hits, result.Seq)
	d.mu.Unlock()
	select {
	case d.answered <- struct{}{}:
	default:
	}
	if err := d.session.write(sample); err != nil {
		return fmt.Errorf("write the trace: %w", err)
	}
	if d.Record == nil {
		return nil
	}
	if err := d.Record(d.result(h, result)); err != nil {
		return fmt.Errorf("write Vegeta's result: %w", err)
	}
	return nil
}

func (d *driver) observe(s trace.Sample) {
	d.script.Lock()
	defer d.script.Unlock()
	d.Script.Observe(plan.Answer{Phase: int(s.Phase), Sent: s.Sent, Received: s.Received, Outcome: s.Kind, RetryAfter: s.Refusal.Wait()})
}

// result is Vegeta's result of the request that was sent in the placeholder's stead.
func (d *driver) result(h *hit, r *vegeta.Result) *vegeta.Result {
	end := r.End()
	r.Attack = d.Phases[h.phase].Endpoint + "/" + string(d.Phases[h.phase].Stream)
	r.Method, r.URL = h.request.Method, h.request.URL.String()
	r.BytesOut = uint64(max(h.request.ContentLength, 0))
	r.Timestamp = d.start.Add(h.due)
	r.Latency = end.Sub(r.Timestamp)
	return r
}
