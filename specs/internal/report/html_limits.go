package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"leadconform/fixtures/target"
	"leadconform/load/chart"
	"leadconform/load/harness"
	"leadconform/specs/internal/catalogue"
)

// endpoint is what the page shows of one limit.
type endpoint struct {
	harness.Limit
	ID          string // on the page
	Pictures    []chart.Picture
	Fingerprint []figure
	Rows        []Row // those that are about it
}

// figure is one number of a limit's fingerprint.
type figure struct {
	Name, Unit                     string
	Promised, Measured, Difference string // empty where there is none
}

// endpoints are the limits, those that failed first, and, apart from them, the data of their pictures.
func (r *Report) endpoints() ([]endpoint, [][]chart.Picture) {
	var endpoints []endpoint
	pictures := [][]chart.Picture{}
	limits := slices.Clone(r.Limits)
	slices.SortStableFunc(limits, func(a, b harness.Limit) int { return cmp.Compare(urgency(a.Verdict), urgency(b.Verdict)) })
	for i, limit := range limits {
		e := endpoint{Limit: limit, ID: fmt.Sprintf("limit-%d", i+1), Pictures: chart.Of(limit, r.Policy.Peak), Fingerprint: fingerprint(limit), Rows: r.rowsOf(limit)}
		endpoints = append(endpoints, e)
		pictures = append(pictures, e.Pictures)
	}
	return endpoints, pictures
}

// urgency is where a verdict stands among others: what a reader has to look at comes first.
func urgency(v harness.Outcome) int {
	switch v {
	case harness.Fail:
		return 0
	case harness.NotAssessed:
		return 1
	}
	return 2
}

// fingerprint sets what was measured beside what is promised.
func fingerprint(l harness.Limit) []figure {
	p := l.Policy
	promised := map[string]float64{"rate": p.Rate, "burst": p.Burst, "window_s": p.WindowS}
	credit := "requests"
	if p.Burst > 0 { // then the window shows in the credit alone
		promised["credit"] = (p.Burst - p.Rate) * p.WindowS
		credit = fmt.Sprintf("requests: %s/s more for %s s", number(p.Burst-p.Rate), number(p.WindowS))
		delete(promised, "window_s")
	}
	var figures []figure
	for _, f := range []struct{ name, key, unit string }{
		{"Sustained rate", "rate", "requests/s"}, {"Burst rate", "burst", "requests/s"}, {"Burst credit", "credit", credit},
		{"Requests per window", "requests", "requests"}, {"Window", "window_s", "s"},
	} {
		measured, was := l.Estimate[f.key]
		due := promised[f.key]
		if !was && due == 0 {
			continue
		}
		shown := figure{Name: f.name, Unit: f.unit}
		if due > 0 {
			shown.Promised = number(due)
		}
		if was {
			shown.Measured = number(measured)
		}
		if was && due > 0 {
			shown.Difference = percent(measured, due)
		}
		figures = append(figures, shown)
	}
	return figures
}

// percent is how far a measured figure is off the promised one.
func percent(measured, promised float64) string {
	off := math.Round(1000*(measured-promised)/promised) / 10
	if off == 0 {
		return "0.0 %" // without a sign: a minus before nothing looks like a fault
	}
	return fmt.Sprintf("%+.1f %%", off)
}

// rowsOf are the rows of tier limits that an endpoint's attack decides: those that name it, and on the Insertion API,
// whose paths share one limit, all.
func (r *Report) rowsOf(l harness.Limit) []Row {
	return slices.Collect(func(yield func(Row) bool) {
		for _, row := range r.Rows {
			of := row.API == l.API && row.Tier == string(catalogue.Limits) &&
				(l.API == target.APIInsertion || strings.Contains(row.ID, "-"+strings.ToUpper(l.Endpoint)+"-"))
			if of && !yield(row) {
				return
			}
		}
	})
}

// phase is a phase of the attacks and what it is for.
type phase struct{ Name, Text string }

// knownPhases are the harness's, in the order in which a reader meets them.
var knownPhases = []phase{
	{"A1", "From rest, just below the burst rate for the whole window: nothing may be limited."},
	{"A2", "After a short silence, overload until well after the credit is used up: counts what gets in from then on."},
	{"B1", "From rest, far above the burst rate: shows the peak, and the whole credit."},
	{"apart", "Just below the sustained rate, while the same key is refused on other endpoints: nothing may be limited."},
	{"B3", "After a rest, just below the burst rate again: the burst has to be back."},
	{"C", "Just below the sustained rate, while other keys are exhausted: nothing may be limited."},
	{"wait", "One request, sent when the time that the last refusal named has passed in silence: it has to get in."},
	{"refill", "Overload until the next refusal, where that time is more than two seconds."},
	{"sparse", "Requests once a second, to see whether that time was overstated."},
	{"twin-1", "Overload of one key of a supplier."},
	{"twin-2", "Half of the sustained rate on the supplier’s other key meanwhile: do two keys share one limit?"},
	{"overflow", "A key driven over its limit, so that single requests can show what a refusal leaves behind."},
	{"ramp", "A rate that doubles every half second, up to the first refusal."},
	{"first-poll", "Ten requests a second, until the window rolls over."},
	{"exhaust", "As fast as the profile allows from the roll-over on: counts what the window holds."},
	{"other-path", "Requests on the API’s other path at once: they share the window."},
	{"other-key-1", "One request with another key at once: it has a window of its own."},
	{"other-key-2", "The same on the other path."},
	{"second-poll", "Ten requests a second, until the window rolls over again: how long it is."},
	{"alternate-1", "Both paths in turn, until they refuse: together they hold as much as one. This is the first path."},
	{"alternate-2", "The same: the second path."},
}

// phases are those that occur in the report.
func (r *Report) phases() []phase {
	occurs := map[string]bool{}
	for _, limit := range r.Limits {
		for _, p := range limit.Phases {
			occurs[p.Name] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(knownPhases), func(p phase) bool { return !occurs[p.Name] })
}
