package harness_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/fixtures/pipenet"
	"leadconform/fixtures/target"
	"leadconform/load/harness"
	"leadconform/load/internal/simulate"
)

// enoughInRace is why a test is left out under the race detector.
const enoughInRace = "the same goroutines as in the other tests, at ten times the price"

// right is a limiter that keeps the contract.
func right(t *testing.T) simulate.Limiter {
	t.Helper()
	for _, l := range simulate.Right() {
		if l.Name == "dual bucket, peak depth 0.25 s" {
			return l
		}
	}
	t.Fatal("the simulator has no such limiter")
	return simulate.Limiter{}
}

// disturbed verifies ingest of a right limiter on a way that a disturbance makes slow: it says by how much an answer is
// late, at a time since the first request with a key.
func disturbed(t *testing.T, late func(at time.Duration) time.Duration) (verdict harness.Verdict) {
	synctest.Test(t, func(t *testing.T) {
		m := newModelServer(right(t), way, 0, 1)
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			m.ServeHTTP(w, r)
			time.Sleep(late(time.Since(m.start)))
		})
		var err error
		verdict, err = verifyServer(t, &http.Server{Handler: handler, ConnContext: m.connContext}, harness.Policy{Endpoints: []string{harness.Ingest}})
		if err != nil {
			t.Error(err)
		}
	})
	return verdict
}

func TestWhatNoiseSpoiltIsRepeatedOnce(t *testing.T) {
	if raceDetector {
		t.Skip(enoughInRace)
	}
	verdict := disturbed(t, func(at time.Duration) time.Duration {
		if at > 5*time.Second && at < 5300*time.Millisecond {
			return 200 * time.Millisecond
		}
		return 0
	})
	for _, row := range verdict.Rows {
		want := harness.Pass
		if row.ID == "LD-LIM-INGEST-BURST" { // the first bursts of both keys were spoilt, and a key is fresh only once
			want = harness.NotAssessed
		}
		if row.Outcome != want && row.Level != harness.Obs {
			t.Errorf("%s: %s: %s", row.ID, row.Outcome, row.Reason)
		}
	}
	repeated := slices.ContainsFunc(verdict.Limits[0].Phases, func(p harness.Phase) bool { return p.Name == "A1" && p.Attempt == 1 })
	if !repeated {
		t.Error("A1 was not repeated")
	}
	const why = "ingest: phase A1 was repeated"
	for _, row := range verdict.Rows {
		said := strings.Count(strings.Join(row.Notes, "\n"), why)
		if want := strings.HasSuffix(row.ID, "-BURST") || strings.HasSuffix(row.ID, "-STEADY"); said > 1 || want && said == 0 {
			t.Errorf("%s says %d times that %s: %q", row.ID, said, why, row.Notes)
		}
	}
}

func TestNoiseThatLastsLeavesRowsNotAssessed(t *testing.T) {
	if raceDetector {
		t.Skip(enoughInRace)
	}
	verdict := disturbed(t, func(at time.Duration) time.Duration {
		if at%(2*time.Second) < 50*time.Millisecond {
			return 200 * time.Millisecond
		}
		return 0
	})
	if failed := rows(verdict, harness.Fail); len(failed) > 0 {
		t.Errorf("a right limiter failed for noise: %s", strings.Join(failed, "\n"))
	}
	for _, row := range verdict.Rows {
		if strings.HasPrefix(row.ID, "LD-LIM-INGEST-") && (row.Outcome != harness.NotAssessed || !strings.Contains(row.Reason, "too noisy")) {
			t.Errorf("%s: %s: %q, want it not assessed for noise", row.ID, row.Outcome, row.Reason)
		}
	}
}

func TestFewerKeysTakeLongerAndSayLess(t *testing.T) {
	if raceDetector {
		t.Skip(enoughInRace)
	}
	for _, c := range []struct {
		missing []string
		open    []string // rows that can't be assessed
	}{
		{[]string{"limits_c", "limits_d"}, []string{"LD-429-08"}},
		{[]string{"limits_b", "limits_c", "limits_d"}, []string{"LD-429-08", "LD-LIM-KEY"}},
	} {
		t.Run(strings.Join(c.missing, ","), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newModelServer(right(t), way, wayNoise, 1)
				verdict := verifyWithout(t, c.missing, m, m)
				for _, row := range verdict.Rows {
					want := harness.Pass
					switch {
					case slices.Contains(c.open, row.ID), row.ID == "LD-LIM-KEYS":
						want = harness.NotAssessed
					case row.Level == harness.Obs:
						want = harness.Observed
					}
					if row.Outcome != want {
						t.Errorf("%s: %s, want %s: %s", row.ID, row.Outcome, want, row.Reason)
					}
				}
				if len(verdict.Notes) == 0 {
					t.Error("no note says that keys were missing")
				}
			})
		})
	}
}

