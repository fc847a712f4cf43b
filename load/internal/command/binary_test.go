package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"leadconform/fixtures/target"
	"leadconform/load/internal/trace"
	"leadconform/reference/server"
)

// bin is the real program.
var bin string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "leadconform")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		bin = filepath.Join(dir, "load")
		if out, err := exec.Command("go", "build", "-o", bin, "leadconform/load").CombinedOutput(); err != nil {
			panic("build the program: " + err.Error() + "\n" + string(out))
		}
		return m.Run()
	}())
}

// result is what a run of the program left behind.
type result struct {
	status         int
	stdout, stderr string
	took           time.Duration
}

// atMost is a time limit that no run of the program should meet, however busy the machine is: the longest is one of verify
// that rests, attacks for half a minute, rests for a minute and attacks again.
const atMost = 5 * time.Minute

// command is the real program in an empty folder.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), atMost)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Dir = t.TempDir()
	return cmd
}

func run(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String(), time.Since(began)}
}

// load runs the program to its end.
func load(t *testing.T, args ...string) result {
	t.Helper()
	return run(t, command(t, args...))
}

func TestBadUsageIsExplained(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"verify", "--target", "http://198.51.100.7"}, "add --profile FILE"},
		{[]string{"verify", "--target", "nowhere"}, "no base URL"},
		{[]string{"verify", "--target", "http://ada:quiet@127.0.0.1:1"}, "--target must hold no user and password"},
		{[]string{"attack", "--endpoint", "ping", "--rate", "1", "--target", "http://127.0.0.1:99999"}, "from 1 to 65535"},
		{[]string{"verify", "--endpoint", "leads"}, "ingest, ping, lookup and insertion"},
		{[]string{"verify", "--peak", "high"}, "--peak"},
		{[]string{"verify", "--profile", "missing.yaml"}, "missing.yaml"},
		{[]string{"attack", "--endpoint", "nonsense", "--rate", "1"}, "the endpoints are"},
		{[]string{"attack", "--endpoint", "ingest"}, "--rate"},
		{[]string{"attack", "--endpoint", "ingest", "--rate", "-5"}, "--rate -5: give requests per second, above 0 and at most 100000"},
		{[]string{"attack", "--endpoint", "ingest", "--rate", "NaN"}, "--rate NaN: give"},
		{[]string{"attack", "--endpoint", "ingest", "--rate", "1e6"}, "at most 100000"},
		{[]string{"attack", "--endpoint", "ingest", "--rate", "1e-9"}, "nothing would be sent"},
		{[]string{"attack", "--endpoint", "ingest", "--phases", "0/1s"}, "nothing would be sent"},
		{[]string{"attack", "--endpoint", "ingest", "--phases", "1e6/1s"}, "0 to 100000"},
		{[]string{"attack", "--endpoint", "ingest", "--rate", "1", "--duration", "-1s"}, "--duration -1s: it must be above 0"},
		{[]string{"attack", "--endpoint", "ingest", "--rate", "1", "--connections", "15"}, "--connections 15: give 16 to 10000"},
		{[]string{"attack", "--endpoint", "ingest", "--rate", "1", "--connections", "10001"}, "--connections 10001: give 16 to 10000"},
		{[]string{"attack", "--endpoint", "ingest", "--rate", "1", "--suppliers", "primary,secondary,primary"}, "primary is there twice"},
		{[]string{"attack", "--endpoint", "ingest", "--rate", "1", "--suppliers", ","}, "name roles of the profile"},
		{[]string{"fingerprint", "--endpoint", "ingest", "--rate", "-1"}, "--rate -1: give"},
		{[]string{"fingerprint", "--endpoint", "ingest", "--max-rate", "0.5"}, "--max-rate 0.5: give"},
		{[]string{"soak", "--suppliers", "1", "--rate", "-1"}, "--rate -1: give requests per second"},
		{[]string{"attack", "--endpoint", "ingest", "--rate", "5", "--phases", "1/1s"}, "give one of them"},
		{[]string{"attack", "--endpoint", "ingest", "--phases", "100"}, "write it as rate/time"},
		{[]string{"attack", "--endpoint", "ingest", "--phases", "x/1s"}, "no rate"},
		{[]string{"attack", "--endpoint", "ingest", "--phases", "1/-1s"}, "no time"},
		{[]string{"attack", "--endpoint", "ingest", "--rate", "1", "--duration", "0s"}, "above 0"},
		{[]string{"attack", "--endpoint", "ingest", "--rate", "1e5", "--duration", "10h"}, "more than an attack can hold"},
		{[]string{"attack", "--endpoint", "ingest", "--rate", "1", "--suppliers", "nobody"}, "distro.credentials.nobody"},
		{[]string{"attack", "--endpoint", "ingest", "--rate", "1", "--out", "no/such/folder/x"}, "--out"},
		{[]string{"fingerprint", "--endpoint", "ingest", "--out", "no/such/folder/x"}, "--out"},
		{[]string{"report", "missing.bin"}, "missing.bin"},
		{[]string{"report"}, "file"},
		{[]string{"report", "."}, "a folder: name the trace in it"},
		{[]string{"nonsense"}, "nonsense"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			got := load(t, c.args...)
			if got.status != 2 || !strings.Contains(got.stderr, c.says) || strings.Contains(got.stderr, "quiet") {
				t.Errorf("exit %d, %q; want 2 and %q", got.status, got.stderr, c.says)
			}
		})
	}
}

