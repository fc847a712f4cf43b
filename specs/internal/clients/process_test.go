//go:build unix

package clients_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"leadconform/specs/internal/clients"
)

// call calls a shell script as a client that has no more than so long.
func call(t *testing.T, atMost time.Duration, script string) clients.Ended {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), atMost)
	defer cancel()
	return clients.Command([]string{"/bin/sh", "-c", script})(ctx, clients.Call{Environ: []string{"LEAD_X=from the environment"}, Stdin: []byte("from standard input")})
}

// plenty is more time than any of these scripts needs, on however busy a machine.
const plenty = time.Minute

func TestClientGetsEnvironmentAndStandardInput(t *testing.T) {
	e := call(t, plenty, `echo "$LEAD_X"; cat; exit 3`)
	if e.Err != nil || e.Status != 3 || e.Overtime || e.Left || e.Output != "from the environment\nfrom standard input" {
		t.Errorf("%+v", e)
	}
}

func TestClientThatNeverExitsIsKilled(t *testing.T) {
	e := call(t, 300*time.Millisecond, `trap "" TERM INT HUP; echo here; while :; do sleep 1; done`)
	if !e.Overtime || e.Took > plenty || e.Output != "here\n" {
		t.Errorf("%+v", e)
	}
}

func TestClientThatIsNotThere(t *testing.T) {
	e := clients.Command([]string{filepath.Join(t.TempDir(), "nothing")})(t.Context(), clients.Call{})
	if !errors.Is(e.Err, os.ErrNotExist) {
		t.Errorf("%+v", e)
	}
}

func TestMegabytesOfOutputAreCountedAndNotKept(t *testing.T) {
	e := call(t, plenty, `head -c 5000000 /dev/zero | tr '\0' x; head -c 3000000 /dev/zero >&2`)
	if e.Printed != 8_000_000 || len(e.Output) != 4<<10 || e.Overtime {
		t.Errorf("printed %d, kept %d, overtime %t", e.Printed, len(e.Output), e.Overtime)
	}
}

func TestWhatAClientLeavesRunningIsKilled(t *testing.T) {
	for name, script := range map[string]string{
		"holding its output": `sleep 1000 & echo $!`,
		"in silence":         `sleep 1000 >/dev/null 2>&1 </dev/null & echo $!`,
		"a tree of them":     `sh -c 'sh -c "sleep 1000 & wait" & wait' >/dev/null 2>&1 & echo $!`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := call(t, plenty, script)
			pid, err := strconv.Atoi(strings.TrimSpace(e.Output))
			if err != nil || !e.Left || e.Overtime {
				t.Fatalf("%+v: %v", e, err)
			}
			gone(t, pid)
		})
	}
}

// TestProcessThatHasEndedIsNotLeftRunning has a process of the group that is dead, and whose parent doesn't care.
func TestProcessThatHasEndedIsNotLeftRunning(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("it takes python3 to make such a process")
	}
	e := clients.Command([]string{"python3", "-c", `
import os, time
ready, done = os.pipe()
if os.fork() == 0:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    os.setsid()
    os.write(done, b"x")
    for fd in range(16):
        try:
            os.close(fd)
        except OSError:
            pass
    time.sleep(20)
    os._exit(0)
os.read(ready, 1)
print(os.getpgrp())`})(t.Context(), clients.Call{})
	group, err := strconv.Atoi(strings.TrimSpace(e.Output))
	if err != nil || e.Status != 0 {
		t.Fatalf("%+v: %v", e, err)
	}
	if syscall.Kill(-group, 0) != nil {
		t.Skip("the dead process was buried before it could be looked at")
	}
	if e.Left {
		t.Error("a dead process counts as left running")
	}
}

func TestGroupOfAKilledClientIsKilledWithIt(t *testing.T) {
	e := call(t, 5*time.Second, `sleep 1000 & echo $!; wait`)
	pid, err := strconv.Atoi(strings.TrimSpace(e.Output))
	if err != nil || !e.Overtime {
		t.Fatalf("%+v: %v", e, err)
	}
	gone(t, pid)
}

// gone waits until a process has ended: it is no longer there, or is a zombie that nobody reaps.
func gone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(plenty); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return
		}
		if stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err == nil && strings.Contains(string(stat), ") Z ") {
			return
		}
	}
	t.Errorf("process %d is still there", pid)
}
