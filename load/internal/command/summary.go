package command

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"leadconform/load/internal/tally"
)

// summary is what a run came to.
type summary struct {
	Files    []string      `json:"files,omitempty"`
	Began    time.Time     `json:"began"`
	Requests int           `json:"requests"`
	Seconds  float64       `json:"seconds"` // from the first request sent to the last
	Rate     float64       `json:"rate"`    // sent, per second
	Admitted outcomeCount  `json:"admitted"`
	Limited  outcomeCount  `json:"limited"`
	Other    outcomeCount  `json:"other"`
	Faults   []tally.Count `json:"faults"`             // why answers were neither
	Waits    []tally.Count `json:"waits"`              // what refusals asked to wait
	Latency  quantiles     `json:"latency"`            // of what was answered
	Lag      *quantiles    `json:"lag,omitempty"`      // how late requests were sent, where that is known
	Stalls   int           `json:"stalls"`             // how often the schedule slid
	Slid     time.Duration `json:"slid_ns"`            // by how much in all
	GivenUp  int           `json:"given_up,omitempty"` // requests left out, since the schedule had slid too far
	Notes    []string      `json:"notes,omitempty"`
}

type outcomeCount struct {
	Count int     `json:"count"`
	Share float64 `json:"share"`
	Rate  float64 `json:"rate"` // per second
}

type quantiles struct {
	P50  time.Duration `json:"p50_ns"`
	P90  time.Duration `json:"p90_ns"`
	P99  time.Duration `json:"p99_ns"`
	P999 time.Duration `json:"p999_ns"`
	Max  time.Duration `json:"max_ns"`
}

func writeJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

func summarise(t *tally.Tally) *summary {
	of := func(n int) outcomeCount {
		return outcomeCount{Count: n, Share: float64(n) / float64(max(1, t.Sent)), Rate: t.Rate(n)}
	}
	s := &summary{
		Began: t.First, Requests: t.Sent, Seconds: t.Last.Sub(t.First).Seconds(), Rate: t.Rate(t.Sent),
		Admitted: of(t.Admitted), Limited: of(t.Limited), Other: of(t.Other), Faults: t.Faults(), Waits: t.Waits(),
		Latency: quantilesOf(&t.Latency),
	}
	if t.Lag.Count() > 0 {
		lag := quantilesOf(&t.Lag)
		s.Lag = &lag
	}
	return s
}

func quantilesOf(h *tally.Histogram) quantiles {
	return quantiles{h.Quantile(0.5), h.Quantile(0.9), h.Quantile(0.99), h.Quantile(0.999), h.Max()}
}

// write writes the summary as text or as JSON.
func (s *summary) write(out io.Writer, format string) error {
	if format == "json" {
		return writeJSON(out, s)
	}
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format, args...) }
	if len(s.Files) > 0 {
		p("%s\n", strings.Join(s.Files, ", "))
	}
	p("requests  %d in %.2f s, %.2f/s\n", s.Requests, s.Seconds, s.Rate)
	for _, line := range []struct {
		name  string
		count outcomeCount
	}{{"admitted", s.Admitted}, {"limited", s.Limited}, {"other", s.Other}} {
		p("%-9s %d (%.2f %%), %.2f/s\n", line.name, line.count.Count, 100*line.count.Share, line.count.Rate)
	}
	for _, fault := range s.Faults {
		p("          %d × %s\n", fault.Count, fault.Name)
	}
	p("latency   %v\n", s.Latency)
	if s.Lag != nil {
		p("lag       %v\n", s.Lag)
	}
	if s.Stalls > 0 {
		p("stalls    %d, by which the schedule slid %v\n", s.Stalls, short(s.Slid))
	}
	if s.GivenUp > 0 {
		p("given up  %d: the target or this machine is too slow for what was meant\n", s.GivenUp)
	}
	for i, wait := range s.Waits {
		if i == 5 {
			p("          and %d other waits\n", len(s.Waits)-i)
			break
		}
		p("wait      %s asked for by %d\n", wait.Name, wait.Count)
	}
	for _, note := range s.Notes {
		p("note      %s\n", note)
	}
	return nil
}

// String prints the quantiles on one line.
func (q quantiles) String() string {
	return fmt.Sprintf("p50 %v, p90 %v, p99 %v, p99.9 %v, max %v", short(q.P50), short(q.P90), short(q.P99), short(q.P999), short(q.Max))
}

// excerpt is the beginning of a body, on one line.
func excerpt(body []byte) string {
	const most = 120
	text := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "?")), " "))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}
