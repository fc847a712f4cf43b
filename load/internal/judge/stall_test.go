package judge_test

import (
	"testing"
	"time"

	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/simulate"
)

// A client that is held up for seconds sends later than planned. Meanwhile a key's credit comes back, so that it isn't
// used up when the plan says that it is: what gets in then is more than R, and no fault of the target.
func TestNoRightLimiterFailsAClientThatWasHeldUp(t *testing.T) {
	heldUp := simulate.Network{Name: "held up", Base: 10 * time.Millisecond, Jitter: 2 * time.Millisecond,
		StallEvery: 12 * time.Second, StallFor: 4 * time.Second}
	notAssessed := 0
	for _, l := range simulate.Right() {
		for _, e := range simulate.Documented() {
			if e.Name == "ping" {
				continue // like ingest, five times as long
			}
			for seed := range uint64(4) {
				report, _ := simulate.Trial{Limiter: l, Network: heldUp, Endpoints: []plan.Endpoint{e}, Seed: seed}.Run()
				for _, f := range report.Findings {
					switch f.Verdict {
					case judge.Fail:
						t.Errorf("%s, seed %d: failed %s: %s at %v, accepted %v", l.Name, seed, f.Row, f.Clause, f.Figure, f.Accept)
					case judge.NotAssessed:
						notAssessed++
					}
				}
			}
		}
	}
	if notAssessed == 0 {
		t.Error("nobody was held up")
	}
}

// A client that is held up asks for nothing meanwhile, and a log of the last second is that much later from then on: what
// gets in falls below B, and no limiter is at fault.
func TestWhatWasNotAskedForIsNotMissed(t *testing.T) {
	lookup := simulate.Documented()[2:]
	for seed := range uint64(100) {
		report, _ := simulate.Trial{Limiter: limiter(t, "bucket, and a log for the peak"), Network: simulate.Stalls,
			Endpoints: lookup, Seed: seed}.Run()
		for _, f := range report.Findings {
			if f.Verdict == judge.Fail {
				t.Errorf("seed %d: %s: %s", seed, f.Row, f.Reason)
			}
		}
	}
}
