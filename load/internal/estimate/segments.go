package estimate

import (
	"math"
	"slices"

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
	corners  int     // the most that are looked for
	uneven   float64 // seconds of λ by which the curve may leave its lines, where requests get in by bunches
}

var (
	coarse = grain{width: 1, shortest: 15, corners: 2, uneven: 0.01} // hides the bunches of a limiter that counts in seconds
	// For limiters that admit evenly. A sliding counter does so only after its first window, and once its credit is used up it
	// lets nobody in for a while.
	fine = grain{width: 0.2, shortest: 10, corners: 3}
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

// fit finds the fewest segments, of at most so many corners, that follow the curve as closely as its noise allows.
func (o *overload) fit(g grain) []segment {
	c := smooth(o.admitted, o.end, g)
	s := c.sums()
	n := len(c.values)
	good := 1 + 0.35*o.noise + g.uneven*o.rate
	var best []segment
	for corners := range g.corners + 1 {
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

// edges are the bins at which the segments begin and end that so many corners part, where these make the residual smallest. ok is
// false if the curve is too short for so many.
func (s sums) edges(corners, shortest int) (edges []int, ok bool) {
	n := len(s.values)
	if n < (corners+1)*shortest {
		return nil, false
	}
	least := make([]float64, n+1) // of the bins up to each, with the corners placed so far
	for i := range least {
		least[i] = s.residual(0, max(1, i))
	}
	last := make([][]int, corners) // where the last of so many corners is
	for c := range corners {
		more := make([]float64, n+1)
		last[c] = make([]int, n+1)
		for end := (c + 2) * shortest; end <= n; end++ {
			more[end] = math.Inf(1)
			for i := end - shortest; i >= (c+1)*shortest; i-- {
				tail := s.residual(i, end)
				if tail >= more[end] {
					break // a longer tail fits no better
				}
				if r := least[i] + tail; r < more[end] {
					more[end], last[c][end] = r, i
				}
			}
		}
		least = more
	}
	edges = []int{n}
	for c := corners - 1; c >= 0; c-- {
		edges = append(edges, last[c][edges[len(edges)-1]])
	}
	edges = append(edges, 0)
	slices.Reverse(edges)
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
