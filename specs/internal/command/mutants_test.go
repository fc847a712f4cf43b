package command_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	_ "leadconform/reference/mutant" // part of the programs that are run here: a change to it must run these tests again
	"leadconform/specs/internal/matrix"
)

// matrixOf reads the matrix that a run wrote.
func matrixOf(t *testing.T, dir string) matrix.Matrix {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "mutants.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m matrix.Matrix
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// The real program against real servers, one of each kind and API, each in a process of its own.
func TestMutants(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	r := specs(t, nil, "mutants", "--only", "ld-duplicates-global", "--only", "in-dedupe-ignores-*", "--only", "ld-ok-members-added",
		"--only", "null-404", "--only", "null-hangup", "--repeat", "2", "--out", out)
	if r.status != 0 || r.stderr != "" {
		t.Fatalf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	for _, want := range []string{
		`killed +ld-duplicates-global +LD-422-05`, `killed +in-dedupe-ignores-\w+ +IN-IDEM-12`, `accepted +ld-ok-members-added`,
		`refused +null-404`, `refused +null-hangup`, `rows were not judged`, `limiters: --limits FILE`, `clients: --clients FILE`,
	} {
		if !regexp.MustCompile(want).MatchString(r.stdout) {
			t.Errorf("it doesn't say %s:\n%s", want, r.stdout)
		}
	}
	m := matrixOf(t, out)
	sum := m.Sum()
	if sum.Wrong < 2 || sum.Killed != sum.Wrong || sum.Conforming != 1 || sum.Runs != 2 || sum.Null != 2 || len(m.Faults) != 0 || !m.Selected {
		t.Errorf("%+v, faults %q", sum, m.Faults)
	}
	for _, s := range m.Subjects {
		if want := map[string]int{"ld-ok-members-added": 137, "null-404": 137}[s.ID]; len(s.Results) < want {
			t.Errorf("%s: %d rows were run, want all %d of tiers core and full", s.ID, len(s.Results), want)
		}
	}
}

const survivor = `{"schema": 1, "part": "limiters", "subjects": [{"id": "lenient", "title": "lets everybody in", "kind": "wrong", "api": "distro",
	"kills": ["LD-LIM-KEY"], "runs": 1, "results": {"LD-LIM-KEY": "passed"}}]}`

// What other programs found is judged with the rest.
func TestMutantsMergesParts(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	part := write(t, "limiters.json", survivor)
	r := specs(t, nil, "mutants", "--only", "lenient", "--only", "null-404", "--limits", part, "--out", out)
	if r.status != 1 || !strings.Contains(r.stdout, "FAULT lenient survives (lets everybody in): LD-LIM-KEY passed") {
		t.Errorf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	if m := matrixOf(t, out); len(m.Faults) != 1 || m.Sum().Survived != 1 || m.Sum().Null != 1 {
		t.Errorf("%+v", m)
	}
}

func TestMutantsMistakesExit2(t *testing.T) {
	t.Parallel()
	good := write(t, "good.json", survivor)
	for want, args := range map[string][]string{
		"--only no-such-* matches nothing":                    {"--only", "no-such-*"},
		"--only ld-[: it is no ID or glob":                    {"--only", "ld-["},
		"--only ld-500-* matches nothing at level core":       {"--only", "ld-500-*", "--level", "core"},
		"--repeat 0: it must be at least 1":                   {"--repeat", "0"},
		"--jobs -1: it must be at least 1":                    {"--jobs=-1"},
		"nowhere.json: no such file":                          {"--limits", "nowhere.json"},
		`good.json: it is the part "limiters", not "clients"`: {"--clients", good},
		"make the folder (--out)":                             {"--only", "null-404", "--out", good},
		"the catalogue has no row LD-LIM-KEYS-AND-LOCKS":      {"--limits", write(t, "row.json", strings.ReplaceAll(survivor, "LD-LIM-KEY", "LD-LIM-KEYS-AND-LOCKS"))},
	} {
		if r := specs(t, nil, append([]string{"mutants"}, args...)...); r.status != 2 || !strings.Contains(r.stderr, want) {
			t.Errorf("%v: status %d, want 2 and %q\n%s", args, r.status, want, r.stderr)
		}
	}
}

// A program that isn't there any more can't start itself again.
func TestMutantsWithoutAProgramExits4(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(program(t, "specs"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "gone"), text, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", "exec 3<gone && rm gone && exec /proc/self/fd/3 mutants --only null-404")
	cmd.Dir = dir
	said, _ := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 4 || !strings.Contains(string(said), "start a process for null-404") {
		t.Errorf("status %d\n%s", cmd.ProcessState.ExitCode(), said)
	}
}
