// Package soak drives many suppliers at their limits at once and judges each by its own curves while the run goes on: a
// few hundred bytes a supplier, however long it takes.
//
// Requests are counted by whole seconds of the time at which they were due. What is promised is held against sums over
// consecutive seconds, which are worked out from one second to the next: the largest sum over any stretch is a level that
// rises by what came in, falls by what was promised, and never falls below zero.
package soak

import (
	"fmt"
	"math"
	"time"

	"leadconform/load/internal/plan"
)

// LeastOver is the least by which a soak has to exceed the sustained rate: a limit that is off by Resolution refuses nothing
// to who stays below it.
const LeastOver = 1.15

// Resolution is the smallest deviation of the sustained rate that a pass rules out, as a share of it.
const Resolution = 0.1

// Second is what happened to the requests of one supplier that were due within one second.
type Second struct {
	Due      int // by the schedule
	Answered int
	Admitted int
	Limited  int
	Other    int // answers that were neither, or none
	Tardy    int // sent late, or answered late: when the limiter saw them isn't known well enough
	Prompt   int // admitted, and not tardy
}

// sound reports whether the second can be judged: as much as was meant was due, all of it was sent in time, and got a valid
// answer in time. The first and the last second of a run are no whole ones, and a second in which the schedule slid isn't
// either.
func (b Bounds) sound(s Second) bool {
	whole := float64(s.Due) >= 0.99*b.Offered-1
	return whole && s.Answered == s.Due && s.Other == 0 && s.Tardy == 0
}

// Bounds are the curves of one supplier.
type Bounds struct {
	Policy  plan.Policy
	Offered float64 // requests per second, at least LeastOver times the sustained rate
	// Delay is how long after it was due a prompt request may have been decided: the bounds of the guard on lag and
	// round trip together. A sum over a stretch can be off by what comes in within that time.
	Delay time.Duration
	// Rested says that the key has its whole credit when the run begins. Nothing of it is promised otherwise.
	Rested bool
}

// most is the level that admissions may reach over the sustained rate: E, and one second of R, which is legitimate
// granularity (LD-LIM-*-WINDOW, STEADY), with the tolerances of LIMITS.md.
func (b Bounds) most() float64 {
	p := b.Policy
	return p.Credit()*1.02 + p.Rate*(1+b.Delay.Seconds()) + 1
}

// peak is the level over the burst rate: B·(⌈τ⌉+1) in any τ seconds (LD-LIM-*-PEAK).
func (b Bounds) peak() float64 { return b.Policy.Burst * (1.06 + b.Delay.Seconds()) }

// missing is how many of the promised admissions may be missing within any stretch: one second of R again, and of the
// credit as much as LD-LIM-*-BURST grants.
func (b Bounds) missing() float64 {
	p := b.Policy
	return p.Rate + b.Offered*b.Delay.Seconds() + 0.01*p.Credit() + 1
}

// Needs is how long a supplier has to be driven, in time and without a break, for its verdict to be a pass: until the
// largest credit that it may have is used up, and from there until Resolution would show.
func (b Bounds) Needs() time.Duration {
	p := b.Policy
	drain := b.most() / (b.Offered - p.Rate)
	show := max(b.missing(), b.most()-p.Credit()) / (Resolution * p.Rate)
	return time.Duration((drain + show + 2) * float64(time.Second))
}

// Violation is a curve that was crossed.
type Violation struct {
	Second int     `json:"second"` // of the run, from 0
	Curve  string  `json:"curve"`  // upper, peak or lower
	Figure float64 `json:"figure"` // requests beyond what the curve lets in, or short of it, over the worst stretch
	Bound  float64 `json:"bound"`  // what is accepted
}

// String says it in words.
func (v Violation) String() string {
	switch v.Curve {
	case "upper":
		return fmt.Sprintf("in second %d %.0f requests had been admitted beyond the sustained rate, of at most %.0f", v.Second, v.Figure, v.Bound)
	case "peak":
		return fmt.Sprintf("in second %d %.0f requests had been admitted beyond the burst rate, of at most %.0f", v.Second, v.Figure, v.Bound)
	}
	return fmt.Sprintf("by second %d %.0f requests had been refused that were promised, of at most %.0f", v.Second, v.Figure, v.Bound)
}

// Curves judge one supplier. The zero value of everything but Bounds is a supplier of which nothing is known yet.
type Curves struct {
	Bounds

	over    float64 // admitted beyond R·t, over the worst stretch so far that ends now
	overB   float64 // the same beyond B·t
	short   float64 // promised and not admitted, over the worst stretch that ends now
	credit  float64 // of the burst credit, what is promised still
	bursts  int     // seconds in which more than R was asked for
	began   bool
	stretch int     // consecutive sound seconds in which the limit was met
	entered float64 // over, when that stretch began

	sees float64 // the smallest deviation that a stretch so far would have shown, as a share of R; 0: none

	Seconds  int // that were judged
	AtLimit  int // of them, sound ones in which requests were refused
	Spoilt   int // seconds that could not be judged
	Admitted int
	Limited  int
	Other    int
	First    *Violation // the first curve that was crossed
}

