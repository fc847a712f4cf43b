package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"leadconform/fixtures/target"
	"leadconform/load/harness"
	"leadconform/specs/internal/verdict"
)

// apiNames are the APIs as a person calls them.
var apiNames = map[string]string{
	target.APIDistro: "Lead Distro API", target.APIInsertion: "Insertion API", "client": "Client",
}

// APIName returns an API's name as a person calls it.
func APIName(api string) string { return apiNames[api] }

// Terminal writes reports for a person.
type Terminal struct {
	W      io.Writer
	Colour bool
}

// Write writes the whole report: a table of sections, every failure and warning explained, every row that was not
// assessed with its reason, and the verdict last, where the eye is.
func (t Terminal) Write(r *Report) {
	t.sections(r)
	t.limits(r)
	t.explained(r, "Failed", text.FgRed, func(row Row) bool { return row.Verdict == verdict.Fail && row.Waived == "" })
	t.explained(r, "Failed, but waived", text.FgYellow, func(row Row) bool { return row.Waived != "" })
	t.explained(r, "Warnings (SHOULD)", text.FgYellow, func(row Row) bool { return row.Verdict == verdict.Warn && row.Waived == "" })
	t.notes(r)
	t.notAssessed(r)
	t.problems(r)
	t.verdict(r)
}

func (t Terminal) paint(c text.Color, s string) string {
	if !t.Colour {
		return s
	}
	return c.Sprint(s)
}

func (t Terminal) printf(format string, args ...any) { _, _ = fmt.Fprintf(t.W, format, args...) }

// sections counts the verdicts of each section, in one table an API.
func (t Terminal) sections(r *Report) {
	var tw table.Writer
	api := ""
	for _, s := range r.sections() {
		if r.Run.Selected && !slices.ContainsFunc(s.rows, func(row Row) bool { return row.counts }) {
			continue
		}
		if s.api != api {
			if tw != nil {
				tw.Render()
				t.printf("\n")
			}
			api = s.api
			tw = t.table(apiNames[api], "pass", "fail", "warn", "observed", "not assessed")
			columns := []table.ColumnConfig{{Number: 1, WidthMin: 36}}
			for n := 2; n <= 6; n++ {
				columns = append(columns, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight})
			}
			tw.SetColumnConfigs(columns)
		}
		var n Summary
		for _, row := range s.rows {
			if row.counts || !r.Run.Selected {
				n.count(row.Verdict)
			}
		}
		tw.AppendRow(table.Row{s.title, t.count(text.FgGreen, n.Pass), t.count(text.FgRed, n.Fail), t.count(text.FgYellow, n.Warn),
			t.count(text.FgCyan, n.Observed), t.count(text.FgYellow, n.NotAssessed)})
	}
	if tw != nil {
		tw.Render()
	}
}

// limits says of each endpoint that was attacked what is promised and what was measured.
func (t Terminal) limits(r *Report) {
	if len(r.Limits) == 0 {
		return
	}
	tw := t.table("limit", "promised", "measured", "verdict")
	for _, l := range r.Limits {
		tw.AppendRow(table.Row{l.API + " " + l.Endpoint, promised(l.Policy), measured(l.Estimate), string(l.Verdict)})
	}
	t.printf("\n")
	tw.Render()
}

func promised(p harness.Promise) string {
	if p.Burst == 0 {
		return fmt.Sprintf("a window of %.4g s", p.WindowS)
	}
	return fmt.Sprintf("%.4g/s, %.4g/s for %.4g s", p.Rate, p.Burst, p.WindowS)
}

func measured(estimate map[string]float64) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(estimate)) {
		words = append(words, fmt.Sprintf("%s %.4g", name, estimate[name]))
	}
	return strings.Join(words, ", ")
}

