package command

import (
	"slices"
	"strings"

	"leadconform/load/harness"
	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/shard"
	"leadconform/load/internal/soak"
	"leadconform/load/internal/trace"
)

// judge adds the verdict on a whole run.
func (m *merged) judge(t *trace.Trace, peak plan.Peak) {
	switch {
	case soak.IsPlan(t.Meta.Plan):
		v := soak.Judge(t).Verdicts(t.Meta.Plan)
		if note := v.Heaviest(t.Meta.Plan.Phases[0].Rate); note != "" {
			v.Notes = append(v.Notes, note)
		}
		m.soaks = append(m.soaks, v)
	case isExperiment(t.Meta.Plan):
		found := judge.Run(t, judge.Options{Peak: peak}).Findings
		m.findings = append(m.findings, harness.Complete(t.Meta.Plan, found)...)
	}
}

// mergeShards puts the traces of workers together, run by run, and judges each run as if one worker had done it all.
func (m *merged) mergeShards(peak plan.Peak) error {
	for len(m.shards) > 0 {
		first := m.shards[0].Meta.Shard
		other := func(t *trace.Trace) bool {
			return t.Meta.Shard.Count != first.Count || !t.Meta.Shard.StartAt.Equal(first.StartAt)
		}
		parts := slices.DeleteFunc(slices.Clone(m.shards), other)
		m.shards = slices.DeleteFunc(m.shards, func(t *trace.Trace) bool { return !other(t) })
		run, err := shard.Merge(parts)
		if err != nil {
			return err
		}
		m.notes = append(append(m.notes, run.Missing...), run.Clocks...)
		m.missing = m.missing || len(run.Missing) > 0
		findings, soaks := len(m.findings), len(m.soaks)
		m.judge(&run.Trace, peak)
		withhold(run, m.findings[findings:], m.soaks[soaks:])
	}
	return nil
}

// acrossKeys are the rows that hold what one key saw against what another did meanwhile.
var acrossKeys = []string{"LD-LIM-KEY", "LD-LIM-KEYS"}

// withhold takes back what rests on workers that are missing or on clocks that disagree.
func withhold(run *shard.Merged, findings []judge.Finding, soaks []soak.Verdicts) {
	missing, clocks := strings.Join(run.Missing, "; "), strings.Join(run.Clocks, "; ")
	for i := range findings {
		f := &findings[i]
		switch {
		case missing != "":
			f.Verdict, f.Reason = judge.NotAssessed, missing
		case clocks != "" && (run.Interleaved || slices.Contains(acrossKeys, f.Row)):
			f.Verdict, f.Reason = judge.NotAssessed, clocks
		}
	}
	if !run.Interleaved {
		return // each supplier was driven by one worker alone: what was seen of it stands
	}
	if reason := strings.Trim(missing+"; "+clocks, "; "); reason != "" {
		for i := range soaks {
			soaks[i].Withhold(reason)
		}
	}
}

// status is the exit status of a report: that of its soaks and of the MUST rows that its traces decide, and never that of
// a pass while something is missing.
func (m *merged) status() error {
	failed, open := false, m.missing
	for _, v := range m.soaks {
		failed, open = failed || v.Fail > 0, open || v.NotAssessed > 0
	}
	for _, f := range m.findings {
		if harness.LevelOf(f.Row) == harness.Must {
			failed, open = failed || f.Verdict == judge.Fail, open || f.Verdict == judge.NotAssessed
		}
	}
	switch {
	case failed:
		return &exitError{status: exitFailed}
	case open:
		return &exitError{status: exitNotAssessed}
	}
	return nil
}
