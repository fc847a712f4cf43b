package report

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"leadconform/fixtures/target"
	"leadconform/load/chart"
	"leadconform/specs/internal/verdict"
)

// The page's parts. The charting library stands first among the scripts; html/uplot says where it comes from.
var (
	//go:embed html
	htmlFiles embed.FS

	htmlStyles  = []string{"html/uplot/uPlot.min.css", "html/page.css", "html/rows.css", "html/limits.css"}
	htmlScripts = []string{"html/uplot/uPlot.min.js", "html/dom.js", "html/exchanges.js", "html/filter.js", "html/picture.js", "html/limits.js"}
)

// WriteHTML writes the report as one page for a person, index.html. The page needs nothing but itself: style, scripts,
// charting library and data are in it, and its own policy forbids it to load anything or to run anything else. Rows
// stand in it as they are; exchanges and pictures are data, which the page draws when somebody looks.
func (r *Report) WriteHTML(w io.Writer) error {
	page, err := r.page()
	if err != nil {
		return err
	}
	templates, err := htmlTemplates()
	if err != nil {
		return err
	}
	return templates.ExecuteTemplate(w, "page.tmpl", page)
}

// htmlPage is what the template page.tmpl shows.
type htmlPage struct {
	*Report
	Policy     string // of the page itself: what it may load and run
	Style      template.CSS
	Script     template.JS
	APIs       []string
	Verdicts   []verdict.Verdict // that a row may have, the worst first
	OfClient   bool              // it is a client that was tried, not a server
	Ladders    []ladder
	Unassessed []unassessed
	Groups     []group
	Endpoints  []endpoint
	Phases     []phase     // that occur
	Pictures   template.JS // JSON: per limit its pictures (chart.Picture)
	Exchanges  template.JS // JSON: packed blocks of exchanges
}

func (r *Report) page() (*htmlPage, error) {
	style, err := joinFiles(htmlStyles)
	if err != nil {
		return nil, err
	}
	script, err := joinFiles(htmlScripts)
	if err != nil {
		return nil, err
	}
	p := &htmlPage{
		Report: r, Style: template.CSS(style), Script: template.JS(script), //nolint:gosec // both are the project's own
		Policy: contentPolicy(style, script), APIs: r.apis(), OfClient: r.ofClient(), Ladders: r.ladders(), Unassessed: r.unassessed(),
		Verdicts: []verdict.Verdict{verdict.Fail, verdict.Warn, verdict.NotAssessed, verdict.Pass, verdict.Observed}, Phases: r.phases(),
	}
	blocks, blockOf, err := packExchanges(r.Rows, r.Exchanges)
	if err != nil {
		return nil, fmt.Errorf("pack the exchanges: %w", err)
	}
	var pictures [][]chart.Picture
	p.Endpoints, pictures = r.endpoints()
	p.Groups = r.groups(blockOf, p.Endpoints)
	if p.Pictures, err = inScript(pictures); err != nil {
		return nil, fmt.Errorf("write the pictures: %w", err)
	}
	if p.Exchanges, err = inScript(blocks); err != nil {
		return nil, fmt.Errorf("write the exchanges: %w", err)
	}
	return p, nil
}

// inScript is a value as JSON that can stand in a script element: encoding/json escapes what could end it.
func inScript(v any) (template.JS, error) {
	text, err := json.Marshal(v)
	return template.JS(text), err //nolint:gosec // see above
}

// contentPolicy is what a browser may do with the page: apply that style, run that script, and nothing else. It loads
// nothing, from nowhere, whatever text of a target stands in it.
func contentPolicy(style, script string) string {
	digest := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	return fmt.Sprintf("default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'sha256-%s'; script-src 'sha256-%s'",
		digest(style), digest(script))
}

func joinFiles(names []string) (string, error) {
	var b strings.Builder
	for _, name := range names {
		text, err := htmlFiles.ReadFile(name)
		if err != nil {
			return "", err
		}
		b.Write(text)
		b.WriteByte('\n')
	}
	return b.String(), nil
}

// htmlTemplates are parsed once: they are embedded, and a test executes them all.
var htmlTemplates = sync.OnceValues(func() (*template.Template, error) {
	return template.New("").Funcs(template.FuncMap{
		"clean": target.Printable, "prose": prose, "raw": rawIfCleaned, "apiName": APIName, "symbol": symbol, "words": words,
		"cited": cited, "letters": letters, "span": span, "numbers": numbers,
	}).ParseFS(htmlFiles, "html/*.tmpl")
})
