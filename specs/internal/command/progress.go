package command

import (
	"fmt"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"leadconform/fixtures/target"
	"leadconform/load/harness"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/spec"
)

// progress is a bar on a terminal's stderr: how many rows have run, which one runs, and how much time is left. Elsewhere,
// and in CI, it says nothing.
type progress struct {
	bars *mpb.Progress // nil: quiet
	bar  *mpb.Bar

	mu   sync.Mutex
	pace pace
}

// newProgress starts the bar for so many of what it counts, "rows" for instance.
func newProgress(w *World, total int, of string) *progress {
	g := &progress{}
	if !w.Terminal {
		return g
	}
	g.bars = mpb.New(mpb.WithOutput(w.Stderr), mpb.WithAutoRefresh())
	g.bar = g.bars.New(int64(total), mpb.BarStyle().Lbound("[").Rbound("]"),
		mpb.BarWidth(24),
		mpb.PrependDecorators(decor.CountersNoUnit("%d of %d "+of)),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
			g.mu.Lock()
			defer g.mu.Unlock()
			return " " + g.pace.words(time.Now())
		})))
	return g
}

// expect says what is going to run, so that the time left can be told.
func (g *progress) expect(specs []spec.Spec, p *target.Profile) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pace = newPace(specs, p)
}

// Started is part of suite.Observer.
func (g *progress) Started(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pace.started(id)
}

// Done is part of suite.Observer.
func (g *progress) Done(o spec.Outcome) {
	g.mu.Lock()
	g.pace.ended(o)
	g.mu.Unlock()
	if g.bar != nil {
		g.bar.Increment()
	}
}

// attack shows how far an experiment has come (harness.Policy.Tell).
func (g *progress) attack(a harness.Progress) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pace.attack(a, time.Now())
}

// end takes the bar away.
func (g *progress) end() {
	if g.bar != nil {
		g.bar.Abort(true)
		g.bars.Wait()
	}
}

// pace works out how much time is left: the rows that run one after the other by how long such rows took so far, and the
// experiment of the limits rows, which all of them share, by how long it takes as planned.
type pace struct {
	swift, swiftDone int           // rows that are no limits rows
	spent            time.Duration // on those that are done
	failed           int
	doing            string

	experiment time.Duration // expected; 0: there is none, or it is over
	ends       time.Time     // when it is expected to end; zero: it hasn't begun
	attacks    time.Duration // expected length of its attacks
}

// keysRest is how long the keys of the limits rows rest before the attacks, where nothing is known of what they did before.
const keysRest = 12 * time.Second

func newPace(specs []spec.Spec, p *target.Profile) pace {
	var of pace
	limits := false
	for _, s := range specs {
		if tierOf(s.ID) == catalogue.Limits {
			limits = true
			continue
		}
		of.swift++
	}
	if limits {
		of.attacks = attackTime(p)
		of.experiment = keysRest + of.attacks
	}
	return of
}

// attackTime is how long the attacks take as they are planned: on the Lead Distro API a burst, a rest and half a burst
// again, 27 s for the documented limits; on the Insertion API two windows.
func attackTime(p *target.Profile) time.Duration {
	longest := time.Duration(0)
	if p.Distro != nil {
		longest = 27 * time.Second
	}
	if p.Insertion != nil {
		window := p.Insertion.Limit.Window
		if window == 0 {
			window = time.Minute
		}
		longest = max(longest, 2*window+3*time.Second)
	}
	return longest
}

func tierOf(id string) catalogue.Tier {
	row, _ := catalogue.Lookup(id)
	return row.Tier
}

func (p *pace) started(id string) { p.doing = id }

func (p *pace) ended(o spec.Outcome) {
	if o.Result == spec.Failed || o.Result == spec.Broken {
		p.failed++
	}
	if tierOf(o.Row) == catalogue.Limits {
		p.experiment = 0 // the first of them ran it, and the others only ask what it found
		return
	}
	p.swiftDone++
	p.spent += time.Duration(o.DurationMS * float64(time.Millisecond))
}

// attack notes what the experiment says of itself. While the keys rest it speaks of the rest alone, and of phases whose
// length follows from the answers it doesn't speak: they are expected to take as long as planned.
func (p *pace) attack(a harness.Progress, now time.Time) {
	if a.Elapsed == 0 {
		p.doing = a.Doing
		p.ends = now.Add(a.Remaining + p.attacks)
		return
	}
	p.doing = fmt.Sprintf("%s, %d requests", a.Doing, a.Requests)
	p.ends = now.Add(max(a.Remaining, p.attacks-a.Elapsed))
}

// left returns how much time is left, and false if that can't be said yet.
func (p *pace) left(now time.Time) (time.Duration, bool) {
	left := time.Duration(0)
	if p.swift > p.swiftDone {
		if p.spent == 0 {
			return 0, false
		}
		left = p.spent / time.Duration(p.swiftDone) * time.Duration(p.swift-p.swiftDone)
	}
	switch {
	case p.experiment == 0:
	case p.ends.IsZero():
		left += p.experiment
	case p.ends.After(now):
		left += p.ends.Sub(now)
	default:
		return 0, false // it takes longer than planned
	}
	return left, true
}

// words are what stands beside the bar.
func (p *pace) words(now time.Time) string {
	if p.doing == "" {
		return ""
	}
	text := p.doing
	if p.failed > 0 {
		text = fmt.Sprintf("%d failed, %s", p.failed, text)
	}
	if left, known := p.left(now); known {
		text += fmt.Sprintf(", about %v left", left.Round(time.Second))
	}
	return text
}
