package matrix

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"leadconform/specs/internal/catalogue"
)

// WriteFiles writes mutants.json and mutants.md into a folder, which it makes if need be.
func (m *Matrix) WriteFiles(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder (--out): %w", err)
	}
	for name, write := range map[string]func(io.Writer) error{"mutants.json": m.WriteJSON, "mutants.md": m.WriteMarkdown} {
		if err := writeFile(filepath.Join(dir, name), write); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// WriteJSON writes the matrix as indented JSON.
func (m *Matrix) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(m)
}

// apis are the APIs in words.
var apis = map[string]string{
	catalogue.Distro: "Lead Distro API", catalogue.Insertion: "Insertion API", catalogue.Client: "clients", "": "both APIs",
}

// summary is the table of the totals.
func (m *Matrix) summary() table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header, t.Style().Format.Footer = 0, 0
	t.AppendHeader(table.Row{"part", "of", "wrong", "killed", "survived", "conforming", "runs", "false alarms", "null", "fooled", "not tried"})
	var sum Total
	for _, one := range m.Totals {
		t.AppendRow(one.row(one.Part, apis[one.API]))
		sum.join(one)
	}
	t.AppendFooter(sum.row("all", ""))
	return t
}

func (t Total) row(part, of string) table.Row {
	return table.Row{part, of, t.Wrong, t.Killed, t.Survived, t.Conforming, t.Runs, t.FalseAlarms, t.Null, t.Fooled, t.Errors}
}

func (t *Total) join(o Total) {
	t.Wrong, t.Killed, t.Survived = t.Wrong+o.Wrong, t.Killed+o.Killed, t.Survived+o.Survived
	t.Conforming, t.Runs, t.FalseAlarms = t.Conforming+o.Conforming, t.Runs+o.Runs, t.FalseAlarms+o.FalseAlarms
	t.Null, t.Fooled, t.Errors = t.Null+o.Null, t.Fooled+o.Fooled, t.Errors+o.Errors
}

// Sum is all totals together.
func (m *Matrix) Sum() Total {
	var sum Total
	for _, one := range m.Totals {
		sum.join(one)
	}
	return sum
}

// proven counts the rows of a level that were judged, and those of them that killed something.
func (m *Matrix) proven(level catalogue.Level) (judged, proven int) {
	for _, line := range m.Rows {
		if line.Level == level && line.Judged {
			judged++
			if len(line.Kills) > 0 {
				proven++
			}
		}
	}
	return judged, proven
}

// unjudged are the rows of the parts that weren't given.
func (m *Matrix) unjudged() int {
	n := 0
	for _, line := range m.Rows {
		if !line.Judged && line.Level != catalogue.Obs {
			n++
		}
	}
	return n
}

// remedies say how the parts come about.
var remedies = map[string]string{
	Servers:  "specs mutants",
	Limiters: "--limits FILE, written by go test ./load/harness (make mutants does it)",
	Clients:  "--clients FILE, written by go test ./specs/internal/clients (make mutants does it)",
}

// findings are the matrix in sentences.
func (m *Matrix) findings() []string {
	var all []string
	for _, level := range []catalogue.Level{catalogue.Must, catalogue.Should} {
		judged, proven := m.proven(level)
		text := fmt.Sprintf("%d of %d %s rows killed something", proven, judged, level)
		if idle := m.Idle(level); len(idle) > 0 && !m.Selected {
			text += "; never: " + strings.Join(idle, ", ")
		}
		all = append(all, text)
	}
	if len(m.Missing) > 0 {
		all = append(all, fmt.Sprintf("%d rows were not judged, since their parts were not given:", m.unjudged()))
		for _, name := range m.Missing {
			all = append(all, fmt.Sprintf("  %s: %s", name, remedies[name]))
		}
	}
	with, most := 0, 0
	for _, v := range m.Subjects {
		if len(v.Collateral) > 0 {
			with, most = with+1, max(most, v.beside())
		}
	}
	if sum := m.Sum(); sum.Wrong > 0 {
		all = append(all, fmt.Sprintf("collateral: %d of %d wrong ones keep rows from passing beside those that they declare, at most %d", with, sum.Wrong, most))
	}
	return all
}

// WriteText writes the summary for a terminal, and with each a line for every subject.
func (m *Matrix) WriteText(w io.Writer, each bool) error {
	var b strings.Builder
	if each {
		for _, v := range m.Subjects {
			fmt.Fprintf(&b, "%-12s %-40s %s\n", v.State, v.ID, strings.Join(slices.Concat(v.By, v.Passed), " "))
			if len(v.Collateral) > 0 {
				fmt.Fprintf(&b, "%-12s %-40s beside: %s\n", "", "", strings.Join(v.Collateral, " "))
			}
		}
		b.WriteString("\n")
	}
	b.WriteString(m.summary().Render() + "\n")
	for _, line := range m.findings() {
		b.WriteString(line + "\n")
	}
	for _, fault := range m.Faults {
		b.WriteString("FAULT " + fault + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteMarkdown writes the whole matrix as Markdown.
func (m *Matrix) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# The kill matrix\n\nleadconform %s (%s), level %s, %.0f s for the servers. ", m.Version, m.Commit, m.Level, m.Seconds)
	fmt.Fprintf(&b, "A wrong subject is killed if a row that names its fault fails, a conforming one is accepted if every row passes, on a null one no row may pass.\n\n%s\n\n", m.summary().RenderMarkdown())
	for _, line := range m.findings() {
		fmt.Fprintf(&b, "- %s\n", strings.TrimSpace(line))
	}
	fmt.Fprintf(&b, "\n## Faults\n\n")
	if len(m.Faults) == 0 {
		b.WriteString("None.\n")
	}
	for _, fault := range m.Faults {
		fmt.Fprintf(&b, "- %s\n", fault)
	}
	fmt.Fprintf(&b, "\n## Subjects\n\n%s\n\n## Rows\n\n%s\n", m.subjects().RenderMarkdown(), m.rows().RenderMarkdown())
	_, err := io.WriteString(w, b.String())
	return err
}

func (m *Matrix) subjects() table.Writer {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"part", "subject", "what it does", "came out", "by", "beside"})
	for _, v := range m.Subjects {
		t.AppendRow(table.Row{v.Part, v.ID, v.Title, v.State, strings.Join(slices.Concat(v.By, v.Passed), " "), strings.Join(v.Collateral, " ")})
	}
	return t
}

func (m *Matrix) rows() table.Writer {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"row", "level", "kills", "which", "fails on others"})
	for _, line := range m.Rows {
		kills := any(len(line.Kills))
		switch {
		case line.Level == catalogue.Obs:
			kills = "observed"
		case !line.Judged:
			kills = "not judged"
		}
		t.AppendRow(table.Row{line.ID, line.Level, kills, strings.Join(line.Kills, ", "), line.Also})
	}
	return t
}
