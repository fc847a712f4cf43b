// Package world holds who may call the reference server, with which keys, for which campaigns and at which limits.
// A World is read once at start and never changes; what changes while the server runs is in package leads.
package world

import (
	"crypto/sha256"
	"slices"
	"time"

	"leadconform/reference/internal/ratelimit"
)

// World is everything that the server knows before the first request.
type World struct {
	Distro    Distro    `yaml:"distro"`
	Insertion Insertion `yaml:"insertion"`
}

// Distro is the Lead Distro API's part of the world.
type Distro struct {
	Limits    DistroLimits `yaml:"limits"`
	PingToken PingToken    `yaml:"ping_token"`
	Suppliers []*Supplier  `yaml:"suppliers"`
	Campaigns []*Campaign  `yaml:"campaigns"`

	byKey      map[[sha256.Size]byte]*Supplier
	byCampaign map[string]*Campaign
}

// DistroLimits are the limits of one supplier, endpoint by endpoint (LIMITS: R, B and W).
type DistroLimits struct {
	Ingest ratelimit.TwoRate `yaml:"ingest"`
	Ping   ratelimit.TwoRate `yaml:"ping"`
	Lookup ratelimit.TwoRate `yaml:"lookup"`
}

// PingToken says how ping tokens are signed and how long they live.
type PingToken struct {
	Lifetime time.Duration `yaml:"lifetime"`
	Secret   string        `yaml:"secret"`
}

// Supplier is a party that sends leads. All its keys share its limits.
type Supplier struct {
	ID     string        `yaml:"id"`
	Keys   []string      `yaml:"keys"`
	Limits *DistroLimits `yaml:"limits"` // never nil once loaded: the default stands in
}

// Campaign is what leads are sent to.
type Campaign struct {
	ID             string       `yaml:"id"`
	Suppliers      []string     `yaml:"suppliers"`
	RequiredFields []string     `yaml:"required_fields"` // custom fields that a lead must carry
	DuplicateCheck bool         `yaml:"duplicate_check"` // refuse a phone or email that this campaign has seen
	Filters        []Filter     `yaml:"filters"`         // inbound: a lead that fails one is refused
	Suppression    Suppression  `yaml:"suppression"`
	Distribution   Distribution `yaml:"distribution"`
	Buyers         []*Buyer     `yaml:"buyers"`
}

// Attached reports whether the supplier may send to this campaign.
func (c *Campaign) Attached(supplierID string) bool {
	return slices.Contains(c.Suppliers, supplierID)
}

// Suppression lists the people that a campaign won't take.
type Suppression struct {
	Phones []string `yaml:"phones"`
	Emails []string `yaml:"emails"`
}

// Filter is a rule on one field: its value must be among In (if given) and not among NotIn. Letter case doesn't count.
type Filter struct {
	Rule  string   `yaml:"rule"`
	Field string   `yaml:"field"`
	In    []string `yaml:"in"`
	NotIn []string `yaml:"not_in"`
}

// Distribution is the way in which a campaign's leads are shared out among its buyers.
type Distribution string

// The three ways of sharing leads out.
const (
	RoundRobin Distribution = "round_robin" // each buyer in turn
	Weighted   Distribution = "weighted"    // in proportion to the buyers' weights
	Waterfall  Distribution = "waterfall"   // the first buyer that has room, in the order listed
)

// maxWeight bounds a buyer's weight: to rank buyers takes as many steps as their weights sum up to.
const maxWeight = 1000

// Buyer takes leads that its filters match, at most DailyCap of them in a UTC day (0: no cap).
type Buyer struct {
	ID       string   `yaml:"id"`
	DailyCap int      `yaml:"daily_cap"`
	Weight   int      `yaml:"weight"` // for Weighted, 1 to 1000; 1 once loaded if not given
	Filters  []Filter `yaml:"filters"`
}

// Insertion is the Insertion API's part of the world.
type Insertion struct {
	Limit           ratelimit.FixedWindow `yaml:"limit"`
	SignatureWindow time.Duration         `yaml:"signature_window"`
	Accounts        []*Account            `yaml:"accounts"`

	byPublicKey map[string]*Key
	bySecret    map[[sha256.Size]byte]*Key
}

// Account owns leads. Nothing of one account is ever visible to another.
type Account struct {
	ID        string  `yaml:"id"`
	Enabled   bool    `yaml:"enabled"` // the feature flag of the insertion endpoint
	Campaigns []int64 `yaml:"campaigns"`
	Keys      []*Key  `yaml:"keys"`
}

// Key is one API key of an account: a pair for signing, whose secret also serves as a bearer token.
type Key struct {
	PublicKey string                 `yaml:"public_key"`
	Secret    string                 `yaml:"secret"`
	Scopes    []string               `yaml:"scopes"`
	Revoked   bool                   `yaml:"revoked"`
	Limit     *ratelimit.FixedWindow `yaml:"limit"` // never nil once loaded

	Account *Account `yaml:"-"` // set on loading
}

// Has reports whether the key carries the scope.
func (k *Key) Has(scope string) bool {
	return slices.Contains(k.Scopes, scope)
}

// SupplierByKey finds the supplier of an API key. Keys are compared as SHA-256 digests, so that the time taken tells
// nothing of how much of a guess was right.
func (d *Distro) SupplierByKey(key string) (*Supplier, bool) {
	s, ok := d.byKey[sha256.Sum256([]byte(key))]
	return s, ok
}

// Campaign finds a campaign by its id.
func (d *Distro) Campaign(id string) (*Campaign, bool) {
	c, ok := d.byCampaign[id]
	return c, ok
}

// KeyByPublicKey finds a key by its public half. Revoked keys are found too: the caller decides.
func (i *Insertion) KeyByPublicKey(public string) (*Key, bool) {
	k, ok := i.byPublicKey[public]
	return k, ok
}

// KeyBySecret finds a key by its secret, as a bearer token carries it, compared as SHA-256 digests.
func (i *Insertion) KeyBySecret(secret string) (*Key, bool) {
	k, ok := i.bySecret[sha256.Sum256([]byte(secret))]
	return k, ok
}
