package simulate

import (
	"math/rand/v2"
	"strconv"
	"time"

	"leadconform/load/internal/plan"
)

// The laws and models in this file are wrong, each in one way.

// scaled applies another law to another policy.
func scaled(law NewLaw, change func(plan.Policy) plan.Policy) NewLaw {
	return func(p plan.Policy, rng *rand.Rand) Law { return law(change(p), rng) }
}

// rateTimes changes R and leaves B and the credit: W is stretched or shrunk for it.
func rateTimes(factor float64) func(plan.Policy) plan.Policy {
	return func(p plan.Policy) plan.Policy {
		e := p.Credit()
		p.Rate *= factor
		p.Window = time.Duration(e / (p.Burst - p.Rate) * float64(time.Second))
		return p
	}
}

// burstTimes changes B and leaves R and the credit.
func burstTimes(factor float64) func(plan.Policy) plan.Policy {
	return func(p plan.Policy) plan.Policy {
		e := p.Credit()
		p.Burst *= factor
		p.Window = time.Duration(e / (p.Burst - p.Rate) * float64(time.Second))
		return p
	}
}

// windowTimes changes W, and the credit with it.
func windowTimes(factor float64) func(plan.Policy) plan.Policy {
	return func(p plan.Policy) plan.Policy {
		p.Window = time.Duration(factor * float64(p.Window))
		return p
	}
}

// unlimited admits everything.
type unlimited struct{}

func (unlimited) Take(time.Duration) (bool, time.Duration) { return true, 0 }

// noBurst is a bucket of R with one second of depth.
func noBurst(p plan.Policy, _ *rand.Rand) Law { return &single{newBucket(p.Rate, p.Rate)} }

// cold has no credit when it first sees a key.
type cold struct {
	dual
	open bool
}

func (c *cold) Take(now time.Duration) (bool, time.Duration) {
	if !c.open {
		c.open = true
		c.committed.at, c.committed.tokens = now, c.committed.rate
	}
	return c.dual.Take(now)
}

func coldBucket(p plan.Policy, rng *rand.Rand) Law {
	return &cold{dual: *quarterBucket(p, rng).(*dual)}
}

// charging takes a token for a refused request too, down to one second's worth of debt.
type charging struct{ dual }

func (c *charging) Take(now time.Duration) (bool, time.Duration) {
	ok, wait := c.dual.Take(now)
	if !ok {
		c.committed.tokens = max(-c.committed.rate, c.committed.tokens-1)
	}
	return ok, wait
}

// penalty shuts a key out for a while once it has been refused.
type penalty struct {
	Law
	length time.Duration
	until  time.Duration
	extend bool // whether requests meanwhile lengthen it
}

func (b *penalty) Take(now time.Duration) (bool, time.Duration) {
	if now < b.until {
		if b.extend {
			b.until = now + b.length
		}
		return false, b.until - now
	}
	ok, wait := b.Law.Take(now)
	if !ok {
		b.until = now + b.length
		wait = b.length
	}
	return ok, wait
}

func penaltyBox(length time.Duration, extend bool) NewLaw {
	return func(p plan.Policy, rng *rand.Rand) Law {
		return &penalty{Law: quarterBucket(p, rng), length: length, extend: extend}
	}
}

// spent has a credit that never comes back.
type spent struct {
	basePlusCredit
}

func (s *spent) Take(now time.Duration) (bool, time.Duration) {
	s.limit = s.credit
	return s.basePlusCredit.Take(now)
}

func neverBack(p plan.Policy, rng *rand.Rand) Law {
	return &spent{*newBasePlusCredit(p, rng).(*basePlusCredit)}
}

// longWindow counts in one fixed window of W, and knows no rate within it.
type longWindow struct {
	ceiling float64
	length  time.Duration
	origin  time.Duration
	n       float64
	open    bool
}

func (l *longWindow) Take(now time.Duration) (bool, time.Duration) {
	if !l.open || now-l.origin >= l.length {
		l.open, l.origin, l.n = true, now, 0
	}
	if l.n+1 > l.ceiling {
		return false, l.origin + l.length - now
	}
	l.n++
	return true, 0
}

// windowOf is a fixed window of W that holds so much: B·W or R·W.
func windowOf(rate func(plan.Policy) float64) NewLaw {
	return func(p plan.Policy, _ *rand.Rand) Law {
		return &longWindow{ceiling: rate(p) * p.Window.Seconds(), length: p.Window}
	}
}

// loose is a dual bucket that polices the peak only as long as it is told to, by when the key was first seen and how much
// of the credit is left.
type loose struct {
	dual
	polices func(age time.Duration, left float64) bool
	since   time.Duration
	seen    bool
}

func (l *loose) Take(now time.Duration) (bool, time.Duration) {
	if !l.seen {
		l.seen, l.since = true, now
	}
	l.committed.fill(now)
	if !l.polices(now-l.since, l.committed.tokens/l.committed.depth) {
		l.peak.at, l.peak.tokens = now, l.peak.depth
	}
	return l.dual.Take(now)
}

func loosePeak(polices func(age time.Duration, left float64) bool) NewLaw {
	return func(p plan.Policy, rng *rand.Rand) Law {
		return &loose{dual: *quarterBucket(p, rng).(*dual), polices: polices}
	}
}

