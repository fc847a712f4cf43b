// Package catalogue holds the requirements as data: every row that the suite checks, with its ID, level, tier and
// source, and a statement in the project's own words. IDs are stable: one that has been published is never reused.
package catalogue

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"sync"
)

// Level says what a failure of a row means.
type Level string

// The levels of a row.
const (
	Must   Level = "MUST"   // a failure makes the target non-conformant
	Should Level = "SHOULD" // a failure is a warning
	Obs    Level = "OBS"    // measured and shown, never judged
)

// Tier is the level of a certificate from which on a row counts.
type Tier string

// The tiers, each of which holds the ones before it.
const (
	Core   Tier = "core"
	Limits Tier = "limits"
	Full   Tier = "full"
)

// Tiers in ascending order.
var Tiers = []Tier{Core, Limits, Full}

// Holds reports whether a certificate of tier t counts the rows of tier other.
func (t Tier) Holds(other Tier) bool { return slices.Index(Tiers, other) <= slices.Index(Tiers, t) }

// The APIs that rows are about.
const (
	Distro    = "distro"    // Lead Distro API
	Insertion = "insertion" // Insertion API
	Client    = "client"    // an integrator's client of either
)

// Row is one requirement.
type Row struct {
	ID    string `yaml:"id" json:"id"`
	API   string `yaml:"-" json:"api"` // Distro, Insertion or Client
	Level Level  `yaml:"level" json:"level"`
	Tier  Tier   `yaml:"tier" json:"tier"`
	// Source holds one or more of S (the provider's document), P (its other public pages), R (an RFC) and D (decided by
	// this project, where the documents are silent).
	Source  []string `yaml:"source" json:"source"`
	Cites   string   `yaml:"cites" json:"cites"` // the document's section, or the RFC's
	Section string   `yaml:"-" json:"section"`   // the heading that the row stands under
	Title   string   `yaml:"title" json:"title"` // one line of at most MaxTitle characters
	Text    string   `yaml:"text" json:"text"`   // the requirement in full, in one paragraph
	Needs   []string `yaml:"needs" json:"needs"` // what a profile must hold for the row to be exercised, below its API's section
}

//go:embed rows
var files embed.FS

// Rows returns every row in the order of the contract. The slice is the caller's.
func Rows() []Row { return slices.Clone(load()) }

// Lookup returns the row of that ID.
func Lookup(id string) (Row, bool) {
	rows := load()
	if i := slices.IndexFunc(rows, func(r Row) bool { return r.ID == id }); i >= 0 {
		return rows[i], true
	}
	return Row{}, false
}

// WriteJSON writes rows as indented JSON, one array.
func WriteJSON(w io.Writer, rows []Row) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(rows)
}

// Digest returns the SHA-256 of the whole catalogue, in hex: of every row with all that is said of it, as WriteJSON and
// specs list --format json write them.
var Digest = sync.OnceValue(func() string {
	digest := sha256.New()
	if err := WriteJSON(digest, load()); err != nil {
		panic(err) // rows are strings, and a digest takes them all
	}
	return hex.EncodeToString(digest.Sum(nil))
})

// load reads the embedded files once. They are checked by a test, so that a fault in them can't reach a user.
var load = sync.OnceValue(func() []Row {
	rows, err := read(files)
	if err != nil {
		panic(err)
	}
	return rows
})
