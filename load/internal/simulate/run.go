package simulate

import (
	"math/rand/v2"
	"net/http"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// Figures of the virtual client.
const (
	connections = 32
	timeout     = 10 * time.Second // after which an answer isn't waited for any more
	preflights  = 200
)

// Experiment is what a simulated run does: a plan, and scripts for its adaptive phases.
type Experiment struct {
	Plan    plan.Plan
	Scripts []Scripted
}

// Scripted is a script and when it starts.
type Scripted struct {
	Script plan.Script
	// After is the phase whose answers the script observes; it starts when the last of them is in. -1: it starts at 0.
	After int
}

// TwoRate is the experiment on Lead Distro endpoints, as it is run on a real target: all of them side by side.
func TwoRate(endpoints []plan.Endpoint, o plan.Options) Experiment {
	e := Experiment{Plan: plan.Plan{Endpoints: endpoints}}
	for i, endpoint := range endpoints {
		o.Others = nil
		for k, other := range endpoints {
			if k != i {
				o.Others = append(o.Others, other.Policy)
			}
		}
		phases := plan.TwoRate(endpoint.Name, endpoint.Policy, o)
		first := len(e.Plan.Phases)
		index := make(map[plan.Name]int)
		for i, p := range phases {
			index[p.Name] = first + i
		}
		e.Plan.Phases = append(e.Plan.Phases, phases...)
		probe := plan.NewWaitProbe(endpoint.Policy, index[plan.Wait], index[plan.Refill], index[plan.Sparse])
		e.Scripts = append(e.Scripts, Scripted{Script: probe, After: index[plan.A2]})
	}
	return e
}

// Window is the experiment on the Insertion API.
func Window(f plan.FixedWindow) Experiment {
	return Experiment{
		Plan:    plan.Plan{Endpoints: f.Endpoints(), Phases: f.Phases()},
		Scripts: []Scripted{{Script: plan.NewWindowScript(f, 0), After: -1}},
	}
}

// Preflight draws the round trips that the plan of a run is made from.
func Preflight(n Network, rng *rand.Rand) []time.Duration { return n.preflight(rng, preflights) }

// Run lets the experiment meet the model on the network, and returns what the client saw.
func (e Experiment) Run(m Model, n Network, preflight []time.Duration, rng *rand.Rand) *trace.Trace {
	return e.RunFrom(time.Duration(rng.Int64N(int64(10*time.Second))), m, n, preflight, rng)
}

// RunFrom does the same with a server whose clock is ahead of the run's by the given time.
func (e Experiment) RunFrom(ahead time.Duration, m Model, n Network, preflight []time.Duration, rng *rand.Rand) *trace.Trace {
	r := &run{experiment: e, model: m, network: n, rng: rng, ahead: ahead, advice: make(map[Advice]*trace.Refusal),
		waiting: make(map[int]int), starts: make(map[int]time.Duration)}
	r.frozen = n.freezes(rng, e.Plan.Length()+time.Minute)
	r.schedule()
	for i, s := range e.Scripts {
		if s.After < 0 {
			r.push(event{at: 0, kind: wake, script: i})
		} else {
			r.waiting[s.After] = i
		}
	}
	r.loop()
	return &trace.Trace{
		Meta:    trace.Meta{Run: "simulated", Target: "simulated", Plan: e.Plan, Preflight: preflight},
		Samples: r.samples,
		End:     trace.End{Reason: trace.Complete},
	}
}

// run is a simulation under way.
type run struct {
	experiment Experiment
	model      Model
	network    Network
	rng        *rand.Rand
	ahead      time.Duration // of the server's clock
	advice     map[Advice]*trace.Refusal
	frozen     []interval // when nothing arrives

	samples  []trace.Sample
	arrivals []arrival // of the phases at constant rates, in order
	events   events    // of the scripts
	left     []int     // of each phase: requests that haven't arrived yet
	waiting  map[int]int
	starts   map[int]time.Duration
	inFlight []int // of each script: requests without an answer
	draining []bool
	pushed   int
}

// arrival is when a request is decided; the index is that of its sample.
type arrival struct {
	at    time.Duration
	index int32
}

// schedule sends all requests of the phases at constant rates.
func (r *run) schedule() {
	phases := r.experiment.Plan.Phases
	r.left = make([]int, len(phases))
	r.inFlight = make([]int, len(r.experiment.Scripts))
	r.draining = make([]bool, len(r.experiment.Scripts))
	total := 0
	for i, p := range phases {
		if !p.Adaptive() {
			r.left[i] = p.Count()
			total += r.left[i]
		}
	}
	r.samples = make([]trace.Sample, 0, total+64)
	r.arrivals = make([]arrival, 0, total)

	type lane struct {
		endpoint string
		stream   plan.Stream
	}
	lanes := make(map[lane]*pacer)
	for i, p := range phases {
		if p.Adaptive() {
			continue
		}
		l := lane{p.Endpoint, p.Stream}
		if lanes[l] == nil {
			lanes[l] = &pacer{stalls: r.network.stalls(r.rng, r.experiment.Plan.Length())}
		}
		for k := range r.left[i] {
			intended, sent := lanes[l].pace(p.At(k))
			r.arrivals = append(r.arrivals, r.send(i, intended, sent))
		}
	}
	r.arrivals = ordered(r.arrivals)
}

// ordered sorts by time; what arrives at the same time stays in the order of sending. Jitter hardly changes the order in
// which requests were sent, so they are sorted into milliseconds first, which leaves little to do.
func ordered(arrivals []arrival) []arrival {
	if len(arrivals) == 0 {
		return nil
	}
	var last time.Duration
	for _, a := range arrivals {
		last = max(last, a.at)
	}
	first := make([]int32, last/time.Millisecond+2) // of each millisecond: the place of its first arrival
	for _, a := range arrivals {
		first[a.at/time.Millisecond+1]++
	}
	for i := 1; i < len(first); i++ {
		first[i] += first[i-1]
	}
	sorted := make([]arrival, len(arrivals))
	for _, a := range arrivals {
		ms := a.at / time.Millisecond
		sorted[first[ms]] = a
		first[ms]++
	}
	for i := 1; i < len(sorted); i++ {
		a := sorted[i]
		j := i
		for ; j > 0 && (sorted[j-1].at > a.at || sorted[j-1].at == a.at && sorted[j-1].index > a.index); j-- {
			sorted[j] = sorted[j-1]
		}
		sorted[j] = a
	}
	return sorted
}

// send adds the sample of a request that is under way.
func (r *run) send(phase int, intended, sent time.Duration) arrival {
	index := len(r.samples)
	r.samples = append(r.samples, trace.Sample{
		Seq: uint32(index), Phase: uint16(phase), Intended: intended, Sent: sent,
	})
	at := thawed(r.frozen, sent+r.network.trip(r.rng))
	if lagged, ok := r.model.(Lagged); ok {
		at += lagged.Lag()
	}
	return arrival{at: at, index: int32(index)}
}

// decide lets the model answer a request.
func (r *run) decide(a arrival) *trace.Sample {
	s := &r.samples[a.index]
	p := &r.experiment.Plan.Phases[s.Phase]
	d := r.model.Decide(Request{Now: a.at + r.ahead, Key: string(p.Stream), Endpoint: p.Endpoint, Conn: r.rng.IntN(connections)})
	s.Received = thawed(r.frozen, a.at+d.Hold+r.network.trip(r.rng))
	switch {
	case s.Received > s.Sent+timeout:
		s.Received, s.Kind, s.Fault = s.Sent+timeout, trace.Other, trace.Timeout
	case d.Allowed:
		s.Kind, s.Status = trace.Admitted, http.StatusCreated
	default:
		s.Kind, s.Status, s.Refusal = trace.Limited, http.StatusTooManyRequests, r.refusal(d.Advice)
	}
	return s
}

// refusal reads an advice as a client reads an answer.
func (r *run) refusal(a Advice) *trace.Refusal {
	if known, ok := r.advice[a]; ok {
		return known
	}
	header := http.Header{}
	if a.Header != "" {
		header.Set("Retry-After", a.Header)
	}
	body := `{"error":"rate_limited"}`
	if a.Body != "" {
		body = `{"error":"rate_limited","retry_after":` + a.Body + `}`
	}
	refusal := trace.ReadRefusal(header, []byte(body), time.Time{})
	r.advice[a] = &refusal
	return &refusal
}

// pacer delays requests as a client does that is held up now and then.
type pacer struct {
	stalls []interval
	slid   time.Duration
}

// pace says when a request that is due is sent, and for when that was meant.
func (p *pacer) pace(due time.Duration) (intended, sent time.Duration) {
	due += p.slid
	for len(p.stalls) > 0 && p.stalls[0].to <= due {
		p.stalls = p.stalls[1:]
	}
	if len(p.stalls) == 0 || due < p.stalls[0].from {
		return due, due
	}
	now := p.stalls[0].to
	if late := now - due; late > Tolerance {
		p.slid += late
		return now, now
	}
	return due, now
}
