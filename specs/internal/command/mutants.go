package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/limits"
	"leadconform/specs/internal/matrix"
	"leadconform/specs/internal/spec"
	"leadconform/specs/internal/suite"
	"leadconform/specs/internal/verdict"
)

type mutantsCmd struct {
	Only     []string      `help:"Only the servers, limiters and clients with these IDs, or globs of them such as 'ld-dup*'." placeholder:"GLOB"`
	Level    string        `help:"Judge the rows up to this level: core, limits or full." default:"full" enum:"core,limits,full" predictor:"tier"`
	Jobs     int           `help:"How many processes run at once. Default: one more than there are processors, since rows wait now and then." placeholder:"N"`
	Repeat   int           `help:"How often each conforming server is tried." default:"5" placeholder:"N"`
	Limits   string        `help:"The part that the limiters make up, written by the tests of load/harness." placeholder:"FILE" type:"path" predictor:"file"`
	Clients  string        `help:"The part that the wrong clients make up, written by the tests of specs/internal/clients." placeholder:"FILE" type:"path" predictor:"file"`
	Patience time.Duration `help:"How long one process may take before it is killed." default:"3m" placeholder:"TIME"`
	Out      string        `help:"The folder that receives mutants.json and mutants.md." default:"report" type:"path"`
}

// Help is shown by specs mutants --help.
func (mutantsCmd) Help() string {
	return `Shows that the suite can fail, and that it doesn't fail without reason. It starts every server of reference/mutant, and servers that implement nothing, each in a process of its own, and runs the rows of tiers core and full against it. A server that is wrong on purpose is killed if the rows that name its fault fail. On one that conforms every row has to pass. On one that implements nothing no row may pass.

The limiters, which the rows of tier limits are proven with, and the wrong clients run in virtual time under go test, which writes their parts for --limits and --clients. The rows of a part that isn't given are not judged. make mutants does all of it.

While it runs each server is a sign: k killed, . accepted or refused, S survived, F false alarm, P a row passed on a null target, E not tried.

Exit status: 0 all well, 1 a server survived, a false alarm, a MUST row that killed nothing, a row that passed on a null target, more collateral than a handful, or a process that crashed or hung; 2 usage; 4 processes can't be started, or it was interrupted.

Examples:

  specs mutants
  specs mutants --only 'ld-dup*' --only null-404
  specs mutants --limits matrix/limiters.json --clients matrix/clients.json --out report`
}

// Run runs the matrix.
func (c *mutantsCmd) Run(ctx context.Context, w *World) error {
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer cancel()
	asked, err := c.asked()
	if err != nil {
		return err
	}
	parts, err := c.given()
	if err != nil {
		return err
	}
	servers := c.servers(w, asked)
	if err := c.matchAll(servers, parts); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil { // before minutes are spent on what can't be written
		return usage("make the folder (--out): %w", err)
	}
	began := time.Now()
	if len(servers) > 0 {
		tried, err := c.try(ctx, w, servers, asked)
		if err != nil {
			return unreachable("%w", err)
		}
		parts = slices.Insert(parts, 0, matrix.NewPart(matrix.Servers, tried...))
	}
	m := matrix.Judge(parts, asked)
	m.Version, m.Commit, m.Seconds = Version, Commit, time.Since(began).Seconds()
	return c.tell(w, m)
}

// asked reads the flags that say what is judged.
func (c *mutantsCmd) asked() (matrix.Asked, error) {
	level, err := ReadLevel(c.Level)
	if err != nil {
		return matrix.Asked{}, usage("--level: %w", err)
	}
	switch {
	case c.Jobs < 0:
		return matrix.Asked{}, usage("--jobs %d: it must be at least 1", c.Jobs)
	case c.Repeat < 1:
		return matrix.Asked{}, usage("--repeat %d: it must be at least 1", c.Repeat)
	case c.Patience <= 0:
		return matrix.Asked{}, usage("--patience %v: it must be above 0", c.Patience)
	}
	asked := matrix.Asked{Level: level}
	if len(c.Only) > 0 {
		for _, glob := range c.Only {
			if _, err := path.Match(glob, ""); err != nil {
				return asked, usage("--only %s: it is no ID or glob: %w", glob, err)
			}
		}
		asked.Selected = func(id string) bool {
			return slices.ContainsFunc(c.Only, func(glob string) bool { return like(glob, id) })
		}
	}
	return asked, nil
}

func like(glob, id string) bool {
	ok, _ := path.Match(glob, id)
	return ok || glob == id
}

// given reads the parts that other programs wrote.
func (c *mutantsCmd) given() ([]matrix.Part, error) {
	var parts []matrix.Part
	for name, file := range map[string]string{matrix.Limiters: c.Limits, matrix.Clients: c.Clients} {
		if file == "" {
			continue
		}
		part, err := matrix.ReadFile(file, name)
		if err != nil {
			return nil, usage("%w", err)
		}
		parts = append(parts, part)
	}
	slices.SortFunc(parts, func(a, b matrix.Part) int {
		return slices.Index(matrix.Parts, a.Part) - slices.Index(matrix.Parts, b.Part)
	})
	return parts, nil
}

