// Package simulate holds limiters, right ones and wrong ones, and a virtual network on which an experiment meets them.
// It serves tests only: judge and estimate are measured on the traces that it makes, thousands of them, and the same
// limiters stand behind a real server in virtual time.
//
// The limiters are this package's own. None is taken from the reference server, or a mistake that both share would
// never show.
package simulate

import (
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"leadconform/load/internal/plan"
)

// Model is a server's limiter as a whole. Requests come in the order of Now. A model is not safe for concurrent use.
type Model interface {
	Decide(Request) Decision
}

// Request is what a limiter may look at.
type Request struct {
	Now      time.Duration // the server's clock; its zero is anywhere
	Key      string
	Endpoint string
	Conn     int // the connection it came by, which is what a balancer may stick to
}

// Decision is what becomes of a request.
type Decision struct {
	Allowed bool
	Hold    time.Duration // how long the answer is held back
	Advice  Advice        // what a refusal says about waiting
}

// Advice is how a refusal spells its Retry-After. An empty string leaves it out.
type Advice struct {
	Header string // value of the header Retry-After
	Body   string // JSON value of the member retry_after
}

// Lagged is implemented by models that take their time before they decide, such as those that ask a shared store.
type Lagged interface {
	// Lag returns the time between a request's arrival and its decision. It differs from one request to the next.
	Lag() time.Duration
}

// Law is one count under a policy: it admits or refuses, one request at a time.
type Law interface {
	// Take decides one request. A refusal says how long it is until a single request is admitted, if no other comes.
	Take(now time.Duration) (ok bool, wait time.Duration)
}

// NewLaw makes a count for a policy.
type NewLaw func(p plan.Policy, rng *rand.Rand) Law

// honest spells a wait as the documents do: whole seconds, rounded up, at least one, the same in header and body.
func honest(wait time.Duration) Advice {
	s := strconv.FormatInt(wholeSeconds(wait), 10)
	return Advice{Header: s, Body: s}
}

func wholeSeconds(wait time.Duration) int64 {
	return max(1, int64(math.Ceil(wait.Seconds())))
}

// perKey is the model that all others start from: one count for each key and endpoint.
type perKey struct {
	policies map[string]plan.Policy // by endpoint
	law      NewLaw
	count    func(Request) count // which count a request belongs to
	advise   func(wait time.Duration) Advice
	rng      *rand.Rand
	counts   []counted
}

// counted is a count and its law. There are few of them, so they are searched through: faster than a map.
type counted struct {
	count
	law Law
}

// count names one count. Its endpoint says which policy it has.
type count struct {
	key, endpoint string
	node          int
}

func ownCount(r Request) count { return count{key: r.Key, endpoint: r.Endpoint} }

func newPerKey(policies map[string]plan.Policy, rng *rand.Rand, law NewLaw) *perKey {
	return &perKey{policies: policies, law: law, count: ownCount, advise: honest, rng: rng}
}

// Decide implements Model.
func (m *perKey) Decide(r Request) Decision {
	admitted, wait := m.lawOf(r).Take(r.Now)
	if admitted {
		return Decision{Allowed: true}
	}
	return Decision{Advice: m.advise(wait)}
}

// lawOf is the law that a request falls under.
func (m *perKey) lawOf(r Request) Law {
	c := m.count(r)
	for i := range m.counts {
		if m.counts[i].count == c {
			return m.counts[i].law
		}
	}
	law := m.law(m.policies[c.endpoint], m.rng)
	m.counts = append(m.counts, counted{c, law})
	return law
}
