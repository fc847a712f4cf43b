package simulate

import (
	"math/rand/v2"
	"time"

	"leadconform/load/internal/plan"
)

// bucket holds up to depth tokens and gains rate a second. It starts full.
type bucket struct {
	rate, depth float64
	tokens      float64
	at          time.Duration
}

func newBucket(rate, depth float64) bucket { return bucket{rate: rate, depth: depth, tokens: depth} }

func (b *bucket) fill(now time.Duration) {
	if now > b.at {
		b.tokens = min(b.depth, b.tokens+b.rate*(now-b.at).Seconds())
		b.at = now
	}
}

// wait is how long it takes until a token is there.
func (b *bucket) wait() time.Duration {
	return time.Duration(max(0, 1-b.tokens) / b.rate * float64(time.Second))
}

// dual is two buckets: one gains R and holds the credit, one gains B and bounds the peak. A request takes from both or
// from neither.
type dual struct{ committed, peak bucket }

func (d *dual) Take(now time.Duration) (bool, time.Duration) {
	d.committed.fill(now)
	d.peak.fill(now)
	if d.committed.tokens < 1 || d.peak.tokens < 1 {
		return false, max(d.committed.wait(), d.peak.wait())
	}
	d.committed.tokens--
	d.peak.tokens--
	return true, 0
}

// dualBucket is a dual bucket whose committed depth is E plus slack seconds of R, and whose peak depth is so many
// seconds of B. The contract leaves both open up to one second.
func dualBucket(slack, peak time.Duration) NewLaw {
	return func(p plan.Policy, _ *rand.Rand) Law {
		return &dual{
			committed: newBucket(p.Rate, p.Credit()+p.Rate*slack.Seconds()+1),
			peak:      newBucket(p.Burst, p.Burst*peak.Seconds()+1),
		}
	}
}

// single is one bucket of depth E: right where B only sizes the credit, wrong where B is a peak rate.
type single struct{ bucket }

func (s *single) Take(now time.Duration) (bool, time.Duration) {
	s.fill(now)
	if s.tokens < 1 {
		return false, s.wait()
	}
	s.tokens--
	return true, 0
}

func singleBucket(p plan.Policy, _ *rand.Rand) Law {
	return &single{newBucket(p.Rate, p.Credit()+p.Rate/4+1)}
}

// gcra is the generic cell rate algorithm: it keeps the time at which the next request is due, and admits those that
// come no more than a tolerance too early.
type gcra struct {
	every, tolerance time.Duration
	due              time.Duration
}

func newGCRA(rate, burst float64) gcra {
	every := time.Duration(float64(time.Second) / rate)
	return gcra{every: every, tolerance: time.Duration(burst * float64(every))}
}

// early is how much earlier than allowed a request comes that comes now; it is admitted if that is at most 0.
func (g *gcra) early(now time.Duration) time.Duration { return max(g.due, now) - now - g.tolerance }

func (g *gcra) take(now time.Duration) { g.due = max(g.due, now) + g.every }

// gcraPair bounds both rates.
type gcraPair struct{ committed, peak gcra }

func (g *gcraPair) Take(now time.Duration) (bool, time.Duration) {
	if early := max(g.committed.early(now), g.peak.early(now)); early > 0 {
		return false, early
	}
	g.committed.take(now)
	g.peak.take(now)
	return true, 0
}

func newGCRAPair(p plan.Policy, _ *rand.Rand) Law {
	return &gcraPair{
		committed: newGCRA(p.Rate, p.Credit()+p.Rate/4),
		peak:      newGCRA(p.Burst, p.Burst/4),
	}
}

// basePlusCredit lets R in by a small bucket of its own, and what exceeds it at the expense of a credit, which gains what
// the small bucket can't hold. The peak is bounded by a third bucket.
type basePlusCredit struct {
	base, peak    bucket
	credit, limit float64
}

func (b *basePlusCredit) Take(now time.Duration) (bool, time.Duration) {
	overflow := b.base.tokens + b.base.rate*(now-b.base.at).Seconds() - b.base.depth
	b.credit = min(b.limit, b.credit+max(0, overflow))
	b.base.fill(now)
	b.peak.fill(now)
	switch {
	case b.peak.tokens < 1:
		return false, b.peak.wait()
	case b.base.tokens >= 1:
		b.base.tokens--
	case b.credit >= 1:
		b.credit--
	default:
		return false, b.base.wait()
	}
	b.peak.tokens--
	return true, 0
}

func newBasePlusCredit(p plan.Policy, _ *rand.Rand) Law {
	return &basePlusCredit{
		base:   newBucket(p.Rate, p.Rate/4+1),
		peak:   newBucket(p.Burst, p.Burst/4+1),
		credit: p.Credit(), limit: p.Credit(),
	}
}

// idleReset has its credit back as a whole after so long without a request, and no sooner.
type idleReset struct {
	basePlusCredit
	idle time.Duration
	last time.Duration
}

func (r *idleReset) Take(now time.Duration) (bool, time.Duration) {
	full := r.limit
	r.limit = r.credit // nothing flows back
	if now-r.last >= r.idle {
		r.credit, r.limit = full, full
	}
	ok, wait := r.basePlusCredit.Take(now)
	r.limit, r.last = full, now
	return ok, wait
}

func newIdleReset(p plan.Policy, rng *rand.Rand) Law {
	return &idleReset{basePlusCredit: *newBasePlusCredit(p, rng).(*basePlusCredit), idle: 30 * time.Second}
}

// shared is a dual bucket that two nodes keep together, each seeing the other's requests only after a delay.
type shared struct {
	dual
	lag  time.Duration
	seen [2][]time.Duration // what each node admitted within the last lag
}

func (s *shared) takeAt(node int, now time.Duration) (bool, time.Duration) {
	s.committed.fill(now)
	s.peak.fill(now)
	other := 1 - node
	for len(s.seen[other]) > 0 && s.seen[other][0] <= now-s.lag {
		s.seen[other] = s.seen[other][1:]
	}
	unseen := float64(len(s.seen[other]))
	committed, peak := s.committed, s.peak
	committed.tokens += unseen
	peak.tokens += unseen
	if committed.tokens < 1 || peak.tokens < 1 {
		return false, max(committed.wait(), peak.wait())
	}
	s.committed.tokens--
	s.peak.tokens--
	for len(s.seen[node]) > 0 && s.seen[node][0] <= now-s.lag {
		s.seen[node] = s.seen[node][1:]
	}
	s.seen[node] = append(s.seen[node], now)
	return true, 0
}

// quarterBucket allows a quarter of a second of slack on both sides. The wrong models are variations of it.
func quarterBucket(p plan.Policy, rng *rand.Rand) Law {
	return dualBucket(time.Second/4, time.Second/4)(p, rng)
}

// SlowRecovery is a model whose credit comes back at a tenth of what R leaves: not after the usual rest, but after a
// minute more it is mostly there. The contract says nothing of how fast.
func SlowRecovery(policies map[string]plan.Policy, rng *rand.Rand) Model {
	return newPerKey(policies, rng, func(p plan.Policy, rng *rand.Rand) Law {
		return &slowRecovery{*newBasePlusCredit(p, rng).(*basePlusCredit)}
	})
}

type slowRecovery struct{ basePlusCredit }

func (s *slowRecovery) Take(now time.Duration) (bool, time.Duration) {
	overflow := s.base.tokens + s.base.rate*(now-s.base.at).Seconds() - s.base.depth
	s.credit -= 0.9 * min(max(0, overflow), s.limit-s.credit)
	return s.basePlusCredit.Take(now)
}
