package command

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"leadconform/load/internal/attack"
	"leadconform/load/internal/plan"
)

type attackCmd struct {
	targetFlags
	shardFlags
	Endpoint    string        `help:"What to attack: ingest, ping, lookup, leads or internal." required:"" placeholder:"ENDPOINT"`
	Rate        float64       `help:"Requests per second, with each key; at most 100000." placeholder:"N"`
	Duration    time.Duration `help:"For how long." default:"10s"`
	Phases      string        `help:"Several rates in a row instead, such as 200/4s,0/2s,100/4s; 0 is a silence." placeholder:"RATE/TIME,…"`
	Suppliers   []string      `help:"Whose keys are used, as roles of the profile. All of them attack side by side." default:"primary" placeholder:"ROLE"`
	Connections int           `help:"Connections dialled ahead, with each key: 16 to 10000." default:"16"`
	Out         string        `help:"Write a trace, which load report reads." placeholder:"FILE"`
	VegetaOut   string        `help:"Write results that the vegeta command's report and plot read." placeholder:"FILE"`
	Format      string        `help:"What stdout receives at the end." default:"text" enum:"text,json"`
	Seed        uint64        `help:"Fixes the values that are sent." placeholder:"N"`
}

// Help is shown by load attack --help.
func (attackCmd) Help() string {
	return `Prints a line a second: what was meant, what was sent, what became of it. The schedule never catches up after a stall; results have the time that was meant as timestamp, so that a queue in the client shows as latency. A phase that slides by more than 3 s, or a tenth of the longest phase where that is more, is given up.

Examples:

  load attack --endpoint ping --rate 1000 --duration 30s
  load attack --endpoint ingest --phases 200/4s,0/2s,100/4s --suppliers limits_a,limits_b
  load attack --endpoint lookup --rate 20 --vegeta-out results.bin && vegeta report results.bin
  load attack --endpoint ping --rate 9000 --shard 0/3 --start-at 2026-01-31T12:00:00Z --out 0.trace`
}

// Run attacks one endpoint.
func (a *attackCmd) Run(ctx context.Context, w *World) error {
	if err := a.check(); err != nil {
		return err
	}
	stretches, err := a.stretches()
	if err != nil {
		return err
	}
	records := &records{}
	if err := records.open(a.Out, a.VegetaOut); err != nil {
		return err
	}
	defer func() { _ = records.close() }()
	c, err := a.choose(ctx, w)
	if err != nil {
		return err
	}
	defer c.stop()
	shot, err := newShot(c, a.Endpoint, a.Seed)
	if err != nil {
		return err
	}
	defer shot.close()
	shot.connections = a.Connections
	for _, role := range a.Suppliers {
		if err := shot.try(ctx, w, role); err != nil {
			return err
		}
	}
	whole := shot.plan(stretches, a.Suppliers)
	whole.Phases, shot.interleaved = a.Shard.Split(whole.Phases)
	return a.fire(ctx, w, shot, whole, records)
}

// check reports what is wrong with the flags, but for what is to be sent.
func (a *attackCmd) check() error {
	if a.Connections < attack.DefaultConnections || a.Connections > mostConnections {
		return usage("--connections %d: give %d to %d", a.Connections, attack.DefaultConnections, mostConnections)
	}
	for i, role := range a.Suppliers {
		switch {
		case role == "":
			return usage("--suppliers: name roles of the profile, such as primary,secondary")
		case slices.Contains(a.Suppliers[:i], role):
			return usage("--suppliers: %s is there twice", role)
		}
	}
	return a.shardFlags.check(a.Out)
}

// stretch is a rate that is held for a time.
type stretch struct {
	rate   float64
	length time.Duration
}

// Bounds of an attack.
const (
	mostRequests    = 1 << 31 // a trace numbers them with 32 bits
	mostRate        = 100_000 // requests per second with one key: more than any machine sends
	mostConnections = 10_000
)

// stretches reads --phases, or --rate and --duration.
func (a *attackCmd) stretches() ([]stretch, error) {
	all := []stretch{{a.Rate, a.Duration}}
	switch {
	case a.Phases != "" && a.Rate != 0:
		return nil, usage("--rate and --phases: give one of them")
	case a.Phases == "" && a.Rate == 0:
		return nil, usage("--rate: how many requests per second? Or give --phases")
	case a.Phases == "" && !(a.Rate > 0 && a.Rate <= mostRate):
		return nil, usage("--rate %g: give requests per second, above 0 and at most %d", a.Rate, mostRate)
	case a.Phases != "":
		all = nil
		for _, part := range strings.Split(a.Phases, ",") {
			s, err := readStretch(strings.TrimSpace(part))
			if err != nil {
				return nil, usage("--phases %s: %w", a.Phases, err)
			}
			all = append(all, s)
		}
	}
	total := 0
	for _, s := range all {
		if s.length <= 0 {
			return nil, usage("--duration %v: it must be above 0", s.length)
		}
		total += plan.Phase{Rate: s.rate, Length: s.length}.Count()
	}
	switch {
	case total == 0:
		return nil, usage("at these rates nothing would be sent: raise --rate or --duration, or give --phases one above 0")
	case total > mostRequests/len(a.Suppliers):
		return nil, usage("%d requests with each key are more than an attack can hold", total)
	}
	return all, nil
}

func readStretch(text string) (stretch, error) {
	rate, length, found := strings.Cut(text, "/")
	if !found {
		return stretch{}, fmt.Errorf("%q is no phase: write it as rate/time, such as 200/4s", text)
	}
	perSecond, err := strconv.ParseFloat(rate, 64)
	if err != nil || !(perSecond >= 0 && perSecond <= mostRate) {
		return stretch{}, fmt.Errorf("%q is no rate in requests per second, 0 to %d", rate, mostRate)
	}
	took, err := time.ParseDuration(length)
	if err != nil || took <= 0 {
		return stretch{}, fmt.Errorf("%q is no time: write it as 4s or 500ms", length)
	}
	return stretch{perSecond, took}, nil
}
