package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"leadconform/reference/internal/leads"
)

// Distro holds a store against what leads.Distro promises. The store that open returns may be shared with other tests:
// every test here works with suppliers, campaigns and buyers of its own; only those of Reset touch others'.
func Distro(t *testing.T, open func(t *testing.T) leads.Store) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, store leads.Store)
	}{
		{"behaves like a plain model", distroModel},
		{"keeps a lead as it was sent", leadKept},
		{"finds the newest lead", newestFound},
		{"keeps suppliers apart", suppliersApart},
		{"finds nothing without a criterion", emptyCriterion},
		{"refuses a phone or email that the campaign has seen", duplicates},
		{"takes no empty phone or email for a duplicate", emptyIsNoDuplicate},
		{"counts a turn for each lead that found a buyer", turnsCounted},
		{"counts caps by the UTC day", capsByDay},
		{"counts a buyer's cap over all campaigns", capsOverCampaigns},
		{"places one of many equal leads at once", onePlaced},
		{"never exceeds a cap at once", capsHeld},
		{"gives each of many leads at once a turn of its own", turnsApart},
		{"places nothing for a caller that has gone", nothingPlaced},
		{"forgets counts on a reset of caps", resetCaps},
		{"forgets leads on a full reset", resetLeads},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

func newName(kind string) string { return kind + "-" + uuid.NewString() }

// newPlacement is a lead for a campaign of its own, without a buyer, in a precision that every store can keep.
func newPlacement() leads.Placement {
	return leads.Placement{
		CampaignID: newName("cmp"),
		SupplierID: newName("sup"),
		Phone:      "5550100100",
		Email:      "ada@example.com",
		Fields:     json.RawMessage(`{"first_name":"Ada"}`),
		Order:      offer(),
		At:         noon,
	}
}

// offer is an order that is the same at every turn.
func offer(candidates ...leads.Candidate) func(uint64) []leads.Candidate {
	return func(uint64) []leads.Candidate { return candidates }
}

func mustPlace(t *testing.T, store leads.Distro, p leads.Placement) leads.DistroLead {
	t.Helper()
	lead, err := store.Place(t.Context(), p)
	if err != nil {
		t.Fatalf("place: %v", err)
	}
	return lead
}

func mustFind(t *testing.T, store leads.Distro, supplierID string, c leads.Criterion, want leads.DistroLead) {
	t.Helper()
	got, err := store.Find(t.Context(), supplierID, c)
	if err != nil {
		t.Errorf("find %v: %v", c, err)
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("find %v (-want +got):\n%s", c, diff)
	}
}

func mustNotFind(t *testing.T, store leads.Distro, supplierID string, c leads.Criterion) {
	t.Helper()
	if got, err := store.Find(t.Context(), supplierID, c); !errors.Is(err, leads.ErrNotFound) {
		t.Errorf("find %v: got lead %s, %v; want ErrNotFound", c, got.ID, err)
	}
}

func leadKept(t *testing.T, store leads.Store) {
	p := newPlacement()
	p.Fields = json.RawMessage(`{ "z": 1.0, "a": [1e+400, "\u0000", null], "é😀": "\"\\ \n" }`)
	p.Order = offer(leads.Candidate{BuyerID: "buyer-a"})
	want := leads.DistroLead{
		CampaignID: p.CampaignID, SupplierID: p.SupplierID, Status: leads.Accepted, BuyerID: "buyer-a",
		Phone: p.Phone, Email: p.Email, Fields: json.RawMessage(string(p.Fields)), CreatedAt: p.At,
	}
	placed := mustPlace(t, store, p)
	want.ID = placed.ID
	if placed.ID == uuid.Nil {
		t.Error("the lead has no id")
	}
	if diff := cmp.Diff(want, placed); diff != "" {
		t.Errorf("placed (-want +got):\n%s", diff)
	}
	clear(p.Fields) // the caller's bytes are the caller's again
	mustFind(t, store, p.SupplierID, leads.Criterion{ID: placed.ID}, want)

	p = newPlacement()
	unmatched := mustPlace(t, store, p)
	if unmatched.Status != leads.Unmatched || unmatched.BuyerID != "" || unmatched.ID == placed.ID {
		t.Errorf("without a candidate: %+v", unmatched)
	}
	mustFind(t, store, p.SupplierID, leads.Criterion{ID: unmatched.ID}, unmatched)
}

// newestFound: the newest is the one with the latest time, and of several at the same time the one placed last.
func newestFound(t *testing.T, store leads.Store) {
	p := newPlacement()
	mustPlace(t, store, p)
	p.CampaignID = newName("cmp") // whichever campaign it is
	second := mustPlace(t, store, p)
	byPhone, byEmail := leads.Criterion{Phone: p.Phone}, leads.Criterion{Email: p.Email}
	mustFind(t, store, p.SupplierID, byPhone, second)
	mustFind(t, store, p.SupplierID, byEmail, second)

	p.At = noon.Add(-time.Second)
	earlier := mustPlace(t, store, p)
	mustFind(t, store, p.SupplierID, byPhone, second)
	mustFind(t, store, p.SupplierID, leads.Criterion{ID: earlier.ID}, earlier)

	p.At, p.Email = noon.Add(time.Second), "other@example.com"
	later := mustPlace(t, store, p)
	mustFind(t, store, p.SupplierID, byPhone, later)
	mustFind(t, store, p.SupplierID, byEmail, second)
}

func suppliersApart(t *testing.T, store leads.Store) {
	p := newPlacement()
	lead := mustPlace(t, store, p)
	stranger := newName("sup")
	for _, c := range []leads.Criterion{{ID: lead.ID}, {Phone: p.Phone}, {Email: p.Email}} {
		mustFind(t, store, p.SupplierID, c, lead)
		mustNotFind(t, store, stranger, c)
	}
	p.SupplierID, p.At = stranger, noon.Add(time.Second)
	theirs := mustPlace(t, store, p)
	mustFind(t, store, lead.SupplierID, leads.Criterion{Phone: p.Phone}, lead)
	mustFind(t, store, stranger, leads.Criterion{Phone: p.Phone}, theirs)
}

func emptyCriterion(t *testing.T, store leads.Store) {
	p := newPlacement()
	p.Phone = ""
	lead := mustPlace(t, store, p)
	mustFind(t, store, p.SupplierID, leads.Criterion{ID: lead.ID}, lead)
	mustNotFind(t, store, p.SupplierID, leads.Criterion{})
}

func duplicates(t *testing.T, store leads.Store) {
	p := newPlacement()
	p.DuplicateCheck, p.Order = true, offer(leads.Candidate{BuyerID: newName("buyer"), DailyCap: 2})
	first := mustPlace(t, store, p)
	for _, test := range []struct {
		name         string
		phone, email string
	}{
		{"both again", p.Phone, p.Email},
		{"the phone again", p.Phone, "other@example.com"},
		{"the email again", "5550100199", p.Email},
	} {
		again := p
		again.Phone, again.Email, again.SupplierID = test.phone, test.email, newName("sup")
		if lead, err := store.Place(t.Context(), again); !errors.Is(err, leads.ErrDuplicate) {
			t.Errorf("%s: placed as %s, %v; want ErrDuplicate", test.name, lead.Status, err)
		}
		mustNotFind(t, store, again.SupplierID, leads.Criterion{Phone: test.phone})
		mustSee(t, store, p.CampaignID, test.phone, test.email, true)
	}
	mustFind(t, store, p.SupplierID, leads.Criterion{Phone: p.Phone}, first)

	// What was refused took nothing: neither its other half counts as seen, nor the buyer's second place.
	mustSee(t, store, p.CampaignID, "5550100199", "other@example.com", false)
	fresh := p
	fresh.Phone, fresh.Email = "5550100199", "other@example.com"
	if lead := mustPlace(t, store, fresh); lead.Status != leads.Accepted {
		t.Errorf("a new lead found the cap used up by refused ones: %s", lead.Status)
	}

	other := p
	other.CampaignID = newName("cmp")
	mustSee(t, store, other.CampaignID, p.Phone, p.Email, false)
	mustPlace(t, store, other)

	unchecked := p
	unchecked.DuplicateCheck = false
	mustPlace(t, store, unchecked)
}

func mustSee(t *testing.T, store leads.Distro, campaignID, phone, email string, want bool) {
	t.Helper()
	seen, err := store.Seen(t.Context(), campaignID, phone, email)
	if err != nil || seen != want {
		t.Errorf("seen %q or %q: %v, %v; want %v", phone, email, seen, err, want)
	}
}

func emptyIsNoDuplicate(t *testing.T, store leads.Store) {
	p := newPlacement()
	p.DuplicateCheck, p.Phone = true, ""
	mustPlace(t, store, p)
	mustSee(t, store, p.CampaignID, "", p.Email, true)
	mustSee(t, store, p.CampaignID, "", "other@example.com", false)
	mustSee(t, store, p.CampaignID, "", "", false)
	p.Email = "other@example.com"
	mustPlace(t, store, p)
}

func turnsCounted(t *testing.T, store leads.Store) {
	p := newPlacement()
	full := leads.Candidate{BuyerID: newName("buyer"), DailyCap: 1}
	var last uint64
	place := func(open bool) uint64 {
		p.Order = func(turn uint64) []leads.Candidate {
			last = turn
			if open {
				return []leads.Candidate{full, {BuyerID: "buyer-b"}}
			}
			return []leads.Candidate{full}
		}
		mustPlace(t, store, p)
		return last
	}
	got := []uint64{place(false), place(false), place(true), place(false), place(true), place(true)}
	if diff := cmp.Diff([]uint64{0, 1, 1, 2, 2, 3}, got); diff != "" {
		t.Errorf("turns (-want +got):\n%s", diff)
	}
	p.CampaignID = newName("cmp")
	if turn := place(true); turn != 0 {
		t.Errorf("another campaign begins at turn %d", turn)
	}
}

func capsByDay(t *testing.T, store leads.Store) {
	p := newPlacement()
	p.Order = offer(leads.Candidate{BuyerID: newName("buyer"), DailyCap: 1})
	east := time.FixedZone("east", 9*60*60)
	for _, step := range []struct {
		at   time.Time
		want leads.Status
	}{
		{time.Date(2026, 3, 1, 23, 59, 59, 999_999_000, time.UTC), leads.Accepted},
		{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), leads.Unmatched},
		{time.Date(2026, 3, 2, 8, 59, 59, 0, east), leads.Unmatched}, // still the first of March in UTC
		{time.Date(2026, 3, 2, 9, 0, 0, 0, east), leads.Accepted},
		{time.Date(2026, 3, 2, 23, 59, 59, 0, time.UTC), leads.Unmatched},
		{time.Date(2026, 3, 1, 23, 59, 59, 0, time.UTC), leads.Unmatched}, // a late one doesn't open a day again
		{time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), leads.Accepted},
	} {
		p.At = step.at
		if got := mustPlace(t, store, p); got.Status != step.want {
			t.Errorf("at %s: %s, want %s", step.at, got.Status, step.want)
		}
	}
}

