package plan

import (
	"math"
	"time"
)

// Name says what a phase is for.
type Name string

// The phases of the two-rate experiment.
const (
	A1 Name = "A1" // from rest, just below B for W: nothing may be limited
	A2 Name = "A2" // after a short silence, overload until well after exhaustion: counts what gets in
	B1 Name = "B1" // from rest, far above B: shows the peak, and the whole credit
	B3 Name = "B3" // after the rest B2, just below B again: the burst has to be back
	C  Name = "C"  // just below R while other keys are exhausted: nothing may be limited

	Apart Name = "apart" // after B1, just below R while the same key is still refused on other endpoints: nothing may be limited

	Wait   Name = "wait"   // one probe, sent when the last refusal's Retry-After has passed in silence
	Refill Name = "refill" // overload until the next refusal, where a wait of more than 2 s was asked for
	Sparse Name = "sparse" // probes once a second, to see whether that wait was overstated

	Twin1 Name = "twin-1" // overload of one key of a supplier
	Twin2 Name = "twin-2" // half of R on the supplier's other key meanwhile
)

// Options of the two-rate experiment.
type Options struct {
	Jitter time.Duration // σ̂, the standard deviation of a one-way trip, from the preflight
	// Keys is how many keys, of different suppliers, there are. With three or more, all streams run side by side. With
	// two, A and B share one and follow each other. With one, C follows too, and says nothing of isolation.
	Keys int
	// Others are what the other endpoints promise that are attacked at the same time.
	Others []Policy
	// Twins adds the phases that ask whether two keys of one supplier share a limit (LD-LIM-KEYS).
	Twins bool
}

// Figures of the experiment.
const (
	// pauseA is the silence between A1 and A2. It is no whole number of seconds, so that the second half meets a limiter's
	// one-second windows at another phase than the first.
	pauseA = 2200 * time.Millisecond
	// roundA2 is what the length of A2 is rounded to.
	roundA2 = 100 * time.Millisecond
	// startB and startC keep the streams from meeting a limiter's windows in step.
	startB = 370 * time.Millisecond
	startC = 150 * time.Millisecond
	// beyondB1 is how much longer than W the key B is overloaded: the credit of a conforming limiter is used up by then.
	beyondB1 = 500 * time.Millisecond
	// settle is the silence between B1 and Apart: a limiter may count B1's last second until it has passed.
	settle = 1100 * time.Millisecond
	// leastApart is how long Apart lasts at least: a shorter one shows too little.
	leastApart = 3 * time.Second
	// shareB3 of W is how long the burst is asked for again after the rest.
	shareB3 = 0.4
	// shareC of R is what C offers: below R by more than jitter can add to a second.
	shareC = 0.9
	// SparseBelow is the burst rate below which single requests matter: such an endpoint is overloaded more and counted
	// for longer.
	SparseBelow = 100
	// DenseAbove is the burst rate from which on half as much again shows what twice as much shows elsewhere, and costs the
	// client less. Besides, limits that endpoints share, with what all of them promise together, look like limits of their
	// own to a client that asks all for the same multiple.
	DenseAbove = 500
)

// Pace is ρ: the share of B that is offered where nothing may be limited. Jitter moves requests from one second into
// the next; the margin keeps every second below B.
func Pace(jitter time.Duration) float64 {
	return 1 - max(0.03, 2.5*jitter.Seconds())
}

// Overload is what A2 offers, in requests per second: B, which is above R and can't be limited by its peak; three times
// as much where requests are few, so that a free place is soon taken.
func (p Policy) Overload() float64 {
	switch {
	case p.Burst < SparseBelow:
		return 3 * p.Burst
	case p.Burst < 1.5*p.Rate:
		return 1.5 * p.Rate
	}
	return p.Burst
}

// PeakLoad is what B1 offers, in requests per second: twice B; four times where requests are few, one and a half times
// where they are many.
func (p Policy) PeakLoad() float64 {
	switch {
	case p.Burst < SparseBelow:
		return 4 * p.Burst
	case p.Burst >= DenseAbove:
		return 1.5 * p.Burst
	}
	return 2 * p.Burst
}

// Plateau is how long A2 has to last after exhaustion for R to be counted: long enough that one request more or less
// is at most 1.5 % of the count, and at least 4.2 s. One second of it goes to the slopes of the trapezoid.
func (p Policy) Plateau() time.Duration {
	return seconds(1 + max(3.2, 65/p.Rate))
}

// Counted is the part of the plateau in which R is counted, at its end: a whole number of seconds, and one for the slopes
// of the trapezoid.
func (p Policy) Counted() time.Duration {
	return seconds(1 + math.Floor(p.Plateau().Seconds()-1))
}

// Reserve is how much later than planned the credit may be used up without that being counted: what Counted leaves of
// the plateau, less what the length of A2 may be rounded down by.
func (p Policy) Reserve() time.Duration {
	return p.Plateau() - p.Counted() - roundA2/2
}

