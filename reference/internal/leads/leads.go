// Package leads keeps what the two APIs take in. Store has one implementation in memory; others stand behind the same
// interface and pass the same tests (storetest).
package leads

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Errors of a Store. Any other error means that the store is out of reach or broken: nothing was acknowledged.
var (
	ErrNotFound  = errors.New("no such lead")
	ErrDuplicate = errors.New("the campaign has seen this phone or email")
	ErrConflict  = errors.New("the lead changed between read and write")
)

// Store keeps the leads of both APIs. All methods are safe for concurrent use, and atomic.
type Store interface {
	Distro
	Insertion
	// Reset forgets leads and counts: everything, or what the scope names.
	Reset(ctx context.Context, scope ResetScope) error
	// Ready reports whether the store can be used now.
	Ready(ctx context.Context) error
}

// ResetScope says what Reset forgets.
type ResetScope string

// What can be reset.
const (
	ResetAll  ResetScope = "all"
	ResetCaps ResetScope = "caps" // today's counts per buyer; leads stay
)

// Status of a distributed lead.
type Status string

// The two ways in which a valid lead ends (LD-201-02, LD-200-01).
const (
	Accepted  Status = "ACCEPTED"
	Unmatched Status = "UNMATCHED"
)

// Distro keeps the leads of the Lead Distro API.
type Distro interface {
	// Place stores a lead and gives it to a buyer, in one step: the duplicate check, the choice among the candidates,
	// the count against the buyer's cap, and the write. If no candidate has room, the lead is stored as Unmatched.
	// It returns ErrDuplicate, and stores nothing, if the placement asks for the check and the campaign has seen the
	// lead's phone or email.
	Place(ctx context.Context, p Placement) (DistroLead, error)
	// Seen reports whether the campaign has a lead with that phone or email, both normalised (see Placement).
	Seen(ctx context.Context, campaignID, phone, email string) (bool, error)
	// Find returns the supplier's newest lead that matches, or ErrNotFound. A lead of another supplier is not found.
	Find(ctx context.Context, supplierID string, c Criterion) (DistroLead, error)
}

// DistroLead is a lead that the Lead Distro API has taken in.
type DistroLead struct {
	ID         uuid.UUID
	CampaignID string
	SupplierID string
	Status     Status
	BuyerID    string          // empty if Unmatched
	Phone      string          // digits only
	Email      string          // lower case
	Fields     json.RawMessage // the lead as it was sent, a JSON object
	CreatedAt  time.Time
}

// Placement is what Place needs to know of a lead.
type Placement struct {
	CampaignID     string
	SupplierID     string
	Phone          string // normalised: digits only
	Email          string // normalised: lower case, trimmed
	Fields         json.RawMessage
	DuplicateCheck bool
	// Order returns the buyers to try, first to last, for the campaign's n-th lead that found a buyer, counted from 0.
	// It is pure, and may be called more than once.
	Order func(turn uint64) []Candidate
	At    time.Time // its UTC day is the one that counts against caps
}

// Candidate is a buyer who would take the lead.
type Candidate struct {
	BuyerID  string
	DailyCap int // 0: none
}

// Criterion names a lead by exactly one of its fields.
type Criterion struct {
	ID    uuid.UUID // uuid.Nil if not asked for
	Phone string    // normalised
	Email string    // normalised
}

// Insertion keeps the leads of the Insertion API.
type Insertion interface {
	// Upsert inserts the lead of a tuple that wasn't seen before, patches it if a field that was sent differs from the
	// one stored, and leaves it alone otherwise. However many run at once, a tuple is inserted once.
	Upsert(ctx context.Context, t Tuple, sent Fields, at time.Time) (InsertionLead, Outcome, error)
	// Get returns the account's lead, or ErrNotFound: of another account's lead too.
	Get(ctx context.Context, accountID string, ref Ref) (InsertionLead, error)
	// Patch writes the changes if the lead still has the given version, and returns it with the audit event that records
	// it. It returns ErrConflict if the lead has another version by now, ErrNotFound if the account has no such lead.
	Patch(ctx context.Context, accountID string, id uuid.UUID, version int64, changes Fields, at time.Time) (InsertionLead, Event, error)
	// List returns up to q.Limit of the account's leads, newest first, and whether there are more.
	List(ctx context.Context, accountID string, q Query) (page []InsertionLead, more bool, err error)
}

// Tuple is the idempotency key of a lead (IN-IDEM-*).
type Tuple struct {
	AccountID      string
	CampaignID     int64
	ExternalLeadID uuid.UUID
}

// Fields are the members of a lead that a client may set, by their JSON names, each in canonical form: two JSON values
// are equal if and only if their canonical forms are. A member that isn't there was not sent.
type Fields map[string]json.RawMessage

// Outcome of an upsert.
type Outcome string

// The three outcomes that the documents name.
const (
	Inserted Outcome = "inserted"
	Deduped  Outcome = "deduped"
	Patched  Outcome = "patched"
)

// InsertionLead is a lead that the Insertion API has taken in. Its Fields are the caller's to read, never to change.
type InsertionLead struct {
	ID     uuid.UUID
	UserID uuid.UUID // the person that the lead became
	Tuple
	Fields    Fields
	Version   int64     // 1 at first, one more with every write
	CreatedAt time.Time // unique within the account, so that it can be a cursor
	UpdatedAt time.Time
}

// Event is the audit record of one PATCH.
type Event struct {
	ID     uuid.UUID
	LeadID uuid.UUID
	Before Fields // the changed fields as they were; a field that was not set is missing
	After  Fields // the changed fields as they are
	At     time.Time
}

// Ref names a lead within an account: by its own id, or else by its external id. Where two campaigns hold the same
// external id, the newest lead is meant.
type Ref struct {
	ID uuid.UUID
}

// Query narrows a list.
type Query struct {
	CampaignID     *int64
	ExternalLeadID *uuid.UUID
	Before         time.Time // only leads created strictly before; zero: from the newest
	Limit          int       // 1..100
}
