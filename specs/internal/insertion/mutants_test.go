package insertion_test

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"leadconform/reference/mutant"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/insertion"
	"leadconform/specs/internal/spec"
	"leadconform/specs/internal/spectest"
)

// Most of a mutant's time is spent waiting for the other side of a connection, and most of the rest on collecting what
// short-lived servers leave behind.
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
		return r.API != catalogue.Insertion || r.Tier == catalogue.Limits
	})
}

// mutants returns the mutants or the conforming variants of this API.
func mutants(conforming bool) []mutant.Mutant {
	return slices.DeleteFunc(mutant.All(), func(m mutant.Mutant) bool {
		return !strings.HasPrefix(m.ID, "in-") || m.Conforming != conforming
	})
}

func TestEveryRowHasASpec(t *testing.T) {
	for _, fault := range spec.Check(insertion.Specs(), rows()) {
		t.Error(fault)
	}
}

func TestEveryRowPassesOnTheReference(t *testing.T) {
	for id, o := range spectest.Run(t.Context(), spectest.Reference(t, nil), insertion.Specs()) {
		if o.Result != spec.Passed {
			t.Errorf("%s: %s: %s", id, o.Result, o.Reason)
		}
	}
}

func TestEveryRowPassesOverHTTP2(t *testing.T) {
	t.Parallel()
	for id, o := range spectest.Run(t.Context(), spectest.OverHTTP2(t), insertion.Specs()) {
		if o.Result != spec.Passed {
			t.Errorf("%s: %s: %s", id, o.Result, o.Reason)
		}
	}
}

// One server is tested again and again, as a staging is. PROOF=1 asks for twenty runs.
func TestEveryRowPassesOverAndOverAgain(t *testing.T) {
	t.Parallel()
	runs := 3
	if os.Getenv("PROOF") != "" {
		runs = 20
	}
	r := spectest.Reference(t, nil)
	for i := range runs {
		for id, o := range spectest.Run(t.Context(), r, insertion.Specs()) {
			if o.Result != spec.Passed {
				t.Errorf("run %d: %s: %s: %s", i+1, id, o.Result, o.Reason)
			}
		}
	}
}

// collateral bounds how many rows beside the declared ones a mutant may keep from being assessed.
const collateral = 5

func TestMutantsAreKilled(t *testing.T) {
	for _, m := range spectest.Some(mutants(false)) {
		t.Run(m.ID, func(t *testing.T) {
			t.Parallel()
			var others []string
			for id, o := range spectest.Run(t.Context(), spectest.Mutant(t, m), insertion.Specs()) {
				switch declared := slices.Contains(m.Kills, id); {
				case declared && o.Result != spec.Failed:
					t.Errorf("%s survives %s, which is %s: %s", m.ID, id, o.Result, o.Reason)
				case !declared && o.Result != spec.Passed && o.Result != spec.NotAssessed:
					t.Errorf("%s, which %s doesn't declare, is %s: %s", id, m.ID, o.Result, o.Reason)
				case !declared && o.Result == spec.NotAssessed:
					others = append(others, id)
				}
			}
			if len(others) > 0 {
				slices.Sort(others)
				t.Logf("%s: beside %s, not assessed: %s", m.Title, strings.Join(m.Kills, ", "), strings.Join(others, ", "))
			}
			if len(others) > collateral {
				t.Errorf("%d rows beside the declared ones are not assessed", len(others))
			}
		})
	}
}