// table starts a table with a header.
func (t Terminal) table(header ...any) table.Writer {
	tw := table.NewWriter()
	tw.SetOutputMirror(t.W)
	tw.SetStyle(table.StyleLight)
	tw.Style().Options = table.Options{SeparateHeader: true}
	tw.Style().Format.Header = text.FormatDefault
	tw.AppendHeader(header)
	return tw
}

func (t Terminal) count(c text.Color, n int) string {
	if n == 0 {
		return ""
	}
	return t.paint(c, fmt.Sprint(n))
}

func (t Terminal) heading(c text.Color, format string, args ...any) {
	t.printf("\n%s\n", t.paint(c, fmt.Sprintf(format, args...)))
}

func (t Terminal) explained(r *Report, title string, c text.Color, is func(Row) bool) {
	rows := r.rowsThat(is)
	if len(rows) == 0 {
		return
	}
	t.heading(c, "%s: %d", title, len(rows))
	for _, row := range rows {
		t.printf("\n%s", target.Printable(row.message))
		if row.Waived != "" {
			t.printf("waived    %s\n", row.Waived)
		}
	}
}

// notes lists what rows have to add; what several have to, once.
func (t Terminal) notes(r *Report) {
	var notes []string
	rows := map[string][]string{} // by note
	for _, row := range r.Rows {
		for _, note := range row.Notes {
			if rows[note] == nil {
				notes = append(notes, note)
			}
			rows[note] = append(rows[note], row.ID)
		}
	}
	if len(notes) == 0 {
		return
	}
	t.heading(text.Bold, "Notes")
	for _, note := range notes {
		if ids := rows[note]; len(ids) == 1 {
			t.printf("  %-12s %s\n", ids[0], target.Printable(note))
		} else {
			t.printf("  %s\n", target.Printable(note))
			t.listIDs(ids)
		}
	}
}

// notAssessed lists the rows that were not assessed, by reason.
func (t Terminal) notAssessed(r *Report) {
	reasons := r.unassessed()
	if len(reasons) == 0 {
		return
	}
	rows := 0
	for _, reason := range reasons {
		rows += len(reason.IDs)
	}
	t.heading(text.FgYellow, "Not assessed: %d", rows)
	for _, reason := range reasons {
		t.printf("  %s\n", reason.Reason)
		t.listIDs(reason.IDs)
	}
}

func (t Terminal) listIDs(ids []string) {
	for line := range strings.Lines(text.WrapSoft(strings.Join(ids, " "), 104)) {
		t.printf("      %s\n", strings.TrimSpace(line))
	}
}

func (t Terminal) problems(r *Report) {
	if len(r.Problems) == 0 {
		return
	}
	t.heading(text.FgRed, "Problems")
	for _, problem := range r.Problems {
		t.printf("  %s\n", target.Printable(problem))
	}
}

func (t Terminal) verdict(r *Report) {
	c := map[verdict.Overall]text.Color{verdict.Conformant: text.FgGreen, verdict.NonConformant: text.FgRed,
		verdict.Inconclusive: text.FgYellow}[r.Verdict]
	scope := "at level " + r.Run.Level
	if r.Run.Selected {
		scope = "in the selected rows"
	}
	t.printf("\n%s %s\n", t.paint(c, strings.ToUpper(string(r.Verdict))), scope)
	for _, api := range []string{target.APIDistro, target.APIInsertion, "client"} {
		if level, ok := r.Levels[api]; ok {
			t.printf("  %-16s level granted: %s\n", apiNames[api], level)
		}
	}
	s := r.Summary
	t.printf("  %d rows: %d pass, %d fail, %d warn, %d observed, %d not assessed; %d requests in %v\n",
		len(r.Rows), s.Pass, s.Fail, s.Warn, s.Observed, s.NotAssessed, r.Run.Requests,
		r.Run.Finished.Sub(r.Run.Started).Round(10*time.Millisecond))
}

func (r *Report) rowsThat(is func(Row) bool) []Row {
	var rows []Row
	for _, row := range r.Rows {
		if is(row) {
			rows = append(rows, row)
		}
	}
	return rows
}
