// Package wire is what both APIs do with bytes: read a bounded body, parse it strictly, write an answer.
package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Bounds on what a client may send.
const (
	MaxBody  = 1 << 20 // bytes
	MaxDepth = 32      // nested objects and arrays
)

// Answer is what a handler returns; only Write turns it into bytes.
type Answer struct {
	Status int
	Header http.Header // beside Content-Type and Content-Length; nil for none
	Body   any         // written as JSON
}

// written is how every body is written: the same each time, and mended where text is not UTF-8.
var written = json.JoinOptions(json.Deterministic(true), jsontext.AllowInvalidUTF8(true))

// bodies are buffers that answers are written to, used again.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Write sends the answer. An error means that the client has gone. A Body that can't be written as JSON is a mistake in
// the server, found before anything was sent: Write panics, and whoever recovers answers in the API's own envelope. Text
// that is not UTF-8 is mended, never a reason to fail.
func (a Answer) Write(w http.ResponseWriter) error {
	body := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(body)
	body.Reset()
	if err := json.MarshalWrite(body, a.Body, written); err != nil {
		panic(fmt.Errorf("write a %d as JSON: %w", a.Status, err))
	}
	header := w.Header()
	for name, values := range a.Header {
		header[name] = values
	}
	header["Content-Type"] = []string{"application/json"}
	header["Content-Length"] = []string{strconv.Itoa(body.Len())}
	w.WriteHeader(a.Status)
	if _, err := w.Write(body.Bytes()); err != nil {
		return fmt.Errorf("write a %d: %w", a.Status, err)
	}
	return nil
}

// RetryAfter is the header of that name (RFC 9110 §10.2.3), in whole seconds, rounded up.
func RetryAfter(d time.Duration) http.Header {
	seconds := (d + time.Second - 1) / time.Second
	return http.Header{"Retry-After": {strconv.FormatInt(int64(seconds), 10)}}
}

// BodyError says what is wrong with a body, in words that may be shown to the client.
type BodyError struct {
	Code   string // an identifier: body_too_large, body_timeout, malformed_json, not_an_object, duplicate_member, too_deep
	Reason string // a sentence
	Member string // the member concerned, if there is one
}

func (e *BodyError) Error() string { return e.Reason }

// ReadBody reads the whole body, at most MaxBody bytes. It returns a *BodyError if the body is longer, or if the client
// stopped sending.
func ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	limited := http.MaxBytesReader(w, r.Body, MaxBody)
	var buf bytes.Buffer
	if r.ContentLength > 0 { // believed only so far, since a client can name a length and send nothing
		buf.Grow(int(min(r.ContentLength, 64<<10)) + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(limited); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, &BodyError{Code: "body_too_large", Reason: fmt.Sprintf("The body is larger than %d bytes", MaxBody)}
		}
		return nil, &BodyError{Code: "body_timeout", Reason: "The body could not be read to its end"}
	}
	return buf.Bytes(), nil
}

// Member is one member of an object, its value as it was sent.
type Member struct {
	Name  string
	Value jsontext.Value
}

// ParseObject parses a body that must be one JSON object (RFC 8259) in valid UTF-8 without a repeated name, at most
// MaxDepth deep, and returns its members in the order they came. Anything else is a *BodyError.
func ParseObject(body []byte) ([]Member, error) {
	if members, ok := parseObject(body); ok {
		return members, nil
	}
	// Something is wrong with it: the walk below says what comes first.
	if err := checkValue(body); err != nil {
		return nil, err
	}
	return nil, &BodyError{Code: "not_an_object", Reason: "The body must be a JSON object"}
}

// decoders are used again: each has found the room for a lead's names that the next one needs.
var decoders = sync.Pool{New: func() any { return new(jsontext.Decoder) }}

// parseObject reports whether a body is as ParseObject wants it, and returns its members: the decoder refuses what is not
// valid and names that are repeated, at any depth.
func parseObject(body []byte) (members []Member, ok bool) {
	dec := decoders.Get().(*jsontext.Decoder)
	defer decoders.Put(dec)
	// The decoder takes its values from this buffer, so one copy makes all of them the caller's own.
	dec.Reset(bytes.NewBuffer(bytes.Clone(body)))
	if dec.PeekKind() != '{' {
		return nil, false
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, false
	}
	members = make([]Member, 0, 8) // a lead has about so many
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, false
		}
		key := name.String()
		value, err := dec.ReadValue()
		if err != nil || depth(value) >= MaxDepth {
			return nil, false
		}
		members = append(members, Member{Name: key, Value: slices.Clip(value)})
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, false
	}
	_, err := dec.ReadToken()
	return members, errors.Is(err, io.EOF)
}

// depth is how many objects and arrays are nested in a valid value; 0 if it is neither.
func depth(value jsontext.Value) int {
	if kind := value.Kind(); kind != '{' && kind != '[' {
		return 0
	}
	open, deepest := 0, 0
	for inString, i := false, 0; i < len(value); i++ {
		switch c := value[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			open++
			deepest = max(deepest, open)
		case c == '}' || c == ']':
			open--
		}
	}
	return deepest
}

// checkValue walks the whole body once: one value, nothing after it, not too deep, no name twice.
func checkValue(body []byte) error {
	dec := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		_, err := dec.ReadToken()
		if err != nil {
			if errors.Is(err, io.EOF) && dec.InputOffset() > 0 {
				return &BodyError{Code: "malformed_json", Reason: "The body is not valid JSON: it ends too early"}
			}
			return malformed(err)
		}
		if dec.StackDepth() > MaxDepth {
			return &BodyError{Code: "too_deep", Reason: fmt.Sprintf("The body is nested more than %d levels deep", MaxDepth)}
		}
		if dec.StackDepth() == 0 {
			break
		}
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return &BodyError{Code: "malformed_json", Reason: "The body is not valid JSON: something follows the value"}
	}
	return nil
}

func malformed(err error) *BodyError {
	if errors.Is(err, io.EOF) {
		return &BodyError{Code: "malformed_json", Reason: "The body is empty"}
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			name := shortened(syntactic.JSONPointer.LastToken())
			return &BodyError{Code: "duplicate_member", Member: name, Reason: fmt.Sprintf("The member %q appears more than once", name)}
		}
		return &BodyError{Code: "malformed_json", Reason: fmt.Sprintf("The body is not valid JSON at byte %d", syntactic.ByteOffset)}
	}
	return &BodyError{Code: "malformed_json", Reason: "The body is not valid JSON"}
}

// shortened keeps an answer that quotes the client from growing with what the client sends.
func shortened(name string) string {
	const most = 64
	for i := range name {
		if i >= most {
			return name[:i] + "…"
		}
	}
	return name
}
