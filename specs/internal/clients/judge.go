package clients

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/spec"
)

// finding is what one journal says about one row. A failure outranks a row that could not be assessed, and that a pass.
type finding struct {
	result   spec.Result
	reason   string // of what is no pass
	expected string
	must     bool     // the failure is one of what the row's text calls MUST
	notes    []string // whatever the result
	shown    []*Entry // the requests that the finding rests on, the one that shows a failure last
}

func passed(shown []*Entry) finding { return finding{result: spec.Passed, shown: shown} }

func failed(shown []*Entry, expected, format string, args ...any) finding {
	return finding{result: spec.Failed, shown: shown, expected: expected, reason: fmt.Sprintf(format, args...)}
}

func unassessed(format string, args ...any) finding {
	return finding{result: spec.NotAssessed, reason: fmt.Sprintf(format, args...)}
}

func (f finding) noting(format string, args ...any) finding {
	f.notes = append(slices.Clip(f.notes), fmt.Sprintf(format, args...))
	return f
}

// judge decides one row on the journals that it is judged by. It is a pure function of them.
type judge func(journals []*Journal, p *target.Profile) finding

// rule is how a row is judged.
type rule struct {
	judge
	control bool // an absence is judged: a second lead must show that the client works
}

// rules are the rows of both recipes.
var rules = map[string]rule{
	"CL-LD-01": {each(onceOnly), true}, "CL-LD-02": {each(onceOnly), true}, "CL-LD-03": {each(onceOnly), true},
	"CL-LD-04": {each(onceOnly), true}, "CL-LD-05": {each(onceOnly), true},
	"CL-LD-06": {each(waitsAsAsked), true},
	"CL-LD-07": {each(backsOff), false},
	"CL-LD-08": {each(stops), false},
	"CL-LD-09": {each(backsOff), false},
	"CL-LD-10": {each(takenAsSuccess), true},
	"CL-LD-11": {each(turnsUpAgain), true},
	"CL-LD-12": {each(waitsAsAsked), true},

	"CL-IN-01": {each(onceOnly), true}, "CL-IN-02": {each(onceOnly), true}, "CL-IN-03": {each(onceOnly), true},
	"CL-IN-04": {each(onceOnly), true}, "CL-IN-05": {each(onceOnly), true},
	"CL-IN-06": {each(waitsAsAsked), true},
	"CL-IN-07": {each(backsOffAndMustStop), false},
	"CL-IN-08": {each(backsOffAndStops), false},
	"CL-IN-09": {sameLead, false},
	"CL-IN-10": {each(merges), false},
}

// needsControl says that a row which the scenario is about wants a second lead.
func (s Scenario) needsControl() bool {
	return slices.ContainsFunc(s.Rows, func(row string) bool { return rules[row].control })
}

// each makes a judge of a check that looks at one journal at a time.
func each(check func(*Journal) finding) judge {
	return func(journals []*Journal, _ *target.Profile) finding {
		var all []finding
		for _, j := range journals {
			all = append(all, check(j).of(j))
		}
		return worst(all)
	}
}

// of names the scenario where a finding could be about another, and tells what was odd about the client's process.
func (f finding) of(j *Journal) finding {
	name := "scenario " + j.Scenario.Name
	if f.reason != "" {
		f.reason = name + ": " + f.reason
	}
	for i := range f.notes {
		f.notes[i] = name + ": " + f.notes[i]
	}
	for _, remark := range j.remarks() {
		f = f.noting("%s: %s", name, remark)
	}
	return f
}

// worst joins the findings of several journals.
func worst(all []finding) finding {
	order := []spec.Result{spec.Failed, spec.NotAssessed, spec.Passed}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b finding) int {
		if a.must != b.must && a.result == spec.Failed && b.result == spec.Failed {
			return map[bool]int{true: -1, false: 1}[a.must]
		}
		return cmp.Compare(slices.Index(order, a.result), slices.Index(order, b.result))
	})
	joined := sorted[0]
	for _, f := range sorted[1:] {
		joined.notes = append(slices.Clip(joined.notes), f.notes...)
		if f.result == joined.result && f.result != spec.Passed {
			joined.reason += "; " + f.reason
		}
		if f.result == spec.Passed && joined.result == spec.Passed {
			joined.shown = append(slices.Clip(joined.shown), f.shown...)
		}
	}
	return joined
}

// remarks say what was odd about the client's process.
func (j *Journal) remarks() []string {
	var all []string
	for i, call := range j.Calls {
		which := []string{"the call for the lead", "the call for the second lead"}[i]
		if call.Overtime {
			all = append(all, fmt.Sprintf("%s had not ended after %v and was killed", which, call.Took.Round(100*time.Millisecond)))
		}
		if call.Left {
			all = append(all, which+" left processes running, which were killed")
		}
		if call.Printed > maxOutput {
			all = append(all, fmt.Sprintf("%s printed %d bytes; all but the first %d were thrown away", which, call.Printed, maxOutput))
		}
	}
	if j.Unkept > 0 {
		all = append(all, fmt.Sprintf("%d more requests came and were not kept", j.Unkept))
	}
	return all
}

