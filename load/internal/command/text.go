package command

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"leadconform/load/harness"
)

// writeVerdict writes a verdict as a person reads it: what was promised and measured, every row, and how much of each.
func writeVerdict(w io.Writer, doc document) {
	writeLimits(w, doc.Limits)
	api := ""
	for _, row := range doc.Rows {
		if row.API != api {
			api = row.API
			_, _ = fmt.Fprintf(w, "\n%s\n", api)
		}
		writeRow(w, row)
	}
	_, _ = fmt.Fprintf(w, "\n  %d passed, %d failed, %d observed, %d not assessed; %d requests in %v; jitter %v\n",
		doc.Summary[harness.Pass], doc.Summary[harness.Fail], doc.Summary[harness.Observed], doc.Summary[harness.NotAssessed],
		doc.Requests, doc.Finished.Sub(doc.Started).Round(100*time.Millisecond), doc.Jitter.Round(time.Microsecond))
	for _, note := range doc.Notes {
		_, _ = fmt.Fprintf(w, "  note: %s\n", note)
	}
}

func writeLimits(w io.Writer, limits []harness.Limit) {
	_, _ = fmt.Fprintf(w, "\n  %-9s %-24s %s\n", "endpoint", "promised", "measured")
	for _, l := range limits {
		promised := fmt.Sprintf("%g/s, %g/s for %gs", l.Policy.Rate, l.Policy.Burst, l.Policy.WindowS)
		if l.Policy.Rate == 0 {
			promised = fmt.Sprintf("a window of %gs", l.Policy.WindowS)
		}
		var measured []string
		for _, name := range []string{"rate", "burst", "credit", "requests", "window_s"} {
			if figure, ok := l.Estimate[name]; ok {
				measured = append(measured, fmt.Sprintf("%s %.4g", strings.TrimSuffix(name, "_s"), figure))
			}
		}
		_, _ = fmt.Fprintf(w, "  %-9s %-24s %s\n", l.Endpoint, promised, strings.Join(measured, ", "))
	}
}

// words of the outcomes, of one width.
var words = map[harness.Outcome]string{
	harness.Pass: "pass", harness.Fail: "FAIL", harness.Observed: "obs ", harness.NotAssessed: "?   ",
}

// word is what an outcome is called, which for a failure depends on the row's level.
func word(o harness.Outcome, l harness.Level) string {
	if o == harness.Fail && l != harness.Must {
		return "warn"
	}
	return words[o]
}

func writeRow(w io.Writer, row harness.Row) {
	_, _ = fmt.Fprintf(w, "  %s  %-22s %s\n", word(row.Outcome, row.Level), row.ID, strings.Join(figures(row), "; "))
	if row.Reason != "" {
		_, _ = fmt.Fprintf(w, "        %s\n", row.Reason)
	}
	for _, note := range row.Notes {
		_, _ = fmt.Fprintf(w, "        note: %s\n", note)
	}
}

// figures are those that decided the row, with what was accepted and what could not have been seen. What came out the same
// on several endpoints is said once.
func figures(row harness.Row) []string {
	if len(row.Findings) == 0 {
		return []string{row.Actual}
	}
	var all []string
	where := map[string][]string{}
	for _, f := range row.Findings {
		if f.Verdict != row.Outcome || f.Verdict == harness.NotAssessed {
			continue
		}
		text := fmt.Sprintf("%s %.4g", f.Clause, f.Figure)
		if f.Verdict != harness.Observed {
			text += fmt.Sprintf(" (%v)", f.Accept)
		}
		if f.Detectable != "" {
			text += ", would have seen " + f.Detectable
		}
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
		where[text] = append(where[text], f.Endpoint)
	}
	for i, text := range all {
		if names := strings.Join(where[text], ", "); names != "" && !strings.Contains(row.ID, strings.ToUpper(names)) {
			all[i] = names + ": " + text
		}
	}
	return all
}
