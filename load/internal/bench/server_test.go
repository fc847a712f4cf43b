// Package bench compares, side by side in one run, what the project costs with what it could cost at best. It is no test
// and judges nothing: set BENCH=1 (scripts/bench). Every figure is a median of rounds in which the rivals take turns.
package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"leadconform/fixtures"
	"leadconform/reference/server"
)

// answer is what a bare server answers to everything.
type answer struct {
	Status int
	Body   string
}

// asServer names the environment variable that makes the test program a server: reference, or an answer as JSON.
const asServer = "BENCH_SERVER"

// profileTo names the environment variable that makes the reference server write a CPU profile to a file.
const profileTo = "BENCH_PROFILE"

func TestMain(m *testing.M) {
	if kind := os.Getenv(asServer); kind != "" {
		serve(kind)
		return
	}
	os.Exit(m.Run())
}

// serve serves until its standard input ends. For each line that it reads, it writes the processor time that it has used.
func serve(kind string) {
	handler := bare(kind)
	if kind == "reference" {
		debug.SetGCPercent(server.GCPercent) // as its main does
		handler = reference()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	go func() { _ = (&http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}).Serve(listener) }()
	if file := os.Getenv(profileTo); file != "" && kind == "reference" {
		out, err := os.Create(file)
		if err == nil {
			err = pprof.StartCPUProfile(out)
		}
		if err != nil {
			panic(err)
		}
		defer pprof.StopCPUProfile()
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(used().Nanoseconds())
	}
}

// reference is the reference server in its own world, but for limits that nobody meets.
func reference() http.Handler {
	world, err := fixtures.FS.ReadFile("world.yaml")
	if err != nil {
		panic(err)
	}
	text := strings.NewReplacer("rate: 2000, burst: 4000", "rate: 200000, burst: 400000", "rate: 1000, burst: 2000", "rate: 200000, burst: 400000",
		"requests: 100, window: 10s", "requests: 100000000, window: 10s").Replace(string(world))
	s, err := server.New(server.Config{World: []byte(text)})
	if err != nil {
		panic(err)
	}
	return s.Handler()
}

// bare reads the body and writes what it was told to.
func bare(text string) http.Handler {
	var a answer
	_ = json.Unmarshal([]byte(text), &a) // of the reference there is none
	body := []byte(a.Body)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(a.Status)
		_, _ = w.Write(body)
	})
}

// used is the processor time of this process so far.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// process is a server in a process of its own, so that its processor time can be told from the client's.
type process struct {
	base string
	in   io.WriteCloser
	out  *bufio.Scanner
}

func start(tb testing.TB, kind string) *process {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), asServer+"="+kind), os.Stderr
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		tb.Fatal(err)
	}
	p := &process{in: in, out: bufio.NewScanner(out)}
	tb.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	if !p.out.Scan() {
		tb.Fatal("the server doesn't say where it listens")
	}
	p.base = "http://" + p.out.Text()
	return p
}

// used is the processor time of the server so far.
func (p *process) used(tb testing.TB) time.Duration {
	tb.Helper()
	if _, err := fmt.Fprintln(p.in); err != nil || !p.out.Scan() {
		tb.Fatal("the server is gone")
	}
	n, err := strconv.ParseInt(p.out.Text(), 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return time.Duration(n)
}
