package command_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/verdict"
)

// newPair makes a key pair with the real command and returns its prefix and its fingerprint.
func newPair(t *testing.T) (prefix, fingerprint string) {
	t.Helper()
	prefix = filepath.Join(t.TempDir(), "acme")
	r := specs(t, nil, "keygen", "--out", prefix)
	if r.status != 0 {
		t.Fatalf("status %d: %s", r.status, r.stderr)
	}
	return prefix, regexp.MustCompile(`SHA256:[0-9a-f]{64}`).FindString(r.stdout)
}

// certified is a folder with the certificate of a reference server, core, and its report.
func certified(t *testing.T, prefix string, args ...string) (folder string, r result) {
	t.Helper()
	folder = t.TempDir()
	args = append([]string{"certify", "--level", "core", "--implementation", "Acme Leads", "--version", "2.3", "--key", prefix + ".key", "--out", folder}, args...)
	return folder, specs(t, nil, args...)
}

func TestCertifyThenCheck(t *testing.T) {
	t.Parallel()
	prefix, fingerprint := newPair(t)
	stranger, _ := newPair(t)
	folder, r := certified(t, prefix)
	if r.status != 0 || !strings.Contains(r.stdout, "certificate.json, signed with the key "+fingerprint) {
		t.Fatalf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	file := filepath.Join(folder, "certificate.json")
	for name, c := range map[string]struct {
		args   []string
		status int
		want   []string
	}{
		"by the vendor's key": {[]string{"--pub", prefix + ".pub"}, 0, []string{"VALID: signed with the key in " + prefix + ".pub", "Acme Leads 2.3",
			"Lead Distro API level core", "Insertion API   level core", "peak policy     strict", "leadconform 0.1.0", fingerprint}},
		"without a key":      {nil, 0, []string{"integrity only", fingerprint}},
		"by another's key":   {[]string{"--pub", stranger + ".pub"}, 1, []string{"NOT VALID", "it is signed with the key " + fingerprint}},
		"by the private key": {[]string{"--pub", prefix + ".key"}, 2, nil},
		"by no key":          {[]string{"--pub", filepath.Join(folder, "nowhere")}, 2, nil},
		"with another file":  {[]string{"--report", file}, 1, []string{"NOT VALID", "the report is not the one that was certified", "the report can't be read"}},
		"without a report":   {[]string{"--report", filepath.Join(folder, "nowhere")}, 2, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := specs(t, nil, append([]string{"check", file}, c.args...)...)
			if r.status != c.status {
				t.Errorf("status %d, want %d\n%s%s", r.status, c.status, r.stdout, r.stderr)
			}
			for _, want := range c.want {
				if !strings.Contains(r.stdout, want) {
					t.Errorf("it doesn't say %q:\n%s", want, r.stdout)
				}
			}
		})
	}
	text, err := os.ReadFile(filepath.Join(folder, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "report.json"), bytes.Replace(text, []byte(`"pass"`), []byte(`"Pass"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := specs(t, nil, "check", file); r.status != 1 || !strings.Contains(r.stdout, "the report is not the one that was certified") {
		t.Errorf("a report that was changed: status %d\n%s", r.status, r.stdout)
	}
}

func TestCheckWithoutTheReportIsNoCheck(t *testing.T) {
	t.Parallel()
	file := write(t, "certificate.json", "{}")
	if r := specs(t, nil, "check", file); r.status != 2 || !strings.Contains(r.stderr, "by --report FILE") {
		t.Errorf("status %d: %s", r.status, r.stderr)
	}
}

// A level that is denied is still told, and the exit status is verify's.
func TestCertifyOneAPIOfTwo(t *testing.T) {
	t.Parallel()
	base, control := reference(t)
	profile := strings.Replace(referenceProfile(t, base, control), "missing: {id: cmp-that-does-not-exist}", "missing: {id: cmp-weighted}", 1) +
		"\nwaivers:\n  - {id: LD-404-01, reason: ticket 7, expires: 2999-01-01}\n"
	prefix, _ := newPair(t)
	folder, r := certified(t, prefix, "--profile", write(t, "p.yaml", profile))
	if r.status != 1 || !strings.Contains(r.stdout, "Lead Distro API: level core is denied by LD-404-01 (fail, waived: ticket 7), LD-404-02 (fail)") {
		t.Errorf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	r = specs(t, nil, "check", filepath.Join(folder, "certificate.json"), "--pub", prefix+".pub")
	for _, want := range []string{"Lead Distro API level none", "Insertion API   level core", "LD-404-01 (fail, waived: ticket 7)"} {
		if r.status != 0 || !strings.Contains(r.stdout, want) {
			t.Errorf("status %d, want %q:\n%s", r.status, want, r.stdout)
		}
	}
}

func TestNoLevelNoCertificate(t *testing.T) {
	t.Parallel()
	prefix, _ := newPair(t)
	stale := t.TempDir()
	if err := os.WriteFile(filepath.Join(stale, "certificate.json"), []byte("of another run"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, r := certified(t, prefix, "--only", "LD-404-*", "--out", stale)
	if r.status != 0 || !strings.Contains(r.stdout, "no certificate: rows were selected") {
		t.Errorf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	if _, err := os.Stat(filepath.Join(stale, "certificate.json")); err == nil {
		t.Error("the certificate of another run is still beside the new report")
	}
}

func TestCertifySaysWhatIsMissingBeforeItRuns(t *testing.T) {
	t.Parallel()
	prefix, _ := newPair(t)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no key":                  {[]string{"--implementation", "A", "--version", "1"}, "--key"},
		"no version":              {[]string{"--implementation", "A", "--key", prefix + ".key"}, "--version"},
		"a blank name":            {[]string{"--implementation", " ", "--version", "1", "--key", prefix + ".key"}, "must not be blank"},
		"a key that isn't there":  {[]string{"--implementation", "A", "--version", "1", "--key", "nowhere.key"}, "nowhere.key"},
		"the public key":          {[]string{"--implementation", "A", "--version", "1", "--key", prefix + ".pub"}, "this is a public key"},
		"a file that is no key":   {[]string{"--implementation", "A", "--version", "1", "--key", write(t, "k", "a-secret-word")}, "no key in PEM"},
		"load that isn't allowed": {[]string{"--implementation", "A", "--version", "1", "--key", prefix + ".key", "--profile", write(t, "p.yaml", remoteProfile)}, "--allow-load staging.example"},
	} {
		r := specs(t, nil, append([]string{"certify"}, c.args...)...)
		if r.status != 2 || !strings.Contains(r.stderr, c.want) || strings.Contains(r.stderr, "a-secret-word") || r.report != nil {
			t.Errorf("%s: status %d, want 2; stderr %q, want %q", name, r.status, r.stderr, c.want)
		}
	}
}

const remoteProfile = "name: x\ndistro:\n  base_url: https://staging.example\n  credentials:\n    primary: {supplier: s, key: key-12345}\n  campaigns:\n    open: {id: c}\n"

func TestKeygenNeverOverwrites(t *testing.T) {
	t.Parallel()
	prefix, _ := newPair(t)
	before, err := os.ReadFile(prefix + ".key")
	if err != nil {
		t.Fatal(err)
	}
	r := specs(t, nil, "keygen", "--out", prefix)
	after, _ := os.ReadFile(prefix + ".key")
	if r.status != 2 || !strings.Contains(r.stderr, "never overwritten") || !bytes.Equal(before, after) {
		t.Errorf("status %d: %s", r.status, r.stderr)
	}
	if info, err := os.Stat(prefix + ".key"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode: %v, %v", info.Mode(), err)
	}
}

// No secret is in any artefact: not as it is, and not within the certificate's payload.
func TestNoSecretInAnyArtefactOfCertify(t *testing.T) {
	t.Parallel()
	prefix, _ := newPair(t)
	base, control := reference(t)
	profile := strings.Replace(referenceProfile(t, base, control), "http: {method: POST, url: /control/reset?scope=caps}",
		`http: {method: POST, url: "/control/reset?scope=caps", headers: {authorization: Bearer hook-bearer-token}}`, 1)
	folder, r := certified(t, prefix, "--profile", write(t, "p.yaml", profile))
	if r.status != 0 {
		t.Fatalf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	texts := map[string]string{"stdout": r.stdout, "stderr": r.stderr}
	err := fs.WalkDir(os.DirFS(folder), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			var text []byte
			text, err = os.ReadFile(filepath.Join(folder, path))
			texts[path] = string(text)
		}
		return err
	})
	if err != nil || len(texts) < 5 {
		t.Fatalf("%d texts, %v", len(texts), err)
	}
	texts["exchanges of index.html"] = unpacked(t, texts["index.html"])
	var envelope struct{ Payload string }
	if err := json.Unmarshal([]byte(texts["certificate.json"]), &envelope); err != nil {
		t.Fatal(err)
	}
	payload, err := base64.StdEncoding.DecodeString(envelope.Payload)
	if err != nil {
		t.Fatal(err)
	}
	texts["payload"] = string(payload)
	for _, content := range regexp.MustCompile(`"content":"([^"]+)"`).FindAllSubmatch(payload, -1) {
		inner, err := base64.StdEncoding.DecodeString(string(content[1]))
		if err != nil || !bytes.Contains(inner, []byte("${LD_PRIMARY_KEY}")) {
			t.Fatalf("the payload's content is no profile: %s, %v", inner, err)
		}
		texts["profile"] = string(inner)
	}
	secrets := target.Reference(base, control).Secrets()
	secrets["hook"] = "hook-bearer-token"
	private, err := os.ReadFile(prefix + ".key")
	if err != nil {
		t.Fatal(err)
	}
	secrets["signing key"] = strings.Split(string(private), "\n")[1]
	for name, secret := range secrets {
		for where, text := range texts {
			if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
				t.Errorf("%s holds the secret %s", where, name)
			}
		}
	}
}

