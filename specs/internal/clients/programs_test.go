//go:build unix

package clients_test

import (
	"context"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"leadconform/fixtures/clients/integrator"
	"leadconform/reference/server"
	"leadconform/specs/internal/clients"
	"leadconform/specs/internal/spec"
)

// folder is where the programs are.
const folder = "../../../fixtures/clients/"

// program is a client that is a program, and what it needs to run.
type program struct {
	name  string
	args  []string
	needs []string
}

var (
	inShell  = program{"shell", []string{folder + "shell/client.sh"}, []string{"curl", "openssl", "jq", "awk"}}
	byCurl   = program{"curl", []string{folder + "curl/client.sh"}, []string{"curl"}}
	inNode   = program{"node", []string{"node", folder + "node/client.mjs"}, []string{"node"}}
	inPython = program{"python", []string{"python3", folder + "python/client.py"}, []string{"python3"}}
	// theirs is the loop that the Lead Distro document prints.
	theirs = program{"the document's", []string{"node", folder + "documents/loop.mjs"}, []string{"node"}}
)

// inGo builds the Go client.
func inGo(t *testing.T, args ...string) program {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "client")
	if out, err := exec.Command("go", "build", "-o", bin, "leadconform/fixtures/clients/go").CombinedOutput(); err != nil {
		t.Fatalf("build the Go client: %v\n%s", err, out)
	}
	return program{"go", append([]string{bin}, args...), nil}
}

// real runs a program through the scenarios of a recipe, or of some of its rows, on real ports and in real time.
func (p program) real(t *testing.T, recipe string, speed float64, rows ...string) (outcomes map[string]spec.Outcome, took time.Duration) {
	t.Helper()
	for _, need := range p.needs {
		if _, err := exec.LookPath(need); err != nil {
			t.Skipf("the %s client needs %s: %v", p.name, need, err)
		}
	}
	trial := clients.Trial{Book: book(t, recipe), Speed: speed, Start: loopback, Caller: clients.Command(p.args)}
	if len(rows) > 0 {
		trial.Only = func(row string) bool { return slices.Contains(rows, row) }
	}
	began := time.Now()
	journals, err := trial.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	took = time.Since(began)
	return trial.Judge(t.Context(), journals), took
}

func loopback(ctx context.Context, addr string, wrap func(http.Handler) http.Handler) (string, func(), error) {
	s, err := server.New(server.Config{Assemble: func(p *server.Parts) { p.Handler = wrap }})
	if err != nil {
		return "", nil, err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, err
	}
	front := &http.Server{Handler: s.Handler(), ErrorLog: log.New(os.Stderr, "", 0)}
	go front.Serve(listener)
	return "http://" + listener.Addr().String(), func() { front.Close(); s.Close(ctx) }, nil
}

// patiently runs a program at a speed. A machine that is too busy for that leaves rows not assessed, never wrongly
// judged; then it gets the time of the real speed.
func (p program) patiently(t *testing.T, recipe string, speed float64, rows ...string) map[string]spec.Outcome {
	t.Helper()
	outcomes, took := p.real(t, recipe, speed, rows...)
	for id, o := range outcomes {
		if o.Result == spec.NotAssessed {
			t.Logf("%s: %s; once more at real speed", id, o.Reason)
			outcomes, took = p.real(t, recipe, 1, rows...)
			break
		}
	}
	t.Logf("recipe %s: %v", recipe, took.Round(100*time.Millisecond))
	return outcomes
}

func TestCorrectProgramsPassEveryRow(t *testing.T) {
	programs := []program{inGo(t), inShell, inNode, inPython}
	if underRace {
		programs = programs[:1]
	}
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			for _, recipe := range []string{clients.Distro, clients.Insertion} {
				for id, o := range p.patiently(t, recipe, 5) {
					if o.Result != spec.Passed {
						t.Errorf("%s: %s: %s", id, o.Result, o.Reason)
					}
				}
			}
		})
	}
}

// TestShortestClient tries what the README shows. Curl doesn't know of a speed, so these are rows whose waits are short;
// the proof has them all.
func TestShortestClient(t *testing.T) {
	readme, err := os.ReadFile(folder + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(byCurl.args[0])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), string(text)) {
		t.Errorf("fixtures/clients/README.md doesn't show %s as it is", byCurl.args[0])
	}
	for id, o := range byCurl.patiently(t, clients.Distro, 5, "CL-LD-01", "CL-LD-06", "CL-LD-10", "CL-LD-12") {
		if o.Result != spec.Passed {
			t.Errorf("%s: %s: %s", id, o.Result, o.Reason)
		}
	}
}

// TestTheDocumentsOwnLoop holds what fixtures/clients/README.md says of it.
func TestTheDocumentsOwnLoop(t *testing.T) {
	departs := map[string]string{
		"CL-LD-09": "after 500 Internal Server Error the client never tried again",
		"CL-LD-11": "after 5 requests the client ended",
		"CL-LD-12": "where Retry-After: ",
	}
	for id, o := range theirs.patiently(t, clients.Distro, 5) {
		want := spec.Passed
		if departs[id] != "" {
			want = spec.Failed
		}
		if o.Result != want || !strings.Contains(o.Reason, departs[id]) {
			t.Errorf("%s: %s: %s; want %s", id, o.Result, o.Reason, want)
		}
	}
}

// TestProofAtRealSpeed shows with real processes what the tests in virtual time show: at real speed and with --speed,
// within the times that are promised. It takes many minutes, and a machine that isn't busy.
func TestProofAtRealSpeed(t *testing.T) {
	if os.Getenv("PROOF") == "" {
		t.Skip("PROOF=1 runs it")
	}
	for _, p := range []program{inGo(t), inShell, inNode, inPython} {
		for _, recipe := range []string{clients.Distro, clients.Insertion} {
			for speed, within := range map[float64]time.Duration{1: 90 * time.Second, 10: 15 * time.Second} {
				outcomes, took := p.real(t, recipe, speed)
				t.Logf("%s, recipe %s, speed %v: %v", p.name, recipe, speed, took.Round(100*time.Millisecond))
				if took > within {
					t.Errorf("%s, recipe %s, speed %v: took %v, more than %v", p.name, recipe, speed, took, within)
				}
				for id, o := range outcomes {
					if o.Result != spec.Passed {
						t.Errorf("%s, speed %v: %s: %s: %s", p.name, speed, id, o.Result, o.Reason)
					}
				}
			}
		}
	}
	outcomes, took := byCurl.real(t, clients.Distro, 1)
	t.Logf("curl, recipe distro, speed 1: %v", took.Round(100*time.Millisecond))
	for id, o := range outcomes {
		if o.Result != spec.Passed {
			t.Errorf("curl: %s: %s: %s", id, o.Result, o.Reason)
		}
	}
	outcomes, took = theirs.real(t, clients.Distro, 1)
	t.Logf("the document's loop, speed 1: %v", took.Round(100*time.Millisecond))
	for id, o := range outcomes {
		if (o.Result == spec.Failed) != slices.Contains([]string{"CL-LD-09", "CL-LD-11", "CL-LD-12"}, id) {
			t.Errorf("the document's loop: %s: %s: %s", id, o.Result, o.Reason)
		}
	}
	for _, wrong := range integrator.All() {
		outcomes, _ := inGo(t, "--wrong", wrong.ID).real(t, wrong.Recipe, 10)
		for id, o := range outcomes {
			if (o.Result == spec.Failed) != slices.Contains(wrong.Rows, id) {
				t.Errorf("%s: %s: %s: %s", wrong.ID, id, o.Result, o.Reason)
			}
		}
	}
}
