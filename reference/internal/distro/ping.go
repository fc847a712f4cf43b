package distro

import (
	"context"

	"leadconform/reference/internal/wire"
)

// offer answers a ping (LD-PING-01, LD-PING-03): yes with a token for the post that may follow, or no with the rules that
// would catch the lead. Either way nothing is stored (LD-PING-04). Whether a buyer has room is known only when the post
// comes.
func (a *API) offer(_ context.Context, c *Call) *wire.Answer {
	if len(c.Caught) > 0 {
		return new(a.Answers.PingRefused(c.Caught))
	}
	token, expires := a.Tokens.Issue(c.Supplier.ID, c.Campaign.ID, c.At)
	return new(a.Answers.PingAccepted(token, expires))
}
