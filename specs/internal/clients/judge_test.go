package clients_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/clients"
	"leadconform/specs/internal/spec"
)

// story is a journal in the making: what came when, to the millisecond, without anybody waiting for it.
type story struct {
	j   *clients.Journal
	now time.Duration
}

var lead = []byte(`{"phone":"9990000001","email":"a@example.com","campaign_id":101,"external_lead_id":"x"}`)

func tell(t *testing.T, recipe, scenario string, speed float64) *story {
	t.Helper()
	b := book(t, recipe)
	i := slices.IndexFunc(b.Scenarios, func(s clients.Scenario) bool { return s.Name == scenario })
	if i < 0 {
		t.Fatalf("there is no scenario %s", scenario)
	}
	return &story{j: &clients.Journal{Scenario: b.Scenarios[i], Speed: speed, Calls: []clients.Ended{{}}}}
}

// try is a request for the lead some time after the answer before, and its scripted answer.
func (s *story) try(after time.Duration, status int, retryAfter ...int) *story {
	s.now += after
	e := &clients.Entry{About: clients.TheLead, Arrived: s.now, Answered: s.now, At: start.Add(s.now), Method: http.MethodPost, Path: "/api/v1/ingest",
		Body: lead, Status: status, Scripted: status/100 != 2, AnswerHeader: http.Header{}, Header: http.Header{}}
	for _, n := range retryAfter {
		e.Wait = time.Duration(n) * time.Second
		e.Until = s.now + e.Wait
		e.AnswerHeader.Set("Retry-After", strconv.Itoa(n))
	}
	s.j.Entries = append(s.j.Entries, e)
	s.j.Length = s.now
	return s
}

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// next begins the second call, with the lead again or with the second one.
func (s *story) next(about clients.About, body []byte, status int) *story {
	s.try(time.Second, status)
	e := s.last()
	e.About, e.Phase, e.Body, e.Scripted = about, clients.Second, body, false
	if len(s.j.Calls) == 1 {
		s.j.Calls = append(s.j.Calls, clients.Ended{})
	}
	return s
}

func (s *story) last() *clients.Entry { return s.j.Entries[len(s.j.Entries)-1] }

func (s *story) killed() *story { s.j.Calls[0].Overtime = true; return s }

func (s *story) left() *story { s.j.Calls[0].Left = true; return s }

func (s *story) killedLast() *story { s.j.Calls[len(s.j.Calls)-1].Overtime = true; return s }

// fromAfar is a client that wasn't started by us, silent for a time at the end.
func (s *story) fromAfar(silent time.Duration) *story {
	s.j.Calls = nil
	s.j.Length = s.now + silent
	return s
}

const ms = time.Millisecond

