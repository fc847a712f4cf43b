package report_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"leadconform/specs/internal/report"
)

func TestReadGivesBackWhatWasWritten(t *testing.T) {
	var written, again bytes.Buffer
	if err := sample(t, false).WriteJSON(&written); err != nil {
		t.Fatal(err)
	}
	r, err := report.Read(written.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.WriteJSON(&again); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written.Bytes(), again.Bytes()) {
		t.Error("a report that was read is written in another way")
	}
}

func TestReadIsStrict(t *testing.T) {
	var b bytes.Buffer
	if err := sample(t, false).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	good := b.String()
	for name, c := range map[string]struct{ from, to, want string }{
		"an unknown member":     {`"schema": 1`, `"schema": 1, "colour": "red"`, "colour"},
		"a member twice":        {`"schema": 1`, `"schema": 1, "schema": 1`, "duplicate"},
		"another letter case":   {`"schema": 1`, `"Schema": 1`, "Schema"},
		"a member of a row":     {`"tier": "core"`, `"tier": "core", "colour": "red"`, "colour"},
		"another version":       {`"schema": 1`, `"schema": 2`, "schema"},
		"an unknown verdict":    {`"verdict": "pass"`, `"verdict": "fine"`, "schema"},
		"something after it":    {"\n}\n", "\n}\n{}", "after top-level value"},
		"nothing at all":        {good, "", "EOF"},
		"what is no JSON":       {good, "hello", "invalid character"},
		"a digest that is none": {strings.Repeat("0", 64), "0", "profile_sha256"},
	} {
		text := strings.Replace(good, c.from, c.to, 1)
		if _, err := report.Read([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// What a program writes to a terminal must not steer it, and must say the same all the same.
func TestJSONSteersNoTerminal(t *testing.T) {
	r := sample(t, false)
	said := "a\x1b[2J\u009b2J\x7f\u202eb\U000e0041é😀\t"
	r.Rows[1].Actual = said
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	if i := bytes.IndexFunc(b.Bytes(), func(c rune) bool { return c != '\n' && unicode.In(c, unicode.Cc, unicode.Cf) }); i >= 0 {
		t.Errorf("the report holds %q", b.Bytes()[i:i+4])
	}
	read, err := report.Read(b.Bytes())
	if err != nil || read.Rows[1].Actual != said {
		t.Errorf("it reads back as %q, %v", read.Rows[1].Actual, err)
	}
}
