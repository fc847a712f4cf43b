//go:build !unix

package clients

import "os/exec"

// inGroup does nothing: there are no process groups here.
func inGroup(*exec.Cmd) {}

// killGroup kills the command; what it has started goes on.
func killGroup(cmd *exec.Cmd) bool { return cmd.Process.Kill() == nil }
