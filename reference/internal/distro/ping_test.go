package distro

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"leadconform/reference/internal/world"
)

func TestPing(t *testing.T) {
	s := newService(t)
	a := s.ping(primaryKey, lead{"flo_campaign_id": "cmp-open", "flo_supplier_id": "sup-primary"}).want(200)
	want := map[string]any{
		"accepted": true, "ping_id": a.text("ping_id"), "expires_at": "2026-03-01T12:30:00Z", "message": "The lead would be taken",
	}
	if diff := cmp.Diff(want, a.body); diff != "" || a.text("ping_id") == "" {
		t.Errorf("ping (-want +got):\n%s", diff)
	}
	again := s.ping(primaryKey, lead{"flo_campaign_id": "cmp-open", "flo_supplier_id": "sup-primary"}).want(200)
	if again.text("ping_id") == a.text("ping_id") {
		t.Error("two pings have one ping_id")
	}
}

func TestRefusedPing(t *testing.T) {
	s := newService(t)
	body := lead{"flo_campaign_id": "cmp-filtered", "flo_supplier_id": "sup-primary", "state": "NY"}
	a := s.ping(primaryKey, body).want(200)
	want := map[string]any{"accepted": false, "reason": "excluded_state", "message": "The lead would be refused"}
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Errorf("ping (-want +got):\n%s", diff)
	}
	if a := s.ping(primaryKey, body.with("state", "CA")).want(200); a.body["accepted"] != true {
		t.Errorf("from another state: %s", a.raw)
	}
}

func TestPingLeavesNothing(t *testing.T) {
	s := newService(t)
	body := newLead("cmp-unique")
	for range 2 {
		if a := s.ping(primaryKey, body).want(200); a.body["accepted"] != true {
			t.Fatalf("the ping: %s", a.raw)
		}
	}
	s.lookup(primaryKey, "email="+body["email"].(string)).want(404)
	s.ingest(primaryKey, body).want(201)
	if a := s.ping(primaryKey, body).want(200); a.text("reason") != "duplicate" {
		t.Errorf("a ping of a lead that is there: %s", a.raw)
	}
	if a := s.ping(primaryKey, newLead("cmp-unique").with("phone", absent, "email", body["email"])).want(200); a.text("reason") != "duplicate" {
		t.Errorf("a ping of its email alone: %s", a.raw)
	}
}

func TestPingID(t *testing.T) {
	s := newService(t)
	pingID := func(key, supplier, campaign string) string {
		return s.ping(key, lead{"flo_campaign_id": campaign, "flo_supplier_id": supplier}).want(200).text("ping_id")
	}
	post := func(token any) answer {
		return s.ingest(primaryKey, newLead("cmp-open").with("flo_ping_id", token))
	}
	good := pingID(primaryKey, "sup-primary", "cmp-open")
	post(good).want(201)
	post(good).want(201) // it may be used again
	for name, bad := range map[string]string{
		"another campaign's": pingID(primaryKey, "sup-primary", "cmp-unique"),
		"another supplier's": pingID(secondaryKey, "sup-secondary", "cmp-open"),
		"an empty one":       "",
		"words":              "not a token",
		"a part":             good[:len(good)-4],
		"one with more":      good + "AAAA",
		"one with padding":   good + "=",
	} {
		a := post(bad).wantError(422, "lead_rejected")
		if diff := cmp.Diff([]string{"ping_id"}, a.rules()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	s.clock.advance(30*time.Minute - time.Millisecond)
	post(good).want(201)
	s.clock.advance(time.Millisecond)
	post(good).wantError(422, "lead_rejected")
}

func TestTamperedToken(t *testing.T) {
	tokens := newSignedTokens(world.PingToken{Secret: "test", Lifetime: time.Minute})
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	token, _ := tokens.Issue("sup", "cmp", now)
	if !tokens.Verify(token, "sup", "cmp", now) {
		t.Fatal("the token isn't good as it was issued")
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range token {
		for _, other := range alphabet {
			tampered := token[:i] + string(other) + token[i+1:]
			if tampered != token && tokens.Verify(tampered, "sup", "cmp", now) {
				t.Errorf("still good with %q at %d", other, i)
			}
		}
		if tokens.Verify(token[:i]+"\n"+token[i:], "sup", "cmp", now) {
			t.Errorf("still good with a line end at %d", i)
		}
	}
	for _, owner := range [][2]string{{"su", "pcmp"}, {"sux", "cmp"}, {"sup", "cmx"}, {"supc", "mp"}, {"cmp", "sup"}, {"sup", "cmp2"}, {"", "supcmp"}} {
		if tokens.Verify(token, owner[0], owner[1], now) {
			t.Errorf("good for supplier %q and campaign %q", owner[0], owner[1])
		}
	}
	if other := newSignedTokens(world.PingToken{Secret: "other", Lifetime: time.Minute}); other.Verify(token, "sup", "cmp", now) {
		t.Error("good under another secret")
	}
	if raw, _ := base64.RawURLEncoding.DecodeString(token); strings.Contains(string(raw), "test") {
		t.Error("the token holds the secret")
	}
}
