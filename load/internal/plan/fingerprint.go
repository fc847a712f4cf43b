package plan

import (
	"math"
	"time"
)

// The phases of a fingerprint.
const (
	Search   Name = "search"   // an ever higher rate until the first refusal, where nothing is known of the limit
	Overload Name = "overload" // a constant rate far above it, from rest until long after exhaustion
)

// Fingerprint describes a run of constant overload, from which a limiter's kind and figures are estimated. The zero
// Load means that nothing is known of the limit: it is searched for first.
type Fingerprint struct {
	Endpoint string
	Load     float64       // offered, requests per second; about twice the burst rate
	MaxRate  float64       // the most that may be offered
	Rest     time.Duration // between the search and the overload
	Length   time.Duration // of the overload: the burst window and nine seconds
}

// Defaults of a Fingerprint where nothing is known.
const (
	FingerprintRest   = 30 * time.Second
	FingerprintLength = 30 * time.Second
)

// Known is the fingerprint of an endpoint whose policy is known, roughly.
func Known(endpoint string, p Policy) Fingerprint {
	return Fingerprint{Endpoint: endpoint, Load: Odd(2 * p.Burst), Length: p.Window + 9*time.Second}
}

// Odd makes a rate miss the whole second by half a request. A log that forgets a request after a second admits the next
// one that comes, and drifts by the time until it comes; a fixed window doesn't. At a whole number of requests per second
// the next one would come at once, and the two would look the same.
func Odd(rate float64) float64 { return math.Round(rate) + 0.5 }

// Phases returns the two phases; which of them are used, the script decides.
func (f Fingerprint) Phases() []Phase {
	return []Phase{
		{Name: Search, Endpoint: f.Endpoint, Stream: StreamA},
		{Name: Overload, Endpoint: f.Endpoint, Stream: StreamA},
	}
}

// FingerprintScript is the Script of a fingerprint.
type FingerprintScript struct {
	config  Fingerprint
	offset  int // index in the plan of Search; Overload follows
	step    func(now time.Duration) Move
	began   time.Duration
	next    time.Duration
	rate    float64
	refused bool
}

// NewFingerprintScript returns the script; offset is the index in the plan of the first of f.Phases.
func NewFingerprintScript(f Fingerprint, offset int) *FingerprintScript {
	s := &FingerprintScript{config: f, offset: offset, rate: f.Load}
	s.step = s.begin
	return s
}

// Load is the rate of the overload, requests per second; 0 as long as it isn't known.
func (s *FingerprintScript) Load() float64 { return s.rate }

// Next returns the next move.
func (s *FingerprintScript) Next(now time.Duration) Move { return s.step(now) }

// heldBack is how long an answer may take before the search takes it for a refusal: a limiter may hold requests back
// instead, and the queue that it builds must not grow long.
const heldBack = time.Second

// Observe takes in an answer.
func (s *FingerprintScript) Observe(a Answer) {
	s.refused = s.refused || a.Outcome == Limited || a.Received-a.Sent > heldBack
}

func (s *FingerprintScript) begin(now time.Duration) Move {
	s.began, s.next = now, now
	s.step = s.search
	if s.config.Load > 0 {
		s.step = s.overload
	}
	return s.step(now)
}

// search doubles the rate every half second until the first refusal, or half a second after it came to the most that may
// be offered. What is found is a rate above some limit; twice as much is well above it.
func (s *FingerprintScript) search(time.Duration) Move {
	elapsed := (s.next - s.began).Seconds()
	rate := rampFrom * math.Exp2(math.Floor(elapsed/rampStep.Seconds()))
	if s.refused || rate > 2*s.config.MaxRate {
		s.rate = Odd(min(2*rate, s.config.MaxRate))
		s.step = func(now time.Duration) Move {
			s.began = now + s.config.Rest
			s.next = s.began
			s.step = s.overload
			return s.overload(now)
		}
		return Move{Kind: Drain}
	}
	at := s.next
	s.next += seconds(1 / min(rate, s.config.MaxRate))
	return Move{Kind: Send, At: at, Phase: s.offset}
}

func (s *FingerprintScript) overload(time.Duration) Move {
	if s.next-s.began >= s.config.Length {
		return Move{Kind: Done}
	}
	at := s.next
	s.next += seconds(1 / s.rate)
	return Move{Kind: Send, At: at, Phase: s.offset + 1}
}
