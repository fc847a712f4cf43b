package command

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"leadconform/load/harness"
	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/soak"
	"leadconform/load/internal/tally"
	"leadconform/load/internal/trace"
)

type reportCmd struct {
	Files  []string `arg:"" name:"file" help:"Traces (limits.trace of verify, --out of attack) and result files of Vegeta's, in any mixture."`
	Peak   string   `help:"How the burst rate is read where a trace is judged." default:"strict" enum:"strict,capacity"`
	Format string   `help:"What stdout receives." default:"text" enum:"text,json"`
}

// Help is shown by load report --help.
func (reportCmd) Help() string {
	return `Sums up all files together, and each endpoint and key by itself. A trace of load verify or load soak is judged once more, from what it holds.

Exit status: 0 nothing that is judged failed, and nothing of it is missing; 1 a MUST row failed, or a supplier of a soak; 2 a file can't be read, or a flag is wrong; 3 nothing failed, but a MUST row or a supplier was not assessed, or a trace that is judged is not whole. The rows that single requests decide (LD-429-08, IN-429-07) are in no trace, and change nothing.

Examples:

  load report report/limits.trace
  load report 0.trace 1.trace 2.trace        the shards of one soak, together
  load report results.bin --format json      a result file of Vegeta's`
}

// merged is what several files hold.
type merged struct {
	total    tally.Tally
	parts    map[string]*tally.Tally
	order    []string
	stalls   []trace.Stall
	givenUp  int
	findings []judge.Finding
	notes    []string
	shards   []*trace.Trace  // of workers, to be put together
	soaks    []soak.Verdicts // of each soak
	missing  bool            // something that was to be judged isn't there
}

// Run reads the files.
func (r *reportCmd) Run(w *World) error {
	m := &merged{parts: map[string]*tally.Tally{}}
	if err := r.distinct(); err != nil {
		return err
	}
	for _, name := range r.Files {
		if err := m.read(name, plan.Peak(r.Peak)); err != nil {
			return usage("%s: %w", name, err)
		}
	}
	if err := m.mergeShards(plan.Peak(r.Peak)); err != nil {
		return usage("%w", err)
	}
	if err := m.write(w, r); err != nil {
		return err
	}
	return m.status()
}

// distinct reports a file that is named twice: it would count twice.
func (r *reportCmd) distinct() error {
	var seen []os.FileInfo
	for i, name := range r.Files {
		info, err := os.Stat(name)
		if err != nil {
			return usage("%w", err)
		}
		if twin := slices.IndexFunc(seen, func(other os.FileInfo) bool { return os.SameFile(info, other) }); twin >= 0 {
			return usage("%s and %s are the same file", r.Files[twin], r.Files[i])
		}
		seen = append(seen, info)
	}
	return nil
}

// traceHead is how every version of a trace begins.
const traceHead = "leadconform trace "

// read adds one file.
func (m *merged) read(name string, peak plan.Peak) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return fmt.Errorf("this is a folder: name the trace in it, as in %s", filepath.Join(name, "limits.trace"))
	}
	in := bufio.NewReader(file)
	switch head, err := in.Peek(len(traceHead)); {
	case string(head) == traceHead:
		return m.readTrace(name, in, peak)
	case len(head) == 0 && errors.Is(err, io.EOF):
		return errors.New("it is empty")
	}
	return m.readVegeta(name, in)
}

// readTrace adds a trace as a stream. One that holds an experiment, a soak or a worker's part is judged, which takes all of it.
func (m *merged) readTrace(name string, in io.Reader, peak plan.Peak) error {
	t, err := trace.NewReader(in)
	if err != nil {
		return err
	}
	judged := isExperiment(t.Meta().Plan) || soak.IsPlan(t.Meta().Plan) || t.Meta().Shard != nil
	whole := trace.Trace{Meta: t.Meta()}
	err = t.Samples(func(s trace.Sample) {
		phase := t.Meta().Plan.Phases[s.Phase]
		m.total.Add(whole.Meta.Started, s)
		m.part(phase.Endpoint+" "+string(phase.Stream)).Add(whole.Meta.Started, s)
		if judged {
			whole.Samples = append(whole.Samples, s)
		}
	})
	whole.Meta, whole.End = t.Meta(), t.End()
	switch {
	case errors.Is(err, trace.ErrCut), errors.Is(err, trace.ErrDamaged):
		m.missing = m.missing || judged
		whole.End.Reason = err.Error()
		m.notes = append(m.notes, fmt.Sprintf("%s: %v: this is what came before", name, err))
	case err != nil:
		return err
	case whole.End.Reason != trace.Complete:
		m.missing = m.missing || judged
		m.notes = append(m.notes, fmt.Sprintf("%s: %s", name, whole.End.Reason))
	}
	m.stalls, m.givenUp = append(m.stalls, whole.End.Stalls...), m.givenUp+whole.End.GivenUp
	switch {
	case whole.Meta.Shard != nil:
		m.shards = append(m.shards, &whole)
	case judged:
		m.judge(&whole, peak)
	}
	return nil
}

