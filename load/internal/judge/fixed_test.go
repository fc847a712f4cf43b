package judge_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/simulate"
	"leadconform/load/internal/trace"
)

var hundred = simulate.Ceiling{Requests: 100, Window: 10 * time.Second}

func windowRun(t *testing.T, name string) *trace.Trace {
	t.Helper()
	all := simulate.WindowCatalogue()
	i := slices.IndexFunc(all, func(l simulate.WindowLimiter) bool { return l.Name == name })
	if i < 0 {
		t.Fatalf("no limiter %q", name)
	}
	_, tr := simulate.WindowTrial{Limiter: all[i], Network: simulate.Jitter2, Ceiling: hundred, Seed: 1}.Run()
	return tr
}

func phaseOf(tr *trace.Trace, s trace.Sample) plan.Name { return tr.Meta.Plan.Phases[s.Phase].Name }

const rightWindow = "fixed window from the first request"

func TestARightWindowPassesEveryRow(t *testing.T) {
	report := judge.Run(windowRun(t, rightWindow), judge.Options{})
	for _, row := range []string{"01", "02", "03", "04", "05", "06"} {
		if v := report.Rows()["IN-429-"+row]; v != judge.Pass {
			t.Errorf("IN-429-%s: %q", row, v)
		}
	}
	told := false
	for _, f := range report.Findings {
		told = told || slices.ContainsFunc(f.Notes, func(n string) bool { return strings.Contains(n, "holds 100 requests") })
	}
	if !told {
		t.Error("no note says that the window holds 100 requests")
	}
}

// A request that is long under way may arrive in the next window, and is told of that one's end.
func TestALateRefusalSaysNothingOfTheWindowBefore(t *testing.T) {
	tr := windowRun(t, rightWindow)
	late := slices.IndexFunc(tr.Samples, func(s trace.Sample) bool { return phaseOf(tr, s) == plan.FirstPoll && s.Kind == trace.Limited })
	if late < 0 {
		t.Fatal("no poll was refused")
	}
	s := &tr.Samples[late]
	ofNext := *s.Refusal
	ofNext.HeaderWait += 10 * time.Second
	s.Refusal, s.Received = &ofNext, s.Received+11*time.Second
	if v := judge.Run(tr, judge.Options{}).Rows()["IN-429-06"]; v != judge.Pass {
		t.Errorf("IN-429-06: %q", v)
	}
	s.Received -= 11 * time.Second // a refusal that came in time, and names the same end, is at fault
	if v := judge.Run(tr, judge.Options{}).Rows()["IN-429-06"]; v != judge.Fail {
		t.Errorf("in time, IN-429-06: %q", v)
	}
}

// Where requests overtake each other, a refused key seems to get in again at once.
func TestOnANoisyNetworkNoWindowIsCalledMissing(t *testing.T) {
	tr := windowRun(t, "a bucket instead of a window")
	if v := judge.Run(tr, judge.Options{}).Rows()["IN-429-05"]; v != judge.Fail {
		t.Errorf("on a sound network: %q", v)
	}
	for i := range tr.Meta.Preflight {
		tr.Meta.Preflight[i] += time.Duration(i%10) * 20 * time.Millisecond
	}
	if v := judge.Run(tr, judge.Options{}).Rows()["IN-429-05"]; v != judge.NotAssessed {
		t.Errorf("on a noisy one: %q", v)
	}
}

// Two counts instead of one show in two ways, and each has to be seen without the other.
func TestSeparateCountsShowAtOnceAndInTheSum(t *testing.T) {
	for _, name := range []string{"a count for each path", "the internal path unlimited"} {
		for _, f := range judge.Run(windowRun(t, name), judge.Options{}).Findings {
			if f.Row == "IN-429-03" && f.Verdict != judge.Fail {
				t.Errorf("%s: %q is %s at %v", name, f.Clause, f.Verdict, f.Figure)
			}
		}
	}
}

// What was not seen is not judged.
func TestWindowRowsWithoutTheirGrounds(t *testing.T) {
	without := func(names ...plan.Name) func(*trace.Trace) {
		return func(tr *trace.Trace) {
			tr.Samples = slices.DeleteFunc(tr.Samples, func(s trace.Sample) bool { return slices.Contains(names, phaseOf(tr, s)) })
		}
	}
	tests := []struct {
		name  string
		spoil func(*trace.Trace)
		rows  []string
	}{
		{"no refusal within what may be offered", func(tr *trace.Trace) {
			tr.Samples = slices.DeleteFunc(tr.Samples, func(s trace.Sample) bool {
				return phaseOf(tr, s) != plan.Ramp || s.Kind == trace.Limited
			})
		}, []string{"01", "02", "03", "04", "05", "06"}},
		{"no other path", without(plan.OtherPath, plan.OtherKey2, plan.Alternate1, plan.Alternate2), []string{"03"}},
		{"no other key", without(plan.OtherKey1, plan.OtherKey2), []string{"04"}},
		{"cut off before the roll-over", func(tr *trace.Trace) {
			tr.Samples = slices.DeleteFunc(tr.Samples, func(s trace.Sample) bool { return s.Sent > 6*time.Second })
			tr.End.Reason = "stopped"
		}, []string{"03", "04", "05", "06"}},
		{"the client stalled while it counted", func(tr *trace.Trace) {
			n := 0
			for i := range tr.Samples {
				s := &tr.Samples[i]
				if name := phaseOf(tr, *s); name == plan.Exhaust || name == plan.Alternate1 {
					if n++; n > 20 {
						s.Sent += 300 * time.Millisecond
						s.Received += 300 * time.Millisecond
					}
				}
			}
		}, []string{"03"}},
		{"the other path never lets anything in", func(tr *trace.Trace) {
			for i := range tr.Samples {
				if s := &tr.Samples[i]; tr.Meta.Plan.Phases[s.Phase].Endpoint == simulate.InternalPath {
					s.Kind, s.Status = trace.Limited, 429
				}
			}
		}, []string{"03"}},
		{"an answer was a 500", func(tr *trace.Trace) {
			tr.Samples[5].Kind, tr.Samples[5].Status, tr.Samples[5].Fault = trace.Other, 500, trace.BadStatus
		}, []string{"03", "04", "05", "06"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tr := windowRun(t, rightWindow)
			test.spoil(tr)
			rows := judge.Run(tr, judge.Options{}).Rows()
			for _, row := range test.rows {
				// The count on both paths can't fit what never got in on one: that is a failure all the same.
				if v := rows["IN-429-"+row]; v == judge.Pass {
					t.Errorf("IN-429-%s passed", row)
				}
			}
		})
	}
}

