package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/harness"
)

type verifyCmd struct {
	targetFlags
	shardFlags
	Endpoint []string `help:"What to verify: ingest, ping, lookup, insertion. Default: all that the profile describes." placeholder:"ENDPOINT"`
	Peak     string   `help:"How the burst rate is read: as a peak that is policed, or as a capacity." default:"strict" enum:"strict,capacity"`
	Out      string   `help:"The folder that receives limits.json and limits.trace, which load report reads." default:"report" type:"path"`
	Format   string   `help:"What stdout receives." default:"text" enum:"text,json"`
	Seed     *uint64  `help:"Fixes the values that are sent." placeholder:"N"`
}

// Help is shown by load verify --help.
func (verifyCmd) Help() string {
	return `Takes about half a minute for the documented limits, all endpoints side by side, and longer where a phase has to be repeated.

Examples:

  load verify                                            the embedded reference server
  load verify --endpoint lookup --endpoint insertion     two of its four endpoints
  load verify --profile staging.yaml --allow-load staging.example.com`
}

// document is what limits.json holds.
type document struct {
	Schema  int                     `json:"schema"`
	Suite   suiteInfo               `json:"suite"`
	Target  targetInfo              `json:"target"`
	Seed    uint64                  `json:"seed"`
	Exit    int                     `json:"exit"`
	Error   string                  `json:"error,omitempty"` // why the run ended early
	Summary map[harness.Outcome]int `json:"summary"`
	harness.Verdict
}

type suiteInfo struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Commit  string `json:"commit"`
}

type targetInfo struct {
	Name          string            `json:"name"`
	BaseURLs      map[string]string `json:"base_urls"`
	ProfileSHA256 string            `json:"profile_sha256"`
}

// Run verifies the limits of a target.
func (v *verifyCmd) Run(ctx context.Context, w *World) error {
	if err := v.shardFlags.check(v.Out); err != nil {
		return err
	}
	c, err := v.choose(ctx, w)
	if err != nil {
		return err
	}
	defer c.stop()
	doc := document{
		Schema: 1, Seed: rand.Uint64() >> 32, Suite: suiteInfo{"leadconform", Version, Commit},
		Target: targetInfo{c.profile.Name, map[string]string{}, c.profile.Digest},
	}
	if v.Seed != nil {
		doc.Seed = *v.Seed
	}
	for _, api := range c.profile.APIs() {
		doc.Target.BaseURLs[api] = c.profile.BaseURL(api)
	}
	policy := harness.Policy{
		Peak: v.Peak, Endpoints: v.Endpoint, RunID: target.NewRunID(), Version: Version, Seed: doc.Seed,
		Part: harness.Part{Index: v.Shard.Index, Count: v.Shard.Count, StartAt: v.StartAt},
		Tell: func(p harness.Progress) {
			w.status("%s: %d requests, about %v to go", p.Doing, p.Requests, p.Remaining.Round(time.Second))
		},
	}
	if err := policy.Check(c.profile); err != nil {
		return usage("%w", err)
	}
	if err := os.MkdirAll(v.Out, 0o755); err != nil {
		return usage("--out: %w", err)
	}
	trace, err := create("--out", filepath.Join(v.Out, "limits.trace"))
	if err != nil {
		return err
	}
	policy.Trace = trace
	if v.Format == "text" {
		v.announce(w, c, policy)
	}
	doc.Verdict, err = harness.Verify(ctx, harness.Target{Profile: c.profile, Fresh: c.fresh}, policy)
	w.status("")
	if closed := trace.Close(); closed != nil {
		err = errors.Join(err, fmt.Errorf("write the trace: %w", closed))
	}
	return v.tell(w, doc, err)
}

func (v *verifyCmd) announce(w *World, c *chosen, p harness.Policy) {
	var bases []string
	for _, api := range c.profile.APIs() {
		if base := c.profile.BaseURL(api); len(bases) == 0 || bases[0] != base {
			bases = append(bases, base)
		}
	}
	w.printf("the limits of %s at %s; run %s, seed %d\n", c.profile.Name, strings.Join(bases, " and "), p.RunID, p.Seed)
	for _, remark := range c.remarks {
		w.printf("note: %s\n", remark)
	}
}

// tell writes the verdict to where it is wanted, and returns the exit status. A verdict that was reached only in part is
// written too.
func (v *verifyCmd) tell(w *World, doc document, err error) error {
	if err != nil && (doc.Verdict.Rows == nil || errors.Is(err, harness.ErrLate)) {
		return usage("%w", err)
	}
	if errors.Is(err, context.Canceled) {
		err = errStopped
	}
	if err == nil && !v.Shard.Whole() {
		// A part is no verdict: that is load report's, on all of them.
		w.printf("worker %v: %d requests; the trace is %s: load report puts it together with the others\n",
			v.Shard, doc.Requests, filepath.Join(v.Out, "limits.trace"))
		return nil
	}
	doc.Exit = exitStatus(doc.Verdict, err)
	doc.Summary = map[harness.Outcome]int{harness.Pass: 0, harness.Fail: 0, harness.Observed: 0, harness.NotAssessed: 0}
	for _, row := range doc.Rows {
		doc.Summary[row.Outcome]++
	}
	if err != nil {
		doc.Error = err.Error()
	}
	text, errJSON := json.MarshalIndent(doc, "", "  ")
	if errJSON != nil {
		return fmt.Errorf("write the verdict: %w", errJSON)
	}
	text = append(text, '\n')
	if err := os.WriteFile(filepath.Join(v.Out, "limits.json"), text, 0o644); err != nil {
		return usage("--out: %w", err)
	}
	if v.Format == "json" {
		_, _ = w.Stdout.Write(text)
	} else {
		writeVerdict(w.Stdout, doc)
		w.printf("  report: %s\n", v.Out)
	}
	if err != nil {
		return &exitError{doc.Exit, err}
	}
	if doc.Exit != exitOK {
		return &exitError{status: doc.Exit}
	}
	return nil
}

// exitStatus is that of a verdict, and of how the run ended.
func exitStatus(v harness.Verdict, err error) int {
	status := exitOK
	switch {
	case errors.Is(err, harness.ErrUnreachable), errors.Is(err, harness.ErrNoKey), errors.Is(err, harness.ErrLost):
		return exitUnreachable
	case err != nil:
		status = exitNotAssessed
	}
	for _, row := range v.Rows {
		switch {
		case row.Level != harness.Must:
		case row.Outcome == harness.Fail:
			return exitFailed
		case row.Outcome == harness.NotAssessed:
			status = exitNotAssessed
		}
	}
	return status
}
