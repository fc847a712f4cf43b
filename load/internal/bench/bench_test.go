package bench

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"leadconform/fixtures/target"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/endpoint"
	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// rounds is how often the rivals take turns.
const rounds = 5

// needsBench skips unless figures were asked for.
func needsBench(t *testing.T) {
	if os.Getenv("BENCH") == "" {
		t.Skip("measures, and takes minutes: BENCH=1 (scripts/bench)")
	}
}

// say writes a line of the results.
func say(format string, args ...any) { fmt.Printf("| "+format+" |\n", args...) }

func median[T int | float64 | time.Duration](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// ratios divides two series round by round: the rounds of one pair met the same machine.
func ratios(a, b []time.Duration) []float64 {
	r := make([]float64, len(a))
	for i := range a {
		r[i] = float64(a[i]) / float64(b[i])
	}
	return r
}

func caller(base string) *endpoint.Caller {
	p := target.Reference(base, "")
	return &endpoint.Caller{Profile: p, People: endpoint.NewPeople("bench", p.Phones, 1), Agent: "bench", Redact: target.NewRedactor(p)}
}

func request(tb testing.TB, c *endpoint.Caller, name string) *http.Request {
	tb.Helper()
	role := "primary"
	if name == endpoint.Leads {
		role = "limits_a" // whose campaign is the one that leads are sent to
	}
	asked, err := c.Request(name, role)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := c.HTTP(asked)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// send returns the answer to one request.
func send(tb testing.TB, client *http.Client, r *http.Request) answer {
	tb.Helper()
	got, err := client.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return answer{got.StatusCode, string(body)}
}

// Processor time of the server per request, and the time that one request takes, on four connections.
func TestServer(t *testing.T) {
	needsBench(t)
	const requests, connections = 20000, 4
	say("endpoint | reference, CPU | bare, CPU | bare ÷ reference | p99 reference ÷ bare")
	say("--- | --- | --- | --- | ---")
	for _, name := range benched() {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
		ours := start(t, "reference")
		lead := endpoint.LeadID([]byte(send(t, client, request(t, caller(ours.base), endpoint.Ingest)).Body))
		of := func(base string) *endpoint.Caller { c := caller(base); c.SetLead("primary", lead); return c }
		shown := send(t, client, request(t, of(ours.base), name))
		if shown.Status/100 != 2 {
			t.Fatalf("%s: %+v", name, shown)
		}
		told, err := json.Marshal(shown)
		if err != nil {
			t.Fatal(err)
		}
		theirs := start(t, string(told))
		// measure sends requests that were built beforehand.
		measure := func(p *process) (cpu, p99 time.Duration) {
			c, work := of(p.base), make(chan *http.Request, requests)
			for range requests {
				work <- request(t, c, name)
			}
			close(work)
			var mu sync.Mutex
			var took []time.Duration
			var sending sync.WaitGroup
			before := p.used(t)
			for range connections {
				sending.Go(func() {
					for r := range work {
						began := time.Now()
						got, err := client.Do(r)
						if err != nil || got.StatusCode/100 != 2 {
							t.Errorf("%s: %v %+v", name, err, got)
							return
						}
						_, _ = io.Copy(io.Discard, got.Body)
						_ = got.Body.Close()
						mu.Lock()
						took = append(took, time.Since(began))
						mu.Unlock()
					}
				})
			}
			sending.Wait()
			slices.Sort(took)
			return (p.used(t) - before) / requests, took[len(took)*99/100]
		}
		var cpu, cpuBare, p99, p99Bare []time.Duration
		measure(ours)
		measure(theirs)
		for range rounds {
			a, b := measure(ours)
			x, y := measure(theirs)
			cpu, p99, cpuBare, p99Bare = append(cpu, a), append(p99, b), append(cpuBare, x), append(p99Bare, y)
		}
		say("%s | %v | %v | %.2f | %.2f", name, median(cpu).Round(100*time.Nanosecond), median(cpuBare).Round(100*time.Nanosecond),
			median(ratios(cpuBare, cpu)), median(ratios(p99, p99Bare)))
	}
}

// paced is what one attack at a rate shows.
type paced struct {
	p50, p99, p999 time.Duration // of the lag behind the time that was meant
	most           int           // requests sent within one second
	count          int
	cpu            time.Duration // of the client, per request
}

func summarised(lags, sent []time.Duration, cpu time.Duration) paced {
	slices.Sort(lags)
	at := func(q float64) time.Duration { return lags[int(q*float64(len(lags)-1))] }
	slices.Sort(sent)
	moments := make([]float64, len(sent))
	for i, s := range sent {
		moments[i] = s.Seconds()
	}
	return paced{at(0.5), at(0.99), at(0.999), judge.Most(moments), len(sent), cpu / time.Duration(len(sent))}
}

// ours attacks with a schedule.
func ours(tb testing.TB, base string, rate float64, length time.Duration, sleeper attack.NewSleeper) paced {
	tb.Helper()
	schedule := attack.NewSchedule([]plan.Phase{{Endpoint: endpoint.Ingest, Rate: rate, Length: length}}, 0)
	schedule.Tolerance = attack.FineTolerance
	return attacked(tb, base, schedule, 0, false, sleeper)
}

// attacked attacks by a script. Whole also makes every lead, reads every answer and writes a trace.
func attacked(tb testing.TB, base string, script plan.Script, maxInFlight int, whole bool, sleeper attack.NewSleeper) paced {
	tb.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(attack.GCPercent)) // as load's main does
	phases := []plan.Phase{{Endpoint: endpoint.Ingest}}
	c := caller(base)
	one := request(tb, c, endpoint.Ingest)
	body, err := io.ReadAll(one.Body)
	if err != nil {
		tb.Fatal(err)
	}
	a := attack.Attack{
		Script: script, Phases: phases, URL: base, Sleeper: sleeper, MaxInFlight: maxInFlight,
		Build: func(int) (*http.Request, error) {
			r, err := http.NewRequest(http.MethodPost, one.URL.String(), bytes.NewReader(body))
			if err == nil {
				r.Header = one.Header
			}
			return r, err
		},
		Read: func(int, attack.Answer) attack.Reading { return attack.Reading{Kind: trace.Admitted} },
	}
	out, err := trace.NewWriter(io.Discard, trace.Meta{Plan: plan.Plan{Phases: phases}})
	if err != nil {
		tb.Fatal(err)
	}
	if whole {
		a.Build = func(int) (*http.Request, error) {
			asked, err := c.Request(endpoint.Ingest, "primary")
			if err != nil {
				return nil, err
			}
			return c.HTTP(asked)
		}
		a.Read = func(_ int, answer attack.Answer) attack.Reading { return c.Read(endpoint.Ingest, answer) }
	}
	var lags, sent []time.Duration
	session := &attack.Session{Start: time.Now().Add(50 * time.Millisecond), Write: func(s trace.Sample) error {
		lags, sent = append(lags, s.Lag()), append(sent, s.Sent)
		if whole {
			return out.Write(s)
		}
		return nil
	}}
	before := used()
	if err := a.Run(tb.Context(), session); err != nil {
		tb.Fatal(err)
	}
	return summarised(lags, sent, used()-before)
}

// raw attacks with Vegeta alone, its own pacer and one target; at rate 0 as fast as it can. Watched, a request is late by
// what passes until it is written, as ours are; otherwise until a worker has it, and no time is lost with watching.
func raw(tb testing.TB, base string, rate int, length time.Duration, watched bool) paced {
	tb.Helper()
	one := request(tb, caller(base), endpoint.Ingest)
	body, err := io.ReadAll(one.Body)
	if err != nil {
		tb.Fatal(err)
	}
	options := []func(*vegeta.Attacker){vegeta.Workers(16)}
	if rate == 0 {
		options = append(options, vegeta.MaxWorkers(underWay))
	}
	watch := &watch{wrote: map[string]time.Time{}}
	if watched {
		options = append(options, vegeta.Client(&http.Client{Transport: watch}))
	}
	attacker := vegeta.NewAttacker(options...)
	targeter := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodPost, URL: one.URL.String(), Header: one.Header, Body: body})
	var hits []*vegeta.Result
	before := used()
	pacer := &dated{ConstantPacer: vegeta.ConstantPacer{Freq: rate, Per: time.Second}}
	for r := range attacker.Attack(targeter, pacer, length, "raw") {
		hits = append(hits, r)
	}
	cpu := used() - before
	slices.SortFunc(hits, func(a, b *vegeta.Result) int { return cmp.Compare(a.Seq, b.Seq) })
	var lags, sent []time.Duration
	for i, r := range hits {
		left := r.Timestamp
		if watched {
			left = watch.wrote[strconv.FormatUint(r.Seq, 10)]
		}
		at := left.Sub(pacer.began)
		due := time.Duration(i+1) * time.Second / time.Duration(max(1, rate)) // its first request is due an interval after it begins
		lags, sent = append(lags, max(0, at-due)), append(sent, at)
	}
	return summarised(lags, sent, cpu)
}

