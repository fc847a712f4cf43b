package harness_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/fixtures/pipenet"
	"leadconform/fixtures/target"
	"leadconform/load/harness"
	"leadconform/reference/server"
)

// verifyServer runs the harness against a server, in virtual time.
func verifyServer(t *testing.T, public *http.Server, policy harness.Policy) (harness.Verdict, error) {
	return verifyProfile(t, target.Reference("http://target", ""), public, policy)
}

// verifyProfile does so with a profile of its own, whose base URLs are any.
func verifyProfile(t *testing.T, p *target.Profile, public *http.Server, policy harness.Policy) (harness.Verdict, error) {
	return verifyTarget(t, harness.Target{Profile: p, Fresh: true}, public, policy)
}

// verifyTarget does so where the keys may have to rest first.
func verifyTarget(t *testing.T, to harness.Target, public *http.Server, policy harness.Policy) (harness.Verdict, error) {
	network := pipenet.New()
	served := make(chan struct{})
	go func() { defer close(served); _ = public.Serve(network) }()
	defer func() { public.Close(); <-served }()
	to.Dial, to.Virtual = network.DialContext, true
	policy.RunID, policy.Version = "virtual", "test"
	return harness.Verify(t.Context(), to, policy)
}

func TestReferencePassesInVirtualTime(t *testing.T) {
	if raceDetector {
		t.Skip("a minute and more: without the race detector it takes seconds")
	}
	synctest.Test(t, func(t *testing.T) {
		reference, err := server.New(server.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer reference.Close(context.WithoutCancel(t.Context()))
		began := time.Now()
		verdict, err := verifyServer(t, &http.Server{Handler: reference.Handler()}, harness.Policy{})
		if err != nil {
			t.Fatal(err)
		}
		if len(verdict.Rows) != 41 {
			t.Errorf("%d rows, want all 41 of tier limits", len(verdict.Rows))
		}
		for _, row := range verdict.Rows {
			want := harness.Pass
			if row.Level == harness.Obs {
				want = harness.Observed
			}
			if row.Outcome != want {
				t.Errorf("%s: %s, want %s: %s", row.ID, row.Outcome, want, row.Reason)
			}
			if len(row.Exchanges) == 0 {
				t.Errorf("%s rests on no exchange", row.ID)
			}
		}
		for _, limit := range verdict.Limits {
			want := map[string]float64{"rate": limit.Policy.Rate, "burst": limit.Policy.Burst, "credit": (limit.Policy.Burst - limit.Policy.Rate) * limit.Policy.WindowS}
			if limit.API == target.APIInsertion {
				want = map[string]float64{"requests": 100, "window_s": 10}
			}
			for name, figure := range want {
				if got := limit.Estimate[name]; got < 0.95*figure || got > 1.08*figure { // a quarter of R and a request are the reference's slack
					t.Errorf("%s: measured %s %g, want about %g", limit.Endpoint, name, got, figure)
				}
			}
			if limit.Verdict != harness.Pass {
				t.Errorf("%s: %s, want pass", limit.Endpoint, limit.Verdict)
			}
		}
		if took := time.Since(began); took > 35*time.Second {
			t.Errorf("it took %v, want at most 35 s", took)
		}
	})
}
