package command

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/endpoint"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// shot is one free attack on one endpoint, with one key or several.
type shot struct {
	*chosen
	api      string
	endpoint string
	runID    string
	client   *target.Client // of the trial before
	caller   *endpoint.Caller

	connections int
	tolerance   time.Duration // how late the schedule may run before it slides
	interleaved bool          // other workers send the rest of each key's requests
	strict      bool          // answers have to be the endpoint's own: a success or a 429
}

func newShot(c *chosen, name string, seed uint64) (*shot, error) {
	api := endpoint.API(name)
	if api == "" {
		return nil, usage("--endpoint %s: the endpoints are ingest, ping, lookup, leads and internal", name)
	}
	if c.profile.BaseURL(api) == "" {
		return nil, usage("--endpoint %s: the profile doesn't describe the %s API", name, api)
	}
	runID := target.NewRunID()
	return &shot{
		chosen: c, api: api, endpoint: name, runID: runID, tolerance: attack.FineTolerance,
		client: target.NewClient(c.profile, target.Options{RunID: runID, Version: Version}),
		caller: &endpoint.Caller{
			Profile: c.profile, People: endpoint.NewPeople(runID, c.profile.Phones, seed),
			Agent: fmt.Sprintf("lead-load/%s (%s; attack)", Version, runID), Redact: target.NewRedactor(c.profile),
		},
	}, nil
}

func (s *shot) close() { s.client.Close() }

// trialTimeout bounds the trial: a target that takes longer can't be attacked.
const trialTimeout = 5 * time.Second

// try sends one valid request with the key of a role, to see that it can be attacked with, and finds a lead to look up.
func (s *shot) try(ctx context.Context, w *World, role string) error {
	names := []string{s.endpoint}
	if s.endpoint == endpoint.Lookup {
		names = []string{endpoint.Ingest, endpoint.Lookup}
	}
	for _, name := range names {
		request, err := s.caller.Request(name, role)
		if err != nil {
			return usage("%w", err)
		}
		bounded, cancel := context.WithTimeout(ctx, trialTimeout)
		x, err := s.client.Send(bounded, request)
		cancel()
		if err == nil {
			err = x.Err
		}
		if err != nil && ctx.Err() != nil {
			return lost(context.Cause(ctx))
		}
		if err != nil {
			return unreachable("the target can't be reached: %s: %w", s.profile.BaseURL(s.api), err)
		}
		answer := fmt.Sprintf("%s with %s was answered %d %s", name, role, x.Response.Status, s.caller.Redact.Text(excerpt(x.Response.Body)))
		reading := endpoint.Read(name, attack.Answer{Status: x.Response.Status, Header: x.Response.Header, Body: x.Response.Body})
		switch {
		case x.Response.Status == http.StatusUnauthorized:
			return unreachable("the key doesn't work: %s", answer)
		case reading.Kind == trace.Other && s.strict:
			return unreachable("that is no valid answer: %s", answer)
		case reading.Kind != trace.Admitted:
			_, _ = fmt.Fprintf(w.Stderr, "load: note: %s\n", answer)
		}
		if name == endpoint.Ingest {
			s.caller.SetLead(role, endpoint.LeadID(x.Response.Body))
		}
	}
	if s.endpoint == endpoint.Lookup && s.caller.Lead(role) == "" {
		return unreachable("there is nothing to look up: ingest with %s took no lead", role)
	}
	return nil
}

// plan is the plan of the stretches, with each of the keys.
func (s *shot) plan(stretches []stretch, roles []string) plan.Plan {
	p := plan.Plan{Endpoints: []plan.Endpoint{{API: s.api, Name: s.endpoint}}}
	p.Endpoints[0].Policy, _ = s.promised(roles[0])
	for _, role := range roles {
		var start time.Duration
		for i, stretch := range stretches {
			if stretch.rate > 0 {
				p.Phases = append(p.Phases, plan.Phase{
					Name: plan.Name(fmt.Sprintf("phase-%d", i+1)), Endpoint: s.endpoint, Stream: plan.Stream(role),
					Start: start, Length: stretch.length, Rate: stretch.rate,
				})
			}
			start += stretch.length
		}
	}
	return p
}

// meta is the head of the trace.
func (s *shot) meta(p plan.Plan) trace.Meta {
	meta := trace.Meta{Run: s.runID, Target: s.profile.Name, Plan: p, Keys: map[plan.Stream]string{}}
	for _, phase := range p.Phases {
		meta.Keys[phase.Stream] = s.api + "." + string(phase.Stream)
	}
	return meta
}

// attacks are one attack with each key. The schedules tell of stalls afterwards.
func (s *shot) attacks(p plan.Plan) (attacks []attack.Attack, schedules []*attack.Schedule) {
	byRole := map[plan.Stream][]int{}
	var roles []plan.Stream
	for i, phase := range p.Phases {
		if byRole[phase.Stream] == nil {
			roles = append(roles, phase.Stream)
		}
		byRole[phase.Stream] = append(byRole[phase.Stream], i)
	}
	for _, role := range roles {
		schedule := attack.NewSchedule(p.Phases, byRole[role]...)
		schedule.Tolerance, schedule.Patience = s.tolerance, patience(p)
		schedules = append(schedules, schedule)
		a := s.reach()
		a.Script, a.Phases = schedule, p.Phases
		a.Build = func(int) (*http.Request, error) { return s.request(string(role)) }
		a.Read = func(_ int, answer attack.Answer) attack.Reading { return s.caller.Read(s.endpoint, answer) }
		attacks = append(attacks, a)
	}
	return attacks, schedules
}

// leastPatience is how far a phase may slide, however short it is.
const leastPatience = 3 * time.Second

// patience is how far a phase may slide before what is left of it is given up: by a tenth of the longest, or a little.
func patience(p plan.Plan) time.Duration {
	patience := leastPatience
	for _, phase := range p.Phases {
		patience = max(patience, phase.Length/10)
	}
	return patience
}

// reach is how the target is attacked, whatever with.
func (s *shot) reach() attack.Attack {
	return attack.Attack{
		URL: s.profile.BaseURL(s.api), Connections: s.connections, Timeout: s.profile.Timeout,
		TLS: &tls.Config{InsecureSkipVerify: s.profile.InsecureTLS}, //nolint:gosec // the profile's owner asked for it
	}
}

// request makes a valid request with the key of a role.
func (s *shot) request(role string) (*http.Request, error) {
	request, err := s.caller.Request(s.endpoint, role)
	if err != nil {
		return nil, err
	}
	return s.caller.HTTP(request)
}

// errStopped words the end of a run that was interrupted.
var errStopped = errors.New("the run was stopped early")

// lost words the error of an attack, and gives it its exit status.
func lost(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, attack.ErrUnreachable), errors.Is(err, attack.ErrLost):
		return &exitError{exitUnreachable, err}
	case errors.Is(err, context.Canceled):
		return &exitError{exitNotAssessed, errStopped}
	}
	return err
}
