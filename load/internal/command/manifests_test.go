package command_test

import (
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"leadconform/load/internal/soak"
)

// manifest is what of a manifest's documents, of whatever kind, matters here.
type manifest struct {
	Kind string
	Data map[string]string
	Spec struct {
		CompletionMode           string `yaml:"completionMode"`
		Completions, Parallelism int
		Template                 struct {
			Spec struct{ Containers []struct{ Args []string } }
		}
	}
	Services map[string]struct{ Command []string } // of compose
}

func documents(t *testing.T, name string) (all []manifest) {
	t.Helper()
	file, err := os.Open(filepath.Join("../../../fixtures/k8s", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for decoder := yaml.NewDecoder(file); ; {
		var m manifest
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, m)
	}
}

// Every flag of the manifests exists and has a value that the program takes: with nobody at the target, and all else in
// place, there is nothing to complain about but that.
func TestManifestsAreUnderstood(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	dir := t.TempDir()
	one := soak.Generated(0)
	keys := load(t, "world", "--suppliers", "200", "--print", "keys")
	for name, text := range map[string]string{
		"profile.yaml": "name: x\ndistro:\n  base_url: " + closed.URL + "\n  credentials: {primary: {supplier: " + one.ID + ", key: kkkkkkkk}}\n  campaigns: {open: {id: c}}\n",
		"keys.csv":     keys.stdout,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	understood := func(name string, args []string, values map[string]string) {
		t.Helper()
		for i := range args {
			for variable, value := range values {
				args[i] = strings.ReplaceAll(args[i], variable, value)
			}
			args[i] = strings.NewReplacer("/config/", dir+"/", "/traces/", dir+"/").Replace(args[i])
			if strings.Contains(args[i], "$") {
				t.Errorf("%s: nobody sets a variable of %s", name, args[i])
			}
		}
		want := 4
		if args[0] == "report" {
			want = 2 // there are no traces
		}
		got := load(t, args...)
		if got.status != want || want == 4 && !strings.Contains(got.stderr, "can't be reached") || want == 2 && !strings.Contains(got.stderr, "no such file") {
			t.Errorf("%s: %v: exit %d: %s", name, args, got.status, got.stderr)
		}
	}

	soaks, settings := 0, map[string]string{"$(JOB_COMPLETION_INDEX)": "0"}
	for _, name := range []string{"soak.yaml", "report.yaml"} {
		for _, m := range documents(t, name) {
			for variable, value := range m.Data {
				settings["$("+variable+")"] = value
			}
			for _, c := range m.Spec.Template.Spec.Containers {
				understood(name, c.Args, settings)
				soaks++
			}
			if m.Kind == "Job" && name == "soak.yaml" {
				if m.Spec.CompletionMode != "Indexed" || m.Spec.Completions != m.Spec.Parallelism || settings["$(WORKERS)"] != "3" || m.Spec.Completions != 3 {
					t.Errorf("%s: not a worker for each index, all at once: %+v", name, m.Spec)
				}
			}
		}
	}
	for _, m := range documents(t, "compose.yaml") {
		for _, s := range m.Services {
			understood("compose.yaml", s.Command, map[string]string{"${START_AT:?}": "2030-01-01T00:00:00Z"})
			soaks++
		}
	}
	if soaks != 5 {
		t.Errorf("%d commands were tried, want 5", soaks)
	}
}
