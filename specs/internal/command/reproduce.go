package command

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/certificate"
	"leadconform/specs/internal/diff"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/verdict"
)

type reproduceCmd struct {
	checkCmd
	Profile   string   `help:"The profile that was certified with, whole: the certificate's own has no hooks, and some rows need them." placeholder:"FILE" type:"path" predictor:"file"`
	Target    string   `help:"Base URL of the target, if it is not where it was." placeholder:"URL"`
	Control   string   `help:"Base URL of a reference server's control listener." placeholder:"URL"`
	AllowLoad []string `help:"Hosts, other than this machine, that limits rows may send load to." placeholder:"HOST"`
	AllowExec bool     `help:"Let hooks of the profile run commands."`
	Out       string   `help:"The folder that receives the profile and the new report." default:"reproduced" type:"path"`
}

// Help is shown by specs reproduce --help.
func (reproduceCmd) Help() string {
	return `The run is of the profile, the APIs, the level, the peak policy and the seed that the certificate names. The secrets come from the environment, by the names that the certificate's profile has for them, such as LD_PRIMARY_KEY and IN_PRIMARY_SECRET; they go to the base URLs that specs check shows, so look at those first. A certificate of the reference server is reproduced with the embedded one, and needs nothing.

Exit status: 0 if every API is granted the certified level again, or a higher one; 1 if a MUST row up to it failed; 3 if none failed but one was not assessed; 1 as well for a certificate that is not valid; 2 and 4 as ever.

Examples:

  specs reproduce certificate.json
  specs reproduce certificate.json --pub certifier.pub --allow-load staging.example.com
  specs reproduce certificate.json --profile staging.yaml --allow-exec`
}

// Run reproduces a certificate.
func (c *reproduceCmd) Run(ctx context.Context, w *World) error {
	checked, err := c.valid(ctx, w)
	if err != nil {
		return err
	}
	w.printf("\n")
	around := *w
	switch {
	case c.Profile != "":
		err = c.same(w, checked)
	case ofReference(checked):
		w.printf("note: the reference server was certified, so it is the reference server that is run: the embedded one, unless --target says where\n")
	default:
		around.Getenv = ownVariables(w.Getenv)
		err = c.unpack(w, checked)
	}
	if err != nil {
		return err
	}
	verify, err := c.verify(checked)
	if err != nil {
		return err
	}
	again, err := verify.report(ctx, &around)
	if err != nil {
		return err
	}
	w.printf("\n")
	if err := diff.Compare(checked.Report, again).WriteText(w.Stdout); err != nil {
		return fmt.Errorf("write the differences: %w", err)
	}
	if status := reproduced(checked.Claim.APIs, again); status != verdict.ExitConformant {
		w.printf("NOT REPRODUCED\n")
		return &exitError{status: status}
	}
	w.printf("REPRODUCED\n")
	return nil
}

// ofReference reports whether the profile is that of a reference server, whose secrets are public and whose hooks are known.
func ofReference(k *certificate.Checked) bool {
	p := target.Reference("http://127.0.0.1", "")
	relocate(p, k)
	public, err := p.Public()
	return err == nil && bytes.Equal(public, k.Profile)
}

// relocate points a profile to where the certified target was.
func relocate(p *target.Profile, k *certificate.Checked) {
	if url := k.Claim.Target.BaseURLs[target.APIDistro]; url != "" && p.Distro != nil {
		p.Distro.BaseURL = url
	}
	if url := k.Claim.Target.BaseURLs[target.APIInsertion]; url != "" && p.Insertion != nil {
		p.Insertion.BaseURL = url
	}
}

// unpack writes the certificate's own profile to the folder of the new report, to be run with.
func (c *reproduceCmd) unpack(w *World, k *certificate.Checked) error {
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return usage("make the report's folder (--out): %w", err)
	}
	c.Profile = filepath.Join(c.Out, "profile.json")
	if err := os.WriteFile(c.Profile, k.Profile, 0o644); err != nil {
		return usage("write the profile: %w", err)
	}
	w.printf("note: the certificate's profile has no hooks, so rows that need them can't be assessed; --profile names the whole one\n")
	return nil
}

// same demands that the profile that is given is the certified one, but for where the target is.
func (c *reproduceCmd) same(w *World, k *certificate.Checked) error {
	p, err := target.Load(c.Profile, w.Getenv)
	if err != nil {
		return usage("%w", err)
	}
	relocate(p, k)
	public, err := p.Public()
	if err != nil {
		return usage("%w", err)
	}
	if !bytes.Equal(public, k.Profile) {
		return usage("--profile %s is not the profile that was certified with: without it, the certificate's own is taken", c.Profile)
	}
	return nil
}

// verify is the run that the certificate speaks of.
func (c *reproduceCmd) verify(k *certificate.Checked) (*verifyCmd, error) {
	seed, err := strconv.ParseUint(k.Claim.Run.Seed, 10, 64)
	if err != nil {
		return nil, usage("the certificate's seed: %w", err)
	}
	v := &verifyCmd{
		targetFlags: targetFlags{Target: c.Target, Profile: c.Profile, Control: c.Control, AllowExec: c.AllowExec},
		Level:       k.Claim.Run.Level, Peak: k.Claim.Peak, Seed: &seed, AllowLoad: c.AllowLoad, Out: c.Out, Format: "text",
	}
	for _, api := range k.Claim.APIs {
		v.API = append(v.API, api.API)
	}
	return v, nil
}

// own are the variables that a profile out of a certificate may read: it was written by somebody else.
var own = regexp.MustCompile(`^(LD_[A-Z0-9_]+_KEY|IN_[A-Z0-9_]+_SECRET)$`)

func ownVariables(all func(string) (string, bool)) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if !own.MatchString(name) {
			return "", false
		}
		return all(name)
	}
}

// reproduced compares levels, and looks at the rows where one is lower.
func reproduced(certified []certificate.API, again *report.Report) int {
	order := []string{verdict.LevelNone, string(catalogue.Core), string(catalogue.Limits), string(catalogue.Full)}
	status := verdict.ExitConformant
	for _, api := range certified {
		if slices.Index(order, again.Levels[api.API]) >= slices.Index(order, api.Level) {
			continue
		}
		for _, row := range again.Rows {
			if row.API == api.API && row.Verdict == verdict.Fail && catalogue.Tier(api.Level).Holds(catalogue.Tier(row.Tier)) {
				return verdict.ExitFailed
			}
		}
		status = verdict.ExitNotAssessed
	}
	if again.Run.Exit == verdict.ExitUnreachable {
		return verdict.ExitUnreachable
	}
	return status
}
