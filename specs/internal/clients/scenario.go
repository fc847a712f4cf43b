package clients

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"leadconform/specs/internal/catalogue"
)

// The actions that a client is asked for.
const (
	Create = "create"
	Update = "update" // of the Insertion API
)

// Scenario is what happens to one lead.
type Scenario struct {
	Name     string   `yaml:"name"`
	About    string   `yaml:"about"`    // in a few words
	Rows     []string `yaml:"rows"`     // the rows that are judged by it
	Action   string   `yaml:"action"`   // Create or Update
	Campaign string   `yaml:"campaign"` // a role of the reference's profile; of the Lead Distro API alone
	Steps    []Step   `yaml:"steps"`    // one per request; after the last the API answers
}

// Step is how one request is answered.
type Step struct {
	Status     int               `yaml:"status"` // 0: by the API, or not at all
	Header     map[string]string `yaml:"header"`
	Body       map[string]any    `yaml:"body"`
	RetryAfter int               `yaml:"retry_after"` // seconds at real speed; 0: no such header
	As         string            `yaml:"as"`          // AsDate; or "", in seconds
	Drop       string            `yaml:"drop"`        // DropBefore, DropAfter or ""
	Slow       time.Duration     `yaml:"slow"`
	Conflict   map[string]any    `yaml:"conflict"` // what somebody else writes to the lead before the answer
	Times      int               `yaml:"times"`
}

// The values of Step.As and Step.Drop.
const (
	AsDate     = "date"
	DropBefore = "before"
	DropAfter  = "after"
)

// Book is all scenarios of one recipe.
type Book struct {
	Recipe    string     `yaml:"recipe"`
	Scenarios []Scenario `yaml:"scenarios"`
	Digest    string     `yaml:"-"` // SHA-256 of the file, in hex
}

// Read reads the scenarios of a recipe from fixtures and checks them against the catalogue: each row of the recipe has a
// scenario, and each scenario names rows of the recipe.
func Read(from fs.FS, recipe string) (*Book, error) {
	name := "clients/scenarios/" + recipe + ".yaml"
	text, err := fs.ReadFile(from, name)
	if err != nil {
		return nil, fmt.Errorf("there is no recipe %s: %w", recipe, err)
	}
	book := &Book{}
	if err := yaml.UnmarshalWithOptions(text, book, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	sum := sha256.Sum256(text)
	book.Digest = hex.EncodeToString(sum[:])
	for i := range book.Scenarios {
		if err := book.Scenarios[i].complete(recipe); err != nil {
			return nil, fmt.Errorf("%s: scenario %q: %w", name, book.Scenarios[i].Name, err)
		}
	}
	for _, row := range Rows(recipe) {
		if len(book.of(row.ID)) == 0 {
			return nil, fmt.Errorf("%s: no scenario is about row %s", name, row.ID)
		}
	}
	return book, nil
}

// Rows are the catalogue's rows of a recipe.
func Rows(recipe string) []catalogue.Row {
	return slices.DeleteFunc(catalogue.Rows(), func(r catalogue.Row) bool { return RecipeOf(r) != recipe })
}

// RecipeOf names the recipe that a row of the catalogue is about; "" for a row about servers.
func RecipeOf(r catalogue.Row) string {
	switch {
	case r.API != catalogue.Client:
		return ""
	case r.ID[:len("CL-LD")] == "CL-LD":
		return Distro
	}
	return Insertion
}

// complete fills in what was not given, and repeats steps.
func (s *Scenario) complete(recipe string) error {
	if s.Action == "" {
		s.Action = Create
	}
	if s.Campaign == "" {
		s.Campaign = "open"
	}
	if s.Name == "" || len(s.Rows) == 0 {
		return fmt.Errorf("it needs a name and rows")
	}
	for _, id := range s.Rows {
		if row, ok := catalogue.Lookup(id); !ok || RecipeOf(row) != recipe {
			return fmt.Errorf("%s is no row of this recipe", id)
		}
	}
	if (s.Action != Create && s.Action != Update) || (s.Action == Update && recipe != Insertion) {
		return fmt.Errorf("action %q", s.Action)
	}
	var steps []Step
	for _, step := range s.Steps {
		if (step.As != "" && step.As != AsDate) || !slices.Contains([]string{"", DropBefore, DropAfter}, step.Drop) ||
			(step.Drop != "" && step.Status != 0) {
			return fmt.Errorf("a step is neither an answer nor a dropped connection: %+v", step)
		}
		for range max(1, step.Times) {
			steps = append(steps, step)
		}
	}
	s.Steps = steps
	return nil
}

// of are the scenarios that a row is judged by.
func (b *Book) of(row string) []Scenario {
	return slices.DeleteFunc(slices.Clone(b.Scenarios), func(s Scenario) bool { return !slices.Contains(s.Rows, row) })
}

// wait is how long the step asks to wait at a speed: whole seconds, at least one, since the header knows no less.
func (s Step) wait(speed float64) time.Duration {
	return time.Duration(math.Max(1, math.Ceil(float64(s.RetryAfter)/speed))) * time.Second
}

// length is about how long a client that retries as documented takes, at real speed.
func (s Scenario) length() time.Duration {
	var sum time.Duration
	for i, step := range s.Steps[:min(len(s.Steps), maxTries-1)] {
		switch {
		case step.RetryAfter > 0:
			sum += step.wait(1)
		case step.Drop != "" || step.Status == 500 || step.Status == 503:
			sum += time.Second << i
		}
		sum += step.Slow
	}
	return sum
}
