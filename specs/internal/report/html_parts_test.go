package report_test

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"leadconform/load/harness"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/spec"
	"leadconform/specs/internal/verdict"
)

// between is what stands in a page after one text and before another.
func between(t *testing.T, page, from, to string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, from)
	part, _, ended := strings.Cut(rest, to)
	if !found || !ended {
		t.Fatalf("the page has nothing between %q and %q", from, to)
	}
	return part
}

var markup = regexp.MustCompile(`<[^>]*>`)

// texts are the lines of text of a part of a page.
func texts(part string) string {
	var lines []string
	for line := range strings.Lines(html.UnescapeString(markup.ReplaceAllString(part, " "))) {
		if words := strings.Fields(line); len(words) > 0 {
			lines = append(lines, strings.Join(words, " "))
		}
	}
	return strings.Join(lines, "\n")
}

func TestLaddersNameWhatStandsAgainstALevel(t *testing.T) {
	const want = `Level granted
Lead Distro API: none
core ✗ not granted
Of 41 MUST rows 2 failed, 38 not assessed: LD-ENV-02 , LD-201-02 (waived), LD-201-01 , LD-201-03 , LD-200-01 , LD-200-02 …
limits – not granted`
	got := texts(between(t, htmlOf(t, sample(t, false)), `<section aria-labelledby="levels">`, "</section>"))
	if !strings.HasPrefix(got, want) {
		t.Errorf("it says\n%s\nwant it to begin with\n%s", got, want)
	}
}

// A client is tried by the rows of one API's recipe: those of the other stand against nothing, and tiers that have no
// rows are not spoken of.
func TestReportOfAClient(t *testing.T) {
	outcomes := map[string]spec.Outcome{}
	for _, row := range catalogue.Rows() {
		outcomes[row.ID] = spec.Outcome{Row: row.ID, Result: spec.Passed, Culprit: -1}
	}
	r := sample(t, false)
	r.Target.BaseURLs = map[string]string{catalogue.Client: "http://127.0.0.1:9090"}
	r.Summary = report.Summary{}
	r.Fill(verdict.Judge(catalogue.Rows(), outcomes, verdict.Asked{APIs: []string{catalogue.Client}, Level: catalogue.Core,
		Outside: func(id string) string {
			if strings.HasPrefix(id, "CL-IN-") {
				return "of the other recipe"
			}
			return ""
		}}))
	page := htmlOf(t, r)
	if got, want := texts(between(t, page, `<section aria-labelledby="levels">`, "</section>")), "Level granted: core\nClient: core\ncore ✓ granted\nAll 8 MUST rows pass."; got != want {
		t.Errorf("levels:\n%s\nwant\n%s", got, want)
	}
	head := texts(between(t, page, `<dl class="facts">`, "</dl>"))
	if !strings.Contains(head, "Served at http://127.0.0.1:9090") || !strings.Contains(head, "Scenarios SHA-256") || strings.Contains(head, "Peak policy") {
		t.Errorf("the head says\n%s", head)
	}
}

// What failed comes first among the limits, too, and rows and pictures lead to each other.
func TestLimitsThatFailedComeFirst(t *testing.T) {
	r := withLimits(sample(t, false))
	passed := r.Limits[0]
	passed.Endpoint, passed.Verdict = "ping", harness.Pass
	open := r.Limits[1]
	r.Limits = []harness.Limit{passed, open, r.Limits[0]}
	page := htmlOf(t, r)
	var order []string
	for _, match := range regexp.MustCompile(`<h3 id="(limit-\d)"><span class="api">[^<]*</span> (\w+) `).FindAllStringSubmatch(page, -1) {
		order = append(order, match[1]+" "+match[2])
	}
	if diff := cmp.Diff([]string{"limit-1 ingest", "limit-2 leads", "limit-3 ping"}, order); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	if pictures := string(data(t, page, "pictures")); strings.Index(pictures, `"name":"A1"`) > strings.Index(pictures, `"name":"ramp"`) {
		t.Error("the pictures are in another order than the limits")
	}
	row := between(t, page, `<details class="row" id="LD-LIM-INGEST-PEAK"`, "</details>")
	if !strings.Contains(row, `<dt>Pictures</dt><dd><a href="#limit-1">ingest</a></dd>`) {
		t.Errorf("the row doesn't lead to its pictures:\n%s", row)
	}
	if strings.Contains(between(t, page, `<details class="row" id="LD-ENV-01"`, "</details>"), "Pictures") {
		t.Error("a row of another tier has pictures")
	}
	for _, id := range []string{"levels", "unassessed", "rows", "limits"} {
		if !strings.Contains(between(t, page, "<nav", "</nav>"), `href="#`+id+`"`) || !strings.Contains(page, fmt.Sprintf(`id="%s"`, id)) {
			t.Errorf("no way from the top to %s", id)
		}
	}
}

func TestFingerprintSetsWhatWasMeasuredBesideWhatIsPromised(t *testing.T) {
	r := withLimits(sample(t, false))
	r.Limits[0].Estimate["burst"] = 199.99
	r.Limits[1].Estimate = map[string]float64{"requests": 100, "window_s": 9.5}
	page := htmlOf(t, r)
	for _, want := range []string{
		"Sustained rate requests/s 100 99.87 -0.1 %\nBurst rate requests/s 200 200 0.0 %\nBurst credit requests: 100/s more for 10 s 1000 1025 +2.5 %",
		"Requests per window requests – 100 –\nWindow s 10 9.5 -5.0 %",
	} {
		part := between(t, page, "<h4>Fingerprint</h4>", "</table>")
		page = strings.Replace(page, "<h4>Fingerprint</h4>", "", 1)
		if got := texts(between(t, part, "<tbody>", "</tbody>")); got != want {
			t.Errorf("the fingerprint is\n%s\nwant\n%s", got, want)
		}
	}
}
