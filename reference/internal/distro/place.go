package distro

import (
	"context"
	"errors"
	"time"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
	"leadconform/reference/internal/world"
)

// place stores the lead and gives it to a buyer (LD-201-*, LD-200-*). Only what the store has acknowledged is answered
// with success. Of several equal leads that come at once the store takes one, and the others are duplicates.
func (a *API) place(ctx context.Context, c *Call) *wire.Answer {
	lead, err := a.Store.Place(ctx, a.Placement(c))
	switch {
	case errors.Is(err, leads.ErrDuplicate):
		return new(a.Answers.Rejected([]FilterError{duplicateError()}))
	case err != nil:
		return a.unavailable(ctx, "placing a lead", err)
	case lead.Status == leads.Accepted:
		return new(a.Answers.Accepted(lead))
	}
	return new(a.Answers.Unmatched(lead))
}

// placement offers the lead to the buyers whose filters it passes. Its time is cut to microseconds, the finest that every
// store keeps.
func (a *API) placement(c *Call) leads.Placement {
	var willing []*world.Buyer
	for _, buyer := range c.Campaign.Buyers {
		if a.willing(buyer, c.Lead) {
			willing = append(willing, buyer)
		}
	}
	return leads.Placement{
		CampaignID:     c.Campaign.ID,
		SupplierID:     c.Supplier.ID,
		Phone:          a.NormalPhone(c.Lead.Text("phone")),
		Email:          a.NormalEmail(c.Lead.Text("email")),
		Fields:         c.Lead.Raw,
		DuplicateCheck: c.Campaign.DuplicateCheck,
		Order: func(turn uint64) []leads.Candidate {
			candidates := make([]leads.Candidate, 0, len(willing))
			for _, buyer := range a.Order(c.Campaign.Distribution, willing, turn) {
				candidates = append(candidates, a.Candidate(buyer))
			}
			return candidates
		},
		At: c.At.Truncate(time.Microsecond),
	}
}

func (a *API) willing(buyer *world.Buyer, lead Lead) bool {
	for _, filter := range buyer.Filters {
		if !a.Passes(filter, lead) {
			return false
		}
	}
	return true
}

func candidate(buyer *world.Buyer) leads.Candidate {
	return leads.Candidate{BuyerID: buyer.ID, DailyCap: buyer.DailyCap}
}