func TestNoRowFailsOnAConformingVariant(t *testing.T) {
	for _, m := range spectest.Some(mutants(true)) {
		t.Run(m.ID, func(t *testing.T) {
			t.Parallel()
			for id, o := range spectest.Run(t.Context(), spectest.Mutant(t, m), insertion.Specs()) {
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
			r := spectest.Serve(t, null.Handler)
			// All at once: on a target that is always busy every row waits a second.
			var all sync.WaitGroup
			for _, s := range insertion.Specs() {
				all.Go(func() {
					if o := r.Run(t.Context(), s); o.Result != spec.Failed && o.Result != spec.NotAssessed {
						t.Errorf("%s: %s: %s", o.Row, o.Result, o.Reason)
					}
				})
			}
			all.Wait()
		})
	}
}

// TestEveryRowHasAMutant holds the list of mutants itself against the catalogue.
func TestEveryRowHasAMutant(t *testing.T) {
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
			if !slices.ContainsFunc(rows(), func(r catalogue.Row) bool { return r.ID == id }) {
				t.Errorf("%s names %s, which is no row of this package", m.ID, id)
			}
			killed[id] = true
		}
	}
	for _, row := range rows() {
		if row.Level != catalogue.Obs && !killed[row.ID] {
			t.Errorf("no mutant shows that %s can fail", row.ID)
		}
	}
}

// canned answers everything alike, in the form of the contract.
func canned(status int, header, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		if name, value, ok := strings.Cut(header, ": "); ok {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// A target that refuses everything in the right words knows nothing, and no row may take it for one that refuses what
// it should.
func TestNoRowPassesOnATargetThatRefusesEverything(t *testing.T) {
	for _, refusal := range []struct {
		status       int
		header, code string
	}{
		{401, "", "missing_auth"}, {401, "", "invalid_public_key"}, {401, "", "invalid_signature"},
		{401, "", "signature_expired"}, {401, "", "invalid_bearer"},
		{403, "", "scope_required:leads:write"}, {403, "", "scope_required:leads:read"},
		{404, "", "not_found"}, {405, "Allow: GET, POST, PATCH", "method_not_allowed"}, {409, "", "conflict"},
		{400, "", "campaign_id: bad, external_lead_id: bad, phone: bad, email: bad, first_name: bad"},
		{500, "", "internal_error"},
	} {
		t.Run(fmt.Sprint(refusal.status, " ", refusal.code), func(t *testing.T) {
			t.Parallel()
			h := canned(refusal.status, refusal.header, fmt.Sprintf(`{"ok": false, "error": %q}`, refusal.code))
			for id, o := range spectest.Run(t.Context(), spectest.Serve(t, h), insertion.Specs()) {
				if o.Result != spec.Failed && o.Result != spec.NotAssessed {
					t.Errorf("%s: %s: %s", id, o.Result, o.Reason)
				}
			}
		})
	}
}

// A target that accepts everything with one answer passes the rows that ask for no more than to be accepted, and no
// others.
func TestFewRowsPassOnATargetThatAcceptsEverything(t *testing.T) {
	const lead = `{"id": "6f1c1e0a-8f0e-4b61-9d35-0a52f6a5d201", "user_id": "6f1c1e0a-8f0e-4b61-9d35-0a52f6a5d202",
		"campaign_id": 101, "external_lead_id": "6f1c1e0a-8f0e-4b61-9d35-0a52f6a5d203", "first_name": "Beatrix", "last_name": "Beatrix"}`
	undemanding := []string{
		"IN-401-08", "IN-401-09", // a right signature and a right token are accepted
		"IN-ENV-03",               // every success has ok true
		"IN-409-04", "IN-IDEM-13", // recorded, never judged
	}
	for _, outcome := range []string{"inserted", "deduped", "patched"} {
		for _, status := range []int{200, 201} {
			t.Run(fmt.Sprint(status, " ", outcome), func(t *testing.T) {
				t.Parallel()
				h := canned(status, "", fmt.Sprintf(`{"ok": true, "status": %q, "lead": %s, "leads": [%[2]s], "nextCursor": null, "event": {"id": 1}}`, outcome, lead))
				for id, o := range spectest.Run(t.Context(), spectest.Serve(t, h), insertion.Specs()) {
					one := status == 201 && outcome == "inserted" && id == "IN-201-01" // and this is what it asks for
					if o.Result != spec.Failed && o.Result != spec.NotAssessed && !one && !slices.Contains(undemanding, id) {
						t.Errorf("%s: %s: %s", id, o.Result, o.Reason)
					}
				}
			})
		}
	}
}
