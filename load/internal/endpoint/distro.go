package endpoint

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"

	"leadconform/fixtures/target"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/trace"
)

// LeadOn makes a request that posts a new lead to the campaign in a role.
func (c *Caller) LeadOn(campaign, role string) (target.Request, error) {
	return c.distro(Ingest, role, campaign)
}

// distro makes a request to the Lead Distro API. The campaign matters to ingest and ping.
func (c *Caller) distro(endpoint, role, campaign string) (target.Request, error) {
	api := c.Profile.Distro
	if api == nil {
		return target.Request{}, fmt.Errorf("the profile doesn't describe the %s API", target.APIDistro)
	}
	key, ok := api.Credentials[role]
	if !ok {
		return target.Request{}, fmt.Errorf("the profile has no distro.credentials.%s", role)
	}
	r := target.Request{API: target.APIDistro, Method: http.MethodPost, Header: api.KeyHeader(key.Key)}
	if endpoint == Lookup {
		r.Method = http.MethodGet
		r.Path = lookupPath + "?" + url.Values{"id": {c.Lead(role)}}.Encode()
		return r, nil
	}
	to, ok := api.Campaigns[campaign]
	if !ok {
		return target.Request{}, fmt.Errorf("the profile has no distro.campaigns.%s", campaign)
	}
	r.Path = ingestPath
	if endpoint == Ping {
		r.Path = pingPath
	}
	body, err := json.Marshal(c.lead(api, key, to))
	if err != nil {
		return target.Request{}, fmt.Errorf("write a lead for distro.campaigns.%s: %w", campaign, err)
	}
	r.Body = body
	r.Header.Set("Content-Type", "application/json")
	return r, nil
}

// lead is a valid lead of a new person.
func (c *Caller) lead(api *target.Distro, key target.SupplierKey, to target.Campaign) map[string]any {
	person := c.People.Next()
	lead := map[string]any{
		api.Fields.Campaign:  to.ID,
		api.Fields.Supplier:  key.Supplier,
		api.Fields.FirstName: person.FirstName,
		api.Fields.LastName:  person.LastName,
		api.Fields.Phone:     person.Phone,
		api.Fields.Email:     person.Email,
		api.Fields.State:     "CA",
	}
	maps.Copy(lead, to.Lead)
	maps.Copy(lead, to.Requires)
	return lead
}

// distroAnswer is what an answer of the Lead Distro API may hold that tells a success.
type distroAnswer struct {
	leadAnswer
	Data     *leadAnswer     `json:"data"` // some wrap the lead
	Accepted *bool           `json:"accepted"`
	Error    json.RawMessage `json:"error"`
}

type leadAnswer struct {
	ID      any `json:"id"`
	Status  any `json:"status"`
	BuyerID any `json:"buyer_id"`
}

// created reports whether this is the lead of a 201: a non-empty id, accepted, and by whom (LD-201-02).
func (l leadAnswer) created() bool {
	return l.Status == "ACCEPTED" && isText(l.ID) && isText(l.BuyerID)
}

func isText(value any) bool {
	text, ok := value.(string)
	return ok && text != ""
}

// readDistro says what an answer of the Lead Distro API means.
func readDistro(endpoint string, a attack.Answer) attack.Reading {
	if reading, done := readFailure(a); done {
		return reading
	}
	if a.Status == http.StatusTooManyRequests {
		refusal := trace.ReadRefusal(a.Header, a.Body, a.Received)
		return limited(refusal, !refusal.NoError)
	}
	var body distroAnswer
	readable := isObject(a.Body) && json.Unmarshal(a.Body, &body) == nil
	lead := body.leadAnswer
	if body.Data != nil {
		lead = *body.Data
	}
	free := len(body.Error) == 0 || string(body.Error) == "null" // of any error
	switch endpoint {
	case Ingest:
		created := a.Status == http.StatusCreated && lead.created()
		unmatched := a.Status == http.StatusOK && lead.Status == "UNMATCHED"
		return success(a.Status == http.StatusOK || a.Status == http.StatusCreated, readable && (created || unmatched))
	case Ping:
		refused := body.Accepted != nil && !*body.Accepted
		return success(a.Status == http.StatusOK, readable && free && !refused)
	}
	return success(a.Status == http.StatusOK, readable && free)
}

// LeadID is the id of the lead in the answer to an ingest, or "".
func LeadID(body []byte) string {
	var answer struct {
		ID   string `json:"id"`
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	if answer.ID != "" {
		return answer.ID
	}
	return answer.Data.ID
}
