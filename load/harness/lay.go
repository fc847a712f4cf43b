package harness

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/internal/endpoint"
	"leadconform/load/internal/plan"
)

// Streams and phases of the harness's own, beside those of the plans: a key is driven over its limit so that single
// requests can ask what a 429 leaves behind (LD-429-08, IN-429-07).
const (
	streamOverflow plan.Stream = "overflow"
	streamSpill    plan.Stream = "spill" // the same on the Insertion API
	overflow       plan.Name   = "overflow"
)

// assign decides which stream uses which key, and which endpoints can't be attacked.
func (r *run) assign(tried []trial) {
	problem := map[string]string{} // by role and endpoint
	worked := map[string]bool{}    // by API and role
	for _, t := range tried {
		problem[t.api+t.role+t.endpoint] = t.problem
		worked[t.api+t.role] = worked[t.api+t.role] || t.works()
		if !t.works() {
			r.skip(t.endpoint, fmt.Sprintf("%s.credentials.%s: %s", t.api, t.role, t.problem))
		}
	}
	for _, api := range []string{target.APIDistro, target.APIInsertion} {
		for _, name := range r.endpoints(api) {
			r.dropped[name] = !slices.ContainsFunc(tried, func(t trial) bool { return t.endpoint == name && t.works() })
		}
	}
	works := func(api, role string, endpoints ...string) bool {
		return worked[api+role] && !slices.ContainsFunc(endpoints, func(name string) bool { return problem[api+role+name] != "" })
	}
	distro, insertion := r.endpoints(target.APIDistro), r.endpoints(target.APIInsertion)
	r.assignDistro(slices.DeleteFunc([]string{"limits_a", "limits_b", "limits_c"}, func(role string) bool {
		return !works(target.APIDistro, role, distro...)
	}))
	take := func(s plan.Stream, api, role string, endpoints ...string) {
		if works(api, role, endpoints...) {
			r.keys[s] = role
		}
	}
	take(streamOverflow, target.APIDistro, "limits_d", Ingest)
	take(plan.StreamTwinOne, target.APIDistro, "limits_twin_one", distro...)
	take(plan.StreamTwinTwo, target.APIDistro, "limits_twin_two", distro...)
	take(plan.StreamFirst, target.APIInsertion, "limits_a", insertion...)
	take(plan.StreamSecond, target.APIInsertion, "limits_b", insertion...)
	take(streamSpill, target.APIInsertion, "limits_c", insertion...)
}

// assignDistro gives the three streams of the two-rate experiment the keys that there are. Keys with other limits than
// the first's can't take part: the experiment holds all of them to one promise.
func (r *run) assignDistro(roles []string) {
	if len(roles) == 0 {
		return
	}
	distro := r.target.Profile.Distro
	promised := distro.LimitsOf(roles[0])
	roles = slices.DeleteFunc(roles, func(role string) bool {
		if distro.LimitsOf(role) == promised {
			return false
		}
		r.notes = append(r.notes, fmt.Sprintf("distro.credentials.%s has other limits than %s, so it takes no part", role, roles[0]))
		return true
	})
	b, c := 1, 2
	if len(roles) < 3 { // B follows A with the same key, and with a single one C follows B
		b, c = 0, len(roles)-1
		r.notes = append(r.notes, fmt.Sprintf("only %d of the three keys limits_a, limits_b and limits_c could be used, so phases follow each other that run side by side otherwise", len(roles)))
	}
	r.suppliers = len(roles)
	r.keys[plan.StreamA], r.keys[plan.StreamB], r.keys[plan.StreamC] = roles[0], roles[b], roles[c]
}

func (r *run) skip(endpoint, why string) {
	if !slices.Contains(r.skipped[endpoint], why) {
		r.skipped[endpoint] = append(r.skipped[endpoint], why)
	}
}

// lay makes the plan of everything that is to be sent. Its endpoints are those that were asked for, all of them.
func (r *run) lay() plan.Plan {
	var p plan.Plan
	for _, name := range r.asked(target.APIDistro) {
		p.Endpoints = append(p.Endpoints, plan.Endpoint{API: target.APIDistro, Name: name, Policy: r.policyOf(name)})
	}
	names := r.endpoints(target.APIDistro)
	for i, name := range names {
		policy := r.policyOf(name)
		if r.suppliers == 0 {
			continue
		}
		var others []plan.Policy
		for _, other := range names {
			if other != name {
				others = append(others, r.policyOf(other))
			}
		}
		twins := i == len(names)-1 && r.keys[plan.StreamTwinOne] != "" && r.keys[plan.StreamTwinTwo] != "" // lookup costs least
		p.Phases = append(p.Phases, plan.TwoRate(name, policy, plan.Options{Jitter: r.jitter(), Keys: r.suppliers, Others: others, Twins: twins})...)
		if name == Ingest && r.keys[streamOverflow] != "" && r.has(target.APIDistro, "campaigns.unique") {
			p.Phases = append(p.Phases, plan.Phase{Name: overflow, Endpoint: Ingest, Stream: streamOverflow})
		}
	}
	for _, name := range r.asked(target.APIInsertion) {
		p.Endpoints = append(p.Endpoints, plan.Endpoint{API: target.APIInsertion, Name: name, Policy: plan.Policy{Window: r.window()}})
	}
	if r.keys[plan.StreamFirst] != "" && len(r.endpoints(target.APIInsertion)) > 0 {
		p.Phases = append(p.Phases, r.fixedWindow().Phases()...)
	}
	if r.keys[streamSpill] != "" {
		p.Phases = append(p.Phases, plan.Phase{Name: overflow, Endpoint: endpoint.Leads, Stream: streamSpill})
	}
	return p
}

func (r *run) has(api, need string) bool {
	return len(r.target.Profile.Missing(api, []string{need})) == 0
}

// policyOf is what a Lead Distro endpoint promises the keys that are used.
func (r *run) policyOf(name string) plan.Policy {
	limit := r.target.Profile.Distro.LimitsOf(cmp.Or(r.keys[plan.StreamA], "limits_a")).Of(name)
	return plan.Policy{Rate: limit.Rate, Burst: limit.Burst, Window: limit.Window}
}

// defaultWindow stands in where the profile doesn't say how long the Insertion API's window is.
const defaultWindow = time.Minute

func (r *run) window() time.Duration {
	return cmp.Or(r.target.Profile.Insertion.Limit.Window, defaultWindow)
}

// fixedWindow is what is known of the Insertion API's limit.
func (r *run) fixedWindow() plan.FixedWindow {
	f := plan.FixedWindow{
		Path1: endpoint.Leads, SecondKey: r.keys[plan.StreamSecond] != "",
		Window: r.window(), MaxRate: r.target.Profile.Insertion.Limit.MaxRate,
	}
	if slices.Contains(r.endpoints(target.APIInsertion), endpoint.Internal) {
		f.Path2 = endpoint.Internal
	}
	return f
}

// keyNames name the credential of each stream for the readers of the trace.
func (r *run) keyNames() map[plan.Stream]string {
	names := map[plan.Stream]string{}
	for s, role := range r.keys {
		api := target.APIDistro
		if s == plan.StreamFirst || s == plan.StreamSecond || s == streamSpill {
			api = target.APIInsertion
		}
		names[s] = api + "." + role
	}
	return names
}