// dated is Vegeta's own pacer, and notes when the attack began, from which on its requests are due.
type dated struct {
	vegeta.ConstantPacer
	began time.Time
}

// Pace implements vegeta.Pacer.
func (d *dated) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	if d.began.IsZero() {
		d.began = time.Now().Add(-elapsed)
	}
	return d.ConstantPacer.Pace(elapsed, hits)
}

// watch is Vegeta's transport, and notes when each request was written.
type watch struct {
	mu    sync.Mutex
	wrote map[string]time.Time // by Vegeta's sequence number
}

var watchedTransport = &http.Transport{MaxIdleConnsPerHost: 10_000} // as many as Vegeta's own

// RoundTrip implements http.RoundTripper.
func (w *watch) RoundTrip(r *http.Request) (*http.Response, error) {
	n := r.Header.Get("X-Vegeta-Seq")
	return watchedTransport.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{WroteHeaders: func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.wrote[n] = time.Now()
	}})))
}

// Pacing beside Vegeta's own, on a bare server that has one processor. It says nothing on a machine that is busy.
func TestPacing(t *testing.T) {
	needsBench(t)
	t.Setenv("GOMAXPROCS", "1") // of the server
	server := start(t, `{"Status":201,"Body":"{\"id\":\"lead\",\"status\":\"ACCEPTED\",\"buyer_id\":\"north\"}"}`)
	const length = 3 * time.Second
	say("rate | who | lag p50 | p99 | p99.9 | most in 1 s: median | worst | count error | CPU a request | ÷ Vegeta: p99 | CPU")
	say("--- | --- | --- | --- | --- | --- | --- | --- | --- | --- | ---")
	for _, rate := range []int{100, 500, 1000, 2000} {
		all := map[string][]paced{}
		for range rounds {
			vegeta := raw(t, server.base, rate, length, true)
			vegeta.cpu = raw(t, server.base, rate, length, false).cpu
			all["Vegeta"] = append(all["Vegeta"], vegeta)
			all["ours"] = append(all["ours"], ours(t, server.base, float64(rate), length, attack.FineSleeper))
			all["ours, plain sleeper"] = append(all["ours, plain sleeper"], ours(t, server.base, float64(rate), length, attack.PlainSleeper))
		}
		for _, who := range []string{"Vegeta", "ours", "ours, plain sleeper"} {
			of := func(figure func(paced) time.Duration) []time.Duration {
				var values []time.Duration
				for _, p := range all[who] {
					values = append(values, figure(p))
				}
				return values
			}
			var mosts []int
			miss := 0
			for _, p := range all[who] {
				mosts = append(mosts, p.most)
				if wrong := p.count - rate*int(length.Seconds()); max(wrong, -wrong) > max(miss, -miss) {
					miss = wrong
				}
			}
			p99 := func(p paced) time.Duration { return p.p99 }
			cpu := func(p paced) time.Duration { return p.cpu }
			var rival99, rivalCPU []time.Duration
			for _, p := range all["Vegeta"] {
				rival99, rivalCPU = append(rival99, max(1, p.p99)), append(rivalCPU, p.cpu)
			}
			say("%d | %s | %v | %v | %v | %d | %d | %+d | %v | %.2f | %.2f", rate, who,
				median(of(func(p paced) time.Duration { return p.p50 })).Round(time.Microsecond), median(of(p99)).Round(time.Microsecond),
				median(of(func(p paced) time.Duration { return p.p999 })).Round(time.Microsecond), median(mosts), slices.Max(mosts), miss,
				median(of(cpu)).Round(100*time.Nanosecond), median(ratios(of(p99), rival99)), median(ratios(of(cpu), rivalCPU)))
		}
	}
}

