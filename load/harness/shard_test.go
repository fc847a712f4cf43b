package harness_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/fixtures/pipenet"
	"leadconform/fixtures/target"
	"leadconform/load/harness"
	"leadconform/load/internal/judge"
	"leadconform/load/internal/shard"
	"leadconform/load/internal/trace"
	"leadconform/reference/server"
)

// verifyTogether verifies a server with so many workers at once, in virtual time, and returns the verdict on each row that
// follows from all of their traces.
func verifyTogether(t *testing.T, config server.Config, workers int) (rows map[string]judge.Verdict) {
	synctest.Test(t, func(t *testing.T) {
		s, err := server.New(config)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(context.WithoutCancel(t.Context()))
		network, public := pipenet.New(), &http.Server{Handler: s.Handler()}
		served := make(chan struct{})
		go func() { defer close(served); _ = public.Serve(network) }()
		defer func() { public.Close(); <-served }()

		traces, verdicts := make([]bytes.Buffer, workers), make([]harness.Verdict, workers)
		start := time.Now().Add(30 * time.Second)
		var running sync.WaitGroup
		for i := range workers {
			running.Go(func() {
				policy := harness.Policy{RunID: fmt.Sprint("worker", i), Version: "test", Endpoints: []string{harness.Ingest, harness.Lookup}, Trace: &traces[i]}
				if workers > 1 {
					policy.Part = harness.Part{Index: i, Count: workers, StartAt: start}
				}
				var err error
				verdicts[i], err = harness.Verify(t.Context(), harness.Target{
					Profile: target.Reference("http://target", ""), Dial: network.DialContext, Virtual: true,
				}, policy)
				if err != nil {
					t.Errorf("worker %d: %v", i, err)
				}
			})
		}
		running.Wait()
		var parts []*trace.Trace
		for i := range traces {
			part, err := trace.Read(&traces[i])
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, part)
		}
		whole := parts[0]
		if workers > 1 {
			merged, err := shard.Merge(parts)
			if err != nil || len(merged.Missing)+len(merged.Clocks) > 0 {
				t.Fatalf("merging: %v, %+v", err, merged)
			}
			whole = &merged.Trace
		}
		found := judge.Run(whole, judge.Options{}).Findings
		complete := harness.Complete(whole.Meta.Plan, found)
		if len(complete) != len(found) {
			t.Errorf("%d findings of rows that were asked for, of %d", len(complete), len(found))
		}
		rows = judge.Report{Findings: complete}.Rows()
		for _, row := range verdicts[0].Rows {
			if _, traced := rows[row.ID]; workers == 1 && traced == (row.ID == "LD-429-08") || traced && harness.LevelOf(row.ID) != row.Level {
				t.Errorf("%s (%s): in the trace: %t", row.ID, row.Level, traced)
			}
		}
	})
	return rows
}

// Three workers, each with keys of its own, reach the verdict that one reaches, on a right server and on wrong ones.
func TestThreeWorkersReachTheVerdictOfOne(t *testing.T) {
	if raceDetector {
		t.Skip("a minute and more: without the race detector it takes seconds")
	}
	for name, c := range map[string]struct {
		factor float64 // by which the sustained rate of ingest is off
		fails  string
	}{"right": {1, ""}, "too little": {0.9, "LD-LIM-INGEST-FLOOR"}} {
		config := server.Config{Assemble: func(p *server.Parts) {
			for _, s := range p.World.Distro.Suppliers {
				s.Limits.Ingest.Rate *= c.factor
			}
		}}
		one, three := verifyTogether(t, config, 1), verifyTogether(t, config, 3)
		if !maps.Equal(one, three) {
			t.Errorf("%s: one worker: %v; three: %v", name, one, three)
		}
		if len(one) < 20 {
			t.Errorf("%s: %d rows: %v", name, len(one), one)
		}
		for row, verdict := range three {
			if c.fails == "" && verdict == judge.Fail || row == c.fails && verdict != judge.Fail {
				t.Errorf("%s: %s: %s", name, row, verdict)
			}
		}
	}
}
