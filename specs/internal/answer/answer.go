// Package answer is what a target said, and the words in which specs speak of it. The matchers report every difference
// they find, not only the first.
package answer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"leadconform/fixtures/target"
)

// Answer is a target's answer to one request.
type Answer struct {
	Exchange *target.Exchange
	Status   int
	Header   http.Header
	Body     []byte

	value any   // the body as JSON: map[string]any, []any, string, json.Number, bool or nil
	fault error // why there is no value
}

// New returns the answer of an exchange that has one.
func New(x *target.Exchange) *Answer {
	a := &Answer{Exchange: x, Status: x.Response.Status, Header: x.Response.Header, Body: x.Response.Body}
	a.value, a.fault = parse(a.Body, x.Response.Truncated)
	return a
}

func parse(body []byte, truncated bool) (any, error) {
	switch {
	case truncated:
		return nil, fmt.Errorf("the body is longer than %d bytes", target.MaxResponse)
	case len(body) == 0:
		return nil, fmt.Errorf("the body is empty")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("the body is not JSON: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("the body is not JSON: something follows the value")
	}
	return value, nil
}

// IsJSON reports whether the body is a JSON value, whatever its label says.
func (a *Answer) IsJSON() bool { return a.fault == nil }

// Object returns the body as a JSON object. The error says what it is instead.
func (a *Answer) Object() (map[string]any, error) {
	if a.fault != nil {
		return nil, a.fault
	}
	object, ok := a.value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the body is %s, no JSON object", Describe(a.value))
	}
	return object, nil
}

// Member returns the value at a path of member names below the body's object, and whether it is there.
func (a *Answer) Member(path ...string) (any, bool) {
	value := a.value
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = object[name]; !ok {
			return nil, false
		}
	}
	return value, a.fault == nil
}

// Text returns the member at a path if it is a string, else "".
func (a *Answer) Text(path ...string) string {
	value, _ := a.Member(path...)
	text, _ := value.(string)
	return text
}

// Success reports whether the status is a 2xx.
func (a *Answer) Success() bool { return a.Status/100 == 2 }

// LabelledJSON reports whether Content-Type says application/json, with or without parameters.
func (a *Answer) LabelledJSON() bool {
	media, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	return err == nil && media == "application/json"
}

// String is the status and the beginning of the body, on one line.
func (a *Answer) String() string {
	const most = 300
	body := strings.Join(strings.Fields(string(a.Body)), " ")
	if len(body) > most {
		body = body[:most] + "…"
	}
	if body == "" {
		body = "(empty body)"
	}
	return fmt.Sprintf("%d %s", a.Status, body)
}

// Describe names a JSON value for a person: "the string \"x\"", "an object".
func Describe(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("the string %q", v)
	case json.Number:
		return "the number " + v.String()
	case bool:
		return fmt.Sprintf("the boolean %t", v)
	case []any:
		return fmt.Sprintf("an array of %d", len(v))
	case map[string]any:
		return "an object"
	}
	return fmt.Sprintf("%v", value)
}
