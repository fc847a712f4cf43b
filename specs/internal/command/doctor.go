package command

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"leadconform/fixtures"
	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/verdict"
)

type doctorCmd struct {
	targetFlags
}

// Help is shown by specs doctor --help.
func (doctorCmd) Help() string {
	return `Sends one harmless request per credential, and no other. Exit status: 0 if every row could be assessed, 3 if a MUST row could not, 2 for a profile that is wrong, 4 if the target can't be reached or no credential works.

Examples:

  specs doctor                            the embedded reference server
  specs doctor --profile staging.yaml     before the first run against a staging`
}

// Run checks a profile against its target.
func (d *doctorCmd) Run(ctx context.Context, w *World) error {
	c, err := d.choose(ctx, w)
	if err != nil {
		return err
	}
	defer c.stop()
	client := target.NewClient(c.profile, target.Options{RunID: target.NewRunID(), Version: Version})
	defer client.Close()
	tried, err := c.preflight(ctx, client)
	for _, a := range tried {
		w.printf("%-9s credential %-14s %s\n", a.api, a.role, a.word())
	}
	if err != nil {
		return err
	}
	for _, remark := range c.remarks {
		w.printf("note: %s\n", remark)
	}
	return c.missing(w)
}

func (a attempt) word() string {
	if a.problem != "" {
		return "doesn't work: " + a.problem
	}
	return fmt.Sprintf("works (answered %d)", a.status)
}

// missing says which rows the profile is too poor for, grouped by what they lack.
func (c *chosen) missing(w *World) error {
	lacking := map[string][]string{}
	var order []string
	must, total := 0, 0
	for _, row := range catalogue.Rows() {
		if !slices.Contains(c.apis, row.API) {
			continue
		}
		total++
		missing := c.profile.Missing(row.API, row.Needs)
		if len(missing) == 0 {
			continue
		}
		key := row.API + "." + strings.Join(missing, ", "+row.API+".")
		if lacking[key] == nil {
			order = append(order, key)
		}
		lacking[key] = append(lacking[key], fmt.Sprintf("%s (%s, %s)", row.ID, row.Level, row.Tier))
		if row.Level == catalogue.Must {
			must++
		}
	}
	if len(order) == 0 {
		w.printf("\nall %d rows could be assessed\n", total)
		return nil
	}
	w.printf("\nrows that could not be assessed, and what the profile lacks for them:\n")
	for _, key := range order {
		w.printf("  %s\n      %s\n", key, strings.Join(lacking[key], ", "))
	}
	if must > 0 {
		return &exitError{status: verdict.ExitNotAssessed}
	}
	return nil
}

type initCmd struct{}

// Help is shown by specs init --help.
func (initCmd) Help() string {
	return `Examples:

  specs init > staging.yaml
  specs doctor --profile staging.yaml     then: what works, and what is still missing`
}

// Run prints a profile to start from.
func (initCmd) Run(w *World) error {
	text, err := fixtures.FS.ReadFile("targets/staging.example.yaml")
	if err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	_, err = w.Stdout.Write(text)
	return err
}
