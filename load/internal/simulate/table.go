package simulate

import (
	"runtime"
	"slices"
	"strings"
	"sync"

	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
)

// Cell is what came of many runs against one limiter, on one endpoint and one network.
type Cell struct {
	Limiter  string
	Right    bool
	Endpoint string
	Network  string
	Seeds    int
	// Failed is the number of runs in which a row failed: of a right limiter a false failure, of a wrong one a catch.
	Failed int
	// ByItsRow is how many of these failed every row that the limiter is known to break.
	ByItsRow int
	// NotAssessed is the number of runs in which no row failed, but one was not assessed that the limiter gives something to
	// be assessed by.
	NotAssessed int
	Example     string // the first false failure, or the first miss, in words
}

// Passed is the number of runs in which every row passed, as far as it could be assessed at all.
func (c Cell) Passed() int { return c.Seeds - c.Failed - c.NotAssessed }

// Measure runs one limiter with the seeds 1 to n on one endpoint.
func Measure(l Limiter, e plan.Endpoint, n Network, seeds int) Cell {
	c := Cell{Limiter: l.Name, Right: l.Right, Endpoint: e.Name, Network: n.Name, Seeds: seeds}
	endpoints := []plan.Endpoint{e}
	if l.Couples {
		endpoints = Documented()
	}
	for seed := range seeds {
		report, _ := Trial{Limiter: l, Network: n, Endpoints: endpoints, Seed: uint64(seed) + 1}.Run()
		c.count(report, e.Name, l.Rows)
	}
	return c
}

// count adds one run.
func (c *Cell) count(report judge.Report, endpoint string, rows []string) {
	failed, noisy := false, false
	var broken []string // rows that failed
	example := ""
	for _, f := range report.Findings {
		if f.Endpoint != endpoint && f.Endpoint != "" {
			continue
		}
		switch f.Verdict {
		case judge.Fail:
			failed = true
			broken = append(broken, f.Row)
			if c.Right && example == "" {
				example = f.Row + ": " + f.Reason
			}
		case judge.NotAssessed:
			if f.Row != "LD-LIM-ENDPOINT" { // it takes several
				noisy = true
				example = f.Row + ": " + f.Reason
			}
		}
	}
	switch {
	case failed:
		c.Failed++
	case noisy:
		c.NotAssessed++
	}
	if !slices.ContainsFunc(rows, func(end string) bool { return !endsLike(broken, end) }) {
		c.ByItsRow++
	}
	if failed == c.Right && c.Example == "" {
		c.Example = example
	}
}

// endsLike reports whether one of the rows ends so.
func endsLike(rows []string, end string) bool {
	return slices.ContainsFunc(rows, func(row string) bool { return strings.HasSuffix(row, end) })
}

// MeasureWindow does the same for the Insertion API.
func MeasureWindow(l WindowLimiter, ceiling Ceiling, n Network, seeds int) Cell {
	c := Cell{Limiter: l.Name, Right: l.Right, Endpoint: ceiling.String(), Network: n.Name, Seeds: seeds}
	for seed := range seeds {
		report, _ := WindowTrial{Limiter: l, Network: n, Ceiling: ceiling, Seed: uint64(seed) + 1}.Run()
		c.count(report, "", l.Rows)
	}
	return c
}

// Together runs the tasks on all processors, and returns what they return, in their order.
func Together[T any](tasks []func() T) []T {
	results := make([]T, len(tasks))
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				results[i] = tasks[i]()
			}
		})
	}
	for i := range tasks {
		next <- i
	}
	close(next)
	workers.Wait()
	return results
}
