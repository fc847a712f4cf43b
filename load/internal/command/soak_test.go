package command_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadconform/load/internal/soak"
	"leadconform/reference/server"
)

// generated is a reference server in the world that load world prints.
func generated(t *testing.T, args ...string) string {
	t.Helper()
	world := load(t, append([]string{"world"}, args...)...)
	if world.status != 0 {
		t.Fatal(world.stderr)
	}
	s, err := server.New(server.Config{World: []byte(world.stdout)})
	if err != nil {
		t.Fatal(err)
	}
	public := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		public.Close()
		_ = s.Close(context.WithoutCancel(t.Context()))
	})
	return public.URL
}

func TestSoakFindsTheWrongSupplier(t *testing.T) {
	t.Parallel()
	base := generated(t, "--suppliers", "5", "--rate", "20", "--window", "1s", "--wrong", "3=0.5")
	got := load(t, "soak", "--target", base, "--suppliers", "5", "--rate", "20", "--window", "1s", "--over", "2",
		"--for", "60s", "--ramp", "1s", "--fail-fast", "--format", "json")
	var out soak.Verdicts
	if err := json.Unmarshal([]byte(got.stdout), &out); err != nil {
		t.Fatalf("%v: %s%s", err, got.stdout, got.stderr)
	}
	if got.status != 1 || out.Fail != 1 || len(out.Suppliers) != 5 || out.Suppliers[3].Verdict != soak.Fail || out.Suppliers[3].Violation == nil {
		t.Errorf("exit %d: %+v", got.status, out)
	}
	if !strings.Contains(got.stderr, "FAIL sup-soak-00003") || !strings.Contains(got.stderr, "admitted") {
		t.Errorf("it isn't told as it happens: %s", got.stderr)
	}
	if !strings.Contains(strings.Join(out.Notes, "\n"), "--fail-fast") {
		t.Errorf("it doesn't say why it ended: %v", out.Notes)
	}
}

// Nothing that wasn't at its limit passes, and what is embedded needs no world.
func TestSoakPassesNothingTooEarly(t *testing.T) {
	t.Parallel()
	got := load(t, "soak", "--suppliers", "3", "--rate", "20", "--for", "3s")
	if got.status != 3 || !strings.Contains(got.stdout, "0 pass, 0 fail, 3 not assessed") ||
		!strings.Contains(got.stdout, "its limit was not met") || !strings.Contains(got.stdout, "is not enough for a pass") {
		t.Errorf("exit %d: %s%s", got.status, got.stdout, got.stderr)
	}
}

func TestSoakWithKeysOfOnesOwn(t *testing.T) {
	t.Parallel()
	base := generated(t, "--suppliers", "2", "--rate", "20")
	dir := t.TempDir()
	profile, keys := filepath.Join(dir, "p.yaml"), filepath.Join(dir, "keys.csv")
	text := "name: own\ndistro:\n  base_url: " + base + "\n  credentials: {primary: {supplier: a, key: kkkkkkkk}}\n  campaigns: {open: {id: " + soak.Campaign + "}}\n"
	one, two := soak.Generated(0), soak.Generated(1)
	lines := "# supplier,key\n" + one.ID + "," + one.Key + "\n" + two.ID + ", ${SECOND_KEY}\n"
	for name, content := range map[string]string{profile: text, keys: lines} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := command(t, "soak", "--profile", profile, "--keys", keys, "--suppliers", "2", "--rate", "20", "--for", "2s", "--ramp", "10ms")
	got := run(t, cmd)
	if got.status != 2 || !strings.Contains(got.stderr, "line 3: environment variable SECOND_KEY is not set") {
		t.Errorf("exit %d: %s", got.status, got.stderr)
	}
	cmd = command(t, "soak", "--profile", profile, "--keys", keys, "--suppliers", "2", "--rate", "20", "--for", "2s", "--ramp", "10ms")
	cmd.Env = append(os.Environ(), "SECOND_KEY="+two.Key)
	got = run(t, cmd)
	if got.status != 3 || !strings.Contains(got.stdout, "other     0 ") {
		t.Errorf("exit %d: %s%s", got.status, got.stdout, got.stderr)
	}
	if told := got.stdout + got.stderr; strings.Contains(told, one.Key) || strings.Contains(told, two.Key) {
		t.Error("a key is told")
	}
}

func TestBadSoaksAreExplained(t *testing.T) {
	for _, c := range []struct{ args, says string }{
		{"--suppliers 0", "--suppliers"},
		{"--suppliers 3 --over 1.05", "at least 1.15"},
		{"--suppliers 3 --for 1s --ramp 2s", "the ramp the shorter"},
		{"--suppliers 3 --rate -1", "--rate"},
		{"--suppliers 3 --rate 1e5 --for 24h", "more than a worker can number"},
		{"--suppliers 9000", "split them with --shard"},
		{"--suppliers 3 --profile x.yaml", "--keys"},
		{"--suppliers 3 --keys missing.csv", "missing.csv"},
		{"--suppliers 3 --shard 3/3", "the last n-1"},
		{"--suppliers 3 --shard nonsense", "write it as i/n"},
		{"--suppliers 3 --shard 0/3", "the same --start-at"},
		{"--suppliers 3 --shard 0/3 --start-at 2030-01-01T00:00:00Z", "--out"},
		{"--suppliers 3 --rate 5 --for 2s --start-at 2020-01-01T00:00:00Z", "choose a later one"},
	} {
		got := load(t, append([]string{"soak"}, strings.Fields(c.args)...)...)
		if got.status != 2 || !strings.Contains(got.stderr, c.says) {
			t.Errorf("%s: exit %d, %q; want 2 and %q", c.args, got.status, got.stderr, c.says)
		}
	}
	for _, args := range []string{"--suppliers 0", "--suppliers 2 --wrong 5=0.9", "--suppliers 2 --wrong 1=x", "--suppliers 2 --rate 0"} {
		if got := load(t, append([]string{"world"}, strings.Fields(args)...)...); got.status != 2 || got.stdout != "" {
			t.Errorf("world %s: exit %d, %s", args, got.status, got.stderr)
		}
	}
}
