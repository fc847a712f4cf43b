package spec

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/catalogue"
)

// Shown is a redacted exchange.
type Shown = target.Shown

// Env is all that a body has of the world: the target, the profile, data of its own, and a record of what it did.
type Env struct {
	Row     catalogue.Row
	Profile *target.Profile
	Data    *Data

	ctx    context.Context
	runner *Runner
	record *record
	g      *checks // the assertions of this scope
	scope  string  // the case that runs, or ""
}

// record is what a row did, shared by its cases.
type record struct {
	mu         sync.Mutex
	exchanges  []*target.Exchange
	notes      []string
	assertions int
	accepted   int // answers with a 2xx
	lost       bool
}

// Context ends when the row's time is up or the run is interrupted.
func (e *Env) Context() context.Context { return e.ctx }

// Note adds a remark to the row's report. It has no bearing on the verdict.
func (e *Env) Note(format string, args ...any) {
	e.record.mu.Lock()
	defer e.record.mu.Unlock()
	e.record.notes = append(e.record.notes, fmt.Sprintf(format, args...))
}

// NotAssessed ends the row: it could not be exercised.
func (e *Env) NotAssessed(format string, args ...any) {
	panic(unassessed{fmt.Sprintf(format, args...)})
}

// Fail ends the row as failed, where no assertion fits.
func (e *Env) Fail(format string, args ...any) { e.g.fail(fmt.Sprintf(format, args...)) }

// Send sends a request and returns the answer. No answer fails the row. A target that is busy (429 or 503) is not what
// a functional row is about: Send waits as long as Retry-After says and tries once more, and if it is still busy, the
// row is not-assessed.
func (e *Env) Send(r target.Request) *answer.Answer { return e.SendAbout(0, r) }

// SendAbout is Send for a row that is about 429 or 503 itself: if the second answer has that status, it is returned for
// the row to judge.
func (e *Env) SendAbout(status int, r target.Request) *answer.Answer {
	a := e.SendOnce(r)
	if !busy(a) {
		return a
	}
	wait := retryAfter(a)
	if wait > maxWait {
		e.NotAssessed("the target answered %d and asked to wait %v, longer than %v", a.Status, wait, maxWait)
	}
	select {
	case <-time.After(wait):
	case <-e.ctx.Done():
		e.NotAssessed("interrupted")
	}
	if a = e.SendOnce(r); busy(a) && a.Status != status {
		e.NotAssessed("the target answered %d twice, the second time after the wait that it had asked for", a.Status)
	}
	return a
}

// SendOnce sends a request and returns the answer, whatever its status, for the rows that are about 429 and 503.
func (e *Env) SendOnce(r target.Request) *answer.Answer {
	x := e.exchange(r)
	if x.Err != nil {
		e.g.blame(x)
		e.Fail("no answer to %s %s: %v", r.Method, r.Path, x.Err)
	}
	return answer.New(x)
}

// Attempt sends a request for rows that allow for there being no answer; then it returns nil and the reason.
func (e *Env) Attempt(r target.Request) (*answer.Answer, error) {
	x := e.exchange(r)
	if x.Err != nil {
		return nil, x.Err
	}
	return answer.New(x), nil
}

func (e *Env) exchange(r target.Request) *target.Exchange {
	r.Row = e.Row.ID
	if e.scope != "" {
		r.Comment = strings.TrimSuffix(e.scope+": "+r.Comment, ": ")
	}
	x, err := e.runner.Client.Send(e.ctx, r)
	switch {
	case errors.Is(err, target.ErrLost):
		e.record.mu.Lock()
		e.record.lost = true
		e.record.mu.Unlock()
		e.NotAssessed("the target was lost: no connection can be opened, or nothing is answered, any more")
	case errors.Is(err, target.ErrBudget):
		e.NotAssessed("the budget of requests (--max-requests) was used up")
	case err != nil:
		e.NotAssessed("nothing was sent: %v", err)
	}
	if x.Err != nil && e.ctx.Err() != nil {
		e.NotAssessed("interrupted: %v", context.Cause(e.ctx))
	}
	e.record.mu.Lock()
	defer e.record.mu.Unlock()
	e.record.exchanges = append(e.record.exchanges, x)
	if x.Response != nil && x.Response.Status/100 == 2 {
		e.record.accepted++
	}
	return x
}

