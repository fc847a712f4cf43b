package insertion

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// Check returns what is wrong with a value, in a few words each and without a comma, or nothing. The value is valid
// JSON in valid UTF-8.
type Check func(value jsontext.Value) []string

// textCheck returns what is wrong with a string, or "".
type textCheck func(text string) string

// line checks a string of one line: no control characters, and whatever else is asked.
func line(checks ...textCheck) Check {
	return text(func(r rune) bool { return !unicode.IsControl(r) }, checks)
}

// prose checks a string that may have several lines and tabs.
func prose(checks ...textCheck) Check { return text(printable, checks) }

func text(allowed func(rune) bool, checks []textCheck) Check {
	return func(value jsontext.Value) []string {
		if value.Kind() != '"' {
			return []string{"must be a string"}
		}
		s := unquote(value)
		var problems []string
		if !allAllowed(s, allowed) {
			problems = append(problems, "must not hold control characters")
		}
		for _, check := range checks {
			if problem := check(s); problem != "" {
				problems = append(problems, problem)
			}
		}
		return problems
	}
}

// unquote is the text of a JSON string.
func unquote(value jsontext.Value) string {
	s, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return string(value)
	}
	return string(s)
}

// printable refuses control characters other than those that make lines and columns. NUL is among the refused: not
// every store could keep it.
func printable(r rune) bool { return !unicode.IsControl(r) || r == '\n' || r == '\r' || r == '\t' }

func allAllowed(s string, allowed func(rune) bool) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !allowed(r) }) < 0
}

// between bounds the length in characters, both ends included.
func between(least, most int) textCheck {
	return func(s string) string {
		switch n := utf8.RuneCountInString(s); {
		case n < least:
			return fmt.Sprintf("must have at least %d characters", least)
		case n > most:
			return fmt.Sprintf("must have at most %d characters", most)
		default:
			return ""
		}
	}
}

// positiveInteger takes a number without a fraction, however it is spelled: 123.0 and 1.23e2 are the integer 123.
func positiveInteger(value jsontext.Value) []string {
	if _, ok := integerOf(value); !ok {
		return []string{"must be a positive integer"}
	}
	return nil
}

// integerOf is the integer that a JSON number stands for, if it is one between 1 and the largest int64.
func integerOf(value jsontext.Value) (int64, bool) {
	if value.Kind() != '0' {
		return 0, false
	}
	canonical, err := canonicalNumber(string(value))
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(canonical, 10, 64)
	return n, err == nil && n > 0
}

func uuidText(s string) string {
	if !isUUID(s) {
		return "must be a UUID"
	}
	return ""
}

// isUUID accepts the common form of 36 characters in any letter case, and of any version.
func isUUID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }

// emailPattern is deliberately loose: one @, a dot in the domain, no blanks. Whether the address exists, only a
// message to it can tell.
var emailPattern = regexp.MustCompile(`^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$`)

func emailAddress(s string) string {
	if !emailPattern.MatchString(s) {
		return "must be an email address"
	}
	return ""
}

func webURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "must be an http or https URL"
	}
	return ""
}

func ipAddress(s string) string {
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" {
		return "must be an IP address"
	}
	return ""
}

// iso8601Pattern is a date, or a date and a time with or without seconds, a fraction and an offset from UTC.
var iso8601Pattern = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(:\d{2}(?:[.,]\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$`)

func iso8601(s string) string {
	const problem = "must be an ISO 8601 date and time"
	part := iso8601Pattern.FindStringSubmatch(s)
	if part == nil {
		return problem
	}
	date, minute, second, offset := part[1], part[2], part[3], part[4]
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return problem
	}
	if minute == "" {
		return ""
	}
	if second == "" {
		second = ":00"
	}
	if _, err := time.Parse(time.TimeOnly, minute+second); err != nil {
		return problem
	}
	if len(offset) > 1 {
		if _, err := time.Parse("1504", strings.ReplaceAll(offset[1:], ":", "")); err != nil {
			return problem
		}
	}
	return ""
}

func boolean(value jsontext.Value) []string {
	if kind := value.Kind(); kind != 't' && kind != 'f' {
		return []string{"must be a boolean"}
	}
	return nil
}

// object takes any object whose strings and names hold no control characters and whose numbers can be compared.
func object(value jsontext.Value) []string {
	if value.Kind() != '{' {
		return []string{"must be an object"}
	}
	var controls, numbers bool
	dec := jsontext.NewDecoder(bytes.NewReader(value))
	for {
		token, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return []string{"must be an object"}
		}
		switch token.Kind() {
		case '"':
			controls = controls || !allAllowed(token.String(), printable)
		case '0':
			_, err := canonicalNumber(token.String())
			numbers = numbers || err != nil
		}
	}
	var problems []string
	if controls {
		problems = append(problems, "must not hold control characters")
	}
	if numbers {
		problems = append(problems, "must not hold a number with an exponent of more than 15 digits")
	}
	return problems
}

func uuidArray(value jsontext.Value) []string {
	problem := []string{"must be an array of UUIDs"}
	if value.Kind() != '[' {
		return problem
	}
	dec := jsontext.NewDecoder(bytes.NewReader(value))
	if _, err := dec.ReadToken(); err != nil {
		return problem
	}
	for dec.PeekKind() != ']' {
		token, err := dec.ReadToken()
		if err != nil || token.Kind() != '"' || !isUUID(token.String()) {
			return problem
		}
	}
	return nil
}
