package attack

import (
	"context"
	"errors"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"leadconform/load/internal/plan"
)

// pacer owns the clock of one attack: Pace returns when the next request is due, never asks Vegeta to wait, and ends the
// attack when the script does. Vegeta's own pacing would catch up after a stall without bound.
type pacer struct {
	driver  *driver
	pacing  context.Context // its end is the end of the attack
	sleeper Sleeper
}

var _ vegeta.Pacer = (*pacer)(nil)

// Pace blocks until hit number hits is due. Vegeta's clock is not asked.
func (p *pacer) Pace(_ time.Duration, hits uint64) (wait time.Duration, stop bool) {
	move := p.driver.next()
	for ; move.Kind == plan.Drain; move = p.driver.next() {
		if !p.driver.drain(p.pacing) {
			return 0, true
		}
	}
	if move.Kind == plan.Done || !p.driver.prepare(p.pacing, move.Phase) {
		return 0, true
	}
	due := p.driver.due(move.At)
	if due-p.driver.elapsed() > idleTimeout {
		p.driver.refill(p.pacing, due)
	}
	if err := p.sleeper.Until(p.driver.start.Add(due)); err != nil {
		if !errors.Is(err, p.pacing.Err()) {
			p.driver.fail(err)
		}
		return 0, true
	}
	p.driver.begin(hits, due)
	return 0, false
}

// Rate is for those who draw an attack before it is run; nobody does.
func (p *pacer) Rate(time.Duration) float64 { return 0 }
