package plan

import (
	"testing"
	"time"
)

// server answers one request: whether it is admitted, and what a refusal asks to wait.
type server func(now time.Duration, phase int) (admitted bool, wait time.Duration)

// sent is a request that a script sent.
type sent struct {
	at       time.Duration
	phase    int
	admitted bool
}

// drive lets a script talk to a server whose answers take a while, and returns what it sent.
func drive(t *testing.T, s Script, now, trip time.Duration, serve server) []sent {
	t.Helper()
	var all []sent
	var pending []Answer
	deliver := func(until time.Duration) {
		for len(pending) > 0 && pending[0].Received <= until {
			s.Observe(pending[0])
			pending = pending[1:]
		}
	}
	for range 100_000 {
		deliver(now)
		switch m := s.Next(now); m.Kind {
		case Done:
			return all
		case Drain:
			if len(pending) > 0 {
				now = max(now, pending[len(pending)-1].Received)
			}
			deliver(now)
		case Send:
			now = max(now, m.At)
			deliver(now)
			admitted, wait := serve(now, m.Phase)
			a := Answer{Phase: m.Phase, Sent: now, Received: now + trip, Outcome: Limited, RetryAfter: wait}
			if admitted {
				a.Outcome, a.RetryAfter = Admitted, 0
			}
			pending = append(pending, a)
			all = append(all, sent{now, m.Phase, admitted})
		}
	}
	t.Fatal("the script doesn't end")
	return nil
}

func count(all []sent, phase int) (n, admitted int) {
	for _, s := range all {
		if s.phase == phase {
			n++
			if s.admitted {
				admitted++
			}
		}
	}
	return n, admitted
}

const trip = 30 * time.Millisecond

// The phases of the Retry-After probes in these tests.
const (
	overload = iota
	waitPhase
	refillPhase
	sparsePhase
)

// The wait begins when the last success has arrived that was sent after the refusal, whichever that is.
func TestWaitProbeWaitsForAnswersThatOvertakeEachOther(t *testing.T) {
	const ms = time.Millisecond
	script := NewWaitProbe(ingest, waitPhase, refillPhase, sparsePhase)
	for _, a := range []Answer{
		{Phase: overload, Sent: 9800 * ms, Received: 9830 * ms, Outcome: Limited, RetryAfter: time.Second},
		{Phase: overload, Sent: 9950 * ms, Received: 9970 * ms, Outcome: Admitted},
		{Phase: overload, Sent: 9900 * ms, Received: 9990 * ms, Outcome: Admitted},
	} {
		script.Observe(a)
	}
	if m := script.Next(10 * time.Second); m.Kind != Send || m.At != 10990*ms {
		t.Errorf("%+v, want the probe a second after the last arrival, at 10.99 s", m)
	}
}

func TestWaitProbe(t *testing.T) {
	const s = time.Second
	refuse := func(wait time.Duration) server {
		return func(time.Duration, int) (bool, time.Duration) { return false, wait }
	}
	// honest is refused until a second of silence has passed, and asks for so much.
	honest := func(asks time.Duration) server {
		var last time.Duration
		return func(now time.Duration, _ int) (bool, time.Duration) {
			quiet := now - last
			last = now
			return quiet >= s-trip, asks
		}
	}
	shown := func(wait time.Duration) []Answer {
		return []Answer{
			{Phase: overload, Sent: 9900 * time.Millisecond, Received: 9930 * time.Millisecond, Outcome: Admitted},
			{Phase: overload, Sent: 9950 * time.Millisecond, Received: 9980 * time.Millisecond, Outcome: Limited, RetryAfter: wait},
		}
	}
	tests := []struct {
		name                 string
		shown                []Answer
		serve                server
		wait, refill, sparse int // requests of each; -1: at least one
	}{
		{"a second, as asked", shown(s), honest(s), 1, 0, 0},
		{"never refused", []Answer{{Phase: overload, Outcome: Admitted}}, refuse(s), 0, 0, 0},
		{"a refusal that doesn't say", shown(0), refuse(0), 0, 0, 0},
		{"an hour isn't waited for", shown(time.Hour), refuse(time.Hour), 0, 0, 0},
		{"overstated: one sparse probe gets in", shown(5 * s), honest(5 * s), 1, -1, 1},
		{"true: five sparse probes don't", shown(5 * s), refuse(5 * s), 1, -1, 5},
		{"shown nothing, it looks for a refusal first", nil, honest(s), 1, -1, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			script := NewWaitProbe(ingest, waitPhase, refillPhase, sparsePhase)
			for _, a := range test.shown {
				script.Observe(a)
			}
			all := drive(t, script, 10*s, trip, test.serve)
			for phase, want := range map[int]int{waitPhase: test.wait, refillPhase: test.refill, sparsePhase: test.sparse} {
				if n, _ := count(all, phase); n != want && !(want == -1 && n > 0) {
					t.Errorf("phase %d: %d requests, want %d", phase, n, want)
				}
			}
			if test.wait == 1 && test.shown != nil {
				asked := test.shown[1].RetryAfter
				if at := all[0].at; at != 9980*time.Millisecond+asked {
					t.Errorf("probe at %v, want %v after the refusal came", at, asked)
				}
			}
		})
	}
}

