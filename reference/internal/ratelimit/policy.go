package ratelimit

import (
	"errors"
	"fmt"
	"math"
)

// Credit is the burst credit E = (B−R)·W: how many requests, beyond the sustained rate, a rested key may send.
func (p TwoRate) Credit() float64 { return (p.Burst - p.Rate) * p.Window.Seconds() }

// CommittedDepth is C = E + ⌈R/4⌉ + 1, the depth in requests of the bucket that fills at Rate. The quarter of a second
// beyond the credit lets a client through that keeps to the promise and whose requests arrive unevenly.
func (p TwoRate) CommittedDepth() float64 { return p.Credit() + math.Ceil(p.Rate/4) + 1 }

// PeakDepth is P = ⌈B/4⌉ + 1, the depth in requests of the bucket that fills at Burst: the most that may arrive at once.
func (p TwoRate) PeakDepth() float64 { return math.Ceil(p.Burst/4) + 1 }

// Validate says what is wrong with the policy, naming the member.
func (p TwoRate) Validate() error {
	switch {
	case !positive(p.Rate):
		return fmt.Errorf("rate must be a positive number of requests per second, not %v", p.Rate)
	case !positive(p.Burst):
		return fmt.Errorf("burst must be a positive number of requests per second, not %v", p.Burst)
	case p.Burst < p.Rate:
		return fmt.Errorf("burst must be at least the rate of %v, not %v", p.Rate, p.Burst)
	case p.Window <= 0:
		return fmt.Errorf("window must be a positive duration such as 10s, not %v", p.Window)
	case p.CommittedDepth() > maxRequests || p.PeakDepth() > maxRequests:
		return errors.New("rate, burst and window allow more requests than can be counted: make them smaller")
	}
	return nil
}

// Validate says what is wrong with the policy, naming the member.
func (p FixedWindow) Validate() error {
	switch {
	case p.Requests <= 0:
		return fmt.Errorf("requests must be a positive whole number, not %d", p.Requests)
	case p.Window <= 0:
		return fmt.Errorf("window must be a positive duration such as 60s, not %v", p.Window)
	}
	return nil
}

// maxRequests bounds the depth of a bucket, so that a limiter can count in billionths of a request without overflow.
const maxRequests = 1e9

func positive(x float64) bool { return x > 0 && !math.IsInf(x, 0) }
