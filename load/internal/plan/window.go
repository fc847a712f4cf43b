package plan

import "time"

// The phases of the fixed-window experiment (IN-429-03…06). Two paths, which ought to share one count, and two keys,
// which ought not to.
const (
	Ramp       Name = "ramp"        // path 1: an ever higher rate until the first refusal
	FirstPoll  Name = "first-poll"  // path 1: ten a second until the window rolls over
	Exhaust    Name = "exhaust"     // path 1: from the roll-over to the next refusal: counts the ceiling
	OtherPath  Name = "other-path"  // path 2, same key, at once: refused if the count is shared
	OtherKey1  Name = "other-key-1" // path 1, second key, at once: admitted if the count is per key
	OtherKey2  Name = "other-key-2" // path 2, second key
	SecondPoll Name = "second-poll" // path 1: ten a second until the window rolls over again
	Alternate1 Name = "alternate-1" // path 1: every other request until both paths refuse
	Alternate2 Name = "alternate-2" // path 2: the others
)

// FixedWindow is what is known beforehand of a fixed window whose ceiling isn't.
type FixedWindow struct {
	Path1, Path2 string        // endpoints that share the count; Path2 is empty if the target doesn't serve it
	SecondKey    bool          // whether there is a key for StreamSecond
	Window       time.Duration // as the profile states it
	MaxRate      float64       // the most that is offered, requests per second
}

// Figures of the fixed-window experiment.
const (
	rampFrom = 20.0                   // requests per second
	rampStep = 500 * time.Millisecond // after which the rate doubles
	// PollEvery is the distance of two polls: a roll-over is known to so much.
	PollEvery = 100 * time.Millisecond
	// CleanRejects is how many refusals have to precede the first success for a roll-over to count: else the refusals
	// ended by themselves, or the window was about to roll when it was exhausted.
	CleanRejects = 2
	// maxUnclean is how many unclean roll-overs end the experiment: this is no window.
	maxUnclean = 3
	// lull is a silence after the first request of a window that is to be exhausted, if the window holds no more than
	// fewRequests, which the ramp hardly spreads. A log forgets all of them meanwhile, and a window's length later only the
	// one before the lull. There has to be room: a key that stayed refused for roomForLull is let in by a longer window.
	lull        = 400 * time.Millisecond
	fewRequests = 30
	roomForLull = 2 * time.Second
	// otherProbes is how many requests try the other path.
	otherProbes = 3
	// probeGap is the distance of the probes of the other path and key.
	probeGap = 10 * time.Millisecond
	// Patience is how much longer than the stated window a roll-over is waited for.
	Patience = 2 * time.Second
)

// Phases returns the experiment's phases. All are adaptive; which of them are used, the script decides.
func (f FixedWindow) Phases() []Phase {
	phase := func(n Name, path string, s Stream) Phase { return Phase{Name: n, Endpoint: path, Stream: s} }
	return []Phase{
		phase(Ramp, f.Path1, StreamFirst),
		phase(FirstPoll, f.Path1, StreamFirst),
		phase(Exhaust, f.Path1, StreamFirst),
		phase(OtherPath, f.Path2, StreamFirst),
		phase(OtherKey1, f.Path1, StreamSecond),
		phase(OtherKey2, f.Path2, StreamSecond),
		phase(SecondPoll, f.Path1, StreamFirst),
		phase(Alternate1, f.Path1, StreamFirst),
		phase(Alternate2, f.Path2, StreamFirst),
	}
}

// Endpoints returns the experiment's endpoints. Of their policy only the window is known.
func (f FixedWindow) Endpoints() []Endpoint {
	policy := Policy{Window: f.Window}
	endpoints := []Endpoint{{API: "insertion", Name: f.Path1, Policy: policy}}
	if f.Path2 != "" {
		endpoints = append(endpoints, Endpoint{API: "insertion", Name: f.Path2, Policy: policy})
	}
	return endpoints
}

// Duration is how long the experiment takes if the window is as long as stated: two windows, and some three seconds.
func (f FixedWindow) Duration() time.Duration { return 2*f.Window + 3*time.Second }
