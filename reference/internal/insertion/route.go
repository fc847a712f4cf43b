package insertion

import (
	"net/http"
	"strings"
)

// The paths of the API.
const (
	collectionPath = "/api/v1/insertion/leads"
	ingestPath     = "/api/leads/ingest" // internal
)

// Endpoint is what a request asks for.
type Endpoint string

// The endpoints.
const (
	EndpointCreate Endpoint = "create" // POST on the collection
	EndpointList   Endpoint = "list"   // GET on the collection
	EndpointGet    Endpoint = "get"    // GET on one lead
	EndpointPatch  Endpoint = "patch"  // PATCH on one lead
	EndpointIngest Endpoint = "ingest" // POST on the internal path
)

// Route is where a request goes.
type Route struct {
	Endpoint Endpoint
	LeadID   string // as the path has it, for get and patch
}

// match finds the route by path and method. A path counts as it was sent: with a trailing slash, an escaped letter or
// another letter case it is another path.
func match(r *http.Request) (Route, error) {
	path := r.URL.EscapedPath()
	if path == collectionPath {
		switch r.Method {
		case http.MethodGet:
			return Route{Endpoint: EndpointList}, nil
		case http.MethodPost:
			return Route{Endpoint: EndpointCreate}, nil
		}
		return Route{}, methodNotAllowed(http.MethodGet, http.MethodPost)
	}
	if path == ingestPath {
		if r.Method == http.MethodPost {
			return Route{Endpoint: EndpointIngest}, nil
		}
		return Route{}, methodNotAllowed(http.MethodPost)
	}
	id, ok := strings.CutPrefix(path, collectionPath+"/")
	if !ok || id == "" || strings.Contains(id, "/") {
		return Route{}, notFound()
	}
	switch r.Method {
	case http.MethodGet:
		return Route{Endpoint: EndpointGet, LeadID: id}, nil
	case http.MethodPatch:
		return Route{Endpoint: EndpointPatch, LeadID: id}, nil
	}
	return Route{}, methodNotAllowed(http.MethodGet, http.MethodPatch)
}

// methodNotAllowed names the methods that the path knows (IN-405-02, RFC 9110 §15.5.6).
func methodNotAllowed(allowed ...string) *Refusal {
	return &Refusal{
		Status: http.StatusMethodNotAllowed,
		Code:   CodeMethodNotAllowed,
		Header: http.Header{"Allow": {strings.Join(allowed, ", ")}},
	}
}
