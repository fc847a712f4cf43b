//go:build unix

package command_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"leadconform/specs/internal/report"
	"leadconform/specs/internal/verdict"
)

// family is a script's beginning: three processes below it, one of them below another, whose IDs are in the file $1.
const family = `sleep 1000 & echo $! >>"$1"; sh -c 'sleep 1000 & echo $! >>"$1"; wait' sh "$1" & echo $! >>"$1"; `

// TestClientsThatMisbehaveAreBoundedAndReported runs the real command with clients that no suite should have to wait for.
func TestClientsThatMisbehaveAreBoundedAndReported(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		want   string // in the reason or the notes of the row
		family int    // processes that must be gone
	}{
		"never exits":              {`trap "" TERM INT HUP; ` + family + `while :; do sleep 1; done`, "the call for the lead had not ended after", 3},
		"exits at once":            {`exit 7`, "the client sent no lead (exit status 7; it printed nothing)", 0},
		"exits at once, and forks": {family + `exit 0`, "the call for the lead left processes running, which were killed", 3},
		"prints megabytes":         {`head -c 5000000 /dev/zero | tr '\0' x; head -c 3000000 /dev/zero >&2`, "the call for the lead printed 8000000 bytes; all but the first 4096 were thrown away", 0},
		"is ended by a signal":     {`kill -KILL $$`, "the client sent no lead (exit status -1", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pids := filepath.Join(t.TempDir(), "pids")
			r := specs(t, nil, "client", "--recipe", "distro", "--only", "CL-LD-01", "--speed", "10", "--", "sh", "-c", c.script, "sh", pids)
			if r.status != 3 || r.verdicts(t)["CL-LD-01"] != verdict.NotAssessed {
				t.Errorf("status %d, %s; want 3 and not-assessed\n%s", r.status, r.verdicts(t)["CL-LD-01"], r.stderr)
			}
			if said := words(r.report, "CL-LD-01"); !strings.Contains(said, c.want) || len(said) > 2000 {
				t.Errorf("the report says %q, want %q", said, c.want)
			}
			gone(t, pids, c.family)
		})
	}
}

// words are all that a report says of a row that has no verdict.
func words(r *report.Report, row string) string {
	for _, each := range r.Rows {
		if each.ID == row {
			return strings.Join(append(each.Notes, each.Reason), "\n")
		}
	}
	return ""
}

// gone waits until the processes whose IDs are in a file have ended.
func gone(t *testing.T, file string, want int) {
	t.Helper()
	text, _ := os.ReadFile(file) // none, if it isn't there
	pids := strings.Fields(string(text))
	if len(pids) < want || (want == 0) != (len(pids) == 0) {
		t.Fatalf("%d processes were started, want %d or more", len(pids), want)
	}
	for _, pid := range pids {
		n, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); runs(n); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Errorf("process %d is still there", n)
				break
			}
		}
	}
}

// runs reports whether there is such a process that nobody has ended.
func runs(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

// TestInterruptEndsTheClientsAndIsReported interrupts the real command while its client waits.
func TestInterruptEndsTheClientsAndIsReported(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pids := filepath.Join(dir, "pids")
	cmd := exec.Command(program(t, "specs"), "client", "--recipe", "distro", "--only", "CL-LD-01", "--",
		"sh", "-c", `trap "" TERM INT HUP; `+family+`echo $$ >>"$1"; wait`, "sh", pids)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if text, _ := os.ReadFile(pids); strings.Count(string(text), "\n") == 4 {
			break
		}
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			t.Fatal("the client was not started")
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its exit status is looked at below
	text, err := os.ReadFile(filepath.Join(dir, "report", "report.json"))
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	r, err := report.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	if said := words(r, "CL-LD-01"); cmd.ProcessState.ExitCode() != 3 || !strings.Contains(said, "interrupted") {
		t.Errorf("status %d; the report says %q", cmd.ProcessState.ExitCode(), said)
	}
	gone(t, pids, 4)
}
