package clients

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// merges checks that after a 409 comes a GET, and then a PATCH that keeps the concurrent change (CL-IN-10).
func merges(j *Journal) finding {
	const expected = "a GET, then a PATCH with the client's change and the concurrent one"
	if why := j.nothing(); why != "" {
		return unassessed("%s", why)
	}
	met := slices.IndexFunc(j.Entries, func(e *Entry) bool { return e.About == TheLead && e.Status == http.StatusConflict })
	if met < 0 {
		return unassessed("no PATCH met the conflict: the first was answered with %s", j.tries()[0].status())
	}
	shown := []*Entry{j.Entries[met]}
	var read, patched *Entry
	for _, e := range j.Entries[met+1:] {
		if e.About == SecondLead || e.Phase == Second {
			continue
		}
		if e.Method == http.MethodGet && e.Status == http.StatusOK && patched == nil {
			read = e
		}
		if e.About == TheLead && patched == nil {
			patched = e
		}
		if len(shown) < maxTries {
			shown = append(shown, e)
		}
	}
	switch {
	case patched == nil && j.unfinished():
		return unassessed("no second PATCH had come %s", j.stopped())
	case patched == nil:
		return failed(shown, expected, "after the 409 the client never patched again")
	case read == nil:
		return failed(shown, expected, "it patched again without reading the lead")
	case j.Final == nil:
		return unassessed("nobody looked at what became of the lead")
	}
	if lost := missing(j.Theirs, j.Final); lost != "" {
		return failed(shown, expected, "the concurrent change is lost: %s", lost)
	}
	if lost := missing(j.Mine, j.Final); lost != "" {
		return failed(shown, expected, "the client's own change is not there: %s", lost)
	}
	return passed(shown)
}

// missing names the first member of want, however deep, that have doesn't hold with the same value; "" if there is none.
func missing(want, have map[string]any) string {
	names := make([]string, 0, len(want))
	for name := range want {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		inner, isObject := want[name].(map[string]any)
		within, both := have[name].(map[string]any)
		if isObject && both {
			if lost := missing(inner, within); lost != "" {
				return name + "." + lost
			}
			continue
		}
		if !reflect.DeepEqual(plain(want[name]), plain(have[name])) {
			return strings.TrimSpace(fmt.Sprintf("%s is %v, want %v", name, have[name], want[name]))
		}
	}
	return ""
}

// plain is a value as JSON has it, so that 7 is 7 whatever it was read from.
func plain(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		return value
	}
	var v any
	_ = json.Unmarshal(text, &v) // it was written a moment ago
	return v
}
