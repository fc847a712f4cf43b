// Package estimate says what limiter a trace of constant overload shows: its rate, its burst, its credit, each with an
// interval, and its kind. It asks no policy and passes no verdict.
package estimate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// Estimate is what was found.
type Estimate struct {
	Offered float64 `json:"offered"` // λ, requests per second
	Family  Family  `json:"family"`
	Rate    *Value  `json:"rate,omitempty"`   // what gets in for ever, requests per second; nil without a limit
	Burst   *Value  `json:"burst,omitempty"`  // what gets in at first, requests per second; nil if that is all or nothing more
	Credit  *Value  `json:"credit,omitempty"` // requests admitted beyond Rate in all; nil without a limit, or if Ceiling says it
	// Length and Ceiling are those of a window longer than a second: every Length seconds Ceiling requests get in, in any
	// order, and Rate is the one by the other. Nil for limiters that count in seconds, or not in windows. Ceiling's interval
	// spans what was counted in two windows.
	Length  *Value `json:"length_s,omitempty"`
	Ceiling *Value `json:"ceiling,omitempty"`
	// Unpoliced says that all that was offered got in at first, so that the burst rate isn't bounded, or not below λ.
	Unpoliced bool     `json:"unpoliced,omitempty"`
	Notes     []string `json:"notes,omitempty"`
}

// Value is a figure and the interval in which the true one lies in at least 94 runs of 100.
type Value struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

func about(v, half float64) *Value { return &Value{Value: v, Low: max(0, v-half), High: v + half} }

// String prints the value with its half-width, if it has one.
func (v Value) String() string {
	if v.High == v.Low {
		return fmt.Sprintf("%.4g", v.Value)
	}
	return fmt.Sprintf("%.4g ± %.2g", v.Value, (v.High-v.Low)/2)
}

// Family is a kind of limiter.
type Family string

// The families. A sliding counter admits as evenly as a bucket and can't be told from one.
const (
	Bucket        Family = "bucket"         // admits evenly: buckets, GCRA, sliding counters
	FixedWindow   Family = "fixed window"   // admits in bunches, at the same moment of every second, or of every Length
	SlidingWindow Family = "sliding window" // admits in bunches that drift: a log of the last second, or of the last Length
	Queueing      Family = "queueing"       // holds requests back instead of refusing them
	Unlimited     Family = "none"           // admits all that was offered, as far as it was offered
)

// ErrTooShort means that the trace is too short, or too empty, to estimate anything.
var ErrTooShort = errors.New("the overload is too short to estimate anything")

// Figures of the estimate.
const (
	// everything is the share that has to get in for a rate to count as not limited.
	everything = 0.97
	// leastTail is the shortest last segment that the rate is counted on, in seconds.
	leastTail = 3.0
)

// Fingerprint estimates from the last phase plan.Overload of an endpoint; where its key stayed refused, so that the phase
// plan.Windows followed, from both. An error wraps ErrTooShort and says what there is too little of.
func Fingerprint(t *trace.Trace, endpoint string) (Estimate, error) {
	if s, ok := climb(t, endpoint); ok {
		return s.fingerprint()
	}
	o, err := gather(t, endpoint)
	if err != nil {
		return Estimate{}, err
	}
	e := Estimate{Offered: o.rate}
	// What was never answered was not refused: it waits in some queue.
	if share := float64(len(o.admitted)+o.timeouts) / float64(o.n); share >= everything {
		return unlimited(e, o), nil
	}
	segments := o.fit(coarse)
	tail := segments[len(segments)-1]
	rate, k := o.rateOf(tail)
	if k < 1 {
		return Estimate{}, fmt.Errorf("%w: the rate did not settle", ErrTooShort)
	}
	e.Rate = about(rate, (1+1.5*o.noise)/k+0.5*(rate/o.rate)*min(1, rate/10))
	credit := max(0, o.intercept(tail, rate)+searched(t, endpoint, rate))
	spread := (e.Rate.High-e.Rate.Low)/2*(tail.to+tail.from)/2 + 1 + o.noise
	e.Credit = about(credit, spread)
	e.Family = o.family(segments)
	if e.Family == SlidingWindow {
		known := (e.Rate.High - e.Rate.Low) / 2
		e.Rate = about(o.perSecond(rate, tail), known)
	}
	if s, found := burst(segments, rate, o.rate); found && (e.Family != Bucket || bunched(o.admitted, s.from, s.to)) {
		o.bunchedBurst(&e, s)
	} else {
		o.evenBurst(&e, rate)
	}
	return e, nil
}

// searched is what a search took of the credit that the overload followed at once, since nothing had been refused.
func searched(t *trace.Trace, endpoint string, rate float64) float64 {
	begin := map[plan.Name]float64{}
	admitted := 0
	for i := range t.Samples {
		s, p := &t.Samples[i], t.Meta.Plan.Phases[t.Samples[i].Phase]
		if p.Endpoint != endpoint {
			continue
		}
		if at, ok := begin[p.Name]; !ok || s.Sent.Seconds() < at {
			begin[p.Name] = s.Sent.Seconds()
		}
		if p.Name == plan.Search {
			if s.Kind != trace.Admitted || s.Latency() > time.Second {
				return 0 // the key was left to rest
			}
			admitted++
		}
	}
	if admitted == 0 {
		return 0
	}
	return max(0, float64(admitted)-rate*(begin[plan.Overload]-begin[plan.Search]))
}

