package spec

import (
	"fmt"
	"hash/fnv"
	"math/bits"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"
)

// Data makes up the people and identifiers that a run sends. Names and choices follow from the seed and the row, so
// that a run can be repeated; phones, addresses and identifiers hold the run's ID, so that two runs never meet.
type Data struct {
	run   *run
	scope string         // the row and case
	count *atomic.Uint64 // of what this scope has drawn
}

// run is what all rows of a run share.
type run struct {
	id     string
	seed   uint64
	phones string
	offset uint64
	// process tells the processes of a run apart: each takes every maxProcesses-th number.
	process uint64
	phone   atomic.Uint64
}

// maxProcesses is how many processes of one run have phone numbers of their own.
const maxProcesses = 16

// Person is somebody who doesn't exist.
type Person struct {
	FirstName string
	LastName  string
	Phone     string // digits only
	Email     string // at example.com (RFC 2606 §3)
	State     string // California: far from what any filter of a sensible profile excludes
}

// NewData returns the data of a run. phones is the profile's pattern; process tells the processes of one run apart,
// from 0 on.
func NewData(runID string, seed uint64, phones string, process int) *Data {
	r := &run{id: runID, seed: seed, phones: phones}
	r.offset = hash(runID)
	r.process = uint64(process) % maxProcesses
	return &Data{run: r}
}

// of returns the data of a row, or of a case of it.
func (d *Data) of(scope string) *Data {
	return &Data{run: d.run, scope: d.scope + "/" + scope, count: &atomic.Uint64{}}
}

var (
	firstNames = []string{"Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Frances", "Niklaus", "Margaret", "Tony"}
	lastNames  = []string{"Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Allen", "Wirth", "Hamilton", "Hoare"}
)

// Person returns a new person.
func (d *Data) Person() Person {
	phone := d.run.number(d.run.phone.Add(1))
	return Person{
		FirstName: firstNames[d.draw(len(firstNames))],
		LastName:  lastNames[d.draw(len(lastNames))],
		Phone:     phone,
		Email:     fmt.Sprintf("lead.%s.%s@example.com", d.run.id, phone),
		State:     "CA",
	}
}

// draw returns a number below n that follows from the seed, the row and how many were drawn before.
func (d *Data) draw(n int) uint64 {
	return hash(strconv.FormatUint(d.run.seed, 10), d.scope, strconv.FormatUint(d.count.Add(1), 10)) % uint64(n)
}

// UUID returns a new random UUID.
func (d *Data) UUID() string { return uuid.NewString() }

// Word returns a new word that holds the run's ID.
func (d *Data) Word(prefix string) string {
	return fmt.Sprintf("%s-%s-%d", prefix, d.run.id, d.run.phone.Add(1))
}

// RunID returns the run's ID.
func (d *Data) RunID() string { return d.run.id }

// number returns the run's n-th phone number: the digits that the pattern leaves open count on from a place that
// depends on the run, scattered so that neighbours don't look alike.
func (r *run) number(n uint64) string {
	open := strings.Count(r.phones, "#")
	size := uint64(1)
	for range open {
		size *= 10
	}
	// 7 and 10 have no common divisor, nor has any power of 7: the map is one to one.
	const scatter = 282475249 // 7^10
	high, low := bits.Mul64((r.offset+n*maxProcesses+r.process)%size, scatter%size)
	_, index := bits.Div64(high, low, size)
	digits := fmt.Sprintf("%0*d", open, index)
	var b strings.Builder
	for _, c := range r.phones {
		if c == '#' {
			b.WriteByte(digits[0])
			digits = digits[1:]
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

func hash(parts ...string) uint64 {
	h := fnv.New64a()
	for _, part := range parts {
		_, _ = h.Write([]byte(part))
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}
