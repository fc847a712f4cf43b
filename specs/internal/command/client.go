package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"leadconform/fixtures"
	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/clients"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/spec"
	"leadconform/specs/internal/verdict"
)

type clientCmd struct {
	Recipe  string        `help:"Which API the client speaks: distro or insertion." required:"" enum:"distro,insertion"`
	Only    []string      `help:"Judge only these rows: IDs or globs such as 'CL-LD-0*'." placeholder:"ID" predictor:"client-row"`
	Speed   float64       `help:"Divide the scripted waits by this, 1 to 10, and tell the client (LEAD_SPEED) to do so with its own." default:"1" placeholder:"N"`
	Strict  bool          `help:"A SHOULD row that fails makes the exit status 1, too."`
	Serve   bool          `help:"Start no command: serve the scenarios to a client that runs elsewhere, until interrupted."`
	Addr    string        `help:"Where --serve listens." default:"127.0.0.1:0" placeholder:"HOST:PORT"`
	For     time.Duration `help:"How long --serve serves; until interrupted, if not given." placeholder:"TIME"`
	Name    string        `help:"The client's name in the report; the command's, if not given."`
	Out     string        `help:"The folder that receives report.json, junit.xml and index.html." default:"report" type:"path"`
	Format  string        `help:"What stdout receives." default:"text" enum:"text,json"`
	Command []string      `arg:"" optional:"" help:"The client, after --: it is called once for each lead, with LEAD_* in its environment."`
}

// Help is shown by specs client --help.
func (clientCmd) Help() string {
	return `The command is called once or twice a scenario, each time for one lead, and ends when it has done with it. It finds in its environment LEAD_RECIPE, LEAD_BASE_URL, LEAD_ACTION (create, or update: change the lead LEAD_ID by PATCH), LEAD_JSON (the payload, also on standard input), LEAD_API_KEY or LEAD_PUBLIC_KEY and LEAD_SECRET, LEAD_STATE_DIR (a folder for what a later call is to take up) and LEAD_SPEED.

Examples:

  specs client --recipe distro -- python3 fixtures/clients/python/client.py
  specs client --recipe insertion --speed 10 -- ./our-integration --one-lead
  specs client --recipe distro --serve --addr 127.0.0.1:9090`
}

// Run tries a client.
func (c *clientCmd) Run(ctx context.Context, w *World) error {
	trial, err := c.trial(w)
	if err != nil {
		return err
	}
	if err := report.MakeFolder(c.Out); err != nil {
		return usage("%w", err)
	}
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer cancel()
	started := time.Now()
	var journals map[string]*clients.Journal
	base := "http://127.0.0.1"
	if c.Serve {
		journals, base, err = c.serve(ctx, w, trial)
	} else {
		journals, err = c.try(ctx, w, trial)
	}
	if err != nil {
		return err
	}
	return tell(w, c.report(trial, journals, base, started), c.Out, c.Format)
}

// trial checks everything that can be wrong before the first call.
func (c *clientCmd) trial(w *World) (*clients.Trial, error) {
	switch {
	case !(c.Speed >= 1 && c.Speed <= clients.MaxSpeed):
		return nil, usage("--speed %v: it must be from 1 to %d", c.Speed, clients.MaxSpeed)
	case c.Serve && len(c.Command) > 0:
		return nil, usage("--serve starts no command: leave out %s", c.Command[0])
	case !c.Serve && len(c.Command) == 0:
		return nil, usage("which client? Add -- COMMAND, or --serve for one that runs elsewhere")
	}
	if err := c.checkOnly(); err != nil {
		return nil, err
	}
	book, err := clients.Read(fixtures.FS, c.Recipe)
	if err != nil {
		return nil, usage("the suite is at fault: %w", err)
	}
	trial := &clients.Trial{Book: book, Speed: c.Speed, Start: w.Scripted, Only: selection{only: c.Only}.holds, Again: c.again}
	if !c.Serve {
		if _, err := exec.LookPath(c.Command[0]); err != nil && !errors.Is(err, exec.ErrDot) {
			return nil, usage("the client can't be started: %w", err)
		}
		trial.Caller = clients.Command(c.Command)
	}
	return trial, nil
}

// again is the command that tries the client by one row. It doesn't name the client, whose arguments may hold secrets.
func (c *clientCmd) again(row string) string {
	command := fmt.Sprintf("specs client --recipe %s --only %s", c.Recipe, row)
	if c.Speed != 1 {
		command += fmt.Sprintf(" --speed %v", c.Speed)
	}
	if c.Serve {
		return command + " --serve"
	}
	return command + " -- COMMAND"
}

func (c *clientCmd) checkOnly() error {
	for _, glob := range c.Only {
		found := false
		for _, row := range clients.Rows(c.Recipe) {
			found = found || matches([]string{glob}, row.ID)
		}
		if !found {
			return usage("--only %s matches no row of recipe %s (specs list --api client shows them)", glob, c.Recipe)
		}
	}
	return nil
}

