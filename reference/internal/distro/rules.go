package distro

import (
	"context"
	"fmt"

	"leadconform/reference/internal/wire"
	"leadconform/reference/internal/world"
)

// Rule is a business rule of a campaign (LD-422-*).
type Rule struct {
	Name string // unique among the rules
	// Catch returns what caught the lead of the call, nothing if it passes. An error means that the rule couldn't be asked.
	Catch func(context.Context, *Call) ([]FilterError, error)
}

// FilterError is one entry of filter_errors: the rule that caught the lead (LD-422-01).
type FilterError struct {
	Rule    string `json:"rule"`
	Message string `json:"message"`
}

// The names under which the rules that are no filters show up in filter_errors.
const (
	rulePingID          = "ping_id"
	ruleSuppressedPhone = "suppressed_phone"
	ruleSuppressedEmail = "suppressed_email"
	ruleDuplicate       = "duplicate"
)

// judge asks every rule, so that a lead caught by several learns of them all (LD-422-06). A ping is judged by what it
// says: a rule on a field that it leaves out doesn't catch it.
func (a *API) judge(ctx context.Context, c *Call) *wire.Answer {
	for _, rule := range a.Rules {
		caught, err := rule.Catch(ctx, c)
		if err != nil {
			return a.unavailable(ctx, "asking the rule "+rule.Name, err)
		}
		c.Caught = append(c.Caught, caught...)
	}
	return nil
}

// reject ends the call of a lead that was caught.
func (a *API) reject(_ context.Context, c *Call) *wire.Answer {
	if len(c.Caught) == 0 {
		return nil
	}
	return new(a.Answers.Rejected(c.Caught))
}

// rules returns the business rules over these campaigns.
func (a *API) rules(campaigns []*world.Campaign) []Rule {
	lists := suppressionLists(campaigns)
	return []Rule{
		{rulePingID, a.catchPingID},
		{"filters", a.catchFilters},
		{ruleSuppressedPhone, func(_ context.Context, c *Call) ([]FilterError, error) {
			if !lists[c.Campaign.ID].phones[a.NormalPhone(c.Lead.Text("phone"))] {
				return nil, nil
			}
			return []FilterError{{ruleSuppressedPhone, "The phone is on the campaign's suppression list"}}, nil
		}},
		{ruleSuppressedEmail, func(_ context.Context, c *Call) ([]FilterError, error) {
			if !lists[c.Campaign.ID].emails[a.NormalEmail(c.Lead.Text("email"))] {
				return nil, nil
			}
			return []FilterError{{ruleSuppressedEmail, "The email is on the campaign's suppression list"}}, nil
		}},
		{ruleDuplicate, a.catchDuplicate},
	}
}

// catchPingID refuses a lead whose ping token isn't good for this supplier and campaign now (LD-PING-05). On a ping the
// field means nothing.
func (a *API) catchPingID(_ context.Context, c *Call) ([]FilterError, error) {
	token, sent := c.Lead.Field("flo_ping_id")
	if !sent || c.Endpoint == endpointPing {
		return nil, nil
	}
	if a.Tokens.Verify(token.Text, c.Supplier.ID, c.Campaign.ID, c.At) {
		return nil, nil
	}
	return []FilterError{{rulePingID, "flo_ping_id is not a ping of this supplier and campaign, or it has expired"}}, nil
}

// catchFilters asks each inbound filter of the campaign, and names those that fail (LD-422-01).
func (a *API) catchFilters(_ context.Context, c *Call) ([]FilterError, error) {
	var caught []FilterError
	for _, filter := range c.Campaign.Filters {
		if _, sent := c.Lead.Field(filter.Field); !sent && c.Endpoint == endpointPing {
			continue
		}
		if !a.Passes(filter, c.Lead) {
			caught = append(caught, FilterError{filter.Rule, fmt.Sprintf("The campaign doesn't take this %s", filter.Field)})
		}
	}
	return caught, nil
}

// catchDuplicate names a lead whose phone or email the campaign has seen (LD-422-04). It is here so that all rules are
// named together; that no duplicate is ever placed is up to Store.Place, which asks again.
func (a *API) catchDuplicate(ctx context.Context, c *Call) ([]FilterError, error) {
	if !c.Campaign.DuplicateCheck {
		return nil, nil
	}
	phone, email := a.NormalPhone(c.Lead.Text("phone")), a.NormalEmail(c.Lead.Text("email"))
	seen, err := a.Store.Seen(ctx, c.Campaign.ID, phone, email)
	if err != nil || !seen {
		return nil, err
	}
	return []FilterError{duplicateError()}, nil
}

func duplicateError() FilterError {
	return FilterError{ruleDuplicate, "The campaign has already taken a lead with this phone or email"}
}

// suppression is a campaign's suppression list in the form in which phones and emails are compared.
type suppression struct {
	phones, emails map[string]bool
}

func suppressionLists(campaigns []*world.Campaign) map[string]suppression {
	lists := make(map[string]suppression, len(campaigns))
	for _, campaign := range campaigns {
		list := suppression{phones: make(map[string]bool), emails: make(map[string]bool)}
		for _, phone := range campaign.Suppression.Phones {
			list.phones[normalPhone(phone)] = true
		}
		for _, email := range campaign.Suppression.Emails {
			list.emails[normalEmail(email)] = true
		}
		lists[campaign.ID] = list
	}
	return lists
}
