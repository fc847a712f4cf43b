package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/certificate"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/verdict"
)

type checkCmd struct {
	Certificate string `arg:"" help:"The certificate." type:"path" predictor:"json"`
	Report      string `help:"The report that it is about. Default: report.json beside the certificate." placeholder:"FILE" type:"path" predictor:"json"`
	Pub         string `help:"The public key of whoever is said to have signed it. Without it, only integrity is checked." placeholder:"KEY" type:"path"`
}

// Help is shown by specs check --help.
func (checkCmd) Help() string {
	return `Checks the signature and the digests, that the report holds every row of the catalogue as it stands there, and works verdicts and levels out anew from the rows. It needs the report. Exit status: 0 if all is right, 1 if anything is not, with a line for each, 2 if a file can't be read.

With --pub it says who vouches: a vendor's key attests the vendor's own claim, a certifier's key the certifier's. Without, it says "integrity only": whoever wrote the certificate may have written anything.

Examples:

  specs check report/certificate.json
  specs check certificate.json --report report.json --pub certifier.pub`
}

// Run checks a certificate.
func (c *checkCmd) Run(ctx context.Context, w *World) error {
	_, err := c.valid(ctx, w)
	return err
}

// valid says whether the certificate is, and what it says or what is wrong with it.
func (c *checkCmd) valid(ctx context.Context, w *World) (*certificate.Checked, error) {
	checked, err := c.check(ctx)
	var faults certificate.Faults
	switch {
	case errors.As(err, &faults):
		w.printf("NOT VALID: %s\n", c.Certificate)
		for _, fault := range faults {
			w.printf("  - %s\n", target.Printable(fault))
		}
		return nil, &exitError{status: verdict.ExitFailed}
	case err != nil:
		return nil, usage("%w", err)
	}
	c.tell(w, checked)
	return checked, nil
}

func (c *checkCmd) check(ctx context.Context) (*certificate.Checked, error) {
	signed, err := os.ReadFile(c.Certificate)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	if c.Report == "" {
		c.Report = filepath.Join(filepath.Dir(c.Certificate), "report.json")
		if _, err := os.Stat(c.Report); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no report.json beside the certificate: name the report that it is about by --report FILE")
		}
	}
	text, err := os.ReadFile(c.Report)
	if err != nil {
		return nil, fmt.Errorf("read the report: %w", err)
	}
	var key *certificate.PublicKey
	if c.Pub != "" {
		public, err := certificate.ReadPublicKey(c.Pub)
		if err != nil {
			return nil, fmt.Errorf("--pub: %w", err)
		}
		key = &public
	}
	return certificate.Check(ctx, signed, text, key)
}

// tell prints what was certified, when, by which suite, by whose key.
func (c *checkCmd) tell(w *World, k *certificate.Checked) {
	line := func(name, format string, args ...any) {
		w.printf("%-15s %s\n", name, target.Printable(fmt.Sprintf(format, args...)))
	}
	if k.Trusted {
		w.printf("VALID: signed with the key in %s\n\n", c.Pub)
	} else {
		w.printf("integrity only: nothing was changed since it was signed, and --pub KEY says by whom\n\n")
	}
	r, claim := k.Report, k.Claim
	line("certified", "%s %s", claim.Implementation.Name, claim.Implementation.Version)
	for _, api := range claim.APIs {
		line(report.APIName(api.API), "level %s", api.Level)
		for _, denial := range denials(api) {
			for part := range strings.Lines(text.WrapSoft(denial, 100)) {
				line("", "%s", strings.TrimSpace(part))
			}
		}
	}
	line("peak policy", "%s", claim.Peak)
	line("run", "%s, %s to %s, level %s asked, seed %s", claim.Run.ID, claim.Run.Started.UTC().Format(time.DateTime),
		claim.Run.Finished.UTC().Format("15:04:05 UTC"), claim.Run.Level, claim.Run.Seed)
	line("target", "%s at %s", claim.Target.Name, strings.Join(slices.Compact(slices.Sorted(maps.Values(claim.Target.BaseURLs))), " and "))
	line("suite", "%s %s, commit %s", r.Suite.Name, r.Suite.Version, r.Suite.Commit)
	if r.Suite.Version != Version || r.Suite.Commit != Commit {
		line("", "checked with %s, commit %s, whose catalogue is the same", Version, Commit)
	}
	line("rows", "%d: %d pass, %d fail, %d warn, %d observed, %d not assessed", len(r.Rows), r.Summary.Pass, r.Summary.Fail,
		r.Summary.Warn, r.Summary.Observed, r.Summary.NotAssessed)
	for _, name := range slices.Sorted(maps.Keys(k.Digests)) {
		line(strings.TrimSuffix(name, ".json"), "sha256 %s", k.Digests[name])
	}
	line("key", "%s", k.Key.Fingerprint())
	line("reproduce", "specs reproduce %s", c.Certificate)
}
