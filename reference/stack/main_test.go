package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"leadconform/reference/internal/containers"
)

// stack builds the program, and returns a command that runs it.
func stack(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "stack")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	return exec.CommandContext(t.Context(), binary, args...)
}

func TestWrongFlags(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, test := range []struct {
		args []string
		exit int
		says string
	}{
		{[]string{"--bogus"}, 2, "unknown flag --bogus"},
		{[]string{"--replicas", "0"}, 2, "--replicas 0: choose 1 to 20"},
		{[]string{"--world", "/nowhere/world.yaml"}, 1, "--world: open /nowhere/world.yaml: no such file or directory: name a file that can be read"},
		{[]string{"--addr", taken.Addr().String()}, 1, "address already in use: choose another, or stop the program that holds it"},
	} {
		var stdout, stderr strings.Builder
		if exit := run(t.Context(), test.args, &stdout, &stderr); exit != test.exit || !strings.Contains(stderr.String(), test.says) {
			t.Errorf("%v ends with %d and says %s", test.args, exit, stderr.String())
		}
	}
}

// It prints where everything is, serves there, and leaves nothing behind when it is interrupted.
func TestStack(t *testing.T) {
	if raceDetector {
		t.Skip("what is tested here runs in containers, where the race detector sees nothing: run it without -race")
	}
	containers.Require(t)
	session := uuid.NewString()
	cmd := stack(t, "--replicas", "2", "--addr", "127.0.0.1:0", "--control", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "TESTCONTAINERS_SESSION_ID="+session)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Signal(syscall.SIGINT)
			_ = cmd.Wait()
		}
	})

	var said strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			break
		}
	}
	found := regexp.MustCompile(`^both APIs   (http://\S+)
control     (http://\S+) \(of replica 1\)
replica 1   http://\S+, control http://\S+
replica 2   http://\S+, control http://\S+
PostgreSQL  postgres://\S+
Redis       redis://\S+
Ctrl-C takes everything down.
$`).FindStringSubmatch(said.String())
	if found == nil {
		t.Fatalf("it says\n%s%s", said.String(), stderr.String())
	}
	if status := ask(t, found[1]+"/api/v1/leads/lookup?phone=9990000000"); status != http.StatusNotFound {
		t.Errorf("a lookup is answered %d", status)
	}
	if status := ask(t, found[2]+"/readyz"); status != http.StatusOK {
		t.Errorf("/readyz is answered %d", status)
	}
	if n := left(t, session); n < 4 {
		t.Errorf("%d containers run", n)
	}

	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v and says\n%s", err, stderr.String())
	}
	if n := left(t, session); n > 0 {
		t.Errorf("%d containers are left", n)
	}
}

func ask(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-api-key", "ldk_primary_7Qm2Xw9Rk4")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// left is how many containers of a session there are, besides the cleaner of Testcontainers.
func left(t *testing.T, session string) int {
	t.Helper()
	docker, err := testcontainers.NewDockerClientWithOpts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer docker.Close()
	all, err := docker.ContainerList(t.Context(), client.ContainerListOptions{All: true,
		Filters: client.Filters{}.Add("label", "org.testcontainers.sessionId="+session)})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range all.Items {
		if c.Labels["org.testcontainers.ryuk"] != "true" {
			n++
		}
	}
	return n
}
