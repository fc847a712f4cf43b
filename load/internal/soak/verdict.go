package soak

import (
	"fmt"
	"slices"
	"time"

	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// BoundsOf are the bounds of every phase of a soak's plan, and how long an answer may take before it is tardy: as long
// longer than the median of the preflight's as the guard allows.
func BoundsOf(p plan.Plan, preflight []time.Duration, rested bool) (bounds []Bounds, trip time.Duration) {
	sorted := slices.Sorted(slices.Values(preflight))
	if len(sorted) > 0 {
		trip = sorted[len(sorted)/2]
	}
	trip += judge.TripBound
	for _, phase := range p.Phases {
		i := slices.IndexFunc(p.Endpoints, func(e plan.Endpoint) bool { return e.Name == phase.Endpoint })
		bounds = append(bounds, Bounds{Policy: p.Endpoints[i].Policy, Offered: phase.Rate, Delay: judge.LagBound + trip, Rested: rested})
	}
	return bounds, trip
}

// Judge judges the trace of a soak. Its samples are sorted by when they were due.
func Judge(t *trace.Trace) *Board {
	bounds, trip := BoundsOf(t.Meta.Plan, t.Meta.Preflight, t.Meta.Rested)
	slices.SortStableFunc(t.Samples, func(a, b trace.Sample) int { return int(a.Intended - b.Intended) })
	board := NewBoard(bounds, judge.LagBound, trip)
	board.Replay(slices.Values(t.Samples))
	return board
}

// Result is the verdict on one supplier.
type Result struct {
	Supplier  string     `json:"supplier"`
	Verdict   Verdict    `json:"verdict"`
	Reason    string     `json:"reason"` // of a pass: what it rules out
	Violation *Violation `json:"violation,omitempty"`
	Admitted  int        `json:"admitted"`
	Limited   int        `json:"limited"`
	Other     int        `json:"other"`
	Seconds   int        `json:"seconds"`
	AtLimit   int        `json:"seconds_at_limit"` // of them, those that could be judged
	Spoilt    int        `json:"seconds_spoilt"`
}

// Verdicts are what a soak came to.
type Verdicts struct {
	Pass        int      `json:"pass"`
	Fail        int      `json:"fail"`
	NotAssessed int      `json:"not_assessed"`
	Carried     int      `json:"carried"` // the most suppliers that were driven in time at once
	Suppliers   []Result `json:"suppliers"`
	Notes       []string `json:"notes,omitempty"`
}

// Verdicts returns the verdict on each of the plan's suppliers.
func (b *Board) Verdicts(p plan.Plan) Verdicts {
	v := Verdicts{Carried: b.Carried()}
	for i, c := range b.Curves() {
		r := Result{
			Supplier: string(p.Phases[i].Stream), Violation: c.First, Admitted: c.Admitted, Limited: c.Limited, Other: c.Other,
			Seconds: c.Seconds, AtLimit: c.AtLimit, Spoilt: c.Spoilt,
		}
		r.Verdict, r.Reason = c.Verdict()
		v.count(r.Verdict)
		v.Suppliers = append(v.Suppliers, r)
	}
	return v
}

func (v *Verdicts) count(verdict Verdict) {
	switch verdict {
	case Pass:
		v.Pass++
	case Fail:
		v.Fail++
	default:
		v.NotAssessed++
	}
}

// Withhold takes every verdict back: what they rest on isn't known well enough.
func (v *Verdicts) Withhold(reason string) {
	v.Pass, v.Fail, v.NotAssessed = 0, 0, len(v.Suppliers)
	for i := range v.Suppliers {
		v.Suppliers[i].Verdict, v.Suppliers[i].Reason = NotAssessed, reason
	}
}

// Heaviest is a note on what could be carried, if that isn't all.
func (v Verdicts) Heaviest(offered float64) string {
	if v.Carried >= len(v.Suppliers) {
		return ""
	}
	return fmt.Sprintf("client, network and target together carried %d of %d suppliers in time at once, which is %.0f requests per second: drive fewer with --suppliers, or split them over machines with --shard",
		v.Carried, len(v.Suppliers), float64(v.Carried)*offered)
}
