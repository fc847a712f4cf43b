// Package mutant holds servers that differ from the reference on purpose. The wrong ones show that the suite can fail:
// each breaks one thing in a way in which implementations go wrong, and names the rows that must notice. The conforming
// ones show that it doesn't fail without reason: each takes a freedom that the contract leaves.
//
// A mutant is put together from outside: it swaps or wraps one part of the server (server.Config.Assemble), a step of an
// API, or what goes over the wire. The server knows nothing of it.
package mutant

import (
	"slices"

	"leadconform/reference/internal/distro"
	"leadconform/reference/server"
)

// Mutant is a server that differs from the reference in one thing.
type Mutant struct {
	ID    string // lower case, such as ld-duplicates-global; never used twice
	Title string // what it does, in one line
	Doc   string // how implementations come to do so, or which freedom it takes
	// Kills are the rows that must fail on it. Others may, where the same fault shows in them.
	Kills []string
	// Conforming mutants kill nothing: every row passes.
	Conforming bool
	// Apply makes the mutant of the reference's parts. It keeps what it needs to itself, so that two servers of the same
	// mutant share nothing.
	Apply func(*server.Parts)
}

// All returns every mutant. The slice is the caller's.
func All() []Mutant {
	return slices.Concat(distroMutants(), distroVariants(), insertionMutants(), insertionVariants())
}

// Find returns the mutant of that ID.
func Find(id string) (Mutant, bool) {
	all := All()
	if i := slices.IndexFunc(all, func(m Mutant) bool { return m.ID == id }); i >= 0 {
		return all[i], true
	}
	return Mutant{}, false
}

// distroAPI makes a mutant that changes the Lead Distro API when it has been built.
func distroAPI(change func(*distro.API)) func(*server.Parts) {
	return func(p *server.Parts) { p.Distro = change }
}
