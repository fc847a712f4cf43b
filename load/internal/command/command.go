// Package command is the command line of load: its sub-commands, flags and exit statuses.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

// Version of the programs, and the commit that they were built from (set by the Makefile's build).
var (
	Version = "0.1.0"
	Commit  = "unknown"
)

// Exit statuses (stable: other tools read them; those of specs).
const (
	exitOK          = 0
	exitFailed      = 1 // a MUST row failed
	exitUsage       = 2 // a wrong flag, profile or file
	exitNotAssessed = 3 // nothing failed, but a MUST row was not assessed
	exitUnreachable = 4 // the target could not be reached, or was lost half-way
)

// Embedded starts a reference server in this process, on a free loopback port, and returns its base URL. world is the world
// that it starts with, as YAML; nil: its own.
type Embedded func(ctx context.Context, world []byte) (baseURL string, stop func(), err error)

// World is what the command has of its surroundings.
type World struct {
	Stdout   io.Writer
	Stderr   io.Writer
	Getenv   func(string) (string, bool)
	Start    Embedded
	Terminal bool // Stderr is a terminal that understands cursor movement
}

// Process returns the surroundings of a process.
func Process(start Embedded) World {
	return World{Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.LookupEnv, Start: start, Terminal: term.IsTerminal(int(os.Stderr.Fd()))}
}

type grammar struct {
	Verify      verifyCmd        `cmd:"" help:"Verify the limits of a target, and write the report."`
	Attack      attackCmd        `cmd:"" help:"Attack one endpoint at a rate of your own."`
	Fingerprint fingerprintCmd   `cmd:"" help:"Find out what limiter an endpoint has."`
	Soak        soakCmd          `cmd:"" help:"Drive many suppliers at their limits at once, and judge each while it goes on."`
	World       worldCmd         `cmd:"" help:"Print a world of many suppliers for the reference server."`
	Report      reportCmd        `cmd:"" help:"Read traces and Vegeta's result files, and say what is in them."`
	Version     kong.VersionFlag `help:"Print the version."`
}

const description = `Attacks on the limits of the Lead Distro API and the Insertion API, and the verdict on them.

Exit status: 0 every MUST row that was asked for holds, 1 one failed, 2 usage or profile error, 3 nothing failed but one was not assessed, 4 the target could not be reached, or was lost half-way.`

// Run runs the command line and returns its exit status. An interrupt ends an attack at once, and what was measured by
// then is written.
func Run(ctx context.Context, args []string, w World) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the process
	var g grammar
	exited := -1
	parser, err := kong.New(&g, kong.Name("load"), kong.Description(description), kong.UsageOnError(),
		kong.Writers(w.Stdout, w.Stderr), kong.Vars{"version": "leadconform " + Version + " (" + Commit + ")"},
		kong.Exit(func(code int) { exited = code; panic(ended{}) }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&w))
	if err != nil {
		panic(err) // the grammar is wrong: a test would have seen it
	}
	parsed, err := parse(parser, negatives(args))
	if err != nil {
		return w.complain(&exitError{exitUsage, fmt.Errorf("%w (see load --help)", err)})
	}
	if parsed == nil {
		return exited // --help or --version
	}
	return w.complain(parsed.Run())
}

// negatives joins a flag with a negative number that follows it, which would count as a flag of its own: what is wrong
// with the number, the flag's own check says.
func negatives(args []string) (joined []string) {
	for _, arg := range args {
		last := len(joined) - 1
		if last >= 0 && len(joined[last]) > 2 && strings.HasPrefix(joined[last], "--") && !strings.Contains(joined[last], "=") && isNegative(arg) {
			joined[last] += "=" + arg
			continue
		}
		joined = append(joined, arg)
	}
	return joined
}

func isNegative(text string) bool {
	return len(text) > 1 && text[0] == '-' && strings.ContainsRune(".0123456789", rune(text[1]))
}

// ended unwinds when kong has printed help and wants the process to end.
type ended struct{}

// parse returns nil and no error if help or version was printed.
func parse(parser *kong.Kong, args []string) (parsed *kong.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(ended); !ok {
				panic(r)
			}
			parsed, err = nil, nil
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	return parser.Parse(args)
}

// exitError ends the command with a status. An error without words has been told already.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func unreachable(format string, args ...any) error {
	return &exitError{exitUnreachable, fmt.Errorf(format, args...)}
}

// complain says what went wrong and returns the exit status.
func (w World) complain(err error) int {
	if err == nil {
		return exitOK
	}
	if text := err.Error(); text != "" {
		_, _ = fmt.Fprintf(w.Stderr, "load: %s\n", text)
	}
	var ended *exitError
	if errors.As(err, &ended) {
		return ended.status
	}
	return exitUsage
}

func (w World) printf(format string, args ...any) { _, _ = fmt.Fprintf(w.Stdout, format, args...) }

// clearLine moves to the line's beginning and clears it (ECMA-48 EL).
const clearLine = "\r\x1b[K"

// status shows a line on a terminal that the next one replaces. Elsewhere it says nothing.
func (w World) status(format string, args ...any) {
	if w.Terminal {
		_, _ = fmt.Fprintf(w.Stderr, clearLine+format, args...)
	}
}
