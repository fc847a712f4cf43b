package command

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/soak"
)

// policyFlags are a limit that every supplier of a generated world has.
type policyFlags struct {
	Rate   float64       `help:"The sustained rate that each supplier is promised, in requests per second." default:"100" placeholder:"N"`
	Burst  float64       `help:"The burst rate; default: twice the rate." placeholder:"N"`
	Window time.Duration `help:"How long the burst rate holds from rest." default:"10s"`
}

func (f policyFlags) policy() (plan.Policy, error) {
	if !(f.Rate > 0 && f.Rate <= mostRate) {
		return plan.Policy{}, usage("--rate %g: give requests per second, above 0 and at most %d", f.Rate, mostRate)
	}
	p := plan.Policy{Rate: f.Rate, Burst: f.Burst, Window: f.Window}
	if p.Burst == 0 {
		p.Burst = 2 * p.Rate
	}
	if err := p.Validate(); err != nil {
		return p, usage("--rate, --burst, --window: %w", err)
	}
	return p, nil
}

type worldCmd struct {
	policyFlags
	Suppliers int            `help:"How many suppliers." required:"" placeholder:"N"`
	Print     string         `help:"What to print: the world, or its suppliers' keys as load soak --keys reads them." default:"world" enum:"world,keys"`
	Wrong     map[int]string `help:"Suppliers, from 0, whose limits are off, and by what they are multiplied: 17=0.9." mapsep:"," placeholder:"I=FACTOR"`
}

// Help is shown by load world --help.
func (worldCmd) Help() string {
	return `Prints YAML for reference --world. The suppliers and their keys are the same on every machine, so that load soak knows them without being told.

Example:
  load world --suppliers 200 --wrong 17=0.9 > world.yaml && reference --world world.yaml`
}

// mostGenerated bounds a generated world.
const mostGenerated = 100_000

// Run prints a world.
func (c *worldCmd) Run(w *World) error {
	policy, err := c.policy()
	if err != nil {
		return err
	}
	if c.Suppliers < 1 || c.Suppliers > mostGenerated {
		return usage("--suppliers %d: give a number from 1 to %d", c.Suppliers, mostGenerated)
	}
	if c.Print == "keys" {
		for i := range c.Suppliers {
			one := soak.Generated(i)
			w.printf("%s,%s\n", one.ID, one.Key)
		}
		return nil
	}
	world := soak.World{Suppliers: c.Suppliers, Policy: policy, Wrong: map[int]float64{}}
	for _, i := range slices.Sorted(maps.Keys(c.Wrong)) {
		factor, err := strconv.ParseFloat(strings.TrimSpace(c.Wrong[i]), 64)
		if err != nil || !(factor > 0) || i < 0 || i >= c.Suppliers {
			return usage("--wrong %d=%s: write it as a supplier from 0 to %d, and a factor above 0", i, c.Wrong[i], c.Suppliers-1)
		}
		world.Wrong[i] = factor
	}
	text, err := world.YAML()
	if err != nil {
		return err
	}
	_, err = w.Stdout.Write(text)
	return err
}
