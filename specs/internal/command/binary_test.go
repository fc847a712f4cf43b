package command_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"leadconform/fixtures/target"
	"leadconform/reference/server" // part of the programs that are run here as well: a change to it must run these tests again
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/verdict"
)

// bin is where the real programs were built.
var bin string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if underRace {
			return m.Run()
		}
		dir, err := os.MkdirTemp("", "leadconform")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "leadconform/specs", "leadconform/reference")
		if out, err := build.CombinedOutput(); err != nil {
			panic("build the programs: " + err.Error() + "\n" + string(out))
		}
		bin = dir
		return m.Run()
	}())
}

// program is the path of a program that was built. Under the race detector none is: the programs themselves are built
// without it, so that trying them once more would show nothing.
func program(t *testing.T, name string) string {
	t.Helper()
	if underRace {
		t.Skip("the programs are built without the race detector, and tried by the tests without it")
	}
	return filepath.Join(bin, name)
}

// result is what a run of the command left behind.
type result struct {
	status         int
	stdout, stderr string
	report         *report.Report // nil if none was written
}

// specs runs the real command in an empty folder.
func specs(t *testing.T, env []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dir := t.TempDir()
	cmd := exec.CommandContext(ctx, program(t, "specs"), args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run specs %v: %v", args, err)
	}
	r := result{status: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	if text, err := os.ReadFile(filepath.Join(dir, "report", "report.json")); err == nil {
		if r.report, err = report.Read(text); err != nil { // whatever the run, its report holds against the schema
			t.Fatalf("read report.json: %v", err)
		}
	}
	return r
}

// write writes a file and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// verdicts maps row to verdict.
func (r result) verdicts(t *testing.T) map[string]verdict.Verdict {
	t.Helper()
	if r.report == nil {
		t.Fatalf("no report was written; status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	all := map[string]verdict.Verdict{}
	for _, row := range r.report.Rows {
		all[row.ID] = row.Verdict
	}
	return all
}

func TestMistakesExit2AndNameTheRemedy(t *testing.T) {
	t.Parallel()
	unknownKey := write(t, "unknown.yaml", "name: x\ndistro:\n  base_url: http://127.0.0.1:1\n  colour: red\n")
	noVariable := write(t, "variable.yaml", "name: x\ndistro:\n  base_url: http://127.0.0.1:1\n  credentials:\n    primary: {supplier: s, key: \"${NO_SUCH_KEY}\"}\n  campaigns:\n    open: {id: c}\n")
	badURL := write(t, "url.yaml", "name: x\ndistro:\n  base_url: staging\n  credentials:\n    primary: {supplier: s, key: key-12345}\n  campaigns:\n    open: {id: c}\n")
	remote := write(t, "remote.yaml", "name: x\ndistro:\n  base_url: https://staging.example\n  credentials:\n    primary: {supplier: s, key: key-12345}\n  campaigns:\n    open: {id: c}\n")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a remote target without a profile": {[]string{"verify", "--target", "https://staging.example"}, "add --profile FILE"},
		"a target that is no URL":           {[]string{"verify", "--target", "staging"}, `--target "staging" is no base URL`},
		"a control that is no URL":          {[]string{"verify", "--control", "x"}, `--control "x" is no base URL`},
		"a password in a target":            {[]string{"verify", "--target", "http://ada:quiet@127.0.0.1:1"}, "--target must hold no user and password"},
		"a query in a control":              {[]string{"verify", "--control", "http://127.0.0.1:1/?quiet"}, "--control must hold no query"},
		"a profile that isn't there":        {[]string{"verify", "--profile", "nowhere.yaml"}, "nowhere.yaml"},
		"an unknown key":                    {[]string{"verify", "--profile", unknownKey}, `unknown.yaml:4: distro.colour: unknown field "colour"`},
		"a missing variable":                {[]string{"verify", "--profile", noVariable}, "variable.yaml:5: distro.credentials.primary.key: environment variable NO_SUCH_KEY is not set"},
		"a bad URL":                         {[]string{"verify", "--profile", badURL}, `url.yaml:3: distro.base_url: "staging" is no base URL`},
		"a folder that can't be":            {[]string{"verify", "--out", filepath.Join(badURL, "x")}, "the report's folder (--out)"},
		"an unknown flag":                   {[]string{"verify", "--colour"}, "unknown flag --colour"},
		"an unknown command":                {[]string{"varify"}, "varify"},
		"an unknown level":                  {[]string{"verify", "--level", "gold"}, `"core","limits","full"`},
		"a glob that matches nothing":       {[]string{"verify", "--only", "XX-*"}, "--only XX-* matches no row"},
		"a skip that matches nothing":       {[]string{"verify", "--skip", "LD-999-01"}, "--skip LD-999-01 matches no row"},
		"a glob that is none":               {[]string{"verify", "--only", "LD-["}, "--only LD-[: it is no ID or glob"},
		"rows above the level":              {[]string{"verify", "--only", "LD-500-01"}, "LD-500-01 is of tier full, so add --level full"},
		"everything skipped":                {[]string{"verify", "--skip", "*"}, "no row is selected"},
		"an API that isn't there":           {[]string{"verify", "--api", "crm"}, "the APIs are distro and insertion"},
		"an API not in the profile":         {[]string{"verify", "--profile", remote, "--api", "insertion"}, "the profile doesn't describe it, only distro"},
		"load that isn't allowed":           {[]string{"verify", "--profile", remote, "--level", "limits"}, "add --allow-load staging.example"},
		"a negative budget":                 {[]string{"verify", "--max-requests=-1"}, "--max-requests -1"},
		"a row that isn't there":            {[]string{"explain", "LD-999-01"}, "there is no row LD-999-01"},
		"a list of nothing":                 {[]string{"list", "--api", "crm"}, "no row is like that"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := specs(t, nil, c.args...)
			if r.status != 2 || !strings.Contains(r.stderr, c.want) {
				t.Errorf("status %d, want 2; stderr:\n%s\nwant it to hold %q", r.status, r.stderr, c.want)
			}
			if strings.Contains(r.stderr, "quiet") {
				t.Errorf("what may be a secret is quoted:\n%s", r.stderr)
			}
			if lines := strings.Count(r.stderr, "\n"); lines != 1 {
				t.Errorf("the message has %d lines:\n%s", lines, r.stderr)
			}
			if r.report != nil || r.stdout != "" {
				t.Errorf("a report was written, or begun: %s", r.stdout)
			}
		})
	}
}

func TestUnreachableTargetExits4WithOneLine(t *testing.T) {
	t.Parallel()
	start := time.Now()
	r := specs(t, nil, "verify", "--target", "http://127.0.0.1:1")
	if r.status != 4 || !strings.Contains(r.stderr, "connection refused") || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("status %d, stderr:\n%s", r.status, r.stderr)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestCredentialsThatDoNotWorkExit4BeforeAnyRow(t *testing.T) {
	t.Parallel()
	base, control := reference(t)
	profile := strings.NewReplacer("ldk_primary_7Qm2Xw9Rk4", "ldk_wrong_1", "ldk_secondary_3Hd8Ys6Tn1", "ldk_wrong_2", "ldk_detached_5Vb1Lc7Pz9", "ldk_wrong_3").Replace(referenceProfile(t, base, control))
	r := specs(t, nil, "verify", "--profile", write(t, "p.yaml", profile))
	if r.status != 4 || !strings.Contains(r.stderr, "no credential of the distro API works") || !strings.Contains(r.stderr, "primary: 401 unauthorized") {
		t.Errorf("status %d, stderr:\n%s", r.status, r.stderr)
	}
	if r.report != nil {
		t.Error("a report was written: rows ran")
	}
}

func TestEmbeddedReferenceIsConformant(t *testing.T) {
	t.Parallel()
	r := specs(t, nil, "verify")
	if r.status != 0 {
		t.Fatalf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	for _, row := range r.report.Rows {
		want := verdict.Pass
		switch {
		case row.Tier != "core":
			want = verdict.NotAssessed
		case row.Level == "OBS":
			want = verdict.Observed
		}
		if row.Verdict != want {
			t.Errorf("%s: %s (%s), want %s", row.ID, row.Verdict, row.Reason, want)
		}
	}
	if r.report.LevelGranted != "core" || r.report.Verdict != verdict.Conformant {
		t.Errorf("%s, level %s", r.report.Verdict, r.report.LevelGranted)
	}
}

// fullButLimits runs every row but those that attack: what these find depends on what else this machine does. They are
// tried in virtual time, by the tests of load, and all together with PROOF=1.
func fullButLimits() []string {
	args := []string{"verify", "--level", "full"}
	if os.Getenv("PROOF") == "" {
		args = append(args, "--skip", "LD-429-*", "--skip", "LD-LIM-*", "--skip", "IN-429-*")
	}
	return args
}

func TestReferenceStartedByHandAgreesWithTheEmbeddedOneRowByRow(t *testing.T) {
	t.Parallel()
	base, control := reference(t)
	embedded := specs(t, nil, append(fullButLimits(), "--api", "distro,insertion")...).verdicts(t)
	byHand := specs(t, nil, append(fullButLimits(), "--target", base, "--control", control)...)
	for id, want := range embedded {
		if got := byHand.verdicts(t)[id]; got != want {
			t.Errorf("%s: %s by hand, %s embedded", id, got, want)
		}
	}
	for _, row := range byHand.report.Rows {
		if row.Tier == "full" && row.Verdict != verdict.Pass && row.Verdict != verdict.Observed {
			t.Errorf("%s: %s (%s)", row.ID, row.Verdict, row.Reason)
		}
	}
}

func TestReferenceWithoutControlListenerLeavesFullRowsOpen(t *testing.T) {
	t.Parallel()
	base, _ := reference(t)
	r := specs(t, nil, "verify", "--level", "full", "--api", "insertion", "--only", "IN-500-*", "--target", base, "--control", "http://127.0.0.1:1")
	if r.status != 3 || !strings.Contains(r.stdout, "no control listener at http://127.0.0.1:1") {
		t.Errorf("status %d\n%s", r.status, r.stdout)
	}
	if v := r.verdicts(t)["IN-500-01"]; v != verdict.NotAssessed {
		t.Errorf("IN-500-01: %s", v)
	}
}

// TestFailuresWaiversAndStrict spoils a profile, so that rows fail against the right reference.
func TestFailuresWaiversAndStrict(t *testing.T) {
	t.Parallel()
	base, control := reference(t)
	good := referenceProfile(t, base, control)
	wrongMissing := strings.Replace(good, "missing: {id: cmp-that-does-not-exist}", "missing: {id: cmp-weighted}", 1)
	waiver := func(id, expires string) string {
		return "\nwaivers:\n  - {id: " + id + ", reason: ticket 7, expires: " + expires + "}\n"
	}
	for name, c := range map[string]struct {
		profile string
		args    []string
		status  int
		stdout  string
	}{
		"a MUST row fails":            {wrongMissing, []string{"--only", "LD-404-*"}, 1, "NON-CONFORMANT in the selected rows"},
		"waived":                      {wrongMissing + waiver("LD-404-0*", "2999-01-01"), []string{"--only", "LD-404-01"}, 1, "there is no such row"},
		"waived rightly":              {wrongMissing + waiver("LD-404-01", "2999-01-01"), []string{"--only", "LD-404-01"}, 0, "Failed, but waived: 1"},
		"waiver expired":              {wrongMissing + waiver("LD-404-01", "2020-01-01"), []string{"--only", "LD-404-01"}, 1, "it expired on 2020-01-01"},
		"waiver of a row that passes": {good + waiver("LD-404-01", "2999-01-01"), []string{"--only", "LD-404-01"}, 1, "the row passes; remove it"},
		"a role is missing": {strings.Replace(good, "    missing: {id: cmp-that-does-not-exist}\n", "", 1),
			[]string{"--only", "LD-404-*"}, 3, "needs campaigns.missing"},
		"a budget is used up": {good, []string{"--api", "distro", "--max-requests", "40"}, 3, "--max-requests"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := specs(t, nil, append([]string{"verify", "--profile", write(t, "p.yaml", c.profile)}, c.args...)...)
			if r.status != c.status || !strings.Contains(r.stdout, c.stdout) {
				t.Errorf("status %d, want %d; stdout:\n%s%s\nwant it to hold %q", r.status, c.status, r.stdout, r.stderr, c.stdout)
			}
		})
	}
}

func TestFormatJSONPutsTheReportAndNothingElseOnStdout(t *testing.T) {
	t.Parallel()
	r := specs(t, nil, "verify", "--format", "json", "--only", "LD-201-*", "--seed", "7")
	var printed report.Report
	if err := json.Unmarshal([]byte(r.stdout), &printed); err != nil || r.stderr != "" {
		t.Fatalf("stdout is no report: %v; stderr %q", err, r.stderr)
	}
	if printed.Run.Seed != 7 || printed.Run.ID != r.report.Run.ID || !printed.Run.Selected || printed.LevelGranted != "none" {
		t.Errorf("run %+v, level %s", printed.Run, printed.LevelGranted)
	}
}

func TestNoSecretOnTheTerminalOrInAnyFile(t *testing.T) {
	t.Parallel()
	base, control := reference(t)
	spoiled := strings.Replace(referenceProfile(t, base, control), "missing: {id: cmp-that-does-not-exist}", "missing: {id: cmp-weighted}", 1)
	out := t.TempDir()
	summary := filepath.Join(t.TempDir(), "summary.md")
	r := specs(t, []string{"GITHUB_STEP_SUMMARY=" + summary}, append(fullButLimits(), "--strict", "--profile", write(t, "p.yaml", spoiled), "--out", out)...)
	if r.status != 1 {
		t.Fatalf("status %d, want 1: there is a failure to be shown", r.status)
	}
	page, err := os.ReadFile(summary)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"stdout": r.stdout, "stderr": r.stderr, "step summary": string(page)}
	files, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(file)] = string(text)
	}
	texts["exchanges of index.html"] = unpacked(t, texts["index.html"])
	for _, where := range []string{"report.json", "exchanges of index.html"} {
		if !strings.Contains(texts[where], "$LD_PRIMARY_KEY") {
			t.Errorf("%s: the variable that stands for a key isn't named: nothing was redacted", where)
		}
	}
	for name, secret := range target.Reference(base, control).Secrets() {
		for where, text := range texts {
			if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
				t.Errorf("%s holds the secret %s", where, name)
			}
		}
	}
}

