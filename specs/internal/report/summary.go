package report

import (
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
	"time"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/verdict"
)

// mostInSummary bounds the rows that a summary tells of: a page takes a mebibyte.
const mostInSummary = 100

// WriteMarkdown writes the report in short, for a page such as GitHub's step summary: the verdict, the levels, the counts,
// every failure and warning, and what was not assessed. What a target said stands in HTML without an empty line, where
// it is neither Markdown nor markup.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	scope := "at level " + r.Run.Level
	if r.Run.Selected {
		scope = "in the selected rows"
	}
	fmt.Fprintf(&b, "## leadconform: %s %s\n\n", r.Verdict, scope)
	fmt.Fprintf(&b, "<p><b>%s</b>, run %s, %s, suite %s (commit %s)</p>\n\n", plain(r.Target.Name), plain(r.Run.ID),
		r.Run.Started.UTC().Format(time.DateTime), plain(r.Suite.Version), plain(r.Suite.Commit))
	b.WriteString("| | level granted |\n|---|---|\n")
	for _, api := range []string{target.APIDistro, target.APIInsertion, "client"} {
		if level, tested := r.Levels[api]; tested {
			fmt.Fprintf(&b, "| %s | %s |\n", apiNames[api], level)
		}
	}
	s := r.Summary
	fmt.Fprintf(&b, "\n%d rows: %d pass, %d fail, %d warn, %d observed, %d not assessed\n\n", len(r.Rows), s.Pass, s.Fail, s.Warn, s.Observed, s.NotAssessed)
	for _, problem := range r.Problems {
		fmt.Fprintf(&b, "<p>Problem: %s</p>\n\n", plain(problem))
	}
	r.summariseFailures(&b)
	r.summariseUnassessed(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) summariseFailures(b *strings.Builder) {
	rows := r.rowsThat(func(row Row) bool { return row.Verdict == verdict.Fail || row.Verdict == verdict.Warn })
	if len(rows) == 0 {
		return
	}
	slices.SortStableFunc(rows, func(x, y Row) int { return strings.Compare(string(x.Verdict), string(y.Verdict)) }) // fail, then warn
	b.WriteString("<table><tr><th>Row</th><th>Verdict</th><th>Requirement</th><th>Expected</th><th>Got</th></tr>\n")
	for _, row := range rows[:min(len(rows), mostInSummary)] {
		word := string(row.Verdict)
		if row.Waived != "" {
			word += ", waived: " + row.Waived
		}
		fmt.Fprintf(b, "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n",
			plain(row.ID), plain(word), plain(row.Title), plain(row.Expected), plain(row.Actual))
	}
	b.WriteString("</table>\n\n")
	if more := len(rows) - mostInSummary; more > 0 {
		fmt.Fprintf(b, "and %d more: see the report\n\n", more)
	}
}

func (r *Report) summariseUnassessed(b *strings.Builder) {
	groups := r.unassessed()
	if len(groups) == 0 {
		return
	}
	n := 0
	for _, g := range groups {
		n += len(g.IDs)
	}
	fmt.Fprintf(b, "<details><summary>Not assessed: %d</summary><ul>\n", n)
	for _, g := range groups[:min(len(groups), mostInSummary)] {
		fmt.Fprintf(b, "<li>%s<br>%s</li>\n", plain(g.Reason), plain(strings.Join(g.IDs, " ")))
	}
	b.WriteString("</ul></details>\n\n")
}

// plain is a text as HTML shows it, on one line.
func plain(text string) string { return html.EscapeString(plainLine(text)) }

// plainLine is a text on one line, cut, without what steers a terminal.
func plainLine(text string) string {
	const most = 600                                                     // characters
	text = strings.ToValidUTF8(text[:min(len(text), 10*most)], "\uFFFD") // the rest would be cut anyway
	text = strings.Join(strings.Fields(target.Printable(text)), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
