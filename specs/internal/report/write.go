package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// MakeFolder makes the folder of a report if need be, and reports whether files can be written there.
func MakeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the report's folder (--out): %w", err)
	}
	f, err := os.CreateTemp(dir, ".report.*")
	if err != nil {
		return fmt.Errorf("write to the report's folder (--out): %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// WriteFiles writes report.json, junit.xml and index.html into a folder, which it makes if need be. Each file is whole
// or absent.
func (r *Report) WriteFiles(dir string) error {
	if err := MakeFolder(dir); err != nil {
		return err
	}
	for name, write := range map[string]func(io.Writer) error{
		"report.json": r.WriteJSON, "junit.xml": r.WriteJUnit, "index.html": r.WriteHTML,
	} {
		if err := writeFile(filepath.Join(dir, name), write); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

// writeFile writes beside the file and renames, so that a reader never sees half of it.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it is gone if all went well
	if err := write(f); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Chmod(f.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// WriteJSON writes the report as indented JSON. Characters that HTML minds are escaped, so that the text can stand in a
// page, and so are those that steer a terminal.
func (r *Report) WriteJSON(w io.Writer) error { return EncodeJSON(w, r) }

// EncodeJSON writes a value as indented JSON, with whatever a target said in it made harmless: HTML's own characters,
// control characters and those that change the direction of a text stand as \u escapes.
func EncodeJSON(w io.Writer, v any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(escapeSteering(text.Bytes()))
	return err
}

// escapeSteering escapes in JSON the characters that encoding/json leaves: DEL, those of C1, which terminals take for
// escape sequences as well, and those of the category Cf. All of them stand within strings.
func escapeSteering(text []byte) []byte {
	steers := func(c rune) bool { return c != '\n' && unicode.In(c, unicode.Cc, unicode.Cf) }
	if bytes.IndexFunc(text, steers) < 0 {
		return text
	}
	escaped := make([]byte, 0, len(text)+len(text)/8)
	for _, c := range string(text) {
		if !steers(c) {
			escaped = utf8.AppendRune(escaped, c)
			continue
		}
		for _, unit := range utf16.Encode([]rune{c}) {
			escaped = fmt.Appendf(escaped, `\u%04x`, unit)
		}
	}
	return escaped
}
