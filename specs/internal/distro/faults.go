package distro

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"

	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// faults holds LD-500-* and LD-503-*. They change the target for everybody, so they run alone.
func faults() []spec.Spec {
	return []spec.Spec{
		{ID: "LD-500-01", Body: row(broken.answersItsStatus), Serial: true},
		{ID: "LD-500-03", Body: row(leaksNothing), Serial: true},
		{ID: "LD-500-04", Body: row(keepsTheEnvelope), Serial: true},
		{ID: "LD-500-02", Body: row(broken.passes), Serial: true},
		{ID: "LD-503-01", Body: row(closed.answersItsStatus), Serial: true},
		{ID: "LD-503-02", Body: row(sendsAValidRetryAfter), Serial: true},
		{ID: "LD-503-03", Body: row(closed.passes), Serial: true},
	}
}

// outage is a state that two hooks begin and end, and its status.
type outage struct {
	status  int
	on, off string
}

var (
	broken = outage{http.StatusInternalServerError, "fault_500_on", "fault_500_off"}
	closed = outage{http.StatusServiceUnavailable, "maintenance_on", "maintenance_off"}
)

// during sends a lead and, for the open campaign, a ping while the outage is on, and holds the answers against its status
// and more, in words and as checks.
func (o outage) during(d api, l lead, words string, more ...answer.Check) {
	expected := func() *answer.Matcher {
		return answer.That(strings.TrimSpace(fmt.Sprintf("%d %s", o.status, words)), append([]answer.Check{answer.Status(o.status)}, more...)...)
	}
	d.Between(o.on, o.off, func() {
		d.each(
			kase{"ingest during the outage", func(g spec.Gomega, d api) {
				g.Expect(d.SendOnce(d.post(ingestPath, "ingest", l.json()))).To(expected())
			}},
			kase{"ping during the outage", func(g spec.Gomega, d api) {
				g.Expect(d.SendOnce(d.post(pingPath, "ping", d.on("open", l).json()))).To(expected())
			}},
		)
	})
}

// healthy returns a lead that was accepted, and whose ping was welcome, before any outage.
func healthy(d api) lead {
	l := d.lead("open")
	d.each(taken("before the outage the lead", l), welcome("before the outage the ping", l))
	return l
}

func (o outage) answersItsStatus(_ spec.Gomega, d api) { o.during(d, healthy(d), "") }

func leaksNothing(_ spec.Gomega, d api) {
	l := healthy(d)
	broken.during(d, l, "with a generic message alone", answer.LeakingNothing())
	closed.during(d, l, "with a generic message alone", answer.LeakingNothing())
}

func keepsTheEnvelope(_ spec.Gomega, d api) {
	l := healthy(d)
	for _, o := range []outage{broken, closed} {
		o.during(d, l, "with a non-empty error and message", answer.Object(),
			answer.Member("error", answer.NonEmptyString), answer.Member("message", answer.NonEmptyString))
	}
}

// passes sends the same lead and ping again. The lead's campaign looks for duplicates: if something of the first try was
// kept, it shows.
func (o outage) passes(_ spec.Gomega, d api) {
	l := d.lead("unique")
	o.during(d, l, "")
	d.each(
		kase{"the same ingest after the outage", func(g spec.Gomega, d api) {
			g.Expect(d.SendAbout(o.status, d.post(ingestPath, "ingest", l.json()))).To(BeTaken())
		}},
		kase{"the same ping after the outage", func(g spec.Gomega, d api) {
			g.Expect(d.SendAbout(o.status, d.post(pingPath, "ping", d.on("open", l).json()))).To(BeWelcome())
		}},
	)
}

func sendsAValidRetryAfter(_ spec.Gomega, d api) {
	var sent atomic.Bool
	closed.during(d, healthy(d), "with a valid Retry-After, if any", func(a *answer.Answer) []string {
		values := a.Header.Values("Retry-After")
		if len(values) > 0 {
			sent.Store(true)
		}
		return validRetryAfter(values)
	})
	if !sent.Load() {
		d.NotAssessed("no 503 carried Retry-After, so there was nothing to judge")
	}
}

var delaySeconds = regexp.MustCompile(`^[0-9]+$`)

// validRetryAfter holds the values of a Retry-After against RFC 9110 §10.2.3: one of them at most, digits or an HTTP-date.
func validRetryAfter(values []string) []string {
	if len(values) == 0 {
		return nil
	}
	if len(values) > 1 {
		return []string{fmt.Sprintf("Retry-After is there %d times", len(values))}
	}
	if _, err := http.ParseTime(values[0]); err != nil && !delaySeconds.MatchString(values[0]) {
		return []string{fmt.Sprintf("Retry-After is %q, neither whole seconds nor an HTTP-date", values[0])}
	}
	return nil
}