// isExperiment reports whether a plan is that of load verify.
func isExperiment(p plan.Plan) bool {
	return slices.ContainsFunc(p.Phases, func(p plan.Phase) bool { return p.Name == plan.A1 || p.Name == plan.Ramp })
}

var errNeither = errors.New("this is neither a trace nor a result file of Vegeta's")

// readVegeta adds the results of Vegeta's, in any of its encodings.
func (m *merged) readVegeta(name string, in io.Reader) error {
	decoder := vegeta.DecoderFor(in)
	if decoder == nil {
		return errNeither
	}
	for first := true; ; first = false {
		var result vegeta.Result
		err := decoder.Decode(&result)
		if err == nil && result.Timestamp.IsZero() { // any JSON object can be decoded, and has no time
			if first {
				return errNeither
			}
			err = errors.New("it has no timestamp")
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			m.notes = append(m.notes, fmt.Sprintf("%s: a result can't be read, the file may be cut: %v", name, err))
			return nil
		}
		m.total.AddVegeta(&result)
		m.part(result.Attack).AddVegeta(&result)
	}
}

// part is the tally of one endpoint and key.
func (m *merged) part(name string) *tally.Tally {
	if m.parts[name] == nil {
		m.parts[name] = &tally.Tally{}
		m.order = append(m.order, name)
	}
	return m.parts[name]
}

// reported is what load report prints as JSON.
type reported struct {
	Total    *summary            `json:"total"`
	Parts    map[string]*summary `json:"parts"`
	Findings []judge.Finding     `json:"findings"`
	Soaks    []soak.Verdicts     `json:"soaks,omitempty"`
}

func (m *merged) write(w *World, r *reportCmd) error {
	out := reported{Total: summarise(&m.total), Parts: map[string]*summary{}, Findings: m.findings, Soaks: m.soaks}
	out.Total.Files, out.Total.Notes, out.Total.Stalls, out.Total.GivenUp = r.Files, m.notes, len(m.stalls), m.givenUp
	for _, stall := range m.stalls {
		out.Total.Slid += stall.Slid
	}
	for name, part := range m.parts {
		out.Parts[name] = summarise(part)
	}
	if r.Format == "json" {
		return writeJSON(w.Stdout, out)
	}
	if err := out.Total.write(w.Stdout, r.Format); err != nil {
		return err
	}
	if len(m.order) > 1 && len(m.soaks) == 0 {
		for _, name := range m.order {
			part := out.Parts[name]
			w.printf("\n%s: %d in %.2f s, %.2f/s; admitted %d, limited %d, other %d\n  latency %v\n", name, part.Requests, part.Seconds,
				part.Rate, part.Admitted.Count, part.Limited.Count, part.Other.Count, part.Latency)
		}
	}
	if len(m.findings) > 0 {
		w.printf("\n")
	}
	for _, f := range m.findings {
		w.printf("  %s  %-22s %s\n", word(f.Verdict, harness.LevelOf(f.Row)), f.Row, clause(f))
	}
	for _, v := range m.soaks {
		writeVerdicts(w, v)
	}
	return nil
}

// clause is a finding on one line.
func clause(f judge.Finding) string {
	switch {
	case f.Clause == "":
		return f.Reason
	case f.Verdict == judge.NotAssessed:
		return f.Clause + ": " + f.Reason
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: %.4g (%v)", f.Clause, f.Figure, f.Accept)
	if f.Endpoint != "" {
		fmt.Fprintf(&b, " on %s", f.Endpoint)
	}
	return b.String()
}
