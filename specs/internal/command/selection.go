package command

import (
	"fmt"
	"path"
	"strings"

	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/spec"
)

// selection is what --only and --skip ask for: IDs, or globs of them such as LD-4*.
type selection struct{ only, skip []string }

func (s selection) empty() bool { return len(s.only) == 0 && len(s.skip) == 0 }

// holds reports whether a row is selected. No --only means every row.
func (s selection) holds(id string) bool {
	return (len(s.only) == 0 || matches(s.only, id)) && !matches(s.skip, id)
}

func matches(globs []string, id string) bool {
	for _, glob := range globs {
		if ok, _ := path.Match(strings.ToUpper(glob), id); ok {
			return true
		}
	}
	return false
}

// check complains of a glob that matches no row of the catalogue's server APIs, and of one that isn't a glob.
func (s selection) check() error {
	for flag, globs := range map[string][]string{"--only": s.only, "--skip": s.skip} {
		for _, glob := range globs {
			if _, err := path.Match(glob, ""); err != nil {
				return usage("%s %s: it is no ID or glob: %w", flag, glob, err)
			}
			if !matchesAny(glob) {
				return usage("%s %s matches no row (specs list shows them)", flag, glob)
			}
		}
	}
	return nil
}

func matchesAny(glob string) bool {
	for _, row := range catalogue.Rows() {
		if row.API != "client" && matches([]string{glob}, row.ID) {
			return true
		}
	}
	return false
}

// choose returns the specs to run at a level. None is an error that says why.
func (s selection) choose(specs []spec.Spec, level catalogue.Tier) ([]spec.Spec, error) {
	var chosen []spec.Spec
	above := catalogue.Row{}
	for _, one := range specs {
		row, _ := catalogue.Lookup(one.ID)
		switch {
		case !s.holds(one.ID):
		case !level.Holds(row.Tier):
			above = row
		default:
			chosen = append(chosen, one)
		}
	}
	if len(chosen) > 0 {
		return chosen, nil
	}
	if above.ID != "" {
		return nil, usage("no row is selected at level %s: %s is of tier %s, so add --level %s", level, above.ID, above.Tier, above.Tier)
	}
	return nil, usage("no row is selected: --only and --skip leave nothing of the APIs that are tested")
}

// ReadLevel reads a level's name.
func ReadLevel(text string) (catalogue.Tier, error) {
	for _, tier := range catalogue.Tiers {
		if string(tier) == text {
			return tier, nil
		}
	}
	return "", fmt.Errorf("level %q: the levels are core, limits and full", text)
}
