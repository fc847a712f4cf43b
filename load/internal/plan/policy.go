// Package plan says what is sent when: which phases an experiment consists of, at which offered rates, with which
// silences, and, where the next step depends on the answers (Retry-After, a fixed window of unknown ceiling), what to
// do next. It sends nothing and looks at no clock: times are handed in, counted from the start of the run.
package plan

import (
	"errors"
	"fmt"
	"time"
)

// Policy is what one endpoint promises one key (LD-LIM-*): Rate requests per second for ever, and, from rest, Burst
// requests per second for Window.
type Policy struct {
	Rate   float64       `json:"rate"`      // R, requests per second, > 0
	Burst  float64       `json:"burst"`     // B, requests per second, >= Rate
	Window time.Duration `json:"window_ns"` // W, > 0
}

// Credit is E = (B-R)·W: the requests that a rested key may have admitted beyond its sustained rate.
func (p Policy) Credit() float64 { return (p.Burst - p.Rate) * p.Window.Seconds() }

// Rest is how long a key has to be silent until it counts as rested: a tenth more than the credit takes to come back
// at the sustained rate, and one second. The documents leave the law of recovery open.
func (p Policy) Rest() time.Duration {
	return seconds(1.1*p.Credit()/p.Rate + 1)
}

// Validate reports what is wrong with the policy, or nil.
func (p Policy) Validate() error {
	var errs []error
	if !(p.Rate > 0) {
		errs = append(errs, fmt.Errorf("rate %v: want requests per second, above 0", p.Rate))
	}
	if !(p.Burst >= p.Rate) {
		errs = append(errs, fmt.Errorf("burst %v: want requests per second, at least the rate %v", p.Burst, p.Rate))
	}
	if p.Window <= 0 {
		errs = append(errs, fmt.Errorf("window %v: want a duration above 0", p.Window))
	}
	return errors.Join(errs...)
}

// String prints the policy as the documents do: 100/s, burst 200/s for 10s.
func (p Policy) String() string {
	return fmt.Sprintf("%g/s, burst %g/s for %v", p.Rate, p.Burst, p.Window)
}

// Peak says how the burst rate B is read.
type Peak string

// The two readings of "200 RPS for 10 seconds".
const (
	PeakStrict   Peak = "strict"   // B is the highest rate that gets in, second by second
	PeakCapacity Peak = "capacity" // B only sizes the credit: a plain bucket of depth E passes
)

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
