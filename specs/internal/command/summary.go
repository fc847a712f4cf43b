package command

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// summarise adds to the page that GitHub Actions shows of a step, where that is asked for (GITHUB_STEP_SUMMARY). It is a
// courtesy: a summary that can't be written is said, and changes nothing.
func (w *World) summarise(write func(io.Writer) error) {
	path, set := w.Getenv("GITHUB_STEP_SUMMARY")
	if !set || path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err == nil {
		err = write(f)
		if closed := f.Close(); err == nil {
			err = closed
		}
	}
	if err != nil {
		_, _ = fmt.Fprintf(w.Stderr, "specs: the step summary was not written: %v\n", err)
	}
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
