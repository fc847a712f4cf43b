package clients

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"leadconform/fixtures/target"
)

// Trial is a run of scenarios.
type Trial struct {
	Book   *Book
	Only   func(row string) bool // the rows that are asked for; nil: all
	Speed  float64               // from 1 to MaxSpeed
	Start  Start
	Caller Caller
	// Again is the command that tries the client by one row again, for the report; nil if there is none. A curl, as for a
	// server, would say nothing: it is not the client.
	Again func(row string) string
	// Tell is called when a scenario has ended, from any goroutine; may be nil.
	Tell func(scenario string)
}

// MaxSpeed is the highest speed. Above it the tolerance of 50 ms would hide waits that grow too slowly, and Retry-After
// knows no less than a second.
const MaxSpeed = 10

// How long a call of the client may take: silent before its first request, which a busy machine may keep it from
// sending, and then from that request on. The call for the lead is long enough for a client that never stops to send its
// seventh request, which comes after 63 s. The speed divides the first of each pair alone, since a machine is no faster
// for it.
const (
	maxSilence, silenceSlack       = 30 * time.Second, 25 * time.Second
	maxFirstCall, firstCallSlack   = 70 * time.Second, 4 * time.Second
	maxSecondCall, secondCallSlack = 30 * time.Second, 5 * time.Second
)

// Run plays the scenarios side by side, each on a port of its own, and returns their journals by name. An
// error means that the client could not be started; the journal of a scenario that could not be played says why.
func (t Trial) Run(ctx context.Context) (journals map[string]*Journal, err error) {
	if !(t.Speed >= 1 && t.Speed <= MaxSpeed) {
		return nil, fmt.Errorf("speed %v: it must be from 1 to %d", t.Speed, MaxSpeed)
	}
	journals = map[string]*Journal{}
	var mu sync.Mutex
	var group sync.WaitGroup
	scenarios := t.Scenarios()
	slices.SortStableFunc(scenarios, func(a, b Scenario) int { return cmp.Compare(b.length(), a.length()) })
	starts := newGate()
	for _, s := range scenarios { // the longest first
		leave := starts.enter(ctx)
		group.Go(func() {
			defer leave()
			j := t.play(ctx, s, starts, leave)
			mu.Lock()
			journals[s.Name] = j
			mu.Unlock()
			if t.Tell != nil {
				t.Tell(s.Name)
			}
		})
	}
	group.Wait()
	for _, j := range journals {
		for _, call := range j.Calls {
			if call.Err != nil {
				return nil, call.Err
			}
		}
	}
	return journals, nil
}

// Scenarios are those that the rows asked for are judged by.
func (t Trial) Scenarios() []Scenario {
	var some []Scenario
	for _, s := range t.Book.Scenarios {
		for _, row := range s.Rows {
			if t.Only == nil || t.Only(row) {
				some = append(some, s)
				break
			}
		}
	}
	return some
}

// play plays one scenario of a trial: the lead, and then the second lead if a row wants it.
// Its first call is in the gate already, and leaves it.
func (t Trial) play(ctx context.Context, s Scenario, starts gate, leave func()) *Journal {
	failed := func(err error) *Journal {
		return &Journal{Scenario: s, Speed: t.Speed, Fault: fmt.Errorf("scenario %s could not be played: %w", s.Name, err)}
	}
	p := target.Reference("http://127.0.0.1", "")
	trial, control, err := leads(p, t.Book.Recipe, s)
	if err != nil {
		return failed(err)
	}
	script := newScript(t.Book.Recipe, s, p, t.Speed, trial, control)
	base, stop, err := t.Start(ctx, "127.0.0.1:0", script.Wrap)
	if err != nil {
		return failed(err)
	}
	defer stop()
	state, err := os.MkdirTemp("", "leadconform-client-")
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(state)
	if err := script.prepare(); err != nil {
		return failed(err)
	}
	calls := []Ended{t.call(ctx, script.begin(First), leave, maxFirstCall, firstCallSlack, script.callFor(script.trial, base, state))}
	// A second lead shows nothing of a client that has sent none, or that didn't come to an end with it.
	if s.needsControl() && script.sent() && !calls[0].Overtime {
		leave := starts.enter(ctx)
		calls = append(calls, t.call(ctx, script.begin(Second), leave, maxSecondCall, secondCallSlack, script.callFor(script.control, base, state)))
	}
	script.look()
	j := script.end()
	j.Calls = calls
	if err := ctx.Err(); err != nil && j.Fault == nil {
		j.Fault = errors.New("interrupted")
	}
	return j
}

// call calls the client, and ends it when its time is up. begun is closed by its first request; leave leaves the gate.
func (t Trial) call(ctx context.Context, begun <-chan struct{}, leave func(), most, slack time.Duration, c Call) Ended {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		waitFor(ctx, begun, gateTime)
		leave()
		if waitFor(ctx, begun, scaled(maxSilence, t.Speed)+silenceSlack-gateTime) {
			waitFor(ctx, nil, scaled(most, t.Speed)+slack)
		}
		cancel(context.DeadlineExceeded) // of no effect once the call has ended
	}()
	return t.Caller(ctx, c)
}

// callFor is what the client is given for a lead.
func (s *Script) callFor(l lead, base, state string) Call {
	environ := []string{
		"LEAD_RECIPE=" + s.recipe, "LEAD_BASE_URL=" + base, "LEAD_ACTION=" + s.scenario.Action,
		"LEAD_JSON=" + string(l.payload), "LEAD_STATE_DIR=" + state,
		"LEAD_SPEED=" + strconv.FormatFloat(s.journal.Speed, 'f', -1, 64),
	}
	if s.recipe == Distro {
		environ = append(environ, "LEAD_API_KEY="+s.profile.Distro.Credentials["primary"].Key)
	} else {
		key := s.profile.Insertion.Credentials["primary"]
		environ = append(environ, "LEAD_PUBLIC_KEY="+key.PublicKey, "LEAD_SECRET="+key.Secret)
	}
	if s.scenario.Action == Update {
		environ = append(environ, "LEAD_ID="+l.id)
	}
	return Call{Environ: environ, Stdin: l.payload}
}
