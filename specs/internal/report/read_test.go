package report_test

import (
	"bytes"
	"strings"
	"testing"

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