// maxWait bounds how long a functional row waits for a busy target.
const maxWait = 30 * time.Second

func busy(a *answer.Answer) bool {
	return a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable
}

// retryAfter reads the header as delay-seconds; anything else counts as one second.
func retryAfter(a *answer.Answer) time.Duration {
	seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		return time.Second
	}
	return time.Duration(seconds) * time.Second
}

// Control runs a positive control: the thing whose absence or refusal the row is about is first shown to exist or to be
// accepted. If it fails, the row is not-assessed, since a refusal by a target that refuses everything proves nothing.
func (e *Env) Control(what string, check func(g Gomega, e *Env)) {
	err := e.attempt(check)
	var failed failure
	switch {
	case err == nil:
	case errors.As(err, &failed):
		e.NotAssessed("the positive control failed (%s): %s", what, failed.brief())
	default:
		panic(err)
	}
}

// attempt runs a body in a scope of its own and returns how it ended: nil, a failure or unassessed.
func (e *Env) attempt(body Body) (err error) {
	sub := *e
	sub.g = newChecks(e.record)
	defer func() { err = ended(recover()) }()
	body(sub.g, &sub)
	return nil
}

// Case is one of several independent cases of a row.
type Case struct {
	Name  string
	Check Body
}

// sideBySide bounds how many cases of a row run at once.
const sideBySide = 16

// Each runs the cases of a row side by side. If any fails, the row fails and names every one that did; if none fails
// but one couldn't be exercised, the row is not-assessed.
func (e *Env) Each(cases ...Case) { e.run(sideBySide, cases) }

// AtOnce runs cases like Each, but all at the same time, for the rows about races.
func (e *Env) AtOnce(cases ...Case) { e.run(len(cases), cases) }

func (e *Env) run(atMost int, cases []Case) {
	ends := make([]error, len(cases))
	var wg sync.WaitGroup
	slots := make(chan struct{}, atMost)
	for i, c := range cases {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			sub := *e
			sub.scope = strings.TrimPrefix(e.scope+", "+c.Name, ", ")
			sub.Data = e.Data.of(c.Name)
			ends[i] = sub.attempt(c.Check)
		})
	}
	wg.Wait()
	e.conclude(cases, ends)
}

func (e *Env) conclude(cases []Case, ends []error) {
	var failures []failure
	var skipped []string
	for i, end := range ends {
		var failed failure
		var skip unassessed
		switch {
		case end == nil:
		case errors.As(end, &failed):
			failed.cases = append([]string{cases[i].Name}, failed.cases...)
			failures = append(failures, failed)
		case errors.As(end, &skip):
			skipped = append(skipped, fmt.Sprintf("%s: %s", cases[i].Name, skip.reason))
		default:
			panic(end)
		}
	}
	switch {
	case len(failures) > 0:
		panic(join(failures, len(cases)))
	case len(skipped) > 0:
		panic(unassessed{strings.Join(skipped, "; ")})
	}
}

// Hook makes the target do what the profile's hook of that name says. A hook that doesn't work makes the row
// not-assessed.
func (e *Env) Hook(name string) {
	if err := e.runner.Client.RunHook(e.ctx, e.Row.API, name); err != nil {
		e.NotAssessed("%v", err)
	}
}

// Between runs body between two hooks. The second is called in any case, also if the row fails or is interrupted.
func (e *Env) Between(on, off string, body func()) {
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), 30*time.Second)
		defer cancel()
		if err := e.runner.Client.RunHook(ctx, e.Row.API, off); err != nil {
			e.Note("the target may be left as it is, after %s: %v", on, err)
		}
	}()
	e.Hook(on)
	body()
}
