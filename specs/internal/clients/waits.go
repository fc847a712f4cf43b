package clients

import (
	"fmt"
	"time"
)

// Tolerances on the time between an answer and the next try. What is measured is never shorter than what the client
// waited, since it begins before the answer is written and ends when the next request has been read; so early is early,
// whatever the machine's load.
const (
	// early is how much too soon a try may come: clocks of a millisecond, and timers that round down.
	early = 50 * time.Millisecond
	// late is how much longer than documented a try may take before a note is due, or latePart of the wait if that is
	// more. Nothing is ever failed for being late.
	late     = time.Second
	latePart = 0.25
)

// wait is the time between an answer and the next try.
type wait struct {
	from, to *Entry
	attempt  int           // 0 for the first wait
	took     time.Duration // from the answer to the next request
	least    time.Duration // as documented
	most     time.Duration // as documented, jitter allowed for
	what     string        // that is waited for
}

// waits are the waits of a round. Where an answer says how long to wait, that counts; elsewhere 2^attempt seconds, which
// --speed divides, and up to twice as much for jitter.
func (j *Journal) waits(round []*Entry) []wait {
	var all []wait
	for i := 1; i < len(round); i++ {
		w := wait{from: round[i-1], to: round[i], attempt: i - 1, took: round[i].Arrived - round[i-1].Answered}
		backoff := scaled(time.Second<<w.attempt, j.Speed)
		w.least, w.most = backoff, 2*backoff
		w.what = fmt.Sprintf("2^%d s", w.attempt)
		if j.Speed != 1 {
			w.what += fmt.Sprintf(" / %v", j.Speed)
		}
		if w.from.Wait > 0 {
			w.least, w.most, w.what = w.from.Wait, w.from.Wait, fmt.Sprintf("Retry-After: %s", w.from.AnswerHeader.Get("Retry-After"))
			if w.from.Dated { // a moment, whenever the answer came
				w.least = w.from.Until - w.from.Answered
				w.most = w.least
			}
			if w.attempt > 0 {
				w.most = max(w.most, backoff)
			}
		}
		all = append(all, w)
	}
	return all
}

// tooEarly says that the try came sooner than documented.
func (w wait) tooEarly() bool { return w.took < w.least-early }

// tooLate says that the try came later than documented.
func (w wait) tooLate() bool {
	return w.took > w.most+max(late, time.Duration(latePart*float64(w.most)))
}

func (w wait) String() string {
	return fmt.Sprintf("try %d came %.3f s after %s, where %s means %.3f s", w.attempt+2, w.took.Seconds(), w.from.status(), w.what, w.least.Seconds())
}

// check looks at the waits of a round that a row is about: a try that came early fails, one that came late is noted.
func (j *Journal) check(round []*Entry, about func(wait) bool, expected string) (f finding, judged int) {
	f = passed(round)
	for _, w := range j.waits(round) {
		if !about(w) {
			continue
		}
		judged++
		switch {
		case w.tooEarly():
			return failed(round[:w.attempt+2], expected, "%v", w), judged
		case w.tooLate():
			f = f.noting("longer than documented: %v", w)
		}
	}
	return f, judged
}
