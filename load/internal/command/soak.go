package command

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/shard"
	"leadconform/load/internal/soak"
)

type soakCmd struct {
	targetFlags
	policyFlags
	shardFlags
	Suppliers int           `help:"How many suppliers. All workers of a run are given the number of all of them." required:"" placeholder:"N"`
	Keys      string        `help:"Whose keys are used where the world isn't a generated one: a CSV file of supplier,key, a supplier a line; a key may be $${NAME}, taken from the environment." placeholder:"FILE"`
	Endpoint  string        `help:"What to send to: ingest or ping." default:"ingest" enum:"ingest,ping"`
	Over      float64       `help:"How many times the sustained rate is offered; at least 1.15, or a limit that is off by 10 % would not show." default:"1.2" placeholder:"FACTOR"`
	For       time.Duration `help:"How long." default:"2m"`
	Ramp      time.Duration `help:"Within what time the suppliers set in, one after the other. Default: a twentieth of the whole, at most 30s." placeholder:"TIME"`
	FailFast  bool          `help:"Stop at the first bound that is violated."`
	Out       string        `help:"Write the trace, which load report reads." placeholder:"FILE"`
	Format    string        `help:"What stdout receives at the end." default:"text" enum:"text,json"`
	Seed      uint64        `help:"Fixes the values that are sent." placeholder:"N"`
}

// Help is shown by load soak --help.
func (soakCmd) Help() string {
	return `Drives every supplier somewhat above its sustained rate, from rest, and judges each by its own curves, second by second: neither more nor less may get in than is promised. A supplier that was not driven at its limit, in time and for long enough to see a rate that is off by 10 %, is not assessed. Prints a line a second.

Without --target and --profile a reference server is started whose world has that many suppliers; one that runs elsewhere is started with the world that load world prints.

Examples:
  load soak --suppliers 20 --rate 50 --for 3m --fail-fast
  load soak --suppliers 2 --keys keys.csv --profile staging.yaml --allow-load staging.example.com
  load soak --suppliers 200 --shard 0/3 --start-at 2026-01-31T12:00:00Z --out 0.trace --target http://127.0.0.1:8080`
}

// check reports what is wrong with the flags.
func (s *soakCmd) check() error {
	switch {
	case s.Suppliers < 1 || s.Suppliers > mostGenerated:
		return usage("--suppliers %d: give a number from 1 to %d", s.Suppliers, mostGenerated)
	case !(s.Over >= soak.LeastOver):
		return usage("--over %g: give at least %g, or a limit that is off by 10 %% would not show", s.Over, soak.LeastOver)
	case s.For <= 0 || s.Ramp < 0 || s.Ramp >= s.For:
		return usage("--for %v, --ramp %v: give times above 0, the ramp the shorter", s.For, s.Ramp)
	case s.Profile != "" && s.Keys == "":
		return usage("--profile %s: say with --keys whose keys are used", s.Profile)
	case s.Rate*s.Over*s.For.Seconds()*float64(s.Suppliers) > mostRequests*float64(max(1, s.Shard.Count)):
		return usage("%.3g requests are more than a worker can number: make it shorter, or split it with --shard", s.Rate*s.Over*s.For.Seconds()*float64(s.Suppliers))
	}
	if s.Ramp == 0 {
		s.Ramp = min(s.For/20, 30*time.Second)
	}
	return s.shardFlags.check(s.Out)
}

// Run soaks a target.
func (s *soakCmd) Run(ctx context.Context, w *World) error {
	policy, err := s.policy()
	if err != nil {
		return err
	}
	if err := s.check(); err != nil {
		return err
	}
	all, err := s.suppliers(w)
	if err != nil {
		return err
	}
	world, err := soak.World{Suppliers: s.Suppliers, Policy: policy}.YAML()
	if err != nil {
		return err
	}
	records := &records{}
	if err := records.open(s.Out, ""); err != nil {
		return err
	}
	defer func() { _ = records.close() }()
	c, err := s.chooseIn(ctx, w, world)
	if err != nil {
		return err
	}
	defer c.stop()
	if c.profile, err = s.profileOf(c.profile, all); err != nil {
		return err
	}
	shot, err := newShot(c, s.Endpoint, s.Seed)
	if err != nil {
		return err
	}
	defer shot.close()
	shot.strict = true
	run, err := s.lay(shot, policy, all)
	if err != nil {
		return err
	}
	if err := shot.try(ctx, w, string(run.plan.Phases[0].Stream)); err != nil {
		return err
	}
	return s.drive(ctx, w, run, records)
}

// suppliers lists all suppliers of the run, those of other workers too.
func (s *soakCmd) suppliers(w *World) ([]soak.Supplier, error) {
	if s.Keys == "" {
		all := make([]soak.Supplier, s.Suppliers)
		for i := range all {
			all[i] = soak.Generated(i)
		}
		return all, nil
	}
	file, err := os.Open(s.Keys)
	if err != nil {
		return nil, usage("--keys: %w", err)
	}
	defer func() { _ = file.Close() }()
	all, err := readKeys(file, w.Getenv)
	if err != nil {
		return nil, usage("--keys %s: %w", s.Keys, err)
	}
	if len(all) < s.Suppliers {
		return nil, usage("--keys %s: it has %d suppliers, --suppliers asks for %d", s.Keys, len(all), s.Suppliers)
	}
	return all[:s.Suppliers], nil
}

