package simulate

import (
	"math/rand/v2"
	"time"

	"leadconform/load/internal/plan"
)

// The laws in this file count whole seconds: up to R in each is free, up to B at the expense of a credit of E, which
// gains what a second leaves of R.

// credit is what may be admitted beyond R.
type credit struct{ left, limit float64 }

// spend takes so much, or nothing.
func (c *credit) spend(n float64) bool {
	if c.left < n {
		return false
	}
	c.left -= n
	return true
}

func (c *credit) gain(n float64) { c.left = min(c.limit, c.left+n) }

func fullCredit(p plan.Policy) credit { return credit{left: p.Credit(), limit: p.Credit()} }

// fixedSeconds counts in windows of one second that follow each other without a gap.
type fixedSeconds struct {
	rate, burst float64
	credit      credit
	anchored    bool          // whether the first request opens the first window; else the server's clock does
	origin      time.Duration // when a window began
	n           float64       // admitted in the window that began there
	open        bool          // whether any request came yet
}

func (f *fixedSeconds) Take(now time.Duration) (bool, time.Duration) {
	if !f.open {
		f.open = true
		if f.anchored {
			f.origin = now
		} else {
			f.origin = now.Truncate(time.Second)
		}
	}
	for now-f.origin >= time.Second {
		f.credit.gain(f.rate - min(f.rate, f.n))
		f.origin += time.Second
		f.n = 0
	}
	switch {
	case f.n+1 <= f.rate, f.n+1 <= f.burst && f.credit.spend(min(1, f.n+1-f.rate)):
		f.n++
		return true, 0
	}
	return false, f.origin + time.Second - now
}

func fixedWindows(anchored bool) NewLaw {
	return func(p plan.Policy, _ *rand.Rand) Law {
		return &fixedSeconds{rate: p.Rate, burst: p.Burst, credit: fullCredit(p), anchored: anchored}
	}
}

// slidingLog remembers the requests admitted within the last second. It holds up to B of them until the credit is used
// up, and up to R until it is whole again; the credit falls by what the log holds beyond R, second for second, and rises
// by what it lacks.
type slidingLog struct {
	rate, burst float64
	credit      credit
	log         []time.Duration
	at          time.Duration // up to when the credit is reckoned
	spent       bool          // the credit was used up, and isn't whole again
}

func (s *slidingLog) Take(now time.Duration) (bool, time.Duration) {
	for len(s.log) > 0 && s.log[0] <= now-time.Second {
		s.reckon(s.log[0] + time.Second)
		s.log = s.log[1:]
	}
	s.reckon(now)
	most := s.burst
	switch s.credit.left {
	case 0:
		s.spent = true
	case s.credit.limit:
		s.spent = false
	}
	if s.spent {
		most = s.rate
	}
	if float64(len(s.log))+1 <= most {
		s.log = append(s.log, now)
		return true, 0
	}
	return false, s.log[0] + time.Second - now
}

// reckon brings the credit up to a time until which the log didn't change.
func (s *slidingLog) reckon(at time.Duration) {
	s.credit.left = min(s.credit.limit, max(0, s.credit.left+(s.rate-float64(len(s.log)))*(at-s.at).Seconds()))
	s.at = at
}

// newSlidingLog gives it a quarter of a second of R less than E: the log fills at once under overload, before anything of
// what it holds beyond R has been counted.
func newSlidingLog(p plan.Policy, _ *rand.Rand) Law {
	e := p.Credit() - p.Rate/4
	return &slidingLog{rate: p.Rate, burst: p.Burst, credit: credit{left: e, limit: e}}
}

// loggedPeak bounds the peak by a log of the last second, and the rest by a bucket.
type loggedPeak struct {
	bucket
	burst float64
	log   []time.Duration
}

func (l *loggedPeak) Take(now time.Duration) (bool, time.Duration) {
	l.fill(now)
	for len(l.log) > 0 && l.log[0] <= now-time.Second {
		l.log = l.log[1:]
	}
	switch {
	case l.tokens < 1:
		return false, l.wait()
	case float64(len(l.log))+1 > l.burst:
		return false, l.log[0] + time.Second - now
	}
	l.tokens--
	l.log = append(l.log, now)
	return true, 0
}