func capsOverCampaigns(t *testing.T, store leads.Store) {
	p := newPlacement()
	p.Order = offer(leads.Candidate{BuyerID: newName("buyer"), DailyCap: 2})
	var got []leads.Status
	for range 3 {
		p.CampaignID = newName("cmp")
		got = append(got, mustPlace(t, store, p).Status)
	}
	if diff := cmp.Diff([]leads.Status{leads.Accepted, leads.Accepted, leads.Unmatched}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func nothingPlaced(t *testing.T, store leads.Store) {
	p := newPlacement()
	gone, leave := context.WithCancel(t.Context())
	leave()
	if lead, err := store.Place(gone, p); err == nil {
		t.Errorf("a lead of a caller that has gone was acknowledged: %s", lead.ID)
	}
	mustNotFind(t, store, p.SupplierID, leads.Criterion{Phone: p.Phone})
	mustSee(t, store, p.CampaignID, p.Phone, p.Email, false)
}

func resetCaps(t *testing.T, store leads.Store) {
	p := newPlacement()
	p.Order = offer(leads.Candidate{BuyerID: newName("buyer"), DailyCap: 1})
	first := mustPlace(t, store, p)
	if got := mustPlace(t, store, p); got.Status != leads.Unmatched {
		t.Fatalf("beyond the cap: %s", got.Status)
	}
	if err := store.Reset(t.Context(), leads.ResetCaps); err != nil {
		t.Fatal(err)
	}
	mustFind(t, store, p.SupplierID, leads.Criterion{ID: first.ID}, first)
	mustSee(t, store, p.CampaignID, p.Phone, p.Email, true)
	if got := mustPlace(t, store, p); got.Status != leads.Accepted {
		t.Errorf("after the reset: %s", got.Status)
	}
}

func resetLeads(t *testing.T, store leads.Store) {
	p := newPlacement()
	p.DuplicateCheck = true
	turn := uint64(99)
	buyer := leads.Candidate{BuyerID: newName("buyer"), DailyCap: 1}
	p.Order = func(n uint64) []leads.Candidate {
		turn = n
		return []leads.Candidate{buyer}
	}
	lead := mustPlace(t, store, p)
	if err := store.Reset(t.Context(), leads.ResetAll); err != nil {
		t.Fatal(err)
	}
	for _, c := range []leads.Criterion{{ID: lead.ID}, {Phone: p.Phone}, {Email: p.Email}} {
		mustNotFind(t, store, p.SupplierID, c)
	}
	if again := mustPlace(t, store, p); again.Status != leads.Accepted || turn != 0 {
		t.Errorf("after the reset: %s at turn %d, want %s at 0", again.Status, turn, leads.Accepted)
	}
}
