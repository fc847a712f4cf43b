package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"leadconform/reference/mutant"
	"leadconform/reference/server"
)

// options are the flags.
type options struct {
	Addr          string        `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where both APIs are served. Port 0 takes any that is free."`
	Control       string        `default:"127.0.0.1:8081" placeholder:"HOST:PORT" help:"Where the operator is served: /healthz, /readyz, /metrics and /control/. It asks for no credentials: keep it on loopback."`
	Store         string        `default:"memory" help:"Where leads are kept: memory, or the URL of a PostgreSQL, postgres://USER:PASSWORD@HOST:PORT/DATABASE."`
	Limiter       string        `default:"memory" help:"Where requests are counted: memory, or the URL of a Redis, redis://HOST:PORT."`
	LimiterOutage string        `default:"closed" enum:"closed,open" help:"What becomes of requests while the limiter is out of reach: closed refuses them as unavailable, open admits them without a limit."`
	ClockOffset   time.Duration `default:"0s" placeholder:"DURATION" help:"Shifts the clock of this server, for tests."`
	World         string        `placeholder:"FILE" help:"Who may call, with what key and at which limits, as YAML; without it, the embedded world."`
	Mutant        string        `placeholder:"ID" help:"Be the server that differs from the reference in one thing: a deliberate fault, or a freedom that the contract leaves. list shows them all."`
	LogFormat     string        `default:"text" enum:"text,json" help:"How the log on standard error is written: text or json."`
}

// Validate is called by kong when the flags have been read.
func (o options) Validate() error {
	var port string
	for _, f := range []struct{ flag, address string }{{"addr", o.Addr}, {"control", o.Control}} {
		var err error
		_, port, err = net.SplitHostPort(f.address)
		if err == nil {
			_, err = net.LookupPort("tcp", port)
		}
		if err != nil {
			return fmt.Errorf("--%s %s: write it as HOST:PORT, such as 127.0.0.1:8080", f.flag, f.address)
		}
	}
	if o.Addr == o.Control && port != "0" {
		return fmt.Errorf("--control %s: the operator needs a port of its own, other than that of --addr", o.Control)
	}
	return nil
}

const description = `The reference server of the Lead Distro API and the Insertion API.

Examples:

  reference                                                      both APIs on port 8080, the operator on 8081
  reference --addr 127.0.0.1:0 --control 127.0.0.1:0             on ports that are free, which it prints
  reference --mutant list                                        servers that are wrong on purpose
  reference --mutant ld-missing-campaign-403                     one of them
  reference --store postgres://u:p@db:5432/leads --limiter redis://cache:6379   one of many replicas`

// parse reads the flags. done means that nothing is left to do: help was asked for, and given.
func parse(args []string, stdout io.Writer) (o options, done bool, err error) {
	parser, err := kong.New(&o,
		kong.Name("reference"),
		kong.Description(description),
		kong.Writers(stdout, io.Discard),
		kong.Exit(func(int) { done = true }),
	)
	if err != nil {
		return o, false, err
	}
	if _, err = parser.Parse(args); done {
		return o, true, nil
	}
	return o, false, err
}

// listMutants writes a line for every mutant: its ID, what it does, and the rows that must notice.
func listMutants(w io.Writer) {
	for _, m := range mutant.All() {
		kills := "conforming"
		if !m.Conforming {
			kills = "fails " + strings.Join(m.Kills, " ")
		}
		fmt.Fprintf(w, "%-44s %s (%s)\n", m.ID, m.Title, kills)
	}
}

func (o options) logger(w io.Writer) *slog.Logger {
	if o.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

// server makes the server that the flags describe. Its error names the flag.
func (o options) server(log *slog.Logger) (*server.Server, error) {
	config := server.Config{Store: o.Store, Limiter: o.Limiter, LimiterOutage: o.LimiterOutage, WorldFile: o.World, Log: log}
	if o.ClockOffset != 0 {
		config.Now = func() time.Time { return time.Now().Add(o.ClockOffset) }
	}
	if o.World != "" {
		var err error
		if config.World, err = os.ReadFile(o.World); err != nil {
			return nil, &server.ConfigError{Option: "--world", Err: fmt.Errorf("%w: name a file that can be read", err)}
		}
	}
	if o.Mutant != "" {
		m, ok := mutant.Find(o.Mutant)
		if !ok {
			return nil, &server.ConfigError{Option: "--mutant", Err: fmt.Errorf("there is no mutant %q: --mutant list shows them all", o.Mutant)}
		}
		config.Assemble = m.Apply
	}
	s, err := server.New(config)
	if wrong, ok := errors.AsType[*server.ConfigError](err); ok {
		return nil, &server.ConfigError{Option: "--" + wrong.Option, Err: wrong.Err}
	}
	return s, err
}
