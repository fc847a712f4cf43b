// Package judge turns a trace into verdicts. Every clause is a pure function: it returns the figure that the run showed,
// the interval in which a conforming target's figure lies, the verdict, and the smallest deviation that this very run
// could have seen. Before it judges the target, the run judges itself (see guard.go): a client or a network too noisy
// makes a clause not assessed, never failed and never passed.
package judge

import (
	"encoding/json"
	"fmt"
	"math"

	"leadconform/load/internal/plan"
)

// Finding is what one clause says about one endpoint.
type Finding struct {
	Row      string `json:"row"`                // of CONTRACT.md, such as LD-LIM-INGEST-STEADY
	Endpoint string `json:"endpoint,omitempty"` // empty where a clause is about several
	Clause   string `json:"clause"`             // what is measured, in words, with its unit

	Figure  float64  `json:"figure"`
	Accept  Interval `json:"accept"` // where a conforming target's figure lies
	Verdict Verdict  `json:"verdict"`
	Reason  string   `json:"reason,omitempty"` // why it failed or was not assessed
	// Detectable is the smallest deviation of the target that this run would have seen, in words.
	Detectable string   `json:"detectable,omitempty"`
	Notes      []string `json:"notes,omitempty"`

	phases []*phase // that the clause rests on
}

// Verdict is the outcome of a clause.
type Verdict string

// The verdicts. What a failed clause of a SHOULD row is called in a report is not this package's business.
const (
	Pass        Verdict = "pass"
	Fail        Verdict = "fail"
	Observed    Verdict = "observed" // measured, not judged
	NotAssessed Verdict = "not-assessed"
)

// Interval is a closed interval. A side without a bound is infinite, and null in JSON.
type Interval struct{ Low, High float64 }

// AtMost is the interval up to high.
func AtMost(high float64) Interval { return Interval{math.Inf(-1), high} }

// AtLeast is the interval from low on.
func AtLeast(low float64) Interval { return Interval{low, math.Inf(1)} }

// Exactly is the interval that holds n alone.
func Exactly(n float64) Interval { return Interval{n, n} }

func anything() Interval           { return Interval{math.Inf(-1), math.Inf(1)} }
func around(x, h float64) Interval { return Interval{x - h, x + h} }

// Has reports whether x lies in the interval, its ends included.
func (i Interval) Has(x float64) bool { return i.Low <= x && x <= i.High }

// String prints the interval as a condition.
func (i Interval) String() string {
	low, high := !math.IsInf(i.Low, 0), !math.IsInf(i.High, 0)
	switch {
	case low && high && i.Low == i.High:
		return fmt.Sprintf("exactly %.4g", i.Low)
	case low && high:
		return fmt.Sprintf("%.4g to %.4g", i.Low, i.High)
	case low:
		return fmt.Sprintf("at least %.4g", i.Low)
	case high:
		return fmt.Sprintf("at most %.4g", i.High)
	}
	return "anything"
}

// MarshalJSON implements json.Marshaler.
func (i Interval) MarshalJSON() ([]byte, error) {
	bound := func(x float64) *float64 {
		if math.IsInf(x, 0) {
			return nil
		}
		return &x
	}
	return json.Marshal(struct {
		Low  *float64 `json:"low"`
		High *float64 `json:"high"`
	}{bound(i.Low), bound(i.High)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (i *Interval) UnmarshalJSON(b []byte) error {
	var bounds struct{ Low, High *float64 }
	if err := json.Unmarshal(b, &bounds); err != nil {
		return err
	}
	*i = anything()
	if bounds.Low != nil {
		i.Low = *bounds.Low
	}
	if bounds.High != nil {
		i.High = *bounds.High
	}
	return nil
}

// judged sets the verdict by the interval.
func (f Finding) judged(figure float64, accept Interval, failure string) Finding {
	f.Figure, f.Accept = figure, accept
	f.Verdict = Pass
	if !accept.Has(figure) {
		f.Verdict = Fail
		f.Reason = fmt.Sprintf("%s: %.4g, want %v", failure, figure, accept)
	}
	return f
}

// observed turns a judged finding into one that is only shown.
func (f Finding) observed(note string) Finding {
	if f.Verdict == Fail {
		f.Notes = append(f.Notes, f.Reason)
	}
	f.Verdict, f.Reason = Observed, ""
	f.Notes = append(f.Notes, note)
	return f
}

func (f Finding) notAssessed(format string, args ...any) Finding {
	f.Verdict, f.Reason, f.Accept = NotAssessed, fmt.Sprintf(format, args...), anything()
	return f
}

func (f *Finding) note(format string, args ...any) {
	f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
}

// Verdict of a row from its findings: failed if one failed, else not assessed if one was not, else passed if one passed.
func combined(all []Finding) Verdict {
	has := make(map[Verdict]bool)
	for _, f := range all {
		has[f.Verdict] = true
	}
	for _, v := range []Verdict{Fail, NotAssessed, Pass, Observed} {
		if has[v] {
			return v
		}
	}
	return NotAssessed
}

// Options say how to judge what the contract leaves to a policy.
type Options struct {
	Peak plan.Peak // empty: strict
}
