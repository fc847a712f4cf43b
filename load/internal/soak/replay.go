package soak

import (
	"iter"

	"leadconform/load/internal/trace"
)

// Replay judges samples that come in the order in which they were due, as a board judges them live.
func (b *Board) Replay(samples iter.Seq[trace.Sample]) {
	for s := range samples {
		b.Advance(s.Intended)
		b.Due(int(s.Phase), s.Intended)
		b.Take(s)
	}
	b.Finish()
}
