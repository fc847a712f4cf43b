package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/estimate"
	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/tally"
	"leadconform/load/internal/trace"
)

type fingerprintCmd struct {
	targetFlags
	Endpoint string        `help:"Whose limiter: ingest, ping, lookup, leads or internal." required:"" placeholder:"ENDPOINT"`
	Supplier string        `help:"Whose key is used, as a role of the profile." default:"limits_a" placeholder:"ROLE"`
	Rate     float64       `help:"Requests per second to overload it with, about twice the burst rate. Default: from what the profile promises." placeholder:"N"`
	Blind    bool          `help:"Search for the limit first, whatever the profile promises."`
	MaxRate  float64       `help:"The most that the search may offer, in requests per second. Default: 4000; on the Insertion API the profile's insertion.limit.max_rate." placeholder:"N"`
	Longest  time.Duration `help:"How long a key that stays refused is polled, at most: a window that is longer can't be measured." default:"2m"`
	Out      string        `help:"Write the trace, which load report reads." placeholder:"FILE"`
	Format   string        `help:"What stdout receives." default:"text" enum:"text,json"`
	Seed     uint64        `help:"Fixes the values that are sent." placeholder:"N"`
}

// Help is shown by load fingerprint --help.
func (fingerprintCmd) Help() string {
	return `Overloads an endpoint from rest, for its burst window and nine seconds, and tells from what gets in what limiter it has: rate, burst and credit, each with an interval, and its kind. Where nothing is promised, the limit is searched for by doubling the rate, and left to rest again.

A key that then stays refused for longer than a second has met a long window. It is polled until the window has rolled over twice, which gives the window's length and its ceiling: that takes two windows.

Examples:

  load fingerprint --endpoint ingest
  load fingerprint --endpoint leads --profile staging.yaml --allow-load staging.example.com`
}

// print is what load fingerprint prints as JSON.
type print struct {
	Target   string            `json:"target"`
	Endpoint string            `json:"endpoint"`
	Key      string            `json:"key"`
	Promised *plan.Policy      `json:"promised,omitempty"`
	Estimate estimate.Estimate `json:"estimate"`
	Jitter   time.Duration     `json:"jitter_ns"`
	Stalls   int               `json:"stalls"`
	Slid     time.Duration     `json:"slid_ns"`
}

// Run takes a fingerprint.
func (f *fingerprintCmd) Run(ctx context.Context, w *World) error {
	switch {
	case !(f.Rate >= 0 && f.Rate <= mostRate):
		return usage("--rate %g: give requests per second, above 0 and at most %d", f.Rate, mostRate)
	case !(f.MaxRate == 0 || f.MaxRate >= 1 && f.MaxRate <= mostRate):
		return usage("--max-rate %g: give requests per second, 1 to %d", f.MaxRate, mostRate)
	case f.Longest <= 0:
		return usage("--longest %v: it must be above 0", f.Longest)
	}
	var out *output // nil if nobody asked
	if f.Out != "" {
		var err error
		if out, err = create("--out", f.Out); err != nil {
			return err
		}
		defer out.Close()
	}
	c, err := f.choose(ctx, w)
	if err != nil {
		return err
	}
	defer c.stop()
	s, err := newShot(c, f.Endpoint, f.Seed)
	if err != nil {
		return err
	}
	defer s.close()
	s.strict = true
	if err := s.try(ctx, w, f.Supplier); err != nil {
		return err
	}
	whole, err := f.overload(ctx, w, s, f.plan(s))
	if whole == nil {
		return lost(err)
	}
	if err != nil {
		err = stopped(err, whole)
	} else {
		err = f.tell(w, s, whole)
	}
	if out != nil {
		err = errors.Join(err, save(out, whole))
	}
	return err
}

// tell prints what the trace of an overload shows.
func (f *fingerprintCmd) tell(w *World, s *shot, whole *trace.Trace) error {
	found, err := estimate.Fingerprint(whole, f.Endpoint)
	if err != nil {
		return &exitError{exitNotAssessed, fmt.Errorf("no fingerprint: %w", err)}
	}
	p := print{
		Target: s.profile.Name, Endpoint: f.Endpoint, Key: f.Supplier, Estimate: found,
		Jitter: judge.Jitter(whole.Meta.Preflight), Stalls: len(whole.End.Stalls),
	}
	if policy, ok := s.promised(f.Supplier); ok {
		p.Promised = &policy
	}
	for _, stall := range whole.End.Stalls {
		p.Slid += stall.Slid
	}
	return p.write(w, f.Format)
}

// promised is what the profile, or else the document, promises the key of a role.
func (s *shot) promised(role string) (plan.Policy, bool) {
	if s.api != target.APIDistro {
		return plan.Policy{}, false
	}
	limit := s.profile.Distro.LimitsOf(role).Of(s.endpoint)
	return plan.Policy{Rate: limit.Rate, Burst: limit.Burst, Window: limit.Window}, true
}

// maxRate is the most that a search may offer where no flag says so, in requests per second.
func (s *shot) maxRate() float64 {
	if s.api == target.APIInsertion {
		return s.profile.Insertion.Limit.MaxRate
	}
	return 4000
}

// plan is what is sent: an overload of what is promised, or, where nothing is, a search before it.
func (f *fingerprintCmd) plan(s *shot) plan.Fingerprint {
	policy, known := s.promised(f.Supplier)
	p := plan.Fingerprint{Endpoint: f.Endpoint, MaxRate: cmp.Or(f.MaxRate, s.maxRate()), Rest: plan.FingerprintRest, Length: plan.FingerprintLength}
	if known && !f.Blind {
		p = plan.Known(f.Endpoint, policy)
	}
	p.Longest = f.Longest
	if f.Rate > 0 {
		p.Load = plan.Odd(f.Rate)
	}
	return p
}

