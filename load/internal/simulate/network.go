package simulate

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Network is what lies between client and server, and what ails the client. A trip takes Base and a normal deviate of
// Jitter, each way for itself; the requests of a run may so overtake each other.
type Network struct {
	Name   string
	Base   time.Duration // one way
	Jitter time.Duration // standard deviation, one way
	// TailShare of the trips take longer by a Pareto deviate of TailScale and shape 1.5: infinite variance.
	TailShare float64
	TailScale time.Duration
	// A stream stalls every StallEvery on average, for up to StallFor: what is due meanwhile is sent at its end, if that is
	// within the pacer's tolerance, or else the schedule slides.
	StallEvery, StallFor time.Duration
	// The path freezes every FreezeEvery on average, for up to FreezeFor: what would arrive meanwhile, on either side,
	// arrives at its end.
	FreezeEvery, FreezeFor time.Duration
}

// Tolerance is how late a pacer may be before its schedule slides.
const Tolerance = 20 * time.Millisecond

// The networks on which judge and estimate are measured.
var (
	Still    = Network{Name: "0 ms", Base: time.Millisecond}
	Jitter2  = Network{Name: "2 ms", Base: 10 * time.Millisecond, Jitter: 2 * time.Millisecond}
	Jitter10 = Network{Name: "10 ms", Base: 45 * time.Millisecond, Jitter: 10 * time.Millisecond}
	Jitter50 = Network{Name: "50 ms", Base: 220 * time.Millisecond, Jitter: 50 * time.Millisecond}
	Tails    = Network{Name: "heavy tails", Base: 10 * time.Millisecond, Jitter: 2 * time.Millisecond,
		TailShare: 0.003, TailScale: 10 * time.Millisecond}
	Stalls = Network{Name: "stalls", Base: 10 * time.Millisecond, Jitter: 2 * time.Millisecond,
		StallEvery: 4 * time.Second, StallFor: 60 * time.Millisecond}
	Freezes = Network{Name: "freezes", Base: 10 * time.Millisecond, Jitter: 2 * time.Millisecond,
		FreezeEvery: time.Second, FreezeFor: 50 * time.Millisecond}
)

// Networks lists them all.
var Networks = []Network{Still, Jitter2, Jitter10, Jitter50, Tails, Stalls, Freezes}

// trip draws how long one way takes.
func (n Network) trip(rng *rand.Rand) time.Duration {
	d := n.Base
	if n.Jitter > 0 {
		d += time.Duration(rng.NormFloat64() * float64(n.Jitter))
	}
	if n.TailShare > 0 && rng.Float64() < n.TailShare {
		d += time.Duration(pareto(rng) * float64(n.TailScale))
	}
	return max(d, n.Base/10)
}

// pareto draws from the Pareto distribution of scale 1 and shape 1.5: P(X > x) = x^-1.5.
func pareto(rng *rand.Rand) float64 {
	u := 1 - rng.Float64()
	const longest = 1000
	return min(longest, math.Pow(u, -1/1.5))
}

// preflight draws the round trips from which the jitter is estimated.
func (n Network) preflight(rng *rand.Rand, count int) []time.Duration {
	trips := make([]time.Duration, count)
	for i := range trips {
		trips[i] = n.trip(rng) + n.trip(rng)
	}
	return trips
}

// stalls draws when a stream is held up, and until when.
func (n Network) stalls(rng *rand.Rand, length time.Duration) []interval {
	return pauses(rng, n.StallEvery, n.StallFor, length)
}

// freezes draws when the path freezes, and until when.
func (n Network) freezes(rng *rand.Rand, length time.Duration) []interval {
	return pauses(rng, n.FreezeEvery, n.FreezeFor, length)
}

// pauses draws pauses of up to longest, so far apart on average. None where every is 0.
func pauses(rng *rand.Rand, every, longest, length time.Duration) []interval {
	if every == 0 {
		return nil
	}
	var all []interval
	for at := time.Duration(0); ; {
		at += time.Duration(rng.ExpFloat64() * float64(every))
		if at > length {
			return all
		}
		end := at + time.Duration(rng.Float64()*float64(longest))
		all = append(all, interval{at, end})
		at = end
	}
}

// thawed is when that arrives which would have arrived at the given time.
func thawed(freezes []interval, at time.Duration) time.Duration {
	i, _ := slices.BinarySearchFunc(freezes, at, func(f interval, at time.Duration) int { return cmp.Compare(f.to, at) })
	if i < len(freezes) && freezes[i].from <= at {
		return freezes[i].to
	}
	return at
}

// interval is a stretch of time.
type interval struct{ from, to time.Duration }
