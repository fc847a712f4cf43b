package command_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"leadconform/load/internal/soak"
)

// workers runs the program as n workers at once, each with its --shard, a common --start-at and a trace of its own, and
// returns the traces. On a machine that is too busy for them to be ready in time, they are given more of it.
func workers(t *testing.T, n int, args ...string) (files []string) {
	t.Helper()
	for lead := 5 * time.Second; lead < time.Minute; lead *= 2 {
		files, late := tryWorkers(t, lead, n, args...)
		if !late {
			return files
		}
	}
	t.Fatal("the workers are never ready in time")
	return nil
}

func tryWorkers(t *testing.T, lead time.Duration, n int, args ...string) (files []string, late bool) {
	t.Helper()
	dir := t.TempDir()
	start := time.Now().Add(lead).UTC().Format(time.RFC3339Nano)
	results := make([]result, n)
	var running sync.WaitGroup
	for i := range n {
		files = append(files, filepath.Join(dir, fmt.Sprintf("%d.trace", i)))
		cmd := command(t, append(args, "--shard", fmt.Sprintf("%d/%d", i, n), "--start-at", start, "--out", files[i])...)
		running.Go(func() { results[i] = run(t, cmd) })
	}
	running.Wait()
	for i, r := range results {
		late = late || strings.Contains(r.stderr, "--start-at")
		if !late && (r.status == 2 || r.status == 4) {
			t.Fatalf("worker %d: exit %d: %s%s", i, r.status, r.stdout, r.stderr)
		}
	}
	return files, late
}

// reported is what load report says of files, as JSON.
func reported(t *testing.T, files ...string) (status int, out struct {
	Total struct {
		Requests int
		Admitted struct{ Count int }
		Notes    []string
	}
	Parts map[string]struct{ Requests int }
	Soaks []soak.Verdicts
}) {
	t.Helper()
	got := load(t, append([]string{"report", "--format", "json"}, files...)...)
	if err := json.Unmarshal([]byte(got.stdout), &out); err != nil {
		t.Fatalf("%v: %s%s", err, got.stdout, got.stderr)
	}
	return got.status, out
}

// Three workers find what one finds, whether each has suppliers of its own or all share each supplier's requests.
func TestThreeWorkersFindWhatOneFinds(t *testing.T) {
	for name, suppliers := range map[string]string{"suppliers of their own": "4", "requests interleaved": "2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := generated(t, "--suppliers", suppliers, "--rate", "30", "--window", "1s", "--wrong", "1=0.5")
			files := workers(t, 3, "soak", "--target", base, "--suppliers", suppliers, "--rate", "30", "--window", "1s",
				"--over", "2", "--for", "15s", "--ramp", "1s")
			status, out := reported(t, files...)
			if len(out.Soaks) != 1 || fmt.Sprint(len(out.Soaks[0].Suppliers)) != suppliers {
				t.Fatalf("soaks: %+v", out.Soaks)
			}
			for _, r := range out.Soaks[0].Suppliers {
				wrong := r.Supplier == soak.Generated(1).ID
				// A busy machine may leave a supplier not assessed. It never fails one, and the wrong one shows within seconds.
				if wrong != (r.Verdict == soak.Fail) {
					t.Errorf("%s: %s: %s", r.Supplier, r.Verdict, r.Reason)
				}
			}
			if status != 1 {
				t.Errorf("exit %d, want 1; notes %v", status, out.Total.Notes)
			}
			status, out = reported(t, files[0], files[2])
			if status == 0 || !strings.Contains(strings.Join(out.Total.Notes, "\n"), "worker 1/3 is missing") {
				t.Errorf("without a worker: exit %d, notes %v", status, out.Total.Notes)
			}
			for _, r := range out.Soaks[0].Suppliers {
				if suppliers == "2" && r.Verdict != soak.NotAssessed {
					t.Errorf("without a worker: %s: %s", r.Supplier, r.Verdict)
				}
			}
		})
	}
}

// Three workers send what one would have sent, each request once.
func TestThreeWorkersAttack(t *testing.T) {
	for keys, want := range map[string]int{"primary": 150, "primary,secondary,limits_a": 450} {
		t.Run(keys, func(t *testing.T) {
			t.Parallel()
			files := workers(t, 3, "attack", "--target", turning(t, 1<<40, nonsense).URL, "--endpoint", "ingest", "--rate", "75",
				"--duration", "2s", "--suppliers", keys)
			if _, out := reported(t, files...); out.Total.Requests != want || out.Total.Admitted.Count != want {
				t.Errorf("%d requests, %d admitted, want %d", out.Total.Requests, out.Total.Admitted.Count, want)
			}
		})
	}
}
