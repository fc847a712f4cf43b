package trace

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadRefusal(t *testing.T) {
	received := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	date := func(after time.Duration) string { return received.Add(after).Format(http.TimeFormat) }
	good := `{"error":"rate_limited","retry_after":1}`
	tests := []struct {
		name   string
		header http.Header
		body   string
		want   Refusal
	}{
		{"seconds", http.Header{"Retry-After": {"1"}}, good,
			Refusal{Fields: 1, Header: Seconds, HeaderWait: time.Second, Raw: "1", Body: Number, BodyWait: time.Second}},
		{"nothing at all", nil, `{"error":"rate_limited"}`, Refusal{}},
		{"two fields", http.Header{"Retry-After": {"1", "2"}}, good,
			Refusal{Fields: 2, Header: Seconds, HeaderWait: time.Second, Raw: "1", Body: Number, BodyWait: time.Second}},
		{"zero", http.Header{"Retry-After": {"0"}}, `{"error":"x","retry_after":0}`,
			Refusal{Fields: 1, Header: Seconds, Raw: "0", Body: Number}},
		{"fraction", http.Header{"Retry-After": {"0.5"}}, `{"error":"x","retry_after":0.5}`,
			Refusal{Fields: 1, Header: Fractional, HeaderWait: time.Second / 2, Raw: "0.5", Body: Number, BodyWait: time.Second / 2}},
		{"negative", http.Header{"Retry-After": {"-1"}}, `{"error":"x","retry_after":-1}`,
			Refusal{Fields: 1, Header: Fractional, HeaderWait: -time.Second, Raw: "-1", Body: Number, BodyWait: -time.Second}},
		{"date by the answer's own clock", http.Header{"Retry-After": {date(63 * time.Second)}, "Date": {date(time.Minute)}}, good,
			Refusal{Fields: 1, Header: Date, HeaderWait: 3 * time.Second, Raw: date(63 * time.Second), Body: Number, BodyWait: time.Second}},
		{"date by ours", http.Header{"Retry-After": {date(2 * time.Second)}}, good,
			Refusal{Fields: 1, Header: Date, HeaderWait: 2 * time.Second, Raw: date(2 * time.Second), Body: Number, BodyWait: time.Second}},
		{"words", http.Header{"Retry-After": {"soon"}}, `{"error":"x","retry_after":"soon"}`,
			Refusal{Fields: 1, Header: Malformed, Raw: "soon", Body: NotANumber}},
		{"empty", http.Header{"Retry-After": {""}}, `{"error":"x","retry_after":null}`,
			Refusal{Fields: 1, Header: Malformed, Body: NotANumber}},
		{"a header with an underscore", http.Header{"Retry_after": {"1"}}, good,
			Refusal{Named: true, Body: Number, BodyWait: time.Second}},
		{"no error member", nil, `{"retry_after":1}`, Refusal{NoError: true, Body: Number, BodyWait: time.Second}},
		{"an error that is no string", nil, `{"error":7}`, Refusal{NoError: true}},
		{"another letter case", nil, `{"Error":"x","Retry_After":1}`, Refusal{NoError: true}},
		{"no object", nil, `[1]`, Refusal{NoError: true}},
		{"no JSON", nil, `Too Many Requests`, Refusal{NoError: true}},
		{"a long value is cut", http.Header{"Retry-After": {strings.Repeat("9", 400)}}, `{"error":"x"}`,
			Refusal{Fields: 1, Header: Malformed, Raw: strings.Repeat("9", RawLimit)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, ReadRefusal(test.header, []byte(test.body), received)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
