// Package command is the command line of specs: its sub-commands, flags and exit statuses.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"leadconform/specs/internal/clients"
	"leadconform/specs/internal/matrix"
	"leadconform/specs/internal/verdict"
)

// Version of the suite, and the commit that it was built from (set by the Makefile's build).
var (
	Version = "0.1.0"
	Commit  = "unknown"
)

// Embedded starts a reference server in this process, on free loopback ports, and returns its two base URLs.
type Embedded func(ctx context.Context) (baseURL, controlURL string, stop func(), err error)

// World is what the command has of its surroundings.
type World struct {
	Stdout io.Writer
	Stderr io.Writer
	Getenv func(string) (string, bool)
	Start  Embedded
	// Scripted starts a reference server behind a script, for clients to be tried against.
	Scripted clients.Start
	// Mutants lists the servers that are wrong on purpose, and those that conform in another way.
	Mutants func() []matrix.Server
	// Terminal says that Stderr is a terminal that understands colour and cursor movement.
	Terminal bool
	Colour   bool // Stdout takes colour
}

// Process returns the surroundings of a process.
func Process(start Embedded, scripted clients.Start, mutants func() []matrix.Server) World {
	return World{Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.LookupEnv, Start: start, Scripted: scripted, Mutants: mutants,
		Terminal: isTerminal(os.Stderr) && livePage(os.Getenv), Colour: isTerminal(os.Stdout) && colourful(os.Getenv)}
}

// livePage reports whether a terminal is one on which a bar can move: a person sits before it, and it isn't a log.
func livePage(getenv func(string) string) bool {
	ci := getenv("CI")
	return (ci == "" || ci == "false") && getenv("TERM") != "dumb"
}

// colourful reports whether colour is welcome on a terminal (https://no-color.org).
func colourful(getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

type grammar struct {
	Verify     verifyCmd     `cmd:"" set:"level=core" help:"Run the specs against a target and write the report."`
	Certify    certifyCmd    `cmd:"" set:"level=full" help:"Run the specs, and write a signed certificate of what they show."`
	Keygen     keygenCmd     `cmd:"" help:"Make a key pair for certificates."`
	Check      checkCmd      `cmd:"" help:"Check a certificate, and say what was certified, when, by which suite and by whose key."`
	Reproduce  reproduceCmd  `cmd:"" help:"Check a certificate, run the specs again with all that it says, and show what came out differently."`
	Mutants    mutantsCmd    `cmd:"" help:"Show that the suite can fail: run it against servers that are wrong on purpose."`
	Mutant     mutantCmd     `cmd:"" hidden:"" help:"Try one of them."`
	Diff       diffCmd       `cmd:"" help:"Compare two reports: rows that changed their verdict, limits that moved."`
	Client     clientCmd     `cmd:"" help:"Try an integrator's client against a scripted server: does it retry as documented?"`
	Doctor     doctorCmd     `cmd:"" help:"Check a profile against its target: what works, and which rows could not be assessed."`
	List       listCmd       `cmd:"" help:"List the requirements."`
	Explain    explainCmd    `cmd:"" help:"Explain one requirement: its statement, its source, what it needs of a profile."`
	Init       initCmd       `cmd:"" help:"Print a commented profile to start from."`
	Completion completionCmd `cmd:"" help:"Print the command that switches on completion in your shell."`
}

const description = `Conformance specs for the Lead Distro API and the Insertion API.

Exit status: 0 conformant at the asked level, 1 a MUST row failed, 2 usage or profile error, 3 nothing failed but a MUST row was not assessed, 4 the target could not be reached.

Examples:

  specs verify                              the embedded reference server
  specs init > staging.yaml                 a profile to fill in, for any other target
  specs doctor --profile staging.yaml
  specs verify --profile staging.yaml
  specs --version`

// Run runs the command line and returns its exit status.
func Run(ctx context.Context, args []string, w World) int {
	if slices.Equal(args, []string{"--version"}) { // no flag of all sub-commands: certify has one of its own by that name
		w.printf("leadconform %s (%s)\n", Version, Commit)
		return verdict.ExitConformant
	}
	var g grammar
	exited := -1
	parser, err := kong.New(&g, kong.Name("specs"), kong.Description(description), kong.UsageOnError(),
		kong.Writers(w.Stdout, w.Stderr),
		kong.Exit(func(code int) { exited = code; panic(stopped{}) }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&w))
	if err != nil {
		panic(err) // the grammar is wrong: a test would have seen it
	}
	if completeLine(parser, w) {
		return verdict.ExitConformant
	}
	parsed, err := parse(parser, args)
	if err != nil {
		return w.complain(&exitError{verdict.ExitUsage, fmt.Errorf("%w (see specs --help)", err)})
	}
	if parsed == nil {
		return exited // --help
	}
	return w.complain(run(parsed))
}

// run runs the sub-command. One of a library's own ends as kong's help does.
func run(parsed *kong.Context) (err error) {
	defer stop(&err)
	return parsed.Run()
}

// stopped unwinds when kong has printed help and wants the process to end.
type stopped struct{}

// parse returns nil and no error if help or version was printed.
func parse(parser *kong.Kong, args []string) (parsed *kong.Context, err error) {
	defer stop(&err)
	if len(args) == 0 {
		args = []string{"--help"}
	}
	return parser.Parse(args)
}

// stop is deferred where kong may want the process to end: nothing was wrong then.
func stop(err *error) {
	switch r := recover().(type) {
	case nil:
	case stopped:
		*err = nil
	default:
		panic(r)
	}
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
	return &exitError{verdict.ExitUsage, fmt.Errorf(format, args...)}
}

func unreachable(format string, args ...any) error {
	return &exitError{verdict.ExitUnreachable, fmt.Errorf(format, args...)}
}

// complain says what went wrong and returns the exit status.
func (w World) complain(err error) int {
	if err == nil {
		return verdict.ExitConformant
	}
	if text := err.Error(); text != "" {
		_, _ = fmt.Fprintf(w.Stderr, "specs: %s\n", text)
	}
	var ended *exitError
	if errors.As(err, &ended) {
		return ended.status
	}
	return verdict.ExitUsage
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