// A window that is exhausted just before it rolls over seems to let the key in again at once, as a bucket does: more quickly
// than the profile states, or far away.
func TestAWindowThatIsSoonOverIsNotCalledMissing(t *testing.T) {
	far := simulate.Network{Name: "far", Base: 150 * time.Millisecond, Jitter: 2 * time.Millisecond}
	for _, l := range simulate.WindowCatalogue() {
		if !l.Right {
			continue
		}
		for _, n := range []simulate.Network{simulate.Still, simulate.Jitter10, far} {
			for _, c := range []simulate.Ceiling{{Requests: 84, Window: time.Second}, {Requests: 323, Window: time.Second}, {Requests: 680, Window: 2 * time.Second}} {
				for seed := range uint64(5) {
					report, _ := simulate.WindowTrial{Limiter: l, Network: n, Ceiling: c, Stated: time.Minute, Seed: seed}.Run()
					for _, f := range report.Findings {
						if f.Verdict == judge.Fail {
							t.Errorf("%s, %v, %s: %s: %s", l.Name, c, n.Name, f.Row, f.Reason)
						}
					}
				}
			}
		}
	}
}

// A log of a few requests forgets those of the ramp almost at once, as a window does, but not those from there on. Of fewer
// than half a dozen, or far away of a dozen, too many are polls for that to be seen.
func TestALogOfFewRequestsIsNoWindow(t *testing.T) {
	all := simulate.WindowCatalogue()
	far := simulate.Network{Name: "far", Base: 150 * time.Millisecond, Jitter: 2 * time.Millisecond}
	run := func(limiter string, n simulate.Network, requests float64, may ...judge.Verdict) {
		l := all[slices.IndexFunc(all, func(l simulate.WindowLimiter) bool { return l.Name == limiter })]
		for seed := range uint64(10) {
			for _, onePath := range []bool{false, true} {
				ceiling := simulate.Ceiling{Requests: requests, Window: 10 * time.Second}
				report, _ := simulate.WindowTrial{Limiter: l, Network: n, Ceiling: ceiling, Seed: seed, OnePath: onePath}.Run()
				rows := report.Rows()
				if v := rows["IN-429-05"]; !slices.Contains(may, v) {
					t.Errorf("%s, %v, %s, one path %v, seed %d: %s, want %v", limiter, ceiling, n.Name, onePath, seed, v, may)
				}
				if v := rows["IN-429-03"]; onePath && v != judge.NotAssessed {
					t.Errorf("%s, %v, one path: IN-429-03: %s", limiter, ceiling, v)
				}
			}
		}
	}
	for _, requests := range []float64{1, 2, 3, 4, 5, 6, 8, 12, 13, 20, 21, 30, 35, 41, 45, 60, 120} {
		for _, n := range []simulate.Network{simulate.Still, simulate.Jitter2, simulate.Jitter10, far} {
			for _, right := range []string{rightWindow, "fixed window by the clock", "Redis-shared fixed window, 50 ms"} {
				run(right, n, requests, judge.Pass)
			}
			switch log := "a log instead of a window"; {
			case n.Name != far.Name && requests >= 6:
				run(log, n, requests, judge.Fail)
			case requests >= 12:
				run(log, n, requests, judge.Fail, judge.NotAssessed)
			}
		}
	}
}

// Where the second roll-over comes long before the first one's refusals ended, a log is forgetting what the ramp sent.
func TestALogIsNoShortWindow(t *testing.T) {
	all := simulate.WindowCatalogue()
	log := all[slices.IndexFunc(all, func(l simulate.WindowLimiter) bool { return l.Name == "a log instead of a window" })]
	for _, seed := range []uint64{545, 2642, 2757, 2788} {
		ceiling := simulate.Ceiling{Requests: 30, Window: 5 * time.Second}
		report, _ := simulate.WindowTrial{Limiter: log, Network: simulate.Jitter10, Ceiling: ceiling, Seed: seed}.Run()
		if v := report.Rows()["IN-429-05"]; v != judge.Fail {
			t.Errorf("seed %d: %s", seed, v)
		}
	}
}
