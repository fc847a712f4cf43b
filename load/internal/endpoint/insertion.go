package endpoint

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"leadconform/fixtures/target"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/trace"
)

// insertion makes a request to one of the two paths that take a lead in, signed now.
func (c *Caller) insertion(endpoint, role string) (target.Request, error) {
	path := leadsPath
	if endpoint == Internal {
		path = internalPath
	}
	person := c.People.Next()
	var campaign int64
	if api := c.Profile.Insertion; api != nil {
		campaign = api.Campaigns[campaignOf(role)]
	}
	return c.Signed(http.MethodPost, path, role, map[string]any{
		"campaign_id":      campaign,
		"external_lead_id": uuid.NewString(),
		"phone":            person.Phone,
		"email":            person.Email,
		"first_name":       person.FirstName,
		"last_name":        person.LastName,
	})
}

// campaignOf is the campaign that takes leads of a role's key.
func campaignOf(role string) string {
	switch {
	case strings.HasPrefix(role, "limits_"):
		return "limits"
	case role == "other_account" || role == "disabled":
		return "shared"
	}
	return "first"
}

// OneLead is the path of one lead, by either of its ids.
func OneLead(id string) string { return leadsPath + "/" + id }

// Signed makes a request to the Insertion API that is signed now. A nil body sends none.
func (c *Caller) Signed(method, path, role string, body map[string]any) (target.Request, error) {
	api := c.Profile.Insertion
	if api == nil {
		return target.Request{}, fmt.Errorf("the profile doesn't describe the %s API", target.APIInsertion)
	}
	key, ok := api.Credentials[role]
	if !ok {
		return target.Request{}, fmt.Errorf("the profile has no insertion.credentials.%s", role)
	}
	r := target.Request{API: target.APIInsertion, Method: method, Path: path}
	if body != nil {
		var err error
		if r.Body, err = json.Marshal(body); err != nil {
			return target.Request{}, fmt.Errorf("write a lead: %w", err)
		}
	}
	r.Header = api.SignedHeader(key, time.Now(), r.Body)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

// readInsertion says what an answer to a POST of a lead means.
func readInsertion(a attack.Answer) attack.Reading {
	if reading, done := readFailure(a); done {
		return reading
	}
	var body struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
		Lead  struct {
			ID string `json:"id"`
		} `json:"lead"`
	}
	readable := json.Unmarshal(a.Body, &body) == nil && body.OK != nil
	if a.Status == http.StatusTooManyRequests {
		refusal := trace.ReadRefusal(a.Header, a.Body, a.Received)
		return limited(refusal, readable && !*body.OK && body.Error == "rate_limited")
	}
	taken := a.Status == http.StatusCreated || a.Status == http.StatusOK
	return success(taken, readable && *body.OK && body.Lead.ID != "")
}
