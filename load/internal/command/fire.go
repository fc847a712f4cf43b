package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"leadconform/fixtures/target"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/shard"
	"leadconform/load/internal/tally"
	"leadconform/load/internal/trace"
)

// records is where the samples of an attack go: into a tally, and into files where they are asked for. It holds nothing
// that grows with the run.
type records struct {
	mu      sync.Mutex
	start   time.Time
	tally   tally.Tally
	second  tally.Tally // since the last line
	flushed time.Time

	redact *target.Redactor
	trace  *trace.Writer  // nil if nobody asked
	vegeta vegeta.Encoder // nil if nobody asked
	close  []func() error
}

// create opens the file of a flag. No name, no file.
func (r *records) create(flag, name string) (io.Writer, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, usage("%s: %w", flag, err)
	}
	buffered := bufio.NewWriter(file)
	r.close = append(r.close, func() error { return errors.Join(buffered.Flush(), file.Close()) })
	return buffered, nil
}

func (r *records) write(s trace.Sample) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tally.Add(r.start, s)
	r.second.Add(r.start, s)
	if r.trace == nil {
		return nil
	}
	if err := r.trace.Write(s); err != nil || time.Since(r.flushed) < time.Second {
		return err
	}
	r.flushed = time.Now()
	return r.trace.Flush()
}

// record writes what Vegeta's report and plot need. Of the answer that is neither the body nor most headers, in which a
// target may echo the key that it was shown.
func (r *records) record(result *vegeta.Result) error {
	result.Body = nil
	result.Headers = r.redact.Header(http.Header{"Retry-After": result.Headers["Retry-After"]})
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.vegeta(result)
}

// take returns what came in since it was last called.
func (r *records) take() tally.Tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	second := r.second
	r.second = tally.Tally{}
	return second
}

// end closes the files.
func (r *records) end(end trace.End) (err error) {
	if r.trace != nil {
		err = r.trace.Close(end)
	}
	for _, close := range r.close {
		err = errors.Join(err, close())
	}
	return err
}

// fire runs the attack, prints a line a second, and at the end what it came to.
func (a *attackCmd) fire(ctx context.Context, w *World, s *shot, p plan.Plan) error {
	records := &records{redact: s.caller.Redact}
	traceFile, err := records.create("--out", a.Out)
	if err != nil {
		return err
	}
	vegetaFile, err := records.create("--vegeta-out", a.VegetaOut)
	if err != nil {
		return err
	}
	attacks, schedules := s.attacks(p)
	if vegetaFile != nil {
		records.vegeta = vegeta.NewEncoder(vegetaFile)
		for i := range attacks {
			attacks[i].Record = records.record
		}
	}
	session := &attack.Session{Write: records.write}
	var clock shard.Clock
	if !a.Shard.Whole() {
		if _, err := attack.RoundTrips(ctx, s.reach(), func() (*http.Request, error) { return s.caller.Keyless(s.api) }, watch(&clock)); err != nil {
			return lost(err)
		}
	}
	if session.Start, err = a.start(); err != nil {
		return err
	}
	if err := await(ctx, session.Start); err != nil {
		return lost(err)
	}
	stop := func() {}
	err = attack.Together(ctx, session, attacks, func() error {
		if err := a.onTime(session.Start); err != nil {
			return err
		}
		records.start = session.Start
		stop = tell(w, p, session, records)
		if traceFile == nil {
			return nil
		}
		meta := s.meta(p)
		meta.Started, meta.Shard = session.Start, a.head(s.interleaved, &clock)
		var err error
		records.trace, err = trace.NewWriter(traceFile, meta)
		return err
	})
	stop()
	end := trace.End{Reason: trace.Complete}
	if err != nil {
		end.Reason = err.Error()
	}
	for _, schedule := range schedules {
		end.Stalls = append(end.Stalls, schedule.Stalls()...)
	}
	if closed := records.end(end); closed != nil {
		err = errors.Join(err, fmt.Errorf("write the results: %w", closed))
	}
	sum := summarise(&records.tally)
	sum.Stalls, sum.Slid = len(end.Stalls), 0
	for _, stall := range end.Stalls {
		sum.Slid += stall.Slid
	}
	if told := sum.write(w.Stdout, a.Format); told != nil {
		return told
	}
	return lost(err)
}

// tell prints a line a second until the function that it returns is called.
func tell(w *World, p plan.Plan, session *attack.Session, r *records) (stop func()) {
	done := make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		var planned, begun int
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			elapsed := time.Since(session.Start)
			due, sent := dueBy(p, elapsed), session.Begun()
			line(w.Stderr, elapsed, due-planned, sent-begun, r.take())
			planned, begun = due, sent
		}
	})
	return func() { close(done); telling.Wait() }
}

// dueBy is how many requests the plan wants sent by then.
func dueBy(p plan.Plan, elapsed time.Duration) (n int) {
	for _, phase := range p.Phases {
		if into := elapsed - phase.Start; into >= phase.Length {
			n += phase.Count()
		} else if into > 0 {
			phase.Length = into
			n += phase.Count()
		}
	}
	return n
}

// line is one second of an attack: what was due and what was sent in it, and of the answers that came in it how many there
// were of each kind, how long they took and how late their requests had been.
func line(out io.Writer, elapsed time.Duration, offered, sent int, t tally.Tally) {
	_, _ = fmt.Fprintf(out, "%6.1fs  offered %-5d sent %-5d admitted %-5d limited %-5d other %-4d p50 %-8v p99 %-8v lag p99 %v\n",
		elapsed.Seconds(), offered, sent, t.Admitted, t.Limited, t.Other,
		short(t.Latency.Quantile(0.5)), short(t.Latency.Quantile(0.99)), short(t.Lag.Quantile(0.99)))
}

// short rounds a duration to three digits.
func short(d time.Duration) time.Duration {
	unit := time.Nanosecond
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