func TestWaitProbeGivesUpOnAnUnlimitedTarget(t *testing.T) {
	script := NewWaitProbe(lookup, waitPhase, refillPhase, sparsePhase)
	all := drive(t, script, 0, trip, func(time.Duration, int) (bool, time.Duration) { return true, 0 })
	if n, _ := count(all, refillPhase); n == 0 || n > 300 {
		t.Errorf("%d requests", n)
	}
}

// fixedWindow serves so many requests in each window, which begins with the first request after the one before.
func fixedWindow(ceiling int, length time.Duration) server {
	var begin time.Duration
	n := ceiling
	began := false
	return func(now time.Duration, phase int) (bool, time.Duration) {
		if phase == 4 || phase == 5 { // the other key
			return true, 0
		}
		if !began || now-begin >= length {
			began, begin, n = true, now, 0
		}
		if n >= ceiling {
			return false, begin + length - now
		}
		n++
		return true, 0
	}
}

func TestWindowScript(t *testing.T) {
	f := FixedWindow{Path1: "leads", Path2: "internal", SecondKey: true, Window: 10 * time.Second, MaxRate: 400}
	index := map[Name]int{}
	for i, p := range f.Phases() {
		index[p.Name] = i
	}
	all := drive(t, NewWindowScript(f, 0), 0, trip, fixedWindow(100, 10*time.Second))
	admitted := func(names ...Name) (total int) {
		for _, n := range names {
			_, a := count(all, index[n])
			total += a
		}
		return total
	}
	if n := admitted(Ramp); n != 100 {
		t.Errorf("%d admitted on the ramp", n)
	}
	if n := admitted(FirstPoll, Exhaust); n != 100 {
		t.Errorf("%d admitted from the roll-over on", n)
	}
	if n := admitted(SecondPoll, Alternate1, Alternate2); n != 100 {
		t.Errorf("%d admitted on both paths", n)
	}
	if n, a := count(all, index[OtherPath]); n != 3 || a != 0 {
		t.Errorf("the other path: %d, %d admitted", n, a)
	}
	if n := admitted(OtherKey1, OtherKey2); n != 2 {
		t.Errorf("the other key: %d admitted", n)
	}
	if last := all[len(all)-1].at; last > f.Duration() {
		t.Errorf("took %v, said %v", last, f.Duration())
	}
}

func TestWindowScriptEnds(t *testing.T) {
	f := FixedWindow{Path1: "leads", Window: 5 * time.Second, MaxRate: 400}
	tests := map[string]struct {
		serve   server
		longest time.Duration
		refused bool
	}{
		"where nothing is refused":            {func(time.Duration, int) (bool, time.Duration) { return true, 0 }, 5 * time.Second, false},
		"where everything is":                 {func(time.Duration, int) (bool, time.Duration) { return false, time.Second }, 8 * time.Second, true},
		"where there is no window":            {trickle(), 5 * time.Second, true},
		"where there is but one path and key": {fixedWindow(50, 5*time.Second), 12 * time.Second, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			all := drive(t, NewWindowScript(f, 0), 0, trip, test.serve)
			if last := all[len(all)-1].at; last > test.longest {
				t.Errorf("took %v", last)
			}
			refused := false
			for _, s := range all {
				refused = refused || !s.admitted
				if p := f.Phases()[s.phase]; p.Endpoint == "" || p.Stream == StreamSecond {
					t.Errorf("sent a request in %s, which this target doesn't have", p.Name)
				}
			}
			if refused != test.refused {
				t.Errorf("refused: %v", refused)
			}
		})
	}
}

// trickle is a bucket of 20 that gains 15 a second.
func trickle() server {
	tokens, last := 20.0, time.Duration(0)
	return func(now time.Duration, _ int) (bool, time.Duration) {
		tokens = min(20, tokens+15*(now-last).Seconds())
		last = now
		if tokens < 1 {
			return false, time.Second
		}
		tokens--
		return true, 0
	}
}

