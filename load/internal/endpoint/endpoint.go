// Package endpoint knows the limited endpoints of both APIs: what a valid request to each is, and what its answers mean.
package endpoint

import (
	"fmt"
	"net/http"
	"slices"
	"sync"

	"leadconform/fixtures/target"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/trace"
)

// Names of the endpoints. Both endpoints of the Insertion API share one limit.
const (
	Ingest   = "ingest"   // POST /api/v1/ingest
	Ping     = "ping"     // POST /api/v1/ping
	Lookup   = "lookup"   // GET /api/v1/leads/lookup
	Leads    = "leads"    // POST /api/v1/insertion/leads
	Internal = "internal" // POST /api/leads/ingest
)

// Paths of the endpoints.
const (
	ingestPath   = "/api/v1/ingest"
	pingPath     = "/api/v1/ping"
	lookupPath   = "/api/v1/leads/lookup"
	leadsPath    = "/api/v1/insertion/leads"
	internalPath = "/api/leads/ingest"
)

// Names lists all endpoints of an API.
func Names(api string) []string {
	if api == target.APIInsertion {
		return []string{Leads, Internal}
	}
	return []string{Ingest, Ping, Lookup}
}

// API is the API that an endpoint belongs to, or "" if there is no such endpoint.
func API(name string) string {
	switch {
	case slices.Contains(Names(target.APIDistro), name):
		return target.APIDistro
	case slices.Contains(Names(target.APIInsertion), name):
		return target.APIInsertion
	}
	return ""
}

// Caller makes requests to a target and reads their answers. It is safe for concurrent use.
type Caller struct {
	Profile *target.Profile
	People  *People
	Agent   string // User-Agent of every request
	Redact  *target.Redactor

	leads sync.Map // by role: the id of a lead of that supplier
}

// Lead is the id of the lead that lookups of a supplier ask for, or "".
func (c *Caller) Lead(role string) string {
	id, _ := c.leads.Load(role)
	text, _ := id.(string)
	return text
}

// SetLead says which lead the lookups of a supplier ask for.
func (c *Caller) SetLead(role, id string) { c.leads.Store(role, id) }

// Request makes a valid request to an endpoint with the credential of a role: a new person each time, freshly signed
// where the API wants that.
func (c *Caller) Request(endpoint, role string) (target.Request, error) {
	switch API(endpoint) {
	case target.APIDistro:
		return c.distro(endpoint, role, "open")
	case target.APIInsertion:
		return c.insertion(endpoint, role)
	}
	return target.Request{}, fmt.Errorf("there is no endpoint %q", endpoint)
}

// Keyless makes a request that an API refuses for want of a key: it touches no limit of one.
func (c *Caller) Keyless(api string) (*http.Request, error) {
	path := lookupPath
	if api == target.APIInsertion {
		path = leadsPath
	}
	return c.HTTP(target.Request{API: api, Method: http.MethodGet, Path: path})
}

// Read says what an endpoint's answer means, without any secret that it may echo.
func (c *Caller) Read(endpoint string, a attack.Answer) attack.Reading {
	reading := Read(endpoint, a)
	if r := reading.Refusal; r != nil && r.Header == trace.Malformed {
		r.Raw = c.Redact.Text(r.Raw)
	}
	return reading
}

// Read says what an endpoint's answer means.
func Read(endpoint string, a attack.Answer) attack.Reading {
	if API(endpoint) == target.APIInsertion {
		return readInsertion(a)
	}
	return readDistro(endpoint, a)
}

// HTTP turns a request into one that can be sent.
func (c *Caller) HTTP(r target.Request) (*http.Request, error) {
	request, err := http.NewRequest(r.Method, c.Profile.BaseURL(r.API)+r.Path, body(r.Body))
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	for name, values := range r.Header {
		request.Header[name] = values
	}
	request.Header.Set("User-Agent", c.Agent)
	return request, nil
}
