package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"leadconform/load/internal/trace"
	"leadconform/reference/server"
)

func TestFingerprintOfTheReference(t *testing.T) {
	cmd := command(t, "fingerprint", "--endpoint", "lookup", "--format", "json", "--out", "lookup.trace")
	got := run(t, cmd)
	if got.status != 0 {
		t.Fatalf("exit %d: %s", got.status, got.stderr)
	}
	var print struct {
		Estimate struct {
			Family              string
			Rate, Burst, Credit struct{ Value float64 }
		}
	}
	if err := json.Unmarshal([]byte(got.stdout), &print); err != nil {
		t.Fatalf("%v: %s", err, got.stdout)
	}
	// The machine may be busy, so this is only to see that the parts work together; what the estimate is worth, its own
	// tests measure.
	e := print.Estimate
	if e.Family != "bucket" || e.Rate.Value < 8 || e.Rate.Value > 12 || e.Burst.Value < 15 || e.Burst.Value > 25 || e.Credit.Value < 35 || e.Credit.Value > 70 {
		t.Errorf("%+v, want a bucket of 10/s, 20/s and some 54", e)
	}
	if report := load(t, "report", filepath.Join(cmd.Dir, "lookup.trace")); report.status != 0 || !strings.Contains(report.stdout, "limited") {
		t.Errorf("its trace can't be read: %s%s", report.stdout, report.stderr)
	}
}

func TestFingerprintOfTheInsertionAPI(t *testing.T) {
	for _, endpoint := range []string{"leads", "internal"} {
		t.Run(endpoint, func(t *testing.T) {
			t.Parallel()
			got := load(t, "fingerprint", "--endpoint", endpoint, "--rate", "200", "--format", "json")
			if got.status != 0 {
				t.Fatalf("exit %d: %s", got.status, got.stderr)
			}
			var print struct {
				Estimate struct {
					Family  string
					Length  struct{ Value float64 } `json:"length_s"`
					Ceiling struct{ Value float64 }
					Rate    struct{ Value, Low, High float64 }
				}
			}
			if err := json.Unmarshal([]byte(got.stdout), &print); err != nil {
				t.Fatalf("%v: %s", err, got.stdout)
			}
			e := print.Estimate
			if e.Family != "fixed window" || e.Length.Value < 9.5 || e.Length.Value > 10.5 || e.Ceiling.Value != 100 || e.Rate.Value < 9.5 || e.Rate.Value > 10.5 {
				t.Errorf("%+v, want a fixed window of 100 in 10 s", e)
			}
		})
	}
	text := load(t, "fingerprint", "--endpoint", "leads", "--rate", "200", "--longest", "2s")
	if text.status != 3 || !strings.Contains(text.stderr, "two roll-overs have to be seen") {
		t.Errorf("exit %d, %q; want that two seconds are too short", text.status, text.stderr)
	}
}

// resettable is the control listener of a target whose keys need no rest.
func resettable(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(s.Close)
	return s.URL
}

func TestFingerprintOfATargetThatIsLostHalfWay(t *testing.T) {
	for name, into := range map[string]http.HandlerFunc{"hangs": hang, "resets": hangUp, "answers nonsense": nonsense} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := command(t, "fingerprint", "--endpoint", "leads", "--rate", "200", "--out", "a.trace",
				"--target", turning(t, 400, into).URL, "--control", resettable(t))
			got := run(t, cmd)
			if got.status != 4 || !strings.Contains(got.stderr, "lost") || !strings.Contains(got.stderr, "no fingerprint: of ") || got.stdout != "" {
				t.Errorf("exit %d, %q, %q; want 4, why and what was counted", got.status, got.stdout, got.stderr)
			}
			leftOver(t, filepath.Join(cmd.Dir, "a.trace"))
		})
	}
}

// leftOver looks at the trace of an overload that ended early.
func leftOver(t *testing.T, name string) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if whole, err := trace.Read(file); err != nil || len(whole.Samples) < 50 || whole.End.Reason == trace.Complete {
		t.Errorf("%s: %v, %d samples, end %q", name, err, len(whole.Samples), whole.End.Reason)
	}
}

func TestAnInterruptEndsAFingerprintAndKeepsWhatWasMeasured(t *testing.T) {
	enough := make(chan struct{})
	reference, err := server.New(server.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 500 { // some 200 of them round trips that came first
			close(enough)
		}
		reference.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(func() { s.Close(); _ = reference.Close(context.WithoutCancel(t.Context())) })
	cmd := command(t, "fingerprint", "--endpoint", "leads", "--rate", "200", "--out", "a.trace", "--target", s.URL, "--control", resettable(t))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("it ended by itself: %v: %s", err, stderr.String())
	case <-enough:
	}
	interrupted := time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-ended
	took := time.Since(interrupted)
	t.Logf("it took %v to stop", took)
	if status := cmd.ProcessState.ExitCode(); status != 3 || took > 20*time.Second || stdout.Len() > 0 || !strings.Contains(stderr.String(), "no fingerprint: of ") {
		t.Errorf("exit %d after %v, want 3 at once and what was counted: %s%s", status, took, stdout.String(), stderr.String())
	}
	leftOver(t, filepath.Join(cmd.Dir, "a.trace"))
}
