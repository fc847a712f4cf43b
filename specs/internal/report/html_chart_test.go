package report_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"leadconform/load/harness"
)

// column is one series of a picture as the charting library holds it, by what it is called.
type column struct {
	Label  string
	Values []*float64
}

// columns are the series of a picture.
func (p *tab) columns(limit, picture int) []column {
	p.t.Helper()
	selector := fmt.Sprintf(`details.picture[data-limit="%d"][data-picture="%d"]`, limit, picture)
	p.run(chromedp.Evaluate(fmt.Sprintf(`{ const d = document.querySelector(%q); d.open = true; d.scrollIntoView(); }`, selector), nil))
	p.await(fmt.Sprintf(`document.querySelector(%q).view?.charts?.length > 0`, selector))
	return eval[[]column](p, fmt.Sprintf(`document.querySelector(%q).view.charts.flatMap(chart => chart.series.slice(1).map((series, i) =>
		({ Label: series.label, Values: [...chart.data[i + 1]] })))`, selector))
}

// secondsOf are the seconds of a key, in the order of time; the sample's phases are in that order.
func secondsOf(l harness.Limit, key string) []harness.Second {
	var all []harness.Second
	for _, phase := range l.Phases {
		if phase.Key == key {
			all = append(all, phase.Seconds...)
		}
	}
	return all
}

func picturesShowTheReport(t *testing.T, b browser) {
	r := withLimits(sample(t, false))
	p := b.open(t, r, desk)
	for _, c := range []struct {
		limit, picture int
		key            string
		curves         bool
	}{{0, 0, "limits_a", true}, {0, 1, "limits_b", true}, {1, 0, "limits_a", false}} {
		seconds := secondsOf(r.Limits[c.limit], c.key)
		figures := map[string]func(harness.Second) float64{
			"offered":           func(s harness.Second) float64 { return float64(s.Offered) },
			"admitted":          func(s harness.Second) float64 { return float64(s.Admitted) },
			"limited":           func(s harness.Second) float64 { return float64(s.Limited) },
			"median round trip": func(s harness.Second) float64 { return s.TripMS },
			"slowest":           func(s harness.Second) float64 { return s.SlowestMS },
		}
		curves := 0
		for _, column := range p.columns(c.limit, c.picture) {
			of, measured := figures[column.Label]
			if !measured {
				curves++
				continue
			}
			delete(figures, column.Label)
			var want []*float64
			for _, second := range seconds {
				value := of(second)
				want = append(want, &value)
			}
			if diff := cmp.Diff(want, column.Values); diff != "" {
				t.Errorf("limit %d, key %s, %s (-report +picture):\n%s", c.limit, c.key, column.Label, diff)
			}
		}
		if len(figures) > 0 {
			t.Errorf("limit %d, key %s: the picture lacks %v", c.limit, c.key, figures)
		}
		if (curves == 3) != c.curves || (curves == 0) == c.curves {
			t.Errorf("limit %d, key %s: %d curves of the contract", c.limit, c.key, curves)
		}
	}
	// The pictures of one limit share their time axis: from the first request of any key to the end of the last second.
	spans := eval[[][2]float64](p, `[0, 1].map(i => document.querySelector('details.picture[data-limit="0"][data-picture="' + i + '"]').view.charts[0].scales.x).map(x => [x.min, x.max])`)
	if want := [2]float64{0, 20.2}; spans[0] != spans[1] || spans[0][0] != want[0] || math.Abs(spans[0][1]-want[1]) > 1e-6 {
		t.Errorf("the pictures of one limit cover %v, want %v both", spans, want)
	}
	p.quiet()
}

func picturesCanBeRead(t *testing.T, b browser) {
	r := withLimits(sample(t, false))
	p := b.open(t, r, desk)
	p.columns(0, 0)
	const view = `details.picture[data-limit="0"][data-picture="0"]`
	readout := func() map[string]string {
		return eval[map[string]string](p, `Object.fromEntries([...document.querySelectorAll('`+view+` .readout [data-series]')].map(each =>
			[each.dataset.series, each.querySelector("dd").textContent]))`)
	}
	when := func() string { return eval[string](p, `document.querySelector('`+view+` .when dd').textContent`) }

	if got := readout(); when() != "whole run" || got["admitted"] != "3038" || got["limited"] != "502" {
		t.Errorf("without a cursor: %s, %v", when(), got)
	}

	// The pointer stands near the end of the fourth second of A2.
	at := eval[[2]float64](p, `(chart => {
		const over = chart.over.getBoundingClientRect();
		return [over.left + chart.valToPos(12.2 + 3.8, "x"), over.top + over.height / 2];
	})(document.querySelector('`+view+`').view.charts[0])`)
	p.run(input.DispatchMouseEvent(input.MouseMoved, at[0], at[1]))
	p.await(`document.querySelector('` + view + ` .when dd').textContent !== "whole run"`)
	want := map[string]string{"offered": "200", "admitted": "103", "limited": "97", "most": "181", "least": "100", "credit": "0", "trip_ms": "1 ms", "slowest_ms": "6.5 ms"}
	if diff := cmp.Diff(want, readout()); diff != "" || when() != "15.2–16.2 s, A2" {
		t.Errorf("under the pointer at %s (-want +got):\n%s", when(), diff)
	}
	p.run(input.DispatchMouseEvent(input.MouseMoved, 5, 5))
	p.await(`document.querySelector('` + view + ` .when dd').textContent === "whole run"`)

	// The same by keyboard: eleven steps to the first second of A2.
	p.run(chromedp.Focus(view+` [role=slider]`, chromedp.ByQuery))
	p.run(chromedp.KeyEvent(kb.Home), chromedp.KeyEvent(kb.PageUp))
	if got := readout(); when() != "12.2–13.2 s, A2" || got["admitted"] != "200" || got["credit"] != "60" {
		t.Errorf("by keyboard: %s, %v", when(), got)
	}
	said := eval[string](p, `document.querySelector('`+view+` [role=slider]').getAttribute("aria-valuetext")`)
	for _, each := range []string{"12.2–13.2 s, A2", "offered200", "admitted200"} {
		if !strings.Contains(strings.ReplaceAll(said, " ", ""), strings.ReplaceAll(each, " ", "")) {
			t.Errorf("a screen reader is told %q, without %q", said, each)
		}
	}
	p.run(chromedp.KeyEvent(kb.Escape))
	if when() != "whole run" {
		t.Errorf("after Escape: %s", when())
	}

	// And as a table.
	p.run(chromedp.Click(view+` .numbers > summary`, chromedp.ByQuery))
	p.await(`document.querySelector('` + view + ` .numbers table')`)
	rows := eval[[][]string](p, `[...document.querySelectorAll('`+view+` .numbers tr')].map(row => [...row.children].map(cell => cell.textContent))`)
	if len(rows) != 1+18 {
		t.Fatalf("the table has %d rows, want 18 seconds and their heads", len(rows))
	}
	if diff := cmp.Diff([]string{"15.20", "A2", "200", "103", "97", "181", "100", "0", "1", "6.5", "200"}, rows[1+13]); diff != "" {
		t.Errorf("the fourth second of A2 in the table with %v (-want +got):\n%s", rows[0], diff)
	}
	p.quiet()
}
