package harness

import (
	"io"
	"slices"
	"sync"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// book is all that a run writes down: its samples, in memory for the judge and to a file for others, and a few whole
// exchanges for the reader of a report.
type book struct {
	mu      sync.Mutex
	meta    trace.Meta
	samples []trace.Sample
	file    *trace.Writer // nil if nobody wants it
	flushed time.Time
	shown   map[sight]*target.Exchange
}

// sight names the kinds of exchange of which the first is kept.
type sight struct {
	endpoint string
	phase    plan.Name
	stream   plan.Stream
	kind     trace.Kind
}

func newBook(meta trace.Meta) *book { return &book{meta: meta, shown: map[sight]*target.Exchange{}} }

// begin opens the book for samples, whose times count from start, unless it is open. w may be nil.
func (b *book) begin(start time.Time, w io.Writer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.meta.Started.IsZero() {
		return nil
	}
	b.meta.Started, b.flushed = start, start
	if w == nil {
		return nil
	}
	var err error
	b.file, err = trace.NewWriter(w, b.meta)
	return err
}

// flushEvery bounds what of a trace is lost if the process is killed.
const flushEvery = time.Second

// write takes a sample (attack.Session.Write).
func (b *book) write(s trace.Sample) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.samples = append(b.samples, s)
	if b.file == nil {
		return nil
	}
	if err := b.file.Write(s); err != nil {
		return err
	}
	if time.Since(b.flushed) < flushEvery {
		return nil
	}
	b.flushed = time.Now()
	return b.file.Flush()
}

// addPhases appends phases to the plan and returns their indexes.
func (b *book) addPhases(added []plan.Phase) (indexes []int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range added {
		indexes = append(indexes, len(b.meta.Plan.Phases)+len(indexes))
	}
	// Those who hold the old phases must not see them change.
	b.meta.Plan.Phases = append(slices.Clip(b.meta.Plan.Phases), added...)
	if b.file != nil {
		err = b.file.AddPhases(added)
	}
	return indexes, err
}

// phases are those of the plan. They don't change; there may be more later.
func (b *book) phases() []plan.Phase {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.meta.Plan.Phases
}

// count is how many samples there are.
func (b *book) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.samples)
}

// trace is what was written so far. It must not be called while samples come in.
func (b *book) trace(end trace.End) *trace.Trace {
	return &trace.Trace{Meta: b.meta, Samples: b.samples, End: end}
}

func (b *book) close(end trace.End) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file == nil {
		return nil
	}
	return b.file.Close(end)
}

// show keeps the exchange if it is the first of its kind.
func (b *book) show(p plan.Phase, api string, a attack.Answer, r attack.Reading) {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := sight{p.Endpoint, p.Name, p.Stream, r.Kind}
	if _, ok := b.shown[seen]; ok {
		return
	}
	b.shown[seen] = exchange(api, a)
}

// sight is the first exchange of its kind, or nil if none was seen.
func (b *book) sight(s sight) *target.Exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.shown[s]
}

// first is the first exchange with an endpoint that ended in that way, or nil if none did.
func (b *book) first(endpoint string, kind trace.Kind) *target.Exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	var first *target.Exchange
	for s, x := range b.shown {
		if s.kind == kind && (s.endpoint == endpoint || endpoint == Insertion && x.Request.API == target.APIInsertion) {
			if first == nil || x.At.Before(first.At) {
				first = x
			}
		}
	}
	return first
}

// exchange is an answer of the attack, with its request, in the form of the other exchanges.
func exchange(api string, a attack.Answer) *target.Exchange {
	x := &target.Exchange{
		Request: target.Request{API: api, Method: a.Request.Method, Path: a.Request.URL.RequestURI(), Header: a.Request.Header},
		URL:     a.Request.URL.String(),
		At:      a.Received.Add(-a.Took), Took: a.Took, Err: a.Err,
	}
	if a.Request.GetBody != nil {
		if body, err := a.Request.GetBody(); err == nil {
			x.Request.Body, _ = io.ReadAll(body) // it is in memory
		}
	}
	if a.Status != 0 && a.Err == nil {
		x.Response = &target.Response{Status: a.Status, Proto: "HTTP/1.1", Header: a.Header, Body: a.Body}
	}
	return x
}
