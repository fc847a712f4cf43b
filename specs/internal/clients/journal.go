package clients

import (
	"net/http"
	"time"
)

// Journal is all that one scenario saw. Times count from its beginning, by the monotonic clock.
type Journal struct {
	Scenario Scenario
	Speed    float64
	Entries  []*Entry
	Unkept   int // requests beyond maxEntries, which are answered and not kept
	// Calls are those of the client: for the lead, and for the second lead if there was one. None where the client isn't started by us.
	Calls []Ended
	// Mine and Theirs are what an update must leave the lead with: the client's change and the concurrent one. Final is
	// the lead as the API shows it in the end; nil if nobody looked.
	Mine, Theirs, Final map[string]any
	Fault               error         // the scenario could not be played
	Length              time.Duration // from its beginning to its end
}

// About says which lead a request carries.
type About string

// The leads.
const (
	TheLead    About = "the lead"
	SecondLead About = "the second lead"
	NoLead     About = "no lead" // reading, or another path
)

// Phase is the call in which a request arrived.
type Phase int

// The phases. Where the client isn't started by us, all is First.
const (
	First Phase = iota
	Second
)

// Entry is one request and its answer.
type Entry struct {
	About    About
	Phase    Phase
	Arrived  time.Duration // when its head and body were there
	Answered time.Duration // just before the answer was written, so that no wait is ever taken for shorter than it was
	At       time.Time     // Arrived by the wall clock
	Scripted bool          // a step answered it, not the API

	Method string
	Path   string
	Header http.Header
	Body   []byte

	Status       int // 0: the connection was dropped
	AnswerHeader http.Header
	AnswerBody   []byte

	// What a scripted answer asked for: to wait until Until. Wait is what Retry-After said, 0 if it was not there.
	Wait  time.Duration
	Until time.Duration
	Dated bool // it was an HTTP-date
}

// maxEntries bounds the journal of a client that doesn't stop.
const maxEntries = 100

// tries are the requests that carry the lead, in the order of their arrival.
func (j *Journal) tries() []*Entry { return j.with(TheLead) }

func (j *Journal) with(about About) []*Entry {
	var some []*Entry
	for _, e := range j.Entries {
		if e.About == about {
			some = append(some, e)
		}
	}
	return some
}

// roundGap is the shortest silence after which a further request for the same lead begins a new round although the
// client never ended: the longest wait of either recipe is 16 s, with full jitter 32 s, and 25 % of slack on that.
const roundGap = 45 * time.Second

// rounds parts the tries: the first round, and what came after it in a delayed retry. unclear says that with --speed a
// silence was too long for a round and too short to be sure of a new one.
func (j *Journal) rounds() (first, later []*Entry, unclear bool) {
	tries := j.tries()
	for i, e := range tries {
		if i == 0 {
			continue
		}
		silence := e.Arrived - tries[i-1].Answered
		switch {
		case e.Phase != tries[i-1].Phase, silence >= roundGap:
			return tries[:i], tries[i:], unclear
		case silence >= scaled(roundGap, j.Speed):
			unclear = true
		}
	}
	return tries, nil, unclear
}

// unfinished says that it is not known what the client would have done next: the call for the lead had to be ended, or
// the client isn't started by us and has not been silent for as long as parts two rounds.
func (j *Journal) unfinished() bool {
	if len(j.Calls) > 0 {
		return j.Calls[0].cutShort()
	}
	tries := j.tries()
	return j.Length-tries[len(tries)-1].Answered < roundGap
}

// stopped says when what the client does is no longer known.
func (j *Journal) stopped() string {
	switch {
	case len(j.Calls) == 0:
		return "when serving ended"
	case j.Calls[0].Left:
		return "when it ended and the processes that it left were killed"
	}
	return "when its time was up"
}

func scaled(d time.Duration, speed float64) time.Duration { return time.Duration(float64(d) / speed) }