func TestFingerprintScript(t *testing.T) {
	known := NewFingerprintScript(Known("ingest", ingest), 0)
	all := drive(t, known, 0, trip, func(time.Duration, int) (bool, time.Duration) { return true, 0 })
	if n, _ := count(all, 1); n != 7610 || len(all) != n { // 400.5/s for 19 s
		t.Errorf("%d requests of overload, %d in all", n, len(all))
	}

	f := Fingerprint{Endpoint: "any", MaxRate: 1000, Rest: 30 * time.Second, Length: 5 * time.Second}
	limited := func(now time.Duration, phase int) (bool, time.Duration) {
		return now < 1200*time.Millisecond, time.Second
	}
	search := NewFingerprintScript(f, 0)
	all = drive(t, search, 0, trip, limited)
	if load := search.Load(); load != 160.5 { // refused at 80/s
		t.Errorf("overload of %v/s", load)
	}
	_, found := count(all, 0)
	if found == 0 || all[len(all)-1].at < 35*time.Second {
		t.Errorf("%d admitted in the search, the last request at %v", found, all[len(all)-1].at)
	}

	// A target that holds requests back is searched no further.
	slow := NewFingerprintScript(f, 0)
	drive(t, slow, 0, 1500*time.Millisecond, func(time.Duration, int) (bool, time.Duration) { return true, 0 })
	if load := slow.Load(); load > 640 {
		t.Errorf("overload of %v/s on a target that answers after 1.5 s", load)
	}
}

// window is a fixed window that the first request opens.
func window(ceiling int, length time.Duration) server {
	opened, n := -length, 0
	return func(now time.Duration, _ int) (bool, time.Duration) {
		if now-opened >= length {
			opened, n = now, 0
		}
		n++
		return n <= ceiling, length
	}
}

func TestFingerprintScriptFollowsAWindowThroughTwoRollOvers(t *testing.T) {
	f := Fingerprint{Endpoint: "leads", MaxRate: 400, Rest: 30 * time.Second, Length: 30 * time.Second}
	for _, length := range []time.Duration{3 * time.Second, 10 * time.Second, time.Minute} {
		all := drive(t, NewFingerprintScript(f, 0), 0, trip, window(100, length))
		_, searched := count(all, 0)
		_, counted := count(all, 2)
		if searched != 100 || counted != 200 {
			t.Errorf("%v: %d admitted in the search, %d in two windows", length, searched, counted)
		}
		if took := all[len(all)-1].at; took > 30*time.Second+3*length+10*time.Second {
			t.Errorf("%v: it took %v", length, took)
		}
		for i := 1; i < len(all); i++ {
			if gap := all[i].at - all[i-1].at; all[i-1].phase == 2 && gap < time.Second/401 {
				t.Fatalf("%v: two requests %v apart", length, gap)
			}
		}
	}
}

func TestFingerprintScriptGivesUp(t *testing.T) {
	f := Fingerprint{Endpoint: "leads", MaxRate: 400, Rest: 30 * time.Second, Length: 30 * time.Second, Longest: 20 * time.Second}
	never := NewFingerprintScript(f, 0)
	all := drive(t, never, 0, trip, func(time.Duration, int) (bool, time.Duration) { return false, time.Second })
	if took := all[len(all)-1].at; took < 50*time.Second || took > 52*time.Second {
		t.Errorf("a key that never gets in is polled until %v", took)
	}
	// A limiter that opens for good after a while is overloaded for a time, and no longer.
	opens := NewFingerprintScript(f, 0)
	all = drive(t, opens, 0, trip, func(now time.Duration, _ int) (bool, time.Duration) { return now > 40*time.Second, time.Second })
	if took := all[len(all)-1].at; took < 70*time.Second || took > 90*time.Second {
		t.Errorf("a limiter that opened at 40 s is overloaded until %v", took)
	}
}

func TestSearchThatWasNotRefusedNeedsNoRest(t *testing.T) {
	f := Fingerprint{Endpoint: "leads", MaxRate: 400, Rest: 30 * time.Second, Length: 30 * time.Second}
	s := NewFingerprintScript(f, 0)
	all := drive(t, s, 0, trip, func(time.Duration, int) (bool, time.Duration) { return true, 0 })
	if took := all[len(all)-1].at; took > 35*time.Second || s.Load() > 400 {
		t.Errorf("%v/s until %v", s.Load(), took)
	}
}