// readKeys reads a CSV file of supplier,key. Its errors name the line, never a key.
func readKeys(in io.Reader, getenv func(string) (string, bool)) ([]soak.Supplier, error) {
	records := csv.NewReader(in)
	records.FieldsPerRecord, records.TrimLeadingSpace, records.Comment = 2, true, '#'
	var all []soak.Supplier
	for {
		record, err := records.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: each line is supplier,key", err)
		}
		line, _ := records.FieldPos(0)
		id, key := strings.TrimSpace(record[0]), strings.TrimSpace(record[1])
		if name, ok := strings.CutPrefix(key, "${"); ok {
			name = strings.TrimSuffix(name, "}")
			if key, ok = getenv(name); !ok || key == "" {
				return nil, fmt.Errorf("line %d: environment variable %s is not set", line, name)
			}
		}
		switch {
		case id == "" || key == "":
			return nil, fmt.Errorf("line %d: each line is supplier,key", line)
		case slices.ContainsFunc(all, func(s soak.Supplier) bool { return s.ID == id }):
			return nil, fmt.Errorf("line %d: the supplier %s is there already: its keys share one limit, so give one of them", line, id)
		}
		all = append(all, soak.Supplier{ID: id, Key: key})
	}
}

// profileOf is the profile with the suppliers as its credentials, each by its id.
func (s *soakCmd) profileOf(p *target.Profile, all []soak.Supplier) (*target.Profile, error) {
	if p.Distro == nil {
		return nil, usage("the profile doesn't describe the %s API", target.APIDistro)
	}
	own, distro := *p, *p.Distro
	own.Distro = &distro
	distro.Credentials = make(map[string]target.SupplierKey, len(all))
	for _, one := range all {
		distro.Credentials[one.ID] = target.SupplierKey{Supplier: one.ID, Key: one.Key}
	}
	if s.Keys == "" {
		distro.Campaigns = map[string]target.Campaign{"open": {ID: soak.Campaign}}
	} else if _, ok := distro.Campaigns["open"]; !ok {
		return nil, usage("the profile has no distro.campaigns.open, which all the suppliers send to")
	}
	return &own, nil
}

// soaking is a soak that is laid out.
type soaking struct {
	*shot
	policy      plan.Policy
	plan        plan.Plan
	interleaved bool
	clock       shard.Clock
	trips       []time.Duration
	board       *soak.Board
	scripts     []*soak.Script
}

// lay makes the plan of this worker.
func (s *soakCmd) lay(shot *shot, policy plan.Policy, all []soak.Supplier) (*soaking, error) {
	whole := soak.Plan{Endpoint: s.Endpoint, Offered: s.Over * policy.Rate, Ramp: s.Ramp, Length: s.For}
	interleaved := s.Shard.Interleaves(len(all))
	for i, one := range all {
		if interleaved || s.Shard.Owns(i) {
			whole.Suppliers = append(whole.Suppliers, one.ID)
		}
	}
	if err := whole.Validate(); err != nil {
		return nil, usage("%w", err)
	}
	r := &soaking{shot: shot, policy: policy, interleaved: interleaved}
	r.plan = plan.Plan{Endpoints: []plan.Endpoint{{API: shot.api, Name: s.Endpoint, Policy: policy}}, Phases: whole.Phases()}
	if interleaved {
		for i, p := range r.plan.Phases {
			r.plan.Phases[i] = s.Shard.Interleave(p)
		}
	}
	return r, nil
}

// attackers is how many attacks share the suppliers: a pacer is one goroutine, and so is what reads the answers.
const attackers = 2

// attacks are those of the soak, and the board that judges it.
func (r *soaking) attacks(ctx context.Context) ([]attack.Attack, error) {
	reach := r.reach()
	trips, err := attack.RoundTrips(ctx, reach, func() (*http.Request, error) { return r.caller.Keyless(r.api) }, watch(&r.clock))
	if err != nil {
		return nil, err
	}
	r.trips = trips
	bounds, trip := soak.BoundsOf(r.plan, trips, r.fresh)
	r.board = soak.NewBoard(bounds, judge.LagBound, trip)
	// The median trip at so many requests a second says how many are under way at a time.
	rate := bounds[0].Offered * float64(len(bounds)) / attackers
	var attacks []attack.Attack
	for g := range attackers {
		var own []int
		for i := range r.plan.Phases {
			if i%attackers == g {
				own = append(own, i)
			}
		}
		if len(own) == 0 {
			continue
		}
		script := soak.NewScript(r.plan.Phases, own, r.board)
		r.scripts = append(r.scripts, script)
		a := reach
		a.Script, a.Phases, a.BuiltAhead = script, r.plan.Phases, 4
		a.Connections = int(1.5 * rate * (trip - judge.TripBound).Seconds())
		a.Build = func(phase int) (*http.Request, error) { return r.request(string(r.plan.Phases[phase].Stream)) }
		a.Read = func(_ int, answer attack.Answer) attack.Reading { return r.caller.Read(r.endpoint, answer) }
		attacks = append(attacks, a)
	}
	return attacks, nil
}
