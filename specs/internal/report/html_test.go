package report_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"leadconform/fixtures/target"
	"leadconform/load/harness"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/verdict"
)

// htmlOf is a report's index.html.
func htmlOf(t *testing.T, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// data is the text of one of the page's data elements.
func data(t *testing.T, page, id string) []byte {
	t.Helper()
	_, rest, found := strings.Cut(page, `<script type="application/json" id="`+id+`">`)
	text, _, ended := strings.Cut(rest, "</script>")
	if !found || !ended {
		t.Fatalf("the page has no data %s", id)
	}
	return []byte(text)
}

func TestPageHoldsEveryRowAndFailuresFirst(t *testing.T) {
	r := sample(t, false)
	text := htmlOf(t, r)
	var ids []string
	for _, match := range regexp.MustCompile(`<details class="row" id="([^"]+)"`).FindAllStringSubmatch(text, -1) {
		ids = append(ids, match[1])
	}
	var want []string
	for _, is := range []func(verdict.Verdict) bool{
		func(v verdict.Verdict) bool { return v == verdict.Fail },
		func(v verdict.Verdict) bool { return v == verdict.Warn },
		func(v verdict.Verdict) bool { return v != verdict.Fail && v != verdict.Warn },
	} {
		for _, row := range r.Rows {
			if is(row.Verdict) {
				want = append(want, row.ID)
			}
		}
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("rows of the page (-want +got):\n%s", diff)
	}
}

func TestPageHoldsTheExchangesOfTheReport(t *testing.T) {
	for name, r := range map[string]*report.Report{"one block": sample(t, false), "many blocks": large(20, 40)} {
		t.Run(name, func(t *testing.T) {
			text := htmlOf(t, r)
			var blocks []string
			if err := json.Unmarshal(data(t, text, "exchanges"), &blocks); err != nil {
				t.Fatal(err)
			}
			if name == "many blocks" && len(blocks) < 2 {
				t.Fatalf("%d blocks: the test shows nothing", len(blocks))
			}
			var unpacked [][]target.Shown
			for _, block := range blocks {
				unpacked = append(unpacked, unpack(t, block))
			}
			if diff := cmp.Diff(r.Exchanges, slices.Concat(unpacked...), utf8Bodies); diff != "" {
				t.Errorf("exchanges (-report +page):\n%s", diff)
			}
			// Each row has to find its own in the block that it names.
			for _, match := range regexp.MustCompile(`data-block="(\d+)" data-exchanges="([^"]*)"`).FindAllStringSubmatch(text, -1) {
				var block int
				fmt.Sscan(match[1], &block)
				for n := range strings.FieldsSeq(match[2]) {
					if !slices.ContainsFunc(unpacked[block], func(x target.Shown) bool { return fmt.Sprint(x.N) == n }) {
						t.Errorf("exchange %s is not in block %d", n, block)
					}
				}
			}
		})
	}
}

// utf8Bodies compares texts as JSON writes them.
var utf8Bodies = cmp.Transformer("valid", func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") })

func unpack(t *testing.T, block string) []target.Shown {
	t.Helper()
	packed, err := base64.StdEncoding.DecodeString(block)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var exchanges []target.Shown
	if err := json.NewDecoder(r).Decode(&exchanges); err != nil {
		t.Fatal(err)
	}
	return exchanges
}

func TestHostileTextStaysText(t *testing.T) {
	r := withLimits(sample(t, false))
	r.Target.Name, r.Suite.Commit = hostile, hostile
	r.Target.BaseURLs["insertion"] = hostile + "\xff\xfe"
	r.Problems = []string{hostile}
	r.Limits[0].Endpoint, r.Limits[0].Phases[0].Key, r.Limits[0].Phases[0].Name = hostile, hostile, hostile
	for i := range r.Rows {
		row := &r.Rows[i]
		row.Notes, row.Figures = []string{hostile}, []string{hostile}
		row.Expected, row.Actual, row.Reproduce, row.Section, row.Title = hostile, hostile, hostile, hostile, "`"+hostile
		if row.Waived != "" {
			row.Waived = hostile
		}
	}
	text := htmlOf(t, r)
	if n := strings.Count(text, "<script"); n != 3 || strings.Count(text, "</script") != n {
		t.Errorf("the page has %d scripts: want two of data and one of code", n)
	}
	for _, c := range text {
		if c != '\n' && c != '\t' && unicode.In(c, unicode.Cc, unicode.Cf) {
			t.Fatalf("the page holds the control character %U", c)
		}
	}
	for _, id := range []string{"pictures", "exchanges"} {
		if bytes.ContainsAny(data(t, text, id), "<>&\u2028") || !json.Valid(data(t, text, id)) {
			t.Errorf("the data %s can't stand in a page", id)
		}
	}
}

// TestLibraryIsTheOneItIsSaidToBe compares the charting library with the module that it was taken from.
func TestLibraryIsTheOneItIsSaidToBe(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tsenart/vegeta/v12").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"uPlot.min.js", "uPlot.min.css"} {
		theirs, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "lib", "plot", "assets", name))
		if err != nil {
			t.Fatal(err)
		}
		ours, err := os.ReadFile(filepath.Join("html", "uplot", name))
		if err != nil {
			t.Fatal(err)
		}
		if sha256.Sum256(ours) != sha256.Sum256(theirs) {
			t.Errorf("%s differs from %s: say in html/uplot/README.md where it is from", name, dir)
		}
	}
}

// The size that a page must bear.
const (
	manyRows      = 2000
	exchangesEach = 10
	mostBytes     = 15 << 20
)

