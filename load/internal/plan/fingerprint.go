package plan

import (
	"math"
	"time"
)

// The phases of a fingerprint.
const (
	Search   Name = "search"   // an ever higher rate until the first refusal, where nothing is known of the limit
	Overload Name = "overload" // a constant rate far above it, from rest until long after exhaustion
	Windows  Name = "windows"  // of a key that stays refused: polls until it gets in again, then the overload's rate; twice
)

// Fingerprint describes a run of constant overload, from which a limiter's kind and figures are estimated. The zero
// Load means that nothing is known of the limit: it is searched for first.
//
// A key that nothing lets in for QuietFor has met a long window, of three seconds or more: a shorter one may roll over before
// that shows. The overload ends there, and the key is polled until it gets in again, twice: from one roll-over to the next is
// the window's length, and what gets in between is its ceiling.
type Fingerprint struct {
	Endpoint string
	Load     float64       // offered, requests per second; about twice the burst rate
	MaxRate  float64       // the most that may be offered
	Rest     time.Duration // between the search and the overload
	Length   time.Duration // of the overload: the burst window and nine seconds
	Longest  time.Duration // how long a refused key is polled, at most; 0 means FingerprintLongest
}

// Defaults of a Fingerprint where nothing is known.
const (
	FingerprintRest    = 30 * time.Second
	FingerprintLength  = 30 * time.Second
	FingerprintLongest = 2 * time.Minute
)

// Figures of the part on long windows.
const (
	// QuietFor is how long nothing gets in until a key counts as staying refused. What counts in seconds is silent for
	// less than one.
	QuietFor = 1250 * time.Millisecond
	// windowPoll is the distance of two polls: a roll-over is known to so much.
	windowPoll = 20 * time.Millisecond
	// Pause interrupts the first window that is counted, after about a quarter of what it holds. A fixed window lets
	// the next one in at once all the same; a log forgets requests as they came, and shows the pause again. It is shorter
	// than QuietFor, so the window can't end meanwhile.
	Pause = 500 * time.Millisecond
)

// Known is the fingerprint of an endpoint whose policy is known, roughly.
func Known(endpoint string, p Policy) Fingerprint {
	return Fingerprint{Endpoint: endpoint, Load: Odd(2 * p.Burst), Length: p.Window + 9*time.Second}
}

// Odd makes a rate miss the whole second by half a request. A log that forgets a request after a second admits the next
// one that comes, and drifts by the time until it comes; a fixed window doesn't. At a whole number of requests per second
// the next one would come at once, and the two would look the same.
func Odd(rate float64) float64 { return math.Round(rate) + 0.5 }

// Phases returns the three phases; which of them are used, the script decides.
func (f Fingerprint) Phases() []Phase {
	return []Phase{
		{Name: Search, Endpoint: f.Endpoint, Stream: StreamA},
		{Name: Overload, Endpoint: f.Endpoint, Stream: StreamA},
		{Name: Windows, Endpoint: f.Endpoint, Stream: StreamA},
	}
}

// FingerprintScript is the Script of a fingerprint.
type FingerprintScript struct {
	config Fingerprint
	offset int // index in the plan of Search; Overload and Windows follow
	step   func(now time.Duration) Move
	rate   float64

	// Of the present step.
	began time.Duration
	next  time.Duration // when its next request is due
	sent  int

	// What was seen.
	refused bool
	success time.Duration // when the last success arrived, or the overload began
	entered bool          // a success arrived since the key was last waited for
	quiet   bool          // nothing got in for QuietFor
	phases  [3]int        // admitted in each phase
	rolls   int           // how often the key got in again
}

// NewFingerprintScript returns the script; offset is the index in the plan of the first of f.Phases.
func NewFingerprintScript(f Fingerprint, offset int) *FingerprintScript {
	if f.Longest == 0 {
		f.Longest = FingerprintLongest
	}
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
	switch a.Outcome {
	case Admitted:
		s.success = max(s.success, a.Received)
		s.entered, s.quiet = true, false
		s.phases[a.Phase-s.offset]++
	case Limited:
		s.quiet = s.quiet || a.Received-s.success >= QuietFor
	}
}

// enter begins a step at the given time.
func (s *FingerprintScript) enter(at time.Duration, step func(time.Duration) Move) {
	s.step = step
	s.began, s.next, s.sent = at, at, 0
}

// send returns the next request of the present step, at the given rate.
func (s *FingerprintScript) send(name int, rate float64) Move {
	at := s.next
	s.next += seconds(1 / rate)
	s.sent++
	return Move{Kind: Send, At: at, Phase: s.offset + name}
}

// The phases as the script counts them.
const (
	inSearch = iota
	inOverload
	inWindows
)

func (s *FingerprintScript) begin(now time.Duration) Move {
	s.success = now
	if s.config.Load > 0 {
		s.enter(now, s.overload)
	} else {
		s.enter(now, s.search)
	}
	return s.step(now)
}

// search doubles the rate every half second until the first refusal, or half a second after it came to the most that may
// be offered. What is found is a rate above some limit; twice as much is well above it.
func (s *FingerprintScript) search(time.Duration) Move {
	elapsed := (s.next - s.began).Seconds()
	rate := rampFrom * math.Exp2(math.Floor(elapsed/rampStep.Seconds()))
	if s.refused || rate > 2*s.config.MaxRate {
		s.rate = Odd(min(2*rate, s.config.MaxRate-1))
		s.step = s.searched
		return Move{Kind: Drain}
	}
	return s.send(inSearch, min(rate, s.config.MaxRate))
}

// searched lets the key rest if it was refused. Otherwise it isn't exhausted, and the overload follows at once: a log of a
// long window would show two bunches that a rest parts, as if there were two windows.
func (s *FingerprintScript) searched(now time.Duration) Move {
	from := now
	if s.refused {
		from += s.config.Rest
	}
	s.success, s.quiet = from, false
	s.enter(from, s.overload)
	return s.overload(now)
}

func (s *FingerprintScript) overload(now time.Duration) Move {
	switch {
	case s.quiet:
		return s.awaitFrom(now)
	case s.next-s.began >= s.config.Length:
		return Move{Kind: Done}
	}
	return s.send(inOverload, s.rate)
}

func (s *FingerprintScript) awaitFrom(now time.Duration) Move {
	s.entered = false
	s.enter(now+windowPoll, s.await)
	return s.await(now)
}

// await polls until a request gets in.
func (s *FingerprintScript) await(now time.Duration) Move {
	switch {
	case s.entered:
		s.rolls++
		s.enter(now+seconds(1/s.rate), s.count) // a poll may have been sent just now
		return s.count(now)
	case s.next-s.success > s.config.Longest:
		return Move{Kind: Done}
	}
	return s.send(inWindows, 1/windowPoll.Seconds())
}

// count overloads the key until nothing gets in any more. Where that doesn't happen, the limiter has settled.
func (s *FingerprintScript) count(now time.Duration) Move {
	switch {
	case s.quiet && s.rolls == 2:
		return Move{Kind: Done}
	case s.quiet:
		return s.awaitFrom(now)
	case s.next-s.began > s.config.Length*3/2:
		return Move{Kind: Done}
	}
	move := s.send(inWindows, s.rate)
	if held := max(s.phases[inSearch], s.phases[inOverload]); s.rolls == 1 && s.sent == held/4+1 {
		s.next += Pause
	}
	return move
}
