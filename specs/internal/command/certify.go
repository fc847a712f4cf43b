package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/certificate"
	"leadconform/specs/internal/report"
)

type certifyCmd struct {
	verifyCmd
	Implementation string `help:"What is certified, as its vendor calls it." required:"" placeholder:"NAME"`
	Version        string `help:"Its version." required:"" placeholder:"V"`
	Key            string `help:"The private key that signs (specs keygen makes one)." required:"" placeholder:"FILE" type:"path"`
}

// Help is shown by specs certify --help.
func (certifyCmd) Help() string {
	return `Runs the specs as verify does, at level full unless told otherwise, and writes certificate.json beside report.json: which level each API is granted, and which rows deny it a higher one. It is signed, and names the report, the catalogue and the profile, without its secrets, by their digests. If no API is granted a level, or rows were selected, or the target was lost, there is no certificate, and the reason is said. The exit status is verify's.

Hand in the certificate and report.json together: specs check needs both.

Examples:

  specs certify --profile staging.yaml --implementation "Acme Leads" --version 2.3 --key acme.key --allow-load staging.example.com
  specs certify --profile staging.yaml --implementation "Acme Leads" --version 2.3 --key acme.key --level core
  specs certify --implementation Reference --version 1 --key acme.key --level core       the embedded reference server
  specs check report/certificate.json --pub acme.pub`
}

// certificateFile is the certificate's name in the folder of the report.
const certificateFile = "certificate.json"

// Run runs the specs and certifies what they show.
func (c *certifyCmd) Run(ctx context.Context, w *World) error {
	if strings.TrimSpace(c.Implementation) == "" || strings.TrimSpace(c.Version) == "" {
		return usage("--implementation and --version say what is certified: they must not be blank")
	}
	key, err := certificate.ReadPrivateKey(c.Key) // or a run of minutes would end in a wrong key
	if err != nil {
		return usage("--key: %w", err)
	}
	plan, err := c.plan(ctx, w)
	if err != nil {
		return err
	}
	defer plan.stop()
	r, told, err := plan.runAndTell(ctx, w)
	if err != nil {
		return err
	}
	out := w.Stdout
	if c.Format == "json" {
		out = w.Stderr // stdout has the report, and nothing else
	}
	if err := c.certify(ctx, out, plan.profile, r, key); err != nil {
		return err
	}
	return told
}

// certify writes the certificate, or says why there is none.
func (c *certifyCmd) certify(ctx context.Context, out io.Writer, profile *target.Profile, r *report.Report, key certificate.PrivateKey) error {
	path := filepath.Join(c.Out, certificateFile)
	if reason := certificate.Refusal(r); reason != "" {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // it was of the report that lay there
			return usage("%w", err)
		}
		fmt.Fprintf(out, "  no certificate: %s\n", reason)
		return nil
	}
	text, err := os.ReadFile(filepath.Join(c.Out, "report.json")) // as it was written, to the byte
	if err != nil {
		return usage("read the report back: %w", err)
	}
	public, err := profile.Public()
	if err != nil {
		return usage("%w", err)
	}
	signed, err := certificate.Issue(ctx, text, public, certificate.Implementation{Name: c.Implementation, Version: c.Version}, key)
	if err != nil {
		return usage("%w", err)
	}
	if err := os.WriteFile(path, signed, 0o644); err != nil {
		return usage("write the certificate: %w", err)
	}
	fmt.Fprintf(out, "  certificate: %s, signed with the key %s\n", path, key.Public().Fingerprint())
	for _, api := range certificate.Levels(r) {
		for _, line := range denials(api) {
			fmt.Fprintf(out, "  %s: %s\n", report.APIName(api.API), line)
		}
	}
	return nil
}

// denials says which rows deny an API a level: a line for each tier, rows of one verdict together.
func denials(api certificate.API) []string {
	var lines []string
	for _, tier := range catalogue.Tiers {
		byWord := map[string][]string{}
		var words []string
		for _, row := range api.Denied {
			if row.Tier != string(tier) {
				continue
			}
			word := string(row.Verdict)
			if row.Waived != "" {
				word += ", waived: " + target.Printable(row.Waived)
			}
			if byWord[word] == nil {
				words = append(words, word)
			}
			byWord[word] = append(byWord[word], row.Row)
		}
		for i, word := range words {
			words[i] = strings.Join(byWord[word], ", ") + " (" + word + ")"
		}
		if len(words) > 0 {
			lines = append(lines, "level "+string(tier)+" is denied by "+strings.Join(words, ", "))
		}
	}
	return lines
}
