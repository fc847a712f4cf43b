package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the program, built as a user builds it.
var binary string

func TestMain(m *testing.M) { os.Exit(withBinary(m)) }

func withBinary(m *testing.M) int {
	dir, err := os.MkdirTemp("", "reference")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "reference")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

func TestWrongFlags(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("distro: {}\nsuppliers: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args []string
		exit int
		says string
	}{
		{[]string{"--bogus"}, 2, "unknown flag --bogus"},
		{[]string{"serve"}, 2, "unexpected argument serve"},
		{[]string{"--log-format", "xml"}, 2, "--log-format must be one of"},
		{[]string{"--addr", "8080"}, 2, "--addr 8080: write it as HOST:PORT, such as 127.0.0.1:8080"},
		{[]string{"--addr", "127.0.0.1:http2go"}, 2, "--addr 127.0.0.1:http2go: write it as HOST:PORT"},
		{[]string{"--control", ""}, 2, "--control : write it as HOST:PORT"},
		{[]string{"--addr", "127.0.0.1:9", "--control", "127.0.0.1:9"}, 2, "the operator needs a port of its own"},
		{[]string{"--store", "postgres://user:hunter2@127.0.0.1:9/leads"}, 2, "connection refused: start PostgreSQL, correct the URL, or keep leads in memory"},
		{[]string{"--store", "postgres://user:hunter2@host:port/leads"}, 2, "--store: read the URL: write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE"},
		{[]string{"--store", "mysql://user:hunter2@host/leads"}, 2, "--store: there is no such kind: write memory, or postgres://"},
		{[]string{"--limiter", "redis://:hunter2@127.0.0.1:9"}, 2, "connection refused: start Redis, correct the URL, or count requests in memory"},
		{[]string{"--limiter", "hunter2"}, 2, "--limiter: there is no such kind: write memory, or redis://"},
		{[]string{"--limiter-outage", "ajar"}, 2, "--limiter-outage must be one of"},
		{[]string{"--clock-offset", "3"}, 2, "--clock-offset"},
		{[]string{"--world", "/nowhere/world.yaml"}, 2, "--world: open /nowhere/world.yaml: no such file or directory: name a file that can be read"},
		{[]string{"--world", bad}, 2, "bad.yaml:2: unknown field"},
		{[]string{"--mutant", "nope"}, 2, `--mutant: there is no mutant "nope": --mutant list shows them all`},
		{[]string{"--addr", taken.Addr().String(), "--control", "127.0.0.1:0"}, 1, "--addr " + taken.Addr().String() + ": the port is in use: stop the program that holds it, or choose another"},
		{[]string{"--addr", "127.0.0.1:0", "--control", taken.Addr().String()}, 1, "--control " + taken.Addr().String() + ": the port is in use"},
		{[]string{"--addr", "192.0.2.1:0", "--control", "127.0.0.1:0"}, 1, "--addr 192.0.2.1:0: this machine has no such address"},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), binary, tc.args...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			if exit := cmd.ProcessState.ExitCode(); exit != tc.exit {
				t.Errorf("exit status %d (%v), expected %d", exit, err, tc.exit)
			}
			if !strings.Contains(stderr.String(), tc.says) || stdout.Len() > 0 {
				t.Errorf("it says %q and %q, expected %q", stdout.String(), stderr.String(), tc.says)
			}
			if strings.Contains(stderr.String(), "hunter2") {
				t.Error("it prints a password")
			}
		})
	}
}

func TestHelp(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), binary, "--help").Output()
	if err != nil {
		t.Error(err)
	}
	for _, flag := range []string{"--addr", "--control", "--store", "--limiter", "--limiter-outage", "--clock-offset", "--world", "--mutant", "--log-format"} {
		if !bytes.Contains(out, []byte(flag)) {
			t.Errorf("the help lacks %s:\n%s", flag, out)
		}
	}
}

// process is the program at work.
type process struct {
	t               *testing.T
	cmd             *exec.Cmd
	public, control string // addresses
	log             *logged
}

