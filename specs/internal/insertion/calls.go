package insertion

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// call is one of the four requests on which every row of authentication and scopes is tried.
type call struct {
	name   string
	method string
	path   string
	body   []byte
	one    bool // it names one lead
}

// calls are the four: a POST of a new lead, a PATCH and a GET of the lead of an id, and a GET of the list.
func (d api) calls(id string) []call {
	return []call{
		d.posting(),
		{name: "PATCH", method: http.MethodPatch, path: leadPath(id), body: lead{"first_name": renamed}.json(), one: true},
		{name: "GET one", method: http.MethodGet, path: leadPath(id), one: true},
		listing(),
	}
}

// listing is a GET of the list.
func listing() call {
	return call{name: "GET list", method: http.MethodGet, path: leadsPath + "?limit=1"}
}

// ofOneLead are the two calls that name a lead.
func (d api) ofOneLead(id string) []call {
	return slices.DeleteFunc(d.calls(id), func(c call) bool { return !c.one })
}

// posting is a POST of a new lead.
func (d api) posting() call {
	return call{name: "POST", method: http.MethodPost, path: leadsPath, body: d.lead("first").json()}
}

// of returns the call for another lead.
func (c call) of(id string) call {
	c.path = leadPath(id)
	return c
}

// call sends a call, rightly authenticated.
func (d api) call(c call) *answer.Answer { return d.Send(d.request(c.method, c.path, c.body)) }

// callWith sends a call with the given headers in place of the authentication's; nil for none.
func (d api) callWith(c call, authentication http.Header) *answer.Answer {
	return d.Send(d.requestWith(authentication, c.method, c.path, c.body))
}

// onEveryCall makes a body of a check of one call, which runs on all four, each after the control that the same call,
// rightly authenticated, is accepted.
func onEveryCall(check func(g spec.Gomega, d api, c call)) spec.Body {
	return row(func(_ spec.Gomega, d api) {
		var cases []kase
		for _, c := range d.calls(d.given(d.lead("first"))) {
			cases = append(cases, kase{c.name, func(g spec.Gomega, d api) {
				d.control("the same request, rightly signed, is accepted", func(g spec.Gomega, d api) {
					g.Expect(d.call(c)).To(BeAccepted())
				})
				check(g, d, c)
			}})
		}
		d.each(cases...)
	})
}

// signed are the headers of a call that is rightly signed at a time.
func (d api) signed(c call, at time.Time) http.Header {
	return d.Profile.Insertion.SignedHeader(d.key(), at, c.body)
}

// signedByAStranger are the headers of a call signed under a public key that was never issued. The secret is the known
// key's, so that a target which looks for whoever could have made the signature finds somebody.
func (d api) signedByAStranger(c call) http.Header {
	stranger := target.InsertionKey{PublicKey: d.lookalike(d.key().PublicKey), Secret: d.key().Secret}
	return d.Profile.Insertion.SignedHeader(stranger, time.Now(), c.body)
}

// signedByAnother are the headers of a call signed with a secret that isn't the key's.
func (d api) signedByAnother(c call) http.Header {
	forged := target.InsertionKey{PublicKey: d.key().PublicKey, Secret: d.lookalike(d.key().Secret)}
	return d.Profile.Insertion.SignedHeader(forged, time.Now(), c.body)
}

// lookalike is a new credential of the same length as another, with the same prefix up to an early underscore, such as
// sk_. The rest follows from nothing that is secret.
func (d api) lookalike(credential string) string {
	const longestPrefix = 5
	prefix := ""
	if i := strings.IndexByte(credential, '_'); i >= 0 && i < longestPrefix {
		prefix = credential[:i+1]
	}
	length := max(len(credential), len(prefix)+16)
	made := prefix
	for len(made) < length {
		made += strings.ReplaceAll(d.Data.UUID(), "-", "")
	}
	return made[:length]
}

// changed returns a copy of headers with one of them set to a value; "" removes it.
func changed(h http.Header, name, value string) http.Header {
	h = maps.Clone(h)
	if value == "" {
		h.Del(name)
	} else {
		h.Set(name, value)
	}
	return h
}