// try starts the command in every scenario.
func (c *clientCmd) try(ctx context.Context, w *World, trial *clients.Trial) (map[string]*clients.Journal, error) {
	scenarios := trial.Scenarios()
	if c.Format == "text" {
		w.printf("%s, recipe %s, %d scenarios side by side, speed %v\n\n", c.name(), c.Recipe, len(scenarios), c.Speed)
	}
	progress := newProgress(w, len(scenarios), "scenarios")
	trial.Tell = func(name string) { progress.Done(spec.Outcome{Row: name}) }
	journals, err := trial.Run(ctx)
	progress.end()
	if err != nil {
		return nil, usage("%w", err)
	}
	return journals, nil
}

// serve serves the scenarios until it is interrupted or its time is up.
func (c *clientCmd) serve(ctx context.Context, w *World, trial *clients.Trial) (map[string]*clients.Journal, string, error) {
	session, err := trial.Serve(ctx, c.Addr)
	if err != nil {
		return nil, "", unreachable("%w", err)
	}
	var everywhere bool
	session.URL, everywhere = reachable(session.URL)
	c.invite(w, session, everywhere)
	if c.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	<-ctx.Done()
	return session.End(), session.URL, nil
}

// reachable is a base URL that a client on this machine can use, and whether others can by another name: the server listens
// on every address.
func reachable(base string) (local string, everywhere bool) {
	u, err := url.Parse(base)
	if err != nil {
		return base, false
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err != nil || !addr.IsUnspecified() {
		return base, false
	}
	u.Host = net.JoinHostPort("127.0.0.1", u.Port())
	return u.String(), true
}

// invite says where the scenarios are, and what to send there.
func (c *clientCmd) invite(w *World, session *clients.Session, everywhere bool) {
	p := target.Reference(session.URL, "")
	_, _ = fmt.Fprintf(w.Stderr, "serving recipe %s, speed %v; interrupt to see the verdicts\n", c.Recipe, c.Speed)
	if c.Recipe == clients.Distro {
		primary := p.Distro.Credentials["primary"]
		_, _ = fmt.Fprintf(w.Stderr, "key %s, supplier %s, campaign %s (%s in scenario unmatched)\n", primary.Key, primary.Supplier,
			p.Distro.Campaigns["open"].ID, p.Distro.Campaigns["unmatched"].ID)
	} else {
		primary := p.Insertion.Credentials["primary"]
		_, _ = fmt.Fprintf(w.Stderr, "public key %s, secret %s, campaign %d\n", primary.PublicKey, primary.Secret, p.Insertion.Campaigns["first"])
	}
	_, _ = fmt.Fprintf(w.Stderr, "at each base URL send one lead, and when the client has done with it a second one\n")
	if everywhere {
		_, _ = fmt.Fprintf(w.Stderr, "from another machine, put the name of this one in place of 127.0.0.1\n")
	}
	_, _ = fmt.Fprintln(w.Stderr)
	for _, place := range session.Places() {
		_, _ = fmt.Fprintf(w.Stderr, "%-60s %s\n", place.URL, place.Scenario.About)
		if place.LeadID != "" {
			_, _ = fmt.Fprintf(w.Stderr, "    update the lead %s by PATCH: %s\n", place.LeadID, place.Payload)
		}
	}
}

func (c *clientCmd) name() string {
	switch {
	case c.Name != "":
		return c.Name
	case c.Serve:
		return "a client that runs elsewhere"
	}
	return filepath.Base(c.Command[0])
}

func (c *clientCmd) report(trial *clients.Trial, journals map[string]*clients.Journal, base string, started time.Time) *report.Report {
	asked := verdict.Asked{APIs: []string{catalogue.Client}, Level: catalogue.Core, Strict: c.Strict, Now: time.Now(),
		Outside: func(id string) string {
			if row, _ := catalogue.Lookup(id); clients.RecipeOf(row) != c.Recipe {
				return fmt.Sprintf("of the other recipe: this run is of recipe %s", c.Recipe)
			}
			return ""
		}}
	if len(c.Only) > 0 {
		asked.Selected = selection{only: c.Only}.holds
	}
	r := &report.Report{
		Suite: report.Suite{Name: "leadconform", Version: Version, Commit: Commit},
		Target: report.Target{Name: strings.TrimSpace(c.name()), BaseURLs: map[string]string{catalogue.Client: base},
			ProfileSHA256: trial.Book.Digest},
		Run: report.Run{ID: target.NewRunID(), Started: started.UTC(), Finished: time.Now().UTC(), Level: string(catalogue.Core),
			Selected: len(c.Only) > 0, Strict: c.Strict},
		Policy: report.Policy{Peak: "strict"},
	}
	for _, j := range journals {
		r.Run.Requests += int64(len(j.Entries) + j.Unkept)
	}
	// What is judged lies in the past: an interrupt must not keep it from being told.
	r.Fill(verdict.Judge(catalogue.Rows(), trial.Judge(context.Background(), journals), asked))
	return r
}
