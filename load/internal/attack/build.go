package attack

import (
	"context"
	"fmt"
	"time"
)

// prepare takes a request that was built for the phase's endpoint and key, and reports whether pacing goes on. The
// first of a route is built on the spot; from then on a goroutine builds ahead, so that a slow signature or a pause of
// the collector never holds the schedule back.
func (d *driver) prepare(pacing context.Context, phase int) bool {
	at := route{endpoint: d.Phases[phase].Endpoint, stream: d.Phases[phase].Stream}
	built, ok := d.builders[at]
	if !ok {
		built = make(chan *hit, d.BuiltAhead)
		d.builders[at] = built
		d.work.Go(func() { d.build(pacing, phase, built) })
	}
	select {
	case d.waiting = <-built:
	case <-pacing.Done():
		return false
	}
	// What has waited through a silence is built anew: a signature should be of the time at which it is sent.
	if d.waiting.err == nil && time.Since(d.waiting.built) > freshFor {
		d.waiting = d.newHit(phase)
	}
	if d.waiting.err != nil {
		d.fail(d.waiting.err)
		return false
	}
	d.waiting.phase = phase
	return true
}

func (d *driver) build(pacing context.Context, phase int, built chan<- *hit) {
	for {
		h := d.newHit(phase)
		last := h.err != nil
		select {
		case built <- h:
		case <-pacing.Done():
			return
		}
		if last {
			return
		}
	}
}

func (d *driver) newHit(phase int) *hit {
	request, err := d.Build(phase)
	if err != nil {
		return &hit{err: fmt.Errorf("build a request for %s: %w", d.Phases[phase].Endpoint, err)}
	}
	return &hit{request: request, built: time.Now()}
}

// refill dials anew shortly before a silence ends: servers close what stays silent for long.
func (d *driver) refill(pacing context.Context, until time.Duration) {
	d.work.Go(func() {
		timer := time.NewTimer(time.Until(d.start.Add(until - refillFor)))
		defer timer.Stop()
		select {
		case <-timer.C:
			// A target that can't be reached now shows in the requests themselves.
			_ = d.pool.fill(pacing, d.Connections)
		case <-pacing.Done():
		}
	})
}
