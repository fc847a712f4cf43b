// Package insertion holds the checks of the Insertion API's rows, a file per section of the contract, in its order.
package insertion

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// Specs returns the checks of every row of the Insertion API but those of tier limits, which package limits holds.
func Specs() []spec.Spec {
	return slices.Concat(
		envelope(), authentication(), scopes(), hidden(), methods(), validation(), idempotency(), reading(), lists(), conflicts(),
		faults(),
	)
}

// The documented paths.
const (
	leadsPath    = "/api/v1/insertion/leads"
	internalPath = "/api/leads/ingest" // shares the rate bucket and the tuples
)

// api speaks to the target with one key, for one row.
type api struct {
	*spec.Env
	role   string // whose key is used
	bearer bool   // the secret as a bearer token, in place of a signature
	header http.Header
}

// row makes a body of a check that speaks to the API with the primary key, signed.
func row(check func(g spec.Gomega, d api)) spec.Body {
	return func(g spec.Gomega, e *spec.Env) { check(g, api{Env: e, role: "primary"}) }
}

// as returns the API as another key sees it.
func (d api) as(role string) api {
	d.role = role
	return d
}

// byBearer returns the API with the other way of authentication.
func (d api) byBearer() api {
	d.bearer = true
	return d
}

// with returns the API with a header set on every request, after the authentication's own.
func (d api) with(name, value string) api {
	d.header = maps.Clone(d.header)
	if d.header == nil {
		d.header = http.Header{}
	}
	d.header.Set(name, value)
	return d
}

// key is the key that is used.
func (d api) key() target.InsertionKey { return d.Profile.Insertion.Credentials[d.role] }

// kase is one case of a row.
type kase struct {
	name  string
	check func(g spec.Gomega, d api)
}

// each runs cases side by side.
func (d api) each(cases ...kase) { d.Each(d.cases(cases)...) }

func (d api) cases(cases []kase) []spec.Case {
	var all []spec.Case
	for _, c := range cases {
		all = append(all, spec.Case{Name: c.name, Check: func(g spec.Gomega, e *spec.Env) { c.check(g, d.in(e)) }})
	}
	return all
}

// control runs a positive control (spec.Env.Control).
func (d api) control(what string, check func(g spec.Gomega, d api)) {
	d.Control(what, func(g spec.Gomega, e *spec.Env) { check(g, d.in(e)) })
}

// in returns the API for another scope of the same row.
func (d api) in(e *spec.Env) api {
	d.Env = e
	return d
}

// create posts a lead.
func (d api) create(l lead) *answer.Answer { return d.createBody(l.json()) }

// createBody posts bytes that need not be a lead.
func (d api) createBody(body []byte) *answer.Answer {
	return d.Send(d.request(http.MethodPost, leadsPath, body))
}

// patch patches the lead of an id, its own or the external one.
func (d api) patch(id string, changes lead) *answer.Answer { return d.patchBody(id, changes.json()) }

// patchBody patches with bytes that need not be changes.
func (d api) patchBody(id string, body []byte) *answer.Answer {
	return d.Send(d.request(http.MethodPatch, leadPath(id), body))
}

// get reads the lead of an id, its own or the external one.
func (d api) get(id string) *answer.Answer {
	return d.Send(d.request(http.MethodGet, leadPath(id), nil))
}

// list reads a page of leads.
func (d api) list(query url.Values) *answer.Answer {
	path := leadsPath
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return d.Send(d.request(http.MethodGet, path, nil))
}

// leadPath is where one lead is found.
func leadPath(id string) string { return leadsPath + "/" + url.PathEscape(id) }

// given stores a lead as a positive control and returns its id.
func (d api) given(l lead) (id string) {
	d.control("a valid lead is taken in", func(g spec.Gomega, d api) {
		a := d.create(l)
		g.Expect(a).To(BeTaken())
		id = leadID(a)
	})
	return id
}

// inserted stores a lead whose tuple was never seen, as a positive control, and returns its id.
func (d api) inserted(l lead) (id string) {
	d.control("the first POST of the tuple is inserted", func(g spec.Gomega, d api) {
		a := d.create(l)
		g.Expect(a).To(BeOutcome("inserted"))
		id = leadID(a)
	})
	return id
}

// readable reads a lead as a positive control: what is read later can be held against it, and differs from what a row
// changes.
func (d api) readable(id string, l lead) (a *answer.Answer) {
	d.control("the lead reads as it was sent", func(g spec.Gomega, d api) {
		a = d.get(id)
		g.Expect(a).To(Show(l.only("first_name", "last_name").set("id", id)))
	})
	return a
}

// leadID is the id of the lead in an answer.
func leadID(a *answer.Answer) string { return a.Text("lead", "id") }

// request makes an authenticated request without sending it.
func (d api) request(method, path string, body []byte) target.Request {
	return d.requestAt(time.Now(), method, path, body)
}

// requestAt makes a request signed at another time.
func (d api) requestAt(at time.Time, method, path string, body []byte) target.Request {
	header := d.Profile.Insertion.SignedHeader(d.key(), at, body)
	if d.bearer {
		header = target.BearerHeader(d.key().Secret)
	}
	return d.requestWith(header, method, path, body)
}

// requestWith makes a request with the given headers in place of the authentication's; nil for none.
func (d api) requestWith(authentication http.Header, method, path string, body []byte) target.Request {
	r := target.Request{
		API: target.APIInsertion, Method: method, Path: path, Header: http.Header{}, Body: body,
		Paced: target.Paced{Credential: d.role},
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	maps.Copy(r.Header, authentication)
	maps.Copy(r.Header, d.header)
	return r
}
