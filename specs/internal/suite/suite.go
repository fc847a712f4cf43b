// Package suite hands the specs to Ginkgo: one It a row, labelled with ID, level, tier and API. It serves the command
// (one process, this package starts Ginkgo) and the ecosystem's own way (ginkgo or go test, several processes).
package suite

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2" //nolint:staticcheck // the vocabulary of specs
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/types"

	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/distro"
	"leadconform/specs/internal/insertion"
	"leadconform/specs/internal/limits"
	"leadconform/specs/internal/spec"
)

// Bounds on the time of one row, far above what any row needs: they end the ones that a hanging target would hold up.
const (
	rowTime        = 3 * time.Minute
	experimentTime = 15 * time.Minute // of the row that runs the experiment of tier limits
)

// Specs returns the specs of the given APIs in the order of the catalogue. A row without a spec, or a spec without a
// row, is a fault of the suite. experiment is asked for when a row of tier limits runs (limits.Specs).
func Specs(apis []string, experiment func() (*limits.Experiment, string)) ([]spec.Spec, error) {
	specs := slices.Concat(distro.Specs(), insertion.Specs(), limits.Specs(experiment))
	servers := slices.DeleteFunc(catalogue.Rows(), func(r catalogue.Row) bool { return r.API == "client" })
	if faults := spec.Check(specs, servers); len(faults) > 0 {
		return nil, fmt.Errorf("the specs and the catalogue don't fit: %v", faults)
	}
	var ordered []spec.Spec
	for _, row := range servers {
		if slices.Contains(apis, row.API) {
			i := slices.IndexFunc(specs, func(s spec.Spec) bool { return s.ID == row.ID })
			ordered = append(ordered, specs[i])
		}
	}
	return ordered, nil
}

// Observer is told what happens, while it happens.
type Observer interface {
	Started(id string)
	Done(o spec.Outcome)
}

// Plan is what to register.
type Plan struct {
	Specs    []spec.Spec
	Runner   func() *spec.Runner // called when the first row runs
	Observer Observer            // may be nil
	// Red decides whether an outcome makes its It fail; nil: every failure of a MUST row does.
	Red func(spec.Outcome) bool
}

// Register makes an It of each spec, in a container for its section.
func Register(p Plan) {
	if p.Red == nil {
		p.Red = func(o spec.Outcome) bool {
			row, _ := catalogue.Lookup(o.Row)
			return o.Result == spec.Failed && row.Level == catalogue.Must
		}
	}
	for start := 0; start < len(p.Specs); {
		first := rowOf(p.Specs[start])
		end := start + 1
		for end < len(p.Specs) && rowOf(p.Specs[end]).Section == first.Section && rowOf(p.Specs[end]).API == first.API {
			end++
		}
		section := p.Specs[start:end]
		Describe(first.API+": "+first.Section, func() {
			for _, s := range section {
				p.it(s)
			}
		})
		start = end
	}
}

func rowOf(s spec.Spec) catalogue.Row {
	row, _ := catalogue.Lookup(s.ID) // Specs has checked that it is there
	return row
}

// entry is the name under which an outcome travels in Ginkgo's report, from one process to another.
const entry = "outcome"

func (p Plan) it(s spec.Spec) {
	row := rowOf(s)
	timeout := rowTime
	if s.Measure != nil {
		timeout = experimentTime
	}
	args := []any{Label(row.ID, string(row.Level), string(row.Tier), row.API), NodeTimeout(timeout)}
	if s.Serial {
		args = append(args, Serial)
	}
	args = append(args, func(ctx SpecContext) {
		if p.Observer != nil {
			p.Observer.Started(s.ID)
		}
		outcome := p.Runner().Run(ctx, s)
		if p.Observer != nil {
			p.Observer.Done(outcome)
		}
		text, err := json.Marshal(outcome)
		if err != nil {
			AbortSuite(fmt.Sprintf("write the outcome of %s: %v", s.ID, err))
		}
		AddReportEntry(entry, string(text), types.ReportEntryVisibilityNever)
		switch {
		case outcome.Result == spec.Broken:
			Fail("the suite is at fault: " + outcome.Reason)
		case outcome.Result == spec.NotAssessed:
			Skip("not assessed: " + outcome.Reason)
		case p.Red(outcome):
			Fail(outcome.Message)
		}
	})
	It(row.ID+" "+row.Title, args...)
}

// Outcomes takes the outcomes out of Ginkgo's report.
func Outcomes(r Report) (map[string]spec.Outcome, error) {
	outcomes := map[string]spec.Outcome{}
	for _, s := range r.SpecReports {
		for _, e := range s.ReportEntries {
			if e.Name != entry {
				continue
			}
			text, _ := e.GetRawValue().(string) // a string stays one on its way between processes
			var o spec.Outcome
			if err := json.Unmarshal([]byte(text), &o); err != nil {
				return nil, fmt.Errorf("read the outcome of %q: %w", s.LeafNodeText, err)
			}
			outcomes[o.Row] = o
		}
	}
	return outcomes, nil
}

// Run runs a plan in this process, in an order that follows from the seed, and returns the outcomes. It can be called
// once a process. When the process is interrupted it ends early, with the outcomes so far.
func Run(p Plan, seed uint64) (map[string]spec.Outcome, error) {
	if len(p.Specs) == 0 {
		return nil, fmt.Errorf("no row is selected")
	}
	formatter.ColorableStdOut = io.Discard // Ginkgo's own report; the outcomes are reported by ours
	var outcomes map[string]spec.Outcome
	var failure error
	Register(p)
	ReportAfterSuite("outcomes", func(r Report) { outcomes, failure = Outcomes(r) })

	config, reporter := GinkgoConfiguration()
	config.RandomSeed = int64(seed)
	config.RandomizeAllSpecs = true
	config.FailOnEmpty = true
	config.OutputInterceptorMode = "none"
	config.GracePeriod = 2 * time.Second
	reporter.NoColor = true
	RunSpecs(quiet{}, "leadconform", config, reporter)
	if failure == nil && outcomes == nil {
		failure = fmt.Errorf("ginkgo reported nothing")
	}
	return outcomes, failure
}

// quiet takes Ginkgo's word that the suite failed: the verdict is ours to give.
type quiet struct{}

func (quiet) Fail() {}