// What a file held stays there if a run doesn't begin, and no empty file is left.
func TestNothingIsEmptiedForARunThatDoesNotBegin(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	for _, c := range []struct {
		args   []string
		status int
	}{
		{[]string{"verify", "--endpoint", "nope", "--out", "."}, 2},
		{[]string{"verify", "--target", closed.URL, "--out", "."}, 4},
		{[]string{"attack", "--endpoint", "ping", "--rate", "1", "--target", closed.URL, "--out", "limits.trace", "--vegeta-out", "new.bin"}, 4},
		{[]string{"attack", "--endpoint", "ping", "--rate", "1", "--out", "limits.trace", "--vegeta-out", "./limits.trace"}, 2},
		{[]string{"attack", "--endpoint", "ping", "--rate", "1", "--out", "new.bin", "--vegeta-out", "new.bin"}, 2},
		{[]string{"fingerprint", "--endpoint", "ping", "--target", closed.URL, "--out", "limits.trace"}, 4},
		{[]string{"soak", "--suppliers", "1", "--target", closed.URL, "--out", "new.bin"}, 4},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			cmd := command(t, c.args...)
			old := filepath.Join(cmd.Dir, "limits.trace")
			if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := run(t, cmd); got.status != c.status {
				t.Errorf("exit %d, want %d: %s", got.status, c.status, got.stderr)
			}
			if text, err := os.ReadFile(old); string(text) != "old" {
				t.Errorf("the old trace is %q, %v", text, err)
			}
			if _, err := os.Stat(filepath.Join(cmd.Dir, "new.bin")); err == nil {
				t.Error("an empty file is left")
			}
		})
	}
}

func TestLoadToOtherMachinesIsAskedFor(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "other.yaml")
	text := `
name: other
distro:
  base_url: http://other.example:1
  credentials: {primary: {supplier: one, key: kkkkkkkk}, limits_a: {supplier: two, key: kkkkkkkkk}}
  campaigns: {open: {id: c}}
`
	if err := os.WriteFile(profile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify"}, {"attack", "--endpoint", "ingest", "--rate", "1"}, {"fingerprint", "--endpoint", "ingest"}} {
		got := load(t, append(args, "--profile", profile)...)
		if got.status != 2 || !strings.Contains(got.stderr, "--allow-load other.example") {
			t.Errorf("%v: exit %d, %q; want 2 and how to allow it", args, got.status, got.stderr)
		}
		got = load(t, append(args, "--profile", profile, "--allow-load", "other.example")...)
		if got.status != 4 || strings.Contains(got.stderr, "kkkkkkkk") {
			t.Errorf("%v, allowed: exit %d, %q; want 4, since nobody is there", args, got.status, got.stderr)
		}
	}
}

