package trace

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ReadRefusal reads what a 429 says about waiting. received is the wall-clock time of its arrival; it matters only for
// an HTTP-date in an answer without a Date header of its own.
func ReadRefusal(h http.Header, body []byte, received time.Time) Refusal {
	var r Refusal
	if fields := h.Values("Retry-After"); len(fields) > 0 {
		r.Fields = uint8(min(len(fields), math.MaxUint8))
		r.Raw = strings.Clone(fields[0][:min(len(fields[0]), RawLimit)])
		r.Header, r.HeaderWait = readHeader(fields[0], dateOf(h, received))
	}
	r.Named = len(h.Values("Retry_after")) > 0

	var members map[string]json.RawMessage
	_ = json.Unmarshal(body, &members) // what is no object has no members
	var name string
	r.NoError = json.Unmarshal(members["error"], &name) != nil || name == ""
	if raw, ok := members["retry_after"]; ok {
		r.Body, r.BodyWait = readMember(raw)
	}
	return r
}

// dateOf is when the answer says that it was made.
func dateOf(h http.Header, received time.Time) time.Time {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		return at
	}
	return received
}

func readHeader(value string, date time.Time) (HeaderForm, time.Duration) {
	value = strings.TrimSpace(value)
	if value != "" && strings.Trim(value, "0123456789") == "" {
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return Malformed, 0
		}
		return Seconds, wait(number)
	}
	if at, err := http.ParseTime(value); err == nil {
		return Date, at.Sub(date)
	}
	if number, err := strconv.ParseFloat(value, 64); err == nil && !math.IsNaN(number) {
		return Fractional, wait(number)
	}
	return Malformed, 0
}

func readMember(raw json.RawMessage) (BodyForm, time.Duration) {
	var number *float64
	if err := json.Unmarshal(raw, &number); err != nil || number == nil {
		return NotANumber, 0
	}
	if w := wait(*number); w != 0 || *number <= 0 {
		return Number, w
	}
	return Number, 1 // less than a nanosecond, and more than nothing
}

// longest is the longest wait that is told apart: some thirty years.
const longest = 1e9

// wait converts seconds without overflow.
func wait(s float64) time.Duration {
	return time.Duration(min(max(s, -longest), longest) * float64(time.Second))
}
