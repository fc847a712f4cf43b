// Package harness verifies the limits of a target: it runs the experiment that the limits rows of the contract are
// decided by, attacks all endpoints of both APIs side by side, judges what it saw, and says of each row what came out,
// by which figure, and what this very run could not have seen.
//
// A run judges itself first: a client or a network too noisy leaves rows not assessed, after one repetition, and never
// makes them fail or pass.
package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/endpoint"
	"leadconform/load/internal/plan"
)

// Target is what is attacked, and how to reach it.
type Target struct {
	// Profile says how to speak to it. The keys of the limits roles (limits_a and so on) are the only ones used, and
	// nobody else may use them meanwhile.
	Profile *target.Profile
	// Fresh says that nobody has used those keys lately: the target was just started, or its limits were reset. Else the
	// run begins by letting them rest, for about twelve seconds at the documented limits.
	Fresh bool
	// Dial replaces the network; nil: TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Virtual says that the run takes place in virtual time (testing/synctest), where only the runtime's own timers
	// count as waiting.
	Virtual bool
}

// Policy says how to verify.
type Policy struct {
	// Peak is how the burst rate is read: PeakStrict, the default, or PeakCapacity.
	Peak string
	// Endpoints lists what is verified: ingest, ping and lookup of the Lead Distro API, and insertion. Empty: all that
	// the profile describes.
	Endpoints []string

	// Part makes the run one worker's part of several.
	Part Part

	RunID   string // names what the run sends; required
	Version string // of this program, for User-Agent
	Seed    uint64 // fixes the names of the people who are made up

	// Trace receives the trace of the run as it goes on, in the form that load report reads; nil: nobody does.
	Trace io.Writer
	// Tell is called about once a second with what is going on; nil: nobody listens. It must not block.
	Tell func(Progress)
}

// The two readings of a burst rate such as 200 requests per second for ten seconds.
const (
	PeakStrict   = string(plan.PeakStrict)   // no second may admit more
	PeakCapacity = string(plan.PeakCapacity) // it only sizes the allowance; the peak rows are observed
)

// The endpoints that a Policy names.
const (
	Ingest    = endpoint.Ingest
	Ping      = endpoint.Ping
	Lookup    = endpoint.Lookup
	Insertion = "insertion" // both of its paths, which share one limit
)

// Endpoints lists all endpoints that a Policy may name.
func Endpoints() []string { return []string{Ingest, Ping, Lookup, Insertion} }

// Progress is what is going on in a run.
type Progress struct {
	Elapsed   time.Duration // since the attacks began
	Remaining time.Duration // as far as it is known; 0 at the end
	Doing     string        // in a few words
	Requests  int           // answered so far
}

// Errors of Verify. Any other error is one of usage: a policy or a profile that names what isn't there.
var (
	// ErrUnreachable means that the target can't be reached.
	ErrUnreachable = attack.ErrUnreachable
	// ErrNoKey means that no key for the limits rows gets a valid answer, or that there is none.
	ErrNoKey = errors.New("the target was reached, but can't be attacked")
	// ErrLost means that the target stopped serving half-way.
	ErrLost = attack.ErrLost
)

// Verify runs the experiment and returns its verdict. It takes about half a minute for the documented limits, all
// endpoints side by side, and longer where a phase is repeated.
//
// The verdict always has every row of tier limits of the APIs that were asked for. If ctx ends or the target is lost,
// Verify returns within two seconds what it has measured, with the error.
func Verify(ctx context.Context, t Target, p Policy) (Verdict, error) {
	r, err := newRun(t, p)
	if err != nil {
		return Verdict{}, err
	}
	defer r.close()
	err = r.experiment(ctx)
	return r.verdict(), err
}

// Check reports what is wrong with the policy for the target of a profile. Verify does so too.
func (p Policy) Check(profile *target.Profile) error { return p.check(profile) }

// check reports what is wrong with the policy, and fills in its defaults.
func (p *Policy) check(profile *target.Profile) error {
	if p.RunID == "" {
		return errors.New("verify the limits: the run has no ID")
	}
	switch p.Peak {
	case "":
		p.Peak = PeakStrict
	case PeakStrict, PeakCapacity:
	default:
		return fmt.Errorf("policy peak %q: it is strict or capacity", p.Peak)
	}
	if len(p.Endpoints) == 0 {
		p.Endpoints = described(profile)
	}
	for _, name := range p.Endpoints {
		switch {
		case !slices.Contains(Endpoints(), name):
			return fmt.Errorf("endpoint %q: the endpoints are ingest, ping, lookup and insertion", name)
		case !slices.Contains(described(profile), name):
			return fmt.Errorf("endpoint %s: the profile doesn't describe its API", name)
		}
	}
	if len(p.Endpoints) == 0 {
		return errors.New("the profile describes no API")
	}
	return nil
}

// described lists the endpoints whose API the profile describes.
func described(profile *target.Profile) []string {
	var names []string
	for _, name := range Endpoints() {
		if profile.BaseURL(apiOf(name)) != "" {
			names = append(names, name)
		}
	}
	return names
}

func apiOf(name string) string {
	if name == Insertion {
		return target.APIInsertion
	}
	return target.APIDistro
}
