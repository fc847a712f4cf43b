package world

import (
	"fmt"
	"slices"
	"strings"

	"leadconform/reference/internal/ratelimit"
)

// problem is one thing that is wrong with a world. Its text never holds a key or a secret.
type problem struct {
	at   path
	what string
}

// checker gathers problems, so that one look at the file can mend them all.
type checker struct{ problems []problem }

// check says what is wrong with a world that has just been read, its defaults not yet filled in.
func check(w *World) []problem {
	var c checker
	c.distro(path{"distro"}, &w.Distro)
	c.insertion(path{"insertion"}, &w.Insertion)
	return c.problems
}

func (c *checker) add(at path, format string, args ...any) {
	c.problems = append(c.problems, problem{at, fmt.Sprintf(format, args...)})
}

func (c *checker) distro(at path, d *Distro) {
	c.limits(at.with("limits"), d.Limits, false)
	if d.PingToken.Lifetime <= 0 {
		c.add(at.with("ping_token", "lifetime"), "must be a positive duration such as 30m")
	}
	if d.PingToken.Secret == "" {
		c.add(at.with("ping_token", "secret"), "is missing: set the text that ping tokens are signed with")
	}
	suppliers := c.suppliers(at.with("suppliers"), d)
	campaigns := owners{}
	for i, campaign := range d.Campaigns {
		at := at.with("campaigns", i)
		if campaign == nil {
			c.add(at, "is empty: describe the campaign, or remove the entry")
			continue
		}
		c.unique(at.with("id"), campaigns, campaign.ID, "campaign id")
		c.campaign(at, campaign, suppliers)
	}
}

// limits checks every endpoint's, or, where there is a default to fall back on, those that are given.
func (c *checker) limits(at path, l DistroLimits, fallBack bool) {
	for _, endpoint := range []struct {
		name   string
		policy ratelimit.TwoRate
	}{{"ingest", l.Ingest}, {"ping", l.Ping}, {"lookup", l.Lookup}} {
		if !fallBack || endpoint.policy != (ratelimit.TwoRate{}) {
			c.policy(at.with(endpoint.name), endpoint.policy)
		}
	}
}

func (c *checker) policy(at path, p interface{ Validate() error }) {
	if err := p.Validate(); err != nil {
		c.add(at, "%v", err)
	}
}

func (c *checker) suppliers(at path, d *Distro) (known owners) {
	known = owners{}
	keys := owners{}
	for i, s := range d.Suppliers {
		at := at.with(i)
		if s == nil {
			c.add(at, "is empty: describe the supplier, or remove the entry")
			continue
		}
		c.unique(at.with("id"), known, s.ID, "supplier id")
		if s.Limits != nil {
			c.limits(at.with("limits"), *s.Limits, true)
		}
		if len(s.Keys) == 0 {
			c.add(at.with("keys"), "are missing: a supplier needs at least one")
		}
		for j, key := range s.Keys {
			c.credential(at.with("keys", j), keys, key)
		}
	}
	return known
}

func (c *checker) campaign(at path, campaign *Campaign, suppliers owners) {
	for i, id := range campaign.Suppliers {
		if _, ok := suppliers[id]; !ok {
			c.add(at.with("suppliers", i), "there is no supplier %q: add it to distro.suppliers, or mend its spelling", id)
		}
		if slices.Contains(campaign.Suppliers[:i], id) {
			c.add(at.with("suppliers", i), "%q is listed twice: remove one", id)
		}
	}
	for i, field := range campaign.RequiredFields {
		if strings.TrimSpace(field) == "" {
			c.add(at.with("required_fields", i), "is blank: name a field")
		}
	}
	c.filters(at.with("filters"), campaign.Filters)
	c.suppression(at.with("suppression"), campaign.Suppression)
	switch campaign.Distribution {
	case RoundRobin, Weighted, Waterfall:
	default:
		c.add(at.with("distribution"), "must be %s, %s or %s, not %q", RoundRobin, Weighted, Waterfall, campaign.Distribution)
	}
	c.buyers(at.with("buyers"), campaign.Buyers)
}

