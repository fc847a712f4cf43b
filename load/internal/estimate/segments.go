package estimate

import (
	"math"

	"leadconform/load/internal/judge"
)

// The admission curve D(t) of a limiter under constant overload is piecewise linear: λ until a peak bucket is drained, B
// while the credit lasts, R from then on; bunches average out over a second. The pieces are found by least squares.

// segment is a stretch of the curve, in seconds, with its least-squares line.
type segment struct {
	from, to         float64
	slope, intercept float64
}

// grain is how finely the curve is looked at.
type grain struct {
	width    float64 // seconds over which the curve is averaged
	shortest int     // the fewest bins that a segment may have; smoothing bends the curve half a width each side of a corner
}

var (
	coarse = grain{width: 1, shortest: 15}   // hides the bunches of a limiter that counts in seconds
	fine   = grain{width: 0.2, shortest: 10} // for limiters that admit evenly
)

// binWidth is the distance of the curve's points, in seconds.
const binWidth = 0.05

// curve is the mean of D over the grain's width around each of its points.
type curve struct {
	start  float64 // the first point, in seconds since the first request
	values []float64
}

func (c curve) at(i int) float64 { return c.start + float64(i)*binWidth }

// smooth samples the mean of D.
func smooth(admitted []float64, end float64, g grain) curve {
	c := curve{start: g.width / 2}
	// The integral of D up to t is the sum of t-tᵢ over the times before t.
	integral := func() func(t float64) float64 {
		i, sum := 0, 0.0
		return func(t float64) float64 {
			for i < len(admitted) && admitted[i] < t {
				sum += admitted[i]
				i++
			}
			return float64(i)*t - sum
		}
	}
	early, late := integral(), integral()
	for i := 0; ; i++ {
		t := float64(i) * binWidth
		if t+g.width > end {
			return c
		}
		c.values = append(c.values, (late(t+g.width)-early(t))/g.width)
	}
}

// fit finds the fewest segments, of at most three, that follow the curve as closely as its noise allows.
func (o *overload) fit(g grain) []segment {
	c := smooth(o.admitted, o.end, g)
	s := c.sums()
	n := len(c.values)
	good := 1 + 0.35*o.noise + 0.01*o.rate
	var best []segment
	for corners := range 3 {
		edges, ok := s.edges(corners, g.shortest)
		if !ok {
			break
		}
		var squares float64
		best = nil
		for i := range len(edges) - 1 {
			squares += s.residual(edges[i], edges[i+1])
			best = append(best, s.line(edges[i], edges[i+1]))
		}
		if math.Sqrt(squares/float64(n)) < good {
			break
		}
	}
	return best
}

// sums are prefix sums of t, y, t², ty, y² over a curve: any stretch's least squares in constant time.
type sums struct {
	curve
	t, y, tt, ty, yy []float64
}

func (c curve) sums() sums {
	n := len(c.values) + 1
	s := sums{c, make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)}
	for i, y := range c.values {
		t := c.at(i)
		s.t[i+1] = s.t[i] + t
		s.y[i+1] = s.y[i] + y
		s.tt[i+1] = s.tt[i] + t*t
		s.ty[i+1] = s.ty[i] + t*y
		s.yy[i+1] = s.yy[i] + y*y
	}
	return s
}

// moments of the bins [a, b), about their means.
func (s sums) moments(a, b int) (n, meanT, meanY, tt, ty, yy float64) {
	n = float64(b - a)
	meanT, meanY = (s.t[b]-s.t[a])/n, (s.y[b]-s.y[a])/n
	tt = s.tt[b] - s.tt[a] - n*meanT*meanT
	ty = s.ty[b] - s.ty[a] - n*meanT*meanY
	yy = s.yy[b] - s.yy[a] - n*meanY*meanY
	return n, meanT, meanY, tt, ty, yy
}

// residual is the sum of squared distances from the least-squares line over the bins [a, b).
func (s sums) residual(a, b int) float64 {
	_, _, _, tt, ty, yy := s.moments(a, b)
	if tt == 0 {
		return 0
	}
	return max(0, yy-ty*ty/tt)
}

func (s sums) line(a, b int) segment {
	_, meanT, meanY, tt, ty, _ := s.moments(a, b)
	slope := 0.0
	if tt > 0 {
		slope = ty / tt
	}
	return segment{from: s.at(a), to: s.at(b - 1), slope: slope, intercept: meanY - slope*meanT}
}

// edges are the bins at which the segments begin and end that so many corners, at most two, part, where these make the
// residual smallest. ok is false if the curve is too short for so many.
func (s sums) edges(corners, shortest int) (edges []int, ok bool) {
	n := len(s.values)
	if n < (corners+1)*shortest {
		return nil, false
	}
	if corners == 0 {
		return []int{0, n}, true
	}
	least := math.Inf(1)
	for last := corners * shortest; last <= n-shortest; last++ {
		tail := s.residual(last, n)
		if tail >= least {
			continue
		}
		if corners == 1 {
			if r := s.residual(0, last) + tail; r < least {
				edges, least = []int{0, last, n}, r
			}
			continue
		}
		for first := shortest; first <= last-shortest; first++ {
			if r := s.residual(0, first) + s.residual(first, last) + tail; r < least {
				edges, least = []int{0, first, last, n}, r
			}
		}
	}
	return edges, true
}

// rateOf counts the rate on a coarse segment, away from its corners, by a trapezoid of whole seconds. k is the length that
// it was counted on, in seconds; below 1 the segment is too short, and the rate is its line's slope.
func (o *overload) rateOf(s segment) (rate, k float64) {
	const bend = 0.5 // seconds by which smoothing bends a corner, each side
	from, to := s.from, s.to-bend
	if s.from > bend {
		from += bend
	}
	if s.to+bend+binWidth >= o.end { // no corner: the end of the trace
		to = o.end
	}
	k = math.Floor(to - from - 1)
	if k < 1 {
		return s.slope, k
	}
	return judge.Trapezoid(o.admitted, to-k-1, to), k
}

// intercept is what was admitted beyond the steady rate: the mean distance, on the last segment, of the curve from a line
// of that rate through the first request.
func (o *overload) intercept(s segment, rate float64) float64 {
	var sum float64
	n := 0
	c := smooth(o.admitted, o.end, coarse)
	for i, d := range c.values {
		if t := c.at(i); t >= s.from+0.5 && t <= s.to {
			sum += d - rate*t
			n++
		}
	}
	if n == 0 {
		return s.intercept
	}
	return sum / float64(n)
}
