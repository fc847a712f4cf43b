package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"
)

// maxOutput is how many bytes of what a client prints are kept, for the reader of a report.
const maxOutput = 4 << 10

// lingerTime is how long processes that a client has started may go on after it has ended, or hold its output open, until
// they count as left behind. It is long, since on a busy machine it may take a while to notice that they have ended.
const lingerTime = 5 * time.Second

// Command returns a caller that starts a command, in a process group of its own. When the command ends, or its time is
// up, the whole group is killed; only a process that has left the group on purpose (setsid) escapes.
func Command(args []string) Caller {
	return func(ctx context.Context, c Call) Ended {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Env = append(os.Environ(), c.Environ...)
		cmd.Stdin = bytes.NewReader(c.Stdin)
		out := &output{}
		cmd.Stdout, cmd.Stderr = out, out
		cmd.WaitDelay = lingerTime
		inGroup(cmd)
		cmd.Cancel = func() error { killGroup(cmd.Process); return nil }
		began := time.Now()
		if err := cmd.Start(); err != nil {
			return Ended{Err: fmt.Errorf("start the client: %w", err)}
		}
		err := cmd.Wait()
		e := Ended{Status: cmd.ProcessState.ExitCode(), Took: time.Since(began)}
		e.Overtime = errors.Is(context.Cause(ctx), context.DeadlineExceeded) && e.Status == -1
		e.Left = !e.Overtime && (errors.Is(err, exec.ErrWaitDelay) || outlived(cmd.Process))
		killGroup(cmd.Process)
		e.Printed, e.Output = out.end()
		return e
	}
}

// outlived reports whether processes of the command's group go on although the command has ended.
func outlived(leader *os.Process) bool {
	for deadline := time.Now().Add(lingerTime); groupRuns(leader); time.Sleep(lingerTime / 200) {
		if time.Now().After(deadline) {
			return true
		}
	}
	return false
}

// output keeps the beginning of what a client prints, and counts the rest.
type output struct {
	mu    sync.Mutex
	kept  []byte
	total int64
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.total += int64(len(p))
	o.kept = append(o.kept, p[:min(len(p), maxOutput-len(o.kept))]...)
	return len(p), nil
}

func (o *output) end() (total int64, kept string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.total, string(o.kept)
}
