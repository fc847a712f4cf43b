package harness_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/harness"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/simulate"
)

// matrixOut is the folder that receives the limiters' part of the kill matrix.
const matrixOut = "LEAD_MATRIX_OUT"

// matrixPart is a part of the kill matrix. Its form is stated where it is read, in specs/internal/matrix.
type matrixPart struct {
	Schema   int             `json:"schema"`
	Part     string          `json:"part"`
	Subjects []matrixSubject `json:"subjects"`
}

type matrixSubject struct {
	ID      string            `json:"id"`
	Title   string            `json:"title"`
	Kind    string            `json:"kind"`
	API     string            `json:"api"`
	Kills   []string          `json:"kills,omitempty"`
	Open    []string          `json:"open,omitempty"`
	Runs    int               `json:"runs"`
	Results map[string]string `json:"results"`
	Reasons map[string]string `json:"reasons"`
}

// The limits that the limiters of the matrix are held to. Those of ingest and ping are of the documented shape, and lower,
// which costs fewer requests.
var (
	matrixLimits = target.DistroLimits{
		Ingest: target.TwoRate{Rate: 25, Burst: 50, Window: 10 * time.Second},
		Ping:   target.TwoRate{Rate: 25, Burst: 50, Window: 10 * time.Second},
		Lookup: target.DocumentedLimits.Lookup,
	}
	matrixCeiling = simulate.Ceiling{Requests: 30, Window: 5 * time.Second}
)

// matrixLimiter is a limiter of the matrix, and the server behind it.
type matrixLimiter struct {
	matrixSubject
	server func() *http.Server
}

// TestMatrix runs every limiter of the simulator, and what else can be wrong with a 429, through the harness in virtual
// time, and writes what became of each row as the limiters' part of the kill matrix. It says what came out; the judgement
// is that of specs mutants.
func TestMatrix(t *testing.T) {
	out := os.Getenv(matrixOut)
	if out == "" {
		t.Skipf("%s names no folder for the limiters' part of the kill matrix", matrixOut)
	}
	limiters := slices.Concat(distroLimiters(), distroManners(), insertionLimiters(), insertionManners(), nullLimiters())
	part := matrixPart{Schema: 1, Part: "limiters", Subjects: make([]matrixSubject, len(limiters))}
	t.Run("limiters", func(t *testing.T) {
		for i, l := range limiters {
			t.Run(l.ID, func(t *testing.T) {
				t.Parallel()
				part.Subjects[i] = l.try(t)
			})
		}
	})
	part.Subjects = slices.DeleteFunc(part.Subjects, func(s matrixSubject) bool { return s.ID == "" }) // -run left it out
	text, err := json.MarshalIndent(part, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "limiters.json"), append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// try runs the limiter through the harness.
func (l matrixLimiter) try(t *testing.T) matrixSubject {
	s := l.matrixSubject
	s.Runs, s.Results, s.Reasons = 1, map[string]string{}, map[string]string{}
	synctest.Test(t, func(t *testing.T) {
		p := target.Reference("http://target", "")
		p.Distro.Limits = &matrixLimits
		p.Insertion.Limit.Window = matrixCeiling.Window
		endpoints := []string{harness.Insertion}
		if l.API == target.APIDistro {
			endpoints = []string{harness.Ingest, harness.Ping, harness.Lookup}
		}
		verdict, err := verifyProfile(t, p, l.server(), harness.Policy{Endpoints: endpoints, Seed: 1})
		if err != nil && s.Kind != "null" {
			t.Error(err)
		}
		for _, row := range verdict.Rows {
			s.Results[row.ID] = map[harness.Outcome]string{
				harness.Pass: "passed", harness.Observed: "passed", harness.Fail: "failed", harness.NotAssessed: "not-assessed",
			}[row.Outcome]
			if row.Outcome == harness.Fail || row.Outcome == harness.NotAssessed {
				s.Reasons[row.ID] = brief(row.Reason)
			}
		}
		time.Sleep(5 * time.Minute) // answers that nobody waits for any more
	})
	s.Kills, s.Open = s.rows(s.Kills), s.rows(s.Open)
	if id, ok := spared[s.Title]; ok {
		s.Kills = slices.DeleteFunc(s.Kills, func(kill string) bool { return kill == id })
		s.Open = append(s.Open, id)
	}
	s.Open = append(s.Open, s.unproven()...)
	s.Open = slices.DeleteFunc(s.Open, func(id string) bool { return slices.Contains(s.Kills, id) })
	return s
}

// unproven are the rows that can't be assessed because another failed: where FLOOR does, SUSTAIN proves nothing.
func (s matrixSubject) unproven() []string {
	var rows []string
	for id, result := range s.Results {
		if endpoint, ok := strings.CutSuffix(id, "-FLOOR"); ok && result == "failed" && s.Results[endpoint+"-SUSTAIN"] == "not-assessed" {
			rows = append(rows, endpoint+"-SUSTAIN")
		}
	}
	slices.Sort(rows)
	return rows
}

// rows are those of the results that the globs name.
func (s matrixSubject) rows(globs []string) []string {
	var rows []string
	for id := range s.Results {
		if slices.ContainsFunc(globs, func(glob string) bool { ok, _ := path.Match(glob, id); return ok }) {
			rows = append(rows, id)
		}
	}
	slices.Sort(rows)
	return rows
}

func brief(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:200]) + "…"
	}
	return text
}

