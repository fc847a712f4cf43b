package report_test

import (
	"bytes"
	"strings"
	"testing"

	"leadconform/specs/internal/verdict"
)

func TestSummaryTellsTheVerdictAndEveryFailure(t *testing.T) {
	var b bytes.Buffer
	if err := sample(t, false).WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"## leadconform: non-conformant at level core\n", "| Lead Distro API | none |", "<td>LD-ENV-02</td><td>fail</td>",
		"<td>LD-ENV-03</td><td>warn</td>", "<td>fail, waived: known</td>", "<summary>Not assessed: ", "of tier limits, above the asked level core<br>LD-429-01"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the summary lacks %q:\n%s", want, b.String())
		}
	}
}

// What a target said is shown as it is, and does nothing: it is escaped, on one line, and has no escape sequence.
func TestSummaryIsSafeAgainstHostileText(t *testing.T) {
	r := sample(t, false)
	evil := hostile + "\n\n# heading\n\n[link](javascript:alert(1)) |\n<img src=x onerror=alert(1)>"
	r.Target.Name, r.Problems = evil, []string{evil}
	for i := range r.Rows {
		if r.Rows[i].Verdict == verdict.Fail {
			r.Rows[i].Expected, r.Rows[i].Actual, r.Rows[i].Waived = evil, strings.Repeat(evil, 1000), evil
		}
		if r.Rows[i].Verdict == verdict.NotAssessed {
			r.Rows[i].Reason = evil
		}
	}
	var b bytes.Buffer
	if err := r.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, bad := range []string{"<script", "<img", "\x1b", "\x00", "\n# heading"} {
		if strings.Contains(text, bad) {
			t.Errorf("the summary holds %q", bad)
		}
	}
	for line := range strings.Lines(text) { // what a target said stands within an HTML block, where Markdown isn't read
		if strings.Contains(line, "javascript:") && !strings.HasPrefix(line, "<") {
			t.Errorf("outside an HTML block: %s", line)
		}
	}
	if len(text) > 100_000 {
		t.Errorf("the summary has %d bytes", len(text))
	}
}
