package answer_test

import (
	"net/http"
	"strings"
	"testing"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/answer"
)

func asked(what string, status int, body string, header ...string) answer.Asked {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	x := &target.Exchange{Response: &target.Response{Status: status, Body: []byte(body), Header: h}}
	return answer.Asked{Answer: answer.New(x), For: what}
}

func TestDifferences(t *testing.T) {
	const none = `{"error": "lead_not_found", "message": "There is no such lead"}`
	for name, tc := range map[string]struct {
		answer, before, after answer.Asked
		want                  string // part of the only difference; "" for none
	}{
		"the same": {
			asked("x", 404, none), asked("y", 404, none), asked("y", 404, none), ""},
		"the same in another order and spacing": {
			asked("x", 404, `{"b":[1,2],"a":null}`), asked("y", 404, `{"a": null, "b": [1, 2]}`), asked("y", 404, `{"a":null,"b":[1,2]}`), ""},
		"what was asked for is repeated": {
			asked("id-1", 404, `{"error":"no lead id-1"}`, "X-Asked", "id-1"), asked("id-2", 404, `{"error":"no lead id-2"}`, "X-Asked", "id-2"), asked("id-2", 404, `{"error":"no lead id-2"}`, "X-Asked", "id-2"), ""},
		"a number of the request": {
			asked("x", 404, `{"error":"e","n":"3f"}`, "X-Request-Id", "3"), asked("y", 404, `{"error":"e","n":"1c"}`, "X-Request-Id", "1"), asked("y", 404, `{"error":"e","n":"9d"}`, "X-Request-Id", "2"), ""},
		"a header that changes by itself": {
			asked("x", 404, none, "X-Node", "b"), asked("y", 404, none, "X-Node", "a"), asked("y", 404, none, "X-Node", "c"), ""},
		"text that is no JSON": {
			asked("x", 404, "nothing"), asked("y", 404, "nothing"), asked("y", 404, "nothing"), ""},
		"no body": {
			asked("x", 404, ""), asked("y", 404, ""), asked("y", 404, ""), ""},

		"another status": {
			asked("x", 403, none), asked("y", 404, none), asked("y", 404, none), "the status is 403"},
		"another text": {
			asked("x", 404, `{"error":"not_yours"}`), asked("y", 404, `{"error":"none"}`), asked("y", 404, `{"error":"none"}`), `body.error is the string "not_yours"`},
		"another text beside one that changes": {
			asked("x", 404, `{"error":"not_yours","n":3}`), asked("y", 404, `{"error":"none","n":1}`), asked("y", 404, `{"error":"none","n":2}`), "body.error"},
		"a member more": {
			asked("x", 404, `{"error":"none","hint":null}`), asked("y", 404, `{"error":"none"}`), asked("y", 404, `{"error":"none"}`), "body has a member hint"},
		"a member less": {
			asked("x", 404, `{}`), asked("y", 404, `{"error":"none"}`), asked("y", 404, `{"error":"none"}`), "body has no member error"},
		"another type where the text changes": {
			asked("x", 404, `{"n":{"owner":"b"}}`), asked("y", 404, `{"n":"1"}`), asked("y", 404, `{"n":"2"}`), "body.n is an object"},
		"an element more": {
			asked("x", 200, `{"leads":[1]}`), asked("y", 200, `{"leads":[]}`), asked("y", 200, `{"leads":[]}`), "body.leads has 1 elements"},
		"another element": {
			asked("x", 400, `{"e":[{"f":"theirs"}]}`), asked("y", 400, `{"e":[{"f":"id"}]}`), asked("y", 400, `{"e":[{"f":"id"}]}`), "body.e[0].f"},
		"a number in place of null": {
			asked("x", 404, `{"n":1}`), asked("y", 404, `{"n":null}`), asked("y", 404, `{"n":null}`), "body.n is the number 1"},
		"a header more": {
			asked("x", 404, none, "X-Owner", "b"), asked("y", 404, none), asked("y", 404, none), "the header X-Owner"},
		"another header": {
			asked("x", 404, none, "Cache-Control", "private"), asked("y", 404, none, "Cache-Control", "no-store"), asked("y", 404, none, "Cache-Control", "no-store"), "Cache-Control"},
		"another text that is no JSON": {
			asked("x", 404, "theirs"), asked("y", 404, "nothing"), asked("y", 404, "nothing"), "the body is another"},
		"text in place of JSON": {
			asked("x", 404, "theirs"), asked("y", 404, none), asked("y", 404, none), "the body is another"},
	} {
		t.Run(name, func(t *testing.T) {
			got := answer.Differences(tc.answer, tc.before, tc.after)
			switch {
			case tc.want == "" && got != nil:
				t.Errorf("differences between equals: %q", got)
			case tc.want != "" && (len(got) != 1 || !strings.Contains(got[0], tc.want)):
				t.Errorf("%q, expected the one difference %q", got, tc.want)
			}
		})
	}
}
