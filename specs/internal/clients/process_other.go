//go:build !unix

package clients

import (
	"os"
	"os/exec"
)

// inGroup does nothing: there are no process groups here.
func inGroup(*exec.Cmd) {}

// killGroup kills the command; what it has started goes on.
func killGroup(leader *os.Process) { _ = leader.Kill() }

// groupRuns knows of nothing.
func groupRuns(*os.Process) bool { return false }
