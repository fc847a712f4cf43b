package answer

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Asked is an answer and what it was about, which a target may repeat in it, such as the id that was asked for.
type Asked struct {
	*Answer
	For string
}

// Differences tells how an answer can be told from others, at least two, sent before and after it. What changes among
// those, such as the time or a request's number, changes by itself and tells nothing; nor does what was asked for, where
// it is repeated. No differences mean that it can't be told from them by status, body or header.
func Differences(a Asked, others ...Asked) []string {
	var found []string
	if !slices.ContainsFunc(others, func(o Asked) bool { return o.Status == a.Status }) {
		found = append(found, fmt.Sprintf("the status is %d, not %d", a.Status, others[0].Status))
	}
	found = append(found, headerDifferences(a, others)...)
	if a.fault != nil || slices.ContainsFunc(others, func(o Asked) bool { return o.fault != nil }) {
		return append(found, textDifferences(a, others)...)
	}
	return append(found, differences("body", a.plain(a.value), each(others, func(o Asked) any { return o.plain(o.value) }))...)
}

func textDifferences(a Asked, others []Asked) []string {
	texts := each(others, func(o Asked) string { return o.plainText(string(o.Body)) })
	if same(texts) && a.plainText(string(a.Body)) != texts[0] {
		return []string{"the body is another"}
	}
	return nil
}

// each maps a slice.
func each[T, V any](all []T, of func(T) V) []V {
	out := make([]V, len(all))
	for i := range all {
		out[i] = of(all[i])
	}
	return out
}

// same reports whether all elements are equal.
func same[T comparable](all []T) bool {
	return !slices.ContainsFunc(all, func(x T) bool { return x != all[0] })
}

// plain returns a JSON value with a mark in the place of what was asked for.
func (a Asked) plain(value any) any {
	switch v := value.(type) {
	case string:
		return a.plainText(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = a.plain(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			out[name] = a.plain(member)
		}
		return out
	}
	return value
}

func (a Asked) plainText(text string) string {
	if a.For == "" {
		return text
	}
	return strings.ReplaceAll(text, a.For, "…")
}

// differences walks a JSON value and others beside it.
func differences(at string, value any, others []any) []string {
	if !same(each(others, kind)) {
		return nil
	}
	if kind(value) != kind(others[0]) {
		return []string{fmt.Sprintf("%s is %s, not %s", at, Describe(value), Describe(others[0]))}
	}
	switch v := value.(type) {
	case map[string]any:
		return memberDifferences(at, v, each(others, func(o any) map[string]any { return o.(map[string]any) }))
	case []any:
		return elementDifferences(at, v, each(others, func(o any) []any { return o.([]any) }))
	}
	if same(others) && value != others[0] {
		return []string{fmt.Sprintf("%s is %s, not %s", at, Describe(value), Describe(others[0]))}
	}
	return nil
}

// kind is the type of a JSON value.
func kind(value any) reflect.Type { return reflect.TypeOf(value) }

func elementDifferences(at string, value []any, others [][]any) []string {
	if !same(each(others, func(o []any) int { return len(o) })) {
		return nil
	}
	if len(value) != len(others[0]) {
		return []string{fmt.Sprintf("%s has %d elements, not %d", at, len(value), len(others[0]))}
	}
	var found []string
	for i := range value {
		found = append(found, differences(fmt.Sprintf("%s[%d]", at, i), value[i], each(others, func(o []any) any { return o[i] }))...)
	}
	return found
}

func memberDifferences(at string, value map[string]any, others []map[string]any) []string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(merged(append(others, value)...))) {
		member, here := value[name]
		there := each(others, func(o map[string]any) bool { _, ok := o[name]; return ok })
		switch {
		case !same(there):
		case here && !there[0]:
			found = append(found, fmt.Sprintf("%s has a member %s, where the others have none", at, name))
		case !here:
			found = append(found, fmt.Sprintf("%s has no member %s", at, name))
		default:
			found = append(found, differences(at+"."+name, member, each(others, func(o map[string]any) any { return o[name] }))...)
		}
	}
	return found
}

func merged[V any](all ...map[string]V) map[string]V {
	union := map[string]V{}
	for _, m := range all {
		maps.Copy(union, m)
	}
	return union
}

// Header fields that speak of one message, its connection, its server or the state of a count, not of what was asked for:
// whole names, and parts of names, in lower case.
var (
	passing = []string{"date", "age", "content-length", "connection", "keep-alive", "transfer-encoding", "via", "set-cookie",
		"server", "retry-after", "report-to", "nel", "alt-svc", "cache-status"}
	passingParts = []string{"request-id", "requestid", "correlation", "trace", "ratelimit", "rate-limit", "cf-ray", "x-amz",
		"x-cache", "served-by", "runtime", "response-time", "server-timing", "envoy"}
)

func headerDifferences(a Asked, others []Asked) []string {
	headers := []map[string][]string{a.Header}
	for _, o := range others {
		headers = append(headers, o.Header)
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(merged(headers...))) {
		if passes(strings.ToLower(name)) {
			continue
		}
		there := each(others, func(o Asked) string { return o.field(name) })
		if own := a.field(name); same(there) && own != there[0] {
			found = append(found, fmt.Sprintf("the header %s is %q, not %q", name, own, there[0]))
		}
	}
	return found
}

// field is a header field, all its lines in one text.
func (a Asked) field(name string) string {
	return a.plainText(strings.Join(a.Header.Values(name), "\n"))
}

func passes(name string) bool {
	return slices.Contains(passing, name) ||
		slices.ContainsFunc(passingParts, func(part string) bool { return strings.Contains(name, part) })
}