// logged collects what the program writes to standard error, and lets a test wait for it.
type logged struct {
	mu   sync.Mutex
	cond *sync.Cond
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.cond.Broadcast()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// waitFor returns when the log holds the text. A program that never writes it is caught by the test's own deadline.
func (l *logged) waitFor(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !strings.Contains(l.text.String(), text) {
		l.cond.Wait()
	}
}

func launch(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, log: &logged{}}
	p.log.cond = sync.NewCond(&p.log.mu)
	p.cmd = exec.CommandContext(t.Context(), binary, append([]string{"--addr", "127.0.0.1:0", "--control", "127.0.0.1:0"}, args...)...)
	p.cmd.Stderr = p.log
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // a test that ends it by itself has waited for it, and both are errors then
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	lines := bufio.NewScanner(stdout)
	for _, line := range []struct {
		name    string
		address *string
	}{{"both APIs", &p.public}, {"control", &p.control}} {
		if !lines.Scan() {
			t.Fatalf("the program doesn't print its addresses: %v %s", lines.Err(), p.log)
		}
		name, address, ok := strings.Cut(lines.Text(), "http://")
		if !ok || strings.TrimSpace(name) != line.name {
			t.Fatalf("the program prints %q where the address of %s was expected", lines.Text(), line.name)
		}
		*line.address = address
	}
	return p
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// get asks for a path and returns the status.
func (p *process) get(address, path string) int {
	p.t.Helper()
	res, err := http.Get("http://" + address + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// half is a request of which the second half is still to come.
type half struct {
	t *testing.T
	net.Conn
	rest string
}

const lead = `{"flo_campaign_id": "cmp-open", "flo_supplier_id": "sup-primary", "first_name": "Ada", "last_name": "Byron",
	"phone": "5550100001", "email": "ada@example.com"}`

func (p *process) sendHalf() half {
	p.t.Helper()
	c, err := net.Dial("tcp", p.public)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Close() })
	// The server asks for the body when it has begun to serve the request: from then on it is under way.
	fmt.Fprintf(c, "POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nX-Api-Key: ldk_primary_7Qm2Xw9Rk4\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(lead))
	line, err := bufio.NewReader(io.LimitReader(c, int64(len("HTTP/1.1 100 Continue\r\n\r\n")))).ReadString('\n')
	if err != nil || !strings.Contains(line, "100") {
		p.t.Fatalf("the request is answered %q, %v", line, err)
	}
	fmt.Fprint(c, lead[:len(lead)/2])
	return half{p.t, c, lead[len(lead)/2:]}
}

func (h half) finish() int {
	h.t.Helper()
	fmt.Fprint(h, h.rest)
	res, err := http.ReadResponse(bufio.NewReader(h), nil)
	if err != nil {
		h.t.Fatalf("a request that was under way is not answered: %v", err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

func TestServeAndDrain(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			p := launch(t)
			if live, ready := p.get(p.control, "/healthz"), p.get(p.control, "/readyz"); live != 200 || ready != 200 {
				t.Errorf("/healthz is %d and /readyz %d", live, ready)
			}
			if status := p.get(p.public, "/control/faults"); status != 404 {
				t.Errorf("/control/faults is %d on the public listener", status)
			}
			underWay := p.sendHalf()

			p.signal(signal)
			for p.get(p.control, "/readyz") != 503 { // until the signal has arrived
			}
			if status := underWay.finish(); status != 201 {
				t.Errorf("the request that was under way is answered %d", status)
			}
			if err := p.cmd.Wait(); err != nil {
				t.Errorf("the program ended with %v:\n%s", err, p.log)
			}
			if c, err := net.DialTimeout("tcp", p.public, time.Second); err == nil {
				_ = c.Close()
				t.Error("the port is still open")
			}
		})
	}
}

// Whoever is in a hurry sends the signal twice.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	p := launch(t)
	p.sendHalf()
	p.signal(syscall.SIGTERM)
	p.log.waitFor("draining")
	p.signal(syscall.SIGTERM)
	err := p.cmd.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("the program ended with %v", err)
	}
}

// Clients that send next to nothing keep nobody else waiting.
func TestSlowClientsDoNotHang(t *testing.T) {
	p := launch(t)
	for i := range 64 {
		if i%2 == 0 {
			p.sendHalf()
			continue
		}
		c, err := net.Dial("tcp", p.public)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		fmt.Fprint(c, "POST /api/v1/ingest HT")
	}
	if status := p.get(p.public, "/api/v1/leads/lookup"); status != 401 {
		t.Errorf("another client is answered %d", status)
	}
	if status := p.get(p.control, "/readyz"); status != 200 {
		t.Errorf("/readyz is %d", status)
	}
}

func TestLogFormat(t *testing.T) {
	p := launch(t, "--log-format", "json")
	p.signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	var line struct{ Level, Msg string }
	if err := json.Unmarshal([]byte(p.log.String()), &line); err != nil || line.Level != "INFO" || !strings.HasPrefix(line.Msg, "draining") {
		t.Errorf("the log is %s", p.log)
	}
}

func TestWorldFile(t *testing.T) {
	embedded, err := os.ReadFile("../fixtures/world.yaml")
	if err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(mine, bytes.ReplaceAll(embedded, []byte("ldk_primary_7Qm2Xw9Rk4"), []byte("another-key")), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, "--world", mine)
	for key, want := range map[string]int{"another-key": 404, "ldk_primary_7Qm2Xw9Rk4": 401} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+p.public+"/api/v1/leads/lookup?phone=5550100001", nil)
		req.Header.Set("x-api-key", key)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("the key %s is answered %d, expected %d", key, res.StatusCode, want)
		}
	}
}

func TestMutant(t *testing.T) {
	p := launch(t, "--mutant", "ld-lookup-without-key")
	if status := p.get(p.public, "/api/v1/leads/lookup?phone=5550100001"); status != http.StatusNotFound {
		t.Errorf("without a key the mutant answers %d, expected 404", status)
	}
	out, err := exec.CommandContext(t.Context(), binary, "--mutant", "list").Output()
	if err != nil || !bytes.Contains(out, []byte("ld-lookup-without-key")) {
		t.Errorf("the list lacks a mutant (%v):\n%s", err, out)
	}
}

func TestClockOffset(t *testing.T) {
	p := launch(t, "--clock-offset", "24h")
	req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+p.public+"/api/v1/ingest", strings.NewReader(lead))
	req.Header.Set("x-api-key", "ldk_primary_7Qm2Xw9Rk4")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var stored struct {
		CreatedAt time.Time `json:"created_at"`
	}
	if err := json.NewDecoder(res.Body).Decode(&stored); err != nil {
		t.Fatal(err)
	}
	if ahead := time.Until(stored.CreatedAt); ahead < 23*time.Hour || ahead > 25*time.Hour {
		t.Errorf("the lead was created %v ahead of now", ahead)
	}
}
