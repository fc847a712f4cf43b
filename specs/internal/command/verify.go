package command

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/harness"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/limits"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/spec"
	"leadconform/specs/internal/suite"
	"leadconform/specs/internal/verdict"
)

type verifyCmd struct {
	targetFlags
	Level       string   `help:"How far to go: core, limits (sends load) or full (needs hooks)." default:"${level}" enum:"core,limits,full"`
	Only        []string `help:"Run only these rows: IDs or globs such as 'LD-4*'." placeholder:"ID" predictor:"row"`
	Skip        []string `help:"Leave these rows out." placeholder:"ID" predictor:"row"`
	Peak        string   `help:"How the burst rate is read: as a peak that is policed (strict), or as a capacity." default:"strict" enum:"strict,capacity"`
	Strict      bool     `help:"A SHOULD row that fails makes the exit status 1, too."`
	MaxRequests int64    `help:"Send at most this many requests." placeholder:"N"`
	Out         string   `help:"The folder that receives report.json, junit.xml and index.html." default:"report" type:"path"`
	Format      string   `help:"What stdout receives: text, or the report as json and nothing else." default:"text" enum:"text,json"`
	Seed        *uint64  `help:"Fixes the order of the rows and the values that they send." placeholder:"N"`
	AllowLoad   []string `help:"Hosts, other than this machine, that limits rows may send load to." placeholder:"HOST"`
}

// Help is shown by specs verify --help.
func (verifyCmd) Help() string {
	return `Level core needs credentials and campaigns and no more. limits adds the rows on rates and bursts, which send load for half a minute. full adds the rows on 500, 503 and forced conflicts, which need hooks in the profile.

The folder --out receives index.html for a person, report.json for programs and junit.xml for CI systems. Off a terminal nothing moves and nothing is coloured; on one, CI keeps the bar still and NO_COLOR the colours out. Where GITHUB_STEP_SUMMARY is set, the verdict is on the step's page.

Exit status: 0 conformant at the asked level, or every failure waived; 1 a MUST row failed (with --strict any row), or a waiver is stale; 2 a flag or the profile is wrong; 3 nothing failed, but a MUST row was not assessed; 4 the target could not be reached, or was lost half-way.

Examples:

  specs verify                                      the embedded reference server
  specs verify --target http://127.0.0.1:8080       a reference server that runs on this machine
  specs verify --profile staging.yaml               any target that a profile describes
  specs verify --profile staging.yaml --level limits --allow-load staging.example.com
  specs verify --profile staging.yaml --api insertion --only 'IN-IDEM-*' --skip IN-IDEM-10
  specs verify --profile staging.yaml --format json | jq .levels`
}

// Run runs the specs.
func (v *verifyCmd) Run(ctx context.Context, w *World) error {
	plan, err := v.plan(ctx, w)
	if err != nil {
		return err
	}
	defer plan.stop()
	_, told, err := plan.runAndTell(ctx, w)
	if err != nil {
		return err
	}
	return told
}

// report runs the specs and returns the report, whatever it says.
func (v *verifyCmd) report(ctx context.Context, w *World) (*report.Report, error) {
	plan, err := v.plan(ctx, w)
	if err != nil {
		return nil, err
	}
	defer plan.stop()
	r, _, err := plan.runAndTell(ctx, w)
	return r, err
}

// runAndTell runs the specs and writes the report to where it is wanted. told is the exit status, nil for 0; err says why
// there is no report.
func (p *verification) runAndTell(ctx context.Context, w *World) (r *report.Report, told, err error) {
	if err := report.MakeFolder(p.flags.Out); err != nil { // before minutes are spent on what can't be written
		return nil, nil, usage("%w", err)
	}
	if r, err = p.run(ctx, w); err != nil {
		return nil, nil, err
	}
	told = tell(w, r, p.flags.Out, p.flags.Format)
	if ended := new(exitError); told != nil && (!errors.As(told, &ended) || ended.err != nil) {
		return nil, nil, told // it was not written
	}
	return r, told, nil
}

// verification is one run of verify.
type verification struct {
	*chosen
	flags  *verifyCmd
	level  catalogue.Tier
	picked selection
	specs  []spec.Spec
	seed   uint64
	id     string
	digest string // of the profile without its secrets
	client *target.Client
	limits *limits.Experiment
}

// plan checks everything that can be wrong before the first request.
func (v *verifyCmd) plan(ctx context.Context, w *World) (*verification, error) {
	level, err := ReadLevel(v.Level)
	if err != nil {
		return nil, usage("%w", err)
	}
	if v.MaxRequests < 0 {
		return nil, usage("--max-requests %d: it must not be negative", v.MaxRequests)
	}
	picked := selection{v.Only, v.Skip}
	if err := picked.check(); err != nil {
		return nil, err
	}
	chosen, err := v.choose(ctx, w)
	if err != nil {
		return nil, err
	}
	plan := &verification{chosen: chosen, flags: v, level: level, picked: picked, id: target.NewRunID(), seed: rand.Uint64() >> 32}
	if v.Seed != nil {
		plan.seed = *v.Seed
	}
	if err := plan.check(); err != nil {
		chosen.stop()
		return nil, err
	}
	plan.client = target.NewClient(chosen.profile, target.Options{RunID: plan.id, Version: Version, MaxRequests: v.MaxRequests})
	return plan, nil
}