func (c *checker) suppression(at path, s Suppression) {
	for i, phone := range s.Phones {
		if !strings.ContainsAny(phone, "0123456789") {
			c.add(at.with("phones", i), "%q has no digits: write a phone number, in quotes", phone)
		}
	}
	for i, email := range s.Emails {
		if !strings.Contains(email, "@") {
			c.add(at.with("emails", i), "%q is no email address", email)
		}
	}
}

func (c *checker) buyers(at path, buyers []*Buyer) {
	if len(buyers) == 0 {
		c.add(at, "are missing: a campaign needs at least one")
	}
	known := owners{}
	for i, b := range buyers {
		at := at.with(i)
		if b == nil {
			c.add(at, "is empty: describe the buyer, or remove the entry")
			continue
		}
		c.unique(at.with("id"), known, b.ID, "buyer id")
		if b.DailyCap < 0 {
			c.add(at.with("daily_cap"), "must not be negative; leave it out for no cap")
		}
		if b.Weight < 0 || b.Weight > maxWeight {
			c.add(at.with("weight"), "must be a whole number from 1 to %d, not %d", maxWeight, b.Weight)
		}
		c.filters(at.with("filters"), b.Filters)
	}
}

func (c *checker) filters(at path, filters []Filter) {
	rules := owners{}
	for i, f := range filters {
		at := at.with(i)
		c.unique(at.with("rule"), rules, f.Rule, "rule")
		if f.Field == "" {
			c.add(at.with("field"), "is missing: name the field that the rule looks at")
		}
		if len(f.In) == 0 && len(f.NotIn) == 0 {
			c.add(at, "lets every lead through: give it a list of values in, or not_in")
		}
	}
}

func (c *checker) insertion(at path, in *Insertion) {
	c.policy(at.with("limit"), in.Limit)
	if in.SignatureWindow <= 0 {
		c.add(at.with("signature_window"), "must be a positive duration such as 5m")
	}
	accounts, public, secrets := owners{}, owners{}, owners{}
	for i, a := range in.Accounts {
		at := at.with("accounts", i)
		if a == nil {
			c.add(at, "is empty: describe the account, or remove the entry")
			continue
		}
		c.unique(at.with("id"), accounts, a.ID, "account id")
		for j, id := range a.Campaigns {
			if id <= 0 {
				c.add(at.with("campaigns", j), "must be a positive whole number, not %d", id)
			}
		}
		if len(a.Keys) == 0 {
			c.add(at.with("keys"), "are missing: an account needs at least one")
		}
		for j, key := range a.Keys {
			c.key(at.with("keys", j), key, public, secrets)
		}
	}
}

func (c *checker) key(at path, k *Key, public, secrets owners) {
	if k == nil {
		c.add(at, "is empty: describe the key, or remove the entry")
		return
	}
	c.credential(at.with("public_key"), public, k.PublicKey)
	c.credential(at.with("secret"), secrets, k.Secret)
	if k.Limit != nil {
		c.policy(at.with("limit"), *k.Limit)
	}
	for i, scope := range k.Scopes {
		if scope != "leads:read" && scope != "leads:write" {
			c.add(at.with("scopes", i), "must be leads:read or leads:write, not %q", scope)
		}
	}
}

// owners remembers where each name was first given.
type owners map[string]path

func (c *checker) unique(at path, seen owners, name, what string) {
	if strings.TrimSpace(name) == "" {
		c.add(at, "is missing: give it a name")
		return
	}
	if first, again := seen[name]; again {
		c.add(at, "the %s %q is taken by %s already: choose another", what, name, first)
		return
	}
	seen[name] = at
}

// credential checks what a client sends in a header: visible ASCII, one owner only.
func (c *checker) credential(at path, seen owners, value string) {
	if value == "" || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
		c.add(at, "must be one or more visible ASCII characters, as it travels in a header")
		return
	}
	if first, again := seen[value]; again {
		c.add(at, "is the same as %s: give each its own", first)
		return
	}
	seen[value] = at
}
