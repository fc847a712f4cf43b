package insertion

import (
	"context"
	"net/http"
	"slices"
)

// The scopes of a key.
const (
	scopeRead  = "leads:read"
	scopeWrite = "leads:write"
)

// requireFeature hides every endpoint from an account for which the feature is off.
func requireFeature(_ context.Context, call *Call) error {
	if !call.Key.Account.Enabled {
		return notFound()
	}
	return nil
}

// requireScope names the scope that is missing (IN-403-01 to IN-403-03).
func (a *API) requireScope(_ context.Context, call *Call) error {
	if scope := a.ScopeOf(call.Route.Endpoint); !call.Key.Has(scope) {
		return &Refusal{Status: http.StatusForbidden, Code: CodeScopeRequired + scope}
	}
	return nil
}

// scopeOf: reading asks for the one, everything else for the other.
func scopeOf(e Endpoint) string {
	switch e {
	case EndpointGet, EndpointList:
		return scopeRead
	default:
		return scopeWrite
	}
}

// requireCampaign answers a campaign of another account like one that doesn't exist.
func requireCampaign(call *Call, campaignID int64) error {
	if !slices.Contains(call.Key.Account.Campaigns, campaignID) {
		return notFound()
	}
	return nil
}
