package diff

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes the differences for a page such as GitHub's step summary. What a target said stands in a block that
// nothing in it can end.
func (d Diff) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	if err := d.WriteText(&b); err != nil {
		return err
	}
	const most = 100_000 // bytes: a page takes a mebibyte, all steps together
	text := b.String()
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "\n… (cut)\n"
	}
	title := "no regression"
	if n := d.Regressions(); n > 0 {
		title = fmt.Sprintf("%d rows got worse", n)
	}
	fence := fence(text)
	_, err := fmt.Fprintf(w, "## leadconform: %s\n\n%stext\n%s%s\n\n", title, fence, text, fence)
	return err
}

// fence is longer than any run of backticks in a text (CommonMark, section Fenced code blocks).
func fence(text string) string {
	longest, run := 2, 0
	for _, c := range text {
		run++
		if c != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	return strings.Repeat("`", longest+1)
}
