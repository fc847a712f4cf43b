package shard

import (
	"fmt"
	"net/http"
	"time"

	"leadconform/load/internal/trace"
)

// ClockBound is how far the clocks of two workers may differ where what one of them saw is held against what another did.
const ClockBound = 50 * time.Millisecond

// Clock compares this machine's clock with the target's, from the Date headers of its answers (RFC 9110 §6.6.1). A
// header that says D was written between D and D+1 s of the target's clock, and between the sending of the request and the
// arrival of the answer by ours: so each answer bounds the difference from both sides, and some two hundred of them bound
// it to about a round trip. The zero value knows nothing.
type Clock struct {
	low, high time.Duration // of how far the target's clock is ahead
	seen      bool
}

// See takes in an answer that was asked for at sent, or later, and received at received.
func (c *Clock) See(h http.Header, sent, received time.Time) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	low, high := date.Sub(received), date.Add(time.Second).Sub(sent)
	if !c.seen {
		c.low, c.high, c.seen = low, high, true
	}
	c.low, c.high = max(c.low, low), min(c.high, high)
}

// Window is what is known: nil if the answers had no date, or if no clock of one target explains them all.
func (c *Clock) Window() *trace.ClockWindow {
	if !c.seen || c.low > c.high {
		return nil
	}
	return &trace.ClockWindow{Low: c.low, High: c.high}
}

// disagree says how far the clocks of two workers differ at least, if that is more than ClockBound, or that it isn't known.
func disagree(a, b *trace.Shard) string {
	if a.Clock == nil || b.Clock == nil {
		return fmt.Sprintf("the clocks of workers %d and %d can't be compared: the target's answers had no date that all agree with", a.Index, b.Index)
	}
	// Where the windows overlap, one clock explains both.
	apart := max(a.Clock.Low-b.Clock.High, b.Clock.Low-a.Clock.High)
	if apart <= ClockBound {
		return ""
	}
	return fmt.Sprintf("the clocks of workers %d and %d disagree by %v at least: synchronise them (NTP) and run again",
		a.Index, b.Index, apart.Round(time.Millisecond))
}