// Exhaustion is how long A2 takes to use up what the most generous conforming limiter has left: the credit and one
// second of R, less what A1 took, and what the silence gave back.
func (p Policy) Exhaustion(jitter time.Duration) time.Duration {
	taken := (Pace(jitter)*p.Burst - p.Rate) * p.Window.Seconds()
	left := min(p.Credit()+p.Rate, p.Credit()+p.Rate-taken+p.Rate*pauseA.Seconds())
	admitted := min(p.Overload(), p.Burst) // what gets in while credit is left
	if admitted <= p.Rate {
		admitted = p.Overload() // there is no credit, only what a second may hold beforehand
	}
	return seconds(left / (admitted - p.Rate))
}

// TwoRate is the experiment on one endpoint: about 27 s for the documented limits, all endpoints side by side.
func TwoRate(endpoint string, p Policy, o Options) []Phase {
	rho := Pace(o.Jitter)
	lengthA2 := (p.Exhaustion(o.Jitter) + p.Plateau()).Round(roundA2)

	s := schedule{endpoint: endpoint}
	a1 := s.add(A1, StreamA, 0, p.Window, rho*p.Burst)
	a2 := s.add(A2, StreamA, a1.End()+pauseA, lengthA2, p.Overload())

	b, c, lengthC := startB, startC, a2.End()-startC
	if o.Keys < 3 {
		b = a2.End() + p.Rest()
	}
	b1 := s.add(B1, StreamB, b, p.Window+beyondB1, p.PeakLoad())
	spent := b1.End()
	if until := lastB1(o.Others); o.Keys >= 3 && until-spent >= settle+leastApart {
		s.add(Apart, StreamB, spent+settle, until-spent-settle, shareC*p.Rate)
		spent = until
	}
	b3 := s.add(B3, StreamB, spent+p.Rest(), seconds(shareB3*p.Window.Seconds()), rho*p.Burst)
	if o.Keys < 2 {
		// Traffic below R is promised whatever went before it; one empty second keeps B3 out of its windows.
		c, lengthC = b3.End()+1100*time.Millisecond, 8*time.Second
	}
	s.add(C, StreamC, c, lengthC, shareC*p.Rate)

	// The script of these phases starts when A2 is over; with fewer keys, when everything is.
	probe := a2.End()
	if o.Keys < 3 {
		probe = s.end()
	}
	for _, name := range []Name{Wait, Refill, Sparse} {
		s.add(name, StreamA, probe, 0, 0)
	}
	if o.Twins {
		overload := s.add(Twin1, StreamTwinOne, 0, p.Window+3*time.Second, p.PeakLoad())
		s.add(Twin2, StreamTwinTwo, overload.End()-3*time.Second, 3*time.Second, p.Rate/2)
	}
	return s.phases
}

// lastB1 is when B1 is over on all of these endpoints, where it begins with the run.
func lastB1(policies []Policy) time.Duration {
	var end time.Duration
	for _, p := range policies {
		end = max(end, startB+p.Window+beyondB1)
	}
	return end
}

// Repeat returns the phases of one stream of an endpoint once more, starting at the given time; A brings C with it,
// as C is judged while A is exhausted. The caller sees to it that the keys are rested (Policy.Rest) by then.
func Repeat(phases []Phase, endpoint string, stream Stream, at time.Duration) []Phase {
	with := func(p Phase) bool {
		return p.Endpoint == endpoint && p.Attempt == 0 &&
			(p.Stream == stream || stream == StreamA && p.Stream == StreamC)
	}
	earliest := time.Duration(math.MaxInt64)
	attempt := 0
	for _, p := range phases {
		if with(p) {
			earliest = min(earliest, p.Start)
		}
		if p.Endpoint == endpoint && p.Stream == stream {
			attempt = max(attempt, p.Attempt)
		}
	}
	var again []Phase
	for _, p := range phases {
		if with(p) {
			p.Start += at - earliest
			p.Attempt = attempt + 1
			again = append(again, p)
		}
	}
	return again
}

// RepeatRest is how long a key rests, at least, before anything is asked of its burst once more (LD-LIM-E-RECOVER):
// nothing is said of how fast the burst comes back, so only a key that doesn't have it after a minute is at fault.
const RepeatRest = 60 * time.Second

// RepeatB3 returns the phase B3 of an endpoint once more, starting at the given time.
func RepeatB3(phases []Phase, endpoint string, at time.Duration) (again Phase, found bool) {
	for _, p := range phases {
		if p.Endpoint == endpoint && p.Name == B3 {
			again, found = p, true
		}
	}
	again.Start = at
	again.Attempt++
	return again, found
}

// schedule gathers the phases of one endpoint.
type schedule struct {
	endpoint string
	phases   []Phase
}

func (s *schedule) add(name Name, stream Stream, start, length time.Duration, rate float64) Phase {
	p := Phase{Name: name, Endpoint: s.endpoint, Stream: stream, Start: start, Length: length, Rate: rate}
	s.phases = append(s.phases, p)
	return p
}

func (s *schedule) end() time.Duration { return Plan{Phases: s.phases}.Length() }