// costly takes what the peak refuses out of the credit.
type costly struct{ dual }

func (c *costly) Take(now time.Duration) (bool, time.Duration) {
	c.peak.fill(now)
	refusing := c.peak.tokens < 1
	ok, wait := c.dual.Take(now)
	if refusing {
		c.committed.tokens = max(0, c.committed.tokens-1)
	}
	return ok, wait
}

// Model faults.

// queueing holds a request until there is a token for it, instead of refusing it. It refuses when the wait would be
// longer than its patience.
type queueing struct {
	perKey   *perKey
	patience time.Duration
	ahead    map[count]time.Duration // when the last one in the queue gets its token
}

func (q *queueing) Decide(r Request) Decision {
	c := q.perKey.count(r)
	if until := q.ahead[c]; until > r.Now {
		p := q.perKey.policies[c.endpoint]
		until += time.Duration(float64(time.Second) / p.Rate)
		if until-r.Now > q.patience {
			return Decision{Advice: honest(until - r.Now)}
		}
		q.ahead[c] = until
		q.perKey.Decide(Request{Now: until, Key: r.Key, Endpoint: r.Endpoint, Conn: r.Conn})
		return Decision{Allowed: true, Hold: until - r.Now}
	}
	d := q.perKey.Decide(r)
	if d.Allowed {
		return d
	}
	p := q.perKey.policies[c.endpoint]
	until := r.Now + time.Duration(float64(time.Second)/p.Rate)
	q.ahead[c] = until
	q.perKey.Decide(Request{Now: until, Key: r.Key, Endpoint: r.Endpoint, Conn: r.Conn})
	return Decision{Allowed: true, Hold: until - r.Now}
}

// coupled charges a request to every endpoint's count of its key, and decides by that of its own.
type coupled struct{ perKey *perKey }

func (m *coupled) Decide(r Request) Decision {
	for endpoint := range m.perKey.policies {
		if endpoint != r.Endpoint {
			other := r
			other.Endpoint = endpoint
			m.perKey.Decide(other)
		}
	}
	return m.perKey.Decide(r)
}

// lockout shuts a key out of every other endpoint for a while once it has been refused on one.
type lockout struct {
	*perKey
	length  time.Duration
	refused map[count]time.Duration // when, last
}

func (m *lockout) Decide(r Request) Decision {
	for endpoint := range m.policies {
		if at, ok := m.refused[count{key: r.Key, endpoint: endpoint}]; ok && endpoint != r.Endpoint && r.Now < at+m.length {
			return Decision{Advice: m.advise(at + m.length - r.Now)}
		}
	}
	d := m.perKey.Decide(r)
	if !d.Allowed {
		m.refused[m.count(r)] = r.Now
	}
	return d
}

// Pool is a model of one limit for all endpoints, as large as theirs together.
func Pool(policies map[string]plan.Policy, rng *rand.Rand) Model {
	var sum plan.Policy
	for _, p := range policies {
		sum.Rate += p.Rate
		sum.Burst += p.Burst
		sum.Window = max(sum.Window, p.Window)
	}
	m := newPerKey(map[string]plan.Policy{"": sum}, rng, quarterBucket)
	m.count = func(r Request) count { return count{key: r.Key} }
	return m
}

// random refuses a share of all requests for no reason.
type random struct {
	Model
	share float64
	rng   *rand.Rand
}

func (m *random) Decide(r Request) Decision {
	if m.rng.Float64() < m.share {
		return Decision{Advice: honest(time.Second)}
	}
	return m.Model.Decide(r)
}

// twoNodes share their counts with a delay.
type twoNodes struct{ *perKey }

func (m *twoNodes) Decide(r Request) Decision {
	admitted, wait := m.lawOf(r).(*shared).takeAt(r.Conn%2, r.Now)
	if admitted {
		return Decision{Allowed: true}
	}
	return Decision{Advice: m.advise(wait)}
}

// remote asks a shared store over a network before it decides.
type remote struct {
	Model
	mean time.Duration
	rng  *rand.Rand
}

// Lag implements Lagged: half of the mean for certain, the rest with a long tail.
func (m *remote) Lag() time.Duration {
	return m.mean/2 + time.Duration(m.rng.ExpFloat64()*float64(m.mean)/4)
}

// Advices that are wrong, or right in another way.

func adviceWithout(header, body bool) func(time.Duration) Advice {
	return func(wait time.Duration) Advice {
		a := honest(wait)
		if header {
			a.Header = ""
		}
		if body {
			a.Body = ""
		}
		return a
	}
}

func adviceFixed(header, body string) func(time.Duration) Advice {
	return func(time.Duration) Advice { return Advice{Header: header, Body: body} }
}

func adviceFraction(wait time.Duration) Advice {
	s := strconv.FormatFloat(max(0.01, wait.Seconds()), 'f', 2, 64)
	return Advice{Header: s, Body: s}
}

// adviceFractionInBody is right: the header is the next whole second above the body.
func adviceFractionInBody(wait time.Duration) Advice {
	return Advice{Header: honest(wait).Header, Body: strconv.FormatFloat(max(0.01, wait.Seconds()), 'f', 2, 64)}
}

func adviceLonger(by time.Duration) func(time.Duration) Advice {
	return func(wait time.Duration) Advice { return honest(wait + by) }
}
