package distro_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/fixtures/target"
	"leadconform/reference/mutant"
	"leadconform/specs/internal/distro"
	"leadconform/specs/internal/spec"
	"leadconform/specs/internal/spectest"
)

// distant puts a server at a distance.
func distant(h http.Handler, away time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(away)
		h.ServeHTTP(w, r)
	})
}

// documented is the reference's profile with the documented limits, which the client keeps to.
func documented() *target.Profile {
	p := target.Reference("http://reference.example", "http://control.example")
	for role, c := range p.Distro.Credentials {
		c.Limits = nil
		p.Distro.Credentials[role] = c
	}
	return p
}

// TestRowsTakeLittleTimeOnADistantTarget runs the rows one by one against a target that takes 60 ms for each answer and
// grants the documented limits, in virtual time. A whole run of both APIs is to take no more than a minute.
func TestRowsTakeLittleTimeOnADistantTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		public, control := spectest.Handlers(t)
		r := spectest.Virtual(t, documented(), distant(public, 60*time.Millisecond), control)
		started := time.Now()
		for _, s := range distro.Specs() {
			if o := r.Run(t.Context(), s); o.Result != spec.Passed {
				t.Errorf("%s: %s: %s", o.Row, o.Result, o.Reason)
			} else if o.DurationMS > 1000 {
				t.Errorf("%s alone takes %.0f ms", o.Row, o.DurationMS)
			}
		}
		took := time.Since(started)
		t.Logf("%d rows, %d requests, %v", len(distro.Specs()), r.Client.Sent(), took)
		if most := 15 * time.Second; took > most {
			t.Errorf("the rows take %v, more than %v", took, most)
		}
	})
}

// TestABusyTargetLeavesRowsNotAssessed gives every row a target that answers nothing but 429.
func TestABusyTargetLeavesRowsNotAssessed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusTooManyRequests)
		})
		_, control := spectest.Handlers(t)
		r := spectest.Virtual(t, documented(), busy, control)
		for id, o := range spectest.Run(t.Context(), r, distro.Specs()) {
			if o.Result == spec.Passed || o.Result == spec.Broken || o.Result == spec.Failed && !strings.HasPrefix(id, "LD-50") {
				t.Errorf("%s: %s: %s", id, o.Result, o.Reason)
			}
		}
	})
}

// TestNoRowPassesOnASilentTarget gives every row a target that takes requests and never answers.
func TestNoRowPassesOnASilentTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})
		_, control := spectest.Handlers(t)
		for id, o := range spectest.Run(t.Context(), spectest.Virtual(t, documented(), silent, control), distro.Specs()) {
			if o.Result != spec.Failed && o.Result != spec.NotAssessed {
				t.Errorf("%s: %s: %s", id, o.Result, o.Reason)
			}
		}
	})
}

// TestTheLeastProfileBreaksNoRow takes every role away that a profile may lack.
func TestTheLeastProfileBreaksNoRow(t *testing.T) {
	t.Parallel()
	r := spectest.Reference(t, nil)
	d := r.Profile.Distro
	d.Credentials = map[string]target.SupplierKey{"primary": d.Credentials["primary"]}
	d.Campaigns = map[string]target.Campaign{"open": d.Campaigns["open"]}
	d.Hooks = nil
	passed := 0
	for _, row := range rows() {
		o := r.Run(t.Context(), specOf(row.ID))
		switch {
		case len(row.Needs) > 0 && (o.Result != spec.NotAssessed || !strings.Contains(o.Reason, row.Needs[0])):
			t.Errorf("%s needs %v, and is %s: %s", row.ID, row.Needs, o.Result, o.Reason)
		case len(row.Needs) == 0 && o.Result != spec.Passed:
			t.Errorf("%s needs nothing, and is %s: %s", row.ID, o.Result, o.Reason)
		case o.Result == spec.Passed:
			passed++
		}
	}
	if passed < 30 {
		t.Errorf("only %d rows pass with the least profile", passed)
	}
}

