package chart

import (
	"math"

	"leadconform/load/harness"
)

// The curves are what the documented sentence says, "R per second, in bursts B per second for W seconds", of one second
// at a time: given what the target let in before, the most and the least that a conforming one lets in now. They hold no
// tolerance. The verdict does, so that a second a little outside is no failure by itself.

// drawCurves fills in the contract's share of each point. A limit of which no rate is promised has none.
func drawCurves(points []Point, promise harness.Promise, peak string) {
	if promise.Rate <= 0 || promise.Burst <= 0 {
		return
	}
	c := contract{
		rate: promise.Rate, burst: promise.Burst, credit: (promise.Burst - promise.Rate) * promise.WindowS,
		peaked: peak != harness.PeakCapacity,
	}
	left := c.credit
	for i := range points {
		p := &points[i]
		if i > 0 && p.AtS-points[i-1].end() >= c.rest() {
			left = c.credit
		}
		most, least, credit := c.most(points[:i], *p), c.least(*p, left), left
		p.Most, p.Least, p.Credit = &most, &least, &credit
		left = c.drained(left, *p)
	}
}

// contract is R, B and E = (B−R)·W; peaked says that B bounds every second, and not only the sum.
type contract struct {
	rate, burst, credit float64
	peaked              bool
}

// rest is how long a key has to be silent, in seconds, for its whole credit to be promised again. The documents leave
// open how it comes back; until then none of what was used is.
func (c contract) rest() float64 { return 1.1*c.credit/c.rate + 1 }

// least is what of the requests sent within a second gets in at least: R a second, and up to B while credit is left.
func (c contract) least(p Point, left float64) float64 {
	return min(float64(p.Sent), c.burst*p.LengthS, c.rate*p.LengthS+left)
}

// drained is the credit that is left after a second.
func (c contract) drained(left float64, p Point) float64 {
	return max(0, left-max(0, float64(p.Admitted)-c.rate*p.LengthS))
}

// hair keeps rounding errors from making one second more of a whole number of them.
const hair = 1e-6

// most is what gets in at most within a second, after what got in before: over any stretch of τ seconds no more than
// R·τ + E + R, since a second of R is legitimate granularity, and, as B bounds the peak, no more than B·(⌈τ⌉+1), since
// the phase of a limiter's own seconds is unknown.
func (c contract) most(before []Point, p Point) float64 {
	most, admitted := math.Inf(1), 0
	for i := len(before); i >= 0; i-- {
		from := p.AtS
		if i < len(before) {
			from = before[i].AtS
			admitted += before[i].Admitted
		}
		span := p.end() - from
		most = min(most, c.rate*span+c.credit+c.rate-float64(admitted))
		if c.peaked {
			most = min(most, c.burst*(math.Ceil(span-hair)+1)-float64(admitted))
		}
	}
	return max(0, most)
}

func (p Point) end() float64 { return p.AtS + p.LengthS }