// distroLimiters are the simulator's, for the Lead Distro API.
func distroLimiters() []matrixLimiter {
	var all []matrixLimiter
	for _, l := range simulate.Catalogue() {
		m := newMatrixLimiter(target.APIDistro, "ld: "+l.Name, l.Right, func() *http.Server { return distroServer(l, nil) })
		for _, row := range l.Rows {
			m.Kills = append(m.Kills, "LD-*"+row)
		}
		m.Kills = append(m.Kills, consequences[l.Name]...)
		m.Open = silenced[l.Name]
		all = append(all, m)
	}
	return all
}

// unlimited are the rows of which a server that never limits proves nothing.
var unlimited = []string{"LD-429-*", "LD-LIM-*-SUSTAIN", "LD-LIM-*-BURST", "LD-LIM-*-RECOVER", "LD-LIM-*-FLOOR", "LD-LIM-KEY*", "LD-LIM-ENDPOINT"}

// silenced are the rows that a limiter's fault leaves nothing to look at for.
var silenced = map[string][]string{
	"no limit":                     unlimited,
	"a limit per connection":       unlimited, // each connection is used too seldom to meet its own
	"queue instead of reject":      {"LD-429-*", "LD-LIM-*"},
	"queue up to 3 s, then reject": {"LD-LIM-*"},
	"Retry-After: missing":         {"LD-429-*"},
}

// consequences are rows beside those that name a limiter's fault that have to fail with them: counts that endpoints share
// leave none of them the burst and the rate that it is promised.
var consequences = map[string][]string{
	"shared across endpoints": {"LD-LIM-*-SUSTAIN", "LD-LIM-*-BURST", "LD-LIM-*-FLOOR"},
}

// spared are rows that can't tell a limiter's fault, or not in every run.
var spared = map[string]string{
	// Windows of a second that were open before the burst began touch six seconds of a burst of five, and let in one
	// second of R more: as much as the four seconds of lookup's burst lack.
	"W × 0.80, fixed windows": "LD-LIM-LOOKUP-BURST",
	// Of the some 160 requests below R that lookup's limit allows within a run, none is refused in one run of 27.
	"2 % refused at random": "LD-LIM-LOOKUP-SUSTAIN",
}

func newMatrixLimiter(api, id string, right bool, server func() *http.Server) matrixLimiter {
	m := matrixLimiter{matrixSubject: matrixSubject{ID: id, Title: id[len("ld: "):], Kind: "wrong", API: api}, server: server}
	if right {
		m.Kind = "conforming"
	}
	return m
}

// distroServer is a Lead Distro API with that limiter before it.
func distroServer(l simulate.Limiter, change func(*modelServer)) *http.Server {
	policies := map[string]plan.Policy{}
	for _, name := range []string{harness.Ingest, harness.Ping, harness.Lookup} {
		limit := matrixLimits.Of(name)
		policies[name] = plan.Policy{Rate: limit.Rate, Burst: limit.Burst, Window: limit.Window}
	}
	m := newModelServerFor(policies, l, way, wayNoise, 1)
	if change != nil {
		change(m)
	}
	return &http.Server{Handler: m, ConnContext: m.connContext}
}

