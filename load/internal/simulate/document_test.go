package simulate_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"leadconform/load/internal/simulate"
)

// written says how a table came about. The command, as it is printed, gives the same table again.
func written(test string, seeds int, took time.Duration) string {
	return fmt.Sprintf("Written by `PROOF=1 %s=%d go test -count=1 -timeout 4h -run '%s$' ./load/internal/simulate`\non %s, in %v. `make proof` writes it with %d seeds.",
		seedsVariable, seeds, test, time.Now().UTC().Format("2006-01-02 15:04 MST"), took.Round(time.Second), proofSeeds)
}

// networks says what the networks are, in every table of verdicts.
const networks = `Jitter is the standard deviation of one way. *Heavy tails*: 2 ms, and 0.3 % of all trips longer by a Pareto deviate of
scale 10 ms and shape 1.5. *Stalls*: 2 ms, and each stream held up every 4 s on average for up to 60 ms. *Freezes*: 2 ms, and
nothing arrives, either way, for up to 50 ms every second on average.
`

// limitsTable is how often which verdict came of which limiter on the Lead Distro API, as Markdown.
func limitsTable(cells []simulate.Cell, seeds int, took time.Duration) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# What the judge was measured on

%s
Seeds 1 to %d at a jitter of 0, 2 and 10 ms, a tenth of them elsewhere; the same seeds give the same table.

Each run is the whole experiment on one endpoint (all three, where a fault joins them): some 200 round trips to measure
the jitter, the phases, the Retry-After probes, what the guard or a missing burst asks to repeat, the verdict.
%s
A limiter that keeps the contract may never fail. One that breaks it has to fail a row that names the fault. At a jitter of
50 ms the network is too noisy to judge limits by, and the report has to say that; so it has to after stalls that cost a
phase more than 1 %% of its length. n/a is the share of runs in which nothing failed and a row was not assessed.
`, written("TestLimitsTable", seeds, took), seeds, networks)

	for _, right := range []bool{true, false} {
		for _, e := range simulate.Documented() {
			title := "Conforming: false failures"
			if !right {
				title = "Not conforming: caught"
			}
			fmt.Fprintf(&b, "\n## %s, %s (%v)\n\n", title, e.Name, e.Policy)
			grid(&b, pick(cells, right, e.Name))
		}
	}
	fmt.Fprint(&b, `
## What can't be told apart

- On lookup, 2 % of requests refused at random: of the some 160 requests below R that its limit allows within the run, none is
  refused in one run of 27. Any report states the share that its own number of requests would have shown.
- W longer by less than one second of R: legitimate granularity. Quotas longer than the run. How fast the burst comes back:
  only that it is back after a minute.
- A peak that is not policed in the first second of a burst, or in its last.
- A wait of up to two seconds that is longer than necessary.
`)
	return b.Bytes()
}

// windowTable is the same of the Insertion API.
func windowTable(cells []simulate.Cell, seeds int, took time.Duration) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# What the judge of fixed windows was measured on

%s
Seeds 1 to %d; the same seeds give the same table.

Each run is the whole experiment on the Insertion API, whose ceiling the client doesn't know: up to two roll-overs are awaited.
%s
A window that keeps the contract may never fail. One that breaks it has to fail a row that names the fault. n/a is the share of
runs in which nothing failed and a row was not assessed.
`, written("TestWindowTable", seeds, took), seeds, networks)
	for _, right := range []bool{true, false} {
		for _, c := range simulate.Ceilings() {
			title := "Conforming: false failures"
			if !right {
				title = "Not conforming: caught"
			}
			fmt.Fprintf(&b, "\n## %v. %s\n\n", c, title)
			grid(&b, pick(cells, right, c.String()))
		}
	}
	return b.Bytes()
}

func pick(cells []simulate.Cell, right bool, endpoint string) []simulate.Cell {
	return slices.DeleteFunc(slices.Clone(cells), func(c simulate.Cell) bool {
		return c.Right != right || c.Endpoint != endpoint
	})
}

// grid prints one row for each limiter, one column for each network.
func grid(b *bytes.Buffer, cells []simulate.Cell) {
	var names []string
	for _, n := range simulate.Networks {
		names = append(names, n.Name)
	}
	fmt.Fprintf(b, "| limiter | %s |\n|---|%s\n", strings.Join(names, " | "), strings.Repeat("---|", len(names)))
	for i := 0; i < len(cells); {
		row := []string{cells[i].Limiter}
		limiter := cells[i].Limiter
		for ; i < len(cells) && cells[i].Limiter == limiter; i++ {
			row = append(row, cellText(cells[i]))
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
}

func cellText(c simulate.Cell) string {
	share := func(n int) string {
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.1f", 100*float64(n)/float64(c.Seeds)), "0"), ".") + " %"
	}
	text := share(c.Failed)
	if c.Right && c.Failed == 0 {
		text = "0"
	}
	if c.NotAssessed > 0 {
		text += ", n/a " + share(c.NotAssessed)
	}
	return text
}

// fingerprintTable is how well limiters are recognised, as Markdown.
func fingerprintTable(rows []prints, windows []windowPrints, seeds int, took time.Duration) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# What the fingerprint was measured on

%s
Seeds 1 to %d of each kind on each network; the same seeds give the same table.

Errors are relative, at the median and the 95th percentile.

## Limiters that count in seconds, or not at all

Policies drawn at random: R from 10 to 500 a second, B one and a half to three times that, W from 4 to 12 s. Of a
sliding log R and B are what it lets in within any second; in the long run that is less, as a freed place waits for the next request.

| limiter | jitter | family right | R | R in its interval | B | B in its interval |
|---|---|---|---|---|---|---|
`, written("TestFingerprintTable", seeds, took), seeds)
	for _, p := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", p.kind, p.network, percent(p.right, p.seeds),
			spread(p.rate), percent(p.rateKnown, len(p.rate)), spread(p.burst), percent(p.burstKnown, len(p.burst)))
	}
	fmt.Fprint(&b, `
## Long windows

Nothing is known beforehand, and at most 400 requests per second are offered, as on the Insertion API. Ceilings drawn at random,
up to 2000 requests in a window. Bucket and sliding counter admit evenly in the long run and are no windows, but their bursts
are as large. Of the sliding counter, which lets in one request less than its ceiling in each window, that is the rate.

| limiter | jitter | family right | rate | rate in its interval | length | length in its interval | ceiling right |
|---|---|---|---|---|---|---|---|
`)
	for _, p := range windows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", p.kind, p.network, percent(p.right, p.seeds),
			spread(p.rate), percent(p.rateKnown, len(p.rate)), spread(p.length), percent(p.lengthKnown, len(p.length)),
			percent(p.ceilingRight, len(p.length)))
	}
	return b.Bytes()
}

func percent(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

// spread is the median and the 95th percentile of relative errors.
func spread(v []float64) string {
	if len(v) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f %% / %.2f %%", 100*quantile(v, 0.5), 100*quantile(v, 0.95))
}