// What a generator makes of one processor with 64 requests under way, while the server has the other: fresh leads, checks and
// a trace beside one static target, and k6.
func TestGeneration(t *testing.T) {
	needsBench(t)
	t.Setenv("GOMAXPROCS", "1") // of the server and k6
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	server := start(t, `{"Status":201,"Body":"{\"id\":\"lead\",\"status\":\"ACCEPTED\",\"buyer_id\":\"north\"}"}`)
	const length = 4 * time.Second
	rivals := []struct {
		who  string
		runs func() (perSecond float64, cpu time.Duration)
	}{
		{"ours: fresh leads, checks, trace", func() (float64, time.Duration) { return flatOut(t, server.base, length) }},
		{"Vegeta, one static target", func() (float64, time.Duration) {
			p := raw(t, server.base, 0, length, false)
			return float64(p.count) / length.Seconds(), p.cpu
		}},
		{"k6, one static body, a check", func() (float64, time.Duration) { return runK6(t, server.base, length) }},
	}
	rate, cpu := make([][]float64, len(rivals)), make([][]time.Duration, len(rivals))
	for range rounds {
		for i, rival := range rivals {
			r, c := rival.runs()
			rate[i], cpu[i] = append(rate[i], r), append(cpu[i], c)
		}
	}
	say("who | requests a second | ours ÷ theirs | CPU a request")
	say("--- | --- | --- | ---")
	for i, rival := range rivals {
		if median(rate[i]) == 0 {
			say("%s | not on the path | | ", rival.who)
			continue
		}
		over := make([]float64, rounds)
		for round := range over {
			over[round] = rate[0][round] / rate[i][round]
		}
		say("%s | %.0f | %.2f | %v", rival.who, median(rate[i]), median(over), median(cpu[i]).Round(100*time.Nanosecond))
	}
}

