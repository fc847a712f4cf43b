package command

import (
	"fmt"
	"os"

	"leadconform/specs/internal/diff"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/verdict"
)

type diffCmd struct {
	Old    string `arg:"" help:"The report.json to compare with." type:"path" predictor:"json"`
	New    string `arg:"" help:"The report.json of the new run." type:"path" predictor:"json"`
	Format string `help:"What stdout receives: text or json." default:"text" enum:"text,json"`
}

// Help is shown by specs diff --help.
func (diffCmd) Help() string {
	return `Exit status: 1 on a regression, 0 otherwise, 2 if a report can't be read.

A regression is a row that got worse: it passed and no longer does (whether it now fails or was not assessed), it is now found to fail, or it has gone from the report. A failure that the profile waives is none, and rows of level OBS are never judged. Rows that one of the runs was not asked for are left out, with a note. A limit that moved is shown; whether it moved too far, its rows say.

Examples:

  specs diff yesterday/report.json report/report.json
  specs diff baseline.json report/report.json --format json
  specs verify --profile staging.yaml; specs diff baseline.json report/report.json`
}

// Run compares two reports.
func (d *diffCmd) Run(w *World) error {
	older, err := readReport(d.Old)
	if err != nil {
		return err
	}
	newer, err := readReport(d.New)
	if err != nil {
		return err
	}
	found := diff.Compare(older, newer)
	w.summarise(found.WriteMarkdown)
	if d.Format == "json" {
		err = report.EncodeJSON(w.Stdout, found)
	} else {
		err = found.WriteText(w.Stdout)
	}
	if err != nil {
		return fmt.Errorf("write the differences: %w", err)
	}
	if found.Regressions() > 0 {
		return &exitError{status: verdict.ExitFailed}
	}
	return nil
}

func readReport(path string) (*report.Report, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usage("read a report: %w", err)
	}
	r, err := report.Read(text)
	if err != nil {
		return nil, usage("%s: %s", path, oneLine(err))
	}
	return r, nil
}