func TestRowsAreJudgedByTheJournalAlone(t *testing.T) {
	distro := func(scenario string) *story { return tell(t, clients.Distro, scenario, 1) }
	fast := func(scenario string) *story { return tell(t, clients.Distro, scenario, 10) }
	insertion := func(scenario string) *story { return tell(t, clients.Insertion, scenario, 1) }
	second := []byte(`{"phone":"9990000002"}`)
	renamed := []byte(`{"phone":"9990000001","email":"a@example.com","first_name":"Bob"}`)
	reordered := []byte(`{"external_lead_id":"x", "campaign_id":101, "email":"a@example.com", "phone":"9990000001"}`)
	six := func(s *story) *story {
		return s.try(0, 503).try(1000*ms, 503).try(2000*ms, 503).try(4000*ms, 503).try(8000*ms, 503).try(16000*ms, 503)
	}
	for name, c := range map[string]struct {
		row    string
		story  *story
		result spec.Result
		says   string // part of the reason or of a note; "": there is neither
	}{
		"once and a second lead":           {"CL-LD-01", distro("refused-400").try(0, 400).next(clients.SecondLead, second, 201), spec.Passed, ""},
		"once and nothing else":            {"CL-LD-01", distro("refused-400").try(0, 400), spec.NotAssessed, "no second lead"},
		"once and a refused second lead":   {"CL-LD-01", distro("refused-400").try(0, 400).next(clients.SecondLead, second, 401), spec.NotAssessed, "the second lead was answered 401"},
		"once, and then killed":            {"CL-LD-01", distro("refused-400").try(0, 400).killed().next(clients.SecondLead, second, 201), spec.NotAssessed, "not done when its time was up"},
		"once, and left running":           {"CL-LD-01", distro("refused-400").try(0, 400).left().next(clients.SecondLead, second, 201), spec.NotAssessed, "the processes that it left were killed"},
		"once, and then killed later":      {"CL-LD-01", distro("refused-400").try(0, 400).next(clients.SecondLead, second, 201).killedLast(), spec.NotAssessed, "not done with the second lead"},
		"from afar, once, just now":        {"CL-LD-01", distro("refused-400").try(0, 400).next(clients.SecondLead, second, 201).fromAfar(40 * time.Second), spec.NotAssessed, "not done"},
		"from afar, once, a while ago":     {"CL-LD-01", distro("refused-400").try(0, 400).next(clients.SecondLead, second, 201).fromAfar(45 * time.Second), spec.Passed, ""},
		"never":                            {"CL-LD-01", distro("refused-400").next(clients.SecondLead, second, 201), spec.NotAssessed, "sent no lead"},
		"twice":                            {"CL-LD-01", distro("refused-400").try(0, 400).try(5*time.Second, 400).next(clients.SecondLead, second, 201), spec.Failed, "2 requests came; the second 5.000 s after 400"},
		"again in the next call":           {"CL-LD-01", distro("refused-400").try(0, 400).next(clients.TheLead, lead, 201), spec.Failed, "2 requests"},
		"accepted once":                    {"CL-LD-10", distro("accepted").try(0, 201).next(clients.SecondLead, second, 201), spec.Passed, ""},
		"accepted twice":                   {"CL-LD-10", distro("accepted").try(0, 201).try(0, 201).next(clients.SecondLead, second, 201), spec.Failed, "2 requests"},
		"not accepted by the API":          {"CL-LD-10", distro("accepted").try(0, 401).next(clients.SecondLead, second, 401), spec.NotAssessed, "did not accept the lead: 401"},
		"exactly Retry-After":              {"CL-LD-06", distro("limited").try(0, 429, 3).try(3000*ms, 201), spec.Passed, ""},
		"50 ms early":                      {"CL-LD-06", distro("limited").try(0, 429, 3).try(2950*ms, 201), spec.Passed, ""},
		"51 ms early":                      {"CL-LD-06", distro("limited").try(0, 429, 3).try(2949*ms, 201), spec.Failed, "2.949 s after 429"},
		"1 s late":                         {"CL-LD-06", distro("limited").try(0, 429, 3).try(4000*ms, 201), spec.Passed, ""},
		"more than 1 s late":               {"CL-LD-06", distro("limited").try(0, 429, 3).try(4001*ms, 201), spec.Passed, "longer than documented"},
		"25 % of a long wait late":         {"CL-LD-06", distro("limited").try(0, 429, 20).try(25000*ms, 201), spec.Passed, ""},
		"more than 25 % late":              {"CL-LD-06", distro("limited").try(0, 429, 20).try(25001*ms, 201), spec.Passed, "longer than documented"},
		"backoff after a later 429":        {"CL-LD-06", distro("limited").try(0, 429, 1).try(1000*ms, 429, 1).try(2000*ms, 429, 1).try(5000*ms, 201), spec.Passed, ""},
		"backoff after the first 429":      {"CL-LD-06", distro("limited").try(0, 429, 1).try(2001*ms, 201), spec.Passed, "longer than documented"},
		"the second wait early":            {"CL-LD-06", distro("limited").try(0, 429, 3).try(3000*ms, 429, 2).try(0, 201), spec.Failed, "try 3 came 0.000 s after 429"},
		"no next try":                      {"CL-LD-06", distro("limited").try(0, 429, 3), spec.NotAssessed, "sent no second lead"},
		"no next try, and a second lead":   {"CL-LD-06", distro("limited").try(0, 429, 3).next(clients.SecondLead, second, 201), spec.Failed, "without another try"},
		"no next try in the same call":     {"CL-LD-06", distro("limited").try(0, 429, 3).next(clients.TheLead, lead, 201), spec.NotAssessed, "when it was called the next time"},
		"no next try, second call killed":  {"CL-LD-06", distro("limited").try(0, 429, 3).next(clients.SecondLead, second, 201).killedLast(), spec.NotAssessed, "not done with the second lead"},
		"no next try, and left running":    {"CL-LD-06", distro("limited").try(0, 429, 3).left().next(clients.SecondLead, second, 201), spec.NotAssessed, "the processes that it left were killed"},
		"no next try, from afar":           {"CL-LD-06", distro("limited").try(0, 429, 3).next(clients.SecondLead, second, 201).fromAfar(time.Hour), spec.NotAssessed, "when serving ended"},
		"no wait at all":                   {"CL-LD-06", distro("limited").try(0, 201).next(clients.SecondLead, second, 201), spec.NotAssessed, "no wait to judge"},
		"no next try in time":              {"CL-LD-06", distro("limited").try(0, 429, 3).killed(), spec.NotAssessed, "time was up"},
		"1, 2, 4, 8":                       {"CL-LD-09", distro("broken").try(0, 500).try(1000*ms, 500).try(2000*ms, 500).try(4000*ms, 201), spec.Passed, ""},
		"2, 4, 8: full jitter":             {"CL-LD-09", distro("broken").try(0, 500).try(2000*ms, 500).try(4000*ms, 500).try(8000*ms, 201), spec.Passed, ""},
		"1, 1":                             {"CL-LD-09", distro("broken").try(0, 500).try(1000*ms, 500).try(1000*ms, 201), spec.Failed, "try 3 came 1.000 s after 500"},
		"a minute":                         {"CL-LD-09", distro("broken").try(0, 500).try(40*time.Second, 201), spec.Passed, "longer than documented"},
		"no retry, and left running":       {"CL-LD-09", distro("broken").try(0, 500).left(), spec.NotAssessed, "the processes that it left were killed"},
		"no retry of a 500":                {"CL-LD-09", distro("broken").try(0, 500), spec.Failed, "never tried again"},
		"one retry":                        {"CL-LD-09", distro("broken").try(0, 500).try(1000*ms, 500), spec.Passed, "gave up after 2 requests"},
		"speed divides the backoff":        {"CL-LD-09", fast("broken").try(0, 500).try(100*ms, 500).try(200*ms, 500).try(400*ms, 201), spec.Passed, ""},
		"constant under speed":             {"CL-LD-09", fast("broken").try(0, 500).try(100*ms, 500).try(100*ms, 201), spec.Failed, "try 3"},
		"queued for the next call":         {"CL-LD-11", six(distro("closed-for-good")).next(clients.TheLead, reordered, 201), spec.Passed, ""},
		"queued with another name":         {"CL-LD-11", six(distro("closed-for-good")).next(clients.TheLead, renamed, 201), spec.Failed, "another payload"},
		"dropped":                          {"CL-LD-11", six(distro("closed-for-good")).next(clients.SecondLead, second, 201), spec.Failed, "the second lead alone"},
		"dropped, or the call was cut":     {"CL-LD-11", six(distro("closed-for-good")).next(clients.SecondLead, second, 201).killedLast(), spec.NotAssessed, "not done with the second lead"},
		"dropped, and no second lead":      {"CL-LD-11", six(distro("closed-for-good")), spec.NotAssessed, "the control failed"},
		"never given up":                   {"CL-LD-11", distro("closed-for-good").try(0, 503).try(1000*ms, 201).next(clients.SecondLead, second, 201), spec.NotAssessed, "was accepted"},
		"again in the same call":           {"CL-LD-11", six(distro("closed-for-good")).try(45*time.Second, 201), spec.Passed, ""},
		"from afar, later":                 {"CL-LD-11", six(distro("closed-for-good")).try(time.Hour, 201).fromAfar(0), spec.Passed, ""},
		"from afar, not yet":               {"CL-LD-11", six(distro("closed-for-good")).fromAfar(time.Hour), spec.NotAssessed, "when serving ended"},
		"six":                              {"CL-LD-08", six(distro("closed-for-good")), spec.Passed, "six requests"},
		"five":                             {"CL-LD-08", distro("closed-for-good").try(0, 503).try(1000*ms, 503).try(2000*ms, 503).try(4000*ms, 503).try(8000*ms, 503), spec.Passed, ""},
		"seven":                            {"CL-LD-08", six(distro("closed-for-good")).try(32*time.Second, 503), spec.Failed, "a seventh request"},
		"a second round":                   {"CL-LD-08", six(distro("closed-for-good")).try(45*time.Second, 201), spec.Passed, "six requests"},
		"no retry at all":                  {"CL-LD-08", distro("closed-for-good").try(0, 503), spec.NotAssessed, "no retry"},
		"still at it":                      {"CL-LD-08", distro("closed-for-good").try(0, 503).try(1000*ms, 503).killed(), spec.NotAssessed, "still at it"},
		"under speed it can't be told":     {"CL-LD-08", six(fast("closed-for-good")).try(5*time.Second, 503), spec.NotAssessed, "under --speed"},
		"from afar, not watched enough":    {"CL-LD-08", six(distro("closed-for-good")).fromAfar(44 * time.Second), spec.NotAssessed, "still at it"},
		"from afar, watched":               {"CL-LD-08", six(distro("closed-for-good")).fromAfar(45 * time.Second), spec.Passed, "six requests"},
		"dropped connections":              {"CL-IN-08", insertion("dropped-for-good").try(0, 0).try(1000*ms, 0).try(2000*ms, 201), spec.Passed, ""},
		"at once after a dropped one":      {"CL-IN-08", insertion("dropped-for-good").try(0, 0).try(0, 201), spec.Failed, "try 2 came 0.000 s after a dropped connection"},
		"a seventh after dropped ones":     {"CL-IN-08", six(insertion("dropped-for-good")).try(30*time.Second, 0), spec.Failed, "a seventh"},
		"a seventh after 500 is MUST":      {"CL-IN-07", six(insertion("broken-for-good")).try(30*time.Second, 500), spec.Failed, "a seventh"},
		"an early retry of 500 is SHOULD":  {"CL-IN-07", insertion("broken-for-good").try(0, 500).try(0, 500), spec.Failed, "try 2"},
		"a scenario that wasn't played":    {"CL-LD-06", &story{j: &clients.Journal{Fault: http.ErrServerClosed}}, spec.NotAssessed, "Server closed"},
		"many requests that were not kept": {"CL-LD-01", unkept(distro("refused-400").try(0, 400).try(0, 400)), spec.Failed, "1002 requests"},
	} {
		t.Run(name, func(t *testing.T) {
			o := judged(t, c.row, c.story.j)
			said := strings.Join(append(o.Notes, o.Reason), "\n")
			if o.Result != c.result || !strings.Contains(said, c.says) || (c.says == "" && strings.TrimSpace(said) != "") {
				t.Errorf("%s: %q; want %s: %q", o.Result, said, c.result, c.says)
			}
			if must := strings.HasSuffix(name, "is MUST"); o.Must != must {
				t.Errorf("the failure is MUST: %t, want %t", o.Must, must)
			}
			if o.Result != spec.NotAssessed && len(o.Exchanges) == 0 {
				t.Error("no exchange is shown")
			}
		})
	}
}

