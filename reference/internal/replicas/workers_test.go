package replicas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"
	"golang.org/x/sync/errgroup"

	"leadconform/reference/internal/containers"
)

// threeWorkers verifies the limits of the replicas with three workers, each a container on their network, and with one
// alone: what load report makes of the three traces is what it makes of the one. A machine that is busy may keep rows from
// being assessed, so that all are is asked for only where PROOF is set; how a 429 is spelled shows on any machine.
func threeWorkers(t *testing.T, r rig) {
	proof := os.Getenv("PROOF") != ""
	together := r.verdicts(t, 3)
	for row, verdict := range together {
		if verdict == "fail" || proof && verdict == "not-assessed" {
			t.Errorf("three workers: %s: %s", row, verdict)
		}
	}
	for _, row := range []string{"LD-429-01", "LD-429-02", "LD-429-03", "LD-429-04"} {
		if together[row] != "pass" {
			t.Errorf("three workers: %s: %q, want pass", row, together[row])
		}
	}
	if !proof {
		return
	}
	alone := r.verdicts(t, 1)
	if len(alone) != len(together) {
		t.Errorf("one worker says something of %d rows, three of %d", len(alone), len(together))
	}
	for row, verdict := range alone {
		if together[row] != verdict {
			t.Errorf("%s: one worker says %s, three say %q", row, verdict, together[row])
		}
	}
}

// verdicts is what so many workers find out about the limits of the Lead Distro API, row by row.
func (r rig) verdicts(t *testing.T, workers int) map[string]string {
	t.Helper()
	profile := scaledProfile(t)
	start := time.Now().Add(45 * time.Second).UTC().Format(time.RFC3339) // the workers run by then, and the keys have rested for 14 s
	traces := make([]string, workers)
	dir := t.TempDir()
	var all errgroup.Group
	for i := range workers {
		traces[i] = filepath.Join(dir, fmt.Sprintf("%d.trace", i))
		args := []string{
			"verify", "--profile", "/profile.yaml", "--out", "/report", "--allow-load", replicasHost,
			"--endpoint", "ingest,ping,lookup", "--target", "http://" + replicasHost + ":8080",
		}
		if workers > 1 {
			args = append(args, "--shard", fmt.Sprintf("%d/%d", i, workers), "--start-at", start)
		} else {
			args = append(args, "--control", "http://"+replicasHost+":8081")
		}
		all.Go(func() error { return r.work(t, profile, traces[i], args) })
	}
	must(t, all.Wait())

	report := exec.CommandContext(t.Context(), "go", append([]string{"run", "leadconform/load", "report", "--format", "json"}, traces...)...)
	var complaint bytes.Buffer
	report.Stderr = &complaint
	text, err := report.Output()
	if _, told := errors.AsType[*exec.ExitError](err); err != nil && !told {
		t.Fatal(err)
	}
	var said struct {
		Total    struct{ Notes []string }
		Findings []struct{ Row, Verdict string }
	}
	if err := json.Unmarshal(text, &said); err != nil {
		t.Fatalf("load report: %v: %s%s", err, text, &complaint)
	}
	for _, note := range said.Total.Notes {
		t.Log(note)
	}
	rank := map[string]int{"pass": 1, "observed": 1, "not-assessed": 2, "fail": 3}
	rows := map[string]string{}
	for _, f := range said.Findings {
		if rank[f.Verdict] > rank[rows[f.Row]] {
			rows[f.Row] = f.Verdict
		}
	}
	if len(rows) == 0 {
		t.Fatalf("no row is judged: %s%s", text, &complaint)
	}
	return rows
}

// workTime is how long a worker may take, which repeats what it could not judge.
const workTime = 5 * time.Minute

// work runs the program load as a container beside the replicas, and fetches the trace that it leaves.
func (r rig) work(t *testing.T, profile []byte, trace string, args []string) error {
	c, err := testcontainers.Run(t.Context(), r.image,
		testcontainers.WithEntrypoint("/load"),
		testcontainers.WithCmd(args...),
		testcontainers.WithFiles(testcontainers.ContainerFile{Reader: bytes.NewReader(profile), ContainerFilePath: "/profile.yaml", FileMode: 0o644}),
		testcontainers.WithWaitStrategyAndDeadline(workTime, wait.ForExit().WithExitTimeout(workTime)),
		network.WithNetwork(nil, r.network),
		containers.Quietly,
	)
	testcontainers.CleanupContainer(t, c, testcontainers.StopTimeout(0))
	if err != nil {
		return fmt.Errorf("run a worker: %w\n%s", err, lastWords(t.Context(), c))
	}
	state, err := c.State(t.Context())
	if err != nil {
		return fmt.Errorf("look at a worker: %w", err)
	}
	const notAssessed = 3 // beside 0 and 1, an exit status of a run that came to its end
	if state.Running || state.ExitCode > 1 && state.ExitCode != notAssessed {
		return fmt.Errorf("a worker's exit status is %d:\n%s", state.ExitCode, lastWords(t.Context(), c))
	}
	from, err := c.CopyFileFromContainer(t.Context(), "/report/limits.trace")
	if err != nil {
		return fmt.Errorf("fetch a worker's trace: %w\n%s", err, lastWords(t.Context(), c))
	}
	defer from.Close()
	text, err := io.ReadAll(from)
	if err != nil {
		return fmt.Errorf("fetch a worker's trace: %w", err)
	}
	return os.WriteFile(trace, text, 0o600)
}
