package harness

import (
	"context"
	"crypto/tls"
	"math"
	"net/http"
	"slices"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// stream is one sequence of requests: all that one key sends to one endpoint, or what a script sends.
type stream struct {
	api    string // whose base URL it goes to
	phases []int  // the phases of constant rate, in their order
	script plan.Script
	stalls []func() []trace.Stall    // of the script's parts
	then   func(ctx context.Context) // what follows when the script is over
}

// part is a script that never catches up, and tells of its stalls.
type part interface {
	plan.Script
	Stalls() []trace.Stall
}

// follow makes the script a part of the stream, after what it has.
func (s *stream) follow(script part) {
	s.stalls = append(s.stalls, script.Stalls)
	if s.script == nil {
		s.script = script
		return
	}
	s.script = &chain{first: s.script, second: script}
}

// patience is how far a phase may slide before what is left of it is given up. The guard has no use for it long before.
const patience = 3 * time.Second

// streams groups phases by endpoint and key.
func (r *run) streams(indexes []int) []*stream {
	phases := r.book.phases()
	var streams []*stream
	for _, name := range []string{Ingest, Ping, Lookup} {
		streams = append(streams, r.twoRateStreams(phases, indexes, name)...)
	}
	for _, i := range indexes {
		switch phases[i].Name {
		case plan.Ramp:
			s := &stream{api: target.APIInsertion}
			s.follow(attack.Slide(plan.NewWindowScript(r.fixedWindow(), i)))
			streams = append(streams, s)
		case overflow:
			streams = append(streams, r.effectStream(phases, i))
		default: // of the phases of constant rate, and of their probes, twoRateStreams takes care
		}
	}
	return streams
}

// twoRateStreams groups the phases of one endpoint by key. The probes of Retry-After follow the overload A2.
func (r *run) twoRateStreams(phases []plan.Phase, indexes []int, name string) []*stream {
	byRole := map[string]*stream{}
	var streams []*stream
	probes := map[plan.Name]int{}
	var overloaded *stream
	for _, i := range indexes {
		p := phases[i]
		if p.Endpoint != name {
			continue
		}
		if p.Adaptive() {
			probes[p.Name] = i
			continue
		}
		role := r.keys[p.Stream]
		if byRole[role] == nil {
			byRole[role] = &stream{api: target.APIDistro}
			streams = append(streams, byRole[role])
		}
		byRole[role].phases = append(byRole[role].phases, i)
		if p.Name == plan.A2 {
			overloaded = byRole[role]
		}
	}
	for _, s := range streams {
		slices.SortFunc(s.phases, func(a, b int) int { return int(phases[a].Start - phases[b].Start) })
		schedule := attack.NewSchedule(phases, s.phases...)
		schedule.Patience = patience
		s.follow(schedule)
		if wait, ok := probes[plan.Wait]; ok && s == overloaded {
			s.follow(attack.Slide(plan.NewWaitProbe(r.policyOf(name), wait, probes[plan.Refill], probes[plan.Sparse])))
		}
	}
	return streams
}

// chain is two scripts, of which the second begins when all answers to the first are in. Both see all answers.
type chain struct {
	first, second plan.Script
	over          bool // the first is
}

// Next asks the script whose turn it is (plan.Script).
func (c *chain) Next(now time.Duration) plan.Move {
	if c.over {
		return c.second.Next(now)
	}
	move := c.first.Next(now)
	if move.Kind == plan.Done {
		c.over = true
		return plan.Move{Kind: plan.Drain}
	}
	return move
}

// Observe tells both scripts (plan.Script).
func (c *chain) Observe(a plan.Answer) {
	c.first.Observe(a)
	c.second.Observe(a)
}

// maxInFlight is how many requests of one stream may wait for their answers. A target that refuses in time needs a few
// dozen; one that queues instead is seen long before so many wait.
const maxInFlight = 2048

// reach is how an API is attacked, whatever with.
func (r *run) reach(api string) attack.Attack {
	sleeper := attack.FineSleeper
	if r.target.Virtual {
		sleeper = attack.PlainSleeper
	}
	return attack.Attack{
		URL: r.target.Profile.BaseURL(api), MaxInFlight: maxInFlight,
		Timeout: r.target.Profile.Timeout, Dial: r.target.Dial, Sleeper: sleeper,
		TLS: &tls.Config{InsecureSkipVerify: r.target.Profile.InsecureTLS}, //nolint:gosec // the profile's owner asked for it
	}
}

// aim makes the attack of a stream.
func (r *run) aim(s *stream) attack.Attack {
	a, phases := r.reach(s.api), r.book.phases()
	a.Script, a.Phases, a.Then = s.script, phases, s.then
	a.Connections = r.connections(phases, s.phases)
	a.Build = func(phase int) (*http.Request, error) { return r.build(phases[phase]) }
	a.Read = func(phase int, answer attack.Answer) attack.Reading {
		reading := r.caller.Read(phases[phase].Endpoint, answer)
		r.book.show(phases[phase], s.api, answer, reading)
		return reading
	}
	return a
}

// connections is how many a stream needs: as many as requests are under way at its highest rate, and half as many again.
func (r *run) connections(phases []plan.Phase, indexes []int) int {
	highest := 0.0
	for _, i := range indexes {
		highest = max(highest, phases[i].Rate)
	}
	return int(math.Ceil(1.5 * highest * r.trip().Seconds()))
}

func (r *run) build(p plan.Phase) (*http.Request, error) {
	role := r.keys[p.Stream]
	var request target.Request
	var err error
	if p.Name == overflow && p.Endpoint == Ingest {
		request, err = r.caller.LeadOn("unique", role)
	} else {
		request, err = r.caller.Request(p.Endpoint, role)
	}
	if err != nil {
		return nil, err
	}
	return r.caller.HTTP(request)
}
