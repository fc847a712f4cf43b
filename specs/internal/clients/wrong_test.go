package clients_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"leadconform/fixtures/clients/integrator"
	"leadconform/specs/internal/spec"
)

// goClient is the Go client of fixtures/clients, with one fault or none.
func goClient(wrong *integrator.Wrong) func(context.Context, integrator.Job, *http.Client) error {
	return func(ctx context.Context, j integrator.Job, h *http.Client) error {
		return integrator.New(h, wrong).Do(ctx, j)
	}
}

func TestCorrectClientPassesEveryRow(t *testing.T) {
	for _, recipe := range []string{integrator.Distro, integrator.Insertion} {
		for _, speed := range []float64{1, 10} {
			for id, o := range try(t, recipe, speed, goClient(nil)) {
				if o.Result != spec.Passed || len(o.Exchanges) == 0 {
					t.Errorf("speed %v: %s: %s: %s", speed, id, o.Result, o.Reason)
				}
			}
		}
	}
}

// someOf are all, or under the race detector one of six.
func someOf(all []integrator.Wrong) []integrator.Wrong {
	if !underRace {
		return all
	}
	var some []integrator.Wrong
	for i := 0; i < len(all); i += 6 {
		some = append(some, all[i])
	}
	return some
}

// TestEachWrongClientFailsTheRowThatNamesItsFault is the kill matrix: the rows that must fail do, and no others.
func TestEachWrongClientFailsTheRowThatNamesItsFault(t *testing.T) {
	for _, wrong := range someOf(integrator.All()) {
		t.Run(wrong.ID, func(t *testing.T) {
			t.Parallel()
			for _, speed := range []float64{1, 10} {
				for id, o := range try(t, wrong.Recipe, speed, goClient(&wrong)) {
					want := spec.Passed
					switch {
					case slices.Contains(wrong.Rows, id):
						want = spec.Failed
					case slices.Contains(wrong.Open, id):
						want = spec.NotAssessed
					}
					if o.Result != want {
						t.Errorf("speed %v: %s: %s, want %s: %s %q", speed, id, o.Result, want, o.Reason, o.Notes)
					}
				}
			}
		})
	}
}

func TestEveryWrongClientNamesARow(t *testing.T) {
	for _, wrong := range integrator.All() {
		if len(wrong.Rows) == 0 {
			t.Errorf("%s fails no row", wrong.ID)
		}
	}
}

func TestWhatIsNoClientPassesNoRow(t *testing.T) {
	for _, null := range someOf(integrator.Nulls()) {
		t.Run(null.ID, func(t *testing.T) {
			t.Parallel()
			for _, speed := range []float64{1, 10} {
				for id, o := range try(t, null.Recipe, speed, goClient(&null)) {
					if o.Result == spec.Passed {
						t.Errorf("speed %v: %s passes: %q", speed, id, o.Notes)
					}
				}
			}
		})
	}
}

func TestClientsThatTakeALeftFreedomPassEveryRow(t *testing.T) {
	for _, variant := range someOf(integrator.Variants()) {
		t.Run(variant.ID, func(t *testing.T) {
			t.Parallel()
			for _, recipe := range []string{integrator.Distro, integrator.Insertion} {
				for _, speed := range []float64{1, 10} {
					late := false
					for id, o := range try(t, recipe, speed, goClient(&variant)) {
						if o.Result != spec.Passed {
							t.Errorf("speed %v: %s: %s: %s", speed, id, o.Result, o.Reason)
						}
						late = late || slices.ContainsFunc(o.Notes, func(note string) bool { return strings.Contains(note, "longer than documented") })
					}
					if patient := variant.ID == "patient"; late != patient && speed == 1 {
						t.Errorf("recipe %s: a note says that it waits longer than documented: %t, want %t", recipe, late, patient)
					}
				}
			}
		})
	}
}