func TestAttackWritesWhatVegetaReads(t *testing.T) {
	cmd := command(t, "attack", "--endpoint", "ingest", "--phases", "150/1s,0/500ms,50/1s", "--suppliers", "primary,secondary",
		"--vegeta-out", "results.bin", "--out", "results.trace", "--format", "json")
	got := run(t, cmd)
	if got.status != 0 {
		t.Fatalf("exit %d: %s", got.status, got.stderr)
	}
	sent := 0 // in all of the live lines
	for _, line := range regexp.MustCompile(`offered \d+ +sent (\d+) .* lag p99`).FindAllStringSubmatch(got.stderr, -1) {
		n, _ := strconv.Atoi(line[1])
		sent += n
	}
	if sent != 400 {
		t.Errorf("the live lines tell of %d requests, want 400: %q", sent, got.stderr)
	}
	file, err := os.Open(filepath.Join(cmd.Dir, "results.bin"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoder := vegeta.DecoderFor(file)
	if decoder == nil {
		t.Fatal("Vegeta doesn't know the encoding")
	}
	var metrics vegeta.Metrics
	names := map[string]int{}
	for {
		var r vegeta.Result
		if decoder.Decode(&r) != nil {
			break
		}
		metrics.Add(&r)
		names[r.Attack]++
		if r.Method != "POST" || !strings.HasSuffix(r.URL, "/api/v1/ingest") || r.BytesOut == 0 || r.BytesIn == 0 || r.Latency <= 0 {
			t.Fatalf("a result lacks something: %+v", r)
		}
	}
	metrics.Close()
	if metrics.Requests != 400 || metrics.StatusCodes["201"] != 400 {
		t.Errorf("Vegeta counts %d requests, %v; want 400, all 201", metrics.Requests, metrics.StatusCodes)
	}
	if names["ingest/primary"] != 200 || names["ingest/secondary"] != 200 {
		t.Errorf("attacks %v, want 200 of each key", names)
	}
	var report bytes.Buffer
	if err := vegeta.NewTextReporter(&metrics).Report(&report); err != nil || !strings.Contains(report.String(), "400") {
		t.Errorf("Vegeta's report: %v, %s", err, report.String())
	}
	both := load(t, "report", "--format", "json", filepath.Join(cmd.Dir, "results.bin"), filepath.Join(cmd.Dir, "results.trace"))
	var sum struct {
		Total struct {
			Requests int
			Admitted struct{ Count int }
		}
		Parts map[string]struct{ Requests int }
	}
	if err := json.Unmarshal([]byte(both.stdout), &sum); err != nil {
		t.Fatalf("%v: %s%s", err, both.stdout, both.stderr)
	}
	if sum.Total.Requests != 800 || sum.Total.Admitted.Count != 800 || len(sum.Parts) != 4 {
		t.Errorf("merged: %+v, want 800 requests in 4 parts", sum)
	}
}

// Leads go to the campaign that takes them, whosever key is used.
func TestAttackOnTheInsertionAPIIsAdmitted(t *testing.T) {
	t.Parallel()
	got := load(t, "attack", "--endpoint", "leads", "--rate", "40", "--duration", "500ms", "--suppliers", "primary,other_account,limits_a")
	if got.status != 0 || !strings.Contains(got.stdout, "admitted  60 (100.00 %)") {
		t.Errorf("exit %d: %s%s", got.status, got.stdout, got.stderr)
	}
}

// turning is a target that starts as the reference and turns into another after some requests.
func turning(t *testing.T, after int64, into http.HandlerFunc) *httptest.Server {
	t.Helper()
	reference, err := server.New(server.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) > after {
			into(w, r)
			return
		}
		reference.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
		_ = reference.Close(context.WithoutCancel(t.Context()))
	})
	return s
}

func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // or the server doesn't see that the client leaves
	<-r.Context().Done()
}

func hangUp(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = conn.(*net.TCPConn).SetLinger(0) // a reset
		conn.Close()
	}
}

// echo shows the world what it was sent.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	text := fmt.Sprintf("%s is what you showed: %v %s", r.Header.Get("X-Api-Key"), r.Header, body)
	w.Header().Set("Echo", text)
	if strings.HasSuffix(r.URL.Path, "/ping") {
		w.Header().Set("Retry-After", r.Header.Get("X-Api-Key"))
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error": "403"}`)
		return
	}
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, text)
}

func TestNoSecretIsTold(t *testing.T) {
	base := turning(t, 0, echo).URL
	for _, args := range [][]string{
		{"verify"}, {"fingerprint", "--endpoint", "ingest"},
		{"attack", "--endpoint", "ingest", "--rate", "50", "--duration", "1s", "--out", "a.trace", "--vegeta-out", "a.bin"},
		{"attack", "--endpoint", "ping", "--rate", "50", "--duration", "1s", "--out", "p.trace", "--vegeta-out", "p.bin"},
		{"attack", "--endpoint", "leads", "--rate", "50", "--duration", "1s", "--out", "b.trace", "--vegeta-out", "b.bin"},
	} {
		cmd := command(t, append(args, "--target", base)...)
		got := run(t, cmd)
		told := got.stdout + got.stderr
		files, _ := filepath.Glob(filepath.Join(cmd.Dir, "*"))
		more, _ := filepath.Glob(filepath.Join(cmd.Dir, "*", "*"))
		for _, name := range append(files, more...) {
			text, _ := os.ReadFile(name)
			told += string(text)
		}
		for _, secret := range target.Reference(base, "").Secrets() {
			if strings.Contains(told, secret) {
				t.Errorf("%v tells a secret: %s", args, told)
			}
		}
		if !strings.Contains(told, "403") {
			t.Errorf("%v doesn't say what it was answered: %s", args, told)
		}
	}
}

