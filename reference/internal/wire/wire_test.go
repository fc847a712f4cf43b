package wire_test

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"leadconform/reference/internal/wire"
)

func TestWrite(t *testing.T) {
	w := httptest.NewRecorder()
	answer := wire.Answer{Status: 429, Header: wire.RetryAfter(3 * time.Second), Body: map[string]any{"b": 1, "a": "x", "c": []int(nil)}}
	if err := answer.Write(w); err != nil {
		t.Fatal(err)
	}
	const want = `{"a":"x","b":1,"c":[]}`
	if w.Code != 429 || w.Body.String() != want {
		t.Errorf("%d %s, expected 429 %s", w.Code, w.Body, want)
	}
	for name, want := range map[string]string{"Retry-After": "3", "Content-Type": "application/json", "Content-Length": strconv.Itoa(len(want))} {
		if got := w.Header().Values(name); !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %q, expected %q once", name, got, want)
		}
	}
}

func TestWriteMendsText(t *testing.T) {
	w := httptest.NewRecorder()
	if err := (wire.Answer{Status: 404, Body: map[string]string{"message": "no lead \xff here"}}).Write(w); err != nil {
		t.Fatal(err)
	}
	if want := "{\"message\":\"no lead \ufffd here\"}"; w.Code != 404 || w.Body.String() != want {
		t.Errorf("%d %s, expected 404 %s", w.Code, w.Body, want)
	}
}

// An answer that can't be written must not leave as an empty 200.
func TestWritePanicsBeforeAnythingIsSent(t *testing.T) {
	w := httptest.NewRecorder()
	defer func() {
		if recover() == nil || len(w.Header()) > 0 || w.Body.Len() > 0 {
			t.Errorf("no panic, or sent already: %v %s", w.Header(), w.Body)
		}
	}()
	_ = wire.Answer{Status: 201, Body: math.NaN()}.Write(w)
}

func TestWriteReportsAClientThatHasGone(t *testing.T) {
	gone := errors.New("connection reset")
	err := wire.Answer{Status: 200, Body: map[string]any{}}.Write(brokenWriter{httptest.NewRecorder(), gone})
	if !errors.Is(err, gone) {
		t.Errorf("the error is %v", err)
	}
}

type brokenWriter struct {
	http.ResponseWriter
	err error
}

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestRetryAfterRoundsUp(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Second: "1", time.Second + 1: "2", 1500 * time.Millisecond: "2", 10 * time.Second: "10", time.Millisecond: "1",
	} {
		if got := wire.RetryAfter(d).Get("Retry-After"); got != want {
			t.Errorf("RetryAfter(%v) is %s, expected %s", d, got, want)
		}
	}
}

func TestReadBody(t *testing.T) {
	full := strings.Repeat("x", wire.MaxBody)
	for _, tc := range []struct {
		name   string
		body   io.Reader
		length int64
		want   string // the body
		code   string // or the error's
	}{
		{"empty", strings.NewReader(""), 0, "", ""},
		{"small", strings.NewReader("{}"), 2, "{}", ""},
		{"of unknown length", strings.NewReader("{}"), -1, "{}", ""},
		{"as large as may be", strings.NewReader(full), int64(len(full)), full, ""},
		{"a byte too large", strings.NewReader(full + "x"), int64(len(full)) + 1, "", "body_too_large"},
		{"too large and of unknown length", strings.NewReader(full + "x"), -1, "", "body_too_large"},
		{"a length that is a lie", strings.NewReader("{}"), math.MaxInt64, "{}", ""},
		{"cut off", io.MultiReader(strings.NewReader("{"), iotest.ErrReader(io.ErrUnexpectedEOF)), -1, "", "body_timeout"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", tc.body)
			r.ContentLength = tc.length
			got, err := wire.ReadBody(httptest.NewRecorder(), r)
			if tc.code == "" {
				if err != nil || string(got) != tc.want {
					t.Errorf("%d bytes and %v, expected %d bytes", len(got), err, len(tc.want))
				}
				return
			}
			if fault, ok := errors.AsType[*wire.BodyError](err); !ok || fault.Code != tc.code || fault.Reason == "" {
				t.Errorf("%v, expected %s", err, tc.code)
			}
		})
	}
}

