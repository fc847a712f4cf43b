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
	"sync"
	"sync/atomic"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"leadconform/reference/server"
)

func TestAnInterruptEndsVerifyAndKeepsWhatWasMeasured(t *testing.T) {
	cmd := command(t, "verify")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	file := filepath.Join(cmd.Dir, "report", "limits.trace")
	for written := int64(0); written < 10_000; { // a good deal of samples
		select {
		case err := <-ended:
			t.Fatalf("it ended by itself: %v: %s", err, stderr.String())
		case <-time.After(10 * time.Millisecond):
		}
		if info, err := os.Stat(file); err == nil {
			written = info.Size()
		}
	}
	interrupted := time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-ended
	took := time.Since(interrupted)
	t.Logf("it took %v to stop", took)
	if status := cmd.ProcessState.ExitCode(); status != 3 || took > 20*time.Second {
		t.Errorf("exit %d after %v, want 3 at once: %s", status, took, stderr.String())
	}
	if !strings.HasSuffix(stderr.String(), "load: the run was stopped early\n") {
		t.Errorf("it says %q", stderr.String())
	}
	measured(t, cmd.Dir)
	if got := load(t, "report", file); got.status != 3 || !strings.Contains(got.stdout, "LD-LIM-KEY ") {
		t.Errorf("its trace: exit %d, want 3 and the rows that are open: %s%s", got.status, got.stdout, got.stderr)
	}
}

func TestAnInterruptEndsAnAttackAndKeepsWhatWasMeasured(t *testing.T) {
	cmd := command(t, "attack", "--endpoint", "ingest", "--rate", "150", "--duration", "80s", "--out", "a.trace", "--vegeta-out", "a.bin", "--format", "json")
	var stdout bytes.Buffer
	told := &watched{enough: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &stdout, told
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("it ended by itself: %v", err)
	case <-told.enough:
	}
	interrupted := time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-ended
	took := time.Since(interrupted)
	t.Logf("it took %v to stop", took)
	if status := cmd.ProcessState.ExitCode(); status != 3 || took > 20*time.Second {
		t.Errorf("exit %d after %v, want 3 at once", status, took)
	}
	var sum struct{ Requests int }
	if err := json.Unmarshal(stdout.Bytes(), &sum); err != nil || sum.Requests < 100 {
		t.Errorf("%v, %d requests: %s", err, sum.Requests, stdout.String())
	}
	leftOver(t, filepath.Join(cmd.Dir, "a.trace"))
	file, err := os.Open(filepath.Join(cmd.Dir, "a.bin"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n := 0
	for decoder, r := vegeta.DecoderFor(file), (vegeta.Result{}); decoder(&r) == nil; {
		n++
	}
	if n != sum.Requests {
		t.Errorf("%d results for Vegeta, want %d", n, sum.Requests)
	}
}

// An interrupt that comes before the first answer ends a run like any other. The target isn't at fault.
func TestAnInterruptDuringTheTrialIsNoLostTarget(t *testing.T) {
	for _, args := range [][]string{
		{"attack", "--endpoint", "ping", "--rate", "10"}, {"fingerprint", "--endpoint", "ping"}, {"soak", "--suppliers", "1"},
	} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			asked := make(chan struct{}, 1)
			base := turning(t, 0, func(w http.ResponseWriter, r *http.Request) {
				asked <- struct{}{}
				hang(w, r)
			}).URL
			cmd := command(t, append(args, "--target", base)...)
			go func() {
				<-asked
				_ = cmd.Process.Signal(os.Interrupt)
			}()
			if got := run(t, cmd); got.status != 3 || got.stderr != "load: the run was stopped early\n" {
				t.Errorf("exit %d, want 3 and why: %q", got.status, got.stderr)
			}
		})
	}
}

// watched waits for three live lines.
type watched struct {
	mu     sync.Mutex
	lines  int
	enough chan struct{}
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range strings.Count(string(p), "offered ") {
		if w.lines++; w.lines == 3 {
			close(w.enough)
		}
	}
	return len(p), nil
}

// A target that lacks Retry-After is told so by a row and by the exit status, however busy the machine is.
func TestAFailureIsExitStatusOne(t *testing.T) {
	t.Parallel()
	reference, err := server.New(server.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var limited atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		reference.Handler().ServeHTTP(answer, r)
		for name, values := range answer.Header() {
			if name != "Retry-After" {
				w.Header()[name] = values
			}
		}
		if answer.Code == http.StatusTooManyRequests {
			limited.Add(1)
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}))
	t.Cleanup(func() { s.Close(); _ = reference.Close(context.WithoutCancel(t.Context())) })
	cmd := command(t, "verify", "--endpoint", "lookup", "--target", s.URL, "--control", resettable(t))
	got := run(t, cmd)
	if got.status != 1 || !strings.Contains(got.stdout, "FAIL  LD-429-05") || limited.Load() == 0 {
		t.Errorf("exit %d, want 1 and that LD-429-05 failed: %s%s", got.status, got.stdout, got.stderr)
	}
	got = load(t, "report", filepath.Join(cmd.Dir, "report", "limits.trace"))
	if got.status != 1 || !strings.Contains(got.stdout, "FAIL  LD-429-05") || strings.Contains(got.stdout, "LD-LIM-ENDPOINT") {
		t.Errorf("its trace: exit %d, want 1 and the rows that were asked for: %s%s", got.status, got.stdout, got.stderr)
	}
}
