package clients

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"leadconform/fixtures/target"
)

// staleAfter is how far a retry's time stamp may stay behind the time that has passed since the first try: a second by
// which stamps are cut to whole seconds, and what lies between signing and arriving. A difference of clocks has no part
// in it.
const staleAfter = 2500 * time.Millisecond

// sameLead checks that every retry of a POST is the same lead, freshly signed (CL-IN-09).
func sameLead(journals []*Journal, p *target.Profile) finding {
	var shown []*Entry
	var reasons []string
	for _, j := range journals {
		if why := j.nothing(); why != "" {
			reasons = append(reasons, "scenario "+j.Scenario.Name+": "+why)
			continue
		}
		round, _, _ := j.rounds()
		for i, e := range round[1:] {
			if fault := retryFault(p, round[0], e); fault != "" {
				return failed(round[:i+2], "the same tuple and payload, signed at its own time", "try %d %s", i+2, fault).of(j)
			}
		}
		if len(round) > 1 {
			shown = append(shown, round...)
			continue
		}
		reasons = append(reasons, fmt.Sprintf("scenario %s: after %s there was no retry", j.Scenario.Name, round[0].status()))
	}
	if len(shown) == 0 {
		return unassessed("the control failed: %s", strings.Join(reasons, "; "))
	}
	f := passed(shown)
	for _, reason := range reasons {
		f = f.noting("%s", reason)
	}
	return f
}

// retryFault says what is wrong with a retry; "" if nothing is.
func retryFault(p *target.Profile, first, e *Entry) string {
	if e.Method != first.Method || e.Path != first.Path {
		return fmt.Sprintf("went to %s %s, the first to %s %s", e.Method, e.Path, first.Method, first.Path)
	}
	for _, name := range []string{"campaign_id", "external_lead_id"} {
		if was, is := member(first.Body, name), member(e.Body, name); !reflect.DeepEqual(was, is) {
			return fmt.Sprintf("has %s %v, the first had %v", name, is, was)
		}
	}
	if !sameJSON(first.Body, e.Body) {
		return "has another payload"
	}
	return signatureFault(p, first, e)
}

func signatureFault(p *target.Profile, first, e *Entry) string {
	names := p.Insertion.Headers
	if strings.HasPrefix(e.Header.Get("Authorization"), "Bearer ") && e.Header.Get(names.Signature) == "" {
		return "" // nothing to sign
	}
	key := p.Insertion.Credentials["primary"]
	stamp := e.Header.Get(names.Timestamp)
	if e.Header.Get(names.Signature) != target.SignText(key.Secret, stamp, e.Body) {
		return "has a signature that isn't right for its time stamp and body"
	}
	then, err := strconv.ParseInt(first.Header.Get(names.Timestamp), 10, 64)
	now, err2 := strconv.ParseInt(stamp, 10, 64)
	if err != nil || err2 != nil {
		return "" // the first was wrong already: that is not this row's subject
	}
	passed := e.Arrived - first.Arrived
	if behind := passed - time.Duration(now-then)*time.Second; behind > staleAfter {
		return fmt.Sprintf("came %.3f s after the first, but its time stamp is only %d s later: it was not signed anew", passed.Seconds(), now-then)
	}
	return ""
}

func member(body []byte, name string) any {
	var members map[string]any
	_ = json.Unmarshal(body, &members) // no object has no member
	return members[name]
}

// sameJSON compares values, not texts.
func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
