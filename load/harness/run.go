package harness

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/endpoint"
	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/shard"
	"leadconform/load/internal/trace"
)

// run is one verification.
type run struct {
	target Target
	policy Policy

	client *target.Client // of single requests: the trials, and the rows on what a 429 leaves behind
	caller *endpoint.Caller
	book   *book

	// What the trials found.
	keys      map[plan.Stream]string // the role whose key a stream uses
	suppliers int                    // how many different keys A, B and C have
	dropped   map[string]bool        // endpoints that no key gets a valid answer from
	skipped   map[string][]string    // by endpoint: what was wrong with which key
	notes     []string

	started time.Time
	session *attack.Session
	clock   shard.Clock // the target's, against ours
	stalls  []trace.Stall
	reason  string       // how the run ended
	judged  judge.Report // of all that the book holds

	mu      sync.Mutex
	effects map[string]Row // rows that are decided by single requests
}

func newRun(t Target, p Policy) (*run, error) {
	if err := p.check(t.Profile); err != nil {
		return nil, err
	}
	client := target.NewClient(t.Profile, target.Options{RunID: p.RunID, Version: p.Version, Dial: t.Dial})
	r := &run{
		target: t, policy: p, client: client, started: time.Now(),
		caller: &endpoint.Caller{
			Profile: t.Profile, People: endpoint.NewPeople(p.RunID, t.Profile.Phones, p.Seed),
			Agent: fmt.Sprintf("lead-load/%s (%s; limits)", p.Version, p.RunID), Redact: target.NewRedactor(t.Profile),
		},
		book:    newBook(trace.Meta{Run: p.RunID, Target: t.Profile.Name}),
		keys:    map[plan.Stream]string{},
		dropped: map[string]bool{},
		skipped: map[string][]string{},
		effects: map[string]Row{},
	}
	return r, nil
}

func (r *run) close() { r.client.Close() }

// experiment runs all of it. What it found is in the book, also if it returns an error.
func (r *run) experiment(ctx context.Context) (err error) {
	defer func() { err = r.end(ctx, err) }()
	tried, err := r.tryKeys(ctx)
	if err != nil {
		return err
	}
	r.assign(tried)
	lastUsed := time.Now()
	if err := r.measureJitter(ctx); err != nil {
		return err
	}
	if err := r.rest(ctx, lastUsed); err != nil {
		return err
	}
	r.book.meta.Keys = r.keyNames()
	r.book.meta.Plan = r.lay()
	r.book.meta.Plan.Phases, r.book.meta.Shard = r.own(r.book.meta.Plan.Phases), r.head()
	r.session = &attack.Session{Write: r.book.write, Alive: func(s trace.Sample) bool { return s.Kind != trace.Other }}
	if err := r.waitForStart(ctx, lastUsed); err != nil {
		return err
	}
	everything := make([]int, len(r.book.phases()))
	for i := range everything {
		everything[i] = i
	}
	if err := r.attack(ctx, "attacking", everything); err != nil {
		return err
	}
	return r.repeat(ctx)
}

// restedAt is when the keys count as rested.
func (r *run) restedAt(lastUsed time.Time) time.Time {
	if r.target.Fresh {
		return lastUsed
	}
	var rest time.Duration
	for _, name := range r.endpoints(target.APIDistro) {
		rest = max(rest, r.policyOf(name).Rest())
	}
	return lastUsed.Add(rest)
}

// rest waits until the keys count as rested, unless nobody has used them lately. A part has its start to wait for.
func (r *run) rest(ctx context.Context, lastUsed time.Time) error {
	if r.target.Fresh || !r.policy.Part.whole() {
		return nil
	}
	rested := r.restedAt(lastUsed)
	wait := time.NewTimer(time.Until(rested))
	defer wait.Stop()
	if r.policy.Tell != nil {
		r.policy.Tell(Progress{Doing: "letting the keys rest", Remaining: time.Until(rested)})
	}
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// repeat runs those streams once more that the guard found unsound, and the burst that had not come back.
func (r *run) repeat(ctx context.Context) error {
	again := r.judge(trace.Complete).Again
	if len(again) == 0 {
		return nil
	}
	added := repeats(r.book.phases(), again, time.Since(r.session.Start), r.keys)
	indexes, err := r.book.addPhases(added)
	if err != nil {
		return err
	}
	return r.attack(ctx, "repeating what the client or the network spoilt", indexes)
}

// repeats lays out the phases to be run again, from now on. Streams that share a key follow each other.
func repeats(phases []plan.Phase, again []judge.Again, now time.Duration, keys map[plan.Stream]string) []plan.Phase {
	type use struct{ endpoint, key string }
	busy := make(map[use]time.Duration) // until when
	var added []plan.Phase
	for _, a := range again {
		at := max(now, busy[use{a.Endpoint, keys[a.Stream]}]) + a.Rest
		var more []plan.Phase
		if !a.OnlyB3 {
			more = plan.Repeat(phases, a.Endpoint, a.Stream, at)
		} else if b3, found := plan.RepeatB3(phases, a.Endpoint, at); found {
			more = append(more, b3)
		}
		for _, p := range more {
			u := use{p.Endpoint, keys[p.Stream]}
			busy[u] = max(busy[u], p.End())
		}
		added = append(added, more...)
	}
	return added
}

// judge judges what the book holds by now.
func (r *run) judge(reason string) judge.Report {
	t := r.book.trace(trace.End{Reason: reason, Stalls: r.stalls})
	return judge.Run(t, judge.Options{Peak: plan.Peak(r.policy.Peak)})
}

// end closes the book, and words how the run ended.
func (r *run) end(ctx context.Context, err error) error {
	r.reason = trace.Complete
	switch {
	case err != nil && ctx.Err() != nil && !errors.Is(err, ErrLost):
		r.reason = "the run was stopped early"
	case err != nil:
		r.reason = err.Error()
	}
	r.judged = r.judge(r.reason)
	return errors.Join(err, r.book.close(trace.End{Reason: r.reason, Stalls: r.stalls}))
}

// attack runs those phases of the plan that the indexes name, all keys and endpoints side by side, and what the answers
// ask for beyond them.
func (r *run) attack(ctx context.Context, doing string, indexes []int) error {
	streams := r.streams(indexes)
	attacks := make([]attack.Attack, len(streams))
	for i, s := range streams {
		attacks[i] = r.aim(s)
	}
	stop := func() {}
	err := attack.Together(ctx, r.session, attacks, func() error {
		if r.book.meta.Started.IsZero() && !r.policy.Part.whole() && time.Now().After(r.session.Start) {
			return fmt.Errorf("%w: the connections stood too late", ErrLate)
		}
		stop = r.telling(ctx, doing)
		return r.book.begin(r.session.Start, r.policy.Trace)
	})
	stop()
	for _, s := range streams {
		for _, stalls := range s.stalls {
			r.stalls = append(r.stalls, stalls()...)
		}
	}
	return err
}

// telling calls Policy.Tell once a second until the function that it returns is called.
func (r *run) telling(ctx context.Context, doing string) (stop func()) {
	if r.policy.Tell == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	length := plan.Plan{Phases: r.book.phases()}.Length()
	go func() {
		defer close(done)
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				elapsed := time.Since(r.session.Start)
				r.policy.Tell(Progress{Elapsed: elapsed, Remaining: max(0, length-elapsed), Doing: doing, Requests: r.book.count()})
			}
		}
	}()
	return func() { cancel(); <-done }
}
