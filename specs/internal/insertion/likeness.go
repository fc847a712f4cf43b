package insertion

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"leadconform/specs/internal/answer"
)

// Two answers are alike if nothing in one tells a client more than the other. Some things differ between any two
// answers and tell nothing: the time, an identifier of the request, an echo of what was asked for. They are found in
// two ways. Header fields whose business it is are named in unlike. What else differs between two answers of the same
// kind, sent one after the other, is taken for such a thing as well, wherever it stands.

// unlike are the header fields that are not compared.
var unlike = []string{
	"Date", "Age", "Content-Length", // the length follows from the body, which is compared
	"X-Request-Id", "Request-Id", "X-Correlation-Id", "X-Trace-Id", "Traceparent", "Tracestate", "X-Amzn-Trace-Id",
	"X-Amzn-Requestid", "X-Amz-Cf-Id", "X-Amz-Apigw-Id", "Cf-Ray", "X-Vercel-Id", "Fly-Request-Id",
	"Server-Timing", "X-Runtime", "X-Response-Time", "X-Envoy-Upstream-Service-Time", "X-Timer",
	"Ratelimit", "Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset",
	"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset",
	"Set-Cookie", "Report-To", "Nel", "Alt-Svc", "Connection", "Keep-Alive",
}

// BeRefusedLike matches an answer with a status and body like those of two others of one kind.
func BeRefusedLike(status int, kind string, one, another *answer.Answer) *answer.Matcher {
	return answer.That(fmt.Sprintf("%d, with the body that %s gets: %v", status, kind, one),
		answer.Status(status), statusLike(one), bodyLike(one, another))
}

// BeIndistinguishable matches an answer with status, body and headers like those of two others of one kind.
func BeIndistinguishable(status int, kind string, one, another *answer.Answer) *answer.Matcher {
	return answer.That(fmt.Sprintf("%d, just like the answer for %s: %v", status, kind, one),
		answer.Status(status), statusLike(one), bodyLike(one, another), headersLike(one, another))
}

func statusLike(other *answer.Answer) answer.Check {
	return func(a *answer.Answer) []string {
		if a.Status == other.Status {
			return nil
		}
		return []string{fmt.Sprintf("the status is %d, and there %d", a.Status, other.Status)}
	}
}

func bodyLike(one, another *answer.Answer) answer.Check {
	return func(a *answer.Answer) []string {
		is, was, wasToo := body(a), body(one), body(another)
		if alike(is, was, wasToo) {
			return nil
		}
		return []string{fmt.Sprintf("the body differs from %s", strings.TrimSpace(string(one.Body)))}
	}
}

// body is a body to compare: as JSON if it is that, else as text, without what was asked for.
func body(a *answer.Answer) any {
	text := withoutID(a, string(a.Body))
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return text
	}
	return value
}

// withoutID puts a placeholder where a target repeats the id that the request named.
func withoutID(a *answer.Answer, text string) string {
	id, ok := strings.CutPrefix(a.Exchange.Request.Path, leadsPath+"/")
	if !ok {
		return text
	}
	return strings.ReplaceAll(text, id, "{id}")
}

// alike reports whether a value equals another of the kind, apart from what differs within the kind.
func alike(is, was, wasToo any) bool {
	object, isObject := is.(map[string]any)
	wasObject, wasIsObject := was.(map[string]any)
	wasTooObject, wasTooIsObject := wasToo.(map[string]any)
	if !isObject || !wasIsObject || !wasTooIsObject {
		return reflect.DeepEqual(is, was) || !reflect.DeepEqual(was, wasToo) && sameKind(is, was)
	}
	if len(object) != len(wasObject) {
		return false
	}
	for name, member := range object {
		before, ok := wasObject[name]
		if !ok || !alike(member, before, wasTooObject[name]) {
			return false
		}
	}
	return true
}

// sameKind reports whether two JSON values have the same type: what differs from answer to answer keeps that.
func sameKind(a, b any) bool { return reflect.TypeOf(a) == reflect.TypeOf(b) }

func headersLike(one, another *answer.Answer) answer.Check {
	return func(a *answer.Answer) []string {
		var differences []string
		for _, name := range names(a.Header, one.Header) {
			is, was, wasToo := field(a, name), field(one, name), field(another, name)
			varies := was != wasToo && (was == "") == (is == "")
			if is != was && !varies {
				differences = append(differences, fmt.Sprintf("the header %s is %q, and there %q", name, is, was))
			}
		}
		return differences
	}
}

// names are the names of the fields to compare, in order.
func names(headers ...http.Header) []string {
	all := map[string]bool{}
	for _, h := range headers {
		for name := range h {
			all[name] = !slices.Contains(unlike, name)
		}
	}
	maps.DeleteFunc(all, func(_ string, compared bool) bool { return !compared })
	return slices.Sorted(maps.Keys(all))
}

// field is a header field as one text, without what was asked for.
func field(a *answer.Answer, name string) string {
	return withoutID(a, strings.Join(a.Header.Values(name), "\n"))
}
