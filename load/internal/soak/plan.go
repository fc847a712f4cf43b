package soak

import (
	"fmt"
	"time"

	"leadconform/load/internal/plan"
)

// Phase is what the phases of a soak are called: one of each supplier, whose stream is its id.
const Phase plan.Name = "soak"

// MostSuppliers is how many one worker can drive: a trace numbers them with 16 bits, and lists them in its head.
const MostSuppliers = 5000

// Plan is the schedule of a soak: every supplier at a constant rate until the end.
type Plan struct {
	Endpoint  string
	Suppliers []string // their ids
	Offered   float64  // requests per second of each
	// Ramp is the time within which the suppliers set in, one after the other, so that it shows how many of them can be
	// carried.
	Ramp   time.Duration
	Length time.Duration // of the whole
}

// Phases lists the phases, one of each supplier.
func (p Plan) Phases() []plan.Phase {
	phases := make([]plan.Phase, len(p.Suppliers))
	for i, id := range p.Suppliers {
		// They set in at different moments of a second too, or all requests would come in bunches.
		start := time.Duration(float64(p.Ramp) * float64(i) / float64(len(p.Suppliers)))
		start += time.Duration(float64(time.Second) / p.Offered * float64(i) / float64(len(p.Suppliers)))
		phases[i] = plan.Phase{Name: Phase, Endpoint: p.Endpoint, Stream: plan.Stream(id), Start: start, Length: max(0, p.Length-start), Rate: p.Offered}
	}
	return phases
}

// Validate reports what is wrong with the plan, or nil.
func (p Plan) Validate() error {
	switch {
	case len(p.Suppliers) == 0:
		return fmt.Errorf("there is no supplier")
	case len(p.Suppliers) > MostSuppliers:
		return fmt.Errorf("%d suppliers are more than one worker drives, which is %d: split them with --shard", len(p.Suppliers), MostSuppliers)
	case p.Length <= p.Ramp:
		return fmt.Errorf("it ends after %v, before the last supplier sets in at %v", p.Length, p.Ramp)
	}
	return nil
}

// IsPlan reports whether a plan is that of a soak.
func IsPlan(p plan.Plan) bool { return len(p.Phases) > 0 && p.Phases[0].Name == Phase }