// Add judges the next second of a supplier and reports whether it crossed a curve for the first time.
func (c *Curves) Add(number int, s Second) bool {
	if !c.began {
		c.began = true
		if c.Rested {
			c.credit = c.Policy.Credit()
		}
	}
	c.Admitted += s.Admitted
	c.Limited += s.Limited
	c.Other += s.Other
	r, admitted := c.Policy.Rate, float64(s.Admitted)
	// Whatever a second is worth otherwise, what was promptly admitted in it was admitted.
	c.over = max(0, c.over+float64(s.Prompt)-r)
	c.overB = max(0, c.overB+float64(s.Prompt)-c.Policy.Burst)
	c.Seconds++
	if !c.sound(s) {
		c.spoil(s)
		return c.check(number)
	}
	c.age(s)
	promised := min(float64(s.Answered), c.Policy.Burst, r+c.credit)
	c.short = max(0, c.short+promised-admitted)
	c.credit = max(0, c.credit-max(0, admitted-r))
	if s.Limited == 0 {
		c.stretch = 0
		return c.check(number)
	}
	if c.stretch == 0 {
		c.entered = c.over
	}
	c.stretch++
	c.AtLimit++
	c.see()
	return c.check(number)
}

// age ends the credit after W seconds of more than R: whether credit counts tokens or time is left open.
func (c *Curves) age(s Second) {
	if float64(s.Due) > c.Policy.Rate {
		c.bursts++
	}
	if time.Duration(c.bursts)*time.Second > c.Policy.Window {
		c.credit = 0
	}
}

// spoil begins the judgment anew after a second that can't be judged: a stall may have bunched requests, which a limiter
// refuses rightly, and some of them may have used up credit.
func (c *Curves) spoil(s Second) {
	c.Spoilt++
	c.age(s)
	c.short, c.stretch = 0, 0
	c.credit = max(0, c.credit-max(0, float64(s.Due)-c.Policy.Rate))
}

// see works out what the present stretch at the limit would have shown: a rate that is off by a share x moves the levels by
// x·R a second, and is seen when that exceeds what is left to the bound.
func (c *Curves) see() {
	n := float64(c.stretch) * c.Policy.Rate
	share := max((c.most()-c.entered)/n, c.missing()/n)
	if c.sees == 0 || share < c.sees {
		c.sees = share
	}
}

func (c *Curves) check(number int) bool {
	if c.First != nil {
		return false
	}
	switch missing := c.missing(); {
	case c.over > c.most():
		c.First = &Violation{number, "upper", c.over, c.most()}
	case c.overB > c.peak():
		c.First = &Violation{number, "peak", c.overB, c.peak()}
	case c.short > missing:
		c.First = &Violation{number, "lower", c.short, missing}
	}
	return c.First != nil
}

// Verdict is what is known of a supplier so far.
type Verdict string

// The verdicts. A supplier that was not driven at its limit, for long enough, passes nothing.
const (
	Pass        Verdict = "pass"
	Fail        Verdict = "fail"
	NotAssessed Verdict = "not-assessed"
)

// Verdict returns the verdict and its reason; that of a pass is what it rules out.
func (c *Curves) Verdict() (Verdict, string) {
	switch {
	case c.First != nil:
		return Fail, c.First.String()
	case c.Seconds == 0:
		return NotAssessed, "nothing was sent"
	case c.Limited == 0:
		return NotAssessed, fmt.Sprintf("its limit was not met: none of %d requests was refused", c.Admitted+c.Other)
	case c.AtLimit == 0:
		return NotAssessed, fmt.Sprintf("it was at its limit in no second that can be judged, of %d; %d were spoilt by late, missing or invalid answers", c.Seconds, c.Spoilt)
	case c.Sees() > Resolution:
		return NotAssessed, fmt.Sprintf("it was at its limit for too short a time: only a rate off by %.0f %% or more would have been seen; %d of %d seconds were spoilt", 100*c.sees, c.Spoilt, c.Seconds)
	}
	return Pass, fmt.Sprintf("a rate off by %.1f %% or more would have been seen", 100*c.sees)
}

// Sees is the smallest deviation of the sustained rate that the run so far would have seen, as a share of it; +Inf if none.
func (c *Curves) Sees() float64 {
	if c.sees == 0 {
		return math.Inf(1)
	}
	return c.sees
}