// TestRowsTakeWhatTheyNeedAndNoMore gives each row a profile with its own needs and nothing else.
func TestRowsTakeWhatTheyNeedAndNoMore(t *testing.T) {
	t.Parallel()
	for _, row := range rows() {
		r := spectest.Reference(t, nil)
		strip(r.Profile.Distro, row.Needs)
		if o := r.Run(t.Context(), specOf(row.ID)); o.Result != spec.Passed {
			t.Errorf("%s with %v: %s: %s", row.ID, row.Needs, o.Result, o.Reason)
		}
	}
}

// strip takes away from a profile what isn't needed.
func strip(d *target.Distro, needs []string) {
	needed := func(section, role string) bool {
		return slices.ContainsFunc(needs, func(need string) bool {
			return need == section+"."+role || strings.HasPrefix(need, section+"."+role+".")
		})
	}
	for role := range d.Credentials {
		if role != "primary" && !needed("credentials", role) {
			delete(d.Credentials, role)
		}
	}
	for role := range d.Campaigns {
		if role != "open" && !needed("campaigns", role) {
			delete(d.Campaigns, role)
		}
	}
	for name := range d.Hooks {
		if !needed("hooks", name) {
			delete(d.Hooks, name)
		}
	}
}

func specOf(id string) spec.Spec {
	all := distro.Specs()
	return all[slices.IndexFunc(all, func(s spec.Spec) bool { return s.ID == id })]
}

// TestFieldsMayHaveOtherNames runs the rows against a target whose system fields are called otherwise.
func TestFieldsMayHaveOtherNames(t *testing.T) {
	t.Parallel()
	names := map[string]string{
		"flo_campaign_id": "campaignRef", "flo_supplier_id": "supplierRef", "first_name": "givenName", "last_name": "familyName",
		"flo_ping_id": "pingRef",
	}
	r := spectest.Translating(t, names)
	f := &r.Profile.Distro.Fields
	for _, field := range []*string{&f.Campaign, &f.Supplier, &f.FirstName, &f.LastName, &f.Ping} {
		*field = names[*field]
	}
	for id, o := range spectest.Run(t.Context(), r, distro.Specs()) {
		if o.Result != spec.Passed {
			t.Errorf("%s: %s: %s", id, o.Result, o.Reason)
		}
	}
}

// TestRulesThatTheProfileDoesNotNameAreToldApart runs LD-422-01 without the names of the rules against servers that name
// every rule alike.
func TestRulesThatTheProfileDoesNotNameAreToldApart(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]spec.Result{
		"ld-filter-errors-nameless": spec.Failed, "ld-filter-errors-numbered": spec.Failed, "ld-rules-of-one-name": spec.Failed,
		"ld-ok-filter-strings": spec.Passed, "ld-ok-filter-names": spec.Passed,
	} {
		m, _ := mutant.Find(id)
		r := spectest.Mutant(t, m)
		campaign := r.Profile.Distro.Campaigns["filtered"]
		campaign.Filters = slices.Clone(campaign.Filters)
		for i := range campaign.Filters {
			campaign.Filters[i].Rule = ""
		}
		r.Profile.Distro.Campaigns["filtered"] = campaign
		if o := r.Run(t.Context(), specOf("LD-422-01")); o.Result != want {
			t.Errorf("%s is %s, expected %s: %s", id, o.Result, want, o.Reason)
		}
	}
}

// TestTwentyRunsInARow keeps one server for all of them: no run may depend on what an earlier one has left.
func TestTwentyRunsInARow(t *testing.T) {
	t.Parallel()
	public, control := spectest.Handlers(t)
	for n := range 20 {
		r := spectest.At(t, public, control)
		for id, o := range spectest.Run(t.Context(), r, distro.Specs()) {
			if o.Result != spec.Passed {
				t.Errorf("run %d: %s: %s: %s", n+1, id, o.Result, o.Reason)
			}
		}
	}
}