func TestParseObject(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"a":`, n-1) + "{}" + strings.Repeat("}", n-1) }
	long := strings.Repeat("n", 100)
	for _, tc := range []struct {
		name, body string
		members    string // name=value, joined by blanks
		code       string // or the error's
		member     string
	}{
		{name: "no members", body: `{}`},
		{name: "members in order, values as sent", body: ` {"b": 1.0 , "a" : "\u0041", "n":null,"o":{"x":[1, 2]}} `, members: `b=1.0 a="\u0041" n=null o={"x":[1, 2]}`},
		{name: "an escaped name", body: `{"\u0061":1}`, members: `a=1`},
		{name: "a huge number", body: `{"a":1e999999999}`, members: `a=1e999999999`},
		{name: "a long number", body: `{"a":` + strings.Repeat("9", 1000) + `}`, members: `a=` + strings.Repeat("9", 1000)},
		{name: "as deep as may be", body: deep(wire.MaxDepth), members: `a=` + deep(wire.MaxDepth-1)},

		{name: "too deep", body: deep(wire.MaxDepth + 1), code: "too_deep"},
		{name: "far too deep", body: `{"a":` + strings.Repeat("[", 500_000), code: "too_deep"},
		{name: "empty", body: "", code: "malformed_json"},
		{name: "blank", body: " \r\n\t", code: "malformed_json"},
		{name: "an array", body: `[{}]`, code: "not_an_object"},
		{name: "a string", body: `"{}"`, code: "not_an_object"},
		{name: "null", body: `null`, code: "not_an_object"},
		{name: "a number", body: `1`, code: "not_an_object"},
		{name: "an array cut off", body: `[1`, code: "malformed_json"},
		{name: "cut off after the brace", body: `{`, code: "malformed_json"},
		{name: "cut off after a name", body: `{"a"`, code: "malformed_json"},
		{name: "cut off after a colon", body: `{"a":`, code: "malformed_json"},
		{name: "cut off within a string", body: `{"a":"x`, code: "malformed_json"},
		{name: "a comma too many", body: `{"a":1,}`, code: "malformed_json"},
		{name: "single quotes", body: `{'a':1}`, code: "malformed_json"},
		{name: "a comment", body: `{"a":1 /* one */}`, code: "malformed_json"},
		{name: "NaN", body: `{"a":NaN}`, code: "malformed_json"},
		{name: "a leading zero", body: `{"a":01}`, code: "malformed_json"},
		{name: "two objects", body: `{}{}`, code: "malformed_json"},
		{name: "something after", body: `{} x`, code: "malformed_json"},
		{name: "a byte order mark", body: "\ufeff{}", code: "malformed_json"},
		{name: "not UTF-8", body: "{\"a\":\"\xff\"}", code: "malformed_json"},
		{name: "a name that is not UTF-8", body: "{\"\xff\":1}", code: "malformed_json"},
		{name: "half a surrogate pair", body: `{"a":"\ud800"}`, code: "malformed_json"},
		{name: "a bare NUL", body: "{\"a\":\"\x00\"}", code: "malformed_json"},
		{name: "NUL after the object", body: "{}\x00", code: "malformed_json"},
		{name: "a member twice", body: `{"a":1,"b":2,"a":1}`, code: "duplicate_member", member: "a"},
		{name: "a member twice, spelt two ways", body: `{"a":1,"\u0061":2}`, code: "duplicate_member", member: "a"},
		{name: "a member twice below", body: `{"o":{"x":1,"x":2}}`, code: "duplicate_member", member: "x"},
		{name: "a long member twice", body: `{"` + long + `":1,"` + long + `":2}`, code: "duplicate_member", member: long[:64] + "…"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			members, err := wire.ParseObject([]byte(tc.body))
			if tc.code == "" {
				got := make([]string, len(members))
				for i, m := range members {
					got[i] = m.Name + "=" + string(m.Value)
				}
				if err != nil || strings.Join(got, " ") != tc.members {
					t.Errorf("%s and %v, expected %s", got, err, tc.members)
				}
				return
			}
			fault, ok := errors.AsType[*wire.BodyError](err)
			if !ok || fault.Code != tc.code || fault.Member != tc.member {
				t.Errorf("%+v, expected %s %s", err, tc.code, tc.member)
			}
		})
	}
}

// What is parsed must not change when the buffer is used again.
func TestMembersAreTheirOwn(t *testing.T) {
	body := []byte(`{"a":"first"}`)
	members, err := wire.ParseObject(body)
	if err != nil {
		t.Fatal(err)
	}
	copy(body, bytes.Repeat([]byte("x"), len(body)))
	for range 10 { // by whatever is used again
		if _, err := wire.ParseObject([]byte(`{"b":"other"}`)); err != nil {
			t.Fatal(err)
		}
	}
	if members[0].Name != "a" || string(members[0].Value) != `"first"` {
		t.Errorf("the member became %s=%s", members[0].Name, members[0].Value)
	}
}

// FuzzParseObject compares with the standard library's parser, which is laxer: it takes invalid UTF-8, repeated names
// and any depth. An object that it refuses is never taken, and one that is taken means the same to both.
func FuzzParseObject(f *testing.F) {
	for _, body := range []string{`{}`, `{"a":[1,2,{"b":null}]}`, `{"a":1,"a":2}`, `[`, `{"a":"\ud800"}`, "\xff", ` {"\u0000":1e5} `, `{} {}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		members, err := wire.ParseObject(body)
		var theirs map[string]stdjson.RawMessage
		theirErr := stdjson.Unmarshal(body, &theirs)
		if err != nil {
			fault, ok := errors.AsType[*wire.BodyError](err)
			if !ok || fault.Code == "" || fault.Reason == "" || len(fault.Reason) > 512 || !utf8.ValidString(fault.Reason) {
				t.Fatalf("%q is refused with %#v", body, err)
			}
			plain := theirErr == nil && theirs != nil && utf8.Valid(body) && !bytes.Contains(body, []byte(`\u`)) && !bytes.Contains(body, []byte(`\U`))
			if plain && fault.Code != "too_deep" && fault.Code != "duplicate_member" {
				t.Fatalf("%q is an object, and is refused with %v", body, err)
			}
			return
		}
		if theirErr != nil || len(theirs) != len(members) {
			t.Fatalf("%q is taken, with %d members; the standard library says %d members, %v", body, len(members), len(theirs), theirErr)
		}
		for _, m := range members {
			if raw, ok := theirs[m.Name]; !ok || string(raw) != string(m.Value) {
				t.Fatalf("%q: the member %q is %s, the standard library says %s", body, m.Name, m.Value, raw)
			}
		}
	})
}
