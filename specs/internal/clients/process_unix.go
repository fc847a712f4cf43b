//go:build unix

package clients

import (
	"os/exec"
	"syscall"
)

// inGroup makes the command the leader of a process group of its own.
func inGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills what is left of the command's process group, and reports whether anything was.
func killGroup(cmd *exec.Cmd) bool { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) == nil }
