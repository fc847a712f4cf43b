// Package distro holds the checks of the Lead Distro API's rows, a file per section of the contract, in its order.
package distro

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// Specs returns the checks of every row of the Lead Distro API that this package holds.
func Specs() []spec.Spec {
	return slices.Concat(
		envelope(), success(), structure(), refusals(), rules(), faults(), pings(), lookups(),
	)
}

// The documented endpoints.
const (
	ingestPath = "/api/v1/ingest"
	pingPath   = "/api/v1/ping"
	lookupPath = "/api/v1/leads/lookup"
)

// api speaks to the target as one supplier, for one row.
type api struct {
	*spec.Env
	role   string      // whose key is shown; "" for none
	header http.Header // beside the key and Content-Type
}

// row makes a body of a check that speaks to the API as the primary supplier.
func row(check func(g spec.Gomega, d api)) spec.Body {
	return func(g spec.Gomega, e *spec.Env) { check(g, api{Env: e, role: "primary"}) }
}

// as returns the API as another supplier sees it; "" shows no key.
func (d api) as(role string) api {
	d.role = role
	return d
}

// with returns the API with a header set on every request, in place of the key if it is the key's header.
func (d api) with(name, value string) api {
	d.header = maps.Clone(d.header)
	if d.header == nil {
		d.header = http.Header{}
	}
	d.header.Set(name, value)
	return d
}

// kase is one case of a row.
type kase struct {
	name  string
	check func(g spec.Gomega, d api)
}

// each runs cases side by side.
func (d api) each(cases ...kase) {
	var all []spec.Case
	for _, c := range cases {
		all = append(all, spec.Case{Name: c.name, Check: func(g spec.Gomega, e *spec.Env) { c.check(g, d.in(e)) }})
	}
	d.Each(all...)
}

// control runs a positive control (spec.Env.Control).
func (d api) control(what string, check func(g spec.Gomega, d api)) {
	d.Control(what, func(g spec.Gomega, e *spec.Env) { check(g, d.in(e)) })
}

// variant is what a case tries, in words and as it is sent.
type variant struct {
	what  string
	value any
}

// trying makes a case of each variant.
func trying(variants []variant, check func(g spec.Gomega, d api, value any)) []kase {
	var cases []kase
	for _, v := range variants {
		cases = append(cases, kase{v.what, func(g spec.Gomega, d api) { check(g, d, v.value) }})
	}
	return cases
}

// shown makes a case of a positive control, to run beside the cases that it gives a meaning.
func shown(what string, check func(g spec.Gomega, d api)) kase {
	return kase{"control", func(_ spec.Gomega, d api) { d.control(what, check) }}
}

// taken is the control that a lead is accepted.
func taken(what string, l lead) kase {
	return shown(what+" is accepted", func(g spec.Gomega, d api) { g.Expect(d.ingest(l)).To(BeTaken()) })
}

// welcome is the control that a ping isn't refused.
func welcome(what string, l lead) kase {
	return shown(what+" is welcome", func(g spec.Gomega, d api) { g.Expect(d.ping(l)).To(BeWelcome()) })
}

// in returns the API for another scope of the same row.
func (d api) in(e *spec.Env) api {
	d.Env = e
	return d
}

// ask is a request, made as whoever speaks.
type ask func(d api) *answer.Answer

// together sends requests side by side and returns their answers in order.
func (d api) together(asks ...ask) []*answer.Answer {
	answers := make([]*answer.Answer, len(asks))
	var cases []kase
	for i, send := range asks {
		cases = append(cases, kase{fmt.Sprintf("request %d", i+1), func(_ spec.Gomega, d api) { answers[i] = send(d) }})
	}
	d.each(cases...)
	return answers
}

// names are the system fields' names on this target.
func (d api) names() target.DistroFields { return d.Profile.Distro.Fields }

// campaign returns the campaign in a role.
func (d api) campaign(role string) target.Campaign { return d.Profile.Distro.Campaigns[role] }

// has reports whether the profile has what a row can use but doesn't need, such as campaigns.unmatched.
func (d api) has(need string) bool {
	return len(d.Profile.Missing(target.APIDistro, []string{need})) == 0
}

// lead is a lead as it is sent: system fields and custom ones.
type lead map[string]any

// lead returns a valid lead of a new person for the campaign in a role, sent by the supplier who speaks.
func (d api) lead(campaignRole string) lead {
	names, person := d.names(), d.Data.Person()
	return d.on(campaignRole, lead{
		names.Supplier:  d.Profile.Distro.Credentials[d.role].Supplier,
		names.FirstName: person.FirstName,
		names.LastName:  person.LastName,
		names.Phone:     person.Phone,
		names.Email:     person.Email,
		names.State:     person.State,
	})
}

// on returns the lead for the campaign in a role, with what the campaign asks for.
func (d api) on(campaignRole string, l lead) lead {
	campaign := d.campaign(campaignRole)
	return l.set(d.names().Campaign, campaign.ID).setAll(campaign.Lead).setAll(campaign.Requires)
}

// barePing returns the least that a ping must hold: campaign and supplier.
func (d api) barePing(campaignRole string) lead {
	return lead{
		d.names().Campaign: d.campaign(campaignRole).ID,
		d.names().Supplier: d.Profile.Distro.Credentials[d.role].Supplier,
	}
}

// set returns a copy with one member set.
func (l lead) set(name string, value any) lead {
	l = maps.Clone(l)
	l[name] = value
	return l
}

// setAll returns a copy with several members set.
func (l lead) setAll(members map[string]any) lead {
	l = maps.Clone(l)
	maps.Copy(l, members)
	return l
}

// without returns a copy without the named members.
func (l lead) without(names ...string) lead {
	l = maps.Clone(l)
	for _, name := range names {
		delete(l, name)
	}
	return l
}

// text returns a member that is a string.
func (l lead) text(name string) string {
	text, _ := l[name].(string)
	return text
}

func (l lead) json() []byte {
	body, err := json.Marshal(l)
	if err != nil {
		panic(err) // a lead is made of JSON values
	}
	return body
}

// ingest posts a lead.
func (d api) ingest(l lead) *answer.Answer { return d.Send(d.post(ingestPath, "ingest", l.json())) }

// ingestBody posts bytes that need not be a lead.
func (d api) ingestBody(body []byte) *answer.Answer {
	return d.Send(d.post(ingestPath, "ingest", body))
}

// ping posts a ping: a lead of which only campaign and supplier are required.
func (d api) ping(l lead) *answer.Answer { return d.Send(d.post(pingPath, "ping", l.json())) }

// lookup asks for a lead by one criterion, such as id=….
func (d api) lookup(criterion, value string) *answer.Answer {
	return d.Send(d.get(url.Values{criterion: {value}}))
}

// post makes a POST request without sending it.
func (d api) post(path, endpoint string, body []byte) target.Request {
	r := d.request(http.MethodPost, path, endpoint)
	r.Body = body
	if r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// get makes a lookup request without sending it.
func (d api) get(query url.Values) target.Request {
	path := lookupPath
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return d.request(http.MethodGet, path, "lookup")
}

func (d api) request(method, path, endpoint string) target.Request {
	header := http.Header{}
	if key := d.Profile.Distro.Credentials[d.role].Key; key != "" {
		header = d.Profile.Distro.KeyHeader(key)
	}
	maps.Copy(header, d.header)
	return target.Request{
		API: target.APIDistro, Method: method, Path: path, Header: header,
		Paced: target.Paced{Credential: d.role, Endpoint: endpoint},
	}
}
