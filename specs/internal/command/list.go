package command

import (
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"leadconform/specs/internal/catalogue"
)

type listCmd struct {
	API    string `name:"api" help:"Only one API: distro, insertion or client." placeholder:"API" predictor:"api"`
	Level  string `help:"Only one level: MUST, SHOULD or OBS." placeholder:"LEVEL"`
	Tier   string `help:"Only one tier: core, limits or full." placeholder:"TIER" predictor:"tier"`
	Format string `help:"text or json." default:"text" enum:"text,json"`
	Only   string `arg:"" optional:"" help:"An ID or a glob, such as 'IN-IDEM-*'." predictor:"row"`
}

// Help is shown by specs list --help.
func (listCmd) Help() string {
	return `Examples:

  specs list                              every requirement, by section
  specs list 'IN-IDEM-*'                  some of them
  specs list --api distro --level must --tier core
  specs list --format json                with statement, source and needs`
}

// Run lists the rows.
func (l *listCmd) Run(w *World) error {
	rows, err := l.rows()
	if err != nil {
		return err
	}
	if l.Format == "json" {
		return catalogue.WriteJSON(w.Stdout, rows)
	}
	section := ""
	for _, row := range rows {
		if here := row.API + ": " + row.Section; here != section {
			if section != "" {
				w.printf("\n")
			}
			section = here
			w.printf("%s\n", section)
		}
		w.printf("  %-20s %-6s %-6s %s\n", row.ID, row.Level, row.Tier, row.Title)
	}
	return nil
}

func (l *listCmd) rows() ([]catalogue.Row, error) {
	rows := slices.DeleteFunc(catalogue.Rows(), func(r catalogue.Row) bool {
		return (l.API != "" && r.API != l.API) || (l.Level != "" && !strings.EqualFold(string(r.Level), l.Level)) ||
			(l.Tier != "" && string(r.Tier) != l.Tier) || (l.Only != "" && !matches([]string{l.Only}, r.ID))
	})
	if len(rows) == 0 {
		return nil, usage("no row is like that (specs list without flags shows them all)")
	}
	return rows, nil
}

type explainCmd struct {
	ID string `arg:"" help:"A row's ID, such as LD-400-01, or a glob." predictor:"row"`
}

// Help is shown by specs explain --help.
func (explainCmd) Help() string {
	return `Examples:

  specs explain LD-422-05
  specs explain 'IN-409-*'`
}

// sources are the letters of a row's source in words.
var sources = map[string]string{
	"S": "the provider's document", "P": "the provider's other public pages", "R": "an RFC", "D": "a decision of this project, where the documents are silent",
}

// Run explains rows.
func (x *explainCmd) Run(w *World) error {
	found := false
	for _, row := range catalogue.Rows() {
		if !matches([]string{x.ID}, row.ID) {
			continue
		}
		if found {
			w.printf("\n")
		}
		found = true
		w.explain(row)
	}
	if !found {
		return usage("there is no row %s (specs list shows them all)", x.ID)
	}
	return nil
}

func (w *World) explain(row catalogue.Row) {
	w.printf("%s  %s\n\n", row.ID, row.Title)
	for line := range strings.Lines(text.WrapSoft(strings.TrimSpace(row.Text), 100)) {
		w.printf("%s\n", strings.TrimRight(line, " \n"))
	}
	w.printf("\n")
	w.printf("level    %s\ntier     %s\nAPI      %s, %s\n", row.Level, row.Tier, row.API, row.Section)
	var words []string
	for _, s := range row.Source {
		words = append(words, sources[s])
	}
	w.printf("source   %s (%s)\n", strings.Join(words, "; "), row.Cites)
	needs := "nothing beyond a minimal profile"
	if len(row.Needs) > 0 {
		needs = strings.Join(row.Needs, ", ")
	}
	w.printf("needs    %s\n", needs)
}