func TestReproduce(t *testing.T) {
	t.Parallel()
	prefix, _ := newPair(t)
	base, control := reference(t)
	elsewhere := strings.NewReplacer("name: reference", "name: staging", "    capped: {id: cmp-capped, capacity: 3}\n", "").Replace(referenceProfile(t, base, control))
	profile := write(t, "p.yaml", elsewhere)
	folder, r := certified(t, prefix, "--profile", profile, "--api", "insertion", "--seed", "18446744073709551615")
	if r.status != 0 {
		t.Fatalf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	file := filepath.Join(folder, "certificate.json")
	var secrets []string
	for name, secret := range target.Reference(base, control).Secrets() {
		secrets = append(secrets, name+"="+secret)
	}
	t.Run("from its own data", func(t *testing.T) {
		out := filepath.Join(t.TempDir(), "again")
		r := specs(t, secrets, "reproduce", file, "--pub", prefix+".pub", "--out", out)
		if r.status != 0 || !strings.Contains(r.stdout, "\nREPRODUCED\n") || !strings.Contains(r.stdout, "seed 18446744073709551615") {
			t.Fatalf("status %d\n%s%s", r.status, r.stdout, r.stderr)
		}
		older, newer := readReport(t, filepath.Join(folder, "report.json")), readReport(t, filepath.Join(out, "report.json"))
		if older.Run.ID == newer.Run.ID || older.Target.ProfileSHA256 != newer.Target.ProfileSHA256 || older.Run.Seed != newer.Run.Seed || len(newer.Levels) != 1 {
			t.Errorf("the runs are %+v and %+v, the profiles %s and %s", older.Run, newer.Run, older.Target.ProfileSHA256, newer.Target.ProfileSHA256)
		}
	})
	for name, c := range map[string]struct {
		env    []string
		args   []string
		status int
		want   string
	}{
		"with the profile":              {nil, []string{"--profile", profile}, 0, "\nREPRODUCED\n"},
		"with another profile":          {nil, []string{"--profile", write(t, "other.yaml", strings.Replace(elsewhere, "first: 101", "first: 104", 1))}, 2, "is not the profile that was certified with"},
		"without the secrets":           {nil, nil, 2, "environment variable LD_PRIMARY_KEY is not set"},
		"of a target that got worse":    {secrets, []string{"--target", mutantOf(t, "in-malformed-500")}, 1, "NOT REPRODUCED"},
		"of a target that isn't there":  {secrets, []string{"--target", "http://127.0.0.1:1"}, 4, "connection refused"},
		"by the key of somebody else's": {secrets, []string{"--pub", otherKey(t)}, 1, "NOT VALID"},
	} {
		t.Run(name, func(t *testing.T) {
			r := specs(t, c.env, append([]string{"reproduce", file}, c.args...)...)
			if r.status != c.status || !strings.Contains(r.stdout+r.stderr, c.want) {
				t.Errorf("status %d, want %d and %q\n%s%s", r.status, c.status, c.want, r.stdout, r.stderr)
			}
		})
	}
}

// Whoever tries the suite on the reference server needs nothing to reproduce what came out.
func TestReproduceTheReference(t *testing.T) {
	t.Parallel()
	prefix, _ := newPair(t)
	folder, r := certified(t, prefix)
	if r.status != 0 {
		t.Fatalf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	if r := specs(t, nil, "reproduce", filepath.Join(folder, "certificate.json")); r.status != 0 || !strings.Contains(r.stdout, "\nREPRODUCED\n") {
		t.Errorf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
}

func otherKey(t *testing.T) string {
	t.Helper()
	prefix, _ := newPair(t)
	return prefix + ".pub"
}

func mutantOf(t *testing.T, id string) (base string) {
	t.Helper()
	base, _ = reference(t, "--mutant", id)
	return base
}

func readReport(t *testing.T, file string) *report.Report {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := report.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDiff(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if r := specs(t, nil, "verify", "--only", "LD-201-*", "--out", folder); r.status != 0 {
		t.Fatalf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	old := filepath.Join(folder, "report.json")
	worse := readReport(t, old)
	for i := range worse.Rows {
		if worse.Rows[i].ID == "LD-201-01" {
			worse.Rows[i].Verdict, worse.Rows[i].Reason = verdict.Fail, "<script>alert(1)</script>"
		}
	}
	var b bytes.Buffer
	if err := worse.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	newer := write(t, "new.json", b.String())
	for name, c := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"the same":      {[]string{old, old}, 0, "NO DIFFERENCE"},
		"worse":         {[]string{old, newer}, 1, "REGRESSION: 1 rows got worse"},
		"better":        {[]string{newer, old}, 0, "NO REGRESSION"},
		"as JSON":       {[]string{old, newer, "--format", "json"}, 1, `"kind": "regression"`},
		"not a report":  {[]string{old, write(t, "x.json", "{}")}, 2, ""},
		"no such file":  {[]string{old, "nowhere.json"}, 2, ""},
		"one file only": {[]string{old}, 2, ""},
	} {
		summary := filepath.Join(t.TempDir(), "summary.md")
		r := specs(t, []string{"GITHUB_STEP_SUMMARY=" + summary}, append([]string{"diff"}, c.args...)...)
		if r.status != c.status || !strings.Contains(r.stdout, c.want) || (c.status == 2) != (strings.Count(r.stderr, "\n") == 1) {
			t.Errorf("%s: status %d, want %d\n%s%s", name, r.status, c.status, r.stdout, r.stderr)
		}
		if page, _ := os.ReadFile(summary); (len(page) > 0) != (c.status < 2) || !strings.HasPrefix(string(page)+"## leadconform", "## leadconform") {
			t.Errorf("%s: the step summary is\n%s", name, page)
		}
	}
}