// underWay is how many requests a generator has under way that sends as fast as it can.
const underWay = 64

// flatOut sends fresh leads as fast as it can, reads the answers and writes a trace.
func flatOut(tb testing.TB, base string, length time.Duration) (perSecond float64, cpu time.Duration) {
	p := attacked(tb, base, &headlong{length}, underWay, true, attack.FineSleeper)
	return float64(p.count) / length.Seconds(), p.cpu
}

// headlong is a script that sends at once, for as long as it lasts.
type headlong struct{ length time.Duration }

// Next implements plan.Script.
func (h *headlong) Next(now time.Duration) plan.Move {
	if now > h.length {
		return plan.Move{Kind: plan.Done}
	}
	return plan.Move{Kind: plan.Send, At: now}
}

// Observe implements plan.Script.
func (h *headlong) Observe(plan.Answer) {}

const k6Script = `import http from 'k6/http';
import { check } from 'k6';
export const options = { vus: %d, duration: '%ds' };
const body = JSON.stringify({ flo_campaign_id: 'cmp-open', flo_supplier_id: 'sup-primary', first_name: 'Ada', last_name: 'Test', phone: '5550100100', email: 'ada@example.com', state: 'CA' });
export default function () {
  const r = http.post('%s/api/v1/ingest', body, { headers: { 'Content-Type': 'application/json', 'X-Api-Key': 'k' } });
  check(r, { created: (r) => r.status === 201 && r.json('status') === 'ACCEPTED' });
}`

// runK6 returns what k6 sends a second, and its processor time per request with what it takes to start; 0 if there is no k6.
func runK6(t *testing.T, base string, length time.Duration) (perSecond float64, cpu time.Duration) {
	t.Helper()
	path, err := exec.LookPath("k6")
	if err != nil {
		return 0, 0
	}
	dir := t.TempDir()
	script, summary := filepath.Join(dir, "script.js"), filepath.Join(dir, "summary.json")
	if err := os.WriteFile(script, fmt.Appendf(nil, k6Script, underWay, int(length.Seconds()), base), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "run", "--quiet", "--no-usage-report", "--summary-export", summary, script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("k6: %v: %s", err, out)
	}
	text, err := os.ReadFile(summary)
	if err != nil {
		t.Fatal(err)
	}
	var of struct {
		Metrics struct {
			Iterations struct{ Count, Rate float64 }
		}
	}
	if err := json.Unmarshal(text, &of); err != nil || of.Metrics.Iterations.Count == 0 {
		t.Fatalf("k6's summary: %v: %s", err, text)
	}
	spent := cmd.ProcessState.SystemTime() + cmd.ProcessState.UserTime()
	return of.Metrics.Iterations.Rate, spent / time.Duration(of.Metrics.Iterations.Count)
}

// benched are the endpoints that are measured: all, or the one that BENCH_ENDPOINT names.
func benched() []string {
	if name := os.Getenv("BENCH_ENDPOINT"); name != "" {
		return []string{name}
	}
	return []string{endpoint.Ingest, endpoint.Ping, endpoint.Lookup, endpoint.Leads}
}
