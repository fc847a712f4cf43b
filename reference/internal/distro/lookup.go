package distro

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// readCriterion finds out what is looked for: exactly one of id, phone and email (LD-LOOK-03). Other parameters mean
// nothing.
func (a *API) readCriterion(_ context.Context, c *Call) *wire.Answer {
	criterion, faults, problem := a.Criterion(c.Request)
	switch {
	case problem != "":
		return new(a.Answers.BadQuery(problem))
	case len(faults) > 0:
		return new(a.Answers.Invalid(faults))
	}
	c.Criterion = criterion
	return nil
}

// findLead answers with the supplier's newest lead that matches. To the store a lead of another supplier is no different
// from none, so the answer can't be either (LD-LOOK-04).
func (a *API) findLead(ctx context.Context, c *Call) *wire.Answer {
	lead, err := a.Store.Find(ctx, c.Supplier.ID, c.Criterion)
	switch {
	case errors.Is(err, leads.ErrNotFound):
		return new(a.Answers.LeadNotFound())
	case err != nil:
		return a.unavailable(ctx, "looking up a lead", err)
	}
	return new(a.Answers.Found(lead))
}

// criterion reads the query. An id that is no UUID is the id of no lead: it yields the empty criterion, which no lead
// meets.
func (a *API) criterion(r *http.Request) (leads.Criterion, []FieldError, string) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return leads.Criterion{}, nil, "The query is not well formed"
	}
	name, text, problem := soleParameter(query)
	if problem != "" {
		return leads.Criterion{}, nil, problem
	}
	var (
		criterion leads.Criterion
		fault     string
	)
	switch name {
	case "phone":
		criterion.Phone, fault = a.NormalPhone(text), phoneFault(text)
	case "email":
		criterion.Email, fault = a.NormalEmail(text), emailFault(text)
	default:
		// Other spellings of a UUID are other ids.
		if id, err := uuid.Parse(text); err == nil && id.String() == text {
			criterion.ID = id
		}
	}
	if fault != "" {
		return leads.Criterion{}, []FieldError{{name, codeInvalidFormat, name + " " + fault}}, ""
	}
	return criterion, nil, ""
}

// soleParameter returns the one parameter that says what is looked for, or why there isn't one. An empty parameter counts
// as not given.
func soleParameter(query url.Values) (name, text, problem string) {
	for _, candidate := range []string{"id", "phone", "email"} {
		for _, value := range query[candidate] {
			if value == "" {
				continue
			}
			if name != "" {
				return "", "", fmt.Sprintf("Look up by one of id, phone and email: both %s and %s are given", name, candidate)
			}
			name, text = candidate, value
		}
	}
	if name == "" {
		return "", "", "Look up by one of id, phone and email"
	}
	return name, text, ""
}
