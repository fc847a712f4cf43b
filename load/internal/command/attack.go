package command

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

type attackCmd struct {
	targetFlags
	shardFlags
	Endpoint    string        `help:"What to attack: ingest, ping, lookup, leads or internal." required:"" placeholder:"ENDPOINT"`
	Rate        float64       `help:"Requests per second, with each key." placeholder:"N"`
	Duration    time.Duration `help:"For how long." default:"10s"`
	Phases      string        `help:"Several rates in a row instead, such as 200/4s,0/2s,100/4s; 0 is a silence." placeholder:"RATE/TIME,…"`
	Suppliers   []string      `help:"Whose keys are used, as roles of the profile. All of them attack side by side." default:"primary" placeholder:"ROLE"`
	Connections int           `help:"Connections dialled ahead, with each key; at least 16." default:"16"`
	Out         string        `help:"Write a trace, which load report reads." placeholder:"FILE"`
	VegetaOut   string        `help:"Write results that the vegeta command's report and plot read." placeholder:"FILE"`
	Format      string        `help:"What stdout receives at the end." default:"text" enum:"text,json"`
	Seed        uint64        `help:"Fixes the values that are sent." placeholder:"N"`
}

// Help is shown by load attack --help.
func (attackCmd) Help() string {
	return `Prints a line a second: what was meant, what was sent, what became of it. The schedule never catches up after a stall; results have the time that was meant as timestamp, so that a queue in the client shows as latency.

Examples:

  load attack --endpoint ping --rate 1000 --duration 30s
  load attack --endpoint ingest --phases 200/4s,0/2s,100/4s --suppliers limits_a,limits_b
  load attack --endpoint lookup --rate 20 --vegeta-out results.bin && vegeta report results.bin
  load attack --endpoint ping --rate 9000 --shard 0/3 --start-at 2026-01-31T12:00:00Z --out 0.trace`
}

// Run attacks one endpoint.
func (a *attackCmd) Run(ctx context.Context, w *World) error {
	if err := a.shardFlags.check(a.Out); err != nil {
		return err
	}
	stretches, err := a.stretches()
	if err != nil {
		return err
	}
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
	return a.fire(ctx, w, shot, whole)
}

// stretch is a rate that is held for a time.
type stretch struct {
	rate   float64
	length time.Duration
}

// mostRequests bounds an attack: a trace numbers its requests with 32 bits.
const mostRequests = 1 << 31

// stretches reads --phases, or --rate and --duration.
func (a *attackCmd) stretches() ([]stretch, error) {
	all := []stretch{{a.Rate, a.Duration}}
	switch {
	case a.Phases != "" && a.Rate != 0:
		return nil, usage("--rate and --phases: give one of them")
	case a.Phases == "" && !(a.Rate > 0):
		return nil, usage("--rate: how many requests per second? Or give --phases")
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
	total := 0.0
	for _, s := range all {
		if s.length <= 0 {
			return nil, usage("--duration %v: it must be above 0", s.length)
		}
		total += s.rate * s.length.Seconds()
	}
	if total*float64(len(a.Suppliers)) > mostRequests {
		return nil, usage("%.3g requests are more than an attack can hold", total)
	}
	return all, nil
}

func readStretch(text string) (stretch, error) {
	rate, length, found := strings.Cut(text, "/")
	if !found {
		return stretch{}, fmt.Errorf("%q is no phase: write it as rate/time, such as 200/4s", text)
	}
	perSecond, err := strconv.ParseFloat(rate, 64)
	if err != nil || !(perSecond >= 0 && perSecond < mostRequests) {
		return stretch{}, fmt.Errorf("%q is no rate in requests per second", rate)
	}
	took, err := time.ParseDuration(length)
	if err != nil || took <= 0 {
		return stretch{}, fmt.Errorf("%q is no time: write it as 4s or 500ms", length)
	}
	return stretch{perSecond, took}, nil
}
