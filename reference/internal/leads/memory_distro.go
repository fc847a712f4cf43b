package leads

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// distroMemory is the Lead Distro API's part of Memory. One lock guards it all: a placement touches its campaign, a buyer
// and the supplier's index in one step, and takes about a microsecond.
type distroMemory struct {
	mu sync.RWMutex

	byID    map[uuid.UUID]*DistroLead
	newest  map[subject]*DistroLead // per supplier, and phone or email
	seen    map[subject]struct{}    // per campaign, and phone or email
	turns   map[string]uint64       // per campaign: how many of its leads have found a buyer
	dayUsed map[buyerDay]int        // what counts against a cap; buyers without one aren't counted
}

// subject is a phone or an email within a supplier or a campaign.
type subject struct {
	owner string
	kind  byte // kindPhone or kindEmail
	value string
}

const (
	kindPhone byte = 'p'
	kindEmail byte = 'e'
)

// buyerDay is a buyer on one UTC day, counted from 1970-01-01.
type buyerDay struct {
	buyerID string
	day     int64
}

func newDistroMemory() distroMemory {
	return distroMemory{
		byID:    make(map[uuid.UUID]*DistroLead),
		newest:  make(map[subject]*DistroLead),
		seen:    make(map[subject]struct{}),
		turns:   make(map[string]uint64),
		dayUsed: make(map[buyerDay]int),
	}
}

func (d *distroMemory) reset(scope ResetScope) {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.dayUsed)
	if scope != ResetAll {
		return
	}
	clear(d.byID)
	clear(d.newest)
	clear(d.seen)
	clear(d.turns)
}

// Place implements Distro.
func (m *Memory) Place(ctx context.Context, p Placement) (DistroLead, error) {
	if err := ctx.Err(); err != nil {
		return DistroLead{}, err
	}
	lead := &DistroLead{
		ID:         uuid.New(),
		CampaignID: p.CampaignID,
		SupplierID: p.SupplierID,
		Status:     Unmatched,
		Phone:      p.Phone,
		Email:      p.Email,
		Fields:     slices.Clone(p.Fields), // the caller's slice may be part of a larger buffer
		CreatedAt:  p.At,
	}

	d := &m.distro
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.DuplicateCheck && d.hasSeen(p.CampaignID, p.Phone, p.Email) {
		return DistroLead{}, ErrDuplicate
	}
	if buyer, found := d.take(p); found {
		lead.Status, lead.BuyerID = Accepted, buyer
	}
	d.keep(lead)
	return *lead, nil
}

// take counts the lead against the first candidate that has room, and against the campaign's turns.
func (d *distroMemory) take(p Placement) (buyerID string, found bool) {
	day := p.At.Unix() / int64(24*time.Hour/time.Second)
	for _, candidate := range p.Order(d.turns[p.CampaignID]) {
		if candidate.DailyCap > 0 {
			key := buyerDay{candidate.BuyerID, day}
			if d.dayUsed[key] >= candidate.DailyCap {
				continue
			}
			d.dayUsed[key]++
		}
		d.turns[p.CampaignID]++
		return candidate.BuyerID, true
	}
	return "", false
}

// keep stores the lead under all the names by which it can be found.
func (d *distroMemory) keep(lead *DistroLead) {
	d.byID[lead.ID] = lead
	d.index(lead, kindPhone, lead.Phone)
	d.index(lead, kindEmail, lead.Email)
}

// index notes the lead's phone or email. An empty one is no name: no lead is ever found by it.
func (d *distroMemory) index(lead *DistroLead, kind byte, value string) {
	if value == "" {
		return
	}
	d.seen[subject{lead.CampaignID, kind, value}] = struct{}{}
	supplied := subject{lead.SupplierID, kind, value}
	if last := d.newest[supplied]; last == nil || !lead.CreatedAt.Before(last.CreatedAt) {
		d.newest[supplied] = lead
	}
}

func (d *distroMemory) hasSeen(campaignID, phone, email string) bool {
	_, seenPhone := d.seen[subject{campaignID, kindPhone, phone}]
	_, seenEmail := d.seen[subject{campaignID, kindEmail, email}]
	return seenPhone || seenEmail
}

// Seen implements Distro.
func (m *Memory) Seen(ctx context.Context, campaignID, phone, email string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	m.distro.mu.RLock()
	defer m.distro.mu.RUnlock()
	return m.distro.hasSeen(campaignID, phone, email), nil
}

// Find implements Distro.
func (m *Memory) Find(ctx context.Context, supplierID string, c Criterion) (DistroLead, error) {
	if err := ctx.Err(); err != nil {
		return DistroLead{}, err
	}
	m.distro.mu.RLock()
	defer m.distro.mu.RUnlock()
	var lead *DistroLead
	switch {
	case c.ID != uuid.Nil:
		lead = m.distro.byID[c.ID]
	case c.Phone != "":
		lead = m.distro.newest[subject{supplierID, kindPhone, c.Phone}]
	case c.Email != "":
		lead = m.distro.newest[subject{supplierID, kindEmail, c.Email}]
	}
	if lead == nil || lead.SupplierID != supplierID {
		return DistroLead{}, ErrNotFound
	}
	return *lead, nil
}
