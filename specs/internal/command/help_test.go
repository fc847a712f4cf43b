package command_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Whoever asks a sub-command for help sees how it is called.
func TestEverySubCommandHasExamples(t *testing.T) {
	t.Parallel()
	for _, name := range subCommands(t) {
		r := specs(t, nil, name, "--help")
		_, examples, found := strings.Cut(r.stdout, "Examples:\n")
		if r.status != 0 || !found || !strings.Contains(examples, "\n    specs "+name) {
			t.Errorf("specs %s --help: status %d, no example of it:\n%s", name, r.status, r.stdout)
		}
	}
}

// subCommands are the names of those that specs --help lists.
func subCommands(t *testing.T) []string {
	t.Helper()
	all := specs(t, nil, "--help")
	var names []string
	for _, match := range regexp.MustCompile(`(?m)^  ([a-z]+)(?: .*)?\n    [A-Z]`).FindAllStringSubmatch(all.stdout, -1) {
		names = append(names, match[1])
	}
	if all.status != 0 || len(names) < 12 {
		t.Fatalf("status %d, %d sub-commands:\n%s", all.status, len(names), all.stdout)
	}
	return names
}

// What stands in an example can be called: its sub-command and all of its flags exist.
func TestExamplesNameFlagsThatExist(t *testing.T) {
	t.Parallel()
	for _, name := range subCommands(t) {
		help := specs(t, nil, name, "--help").stdout
		for _, example := range regexp.MustCompile(`(?m)^    specs (\w+)(.*)$`).FindAllStringSubmatch(help, -1) {
			other := help
			if example[1] != name {
				other = specs(t, nil, example[1], "--help").stdout
			}
			for _, flag := range regexp.MustCompile(` --[a-z-]+`).FindAllString(strings.Split(example[2]+" -- ", " -- ")[0], -1) {
				if !strings.Contains(other[strings.Index(other, "Flags:"):], flag) {
					t.Errorf("specs %s --help shows %q, and there is no %s", name, example[0], flag)
				}
			}
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if r := specs(t, nil, "--version"); r.status != 0 || !regexp.MustCompile(`^leadconform \d+\.\d+\.\d+ \(\w+\)\n$`).MatchString(r.stdout) {
		t.Errorf("status %d: %q", r.status, r.stdout)
	}
}

// A certificate names the commit in full, and says so if what was built is not what was committed.
func TestBuildNamesTheCommit(t *testing.T) {
	t.Parallel()
	if err := exec.Command("git", "rev-parse", "HEAD").Run(); err != nil {
		t.Skipf("this is no checkout: %v", err)
	}
	out, err := exec.Command("make", "-C", filepath.Join("..", "..", ".."), "--dry-run", "build").CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("make is not installed")
	}
	if err != nil || !regexp.MustCompile(`specs/internal/command\.Commit=[0-9a-f]{40}(-dirty)?[ ']`).Match(out) {
		t.Errorf("make build runs %s, %v", out, err)
	}
}

// A shell hands over the line so far in COMP_LINE and reads how it may go on.
func TestCompletion(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"specs cert":                        "certify",
		"specs di":                          "diff",
		"specs verify --stri":               "--strict",
		"specs verify --level ":             "core full limits",
		"specs certify --level f":           "full",
		"specs verify --api ":               "distro insertion",
		"specs verify --only LD-LIM-INGEST": "LD-LIM-INGEST-BURST LD-LIM-INGEST-FLOOR LD-LIM-INGEST-PEAK LD-LIM-INGEST-RECOVER LD-LIM-INGEST-STEADY LD-LIM-INGEST-SUSTAIN LD-LIM-INGEST-WINDOW",
		"specs explain IN-409-04":           "IN-409-04",
		"specs client --only CL-LD-01":      "CL-LD-01",
		"specs client --only LD-":           "",
		"specs list --tier li":              "limits",
		"specs completion f":                "fish",
	} {
		r := specs(t, []string{"COMP_LINE=" + line})
		got := strings.Fields(r.stdout)
		slices.Sort(got)
		if strings.Join(got, " ") != want || r.status != 0 {
			t.Errorf("%q: status %d, %q, want %q; %s", line, r.status, got, want, r.stderr)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if r := specs(t, nil, "completion", shell); r.status != 0 || !strings.Contains(r.stdout, "specs completion -c "+shell) {
			t.Errorf("%s: status %d\n%s%s", shell, r.status, r.stdout, r.stderr)
		}
		if r := specs(t, nil, "completion", "-c", shell); r.status != 0 || !strings.Contains(r.stdout, "complet") {
			t.Errorf("%s: status %d\n%s%s", shell, r.status, r.stdout, r.stderr)
		}
	}
}

// What CI needs of a run: nothing on stderr, no escape sequence, and a page for the step, if one is asked for.
func TestARunInCI(t *testing.T) {
	t.Parallel()
	base, control := reference(t, "--mutant", "ld-missing-campaign-403")
	summary := filepath.Join(t.TempDir(), "summary.md")
	if err := os.WriteFile(summary, []byte("# what other steps wrote\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := specs(t, []string{"CI=true", "GITHUB_STEP_SUMMARY=" + summary}, "verify", "--target", base, "--control", control, "--only", "LD-404-*")
	if r.status != 1 || r.stderr != "" || strings.Contains(r.stdout, "\x1b") {
		t.Errorf("status %d, stderr %q\n%s", r.status, r.stderr, r.stdout)
	}
	page, err := os.ReadFile(summary)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# what other steps wrote\n## leadconform: non-conformant in the selected rows\n", "<td>LD-404-01</td><td>fail</td>", "| Lead Distro API | none |"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the step summary lacks %q:\n%s", want, page)
		}
	}
	if r := specs(t, []string{"GITHUB_STEP_SUMMARY=" + t.TempDir()}, "verify", "--target", base, "--control", control, "--only", "LD-201-01"); r.status != 0 || !strings.Contains(r.stderr, "the step summary was not written") {
		t.Errorf("a summary that can't be written: status %d, %q", r.status, r.stderr)
	}
}
