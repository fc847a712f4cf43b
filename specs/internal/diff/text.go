package diff

import (
	"fmt"
	"io"
	"strings"
	"time"

	"leadconform/fixtures/target"
)

// WriteText writes the differences for a person, the verdict last.
func (d Diff) WriteText(w io.Writer) error {
	t := &text{w: w}
	t.side("old", d.Old)
	t.side("new", d.New)
	for _, note := range d.Notes {
		t.printf("note: %s\n", note)
	}
	t.rows("Regressions", d.of(Regression))
	t.rows("Improvements", d.of(Improvement))
	t.rows("Other changes", d.of(Other))
	t.limits(d.Limits)
	switch n := d.Regressions(); {
	case n > 0:
		t.printf("\nREGRESSION: %d rows got worse\n", n)
	case len(d.Rows)+len(d.Limits) == 0:
		t.printf("\nNO DIFFERENCE\n")
	default:
		t.printf("\nNO REGRESSION\n")
	}
	return t.err
}

func (d Diff) of(k Kind) []RowChange {
	var rows []RowChange
	for _, row := range d.Rows {
		if row.Kind == k {
			rows = append(rows, row)
		}
	}
	return rows
}

// text keeps the first error of a writer.
type text struct {
	w   io.Writer
	err error
}

func (t *text) printf(format string, args ...any) {
	if t.err == nil {
		_, t.err = io.WriteString(t.w, target.Printable(fmt.Sprintf(format, args...)))
	}
}

func (t *text) side(name string, s Side) {
	t.printf("%s  %s, %s, level %s: %s (run %s, leadconform %s, commit %s)\n", name, s.Target,
		s.Run.Started.UTC().Format(time.DateTime), s.Run.Level, s.Verdict, s.Run.ID, s.Suite.Version, s.Suite.Commit)
}

func (t *text) rows(title string, rows []RowChange) {
	if len(rows) == 0 {
		return
	}
	t.printf("\n%s: %d\n", title, len(rows))
	for _, row := range rows {
		t.printf("  %-20s %-6s %-24s %s\n", row.ID, row.Level, word(string(row.Old), "new")+" → "+word(string(row.New), "gone"), row.Title)
		if reason := strings.Join(strings.Fields(row.Reason), " "); reason != "" {
			t.printf("      %s\n", reason)
		}
		if row.Waived != "" {
			t.printf("      waived: %s\n", row.Waived)
		}
	}
}

func word(verdict, otherwise string) string {
	if verdict == "" {
		return otherwise
	}
	return verdict
}

func (t *text) limits(limits []LimitChange) {
	if len(limits) == 0 {
		return
	}
	t.printf("\nLimits that moved by more than %.0f %%: %d\n", 100*Moved, len(limits))
	for _, l := range limits {
		percent := ""
		if l.Old != 0 {
			percent = fmt.Sprintf(" (%+.1f %%)", 100*(l.New-l.Old)/l.Old)
		}
		t.printf("  %s %s, key %s: %s %.4g → %.4g%s\n", l.API, l.Endpoint, l.Supplier, l.Figure, l.Old, l.New, percent)
	}
}
