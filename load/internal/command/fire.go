package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
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

	// The files, if somebody asked.
	traceOut, vegetaOut *output
	buffer              *bufio.Writer // before vegetaOut
}

// open opens the files of --out and --vegeta-out, before anything is sent. No name, no file.
func (r *records) open(traceName, vegetaName string) (err error) {
	defer func() {
		if err != nil {
			_ = r.close()
		}
	}()
	if traceName != "" {
		if r.traceOut, err = create("--out", traceName); err != nil {
			return err
		}
	}
	if vegetaName != "" {
		if r.vegetaOut, err = create("--vegeta-out", vegetaName); err != nil {
			return err
		}
	}
	if r.traceOut != nil && r.vegetaOut != nil && sameFile(r.traceOut, r.vegetaOut) {
		return usage("--out %s, --vegeta-out %s: they are one file, and can't be", traceName, vegetaName)
	}
	return nil
}

// close closes the files that are still open.
func (r *records) close() (err error) {
	for _, out := range []*output{r.traceOut, r.vegetaOut} {
		if out != nil {
			err = errors.Join(err, out.Close())
		}
	}
	r.traceOut, r.vegetaOut = nil, nil
	return err
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

// pending reports whether something came in since take was last called.
func (r *records) pending() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.second.Sent > 0
}

// end closes the files.
func (r *records) end(end trace.End) (err error) {
	if r.trace != nil {
		err = r.trace.Close(end)
	}
	if r.buffer != nil {
		err = errors.Join(err, r.buffer.Flush())
	}
	return errors.Join(err, r.close())
}

// fire runs the attack, prints a line a second, and at the end what it came to.
func (a *attackCmd) fire(ctx context.Context, w *World, s *shot, p plan.Plan, records *records) (err error) {
	records.redact = s.caller.Redact
	attacks, schedules := s.attacks(p)
	if records.vegetaOut != nil {
		records.buffer = bufio.NewWriter(records.vegetaOut)
		records.vegeta = vegeta.NewEncoder(records.buffer)
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
		if records.traceOut == nil {
			return nil
		}
		meta := s.meta(p)
		meta.Started, meta.Shard = session.Start, a.head(s.interleaved, &clock)
		var err error
		records.trace, err = trace.NewWriter(records.traceOut, meta)
		return err
	})
	stop()
	end := trace.End{Reason: trace.Complete}
	if err != nil {
		end.Reason = lost(err).Error()
	}
	for _, schedule := range schedules {
		end.Stalls = append(end.Stalls, schedule.Stalls()...)
		end.GivenUp += schedule.GivenUp()
	}
	if closed := records.end(end); closed != nil {
		err = errors.Join(err, fmt.Errorf("write the results: %w", closed))
	}
	sum := summarise(&records.tally)
	sum.Stalls, sum.GivenUp = len(end.Stalls), end.GivenUp
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
		lines := live{out: w.Stderr, plan: p, session: session, records: r}
		for {
			select {
			case <-done:
				lines.last()
				return
			case <-ticker.C:
				lines.line(time.Since(session.Start))
			}
		}
	})
	return func() { close(done); telling.Wait() }
}

// live prints a line for each second of an attack.
type live struct {
	out     io.Writer
	plan    plan.Plan
	session *attack.Session
	records *records

	planned, begun int // of the seconds before
}

// line prints the line of what happened since the last.
func (l *live) line(elapsed time.Duration) {
	due, sent := dueBy(l.plan, elapsed), l.session.Begun()
	line(l.out, elapsed, due-l.planned, sent-l.begun, l.records.take())
	l.planned, l.begun = due, sent
}

// last prints the line of the second in which the attack ended, if there was something in it.
func (l *live) last() {
	elapsed := time.Since(l.session.Start)
	if l.records.pending() || l.session.Begun() > l.begun {
		l.line(elapsed)
	}
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
		quantile(&t.Latency, 0.5), quantile(&t.Latency, 0.99), quantile(&t.Lag, 0.99))
}

// quantile prints a quantile, and a dash where there is nothing to have one.
func quantile(h *tally.Histogram, q float64) string {
	if h.Count() == 0 {
		return "–"
	}
	return short(h.Quantile(q)).String()
}

// short rounds a duration to three digits.
func short(d time.Duration) time.Duration {
	unit := time.Nanosecond
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