// servers are those that are to be tried: the selected ones that the level has a row for.
func (c *mutantsCmd) servers(w *World, asked matrix.Asked) []matrix.Server {
	all := slices.Concat(w.Mutants(), matrix.NullServers())
	return slices.DeleteFunc(all, func(s matrix.Server) bool {
		return (asked.Selected != nil && !asked.Selected(s.ID)) || !asked.Reaches(s.Subject)
	})
}

// matchAll complains of a glob that matches nothing.
func (c *mutantsCmd) matchAll(servers []matrix.Server, parts []matrix.Part) error {
	for _, glob := range c.Only {
		found := slices.ContainsFunc(servers, func(s matrix.Server) bool { return like(glob, s.ID) })
		for _, part := range parts {
			found = found || slices.ContainsFunc(part.Subjects, func(s matrix.Subject) bool { return like(glob, s.ID) })
		}
		if !found {
			return usage("--only %s matches nothing at level %s (go run ./reference --mutant list shows the servers, beside them there are %s)", glob, c.Level, nullIDs())
		}
	}
	return nil
}

func nullIDs() string {
	var ids []string
	for _, n := range matrix.Nulls() {
		ids = append(ids, n.ID)
	}
	return strings.Join(ids, ", ")
}

// signs stand for a server that was tried.
var signs = map[matrix.State]string{
	matrix.Killed: "k", matrix.Accepted: ".", matrix.Refused: ".",
	matrix.Survived: "S", matrix.FalseAlarm: "F", matrix.Fooled: "P", matrix.Error: "E",
}

// try starts a process for each server.
func (c *mutantsCmd) try(ctx context.Context, w *World, servers []matrix.Server, asked matrix.Asked) ([]matrix.Subject, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", matrix.ErrStart, err)
	}
	jobs := c.Jobs
	if jobs == 0 {
		jobs = runtime.GOMAXPROCS(0) + 1
	}
	w.printf("%d servers, each in a process of its own, %d at a time\n", len(servers), jobs)
	done := 0
	const inLine = 80
	runner := matrix.Runner{
		Jobs: jobs, Patience: c.Patience,
		Command: func(ctx context.Context, id string) *exec.Cmd {
			cmd := exec.CommandContext(ctx, self, "mutant", "--level", c.Level, "--repeat", strconv.Itoa(c.Repeat), id)
			cmd.Env = append(os.Environ(), "GOGC=400") // it is short-lived, and has room
			return cmd
		},
		Tell: func(s matrix.Subject) {
			if done++; done%inLine == 1 {
				w.printf("%4d ", done)
			}
			w.printf("%s", signs[asked.StateOf(matrix.Servers, s)])
			if done%inLine == 0 {
				w.printf("\n")
			}
		},
	}
	tried, err := runner.Run(ctx, servers)
	w.printf("\n\n")
	return tried, err
}

// tell writes the matrix to where it is wanted and returns the exit status.
func (c *mutantsCmd) tell(w *World, m *matrix.Matrix) error {
	if err := m.WriteFiles(c.Out); err != nil {
		return usage("%w", err)
	}
	if err := m.WriteText(w.Stdout, m.Selected); err != nil {
		return fmt.Errorf("write the matrix: %w", err)
	}
	w.printf("%.1f s for the servers; %s holds mutants.json and mutants.md\n", m.Seconds, c.Out)
	if len(m.Faults) > 0 {
		return &exitError{status: verdict.ExitFailed}
	}
	return nil
}

// mutantCmd tries one server. Only specs mutants calls it.
type mutantCmd struct {
	Level  string `default:"full" enum:"core,limits,full"`
	Repeat int    `default:"1"`
	ID     string `arg:""`
}

// Help is shown by specs mutant --help.
func (mutantCmd) Help() string {
	return `Examples:

  specs mutant ld-duplicates-global       what specs mutants reads of its process`
}

// Run prints the part of one server.
func (c *mutantCmd) Run(ctx context.Context, w *World) error {
	level, err := ReadLevel(c.Level)
	if err != nil {
		return usage("%w", err)
	}
	all := slices.Concat(w.Mutants(), matrix.NullServers())
	i := slices.IndexFunc(all, func(s matrix.Server) bool { return s.ID == c.ID })
	if i < 0 {
		return usage("there is no server %s", c.ID)
	}
	specs, err := suite.Specs([]string{catalogue.Distro, catalogue.Insertion}, func() (*limits.Experiment, string) { return nil, "" })
	if err != nil {
		return usage("the suite is at fault: %w", err)
	}
	specs = slices.DeleteFunc(specs, func(s spec.Spec) bool {
		row, _ := catalogue.Lookup(s.ID)
		return !level.Holds(row.Tier) || !all[i].Holds(row)
	})
	if len(specs) == 0 {
		return usage("there is no row for it at level %s", c.Level)
	}
	runs := 1
	if all[i].Kind == matrix.Conforming {
		runs = c.Repeat
	}
	tried := matrix.Try(ctx, all[i], specs, runs)
	if err := ctx.Err(); err != nil {
		return errors.New("interrupted")
	}
	return matrix.NewPart(matrix.Servers, tried).Write(w.Stdout)
}
