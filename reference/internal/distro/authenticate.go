package distro

import (
	"context"
	"net/http"

	"leadconform/reference/internal/wire"
)

// authenticate finds out whose request this is (LD-401-*). Nothing of the request but its key is looked at before.
func (a *API) authenticate(_ context.Context, c *Call) *wire.Answer {
	key, ok := a.Credential(c.Request)
	if !ok {
		return new(a.Answers.Unauthorized())
	}
	supplier, ok := a.SupplierOf(key)
	if !ok {
		return new(a.Answers.Unauthorized())
	}
	c.Supplier = supplier
	return nil
}

// headerKey takes the key from x-api-key and nowhere else. Two such headers are no key: which of them counts would depend
// on who reads them.
func headerKey(r *http.Request) (string, bool) {
	values := r.Header.Values("x-api-key")
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}
