package judge

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// refusals counts the different refusals of some phases, and the 429s outside the API's envelope.
type refusals struct {
	count     map[*trace.Refusal]int
	total     int // well-formed ones
	malformed int
}

func countRefusals(all []*phase, of func(*phase) bool) refusals {
	r := refusals{count: make(map[*trace.Refusal]int)}
	for _, p := range all {
		if !of(p) {
			continue
		}
		for _, s := range p.samples {
			switch {
			case s.Kind == trace.Limited:
				r.total++
				r.count[s.Refusal]++
			case s.Status == 429:
				r.malformed++
			}
		}
	}
	return r
}

// faulty counts the refusals for which wrong holds. A refusal that was recorded without what it says counts as one that
// says nothing.
func (r refusals) faulty(wrong func(*trace.Refusal) bool) (n int, example *trace.Refusal) {
	for refusal, count := range r.count {
		if refusal == nil {
			refusal = &trace.Refusal{}
		}
		if wrong(refusal) {
			n += count
			example = refusal
		}
	}
	return n, example
}

// none is the reason why refusals can't be judged.
const none = "nothing was refused, so there is no 429 to look at"

// every judges that no refusal is wrong.
func (r refusals) every(f Finding, wrong func(*trace.Refusal) bool, failure string) Finding {
	if r.total == 0 {
		return f.notAssessed(none)
	}
	n, example := r.faulty(wrong)
	f.Detectable = "a single 429"
	f = f.judged(float64(n), Exactly(0), fmt.Sprintf("of %d refusals, some %s", r.total, failure))
	if example != nil {
		f.note("for example: %s", describe(example))
	}
	return f
}

// describe prints what a refusal says about waiting.
func describe(r *trace.Refusal) string {
	header, body := "no Retry-After header", "no retry_after in the body"
	if r.Fields > 0 {
		header = fmt.Sprintf("Retry-After: %q", r.Raw)
	}
	if r.Fields > 1 {
		header += fmt.Sprintf(" and %d more", r.Fields-1)
	}
	switch r.Body {
	case trace.Number:
		body = fmt.Sprintf("retry_after %g", r.BodyWait.Seconds())
	case trace.NotANumber:
		body = "a retry_after that is no number"
	}
	return header + ", " + body
}

// envelopeRows of the Lead Distro endpoints.
var envelopeRows = map[string]string{"ingest": "LD-429-01", "ping": "LD-429-02", "lookup": "LD-429-03"}

// refused: over the limit the answer is a 429 in the API's envelope (LD-429-01…03). What is a well-formed one, the
// attacker decides as it records: here a 429 that is none is a fault. Where there are other answers over the limit, they
// may stand for refusals, or for a target that can't keep up.
func refused(r refusals, e *evidence) Finding {
	f := Finding{Row: envelopeRows[e.Name], Endpoint: e.Name, Clause: "429s outside the envelope"}
	if r.total+r.malformed == 0 {
		return f.notAssessed(none)
	}
	f.Detectable = "a single 429"
	f = f.judged(float64(r.malformed), Exactly(0), fmt.Sprintf("of %d refusals, some lack the envelope", r.total+r.malformed))
	for _, p := range e.attempts {
		if (p.Name == plan.A2 || p.Name == plan.B1) && f.Verdict == Pass && answeredOtherwise(p) {
			return f.notAssessed("phase %s, above the limit, met answers that are neither a success nor a 429: %s", p.Name, strings.Join(p.guard.other, "; "))
		}
	}
	return f
}

// answeredOtherwise reports whether the target answered something that is neither a success nor a 429.
func answeredOtherwise(p *phase) bool {
	return slices.ContainsFunc(p.samples, func(s *trace.Sample) bool {
		return s.Kind == trace.Other && s.Status != 0 && s.Status != http.StatusTooManyRequests
	})
}

// bodySays: the body's retry_after is a number of seconds, above 0 (LD-429-04).
func bodySays(r refusals, endpoint string) Finding {
	f := Finding{Row: "LD-429-04", Endpoint: endpoint, Clause: "429s without a positive number retry_after in the body"}
	return r.every(f, func(r *trace.Refusal) bool { return r.Body != trace.Number || r.BodyWait <= 0 },
		"have no positive number of seconds in the body")
}

// headerSays: there is one Retry-After field, digits only and at least 1, or an HTTP-date (LD-429-05, RFC 9110 §10.2.3).
func headerSays(r refusals, endpoint string) Finding {
	f := Finding{Row: "LD-429-05", Endpoint: endpoint, Clause: "429s without a valid Retry-After header"}
	f = r.every(f, func(r *trace.Refusal) bool { return !wholeHeader(r) && !dateHeader(r) },
		"have no Retry-After of at least one whole second, nor a date")
	if n, _ := r.faulty(dateHeader); n > 0 {
		f.note("%d refusals name a date", n)
	}
	return f
}

func wholeHeader(r *trace.Refusal) bool {
	return r.Fields == 1 && r.Header == trace.Seconds && r.HeaderWait >= time.Second
}

func dateHeader(r *trace.Refusal) bool { return r.Fields == 1 && r.Header == trace.Date }

// agree: header and body name the same wait (LD-429-06): equal, or the header the next whole second above a fractional
// body, or a date within a second of it.
func agree(r refusals, endpoint string) Finding {
	f := Finding{Row: "LD-429-06", Endpoint: endpoint, Clause: "429s whose header and body disagree"}
	comparable, _ := r.faulty(bothSay)
	switch {
	case r.total == 0:
		return f.notAssessed(none)
	case comparable == 0:
		return f.notAssessed("no refusal names a wait both in its header and in its body")
	}
	f = r.every(f, func(r *trace.Refusal) bool { return bothSay(r) && !sameWait(r) }, "name two different waits")
	if comparable < r.total {
		f.note("%d of %d refusals name a wait in one place only", r.total-comparable, r.total)
	}
	return f
}

func bothSay(r *trace.Refusal) bool {
	return r.Body == trace.Number && r.Header != trace.NoHeader && r.Header != trace.Malformed
}

func sameWait(r *trace.Refusal) bool {
	if r.Header == trace.Date { // whole seconds, as is the answer's own date, which the wait counts from: rounded down
		longer := r.HeaderWait - r.BodyWait
		return -time.Second <= longer && longer < 2*time.Second
	}
	return r.HeaderWait == r.BodyWait || r.HeaderWait.Seconds() == math.Ceil(r.BodyWait.Seconds())
}

// modest: the wait is not absurd: at most the burst window and one second (LD-429-09).
func modest(r refusals, endpoint plan.Endpoint) Finding {
	f := Finding{Row: "LD-429-09", Endpoint: endpoint.Name, Clause: "429s that ask to wait longer than the burst window and a second"}
	limit := endpoint.Policy.Window + time.Second
	return r.every(f, func(r *trace.Refusal) bool { return max(r.Wait(), r.BodyWait) > limit },
		fmt.Sprintf("ask to wait longer than %v", limit))
}

// underscored: whether a header called retry_after is sent too (LD-429-10, observed).
func underscored(r refusals, endpoint string) Finding {
	f := Finding{Row: "LD-429-10", Endpoint: endpoint, Clause: "429s with a header called retry_after"}
	if r.total == 0 {
		return f.notAssessed(none)
	}
	n, _ := r.faulty(func(r *trace.Refusal) bool { return r.Named })
	f.Figure, f.Accept, f.Verdict = float64(n), anything(), Observed
	return f
}
