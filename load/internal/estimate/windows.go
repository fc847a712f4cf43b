package estimate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// A limiter that counts in windows longer than a second shows a staircase: as many requests as a window holds, at the rate at
// which they are offered, then none until it rolls over. Its step's height is the ceiling, its step's length that of the
// window.

// bunch is a stretch in which requests got in, between two in which none did for at least silence. Times are those of
// sending, in seconds since the first request.
type bunch struct {
	before      float64 // when the last request before it was sent that was refused; 0 if none was
	first, last float64 // when its first and last admitted request were sent
	admitted    []float64
	refused     int     // requests refused within it, outside of its hole
	hole        float64 // the longest time within it in which requests were refused, and none got in; 0 if there is none
}

const (
	// silence is what parts two bunches, in seconds, if somebody was refused meanwhile. It is shorter than plan.QuietFor,
	// of which a round trip is a part, and longer than plan.Pause.
	silence = 1.0
	// parts is how many refusals show that the silence between two requests is the limiter's, and not the client's.
	parts = 3
	// leastHole is how long nobody gets in, in seconds, where a log shows plan.Pause again. Requests that overtake each
	// other leave shorter ones.
	leastHole = 0.25
	// leastTold is the shortest window, in seconds, that is surely exhausted, plan.Pause and plan.QuietFor included, before
	// it rolls over.
	leastTold = 3.0
	// alike is the least share of what got in at first that a later window has to hold. At first, two windows of the
	// server's clock may meet.
	alike = 0.45
)

// staircase is what a trace shows of a key that stayed refused.
type staircase struct {
	bunches []bunch
	atFirst int     // requests admitted in the search, or in the overload if that is more
	offered float64 // requests per second of the overload
	end     float64 // when the last request was sent
	jitter  float64 // σ̂, seconds
}

// climb collects the staircase of an endpoint. ok is false if its key never stayed refused.
func climb(t *trace.Trace, endpoint string) (s *staircase, ok bool) {
	phases := map[plan.Name][]*trace.Sample{}
	for i := range t.Samples {
		if p := t.Meta.Plan.Phases[t.Samples[i].Phase]; p.Endpoint == endpoint {
			phases[p.Name] = append(phases[p.Name], &t.Samples[i])
		}
	}
	if len(phases[plan.Windows]) == 0 {
		return nil, false
	}
	s = &staircase{jitter: judge.Jitter(t.Meta.Preflight).Seconds()}
	for _, name := range []plan.Name{plan.Search, plan.Overload} {
		n := 0
		for _, sample := range phases[name] {
			n += one(sample.Kind == trace.Admitted)
		}
		s.atFirst = max(s.atFirst, n)
	}
	all := slices.Concat(phases[plan.Overload], phases[plan.Windows])
	slices.SortFunc(all, func(a, b *trace.Sample) int { return cmp.Compare(a.Sent, b.Sent) })
	s.offered = rateIn(phases[plan.Overload])
	s.walk(all)
	return s, true
}

// rateIn is how many requests of a phase were sent per second.
func rateIn(samples []*trace.Sample) float64 {
	if len(samples) < 2 {
		return 0
	}
	bySending := func(a, b *trace.Sample) int { return cmp.Compare(a.Sent, b.Sent) }
	first, last := slices.MinFunc(samples, bySending), slices.MaxFunc(samples, bySending)
	return float64(len(samples)-1) / (last.Sent - first.Sent).Seconds()
}

// walk cuts the samples, in the order of sending, into bunches.
func (s *staircase) walk(all []*trace.Sample) {
	start := all[0].Sent
	refused, before := 0, 0.0 // since the last success
	for _, sample := range all {
		at := (sample.Sent - start).Seconds()
		s.end = at
		switch sample.Kind {
		case trace.Limited:
			refused++
			before = at
		case trace.Admitted:
			s.admit(at, before, refused)
			refused, before = 0, at
		}
	}
}

