package insertion

import (
	"context"
	"fmt"
	"net/http"

	"leadconform/reference/internal/ratelimit"
	"leadconform/reference/internal/wire"
)

// limit asks the limiter for one request under the key's own ceiling (IN-429-01, IN-429-02).
func (a *API) limit(ctx context.Context, call *Call) error {
	decision, err := a.Limiter.FixedWindow(ctx, a.LimitKey(call), *call.Key.Limit)
	if err != nil {
		return fmt.Errorf("limit the call: %w", err)
	}
	if !decision.Allowed {
		return &Refusal{
			Status: http.StatusTooManyRequests,
			Code:   CodeRateLimited,
			Header: wire.RetryAfter(decision.RetryAfter),
		}
	}
	return nil
}

// limitKey is one count per API key, whichever endpoint or path is called, and however the call is authenticated
// (IN-429-03, IN-429-04).
func limitKey(call *Call) ratelimit.Key {
	return ratelimit.Key{Scope: "insertion", Subject: call.Key.PublicKey}
}
