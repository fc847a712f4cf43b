package command_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"
	"unicode/utf8"
)

// evil is what a target may say to harm whoever reads of it.
const evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>]]>\x1b[2J\x1b]0;owned\x07\u202e\u009b2J\x7f\U000e0041\u2028`$(reboot)`"

// hostile is a target that answers everything in one of several harmful ways, in turn.
func hostile(t *testing.T) (base string) {
	t.Helper()
	quoted := strings.NewReplacer("\x1b", `\u001b`, "\x07", `\u0007`).Replace(evil)
	bodies := [][]byte{
		[]byte(`{"error":"` + quoted + `","message":"` + quoted + `","id":"` + quoted + `","status":"ACCEPTED"}`),
		bytes.Repeat([]byte(`{"error":"`+quoted+`"}`), 10<<20/len(quoted)), // some 10 MB
		bytes.Repeat([]byte{0, 1, 0x1b, 0xff, 0xfe, '<', 0x80}, 1000),
		[]byte(evil),
	}
	var n atomic.Uint64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		i := int(n.Add(1))
		w.Header().Set("Content-Type", "application/json; "+strings.Map(func(c rune) rune {
			if unicode.IsControl(c) {
				return -1
			}
			return c
		}, evil))
		w.WriteHeader([]int{201, 200, 400, 404, 422}[i%5])
		_, _ = w.Write(bodies[i%len(bodies)])
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestHostileTargetHarmsNobody(t *testing.T) {
	t.Parallel()
	summary := filepath.Join(t.TempDir(), "summary.md")
	out := t.TempDir()
	r := specs(t, []string{"GITHUB_STEP_SUMMARY=" + summary}, "verify", "--target", hostile(t), "--control", "http://127.0.0.1:1",
		"--only", "LD-400-*", "--only", "LD-ENV-*", "--only", "LD-201-*", "--only", "IN-ENV-*", "--only", "IN-201-*", "--out", out)
	if r.status != 1 && r.status != 3 {
		t.Fatalf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	texts := map[string]string{"stdout": r.stdout, "stderr": r.stderr}
	for _, path := range []string{summary, filepath.Join(out, "report.json"), filepath.Join(out, "junit.xml"), filepath.Join(out, "index.html")} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(path)] = string(text)
	}
	if !strings.Contains(texts["report.json"], `\u003cscript\u003ealert(1)`) || !strings.Contains(r.stdout, "alert(1)") {
		t.Error("nothing of what the target said was shown: the test shows nothing")
	}
	for name, text := range texts {
		if !utf8.ValidString(text) {
			t.Errorf("%s is no UTF-8", name)
		}
		if i := strings.IndexFunc(text, func(c rune) bool { return c != '\n' && c != '\t' && unicode.In(c, unicode.Cc, unicode.Cf) }); i >= 0 {
			t.Errorf("%s holds a control character: %q", name, text[i:min(len(text), i+20)])
		}
		if len(text) > 3<<20 {
			t.Errorf("%s has %d bytes: the target decides how long it is", name, len(text))
		}
	}
	for name, marks := range map[string][]string{
		"index.html": {"<script>alert", "<img"}, "summary.md": {"<script", "<img"}, "report.json": {"<script", "</script", "\u2028"}, "junit.xml": {"<script", "<img"},
	} {
		for _, mark := range marks {
			if strings.Contains(texts[name], mark) {
				t.Errorf("%s holds %q", name, mark)
			}
		}
	}
	if n := strings.Count(texts["index.html"], "<script"); n != 3 {
		t.Errorf("the page has %d scripts, want its own 3", n)
	}
	decoder := xml.NewDecoder(strings.NewReader(texts["junit.xml"]))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("junit.xml: %v", err)
		}
	}
	readReport(t, filepath.Join(out, "report.json")) // it holds against its schema
}
