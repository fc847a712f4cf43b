package spec

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/answer"
)

// failure ends a body whose assertion failed.
type failure struct {
	message  string
	expected string
	actual   string
	exchange *target.Exchange // the one that the assertion was about; nil if none is known
	cases    []string         // the cases in which it happened, outermost first
}

func (f failure) Error() string { return f.message }

// brief is the failure on one line.
func (f failure) brief() string {
	text := f.message
	if f.expected != "" {
		text = fmt.Sprintf("expected %s, but %s", f.expected, f.actual)
	}
	if len(f.cases) > 0 {
		text = strings.Join(f.cases, ", ") + ": " + text
	}
	return strings.Join(strings.Fields(text), " ")
}

// join makes one failure of those of several cases.
func join(failures []failure, of int) failure {
	if len(failures) == 1 {
		return failures[0]
	}
	whole := failure{exchange: failures[0].exchange, expected: failures[0].expected}
	var briefs []string
	for _, f := range failures {
		briefs = append(briefs, f.brief())
	}
	whole.message = fmt.Sprintf("%d of %d cases failed:\n- %s", len(failures), of, strings.Join(briefs, "\n- "))
	whole.actual = whole.message
	if differ(failures) {
		whole.expected = "every case to hold"
	}
	return whole
}

func differ(failures []failure) bool {
	for _, f := range failures[1:] {
		if f.expected != failures[0].expected {
			return true
		}
	}
	return failures[0].expected == ""
}

// unassessed ends a body that couldn't exercise its row.
type unassessed struct{ reason string }

func (u unassessed) Error() string { return u.reason }

// crash is a panic of the suite itself.
type crash struct {
	value any
	stack string
}

func (c crash) Error() string { return fmt.Sprintf("the suite panicked: %v\n%s", c.value, c.stack) }

// ended turns what recover returned into how a body ended.
func ended(recovered any) error {
	if recovered == nil {
		return nil
	}
	if err, ok := recovered.(error); ok {
		var f failure
		var u unassessed
		var c crash
		if errors.As(err, &f) || errors.As(err, &u) || errors.As(err, &c) {
			return err
		}
	}
	return crash{recovered, string(debug.Stack())}
}

// checks is the Gomega of a body. It counts assertions and keeps what the one at hand is about, so that a failure can
// say what was expected and what came.
type checks struct {
	gomega.Gomega
	record  *record
	subject any
	matcher types.GomegaMatcher // nil if the assertion is that it doesn't match
	about   string              // what the subject is, where the assertion says so
	blamed  *target.Exchange
}

func newChecks(r *record) *checks {
	c := &checks{record: r}
	c.Gomega = gomega.NewGomega(func(message string, _ ...int) { c.fail(message) })
	return c
}

// blame names the exchange that a failure without a subject is about.
func (c *checks) blame(x *target.Exchange) { c.blamed = x }

func (c *checks) fail(message string) {
	f := failure{message: message, exchange: c.blamed}
	if a, ok := c.subject.(*answer.Answer); ok && a != nil {
		f.exchange = a.Exchange
	}
	if m, ok := c.matcher.(*answer.Matcher); ok {
		f.expected, f.actual = m.Expected(), m.Actual(c.subject)
		if c.about != "" {
			f.expected = c.about + ": " + f.expected
		}
	}
	c.subject, c.matcher, c.about = nil, nil, ""
	panic(f)
}

// Expect starts an assertion.
func (c *checks) Expect(actual any, extra ...any) types.Assertion {
	return &assertion{c.Gomega.Expect(actual, extra...), c, actual}
}

// Ω starts an assertion.
func (c *checks) Ω(actual any, extra ...any) types.Assertion { return c.Expect(actual, extra...) }

// ExpectWithOffset starts an assertion; there is no call stack to be offset.
func (c *checks) ExpectWithOffset(_ int, actual any, extra ...any) types.Assertion {
	return c.Expect(actual, extra...)
}

type assertion struct {
	types.Assertion
	checks *checks
	actual any
}

func (a *assertion) begin(m types.GomegaMatcher, text []any) {
	a.checks.subject, a.checks.matcher, a.checks.about = a.actual, m, ""
	if len(text) > 0 {
		if format, ok := text[0].(string); ok {
			a.checks.about = fmt.Sprintf(format, text[1:]...)
		}
	}
	a.checks.record.mu.Lock()
	a.checks.record.assertions++
	a.checks.record.mu.Unlock()
}

func (a *assertion) end(ok bool) bool {
	a.checks.subject, a.checks.matcher, a.checks.about = nil, nil, ""
	return ok
}

func (a *assertion) To(m types.GomegaMatcher, text ...any) bool {
	a.begin(m, text)
	return a.end(a.Assertion.To(m, text...))
}

func (a *assertion) NotTo(m types.GomegaMatcher, text ...any) bool {
	a.begin(nil, text)
	return a.end(a.Assertion.NotTo(m, text...))
}

func (a *assertion) ToNot(m types.GomegaMatcher, text ...any) bool { return a.NotTo(m, text...) }

func (a *assertion) Should(m types.GomegaMatcher, text ...any) bool { return a.To(m, text...) }

func (a *assertion) ShouldNot(m types.GomegaMatcher, text ...any) bool { return a.NotTo(m, text...) }

func (a *assertion) WithOffset(int) types.Assertion { return a }