// verifyWithout verifies ingest of a server with fewer keys than usual, which have to rest first.
func verifyWithout(t *testing.T, missing []string, m *modelServer, handler http.Handler) harness.Verdict {
	t.Helper()
	profile := target.Reference("http://target", "")
	for _, role := range append(missing, "limits_twin_one") {
		delete(profile.Distro.Credentials, role)
	}
	verdict, err := verifyTarget(t, harness.Target{Profile: profile}, &http.Server{Handler: handler, ConnContext: m.connContext},
		harness.Policy{Endpoints: []string{harness.Ingest}})
	if err != nil {
		t.Fatal(err)
	}
	return verdict
}

// Where A and B share a key and both were spoilt, one must not use up what the other is judged by.
func TestWhatIsRepeatedOfASharedKeyIsSound(t *testing.T) {
	if raceDetector {
		t.Skip(enoughInRace)
	}
	synctest.Test(t, func(t *testing.T) {
		m := newModelServer(right(t), way, 0, 1)
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			m.ServeHTTP(w, r)
			for _, spoilt := range []time.Duration{20 * time.Second, 48 * time.Second} { // in A1, and in B1, after the keys' first rest
				if at := time.Since(m.start); at > spoilt && at < spoilt+300*time.Millisecond {
					time.Sleep(200 * time.Millisecond)
				}
			}
		})
		verdict := verifyWithout(t, []string{"limits_c", "limits_d"}, m, handler)
		repeated := map[string]bool{}
		for _, p := range verdict.Limits[0].Phases {
			repeated[p.Name] = repeated[p.Name] || p.Attempt == 1
		}
		if !repeated["A1"] || !repeated["B1"] {
			t.Errorf("repeated: %v, want A1 and B1", repeated)
		}
		for _, row := range verdict.Rows {
			want := harness.Pass
			if row.ID == "LD-LIM-INGEST-BURST" { // the first burst was spoilt, and a key is fresh only once
				want = harness.NotAssessed
			}
			if row.Level != harness.Obs && row.ID != "LD-429-08" && row.Outcome != want {
				t.Errorf("%s: %s: %s", row.ID, row.Outcome, row.Reason)
			}
		}
	})
}

func TestATargetLostHalfWayKeepsWhatWasMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModelServer(right(t), way, 0, 1)
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if time.Since(m.start) > 15*time.Second {
				_, _ = io.Copy(io.Discard, r.Body) // or the server doesn't see that the client leaves
				<-r.Context().Done()
				return
			}
			m.ServeHTTP(w, r)
		})
		verdict, err := verifyServer(t, &http.Server{Handler: handler, ConnContext: m.connContext}, harness.Policy{Endpoints: []string{harness.Ingest}})
		if !errors.Is(err, harness.ErrLost) {
			t.Errorf("error %v, want %v", err, harness.ErrLost)
		}
		if took := time.Since(m.start); took > 22*time.Second {
			t.Errorf("it took %v to see that nothing comes any more", took)
		}
		if failed := rows(verdict, harness.Fail); len(failed) > 0 {
			t.Errorf("a target that went away failed: %s", strings.Join(failed, "\n"))
		}
		outcome := map[string]harness.Outcome{}
		for _, row := range verdict.Rows {
			outcome[row.ID] = row.Outcome
			if row.Outcome == harness.NotAssessed && row.Reason == "" {
				t.Errorf("%s was not assessed, and nothing says why", row.ID)
			}
		}
		if outcome["LD-429-05"] != harness.Pass || outcome["LD-LIM-INGEST-PEAK"] != harness.Pass || outcome["LD-LIM-INGEST-STEADY"] != harness.NotAssessed {
			t.Errorf("outcomes %v: want those passed that had been measured by then, and only those", outcome)
		}
		time.Sleep(time.Minute)
	})
}

func TestVerifyStopsWithItsContext(t *testing.T) {
	why := errors.New("interrupted")
	for name, after := range map[string]time.Duration{"in the preflight": time.Second, "while it attacks": 8 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newModelServer(right(t), way, 0, 1)
				network := pipenet.New()
				server := &http.Server{Handler: m, ConnContext: m.connContext}
				served := make(chan struct{})
				go func() { defer close(served); _ = server.Serve(network) }()
				defer func() { server.Close(); <-served }()
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(after, func() { cancel(why) })
				verdict, err := harness.Verify(ctx, harness.Target{Profile: target.Reference("http://target", ""), Dial: network.DialContext, Virtual: true, Fresh: true},
					harness.Policy{RunID: "r", Endpoints: []string{harness.Ingest}})
				if !errors.Is(err, why) && !errors.Is(err, context.Canceled) {
					t.Errorf("error %v, want %v", err, why)
				}
				if took := time.Since(m.start); took > after+time.Second {
					t.Errorf("it stopped after %v, want within a second of %v", took, after)
				}
				if len(verdict.Rows) == 0 || len(rows(verdict, harness.Fail)) > 0 {
					t.Errorf("%d rows, failed: %v", len(verdict.Rows), rows(verdict, harness.Fail))
				}
			})
		})
	}
}