func newLoggedPeak(p plan.Policy, _ *rand.Rand) Law {
	return &loggedPeak{bucket: newBucket(p.Rate, p.Credit()+p.Rate/4+1), burst: p.Burst}
}

// slidingCounter estimates the last second's requests from two windows: the present one and, in proportion, the one
// before. It admits while the estimate is below the limit.
type slidingCounter struct {
	rate, burst float64
	credit      credit
	window      time.Duration // number of the present window
	now, before float64       // admitted in the present window and in the one before
	gained      time.Duration
}

func (s *slidingCounter) Take(now time.Duration) (bool, time.Duration) {
	s.credit.gain(s.rate * (now - s.gained).Seconds())
	s.gained = now
	switch window := now / time.Second; window - s.window {
	case 0:
	case 1:
		s.window, s.before, s.now = window, s.now, 0
	default:
		s.window, s.before, s.now = window, 0, 0
	}
	into := now - s.window*time.Second
	n := s.now + s.before*(1-into.Seconds())
	if n < s.burst && (s.credit.left >= 1 || n < s.rate) {
		s.credit.left = max(0, s.credit.left-1)
		s.now++
		return true, 0
	}
	return false, time.Second - into
}

func newSlidingCounter(p plan.Policy, _ *rand.Rand) Law {
	return &slidingCounter{rate: p.Rate, burst: p.Burst, credit: fullCredit(p)}
}

// burstTimer allows B for W from the first second that exceeds R, and then R, until nothing was refused for as long as E
// takes at R. It counts time, not tokens.
type burstTimer struct {
	rate, burst  float64
	length, cool time.Duration
	origin       time.Duration
	n            float64
	open         bool
	until, ready time.Duration // when the burst ends, and when it may begin again
}

func (b *burstTimer) Take(now time.Duration) (bool, time.Duration) {
	if !b.open {
		b.open, b.origin = true, now
	}
	if passed := (now - b.origin) / time.Second; passed > 0 {
		b.origin += passed * time.Second
		b.n = 0
	}
	if b.n+1 > b.rate && now >= b.ready {
		b.until, b.ready = now+b.length, now+b.length+b.cool
	}
	if b.n+1 <= b.rate || now < b.until && b.n+1 <= b.burst {
		b.n++
		return true, 0
	}
	b.ready = max(b.ready, now+b.cool)
	return false, b.origin + time.Second - now
}

func newBurstTimer(p plan.Policy, _ *rand.Rand) Law {
	cool := time.Duration(p.Credit() / p.Rate * float64(time.Second))
	return &burstTimer{rate: p.Rate, burst: p.Burst, length: p.Window, cool: cool}
}

// burstSeconds has W seconds of burst to spend: each second that exceeds R costs one, each empty second gives one back.
type burstSeconds struct {
	rate, burst float64
	left, limit float64 // seconds
	origin      time.Duration
	n           float64
	bursting    bool // whether this second is paid for
	open        bool
}

func (b *burstSeconds) Take(now time.Duration) (bool, time.Duration) {
	if !b.open {
		b.open, b.origin = true, now
	}
	for now-b.origin >= time.Second {
		b.left = min(b.limit, b.left+1-min(1, b.n/b.rate))
		b.origin += time.Second
		b.n, b.bursting = 0, false
	}
	switch {
	case b.n+1 <= b.rate: // free
	case !b.bursting && b.left >= 1:
		b.bursting = true
		b.left--
	case !b.bursting || b.n+1 > b.burst:
		return false, b.origin + time.Second - now
	}
	b.n++
	return true, 0
}

func newBurstSeconds(p plan.Policy, _ *rand.Rand) Law {
	return &burstSeconds{rate: p.Rate, burst: p.Burst, left: p.Window.Seconds(), limit: p.Window.Seconds()}
}
