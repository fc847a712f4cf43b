package replicas

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// wholeSuite runs the suite, as anyone runs it, against the balancer. The rows that attack the limits are left out unless
// PROOF is set: what they find depends on what else this machine does, so nothing else may run then.
func wholeSuite(t *testing.T, r rig) {
	dir := t.TempDir()
	suite, profile := filepath.Join(dir, "specs"), filepath.Join(dir, "profile.yaml")
	must(t, os.WriteFile(profile, scaledProfile(t), 0o600))
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", suite, "leadconform/specs").CombinedOutput(); err != nil {
		t.Fatalf("build the suite: %v\n%s", err, out)
	}
	proof := os.Getenv("PROOF") != ""
	args := []string{"verify", "--level", "full", "--profile", profile, "--target", r.Balancer.Public, "--control", r.Balancer.Control, "--out", dir}
	tries := 1
	if proof {
		tries = 3 // a machine that was too busy is no finding
	} else {
		args = append(args, "--skip", "LD-429-*", "--skip", "LD-LIM-*", "--skip", "IN-429-*")
	}
	const notAssessed = 3 // the exit status
	for try := range tries {
		out, err := exec.CommandContext(t.Context(), suite, args...).CombinedOutput()
		t.Logf("%s", out)
		exit, _ := errors.AsType[*exec.ExitError](err)
		if exit != nil && exit.ExitCode() == notAssessed && try+1 < tries {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if proof {
		admittedRates(t, filepath.Join(dir, "report.json"))
	}
}

// admittedRates holds that what the replicas admit together, once the burst credit is used up, is within 3 % of the limit.
func admittedRates(t *testing.T, report string) {
	t.Helper()
	text, err := os.ReadFile(report)
	must(t, err)
	var of struct {
		Limits []struct {
			API, Endpoint string
			Policy        struct{ Rate float64 }
			Estimate      map[string]float64
		}
	}
	must(t, json.Unmarshal(text, &of))
	measured := 0
	for _, l := range of.Limits {
		if l.API != "distro" {
			continue
		}
		measured++
		is := limit{l.Endpoint, l.Policy.Rate, l.Estimate["rate"]}
		if math.Abs(is.Admitted/is.Rate-1) > 0.03 {
			t.Errorf("%s: %.2f a second are admitted, want %.0f within 3 %%", is.Endpoint, is.Admitted, is.Rate)
		}
		note(t, func(r *record) { r.Limits = append(r.Limits, is) })
	}
	if measured != 3 {
		t.Errorf("%d limits are measured, want those of ingest, ping and lookup", measured)
	}
}
