package matrix

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/spec"
)

// Server is a subject that can be started.
type Server struct {
	Subject
	// Start starts it in this process and returns its base URL and that of its control listener.
	Start func(ctx context.Context) (baseURL, controlURL string, stop func(), err error)
	// Patience bounds an exchange with it; 0: 30 s, much longer than any takes on a machine that is busy.
	Patience time.Duration
}

// patience bounds an exchange with a server that does not say otherwise.
const patience = 30 * time.Second

// Holds reports whether a row is to be run on the server: those of the API that a wrong server breaks, and all rows on one
// that conforms or implements nothing.
func (s Server) Holds(row catalogue.Row) bool {
	return PartOf(row) == Servers && (s.Kind != Wrong || s.API == "" || row.API == s.API)
}

// Try starts the server so many times, each time anew, and runs the specs against it; from the second time on those of the
// API that it is about.
func Try(ctx context.Context, s Server, specs []spec.Spec, runs int) Subject {
	subject := s.Subject
	for run := range runs {
		if run == 1 {
			specs = slices.DeleteFunc(slices.Clone(specs), func(one spec.Spec) bool {
				row, _ := catalogue.Lookup(one.ID)
				return s.API != "" && row.API != s.API
			})
		}
		outcomes, err := try(ctx, s, specs, uint64(run)+1)
		if err != nil {
			subject.Fault = err.Error()
			return subject
		}
		subject.Add(outcomes)
	}
	return subject
}

func try(ctx context.Context, s Server, specs []spec.Spec, seed uint64) (map[string]spec.Outcome, error) {
	base, control, stop, err := s.Start(ctx)
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	defer stop()
	p := target.Reference(base, control)
	p.Timeout = patience
	if s.Patience > 0 {
		p.Timeout = s.Patience
	}
	id := target.NewRunID()
	client := target.NewClient(p, target.Options{RunID: id, Version: "matrix"})
	defer client.Close()
	runner := spec.NewRunner(p, client, spec.NewData(id, seed, p.Phones, 0))
	runner.Brief = true
	if s.Kind == Null {
		return allAtOnce(ctx, runner, specs), nil
	}
	return SideBySide(ctx, runner, specs), nil
}

// atOnce bounds how many rows of one server run at once. Rows mostly wait, for a busy target a whole second.
const atOnce = 16

// allAtOnce runs rows against a server that has no state, so that nothing that one does is another's concern. Most of
// them wait, for an answer or for as long as one asks.
func allAtOnce(ctx context.Context, r *spec.Runner, specs []spec.Spec) map[string]spec.Outcome {
	free := slices.Clone(specs)
	for i := range free {
		free[i].Serial = false
	}
	return sideBySide(ctx, r, free, len(free))
}

// SideBySide runs rows, those that may at the same time and then the serial ones one by one, and returns the outcomes by
// row.
func SideBySide(ctx context.Context, r *spec.Runner, specs []spec.Spec) map[string]spec.Outcome {
	return sideBySide(ctx, r, specs, atOnce)
}

func sideBySide(ctx context.Context, r *spec.Runner, specs []spec.Spec, atOnce int) map[string]spec.Outcome {
	outcomes := make([]spec.Outcome, len(specs))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, s := range specs {
		if !s.Serial {
			group.Go(func() error {
				outcomes[i] = r.Run(ctx, s)
				return nil
			})
		}
	}
	_ = group.Wait() // no row returns an error
	byRow := map[string]spec.Outcome{}
	for i, s := range specs {
		if s.Serial {
			outcomes[i] = r.Run(ctx, s)
		}
		byRow[s.ID] = outcomes[i]
	}
	return byRow
}

// silencePatience is how long a request waits for a server that implements nothing: one that has an answer has it at once.
const silencePatience = 5 * time.Second

// NullServers are the null targets, ready to be started. Their hooks work: a server that does what a hook says, and
// implements nothing, is the harder case.
func NullServers() []Server {
	var servers []Server
	for _, n := range Nulls() {
		servers = append(servers, Server{
			Subject:  Subject{ID: n.ID, Title: n.Title, Kind: Null, Excused: n.Excused},
			Patience: silencePatience,
			Start:    n.start,
		})
	}
	return servers
}

func (n NullServer) start(context.Context) (baseURL, controlURL string, stop func(), err error) {
	base, stopBase, err := listen(n.Handler)
	if err != nil {
		return "", "", nil, err
	}
	control, stopControl, err := listen(always(http.StatusOK, `{}`))
	if err != nil {
		stopBase()
		return "", "", nil, err
	}
	return base, control, func() { stopBase(); stopControl() }, nil
}

func listen(h http.Handler) (url string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(listener) // it ends by stop alone
	}()
	return "http://" + listener.Addr().String(), func() {
		_ = s.Close()
		<-ended
	}, nil
}