func unkept(s *story) *story { s.j.Unkept = 1000; return s }

// judged judges one row on one journal. The row's other scenarios, if it has any, tell the same.
func judged(t *testing.T, row string, j *clients.Journal) spec.Outcome {
	t.Helper()
	recipe := clients.Distro
	if strings.HasPrefix(row, "CL-IN") {
		recipe = clients.Insertion
	}
	b := book(t, recipe)
	journals := map[string]*clients.Journal{}
	for _, s := range b.Scenarios {
		journals[s.Name] = j
	}
	trial := clients.Trial{Book: b, Only: func(id string) bool { return id == row }}
	return trial.Judge(t.Context(), journals)[row]
}

func TestRetriesAreSignedAtTheirOwnTime(t *testing.T) {
	p := target.Reference("http://127.0.0.1", "")
	key := p.Insertion.Credentials["primary"]
	for name, c := range map[string]struct {
		waits  []time.Duration // before each retry
		stamps []time.Duration // of each request, after the first arrival
		spoil  func(*clients.Entry)
		want   spec.Result
	}{
		"each at its time":               {[]time.Duration{time.Second, 2 * time.Second}, []time.Duration{0, time.Second, 3 * time.Second}, nil, spec.Passed},
		"cut to seconds":                 {[]time.Duration{1900 * ms}, []time.Duration{0, time.Second}, nil, spec.Passed},
		"a clock that is an hour behind": {[]time.Duration{10 * time.Second}, []time.Duration{-time.Hour, 10*time.Second - time.Hour}, nil, spec.Passed},
		"signed once":                    {[]time.Duration{time.Second, 2 * time.Second}, []time.Duration{0, 0, 0}, nil, spec.Failed},
		"signed before a long wait":      {[]time.Duration{8 * time.Second}, []time.Duration{0, 0}, nil, spec.Failed},
		"another body":                   {[]time.Duration{time.Second}, []time.Duration{0, time.Second}, func(e *clients.Entry) { e.Body = []byte(`{}`) }, spec.Failed},
		"a signature of nothing": {[]time.Duration{time.Second}, []time.Duration{0, time.Second}, func(e *clients.Entry) {
			e.Header.Set(p.Insertion.Headers.Signature, strings.Repeat("0", 64))
		}, spec.Failed},
		"a bearer token": {[]time.Duration{9 * time.Second}, []time.Duration{0, 0}, func(e *clients.Entry) {
			e.Header = target.BearerHeader(key.Secret)
		}, spec.Passed},
		"another way to write the payload": {[]time.Duration{time.Second}, []time.Duration{0, time.Second}, func(e *clients.Entry) {
			e.Body = []byte(" " + string(e.Body))
			e.Header = p.Insertion.SignedHeader(key, start.Add(time.Second), e.Body)
		}, spec.Passed},
		"no retry": {nil, []time.Duration{0}, nil, spec.NotAssessed},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t, clients.Insertion, "broken", 1).try(0, 500)
			for _, wait := range c.waits {
				s.try(wait, 500)
			}
			for i, e := range s.j.Entries {
				e.Header = p.Insertion.SignedHeader(key, start.Add(c.stamps[i]), e.Body)
			}
			if c.spoil != nil {
				c.spoil(s.last())
			}
			if o := judged(t, "CL-IN-09", s.j); o.Result != c.want {
				t.Errorf("%s: %s; want %s", o.Result, o.Reason, c.want)
			}
		})
	}
}

