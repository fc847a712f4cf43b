package ratelimit

import (
	"context"
	"fmt"
	"hash/maphash"
	"math"
	"sync"
	"time"
)

// Memory is a Limiter for one process. Its keys are spread over shards with a lock each, so that a decision for one
// supplier hardly ever waits for another's, and it forgets keys that are rested again.
//
// The two rates are two token buckets: one of CommittedDepth that fills at Rate, one of PeakDepth that fills at Burst. A
// request passes if both hold a token, and takes one of each; otherwise it takes none. It follows, for the requests that
// pass (LD-LIM-*):
//
//   - any interval of τ seconds holds at most C + R·τ of them and at most P + B·τ. That is within what may never be
//     exceeded, R·τ + E + R and B·(⌈τ⌉+1), since C ≤ E + R and P ≤ B for an R of 2 or more.
//   - once the committed bucket is empty, no more than R·τ + 1 pass in the next τ seconds.
//
// And for requests that arrive at a rested key: all of them pass if, and only if, every interval of τ seconds holds at
// most C + R·τ of them and at most P + B·τ. So a client that sends R a second for ever, or B a second for the window and
// R a second from then on, meets no limit as long as each request is at most a quarter of a second late. It does meet
// one if it saves up a second's requests and sends them together: at one instant at most P pass, then B a second, and a
// bunch of R or B in a single moment is cut at P, although no second holds more than R or B.
//
// The fixed window opens with a key's first request, and again with the first request after it has ended.
type Memory struct {
	now    func() time.Time
	start  time.Time
	seed   maphash.Seed
	shards [64]shard
}

// shard is the part of the keys that one lock guards.
type shard struct {
	mu      sync.Mutex
	buckets map[Key]*buckets
	windows map[Key]*window
	sweepAt int // number of keys at which the rested ones are dropped

	_ [128 - 32]byte // so that two shards' locks don't share a cache line
}

// NewMemory returns a limiter that takes the time from now, whose readings must not go back.
func NewMemory(now func() time.Time) *Memory {
	m := &Memory{now: now, start: now(), seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].clear()
	}
	return m
}

// TwoRate decides one request under p. It returns an error only if p is not valid.
func (m *Memory) TwoRate(_ context.Context, key Key, p TwoRate) (Decision, error) {
	if err := p.Validate(); err != nil {
		return Decision{}, fmt.Errorf("limit %s: %w", key.Scope, err)
	}
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := m.elapsed()
	b := s.buckets[key]
	if b == nil {
		s.makeRoom(now)
		b = &buckets{committed: tokens(p.CommittedDepth()), peak: tokens(p.PeakDepth()), at: now}
		s.buckets[key] = b
	}
	return b.take(now, p), nil
}

// FixedWindow decides one request under p. It returns an error only if p is not valid.
func (m *Memory) FixedWindow(_ context.Context, key Key, p FixedWindow) (Decision, error) {
	if err := p.Validate(); err != nil {
		return Decision{}, fmt.Errorf("limit %s: %w", key.Scope, err)
	}
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := m.elapsed()
	w := s.windows[key]
	if w == nil {
		s.makeRoom(now)
		w = &window{opened: now, ends: now + p.Window}
		s.windows[key] = w
	}
	return w.take(now, p), nil
}

// Reset forgets every count.
func (m *Memory) Reset(context.Context) error {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		s.clear()
		s.mu.Unlock()
	}
	return nil
}

// Ready is always nil: memory is never out of reach.
func (m *Memory) Ready(context.Context) error { return nil }

func (m *Memory) shard(key Key) *shard {
	return &m.shards[maphash.Comparable(m.seed, key)%uint64(len(m.shards))]
}

// elapsed is the time since the limiter was made, by the monotonic clock if now has one.
func (m *Memory) elapsed() time.Duration { return m.now().Sub(m.start) }

func (s *shard) clear() {
	s.buckets, s.windows, s.sweepAt = map[Key]*buckets{}, map[Key]*window{}, minSweep
}

// minSweep is the number of keys that a shard holds without a thought to dropping any.
const minSweep = 64

// makeRoom drops the keys that are rested, for which a fresh entry would say the same, whenever their number has doubled:
// a new key pays for at most two others, and at most twice the keys in use are kept.
func (s *shard) makeRoom(now time.Duration) {
	if len(s.buckets)+len(s.windows) < s.sweepAt {
		return
	}
	for key, b := range s.buckets {
		if b.rested(now) {
			delete(s.buckets, key)
		}
	}
	for key, w := range s.windows {
		if now >= w.ends {
			delete(s.windows, key)
		}
	}
	s.sweepAt = max(minSweep, 2*(len(s.buckets)+len(s.windows)))
}

// buckets are the two token buckets of one key. Tokens are counted in billionths: at R requests per second, R billionths
// come in every nanosecond, so that nothing is rounded for a whole R.
type buckets struct {
	committed, peak int64
	at              time.Duration // when they held that much
	policy          TwoRate       // the last one they were asked about
}

// token is what one request takes.
const token = 1e9

func tokens(requests float64) int64 { return int64(requests * token) }

func (b *buckets) take(now time.Duration, p TwoRate) Decision {
	committed, peak := b.level(now, p)
	if committed < token || peak < token {
		wait := max(untilToken(committed, p.Rate), untilToken(peak, p.Burst))
		return Decision{RetryAfter: max(time.Second, wholeSeconds(wait))}
	}
	*b = buckets{committed: committed - token, peak: peak - token, at: now, policy: p}
	return Decision{Allowed: true}
}

// level is what the buckets hold now.
func (b *buckets) level(now time.Duration, p TwoRate) (committed, peak int64) {
	passed := now - b.at
	return fill(b.committed, p.Rate, passed, p.CommittedDepth()), fill(b.peak, p.Burst, passed, p.PeakDepth())
}

func (b *buckets) rested(now time.Duration) bool {
	committed, peak := b.level(now, b.policy)
	return committed == tokens(b.policy.CommittedDepth()) && peak == tokens(b.policy.PeakDepth())
}

func fill(level int64, rate float64, passed time.Duration, depth float64) int64 {
	full := tokens(depth)
	if gained := rate * float64(passed); gained < float64(full-level) {
		return level + int64(math.Round(gained))
	}
	return full
}

// untilToken is the time in nanoseconds until a bucket at that level holds a token.
func untilToken(level int64, rate float64) float64 {
	return float64(max(0, token-level)) / rate
}

func wholeSeconds(nanoseconds float64) time.Duration {
	return time.Duration(math.Ceil(nanoseconds/float64(time.Second))) * time.Second
}

// window is the count of one key.
type window struct {
	opened, ends time.Duration
	count        int64
}

func (w *window) take(now time.Duration, p FixedWindow) Decision {
	if now >= w.opened+p.Window {
		*w = window{opened: now}
	}
	w.ends = w.opened + p.Window
	if w.count >= p.Requests {
		return Decision{RetryAfter: max(time.Second, wholeSeconds(float64(w.ends-now)))}
	}
	w.count++
	return Decision{Allowed: true}
}