// unlimited tells no limit from one that holds requests back: there waiting grows, and what comes back does so at the
// limiter's rate.
func unlimited(e Estimate, o *overload) Estimate {
	if o.waitGrows() < 0.5 {
		e.Family, e.Unpoliced = Unlimited, true
		e.Notes = append(e.Notes, fmt.Sprintf("nothing was limited at %.4g/s", e.Offered))
		return e
	}
	e.Family = Queueing
	// Clients give up in the end; what is answered before that is answered at the limiter's rate.
	last := min(o.end, o.answered[len(o.answered)-1])
	if k := math.Floor(last/2 - 1); k >= 1 {
		rate := judge.Trapezoid(o.answered, last-1-k, last)
		e.Rate = about(rate, (1+1.5*o.noise)/k+0.5*(rate/o.rate)*min(1, rate/10))
	}
	return e
}

// bunchedBurst estimates B of a limiter that admits in bunches, on the longest coarse segment before the last.
func (o *overload) bunchedBurst(e *Estimate, s segment) {
	rate, k := o.rateOf(s)
	if k < 1 {
		rate, k = s.slope, max(0.5, s.to-s.from)
	}
	rate = o.perSecond(rate, s)
	o.setBurst(e, rate, (1+1.5*o.noise)/k+0.75*rate/o.rate+0.005*rate, s)
}

// evenBurst estimates B of a limiter that admits evenly. Its curve needs no smoothing over a second, which would hide that a
// deep peak bucket lets λ in at first, and a short burst altogether: the longest finer segment's line gives the rate.
func (o *overload) evenBurst(e *Estimate, steady float64) {
	s, found := burst(o.fit(fine), steady, o.rate)
	if !found {
		e.Notes = append(e.Notes, "one rate from the first request on")
		return
	}
	o.setBurst(e, s.slope, (1+1.5*o.noise)/max(0.5, s.to-s.from)+0.75*s.slope/o.rate+0.01*s.slope, s)
}

func (o *overload) setBurst(e *Estimate, rate, half float64, s segment) {
	if rate >= everything*o.rate {
		e.Unpoliced = true
		e.Notes = append(e.Notes, fmt.Sprintf("the peak is not limited up to %.4g/s", o.rate))
		return
	}
	e.Burst = about(rate, half)
	if length := s.to - s.from; length < 2 {
		e.Notes = append(e.Notes, fmt.Sprintf("the burst lasts %.1f s only, so its rate is known roughly", length))
	}
}

// burst is the longest segment before the last that is steeper than the steady rate, and where there is one, less steep than
// the offered rate, at which a deep peak bucket is drained first. On a noisy machine a corner may fall into the steady
// stretch, and what is left of it there is no burst.
func burst(segments []segment, steady, offered float64) (longest segment, found bool) {
	const steeper = 1.1
	limited := false
	for _, s := range segments[:len(segments)-1] {
		switch below := s.slope < everything*offered; {
		case s.slope <= steeper*steady, limited && !below:
		case below && !limited, s.to-s.from > longest.to-longest.from:
			longest, found, limited = s, true, below
		}
	}
	return longest, found
}

// overload is what a trace shows of a constant overload. Times are seconds since its first request.
type overload struct {
	rate               float64 // λ
	n                  int
	noise              float64 // √(λσ̂)
	end                float64 // one interval after the last request
	admitted, answered []float64
	middles            []float64 // half-way between sending and answer, of what was admitted
	timeouts           int
	latency            []float64 // of every request, in the order of sending
}

func gather(t *trace.Trace, endpoint string) (*overload, error) {
	last := -1
	for i, p := range t.Meta.Plan.Phases {
		if p.Name == plan.Overload && p.Endpoint == endpoint {
			last = i
		}
	}
	n := 0
	for i := range t.Samples {
		n += one(int(t.Samples[i].Phase) == last)
	}
	of := make([]*trace.Sample, 0, n)
	for i := range t.Samples {
		if int(t.Samples[i].Phase) == last {
			of = append(of, &t.Samples[i])
		}
	}
	if last < 0 || len(of) < 20 {
		return nil, ErrTooShort
	}
	slices.SortFunc(of, func(a, b *trace.Sample) int { return cmp.Compare(a.Sent, b.Sent) })
	start := of[0].Sent
	admitted := 0
	for _, s := range of {
		admitted += one(s.Kind == trace.Admitted)
	}
	o := &overload{
		n:        n,
		latency:  make([]float64, 0, n),
		admitted: make([]float64, 0, admitted),
		middles:  make([]float64, 0, admitted),
		answered: make([]float64, 0, admitted),
	}
	for _, s := range of {
		at := (s.Sent - start).Seconds()
		o.end = at
		o.latency = append(o.latency, s.Latency().Seconds())
		switch {
		case s.Kind == trace.Admitted:
			o.admitted = append(o.admitted, at)
			o.middles = append(o.middles, at+s.Latency().Seconds()/2)
			o.answered = append(o.answered, (s.Received - start).Seconds())
		case s.Fault == trace.Timeout:
			o.timeouts++
		}
	}
	if len(o.admitted) < 10 || o.end < leastTail {
		return nil, ErrTooShort
	}
	o.rate = float64(o.n-1) / o.end
	o.end += 1 / o.rate
	o.noise = math.Sqrt(o.rate * judge.Jitter(t.Meta.Preflight).Seconds())
	slices.Sort(o.answered)
	return o, nil
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// waitGrows is by how much the mean latency of the last second exceeds the smallest, in seconds.
func (o *overload) waitGrows() float64 {
	second := min(len(o.latency), int(o.rate)+1)
	var sum float64
	for _, l := range o.latency[len(o.latency)-second:] {
		sum += l
	}
	return sum/float64(second) - slices.Min(o.latency)
}
