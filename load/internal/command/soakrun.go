package command

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"leadconform/load/internal/attack"
	"leadconform/load/internal/soak"
	"leadconform/load/internal/tally"
	"leadconform/load/internal/trace"
)

// Why a soak ends before its time.
var (
	errFirstViolation = errors.New("a bound was violated (--fail-fast)")
	errDrowned        = errors.New("most suppliers were no longer driven in time, so nothing more can be judged")
)

// drive runs the soak, prints a line a second, and at the end the verdict on each supplier.
func (s *soakCmd) drive(ctx context.Context, w *World, r *soaking, records *records) error {
	records.redact = r.caller.Redact
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	attacks, err := r.attacks(ctx)
	if err != nil {
		return lost(err)
	}
	s.announce(w, r)
	start, err := s.start()
	if err != nil {
		return err
	}
	if err := await(ctx, start); err != nil {
		return lost(err)
	}
	session := &attack.Session{
		Start: start,
		Write: func(sample trace.Sample) error { r.board.Take(sample); return records.write(sample) },
		Alive: func(sample trace.Sample) bool { return sample.Kind != trace.Other },
	}
	stop := func() {}
	err = attack.Together(ctx, session, attacks, func() error {
		if err := s.onTime(session.Start); err != nil {
			return err
		}
		records.start = session.Start
		stop = s.watch(w, r, session, records, cancel)
		if records.traceOut == nil {
			return nil
		}
		meta := trace.Meta{Run: r.runID, Target: r.profile.Name, Plan: r.plan, Preflight: r.trips, Rested: r.fresh,
			Started: session.Start, Shard: s.head(r.interleaved, &r.clock)}
		var err error
		records.trace, err = trace.NewWriter(records.traceOut, meta)
		return err
	})
	stop()
	end := trace.End{Reason: trace.Complete}
	if err != nil {
		end.Reason = lost(err).Error()
	}
	if closed := records.end(end); closed != nil {
		return errors.Join(err, fmt.Errorf("write the results: %w", closed))
	}
	if session.Begun() == 0 {
		return lost(err)
	}
	return s.conclude(w, r, &records.tally, err)
}

func (s *soakCmd) announce(w *World, r *soaking) {
	if s.Format != "text" {
		return
	}
	bounds, _ := soak.BoundsOf(r.plan, r.trips, r.fresh)
	w.printf("%d suppliers of %s, %v each; %.4g/s offered each on %s, for %v\n", len(r.plan.Phases), r.profile.Name, r.policy, bounds[0].Offered, s.Endpoint, s.For)
	for _, remark := range r.remarks {
		w.printf("note: %s\n", remark)
	}
	if r.interleaved {
		w.printf("note: each supplier is shared by %d workers, so that only load report can judge them\n", s.Shard.Count)
	} else if needs := bounds[0].Needs() + s.Ramp; needs > s.For {
		w.printf("note: %v is not enough for a pass: a conforming limiter may need --for %v\n", s.For, needs.Round(time.Second))
	}
}

// watch judges and tells once a second, until the function that it returns is called, and ends the run when there is no
// use in going on.
func (s *soakCmd) watch(w *World, r *soaking, session *attack.Session, records *records, end context.CancelCauseFunc) (stop func()) {
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		failed, lines := 0, live{out: w.Stderr, plan: r.plan, session: session, records: records}
		for {
			select {
			case <-done:
				lines.last()
				return
			case <-ticker.C:
			}
			elapsed := time.Since(session.Start)
			if elapsed < 0 {
				continue
			}
			violated := r.board.Advance(elapsed)
			failed += len(violated)
			lines.line(elapsed)
			if !r.interleaved {
				s.tell(w, r, violated)
			}
			switch {
			case s.FailFast && failed > 0 && !r.interleaved:
				end(errFirstViolation)
			case r.board.Drowned():
				end(errDrowned)
			}
		}
	})
	return func() { close(done); watching.Wait() }
}

// tell says which suppliers have just crossed a curve.
func (s *soakCmd) tell(w *World, r *soaking, violated []int) {
	if len(violated) == 0 {
		return
	}
	curves := r.board.Curves()
	for _, i := range violated {
		_, _ = fmt.Fprintf(w.Stderr, "         FAIL %s: %v\n", r.plan.Phases[i].Stream, curves[i].First)
	}
}

// conclude writes the verdict and returns the exit status.
func (s *soakCmd) conclude(w *World, r *soaking, t *tally.Tally, err error) error {
	r.board.Finish()
	v := r.board.Verdicts(r.plan)
	if r.interleaved {
		v.Withhold("it was shared by several workers: load report judges their traces together")
	}
	if errors.Is(err, errFirstViolation) || errors.Is(err, errDrowned) {
		v.Notes = append(v.Notes, "stopped early: "+err.Error())
		err = nil
	}
	offered := s.Over * r.policy.Rate
	if note := v.Heaviest(offered); note != "" && !r.interleaved {
		v.Notes = append(v.Notes, note)
	}
	for i, script := range r.scripts {
		if times, by := script.Slid(); times > 0 {
			v.Notes = append(v.Notes, fmt.Sprintf("the client stalled: schedule %d of %d slid %d times, by %v in all", i+1, len(r.scripts), times, short(by)))
		}
	}
	if told := writeSoak(w, v, summarise(t), s.Format); told != nil {
		return told
	}
	if err := lost(err); err != nil {
		return err
	}
	if !s.Shard.Whole() {
		return nil // a part was done: the verdict is that of load report on all of them
	}
	return soakStatus(v)
}

// soakStatus is the exit status of verdicts.
func soakStatus(v soak.Verdicts) error {
	switch {
	case v.Fail > 0:
		return &exitError{status: exitFailed}
	case v.NotAssessed > 0:
		return &exitError{status: exitNotAssessed}
	}
	return nil
}

// soaked is what load soak prints as JSON.
type soaked struct {
	soak.Verdicts
	Total *summary `json:"total"`
}

// mostTold is how many suppliers of a kind are told of one by one.
const mostTold = 10

func writeSoak(w *World, v soak.Verdicts, total *summary, format string) error {
	if format == "json" {
		return writeJSON(w.Stdout, soaked{v, total})
	}
	if err := total.write(w.Stdout, format); err != nil {
		return err
	}
	writeVerdicts(w, v)
	return nil
}

func writeVerdicts(w *World, v soak.Verdicts) {
	w.printf("\n%d suppliers: %d pass, %d fail, %d not assessed\n", len(v.Suppliers), v.Pass, v.Fail, v.NotAssessed)
	for _, verdict := range []soak.Verdict{soak.Fail, soak.NotAssessed, soak.Pass} {
		told := 0
		for _, r := range v.Suppliers {
			if r.Verdict != verdict {
				continue
			}
			if told++; told > mostTold {
				continue
			}
			w.printf("  %-12s %s: %s; admitted %d, limited %d, other %d\n", r.Verdict, r.Supplier, r.Reason, r.Admitted, r.Limited, r.Other)
		}
		if told > mostTold {
			w.printf("  %-12s and %d more\n", verdict, told-mostTold)
		}
	}
	for _, note := range v.Notes {
		w.printf("note: %s\n", note)
	}
}
