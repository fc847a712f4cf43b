// Package faults makes the reference server fail on demand, and keeps a record of what it was asked.
//
// The Board holds switches that make an API answer 500 or 503, or make a PATCH lose a race: what no client can bring
// about, and the rows of level full need (LD-500-*, LD-503-*, IN-409-*, IN-500-*). The Journal holds the latest requests,
// without credentials. Both are reached through the control listener alone.
package faults

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Kind is a way of failing.
type Kind string

// The ways of failing.
const (
	Before   Kind = "500"       // 500 in place of the handler: nothing happens
	After    Kind = "500_after" // 500 after the handler: what it did has happened, what it answered is thrown away
	Closed   Kind = "503"       // maintenance, on the Lead Distro API: the Insertion API's document knows no 503
	Conflict Kind = "conflict"  // a PATCH of the Insertion API finds that another write has come between
)

// The two APIs, as faults and the journal name them.
const (
	Distro    = "distro"
	Insertion = "insertion"
)

// Every stands for all endpoints of an API, and for paths that are none.
const Every = "*"

// Fault is one switch that is on.
type Fault struct {
	API      string `json:"api"`      // distro or insertion
	Kind     Kind   `json:"kind"`     // 500, 500_after, 503 or conflict
	Endpoint string `json:"endpoint"` // as the API names it, or *; * if not given
	Count    int    `json:"count"`    // how many more requests fail; 0: all, until it is turned off
}

// Board is the set of switches that are on. It is safe for concurrent use.
type Board struct {
	on     atomic.Bool // whether any is, so that a request asks no further when none is
	mu     sync.Mutex
	faults []Fault
}

// Set turns a fault on. One of the same API, kind and endpoint is replaced. It returns an error, in words for whoever
// asked, if there is no such fault.
func (b *Board) Set(f Fault) error {
	f.Endpoint = cmp.Or(f.Endpoint, Every)
	if err := f.check(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.remove(func(old Fault) bool { return old.API == f.API && old.Kind == f.Kind && old.Endpoint == f.Endpoint })
	b.faults = append(b.faults, f)
	b.on.Store(true)
	return nil
}

// Clear turns off the faults of an API, of a kind, or of both; an empty name stands for any. It returns an error if a
// name is neither empty nor known.
func (b *Board) Clear(api string, kind Kind) error {
	if api != "" {
		if err := oneOf("api", api, apis()); err != nil {
			return err
		}
	}
	if kind != "" {
		if err := oneOf("kind", kind, kinds()); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.remove(func(f Fault) bool { return (api == "" || f.API == api) && (kind == "" || f.Kind == kind) })
	return nil
}

// List returns the faults that are on, in the order in which they were turned on.
func (b *Board) List() []Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Fault{}, b.faults...)
}

// Take reports whether a request to an endpoint ("" for a path that is none) is to fail in that way, and counts it.
func (b *Board) Take(api, endpoint string, kind Kind) bool {
	if !b.on.Load() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.faults, func(f Fault) bool {
		return f.API == api && f.Kind == kind && (f.Endpoint == Every || f.Endpoint == endpoint)
	})
	if i < 0 {
		return false
	}
	switch f := &b.faults[i]; f.Count {
	case 0:
	case 1:
		b.faults = slices.Delete(b.faults, i, i+1)
		b.on.Store(len(b.faults) > 0)
	default:
		f.Count--
	}
	return true
}

func (b *Board) remove(which func(Fault) bool) {
	b.faults = slices.DeleteFunc(b.faults, which)
	b.on.Store(len(b.faults) > 0)
}

func (f Fault) check() error {
	if err := oneOf("api", f.API, apis()); err != nil {
		return err
	}
	if err := oneOf("kind", f.Kind, kinds()); err != nil {
		return err
	}
	if err := oneOf("endpoint", f.Endpoint, append(endpoints(f.API), Every)); err != nil {
		return err
	}
	switch {
	case f.Kind == Closed && f.API != Distro:
		return fmt.Errorf("kind %s is for the api %s: the Insertion API knows no 503", Closed, Distro)
	case f.Kind == Conflict && (f.API != Insertion || f.Endpoint != Every && f.Endpoint != "patch"):
		return fmt.Errorf("kind %s is for the api %s and its endpoint patch", Conflict, Insertion)
	case f.Count < 0:
		return fmt.Errorf("count must not be negative, and is %d; 0 means until it is turned off", f.Count)
	}
	return nil
}

func apis() []string { return []string{Distro, Insertion} }

func kinds() []Kind { return []Kind{Before, After, Closed, Conflict} }

func endpoints(api string) []string {
	if api == Distro {
		return []string{"ingest", "ping", "lookup"}
	}
	return []string{"create", "list", "get", "patch", "ingest"}
}

func oneOf[T ~string](what string, value T, known []T) error {
	if slices.Contains(known, value) {
		return nil
	}
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = string(k)
	}
	return fmt.Errorf("%s must be one of %s, not %q", what, strings.Join(names, ", "), value)
}