func nonsense(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>Welcome</html>")) }

func TestATargetThatIsNoneIsUnreachable(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	for name, base := range map[string]string{
		"nobody listens":      closed.URL,
		"it hangs":            turning(t, 0, hang).URL,
		"it resets":           turning(t, 0, hangUp).URL,
		"it answers nonsense": turning(t, 0, nonsense).URL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, args := range [][]string{
				{"verify"}, {"attack", "--endpoint", "ping", "--rate", "100", "--duration", "1s"}, {"fingerprint", "--endpoint", "ping"},
			} {
				got := load(t, append(args, "--target", base)...)
				want := 4
				if args[0] == "attack" && name == "it answers nonsense" {
					want = 0 // it is answered: what with, the summary says
				}
				if got.status != want || got.took > 30*time.Second {
					t.Errorf("%s: exit %d after %v, want %d within 30 s: %s", args[0], got.status, got.took, want, got.stderr)
				}
				if want == 4 && (len(got.stderr) < 20 || len(got.stderr) > 400) {
					t.Errorf("%s: no reason, or none that is read: %q", args[0], got.stderr)
				}
				if name == "it answers nonsense" && strings.Contains(got.stderr, "can't be reached") {
					t.Errorf("%s: it was reached: %q", args[0], got.stderr)
				}
			}
		})
	}
}

func TestATargetThatIsLostHalfWay(t *testing.T) {
	for name, into := range map[string]http.HandlerFunc{"hangs": hang, "resets": hangUp, "answers nonsense": nonsense} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := command(t, "verify", "--endpoint", "lookup", "--endpoint", "insertion", "--target", turning(t, 500, into).URL, "--format", "json")
			got := run(t, cmd)
			if got.status != 4 || !strings.Contains(got.stderr, "lost") {
				t.Errorf("exit %d, want 4 and why: %s", got.status, got.stderr)
			}
			measured(t, cmd.Dir)
		})
	}
}

// measured looks at what an early end left behind.
func measured(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "report", "limits.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Requests int
		Error    string
		Rows     []struct{ ID, Outcome, Reason string }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Requests < 100 || doc.Error == "" || len(doc.Rows) == 0 {
		t.Errorf("limits.json: %d requests, error %q, %d rows", doc.Requests, doc.Error, len(doc.Rows))
	}
	for _, row := range doc.Rows {
		if row.Outcome == "not-assessed" && row.Reason == "" {
			t.Errorf("%s was not assessed, and nothing says why", row.ID)
		}
	}
	file, err := os.Open(filepath.Join(dir, "report", "limits.trace"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	whole, err := trace.Read(file)
	if err != nil || len(whole.Samples) != doc.Requests || whole.End.Reason == trace.Complete {
		t.Errorf("limits.trace: %v, %d samples of %d, end %q", err, len(whole.Samples), doc.Requests, whole.End.Reason)
	}
}

func TestReportReadsWhatIsLeftOfATrace(t *testing.T) {
	cmd := command(t, "attack", "--endpoint", "lookup", "--rate", "200", "--duration", "1s", "--out", "whole.trace")
	if got := run(t, cmd); got.status != 0 {
		t.Fatalf("exit %d: %s", got.status, got.stderr)
	}
	whole, err := os.ReadFile(filepath.Join(cmd.Dir, "whole.trace"))
	if err != nil {
		t.Fatal(err)
	}
	for says, text := range map[string][]byte{"ends early": whole[:len(whole)-10], "follows its end": append(whole, whole...)} {
		left := filepath.Join(cmd.Dir, "left.trace")
		if err := os.WriteFile(left, text, 0o600); err != nil {
			t.Fatal(err)
		}
		got := load(t, "report", left)
		if got.status != 0 || !strings.Contains(got.stdout, says) || !strings.Contains(got.stdout, "requests  200") {
			t.Errorf("exit %d: %s%s", got.status, got.stdout, got.stderr)
		}
	}
}

func TestReportRefusesWhatIsNoResult(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	result := `{"attack":"a","seq":0,"code":200,"timestamp":"2026-01-02T03:04:05Z","latency":1000,"bytes_out":0,"bytes_in":0,"error":"","body":null,"method":"GET","url":"http://a","headers":null}` + "\n"
	good := file("good.json", result)
	for _, c := range []struct {
		files  []string
		status int
		says   string
	}{
		{[]string{good}, 0, "requests  1 "},
		{[]string{file("half.json", result+"{}\n")}, 0, "half.json: a result can't be read"},
		{[]string{file("empty", "")}, 2, "empty: it is empty"},
		{[]string{file("other.json", `{"hello":"world"}`+"\n")}, 2, "neither a trace nor a result file"},
		{[]string{good, dir + "/./good.json"}, 2, "are the same file"},
	} {
		got := load(t, append([]string{"report"}, c.files...)...)
		if got.status != c.status || !strings.Contains(got.stdout+got.stderr, c.says) {
			t.Errorf("%v: exit %d, want %d and %q: %s%s", c.files, got.status, c.status, c.says, got.stdout, got.stderr)
		}
	}
}
