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

// pipeTime is how long the output of a client that has ended may stay open: processes that it left hold it.
const pipeTime = 500 * time.Millisecond

// Command returns a caller that starts a command, in a process group of its own. When the command ends, or its time is
// up, the whole group is killed; only a process that has left the group on purpose (setsid) escapes.
func Command(args []string) Caller {
	return func(ctx context.Context, c Call) Ended {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Env = append(os.Environ(), c.Environ...)
		cmd.Stdin = bytes.NewReader(c.Stdin)
		out := &output{}
		cmd.Stdout, cmd.Stderr = out, out
		cmd.WaitDelay = pipeTime
		inGroup(cmd)
		cmd.Cancel = func() error { killGroup(cmd); return nil }
		began := time.Now()
		if err := cmd.Start(); err != nil {
			return Ended{Err: fmt.Errorf("start the client: %w", err)}
		}
		err := cmd.Wait()
		e := Ended{Status: cmd.ProcessState.ExitCode(), Took: time.Since(began)}
		e.Overtime = errors.Is(ctx.Err(), context.DeadlineExceeded) && e.Status == -1
		e.Left = killGroup(cmd) && !e.Overtime || errors.Is(err, exec.ErrWaitDelay)
		e.Printed, e.Output = out.end()
		return e
	}
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