func (p *verification) check() error {
	all, err := suite.Specs(p.apis, func() (*limits.Experiment, string) { return p.limits, "" })
	if err != nil {
		return usage("%w", err)
	}
	if p.specs, err = p.picked.choose(all, p.level); err != nil {
		return err
	}
	if p.digest, err = p.profile.PublicDigest(); err != nil {
		return usage("%w", err)
	}
	if p.level == catalogue.Core {
		return nil
	}
	if host := p.profile.ForbiddenHost(p.apis, p.flags.AllowLoad); host != "" {
		return usage("--level %s sends load to %s: if you may do that, add --allow-load %s", p.level, host, host)
	}
	return nil
}

// run tries the credentials, runs the rows and judges them.
func (p *verification) run(ctx context.Context, w *World) (*report.Report, error) {
	defer p.client.Close()
	started := time.Now()
	tried, err := p.preflight(ctx, p.client)
	if err != nil {
		return nil, err
	}
	for _, a := range tried {
		if a.problem != "" {
			p.remarks = append(p.remarks, fmt.Sprintf("the credential %s.credentials.%s doesn't work: %s", a.api, a.role, a.problem))
		}
	}
	p.announce(w)
	progress := newProgress(w, len(p.specs), "rows")
	progress.expect(p.specs, p.profile)
	p.limits = &limits.Experiment{
		// Nobody has used the keys of a server that was started just now.
		Target: harness.Target{Profile: p.profile, Fresh: p.flags.Profile == "" && p.flags.Target == ""},
		Policy: harness.Policy{Peak: p.flags.Peak, RunID: p.id, Version: Version, Seed: p.seed, Tell: progress.attack},
	}
	p.limits.Narrow(p.limitsRows())
	runner := spec.NewRunner(p.profile, p.client, spec.NewData(p.id, p.seed, p.profile.Phones, 0))
	outcomes, err := suite.Run(suite.Plan{
		Specs: p.specs, Runner: func() *spec.Runner { return runner }, Observer: progress,
	}, p.seed)
	progress.end()
	if err != nil {
		return nil, usage("the suite is at fault: %w", err)
	}
	p.decided(ctx, runner, outcomes)
	return p.report(outcomes, started), nil
}

// decided adds what an interrupted experiment had found to the outcomes: it decides its rows together, and the run may have
// ended before each of them had asked.
func (p *verification) decided(ctx context.Context, runner *spec.Runner, outcomes map[string]spec.Outcome) {
	if !p.limits.Begun() {
		return
	}
	for _, s := range p.specs {
		if _, told := outcomes[s.ID]; !told && s.Measure != nil {
			outcomes[s.ID] = runner.Run(ctx, s)
		}
	}
}

// limitsRows are the rows of tier limits that are to be run.
func (p *verification) limitsRows() []string {
	var ids []string
	for _, s := range p.specs {
		if s.Measure != nil {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

func (p *verification) report(outcomes map[string]spec.Outcome, started time.Time) *report.Report {
	asked := verdict.Asked{APIs: p.apis, Level: p.level, Strict: p.flags.Strict, Waivers: p.profile.Waivers, Now: time.Now()}
	if !p.picked.empty() {
		asked.Selected = p.picked.holds
	}
	r := &report.Report{
		Suite:  report.Suite{Name: "leadconform", Version: Version, Commit: Commit},
		Target: report.Target{Name: p.profile.Name, BaseURLs: map[string]string{}, ProfileSHA256: p.digest},
		Run: report.Run{ID: p.id, Started: started.UTC(), Finished: time.Now().UTC(), Level: string(p.level), Seed: p.seed,
			Selected: !p.picked.empty(), Strict: p.flags.Strict, Requests: p.client.Sent()},
		Policy: report.Policy{Peak: p.flags.Peak},
	}
	for _, api := range p.apis {
		r.Target.BaseURLs[api] = p.profile.BaseURL(api)
	}
	if found := p.limits.Verdict(); found != nil {
		r.Limits = found.Limits
		r.Run.Requests += int64(found.Requests)
	}
	r.Fill(verdict.Judge(catalogue.Rows(), outcomes, asked))
	return r
}

// announce says what is about to be tested.
func (p *verification) announce(w *World) {
	if p.flags.Format == "json" {
		return
	}
	var bases []string
	for _, api := range p.apis {
		if base := p.profile.BaseURL(api); !slices.Contains(bases, base) {
			bases = append(bases, base)
		}
	}
	w.printf("%s at %s, %s, level %s, %d rows; run %s, seed %d\n", p.profile.Name, strings.Join(bases, " and "),
		strings.Join(p.apis, " and "), p.level, len(p.specs), p.id, p.seed)
	for _, remark := range p.remarks {
		w.printf("note: %s\n", remark)
	}
	w.printf("\n")
}

// tell writes the report to where it is wanted and returns the exit status.
func tell(w *World, r *report.Report, out, format string) error {
	if err := r.WriteFiles(out); err != nil {
		return usage("%w", err)
	}
	w.summarise(r.WriteMarkdown)
	if format == "json" {
		if err := r.WriteJSON(w.Stdout); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	} else {
		report.Terminal{W: w.Stdout, Colour: w.Colour}.Write(r)
		w.printf("  report: %s\n", out)
	}
	if r.Run.Exit != verdict.ExitConformant {
		return &exitError{status: r.Run.Exit}
	}
	return nil
}

func (w *World) printf(format string, args ...any) { _, _ = fmt.Fprintf(w.Stdout, format, args...) }
