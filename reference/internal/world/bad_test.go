package world_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	"leadconform/reference/internal/world"
)

// Each of these differs from the small world in one thing, and the error says which, where, and what to do.
func TestBadWorlds(t *testing.T) {
	cases := []struct {
		name     string
		old, new string // what is changed in small
		want     string // what the error says after the place; "…" stands for anything
		at       string // where the error places it: the first line with this text; the new text if not given
	}{
		{name: "unknown member of the root", at: "insertions", old: "insertion:\n", new: "insertions: {}\ninsertion:\n",
			want: `unknown field "insertions": remove it, or mend its spelling`},
		{name: "unknown member of a buyer", old: "daily_cap: 2", new: "cap: 2",
			want: `unknown field "cap": remove it, or mend its spelling`},
		{name: "a member twice", at: "signature_window: 6m", old: "  signature_window: 5m\n", new: "  signature_window: 5m\n  signature_window: 6m\n",
			want: `mapping key "signature_window" already defined at [37:3]`},
		{name: "a text for a number", old: "rate: 100", new: "rate: many", want: `expected a number`},
		{name: "a fraction of a request", old: "requests: 600", new: "requests: 1.5",
			want: `requests must be a whole number, not 1.5`},
		{name: "a text for a truth", old: "enabled: true", new: "enabled: perhaps", want: `expected true or false`},
		{name: "a list for a text", old: "id: cmp-one", new: "id: [cmp-one]", want: `expected a text`},
		{name: "a text for a list", old: "required_fields: [case_type]", new: "required_fields: case_type",
			want: `expected a list, not a text`},
		{name: "a duration without unit", old: "signature_window: 5m", new: "signature_window: 5",
			want: `signature_window must be a duration such as 10s or 5m, not "5"`},
		{name: "an unknown alias", old: "*both", new: "*neither", want: `could not find alias "neither"`},
		{name: "no YAML", at: "    ping:", old: "limits:\n", new: "limits: {\n", want: `',' or '}' must be specified`},
		{name: "a second document", old: "insertion:\n", new: "---\ninsertion:\n", at: "insertion:", want: `a second document starts here: keep everything in one`},

		{name: "rate of zero", old: "rate: 100,", new: "rate: 0,",
			want: `distro.limits.ingest: rate must be a positive number of requests per second, not 0`},
		{name: "rate that is no number", old: "rate: 100,", new: "rate: .nan,",
			want: `distro.limits.ingest: rate must be a positive number of requests per second, not NaN`},
		{name: "burst below the rate", old: "burst: 1000", new: "burst: 499",
			want: `distro.limits.ping: burst must be at least the rate of 500, not 499`},
		{name: "endless burst", old: "burst: 20,", new: "burst: .inf,",
			want: `distro.limits.lookup: burst must be a positive number of requests per second, not +Inf`},
		{name: "no window", at: "lookup:", old: "burst: 20, window: 5s", new: "burst: 20",
			want: `distro.limits.lookup: window must be a positive duration such as 10s, not 0s`},
		{name: "limits beyond counting", at: "lookup:", old: "window: 5s", new: "window: 1000000h",
			want: `distro.limits.lookup: rate, burst and window allow more requests than can be counted: make them smaller`},
		{name: "a supplier's own limit", at: "limits: {ping", old: "  campaigns:\n    - id: cmp-one", new: "      limits: {ping: {rate: 5, burst: 4, window: 1s}}\n  campaigns:\n    - id: cmp-one",
			want: `distro.suppliers[2].limits.ping: burst must be at least the rate of 5, not 4`},
		{name: "a limit behind an alias", old: "burst: 6", new: "burst: 4",
			want: "distro.suppliers[0].limits.ping: burst must be at least the rate of 5, not 4\n…distro.suppliers[1].limits.ping: burst must be at least the rate of 5, not 4"},
		{name: "no lifetime of ping tokens", at: "ping_token", old: "lifetime: 30m, ", new: "",
			want: `distro.ping_token.lifetime: must be a positive duration such as 30m`},
		{name: "no secret for ping tokens", at: "ping_token", old: ", secret: sealed", new: "",
			want: `distro.ping_token.secret: is missing: set the text that ping tokens are signed with`},

		{name: "supplier twice", at: "id: sup-a\n      keys: [key-b", old: "id: sup-b", new: "id: sup-a",
			want: `distro.suppliers[1].id: the supplier id "sup-a" is taken by distro.suppliers[0].id already: choose another…`},
		{name: "supplier without id", old: "id: sup-c", new: `id: ""`, want: `distro.suppliers[2].id: is missing: give it a name`},
		{name: "key twice", at: "[key-a2]", old: "key-b", new: "key-a2", want: `distro.suppliers[1].keys[0]: is the same as distro.suppliers[0].keys[1]: give each its own`},
		{name: "key that can't travel", old: "key-b", new: `"key b"`,
			want: `distro.suppliers[1].keys[0]: must be one or more visible ASCII characters, as it travels in a header`},
		{name: "no keys", at: "keys: []", old: "keys: [key-b]", new: "keys: []", want: `distro.suppliers[1].keys: are missing: a supplier needs at least one`},
		{name: "empty supplier", at: "-\n", old: "    - id: sup-c\n      keys: [key-c]\n", new: "    -\n",
			want: `distro.suppliers[2]: is empty: describe the supplier, or remove the entry`},

		{name: "campaign twice", at: "id: cmp-one\n      suppliers: *both", old: "id: cmp-two", new: "id: cmp-one",
			want: `distro.campaigns[1].id: the campaign id "cmp-one" is taken by distro.campaigns[0].id already: choose another`},
		{name: "unknown supplier", old: "suppliers: *both", new: "suppliers: [sup-a, sup-x]",
			want: `distro.campaigns[1].suppliers[1]: there is no supplier "sup-x": add it to distro.suppliers, or mend its spelling`},
		{name: "supplier attached twice", old: "suppliers: *both", new: "suppliers: [sup-a, sup-a]",
			want: `distro.campaigns[1].suppliers[1]: "sup-a" is listed twice: remove one`},
		{name: "blank required field", old: "[case_type]", new: `[" "]`, want: `distro.campaigns[0].required_fields[0]: is blank: name a field`},
		{name: "unknown distribution", old: "distribution: waterfall", new: "distribution: lottery",
			want: `distro.campaigns[1].distribution: must be round_robin, weighted or waterfall, not "lottery"`},
		{name: "no distribution", at: "id: cmp-two", old: "      distribution: waterfall\n", new: "",
			want: `distro.campaigns[1].distribution: must be round_robin, weighted or waterfall, not ""`},
		{name: "filter without rule", at: "{field", old: "rule: states, ", new: "", want: `distro.campaigns[0].filters[0].rule: is missing: give it a name`},
		{name: "filter without field", at: "{rule", old: "field: state, ", new: "",
			want: `distro.campaigns[0].filters[0].field: is missing: name the field that the rule looks at`},
		{name: "filter without values", at: "{rule", old: ", in: [NY]", new: "",
			want: `distro.campaigns[0].filters[0]: lets every lead through: give it a list of values in, or not_in`},
		{name: "rule twice", at: "field: zip", old: "in: [NY]}\n", new: "in: [NY]}\n        - {rule: states, field: zip, not_in: [1]}\n",
			want: `distro.campaigns[0].filters[1].rule: the rule "states" is taken by distro.campaigns[0].filters[0].rule already: choose another`},
		{name: "phone without digits", old: `"5550100177"`, new: `"n/a"`,
			want: `distro.campaigns[0].suppression.phones[0]: "n/a" has no digits: write a phone number, in quotes`},
		{name: "email without at", old: "gone@example.com", new: "gone", want: `distro.campaigns[0].suppression.emails[0]: "gone" is no email address`},
		{name: "buyer twice", at: "daily_cap", old: "id: south", new: "id: north",
			want: `distro.campaigns[0].buyers[1].id: the buyer id "north" is taken by distro.campaigns[0].buyers[0].id already: choose another`},
		{name: "negative cap", old: "daily_cap: 2", new: "daily_cap: -2",
			want: `distro.campaigns[0].buyers[1].daily_cap: must not be negative; leave it out for no cap`},
		{name: "negative weight", old: "weight: 3", new: "weight: -3",
			want: `distro.campaigns[0].buyers[0].weight: must be a whole number from 1 to 1000, not -3`},
		{name: "a weight that would take long to share out", old: "weight: 3", new: "weight: 1001",
			want: `distro.campaigns[0].buyers[0].weight: must be a whole number from 1 to 1000, not 1001`},
		{name: "no buyers", at: "id: cmp-two", old: "      buyers:\n        - {id: north}\n", new: "",
			want: `distro.campaigns[1].buyers: are missing: a campaign needs at least one`},

		{name: "no ceiling", old: "requests: 600", new: "requests: 0", want: `insertion.limit: requests must be a positive whole number, not 0`},
		{name: "a key's own ceiling", old: "requests: 5,", new: "requests: -5,",
			want: `insertion.accounts[0].keys[1].limit: requests must be a positive whole number, not -5`},
		{name: "no signature window", at: "limit: {requests: 600", old: "  signature_window: 5m\n", new: "",
			want: `insertion.signature_window: must be a positive duration such as 5m`},
		{name: "bad campaign id", old: "campaigns: [1, 2]", new: "campaigns: [1, 0]",
			want: `insertion.accounts[0].campaigns[1]: must be a positive whole number, not 0`},
		{name: "public key twice", at: "public_key: pub-a\n          secret: sec-b", old: "pub-b", new: "pub-a",
			want: `insertion.accounts[0].keys[1].public_key: is the same as insertion.accounts[0].keys[0].public_key: give each its own`},
		{name: "secret twice", at: "secret: sec-a\n          scopes: [\"leads:write", old: "sec-b", new: "sec-a",
			want: `insertion.accounts[0].keys[1].secret: is the same as insertion.accounts[0].keys[0].secret: give each its own`},
		{name: "unknown scope", old: "leads:write", new: "leads:delete",
			want: `insertion.accounts[0].keys[1].scopes[0]: must be leads:read or leads:write, not "leads:delete"`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if strings.Count(small, tc.old) == 0 {
				t.Fatalf("the small world has no %q", tc.old)
			}
			bad := strings.Replace(small, tc.old, tc.new, 1)
			before, _, _ := strings.Cut(bad, cmp.Or(tc.at, tc.new))
			want := fmt.Sprintf("world.yaml:%d: %s", strings.Count(before, "\n")+1, tc.want)
			_, err := world.Load([]byte(bad))
			if err == nil {
				t.Fatal("the world loads")
			}
			if !matches(err.Error(), want) {
				t.Errorf("the error is\n%s\nexpected\n%s", err, want)
			}
		})
	}
}

func TestEmptyWorld(t *testing.T) {
	for _, data := range []string{"", "# nothing\n", "---\n"} {
		if _, err := world.LoadNamed("mine.yaml", []byte(data)); err == nil || !strings.HasPrefix(err.Error(), "mine.yaml: the file is empty") {
			t.Errorf("%q: %v", data, err)
		}
	}
}

// An error tells where a secret stands, never what it is.
func TestErrorsHoldNoSecret(t *testing.T) {
	bad := strings.NewReplacer("key-b", `"tell tale"`, "sec-b", "sec-a", "sealed", "[tell-tale]").Replace(small)
	_, err := world.Load([]byte(bad))
	if err == nil || strings.Contains(err.Error(), "tale") || strings.Contains(err.Error(), "sec-a") {
		t.Errorf("the error is %v", err)
	}
}

// matches compares a text with a pattern in which "…" stands for anything.
func matches(text, pattern string) bool {
	parts := strings.Split(pattern, "…")
	if len(parts) == 1 {
		return text == pattern
	}
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1:] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return true
}
