package answer

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/onsi/gomega/types"
)

// Check looks at an answer and returns what is wrong with it, one entry a difference; none if nothing is.
type Check func(a *Answer) []string

// Matcher is a Gomega matcher on *Answer that says what it expects and lists every difference. It keeps nothing of an
// answer, so one matcher may serve cases that run side by side.
type Matcher struct {
	expected string
	checks   []Check
}

var _ types.GomegaMatcher = (*Matcher)(nil)

// That returns a matcher whose expectation reads as a sentence, such as "201 with the accepted lead".
func That(expected string, checks ...Check) *Matcher {
	return &Matcher{expected: expected, checks: checks}
}

// Match looks at an *Answer (types.GomegaMatcher).
func (m *Matcher) Match(actual any) (bool, error) {
	a, ok := actual.(*Answer)
	if !ok || a == nil {
		return false, fmt.Errorf("the matcher %q takes an *answer.Answer, not %T", m.expected, actual)
	}
	return len(m.Check(a)) == 0, nil
}

// Check returns every difference that the matcher finds, so that a matcher can be a part of another.
func (m *Matcher) Check(a *Answer) []string {
	var problems []string
	for _, check := range m.checks {
		problems = append(problems, check(a)...)
	}
	return problems
}

// Expected says what the matcher asks for.
func (m *Matcher) Expected() string { return m.expected }

// Actual says what came instead: every difference, and the answer.
func (m *Matcher) Actual(actual any) string {
	a, ok := actual.(*Answer)
	if !ok || a == nil {
		return fmt.Sprintf("%v", actual)
	}
	return fmt.Sprintf("%s — in the answer %v", strings.Join(m.Check(a), "; "), a)
}

// FailureMessage is part of types.GomegaMatcher.
func (m *Matcher) FailureMessage(actual any) string {
	return fmt.Sprintf("expected %s\nbut %s", m.expected, m.Actual(actual))
}

// NegatedFailureMessage is part of types.GomegaMatcher.
func (m *Matcher) NegatedFailureMessage(actual any) string {
	return fmt.Sprintf("expected anything but %s\nbut it was that: %v", m.expected, actual)
}

// Status asks for one of the given statuses.
func Status(wanted ...int) Check {
	return func(a *Answer) []string {
		if slices.Contains(wanted, a.Status) {
			return nil
		}
		return []string{fmt.Sprintf("the status is %d, not %s", a.Status, oneOf(wanted))}
	}
}

func oneOf(statuses []int) string {
	words := make([]string, len(statuses))
	for i, s := range statuses {
		words[i] = fmt.Sprint(s)
	}
	return strings.Join(words, " or ")
}

// Object asks for a JSON object.
func Object() Check {
	return func(a *Answer) []string {
		if _, err := a.Object(); err != nil {
			return []string{err.Error()}
		}
		return nil
	}
}

// Member asks that the member at a path (names joined by dots) is there and satisfies a test, whose result says what is
// wrong, or "".
func Member(path string, test func(value any) string) Check {
	return func(a *Answer) []string {
		value, ok := a.Member(strings.Split(path, ".")...)
		if !ok {
			return []string{fmt.Sprintf("there is no member %s", path)}
		}
		if wrong := test(value); wrong != "" {
			return []string{fmt.Sprintf("%s is %s", path, wrong)}
		}
		return nil
	}
}

// Without asks that the member at a path is absent or null.
func Without(path string) Check {
	return func(a *Answer) []string {
		if value, ok := a.Member(strings.Split(path, ".")...); ok && value != nil {
			return []string{fmt.Sprintf("%s is %s, where nothing should be", path, Describe(value))}
		}
		return nil
	}
}

// Equals is a test for Member: the value is that string, boolean or nil.
func Equals(wanted any) func(any) string {
	return func(value any) string {
		if value == wanted {
			return ""
		}
		return fmt.Sprintf("%s, not %s", Describe(value), Describe(wanted))
	}
}

// Number is a test for Member: the value is a JSON number equal to wanted.
func Number(wanted int64) func(any) string {
	return func(value any) string {
		if n, ok := value.(json.Number); ok {
			if f, err := n.Float64(); err == nil && f == float64(wanted) {
				return ""
			}
		}
		return fmt.Sprintf("%s, not the number %d", Describe(value), wanted)
	}
}

// NonEmptyString is a test for Member.
func NonEmptyString(value any) string {
	if text, ok := value.(string); ok && strings.TrimSpace(text) != "" {
		return ""
	}
	return Describe(value) + ", not a non-empty string"
}

// Matching is a test for Member: a string that a pattern matches as a whole.
func Matching(pattern *regexp.Regexp) func(any) string {
	return func(value any) string {
		if text, ok := value.(string); ok && pattern.MatchString(text) {
			return ""
		}
		return fmt.Sprintf("%s, which doesn't match %s", Describe(value), pattern)
	}
}

var uuidPattern = regexp.MustCompile(`(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// UUID is a test for Member: a string in the form of RFC 9562 §4.
func UUID(value any) string {
	if text, ok := value.(string); ok && uuidPattern.MatchString(text) {
		return ""
	}
	return Describe(value) + ", not a UUID"
}

// LabelledJSON asks for Content-Type: application/json.
func LabelledJSON() Check {
	return func(a *Answer) []string {
		if a.LabelledJSON() {
			return nil
		}
		return []string{fmt.Sprintf("Content-Type is %q, not application/json", a.Header.Get("Content-Type"))}
	}
}
