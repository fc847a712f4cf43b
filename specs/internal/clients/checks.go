package clients

import (
	"net/http"

	"leadconform/specs/internal/spec"
)

// maxTries is how many requests a lead may take in one round: the first and five retries.
const maxTries = 6

// onceOnly checks that the lead was sent once (CL-LD-01 to 05, CL-IN-01 to 05).
func onceOnly(j *Journal) finding {
	if why := j.nothing(); why != "" {
		return unassessed("%s", why)
	}
	tries := j.tries()
	if len(tries) > 1 {
		return failed(tries[:2], "exactly one request for the lead", "%d requests came; the second %.3f s after %s",
			len(tries)+j.Unkept, (tries[1].Arrived - tries[0].Answered).Seconds(), tries[0].status())
	}
	if j.unfinished() {
		return unassessed("the client was not done %s: whether it would have tried again is not known", j.stopped())
	}
	if why := j.controlled(); why != "" {
		return unassessed("%s", why)
	}
	return passed(append(tries, j.with(SecondLead)...))
}

// takenAsSuccess checks that the lead was sent once, and that the API had accepted it (CL-LD-10).
func takenAsSuccess(j *Journal) finding {
	if why := j.nothing(); why != "" {
		return unassessed("%s", why)
	}
	first := j.tries()[0]
	if first.Status != http.StatusCreated && first.Status != http.StatusOK {
		return unassessed("the API did not accept the lead: %s %s", first.status(), brief(first.AnswerBody))
	}
	return onceOnly(j)
}

// waitsAsAsked checks that a next try comes, and not before the time that an answer has named (CL-LD-06, CL-LD-12,
// CL-IN-06).
func waitsAsAsked(j *Journal) finding {
	const expected = "another try, and not before the time that Retry-After names"
	if why := j.nothing(); why != "" {
		return unassessed("%s", why)
	}
	round, later, _ := j.rounds()
	f, judged := j.check(round, func(w wait) bool { return w.from.Wait > 0 }, expected)
	switch {
	case judged > 0:
		return f.gaveUp(j, round)
	case j.unfinished():
		return unassessed("the client had not tried again %s, after %s", j.stopped(), round[0].status())
	}
	switch why := j.controlled(); {
	case round[0].Wait == 0:
		return unassessed("there is no wait to judge: the first request was answered with %s", round[0].status())
	case len(later) > 0:
		return unassessed("there is no wait to judge: after %s the client sent the lead again when it was called the next time, and not before", round[0].status())
	case len(j.Calls) == 0:
		return unassessed("after %s the lead had not come again when serving ended", round[0].status())
	case why != "":
		return unassessed("%s", why)
	}
	return failed(round, expected, "after %s the client ended without another try, and the next call sent the second lead alone", round[0].status())
}

// backsOff checks that an answer which names no wait is followed by a try, after 1, 2, 4 and 8 s (CL-LD-07, CL-LD-09,
// CL-IN-07, CL-IN-08). Waits that an answer does name are noted alone.
func backsOff(j *Journal) finding {
	const expected = "tries after 1, 2, 4, 8 s and so on, or up to twice that with jitter"
	if why := j.nothing(); why != "" {
		return unassessed("%s", why)
	}
	round, _, _ := j.rounds()
	switch {
	case len(round) > 1:
	case j.unfinished():
		return unassessed("the client had not tried again %s, after %s", j.stopped(), round[0].status())
	case round[0].Wait > 0:
		return passed(round).noting("after %s with Retry-After the client never tried again", round[0].status())
	default:
		return failed(round, expected, "after %s the client never tried again", round[0].status())
	}
	f, _ := j.check(round, func(w wait) bool { return w.from.Scripted && w.from.Wait == 0 }, expected)
	if f.result == spec.Failed {
		return f
	}
	for _, w := range j.waits(round) {
		if w.from.Wait > 0 && w.tooEarly() {
			f = f.noting("not judged: %v", w)
		}
	}
	return f.gaveUp(j, round)
}

// gaveUp notes that the client stopped earlier than it had to.
func (f finding) gaveUp(j *Journal, round []*Entry) finding {
	if last := round[len(round)-1]; f.result == spec.Passed && last.Scripted && len(round) < maxTries && !j.unfinished() {
		return f.noting("the client gave up after %d requests, the last answered with %s", len(round), last.status())
	}
	return f
}

// stops checks that a round ends after at most six requests (CL-LD-08).
func stops(j *Journal) finding {
	if why := j.nothing(); why != "" {
		return unassessed("%s", why)
	}
	round, _, unclear := j.rounds()
	switch {
	case len(round) > maxTries && !unclear:
		return failed(round[:maxTries+1], "at most six requests for one lead in one round", "a seventh request came, %.3f s after the first; %d in all",
			(round[maxTries].Arrived - round[0].Arrived).Seconds(), len(round)+j.Unkept)
	case len(round) > maxTries:
		return unassessed("under --speed a delayed retry that a client makes by itself can't be told from a late try: run without it")
	case len(round) == 1:
		return unassessed("the control failed: after %s there was no retry", round[0].status())
	case j.unfinished():
		return unassessed("the client was still at it %s, after %d requests", j.stopped(), len(round))
	}
	f := passed(round)
	if len(round) == maxTries {
		f = f.noting("six requests: the most that the documents' words allow")
	}
	return f
}

// backsOffAndStops checks both on one scenario (CL-IN-08).
func backsOffAndStops(j *Journal) finding {
	f, s := backsOff(j), stops(j)
	if s.result == spec.Failed || (s.result == spec.NotAssessed && f.result == spec.Passed) {
		return s
	}
	return f
}

// backsOffAndMustStop is the same, where stopping is MUST whatever the row's level (CL-IN-07).
func backsOffAndMustStop(j *Journal) finding {
	f := backsOffAndStops(j)
	f.must = f.result == spec.Failed && stops(j).result == spec.Failed
	return f
}

// turnsUpAgain checks that a lead which was given up on is sent again in a later round, unchanged (CL-LD-11).
func turnsUpAgain(j *Journal) finding {
	const expected = "the lead again, unchanged, after the round has ended: in a later call, or much later in the same one"
	if why := j.nothing(); why != "" {
		return unassessed("%s", why)
	}
	round, later, unclear := j.rounds()
	switch {
	case len(later) > 0 && !sameJSON(round[0].Body, later[0].Body):
		return failed([]*Entry{round[0], later[0]}, expected, "it came again with another payload")
	case len(later) > 0:
		return passed([]*Entry{round[len(round)-1], later[0]})
	case unclear:
		return unassessed("under --speed a delayed retry that a client makes by itself can't be told from a late try: run without it")
	case round[len(round)-1].Status/100 == 2:
		return unassessed("the client never gave up: after %d requests the lead was accepted", len(round))
	case j.unfinished():
		return unassessed("the client had not given up %s, after %d requests", j.stopped(), len(round))
	case len(j.Calls) == 0:
		return unassessed("the lead had not come again when serving ended")
	}
	if why := j.controlled(); why != "" {
		return unassessed("%s", why)
	}
	return failed(round, expected, "after %d requests the client ended, and the next call sent the second lead alone", len(round))
}
