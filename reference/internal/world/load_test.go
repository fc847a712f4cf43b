package world_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"leadconform/fixtures"
	"leadconform/reference/internal/ratelimit"
	"leadconform/reference/internal/world"
)

// small is a world that is right, from which each test makes its own.
const small = `distro:
  limits:
    ingest: {rate: 100, burst: 200, window: 10s}
    ping: {rate: 500, burst: 1000, window: 10s}
    lookup: {rate: 10, burst: 20, window: 5s}
  ping_token: {lifetime: 30m, secret: sealed}
  suppliers:
    - id: sup-a
      keys: [key-a1, key-a2]
      limits: &own
        ping: {rate: 5, burst: 6, window: 7s}
    - id: sup-b
      keys: [key-b]
      limits: *own
    - id: sup-c
      keys: [key-c]
  campaigns:
    - id: cmp-one
      suppliers: &both [sup-a, sup-b]
      required_fields: [case_type]
      filters:
        - {rule: states, field: state, in: [NY]}
      suppression:
        phones: ["5550100177"]
        emails: [gone@example.com]
      distribution: weighted
      buyers:
        - {id: north, weight: 3}
        - {id: south, daily_cap: 2}
    - id: cmp-two
      suppliers: *both
      distribution: waterfall
      buyers:
        - {id: north}
insertion:
  limit: {requests: 600, window: 60s}
  signature_window: 5m
  accounts:
    - id: acc-a
      enabled: true
      campaigns: [1, 2]
      keys:
        - public_key: pub-a
          secret: sec-a
          scopes: ["leads:read"]
        - public_key: pub-b
          secret: sec-b
          scopes: ["leads:write"]
          limit: {requests: 5, window: 10s}
          revoked: true
`

func load(t *testing.T, yaml string) *world.World {
	t.Helper()
	w, err := world.Load([]byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestTheEmbeddedWorldLoads(t *testing.T) {
	data, err := fixtures.FS.ReadFile("world.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w := load(t, string(data))
	documented := world.DistroLimits{
		Ingest: ratelimit.TwoRate{Rate: 100, Burst: 200, Window: 10 * time.Second},
		Ping:   ratelimit.TwoRate{Rate: 500, Burst: 1000, Window: 10 * time.Second},
		Lookup: ratelimit.TwoRate{Rate: 10, Burst: 20, Window: 5 * time.Second},
	}
	if diff := cmp.Diff(documented, w.Distro.Limits); diff != "" {
		t.Errorf("the default limits are not the documented ones:\n%s", diff)
	}
	if s, ok := w.Distro.SupplierByKey("ldk_limits_a_2Jf6Ge0Mu3"); !ok || *s.Limits != documented {
		t.Errorf("sup-limits-a is not at the documented limits: %+v", s)
	}
}

func TestLimitsFallBackToTheDefault(t *testing.T) {
	w := load(t, small)
	a, b, c := w.Distro.Suppliers[0], w.Distro.Suppliers[1], w.Distro.Suppliers[2]
	own := ratelimit.TwoRate{Rate: 5, Burst: 6, Window: 7 * time.Second}
	if a.Limits.Ping != own || a.Limits.Ingest != w.Distro.Limits.Ingest || a.Limits.Lookup != w.Distro.Limits.Lookup {
		t.Errorf("sup-a names a limit for ping alone, and has %+v", *a.Limits)
	}
	if *c.Limits != w.Distro.Limits {
		t.Errorf("sup-c names no limits, and has %+v", *c.Limits)
	}
	if a.Limits == b.Limits || c.Limits == &w.Distro.Limits {
		t.Error("limits are shared, so that a change to one owner's would change another's")
	}
	keys := w.Insertion.Accounts[0].Keys
	if *keys[0].Limit != w.Insertion.Limit || keys[1].Limit.Requests != 5 {
		t.Errorf("the keys have the limits %+v and %+v", *keys[0].Limit, *keys[1].Limit)
	}
}

func TestWeightsAreOneWhereNoneIsGiven(t *testing.T) {
	buyers := load(t, small).Distro.Campaigns[0].Buyers
	if buyers[0].Weight != 3 || buyers[1].Weight != 1 {
		t.Errorf("weights are %d and %d, expected 3 and 1", buyers[0].Weight, buyers[1].Weight)
	}
}

func TestLookups(t *testing.T) {
	w := load(t, small)
	d, in := &w.Distro, &w.Insertion
	for key, want := range map[string]string{"key-a1": "sup-a", "key-a2": "sup-a", "key-b": "sup-b", "KEY-B": "", "": ""} {
		if s, ok := d.SupplierByKey(key); ok != (want != "") || ok && s.ID != want {
			t.Errorf("SupplierByKey(%q) = %v, %v; expected %q", key, s, ok, want)
		}
	}
	for id, want := range map[string]bool{"cmp-one": true, "cmp-none": false, "": false} {
		if c, ok := d.Campaign(id); ok != want || ok && c.ID != id {
			t.Errorf("Campaign(%q) = %v, %v", id, c, ok)
		}
	}
	if c, _ := d.Campaign("cmp-one"); !c.Attached("sup-b") || c.Attached("sup-c") {
		t.Error("cmp-one should have sup-b attached, and not sup-c")
	}
	signed, ok := in.KeyByPublicKey("pub-b")
	if !ok || signed.Account.ID != "acc-a" || !signed.Revoked || !signed.Has("leads:write") || signed.Has("leads:read") {
		t.Errorf("KeyByPublicKey found %+v, %v", signed, ok)
	}
	if bearer, ok := in.KeyBySecret("sec-b"); !ok || bearer != signed {
		t.Errorf("KeyBySecret found %+v, %v", bearer, ok)
	}
	if _, ok := in.KeyBySecret("pub-b"); ok {
		t.Error("a public key serves as a bearer token")
	}
}