func TestConflictWantsAReadAndAMerge(t *testing.T) {
	type step struct {
		method string
		status int
	}
	patch409, get200, patch200 := step{"PATCH", 409}, step{"GET", 200}, step{"PATCH", 200}
	both := `{"custom_fields":{"plan":"gold","score":7,"contacted":"yes"}}`
	for name, c := range map[string]struct {
		steps []step
		final string
		want  spec.Result
		says  string
	}{
		"reads and merges":           {[]step{patch409, get200, patch200}, both, spec.Passed, ""},
		"has read before":            {[]step{get200, patch409, patch200}, both, spec.Failed, "without reading"},
		"patches blindly":            {[]step{patch409, patch200}, `{"custom_fields":{"contacted":"yes"}}`, spec.Failed, "without reading"},
		"reads after the patch":      {[]step{patch409, patch200, get200}, both, spec.Failed, "without reading"},
		"reads in vain":              {[]step{patch409, {"GET", 404}, patch200}, both, spec.Failed, "without reading"},
		"loses the concurrent one":   {[]step{patch409, get200, patch200}, `{"custom_fields":{"plan":"gold","contacted":"yes"}}`, spec.Failed, "custom_fields.score is"},
		"loses its own":              {[]step{patch409, get200, patch200}, `{"custom_fields":{"plan":"gold","score":7}}`, spec.Failed, "own change is not there"},
		"gives up":                   {[]step{patch409, get200}, `{"custom_fields":{"plan":"gold","score":7}}`, spec.Failed, "never patched again"},
		"never met the conflict":     {[]step{{"PATCH", 401}}, both, spec.NotAssessed, "no PATCH met the conflict"},
		"never patched at all":       {[]step{get200}, both, spec.NotAssessed, "sent no lead"},
		"nobody looked at the final": {[]step{patch409, get200, patch200}, `null`, spec.NotAssessed, "nobody looked"},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t, clients.Insertion, "conflict", 1)
			for _, step := range c.steps {
				s.try(time.Second, step.status)
				s.last().Method = step.method
				if step.method == "GET" {
					s.last().About = clients.NoLead
				}
			}
			s.j.Theirs = map[string]any{"custom_fields": map[string]any{"plan": "gold", "score": uint64(7)}}
			s.j.Mine = map[string]any{"custom_fields": map[string]any{"contacted": "yes"}}
			if err := json.Unmarshal([]byte(c.final), &s.j.Final); err != nil {
				t.Fatal(err)
			}
			if o := judged(t, "CL-IN-10", s.j); o.Result != c.want || !strings.Contains(o.Reason, c.says) {
				t.Errorf("%s: %s; want %s: %s", o.Result, o.Reason, c.want, c.says)
			}
		})
	}
}

func TestDateIsAMomentWheneverTheAnswerCame(t *testing.T) {
	for after, want := range map[time.Duration]spec.Result{2750 * ms: spec.Passed, 2749 * ms: spec.Failed} {
		s := tell(t, clients.Distro, "limited-with-dates", 1).try(0, 429, 3)
		first := s.last()
		first.Dated, first.Answered = true, 200*ms // the machine was busy: the date is still 3 s from the beginning
		s.now = first.Answered
		s.try(after, 201)
		if o := judged(t, "CL-LD-12", s.j); o.Result != want {
			t.Errorf("%v after the answer: %s: %s; want %s", after, o.Result, o.Reason, want)
		}
	}
}
