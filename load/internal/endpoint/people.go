package endpoint

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"sync/atomic"
)

// People makes up persons who don't exist: no two of one run share a phone or an email, and those of two runs hardly
// ever. It is safe for concurrent use.
type People struct {
	runID  string
	phones string // the profile's pattern: each # becomes a digit
	size   uint64 // how many phones the pattern holds
	offset uint64 // where this run begins among them
	seed   uint64
	count  atomic.Uint64
}

// Person is somebody who doesn't exist.
type Person struct {
	FirstName string
	LastName  string
	Phone     string // digits only
	Email     string // at example.com (RFC 2606 §3)
}

var (
	firstNames = []string{"Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Frances", "Niklaus", "Margaret", "Tony"}
	lastNames  = []string{"Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Allen", "Wirth", "Hamilton", "Hoare"}
)

// NewPeople returns the people of a run. The seed fixes what they are called.
func NewPeople(runID, phones string, seed uint64) *People {
	h := fnv.New64a()
	_, _ = h.Write([]byte(runID))
	open := strings.Count(phones, "#")
	return &People{runID: runID, phones: phones, seed: seed, offset: h.Sum64(), size: uint64(math.Pow10(min(open, 18)))}
}

// Next returns a new person.
func (p *People) Next() Person {
	n := p.count.Add(1)
	phone := p.phone((p.offset + n) % p.size)
	name := (p.seed + n) * 0x9e3779b97f4a7c15 >> 32 // scattered (Knuth's multiplicative hash)
	return Person{
		FirstName: firstNames[name%10], LastName: lastNames[name/10%10],
		Phone: phone, Email: fmt.Sprintf("load.%s.%d@example.com", p.runID, n),
	}
}

// phone puts the digits of n into the pattern, the last ones last.
func (p *People) phone(n uint64) string {
	digits := []byte(p.phones)
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i] == '#' {
			digits[i] = byte('0' + n%10)
			n /= 10
		}
	}
	return string(digits)
}