// nothing says why nothing can be said of a journal; "" if something can. A client that sends nothing passes nothing.
func (j *Journal) nothing() string {
	switch {
	case j.Fault != nil:
		return j.Fault.Error()
	case len(j.tries()) == 0:
		return "the client sent no lead" + j.words()
	}
	return ""
}

// words are what the client had to say, for the reader who wonders why it sent nothing.
func (j *Journal) words() string {
	if len(j.Calls) == 0 {
		return ""
	}
	said := strings.Join(strings.Fields(j.Calls[0].Output), " ")
	if len(said) > 200 {
		said = strings.ToValidUTF8(said[:200], "") + "…"
	}
	if said == "" {
		said = "nothing"
	}
	return fmt.Sprintf(" (exit status %d; it printed %s)", j.Calls[0].Status, said)
}

// controlled says why an absence proves nothing; "" if the second lead came and was accepted, and the call for it ended
// by itself, so that the first lead would have come again if it were to.
func (j *Journal) controlled() string {
	if len(j.Calls) > 1 && j.Calls[1].cutShort() {
		return "the client was not done with the second lead when it, or what it left running, was killed: whether the first would have come again is not known"
	}
	second := j.with(SecondLead)
	if len(second) == 0 {
		return "the control failed: the client sent no second lead"
	}
	for _, e := range second {
		if e.Status/100 == 2 {
			return ""
		}
	}
	return fmt.Sprintf("the control failed: the second lead was answered %d %s", second[0].Status, brief(second[0].AnswerBody))
}

func brief(body []byte) string {
	text := strings.Join(strings.Fields(string(body)), " ")
	if len(text) > 120 {
		text = strings.ToValidUTF8(text[:120], "") + "…"
	}
	return text
}

// Judge decides every row that has a journal for each of its scenarios, and returns the outcomes by row.
func (t Trial) Judge(ctx context.Context, journals map[string]*Journal) map[string]spec.Outcome {
	p := target.Reference("http://127.0.0.1", "")
	runner := spec.NewRunner(p, nil, nil)
	outcomes := map[string]spec.Outcome{}
	for _, row := range Rows(t.Book.Recipe) {
		if t.Only != nil && !t.Only(row.ID) {
			continue
		}
		var mine []*Journal
		for _, s := range t.Book.of(row.ID) {
			if j := journals[s.Name]; j != nil {
				mine = append(mine, j)
			}
		}
		f := unassessed("its scenarios were not played")
		if len(mine) > 0 && len(mine) == len(t.Book.of(row.ID)) {
			f = rules[row.ID].judge(mine, p)
		}
		outcome := runner.Run(ctx, spec.Spec{ID: row.ID, Measure: func(context.Context) spec.Measured { return f.measured(row) }})
		for _, j := range mine {
			outcome.DurationMS = max(outcome.DurationMS, float64(j.Length.Microseconds())/1000)
		}
		if t.Again != nil {
			outcome = reproducedBy(outcome, t.Again(row.ID))
		}
		outcomes[row.ID] = outcome
	}
	return outcomes
}

// reproducedBy is an outcome whose exchanges are reproduced by a command.
func reproducedBy(o spec.Outcome, command string) spec.Outcome {
	o.Exchanges = slices.Clone(o.Exchanges)
	for i := range o.Exchanges {
		if i == o.Culprit {
			o.Message = strings.Replace(o.Message, o.Exchanges[i].Curl, command, 1)
		}
		o.Exchanges[i].Curl = command
	}
	return o
}

// measured is the finding as a report has it.
func (f finding) measured(row catalogue.Row) spec.Measured {
	m := spec.Measured{Result: f.result, Reason: f.reason, Notes: f.notes, Must: f.must}
	if f.result == spec.Failed {
		m.Expected, m.Actual = f.expected, f.reason
	}
	for i, e := range f.shown {
		x := e.exchange(row)
		if i > 0 && e.About == f.shown[i-1].About && e.Arrived >= f.shown[i-1].Answered {
			x.Request.Comment = fmt.Sprintf("%.3f s after the answer before", (e.Arrived - f.shown[i-1].Answered).Seconds())
		}
		m.Exchanges = append(m.Exchanges, x)
	}
	return m
}

// errDropped stands in a report where an answer would.
var errDropped = errors.New("the script closed the connection without an answer")

func (e *Entry) exchange(row catalogue.Row) *target.Exchange {
	x := &target.Exchange{
		Request: target.Request{API: RecipeOf(row), Row: row.ID, Method: e.Method, Path: e.Path, Header: e.Header, Body: e.Body},
		URL:     "http://127.0.0.1" + e.Path, At: e.At, Took: e.Answered - e.Arrived,
	}
	if e.Status == 0 {
		x.Err = errDropped
		return x
	}
	x.Response = &target.Response{Status: e.Status, Proto: "HTTP/1.1", Header: e.AnswerHeader, Body: e.AnswerBody}
	return x
}

// status names what a request was answered with.
func (e *Entry) status() string {
	if e.Status == 0 {
		return "a dropped connection"
	}
	return fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
}
