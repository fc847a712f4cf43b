package harness

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/endpoint"
	"leadconform/load/internal/trace"
)

// trial is one valid request with one key, sent before anything else: it shows that the key works and that the endpoint
// answers as it should. It costs a token, which is back before the attack begins.
type trial struct {
	api, endpoint, role string
	problem             string // "" if the answer was the endpoint's success
}

func (t trial) works() bool { return t.problem == "" }

// trialTimeout bounds one trial. A target that takes longer can't be attacked.
const trialTimeout = 5 * time.Second

// tryKeys tries every key of the limits rows on every endpoint that is asked for, and finds a lead of each supplier for
// its lookups. It returns ErrNoKey if nothing of an API can be attacked.
func (r *run) tryKeys(ctx context.Context) ([]trial, error) {
	var all []trial
	for _, api := range []string{target.APIDistro, target.APIInsertion} {
		names := r.endpoints(api)
		if len(names) == 0 {
			continue
		}
		if err := r.client.Reach(ctx, api); err != nil {
			return nil, explain(ctx, fmt.Errorf("%w: %w", ErrUnreachable, err))
		}
		tried := r.tryAPI(ctx, api, names)
		if !slices.ContainsFunc(tried, trial.works) {
			return nil, explain(ctx, fmt.Errorf("%w: %s", ErrNoKey, noneWorks(api, tried)))
		}
		all = append(all, tried...)
	}
	return all, ctx.Err()
}

// explain returns the context's error if it has one, since that explains the other.
func explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func noneWorks(api string, tried []trial) string {
	if len(tried) == 0 {
		return fmt.Sprintf("the profile has no key for the limits rows of the %s API (credentials.limits_a)", api)
	}
	var problems, roles []string
	for _, t := range tried {
		if t.role == tried[0].role && !slices.Contains(problems, t.problem) {
			problems = append(problems, t.problem)
		}
		if !slices.Contains(roles, t.role) {
			roles = append(roles, t.role)
		}
	}
	return fmt.Sprintf("no key for the limits rows of the %s API gets a valid answer (tried: %s); with %s, %s",
		api, strings.Join(roles, ", "), roles[0], strings.Join(problems, "; "))
}

// endpoints are those of an API that are attacked, ingest first.
func (r *run) endpoints(api string) []string {
	return slices.DeleteFunc(r.asked(api), func(name string) bool { return r.dropped[name] })
}

// asked are those that were asked for, also where no key gets a valid answer from them.
func (r *run) asked(api string) []string {
	return slices.DeleteFunc(endpoint.Names(api), func(name string) bool {
		switch name {
		case endpoint.Leads:
			return !slices.Contains(r.policy.Endpoints, Insertion)
		case endpoint.Internal:
			return !slices.Contains(r.policy.Endpoints, Insertion) || !r.target.Profile.Insertion.InternalPath
		}
		return !slices.Contains(r.policy.Endpoints, name)
	})
}

// roles are those that an API's limits rows may use.
func roles(api string) []string {
	if api == target.APIInsertion {
		return []string{"limits_a", "limits_b", "limits_c"}
	}
	return []string{"limits_a", "limits_b", "limits_c", "limits_d", "limits_twin_one", "limits_twin_two"}
}

// tryAPI tries the keys of an API side by side.
func (r *run) tryAPI(ctx context.Context, api string, endpoints []string) []trial {
	if slices.Contains(endpoints, Lookup) && !slices.Contains(endpoints, Ingest) {
		endpoints = append([]string{Ingest}, endpoints...) // there has to be a lead to look up
	}
	tried := make([][]trial, len(roles(api)))
	var wg sync.WaitGroup
	for i, role := range roles(api) {
		if len(r.target.Profile.Missing(api, []string{"credentials." + role})) > 0 {
			continue
		}
		wg.Go(func() {
			var problem string
			var silent bool
			for _, name := range endpoints {
				if !silent { // one that doesn't answer is not asked again
					problem, silent = r.try(ctx, name, role)
				}
				tried[i] = append(tried[i], trial{api: api, endpoint: name, role: role, problem: problem})
			}
		})
	}
	wg.Wait()
	return slices.Concat(tried...)
}

// try sends one valid request and says what was wrong with its answer, and whether there was none.
func (r *run) try(ctx context.Context, name, role string) (problem string, silent bool) {
	if name == Lookup && r.caller.Lead(role) == "" {
		return "lookup has no lead to ask for, since ingest took none", false
	}
	request, err := r.caller.Request(name, role)
	if err != nil {
		return err.Error(), false
	}
	ctx, cancel := context.WithTimeout(ctx, trialTimeout)
	defer cancel()
	x, err := r.client.Send(ctx, request)
	if err == nil {
		err = x.Err
	}
	if err != nil {
		return fmt.Sprintf("%s: no answer: %v", name, err), true
	}
	answer := attack.Answer{Status: x.Response.Status, Header: x.Response.Header, Body: x.Response.Body, Received: x.At.Add(x.Took)}
	if reading := endpoint.Read(name, answer); reading.Kind != trace.Admitted {
		// A target may echo the key that it was shown.
		return fmt.Sprintf("%s answered %d %s", name, x.Response.Status, r.caller.Redact.Text(excerpt(x.Response.Body))), false
	}
	if name == Ingest {
		r.caller.SetLead(role, endpoint.LeadID(x.Response.Body))
	}
	return "", false
}

// excerpt is the beginning of a body, on one line.
func excerpt(body []byte) string {
	const most = 120
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "?")), " ")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}