// overload runs the attack and returns its trace; with an error, what there is of it, or nil if it didn't begin.
func (f *fingerprintCmd) overload(ctx context.Context, w *World, s *shot, p plan.Fingerprint) (*trace.Trace, error) {
	a := s.reach()
	trips, err := attack.RoundTrips(ctx, a, func() (*http.Request, error) { return s.caller.Keyless(s.api) }, nil)
	if err != nil {
		return nil, err
	}
	if err := f.rest(ctx, w, s); err != nil {
		return nil, err
	}
	whole := &trace.Trace{Meta: s.meta(plan.Plan{Endpoints: s.plan(nil, []string{f.Supplier}).Endpoints, Phases: p.Phases()})}
	whole.Meta.Preflight = trips
	whole.Meta.Keys = map[plan.Stream]string{plan.StreamA: s.api + "." + f.Supplier}
	script := attack.Slide(plan.NewFingerprintScript(p, 0))
	a.Script, a.Phases = script, whole.Meta.Plan.Phases
	a.Build = func(int) (*http.Request, error) { return s.request(f.Supplier) }
	a.Read = func(_ int, answer attack.Answer) attack.Reading { return s.caller.Read(f.Endpoint, answer) }
	session := &attack.Session{
		Write: func(sample trace.Sample) error {
			whole.Samples = append(whole.Samples, sample)
			return nil
		},
		Alive: func(sample trace.Sample) bool { return sample.Kind != trace.Other },
	}
	err = attack.Together(ctx, session, []attack.Attack{a}, func() error {
		whole.Meta.Started = session.Start
		w.status("overloading %s with %s", f.Endpoint, f.Supplier)
		return nil
	})
	w.status("")
	whole.End = trace.End{Reason: trace.Complete, Stalls: script.Stalls()}
	if err != nil {
		whole.End.Reason = lost(err).Error()
	}
	return whole, err
}

// rest leaves the key alone for as long as its credit takes to come back, unless nobody has used it lately.
func (f *fingerprintCmd) rest(ctx context.Context, w *World, s *shot) error {
	wait := plan.FingerprintRest
	if policy, known := s.promised(f.Supplier); known {
		wait = policy.Rest()
	}
	if s.fresh {
		wait = time.Second // for what the trial took
	}
	w.status("letting the key rest for %v", wait.Round(time.Second))
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// stopped words the error of an overload that ended early. Half of it is no fingerprint: what was counted is said, not judged.
func stopped(err error, whole *trace.Trace) error {
	var t tally.Tally
	for _, sample := range whole.Samples {
		t.Add(whole.Meta.Started, sample)
	}
	counted := fmt.Sprintf("no fingerprint: of %d requests in %.1f s, %d were admitted, %d limited, %d neither",
		t.Sent, t.Last.Sub(t.First).Seconds(), t.Admitted, t.Limited, t.Other)
	err = lost(err)
	var exit *exitError
	if errors.As(err, &exit) {
		return &exitError{exit.status, fmt.Errorf("%w; %s", exit.err, counted)}
	}
	return fmt.Errorf("%w; %s", err, counted)
}

// save writes the trace to where it is wanted.
func save(file io.Writer, whole *trace.Trace) error {
	out, err := trace.NewWriter(file, whole.Meta)
	if err != nil {
		return err
	}
	for _, sample := range whole.Samples {
		_ = out.Write(sample) // an error stays, and Close returns it
	}
	return out.Close(whole.End)
}

// write prints the fingerprint.
func (p print) write(w *World, format string) error {
	if format == "json" {
		return writeJSON(w.Stdout, p)
	}
	e := p.Estimate
	w.printf("%s of %s with %s: %s\n", p.Endpoint, p.Target, p.Key, kinds[e.Family])
	if e.Length != nil {
		w.printf("  window   %v s\n  ceiling  %v requests\n", *e.Length, *e.Ceiling)
	}
	if e.Rate != nil {
		w.printf("  rate     %v requests per second\n", *e.Rate)
	}
	switch {
	case e.Burst != nil:
		w.printf("  burst    %v requests per second\n", *e.Burst)
	case e.Unpoliced:
		w.printf("  burst    not bounded up to %.4g requests per second\n", e.Offered)
	}
	if e.Credit != nil {
		w.printf("  credit   %v requests beyond the rate\n", *e.Credit)
		if e.Burst != nil && e.Burst.Value > e.Rate.Value {
			w.printf("           which is the burst for %.3g s\n", e.Credit.Value/(e.Burst.Value-e.Rate.Value))
		}
	}
	w.printf("  offered  %.4g requests per second; jitter %v\n", e.Offered, p.Jitter.Round(time.Microsecond))
	if p.Promised != nil {
		w.printf("  promised %v\n", *p.Promised)
	}
	for _, note := range e.Notes {
		w.printf("  note     %s\n", note)
	}
	if p.Stalls > 0 {
		w.printf("  note     the client stalled %d times, %v in all: the figures may be off\n", p.Stalls, short(p.Slid))
	}
	return nil
}

// kinds words the families.
var kinds = map[estimate.Family]string{
	estimate.Bucket:        "a bucket, or what admits as evenly",
	estimate.FixedWindow:   "a fixed window",
	estimate.SlidingWindow: "a sliding window",
	estimate.Queueing:      "a queue: requests are held back instead of refused",
	estimate.Unlimited:     "no limit was seen",
}