func TestLargeReportStaysSmall(t *testing.T) {
	if underRace {
		t.Skip("it writes one page after the other, and twenty times slower under the race detector")
	}
	text := htmlOf(t, large(manyRows, exchangesEach))
	if len(text) > mostBytes {
		t.Errorf("%d rows with %d exchanges take %d bytes, more than %d", manyRows, manyRows*exchangesEach, len(text), mostBytes)
	}
	t.Logf("%.1f MB", float64(len(text))/(1<<20))
}

// large is a report with many rows, whose exchanges are like real ones, and no two alike.
func large(rows, each int) *report.Report {
	random := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := &report.Report{
		Suite:  report.Suite{Name: "leadconform", Version: "0", Commit: "c"},
		Target: report.Target{Name: "large", BaseURLs: map[string]string{"distro": "http://t.example"}, ProfileSHA256: strings.Repeat("0", 64)},
		Run:    report.Run{ID: "r1", Started: at, Finished: at.Add(time.Minute), Level: "core"},
		Policy: report.Policy{Peak: "strict"}, Verdict: verdict.NonConformant, LevelGranted: "none", Levels: map[string]string{"distro": "none"},
	}
	for i := range rows {
		row := report.Row{
			ID: fmt.Sprintf("LD-BIG-%d", i), API: "distro", Level: "MUST", Tier: "core", Section: fmt.Sprintf("Section %d", i/25),
			Title: fmt.Sprintf("Requirement %d of a large report, worded at the usual length", i), Source: "S: Somewhere, Some section",
			Verdict: verdict.Pass, Notes: []string{}, Exchanges: []int{},
		}
		if i%50 == 0 {
			row.Verdict, row.Reason = verdict.Fail, fmt.Sprintf("expected 422, but the status is 201 in the answer of lead %d", random.Uint64())
			row.Expected, row.Actual = "422 with filter_errors", row.Reason
			r.Summary.Fail++
		} else {
			r.Summary.Pass++
		}
		for range each {
			x := exchangeLike(random, row.ID, at)
			x.N = len(r.Exchanges) + 1
			r.Exchanges = append(r.Exchanges, x)
			row.Exchanges, row.Reproduce = append(row.Exchanges, x.N), x.Curl
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}

func exchangeLike(random *rand.Rand, row string, at time.Time) target.Shown {
	phone, id := random.Uint64()%1e10, fmt.Sprintf("%016x-%016x", random.Uint64(), random.Uint64())
	body := fmt.Sprintf(`{"email":"lead.%x@example.com","first_name":"Ada","flo_campaign_id":"cmp-open","flo_supplier_id":"sup-primary","last_name":"Knuth","phone":"%d","state":"CA"}`,
		random.Uint64(), phone)
	return target.Shown{
		Row: row, At: at.Add(time.Duration(random.Int64N(1e9))), TookMS: float64(random.IntN(9999)) / 1000,
		Request: target.ShownRequest{Method: "POST", URL: "http://t.example/api/v1/ingest", Body: body, Comment: "a lead",
			Headers: http.Header{"Content-Type": {"application/json"}, "X-Api-Key": {"$LD_PRIMARY_KEY"}}},
		Response: &target.ShownResponse{Status: 201, Proto: "HTTP/1.1",
			Headers: http.Header{"Content-Type": {"application/json"}, "Content-Length": {"240"}, "Date": {at.Format(http.TimeFormat)}},
			Body:    fmt.Sprintf(`{"id":"%s","status":"ACCEPTED","buyer_id":"buyer-first","campaign_id":"cmp-open","phone":"%d"}`, id, phone)},
		Curl: "body='" + body + `'; curl -isS -X POST 'http://t.example/api/v1/ingest' -H 'Content-Type: application/json' -H "X-Api-Key: ${LD_PRIMARY_KEY}" --data-raw "$body"`,
	}
}

// withLimits adds two limits to a report: one with a promise, of two keys, and one without.
func withLimits(r *report.Report) *report.Report {
	phase := func(name, key string, start float64, sent int, admitted ...int) harness.Phase {
		p := harness.Phase{Name: name, Stream: name[:1], Key: key, StartS: start, LengthS: float64(len(admitted)) - 1/float64(sent), Rate: float64(sent)}
		for i, n := range admitted {
			p.Seconds = append(p.Seconds, harness.Second{Offered: sent, Sent: sent, Admitted: n, Limited: sent - n,
				TripMS: 0.25 * float64(i+1), SlowestMS: 3.5 + float64(i)})
			p.Sent, p.Admitted, p.Limited = p.Sent+sent, p.Admitted+n, p.Limited+sent-n
		}
		return p
	}
	r.Limits = []harness.Limit{
		{API: "distro", Endpoint: "ingest", Supplier: "limits_a", Policy: harness.Promise{Rate: 100, Burst: 200, WindowS: 10}, Verdict: harness.Fail,
			Phases: []harness.Phase{
				phase("A1", "limits_a", 0, 194, 194, 194, 194, 194, 194, 194, 194, 194, 194, 194),
				phase("B1", "limits_b", 0.37, 400, 251, 200, 200, 200, 200, 200, 200, 200, 200, 175),
				phase("A2", "limits_a", 12.2, 200, 200, 200, 199, 103, 97, 100, 100, 99),
			},
			Estimate: map[string]float64{"rate": 99.87, "burst": 200.4, "credit": 1025.3}},
		{API: "insertion", Endpoint: "leads", Supplier: "limits_a", Policy: harness.Promise{WindowS: 10}, Verdict: harness.NotAssessed,
			Phases: []harness.Phase{phase("ramp", "limits_a", 0, 40, 40, 40, 20)}},
	}
	return r
}
