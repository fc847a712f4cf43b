package catalogue

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

// MaxTitle is how many characters a title may have, so that it fits on a line of a report.
const MaxTitle = 80

// file is one file of rows: the API that they are about, then the sections.
type file struct {
	API      string    `yaml:"api"`
	Sections []section `yaml:"sections"`
}

// section is what stands under one heading of the contract.
type section struct {
	Title string `yaml:"title"`
	Cites string `yaml:"cites"` // of the rows that name no place of their own
	Rows  []Row  `yaml:"rows"`
}

// apis lists the APIs in the order of the contract, with the letters that their rows' IDs begin with. Each has its file.
var apis = []struct{ name, prefix string }{{Distro, "LD"}, {Insertion, "IN"}, {Client, "CL"}}

// read returns the rows of all files in the order of the contract, or every fault that they have.
func read(from fs.FS) ([]Row, error) {
	var rows []Row
	var faults []error
	for _, api := range apis {
		name := api.name + ".yaml"
		f, err := readFile(from, name)
		if err != nil {
			return nil, err
		}
		if f.API != api.name {
			faults = append(faults, fmt.Errorf("catalogue %s: api is %q, want %q", name, f.API, api.name))
		}
		if len(f.Sections) == 0 {
			faults = append(faults, fmt.Errorf("catalogue %s: has no sections", name))
		}
		for _, s := range f.Sections {
			if len(s.Rows) == 0 {
				faults = append(faults, fmt.Errorf("catalogue %s: section %q has no rows", name, s.Title))
			}
			for _, row := range s.rows(api.name) {
				if err := check(row, api.prefix); err != nil {
					faults = append(faults, fmt.Errorf("catalogue %s: row %q: %w", name, row.ID, err))
				}
				rows = append(rows, row)
			}
		}
	}
	if err := errors.Join(append(faults, twice(rows)...)...); err != nil {
		return nil, err
	}
	return rows, nil
}

func readFile(from fs.FS, name string) (file, error) {
	var f file
	text, err := fs.ReadFile(from, path.Join("rows", name))
	if err != nil {
		return f, fmt.Errorf("read the catalogue: %w", err)
	}
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		return f, fmt.Errorf("catalogue %s: %w", name, err)
	}
	return f, nil
}

// rows returns the section's rows with all that they take over from it.
func (s section) rows(api string) []Row {
	rows := slices.Clone(s.Rows)
	for i := range rows {
		row := &rows[i]
		row.API, row.Section = api, s.Title
		row.Text = strings.TrimSpace(row.Text)
		if row.Cites == "" {
			row.Cites = s.Cites
		}
		if row.Tier == "" {
			row.Tier = Core
		}
	}
	return rows
}

var (
	idForm   = regexp.MustCompile(`^[A-Z]{2}(-[A-Z0-9]+)+$`)
	needForm = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)
	sources  = []string{"S", "P", "R", "D"}
)

// check returns what is wrong with a row, or nil. The prefix is what its ID must begin with.
func check(r Row, prefix string) error {
	for _, part := range []struct{ name, value string }{
		{"id", r.ID}, {"title", r.Title}, {"text", r.Text}, {"cites", r.Cites}, {"the section's title", r.Section},
	} {
		if strings.TrimSpace(part.value) == "" {
			return fmt.Errorf("%s is missing", part.name)
		}
	}
	switch {
	case !idForm.MatchString(r.ID) || !strings.HasPrefix(r.ID, prefix+"-"):
		return fmt.Errorf("the id must be %s and parts in capitals and digits, such as %s-400-01", prefix, prefix)
	case utf8.RuneCountInString(r.Title) > MaxTitle || strings.Contains(r.Title, "\n"):
		return fmt.Errorf("the title must be one line of at most %d characters", MaxTitle)
	case !slices.Contains([]Level{Must, Should, Obs}, r.Level):
		return fmt.Errorf("level %q must be MUST, SHOULD or OBS", r.Level)
	case !slices.Contains(Tiers, r.Tier):
		return fmt.Errorf("tier %q must be core, limits or full", r.Tier)
	case len(r.Source) == 0:
		return errors.New("source is missing: one or more of S, P, R and D")
	}
	for i, s := range r.Source {
		if !slices.Contains(sources, s) || slices.Contains(r.Source[:i], s) {
			return fmt.Errorf("source %q must be S, P, R or D, each once", s)
		}
	}
	for i, need := range r.Needs {
		if !needForm.MatchString(need) || slices.Contains(r.Needs[:i], need) {
			return fmt.Errorf("need %q must be a path such as campaigns.capped, each once", need)
		}
	}
	return nil
}

// twice returns a fault for each row whose ID an earlier one has.
func twice(rows []Row) []error {
	var faults []error
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.ID] {
			faults = append(faults, fmt.Errorf("catalogue %s.yaml: row %s stands twice", r.API, r.ID))
		}
		seen[r.ID] = true
	}
	return faults
}