// distroManners are faults of a 429 that are no fault of its limiter.
func distroManners() []matrixLimiter {
	right := simulate.Right()[0]
	var all []matrixLimiter
	for name, body := range map[string]string{
		"429: a page": "<h1>429 Too Many Requests</h1>", "429: no error in the body": `{"retry_after":1}`,
		"429: an empty error": `{"error":"","retry_after":1}`, "429: the error is an object": `{"error":{"code":"rate_limited"},"retry_after":1}`,
	} {
		m := newMatrixLimiter(target.APIDistro, "ld: "+name, false, func() *http.Server {
			return distroServer(right, func(m *modelServer) { m.limit = body })
		})
		m.Kills = []string{"LD-429-01", "LD-429-02", "LD-429-03"}
		m.Open = []string{"LD-LIM-*", "LD-429-*"} // a 429 that is none makes a phase unsound
		all = append(all, m)
	}
	takes := newMatrixLimiter(target.APIDistro, "ld: 429: the lead is taken in all the same", false, func() *http.Server {
		return distroServer(right, func(m *modelServer) { m.takes = true })
	})
	takes.Kills = []string{"LD-429-08"}
	return append(all, takes)
}

// insertionLimiters are the simulator's, for the Insertion API.
func insertionLimiters() []matrixLimiter {
	var all []matrixLimiter
	for _, l := range simulate.WindowCatalogue() {
		m := newMatrixLimiter(target.APIInsertion, "in: "+l.Name, l.Right, func() *http.Server { return windowServer(l, nil) })
		for _, row := range l.Rows {
			m.Kills = append(m.Kills, "IN-"+row)
		}
		all = append(all, m)
	}
	return all
}

// windowServer is an Insertion API with that limiter before it.
func windowServer(l simulate.WindowLimiter, change func(*insertionServer)) *http.Server {
	s := newInsertionServer(l, matrixCeiling, way, wayNoise, 1)
	if change != nil {
		change(s)
	}
	return &http.Server{Handler: s, ConnContext: s.connContext}
}

// insertionManners are faults of a 429 that are no fault of its limiter.
func insertionManners() []matrixLimiter {
	right := simulate.WindowCatalogue()[0]
	var all []matrixLimiter
	add := func(name string, change func(*insertionServer), kills string, open ...string) {
		m := newMatrixLimiter(target.APIInsertion, "in: "+name, false, func() *http.Server { return windowServer(right, change) })
		m.Kills, m.Open = []string{kills}, open
		all = append(all, m)
	}
	for name, body := range map[string]string{
		"429: a page": "<h1>429 Too Many Requests</h1>", "429: another code": `{"ok":false,"error":"too_many_requests"}`,
		"429: ok is true": `{"ok":true,"error":"rate_limited"}`, "429: no ok": `{"error":"rate_limited"}`,
	} {
		add(name, func(s *insertionServer) { s.limit = body }, "IN-429-01", "IN-429-*")
	}
	add("429: a POST is stored all the same", func(s *insertionServer) { s.stores = true }, "IN-429-07")
	add("429: a PATCH takes effect all the same", func(s *insertionServer) { s.changes = true }, "IN-429-07")
	return all
}

// nullLimiters are servers that implement nothing.
func nullLimiters() []matrixLimiter {
	var all []matrixLimiter
	for _, api := range []string{target.APIDistro, target.APIInsertion} {
		for _, status := range []int{200, 201, 404, 429, 500} {
			all = append(all, nullLimiter(api, fmt.Sprintf("null-%d", status), func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, `{}`)
			}))
		}
		all = append(all, nullLimiter(api, "null-hangup", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	}
	return all
}

func nullLimiter(api, name string, handler http.HandlerFunc) matrixLimiter {
	prefix := map[string]string{target.APIDistro: "ld: ", target.APIInsertion: "in: "}[api]
	m := newMatrixLimiter(api, prefix+name, false, func() *http.Server { return &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)} })
	m.Kind = "null"
	return m
}

// The README's figures are those of the lists that the matrix goes through.
func TestReadmeCountsTheLimiters(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, l := range slices.Concat(distroLimiters(), distroManners(), insertionLimiters(), insertionManners(), nullLimiters()) {
		count[l.Kind]++
	}
	said := strings.Join(strings.Fields(string(text)), " ")
	for kind, after := range map[string]string{"wrong": "servers, ", "conforming": "servers (five times each), ", "null": "servers, "} {
		if want := fmt.Sprintf("%s%d limiters and ", after, count[kind]); !strings.Contains(said, want) {
			t.Errorf("README.md, What a pass is worth, lacks %q: run make mutants and write what it prints", want)
		}
	}
}
