package simulate_test

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"leadconform/load/internal/simulate"
)

// The whole tables, of the limits, of the windows and of the fingerprint, take about an hour of two processors. They are
// written by
//
//	PROOF=1 go test -count=1 -timeout 4h -run 'Table$' ./load/internal/simulate
//
// which is part of `make proof`. LIMITS_SEEDS sets another number of seeds than 1000 for each cell; a table says which.
//
// Without either a slice of the table is run, in about a minute of processor time: 50 seeds where a run is cheap (lookup,
// and ingest at the jitter that is hardest), fewer where it isn't.
const (
	proofVariable = "PROOF"
	seedsVariable = "LIMITS_SEEDS"
	proofSeeds    = 1000
	limitsFile    = "../../LIMITS-TABLE.md"
	windowsFile   = "../../WINDOW-TABLE.md"
	printsFile    = "../../FINGERPRINT-TABLE.md"
)

// slice is what of the table every test run takes: seeds by endpoint and network.
var slice = map[string]map[string]int{
	"lookup": {simulate.Still.Name: 50, simulate.Jitter2.Name: 50, simulate.Jitter10.Name: 50},
	"ingest": {simulate.Still.Name: 5, simulate.Jitter2.Name: 5, simulate.Jitter10.Name: 50},
	"ping":   {simulate.Still.Name: 1, simulate.Jitter2.Name: 1, simulate.Jitter10.Name: 5},
}

// seedsOf says how many runs a cell gets. Networks beyond what the verdicts are promised for get a tenth.
func seedsOf(t *testing.T, endpoint string, n simulate.Network) int {
	all, whole := wholeTable(t)
	switch {
	case whole && !promised(n.Name):
		return max(1, all/10)
	case whole:
		return all
	case raceDetector && (n.Name != simulate.Jitter10.Name || endpoint != "lookup"):
		return 0 // a simulation is one goroutine: a run of each limiter, where it costs least, is enough
	case raceDetector:
		return 1
	}
	return slice[endpoint][n.Name]
}

// wholeTable reports whether the whole table is asked for, and how many seeds a cell gets.
func wholeTable(t *testing.T) (seeds int, ok bool) {
	if v := os.Getenv(seedsVariable); v != "" {
		seeds, err := strconv.Atoi(v)
		if err != nil || seeds < 1 {
			t.Fatalf("%s=%q: want a number of seeds", seedsVariable, v)
		}
		return seeds, true
	}
	return proofSeeds, os.Getenv(proofVariable) != ""
}

// promised are the networks on which no verdict may be wrong and none may be missing.
func promised(network string) bool {
	return slices.Contains([]string{simulate.Still.Name, simulate.Jitter2.Name, simulate.Jitter10.Name}, network)
}

// untold are the faults that an endpoint can't show every time, and the least share of runs in which it does.
var untold = map[string]map[string]float64{
	// Some 160 requests below R are all that lookup allows in the time: of these, 2 % are none in one run of 27.
	"2 % refused at random": {"lookup": 0.85},
}

func TestLimitsTable(t *testing.T) { verdicts(t, limitCells, limitsTable, limitsFile) }

func TestWindowTable(t *testing.T) { verdicts(t, windowCells, windowTable, windowsFile) }

// verdicts measures the cells of a table, holds each to what is promised of it, and writes the table if it is asked for.
func verdicts(t *testing.T, measure func(*testing.T) []simulate.Cell, table func([]simulate.Cell, int, time.Duration) []byte, file string) {
	if testing.Short() {
		t.Skip("the limiters take a minute")
	}
	rarelyCollect(t)
	began := time.Now()
	cells := measure(t)
	for _, c := range cells {
		holds(t, c)
	}
	seeds, _ := wholeTable(t)
	keep(t, file, table(cells, seeds, time.Since(began)))
}

func TestFingerprintTable(t *testing.T) {
	if raceDetector {
		t.Skip("a simulation is one goroutine, and one run of each kind says nothing about quantiles")
	}
	rarelyCollect(t)
	began := time.Now()
	prints := fingerprints(t)
	for _, p := range prints {
		recognised(t, p)
	}
	windows := windowFingerprints(t)
	for _, p := range windows {
		windowRecognised(t, p)
	}
	seeds, _ := wholeTable(t)
	keep(t, printsFile, fingerprintTable(prints, windows, seeds, time.Since(began)))
}

// rarelyCollect lets garbage pile up for the length of a test. Each run leaves some megabytes behind and keeps nothing:
// collected eight times less often, a table takes two thirds of the time.
func rarelyCollect(t *testing.T) {
	usual := debug.SetGCPercent(800)
	t.Cleanup(func() { debug.SetGCPercent(usual) })
}

// keep writes a table where it was asked for as a proof.
func keep(t *testing.T, file string, table []byte) {
	t.Helper()
	if os.Getenv(proofVariable) == "" {
		return
	}
	if err := os.WriteFile(file, table, 0o644); err != nil {
		t.Fatal(err)
	}
}

// limitCells measures every limiter on every endpoint and network.
func limitCells(t *testing.T) []simulate.Cell {
	var tasks []func() simulate.Cell
	for _, e := range simulate.Documented() {
		for _, l := range simulate.Catalogue() {
			for _, n := range simulate.Networks {
				if seeds := seedsOf(t, e.Name, n); seeds > 0 {
					tasks = append(tasks, func() simulate.Cell { return simulate.Measure(l, e, n, seeds) })
				}
			}
		}
	}
	return simulate.Together(tasks)
}

func windowCells(t *testing.T) []simulate.Cell {
	var tasks []func() simulate.Cell
	for _, c := range simulate.Ceilings() {
		for _, l := range simulate.WindowCatalogue() {
			for _, n := range simulate.Networks {
				seeds := 5
				if all, whole := wholeTable(t); whole {
					seeds = all
				} else if raceDetector {
					seeds = 1
				}
				tasks = append(tasks, func() simulate.Cell { return simulate.MeasureWindow(l, c, n, seeds) })
			}
		}
	}
	return simulate.Together(tasks)
}

// holds is what is promised of a cell: no right limiter fails, ever; every wrong one does, by the rows that name its
// fault, where the network is sound.
func holds(t *testing.T, c simulate.Cell) {
	t.Helper()
	where := fmt.Sprintf("%s, %s, %s", c.Limiter, c.Endpoint, c.Network)
	switch {
	case c.Right && c.Failed > 0:
		t.Errorf("%s: %d of %d runs failed: %s", where, c.Failed, c.Seeds, c.Example)
	case c.Right && promised(c.Network) && float64(c.NotAssessed) > 1+0.02*float64(c.Seeds) && !strings.Contains(c.Limiter, "50 ms"):
		t.Errorf("%s: %d of %d runs were not assessed: %s", where, c.NotAssessed, c.Seeds, c.Example)
	case c.Right || !promised(c.Network):
		return
	}
	least := float64(c.Seeds)
	if share, ok := untold[c.Limiter][c.Endpoint]; ok {
		least *= share
		least -= 2 * math.Sqrt(least*(1-share))
	}
	if !c.Right && float64(c.ByItsRow) < least {
		t.Errorf("%s: caught in %d of %d runs, in %d by the rows that name the fault: %s", where, c.Failed, c.Seeds, c.ByItsRow, c.Example)
	}
}
