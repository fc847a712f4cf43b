package distro_test

import (
	"bytes"
	"flag"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"leadconform/reference/mutant"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/distro"
	"leadconform/specs/internal/spec"
	"leadconform/specs/internal/spectest"
)

// TestMain makes room for many short-lived servers, most of whose time is spent waiting for the other side of a connection.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err) // the flag is the testing package's own
	}
	os.Exit(m.Run())
}

// rows are the rows that this package holds the specs of.
func rows() []catalogue.Row {
	return slices.DeleteFunc(catalogue.Rows(), func(r catalogue.Row) bool {
		return r.API != "distro" || r.Tier == catalogue.Limits
	})
}

// mutants returns the mutants or the conforming variants of this API.
func mutants(conforming bool) []mutant.Mutant {
	return slices.DeleteFunc(mutant.All(), func(m mutant.Mutant) bool {
		return !strings.HasPrefix(m.ID, "ld-") || m.Conforming != conforming
	})
}

func TestEveryRowHasASpec(t *testing.T) {
	for _, fault := range spec.Check(distro.Specs(), rows()) {
		t.Error(fault)
	}
}

func TestEveryRowPassesOnTheReference(t *testing.T) {
	for id, o := range spectest.Run(t.Context(), spectest.Reference(t, nil), distro.Specs()) {
		if o.Result != spec.Passed {
			t.Errorf("%s: %s: %s", id, o.Result, o.Reason)
		}
	}
}

func TestEveryRowPassesOverHTTP2(t *testing.T) {
	t.Parallel()
	for id, o := range spectest.Run(t.Context(), spectest.OverHTTP2(t), distro.Specs()) {
		if o.Result != spec.Passed {
			t.Errorf("%s: %s: %s", id, o.Result, o.Reason)
		}
		for _, x := range o.Exchanges {
			if x.Response == nil || x.Response.Proto != "HTTP/2.0" {
				t.Fatalf("%s: an exchange was not over HTTP/2: %v", id, x)
			}
		}
	}
}

// collateral bounds how many rows beside the declared ones a mutant may keep from passing: one that fails more is too
// coarse, or shows rows that depend on each other.
const collateral = 5

func TestMutantsAreKilled(t *testing.T) {
	for _, m := range spectest.Some(mutants(false)) {
		t.Run(m.ID, func(t *testing.T) {
			t.Parallel()
			var others []string
			for id, o := range spectest.Run(t.Context(), spectest.Mutant(t, m), distro.Specs()) {
				switch declared := slices.Contains(m.Kills, id); {
				case declared && o.Result != spec.Failed:
					t.Errorf("%s survives %s, which is %s: %s", m.ID, id, o.Result, o.Reason)
				case !declared && o.Result == spec.Broken:
					t.Errorf("%s: %s", id, o.Reason)
				case !declared && o.Result != spec.Passed:
					others = append(others, id+" "+string(o.Result))
				}
			}
			if len(others) > 0 {
				slices.Sort(others)
				t.Logf("%s (%s)\n\tbeside %s: %s", m.ID, m.Title, strings.Join(m.Kills, ", "), strings.Join(others, ", "))
			}
			if len(others) > collateral {
				t.Errorf("%d rows beside the declared ones", len(others))
			}
		})
	}
}

// TestHeaderNamesInCapitalsAreNoticed runs LD-401-07 against a server that net/http can't be: one that knows the key's
// header in some spellings alone.
func TestHeaderNamesInCapitalsAreNoticed(t *testing.T) {
	t.Parallel()
	for _, spelling := range []string{"x-api-key", "X-API-KEY", "x-aPi-kEy"} {
		r := spectest.Rewriting(t, func(sent []byte) []byte {
			return bytes.Replace(sent, []byte(spelling), []byte("x-not-key"), 1)
		})
		i := slices.IndexFunc(distro.Specs(), func(s spec.Spec) bool { return s.ID == "LD-401-07" })
		if o := r.Run(t.Context(), distro.Specs()[i]); o.Result != spec.Failed {
			t.Errorf("%s is not known, and LD-401-07 is %s: %s", spelling, o.Result, o.Reason)
		}
	}
}

func TestNoRowFailsOnAConformingVariant(t *testing.T) {
	for _, m := range spectest.Some(mutants(true)) {
		t.Run(m.ID, func(t *testing.T) {
			t.Parallel()
			for id, o := range spectest.Run(t.Context(), spectest.Mutant(t, m), distro.Specs()) {
				if o.Result != spec.Passed {
					t.Errorf("%s: %s: %s", id, o.Result, o.Reason)
				}
			}
		})
	}
}

func TestNoRowPassesOnANullTarget(t *testing.T) {
	for _, null := range spectest.Nulls() {
		t.Run(null.Name, func(t *testing.T) {
			t.Parallel()
			for id, o := range spectest.Run(t.Context(), spectest.Serve(t, null.Handler), distro.Specs()) {
				if o.Result != spec.Failed && o.Result != spec.NotAssessed {
					t.Errorf("%s: %s: %s", id, o.Result, o.Reason)
				}
			}
		})
	}
}

// TestEveryRowHasAMutant holds the list of mutants itself against the catalogue.
func TestEveryRowHasAMutant(t *testing.T) {
	ours := map[string]bool{}
	for _, row := range rows() {
		ours[row.ID] = true
	}
	killed, seen := map[string]bool{}, map[string]bool{}
	for _, m := range slices.Concat(mutants(false), mutants(true)) {
		if seen[m.ID] {
			t.Errorf("%s stands twice", m.ID)
		}
		seen[m.ID] = true
		if m.Title == "" || m.Doc == "" || m.Conforming != (len(m.Kills) == 0) {
			t.Errorf("%s needs a title, a doc, and either rows that it kills or to be conforming", m.ID)
		}
		for _, id := range m.Kills {
			if !ours[id] {
				t.Errorf("%s names %s, which is no row of this package", m.ID, id)
			}
			killed[id] = true
		}
	}
	for id := range ours {
		if row, _ := catalogue.Lookup(id); row.Level != catalogue.Obs && !killed[id] {
			t.Errorf("no mutant shows that %s can fail", id)
		}
	}
}
