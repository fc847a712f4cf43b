package report

import (
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"time"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/verdict"
)

// The functions that the page's templates word things with.

// prose is a text of the catalogue as HTML: what stands between backticks is code.
func prose(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(target.Printable(text), "`") {
		escaped := template.HTMLEscapeString(part)
		if i%2 == 1 {
			escaped = "<code>" + escaped + "</code>"
		}
		b.WriteString(escaped)
	}
	return template.HTML(b.String()) //nolint:gosec // every part is escaped
}

// rawIfCleaned is a text as a JSON string where what is shown of it differs, for the copy button to copy; else empty.
func rawIfCleaned(text string) (string, error) {
	if target.Printable(text) == text {
		return "", nil
	}
	quoted, err := json.Marshal(text)
	return string(quoted), err
}

// symbols say by their form what the verdict's colour says.
var symbols = map[string]string{
	string(verdict.Pass): "✓", string(verdict.Fail): "✗", string(verdict.Warn): "!", string(verdict.Observed): "○", string(verdict.NotAssessed): "–",
	string(verdict.Conformant): "✓", string(verdict.NonConformant): "✗", string(verdict.Inconclusive): "–",
}

// symbol is the symbol of a verdict, of a row, a limit or the whole.
func symbol(v any) string { return symbols[fmt.Sprint(v)] }

// words is a verdict in words.
func words(v any) string {
	if word := fmt.Sprint(v); word != string(verdict.NotAssessed) {
		return word
	}
	return "not assessed"
}

// authorities are the letters of a source.
var authorities = map[string]string{
	"S": "the provider’s document", "P": "the provider’s other public pages", "R": "an RFC that the document implies",
	"D": "decided by this project where the documents are silent",
}

// letters words the letters that a source begins with.
func letters(source string) string {
	letters, _, _ := strings.Cut(source, ": ")
	var worded []string
	for letter := range strings.SplitSeq(letters, ",") {
		worded = append(worded, letter+": "+authorities[letter])
	}
	return strings.Join(worded, "; ")
}

// cited is the place that a source names after its letters.
func cited(source string) string {
	_, cites, _ := strings.Cut(source, ": ")
	return cites
}

// number is a figure with as many digits as a reader needs.
func number(x float64) string { return fmt.Sprintf("%.4g", x) }

// span is how long the run took.
func span(r Run) string { return r.Finished.Sub(r.Started).Round(100 * time.Millisecond).String() }

// numbers are the numbers of exchanges, with spaces between them.
func numbers(list []int) string { return strings.Trim(fmt.Sprint(list), "[]") }
