package distro

import (
	"context"

	"leadconform/reference/internal/wire"
	"leadconform/reference/internal/world"
)

// checkSupplier refuses a lead sent in another supplier's name (LD-403-03). It comes before the campaign is looked for, so
// that a stranger's name doesn't help to find out which campaigns there are.
func (a *API) checkSupplier(_ context.Context, c *Call) *wire.Answer {
	if c.Lead.Text("flo_supplier_id") != c.Supplier.ID {
		return new(a.Answers.Forbidden())
	}
	return nil
}

// findCampaign refuses a lead for a campaign that doesn't exist (LD-404-01, LD-404-02).
func (a *API) findCampaign(_ context.Context, c *Call) *wire.Answer {
	campaign, ok := a.CampaignOf(c.Lead.Text("flo_campaign_id"))
	if !ok {
		return new(a.Answers.CampaignNotFound())
	}
	c.Campaign = campaign
	return nil
}

// checkAttachment refuses a supplier that may not send to the campaign (LD-403-01, LD-403-02).
func (a *API) checkAttachment(_ context.Context, c *Call) *wire.Answer {
	if !a.Attached(c.Campaign, c.Supplier) {
		return new(a.Answers.Forbidden())
	}
	return nil
}

// attached: nobody in particular is attached to nothing.
func attached(campaign *world.Campaign, supplier *world.Supplier) bool {
	return supplier != nil && campaign.Attached(supplier.ID)
}
