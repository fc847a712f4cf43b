package command

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/harness"
	"leadconform/specs/internal/spec"
)

func done(id string, took time.Duration, result spec.Result) spec.Outcome {
	return spec.Outcome{Row: id, Result: result, DurationMS: float64(took.Milliseconds())}
}

func TestTimeLeft(t *testing.T) {
	now := time.Unix(1000, 0)
	specs := []spec.Spec{{ID: "LD-ENV-01"}, {ID: "LD-ENV-02"}, {ID: "LD-ENV-03"}, {ID: "LD-LIM-KEY"}, {ID: "LD-LIM-ENDPOINT"}}
	p := newPace(specs, target.Reference("http://127.0.0.1:1", ""))
	at := func(after time.Duration, want time.Duration, known bool) {
		t.Helper()
		if left, ok := p.left(now.Add(after)); left != want || ok != known {
			t.Errorf("after %v: %v left, %v; want %v, %v", after, left, ok, want, known)
		}
	}
	at(0, 0, false) // nothing has run yet
	p.ended(done("LD-ENV-01", 2*time.Second, spec.Passed))
	at(0, 2*2*time.Second+keysRest+27*time.Second, true) // two such rows and the experiment as planned
	p.attack(harness.Progress{Doing: "letting the keys rest", Remaining: 5 * time.Second}, now)
	at(time.Second, 4*time.Second+4*time.Second+27*time.Second, true)
	p.attack(harness.Progress{Doing: "attacking", Elapsed: 7 * time.Second, Remaining: 20 * time.Second, Requests: 100}, now)
	at(5*time.Second, 4*time.Second+15*time.Second, true)
	at(time.Minute, 0, false)                                                     // it takes longer than planned
	p.attack(harness.Progress{Doing: "attacking", Elapsed: 7 * time.Second}, now) // no phase of known length is left
	at(0, 4*time.Second+20*time.Second, true)
	p.ended(done("LD-LIM-KEY", 30*time.Second, spec.Passed))
	at(0, 4*time.Second, true) // the other limits row takes no time
	p.ended(done("LD-ENV-02", 4*time.Second, spec.Failed))
	at(0, 3*time.Second, true)
	p.started("LD-ENV-03")
	if got := p.words(now); got != "1 failed, LD-ENV-03, about 3s left" {
		t.Errorf("it says %q", got)
	}
	p.ended(done("LD-ENV-03", time.Second, spec.Passed))
	at(0, 0, true)
}

func TestAttacksTakeAsLongAsTheirWindows(t *testing.T) {
	p := target.Reference("http://127.0.0.1:1", "")
	for name, c := range map[string]struct {
		change func(*target.Profile)
		want   time.Duration
	}{
		"both, a window of 10 s": {func(*target.Profile) {}, 27 * time.Second},
		"an unknown window":      {func(p *target.Profile) { p.Insertion.Limit.Window = 0 }, 123 * time.Second},
		"insertion alone":        {func(p *target.Profile) { p.Distro, p.Insertion.Limit.Window = nil, 10*time.Second }, 23 * time.Second},
		"distro alone":           {func(p *target.Profile) { p.Insertion = nil }, 27 * time.Second},
	} {
		changed := *p
		insertion := *p.Insertion
		changed.Insertion = &insertion
		c.change(&changed)
		if got := attackTime(&changed); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestBarOnATerminalAndNowhereElse(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var stderr bytes.Buffer
			g := newProgress(&World{Stderr: &stderr, Terminal: terminal}, 2, "rows")
			g.expect([]spec.Spec{{ID: "LD-ENV-01"}, {ID: "LD-ENV-02"}}, target.Reference("http://127.0.0.1:1", ""))
			g.Started("LD-ENV-01")
			time.Sleep(3 * time.Second)
			g.Done(done("LD-ENV-01", 3*time.Second, spec.Failed))
			g.Started("LD-ENV-02")
			time.Sleep(time.Second)
			g.end()
			if !terminal {
				if stderr.Len() > 0 {
					t.Errorf("where there is no terminal it wrote %q", stderr.String())
				}
				return
			}
			for _, want := range []string{"0 of 2 rows", "LD-ENV-01", "1 of 2 rows", "1 failed, LD-ENV-02, about 3s left"} {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("the bar doesn't say %q:\n%q", want, stderr.String())
				}
			}
		})
	}
}

func TestWhereABarMovesAndColourIsWelcome(t *testing.T) {
	for name, c := range map[string]struct {
		env          map[string]string
		live, colour bool
	}{
		"a terminal":           {map[string]string{"TERM": "xterm"}, true, true},
		"CI":                   {map[string]string{"TERM": "xterm", "CI": "true"}, false, true},
		"CI=false":             {map[string]string{"CI": "false"}, true, true},
		"NO_COLOR":             {map[string]string{"NO_COLOR": "1"}, true, false},
		"NO_COLOR is empty":    {map[string]string{"NO_COLOR": ""}, true, true},
		"a terminal of paper":  {map[string]string{"TERM": "dumb"}, false, false},
		"NO_COLOR=0 counts so": {map[string]string{"NO_COLOR": "0"}, true, false},
	} {
		getenv := func(key string) string { return c.env[key] }
		if live, colour := livePage(getenv), colourful(getenv); live != c.live || colour != c.colour {
			t.Errorf("%s: a bar %v, colour %v; want %v, %v", name, live, colour, c.live, c.colour)
		}
	}
}
