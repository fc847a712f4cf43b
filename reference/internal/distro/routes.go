package distro

import "net/http"

// The endpoints, as Endpoint, Call and the limits name them.
const (
	endpointIngest = "ingest"
	endpointPing   = "ping"
	endpointLookup = "lookup"
)

type route struct {
	endpoint string
	method   string // the only one it knows
}

// routeOf finds the route of a request's path. A path counts as it was sent: neither a trailing slash nor an escaped
// letter is the same path.
func routeOf(r *http.Request) (route, bool) {
	switch r.URL.EscapedPath() {
	case "/api/v1/ingest":
		return route{endpointIngest, http.MethodPost}, true
	case "/api/v1/ping":
		return route{endpointPing, http.MethodPost}, true
	case "/api/v1/leads/lookup":
		return route{endpointLookup, http.MethodGet}, true
	}
	return route{}, false
}

// Endpoint names the endpoint that a request would reach: "ingest", "ping", "lookup", or "" for none of them.
func (a *API) Endpoint(r *http.Request) string {
	route, found := routeOf(r)
	if !found || route.method != r.Method {
		return ""
	}
	return route.endpoint
}

func (a *API) chain(endpoint string) Chain {
	switch endpoint {
	case endpointIngest:
		return a.Ingest
	case endpointPing:
		return a.Ping
	default:
		return a.Lookup
	}
}