// unpacked are the exchanges of a page, which stand there packed: base64 of gzip.
func unpacked(t *testing.T, page string) string {
	t.Helper()
	_, rest, _ := strings.Cut(page, `<script type="application/json" id="exchanges">`)
	text, _, _ := strings.Cut(rest, "</script>")
	var blocks []string
	if err := json.Unmarshal([]byte(text), &blocks); err != nil {
		t.Fatalf("the page's exchanges: %v", err)
	}
	var all strings.Builder
	for _, block := range blocks {
		r, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(block)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, r); err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// An interrupted experiment decides its rows all the same: each says what was found, also those that had not asked yet.
func TestAnInterruptedExperimentSaysWhatItFoundOfEachRow(t *testing.T) {
	t.Parallel()
	s, err := server.New(server.Config{})
	if err != nil {
		t.Fatal(err)
	}
	enough, lookups := make(chan struct{}), atomic.Int64{}
	public := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/leads/lookup" && r.Header.Get("X-Api-Key") != "" && lookups.Add(1) == 30 {
			close(enough)
		}
		s.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		public.Close()
		_ = s.Close(context.WithoutCancel(t.Context()))
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t, "specs"), "verify", "--target", public.URL, "--api", "distro", "--level", "limits", "--only", "LD-LIM-LOOKUP-*", "--format", "json")
	cmd.Dir = t.TempDir()
	go func() {
		select {
		case <-enough:
			_ = cmd.Process.Signal(os.Interrupt)
		case <-ctx.Done():
		}
	}()
	stdout, _ := cmd.Output()
	var r report.Report
	if err := json.Unmarshal(stdout, &r); err != nil || cmd.ProcessState.ExitCode() != 3 {
		t.Fatalf("exit %d, %v: %s", cmd.ProcessState.ExitCode(), err, stdout)
	}
	found := 0
	for _, row := range r.Rows {
		if !strings.HasPrefix(row.ID, "LD-LIM-LOOKUP-") {
			continue
		}
		found++
		if row.Verdict == verdict.NotAssessed && !strings.HasPrefix(row.Reason, "the run was stopped early") {
			t.Errorf("%s: %s", row.ID, row.Reason)
		}
	}
	if found < 6 {
		t.Errorf("%d rows", found)
	}
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	if r := specs(t, nil, "doctor"); r.status != 0 || !strings.Contains(r.stdout, "rows could be assessed") {
		t.Errorf("the embedded reference: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	base, control := reference(t)
	poor := strings.Replace(referenceProfile(t, base, control), "    capped: {id: cmp-capped, capacity: 3}\n", "", 1)
	r := specs(t, nil, "doctor", "--profile", write(t, "p.yaml", poor))
	if r.status != 3 || !strings.Contains(r.stdout, "distro.campaigns.capped\n      LD-200-02 (MUST, core)") {
		t.Errorf("a poor profile: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
}

func TestInitPrintsAProfileThatLoads(t *testing.T) {
	t.Parallel()
	r := specs(t, nil, "init")
	if r.status != 0 {
		t.Fatalf("status %d: %s", r.status, r.stderr)
	}
	value := func(name string) (string, bool) { return "value-of-" + name, true }
	if _, err := target.Parse("staging.yaml", []byte(r.stdout), value); err != nil {
		t.Errorf("as it is: %v", err)
	}
}

func TestListAndExplain(t *testing.T) {
	t.Parallel()
	if r := specs(t, nil, "list", "--api", "insertion", "--level", "obs"); r.status != 0 || !strings.Contains(r.stdout, "IN-IDEM-13") || strings.Contains(r.stdout, "LD-") {
		t.Errorf("status %d\n%s", r.status, r.stdout)
	}
	var rows []map[string]any
	if r := specs(t, nil, "list", "--format", "json"); json.Unmarshal([]byte(r.stdout), &rows) != nil || len(rows) < 180 {
		t.Errorf("%d rows as JSON", len(rows))
	}
	if r := specs(t, nil, "explain", "ld-422-05"); r.status != 0 || !strings.Contains(r.stdout, "needs    campaigns.unique") {
		t.Errorf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
}

// referenceProfile is the text of the reference's profile, pointed at a server.
func referenceProfile(t *testing.T, base, control string) string {
	t.Helper()
	text, err := os.ReadFile("../../../fixtures/targets/reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("http://127.0.0.1:8080", base, "http://127.0.0.1:8081", control).Replace(string(text))
}

// reference starts a reference server as a person would, on free ports, and returns its two base URLs.
func reference(t *testing.T, args ...string) (base, control string) {
	t.Helper()
	cmd := exec.Command(program(t, "reference"), append([]string{"--addr", "127.0.0.1:0", "--control", "127.0.0.1:0"}, args...)...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(stdout)
	for _, url := range []*string{&base, &control} {
		if !lines.Scan() {
			t.Fatal("the reference server didn't say where it listens")
		}
		fields := strings.Fields(lines.Text())
		*url = fields[len(fields)-1]
	}
	return base, control
}