// admit adds a success that was sent at a time, after so many refusals, the last of them sent at the time before.
func (s *staircase) admit(at, before float64, refused int) {
	n := len(s.bunches)
	if n == 0 || refused >= parts && at-s.bunches[n-1].last >= silence {
		s.bunches = append(s.bunches, bunch{before: before, first: at, last: at, admitted: []float64{at}})
		return
	}
	b := &s.bunches[n-1]
	if gap := at - b.last; refused >= parts && gap > b.hole {
		b.hole = gap
	} else {
		b.refused += refused
	}
	b.last = at
	b.admitted = append(b.admitted, at)
}

// fingerprint says what limiter it is.
func (s *staircase) fingerprint() (Estimate, error) {
	var last bunch
	if n := len(s.bunches); n > 0 {
		last = s.bunches[n-1]
	}
	switch shut := s.end - last.last; {
	case shut < silence:
		return s.settled(last)
	case s.rollOvers() < 2:
		return Estimate{}, fmt.Errorf("%w: once %d requests had got in, the key stayed refused for %.0f s; of a window that long, two "+
			"roll-overs have to be seen", ErrTooShort, s.atFirst, shut)
	}
	return s.counted(s.bunches[len(s.bunches)-2], last), nil
}

// rollOvers counts the bunches that came after the key had been refused for a while.
func (s *staircase) rollOvers() int {
	n := len(s.bunches)
	if n > 0 && s.bunches[0].first < silence {
		n--
	}
	return n
}

// settled is what a limiter is that lets requests in for good once it has stayed shut for a while, such as a sliding
// counter of a long window.
func (s *staircase) settled(b bunch) (Estimate, error) {
	k := math.Floor((b.last-b.first)/2 - 1)
	if k < leastTail {
		return Estimate{}, fmt.Errorf("%w: the rate did not settle", ErrTooShort)
	}
	noise := math.Sqrt(s.offered * s.jitter)
	rate := judge.Trapezoid(b.admitted, b.last-1-k, b.last)
	e := Estimate{Offered: s.offered, Family: Bucket, Rate: about(rate, (1+1.5*noise)/k+0.5*min(1, rate/10))}
	if bunched(b.admitted, b.last-k, b.last) {
		e.Family = FixedWindow
	}
	shut := b.first
	if n := len(s.bunches); n > 1 {
		shut -= s.bunches[n-2].last
	}
	e.Notes = append(e.Notes, fmt.Sprintf("once %d requests had got in, none did for %.1f s", s.atFirst, shut))
	return e, nil
}

// counted is what two bunches in a row say. Each begins with a roll-over.
func (s *staircase) counted(one, two bunch) Estimate {
	e := Estimate{Offered: s.offered, Family: FixedWindow}
	// The limiter let the first in between the last refusal and the first success, as requests arrive.
	slack := 3 * math.Sqrt2 * s.jitter
	length := Value{Low: max(0, two.before-one.first-slack), High: two.first - one.before + slack}
	length.Value = (length.Low + length.High) / 2
	n := float64(len(one.admitted))
	if n < alike*float64(s.atFirst) {
		e.Family = Bucket
		e.Rate = about(n/length.Value, (1+n*(length.High-length.Low)/2/length.Value)/length.Value)
		e.Credit = about(float64(s.atFirst), 1)
		e.Notes = append(e.Notes, fmt.Sprintf("once %d requests had got in, the key was let in again after %.3g s, with %.0f more", s.atFirst, length.Value, n))
		return e
	}
	if two.hole > leastHole {
		e.Family = SlidingWindow
	}
	if length.Value < leastTold {
		e.Notes = append(e.Notes, fmt.Sprintf("whether a window shorter than %.0f s is fixed or slides can't be told", leastTold))
	}
	ceiling := Value{Value: n, Low: min(n, float64(len(two.admitted))), High: max(n, float64(len(two.admitted)))}
	if ceiling.High-ceiling.Low > 0.05*n+2 {
		e.Notes = append(e.Notes, fmt.Sprintf("one window held %d requests, the next one %d", len(one.admitted), len(two.admitted)))
	}
	e.Length, e.Ceiling = &length, &ceiling
	e.Rate = &Value{Value: n / length.Value, Low: ceiling.Low / length.High, High: ceiling.High / length.Low}
	if len(two.admitted) >= int(everything*float64(len(two.admitted)+two.refused)) {
		e.Unpoliced = true
	}
	return e
}
