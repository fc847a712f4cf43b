package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"leadconform/reference/internal/leads"
)

// distroModel runs random sequences of placements and compares the store with a model too plain to be wrong: a list of
// leads, searched from end to end. Every placement is compared at once, and all that can be looked up at the end.
func distroModel(t *testing.T, store leads.Store) {
	rapid.Check(t, func(rt *rapid.T) {
		run := &distroRun{ctx: t.Context(), store: store}
		run.suppliers = []string{newName("sup"), newName("sup")}
		run.campaigns = []string{newName("cmp"), newName("cmp")}
		for _, dailyCap := range []int{0, 1, 2} {
			run.buyers = append(run.buyers, leads.Candidate{BuyerID: newName("buyer"), DailyCap: dailyCap})
		}
		rt.Repeat(map[string]func(*rapid.T){"place": run.place})
		run.compare(rt)
	})
}

// distroRun is one random sequence. Few suppliers, campaigns, buyers and values, so that they meet often.
type distroRun struct {
	ctx                  context.Context
	store                leads.Store
	suppliers, campaigns []string
	buyers               []leads.Candidate

	model []leads.DistroLead // in the order of placement
}

var (
	somePhones = []string{"", "5550100100", "5550100101", "5550100102"}
	someEmails = []string{"", "ada@example.com", "bob@example.com", "5550100100"}
)

func (r *distroRun) place(t *rapid.T) {
	offered := rapid.SliceOfNDistinct(rapid.SampledFrom(r.buyers), 0, len(r.buyers), func(c leads.Candidate) string { return c.BuyerID }).Draw(t, "offered")
	p := leads.Placement{
		CampaignID:     rapid.SampledFrom(r.campaigns).Draw(t, "campaign"),
		SupplierID:     rapid.SampledFrom(r.suppliers).Draw(t, "supplier"),
		Phone:          rapid.SampledFrom(somePhones).Draw(t, "phone"),
		Email:          rapid.SampledFrom(someEmails).Draw(t, "email"),
		Fields:         json.RawMessage(rapid.SampledFrom([]string{`{}`, `{"a": 1}`}).Draw(t, "fields")),
		DuplicateCheck: rapid.Bool().Draw(t, "duplicate check"),
		Order:          rotating(offered),
		At:             noon.Add(time.Duration(rapid.IntRange(-14, 14).Draw(t, "hours")) * time.Hour),
	}
	got, err := r.store.Place(r.ctx, p)
	if p.DuplicateCheck && r.hasSeen(p.CampaignID, p.Phone, p.Email) {
		if !errors.Is(err, leads.ErrDuplicate) {
			t.Fatalf("a duplicate: placed as %s, %v", got.Status, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("place: %v", err)
	}
	want := leads.DistroLead{
		ID: got.ID, CampaignID: p.CampaignID, SupplierID: p.SupplierID, Status: leads.Unmatched,
		Phone: p.Phone, Email: p.Email, Fields: p.Fields, CreatedAt: p.At,
	}
	if buyer := r.choose(p); buyer != "" {
		want.Status, want.BuyerID = leads.Accepted, buyer
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("placed (-want +got):\n%s", diff)
	}
	r.model = append(r.model, want)
}

// rotating offers the candidates beginning one later at each turn.
func rotating(offered []leads.Candidate) func(uint64) []leads.Candidate {
	return func(turn uint64) []leads.Candidate {
		if len(offered) == 0 {
			return nil
		}
		first := int(turn % uint64(len(offered)))
		return slices.Concat(offered[first:], offered[:first])
	}
}

// choose returns the buyer that the lead goes to, counting afresh what each has.
func (r *distroRun) choose(p leads.Placement) string {
	var turn uint64
	today := map[string]int{}
	for _, lead := range r.model {
		if lead.CampaignID == p.CampaignID && lead.Status == leads.Accepted {
			turn++
		}
		if lead.CreatedAt.UTC().Format(time.DateOnly) == p.At.UTC().Format(time.DateOnly) {
			today[lead.BuyerID]++
		}
	}
	for _, c := range p.Order(turn) {
		if c.DailyCap == 0 || today[c.BuyerID] < c.DailyCap {
			return c.BuyerID
		}
	}
	return ""
}

func (r *distroRun) hasSeen(campaignID, phone, email string) bool {
	return slices.ContainsFunc(r.model, func(lead leads.DistroLead) bool {
		return lead.CampaignID == campaignID && (phone != "" && lead.Phone == phone || email != "" && lead.Email == email)
	})
}

// compare asks for everything that could be there.
func (r *distroRun) compare(t *rapid.T) {
	for _, supplier := range r.suppliers {
		for _, lead := range r.model {
			r.mustFind(t, supplier, leads.Criterion{ID: lead.ID}, func(l leads.DistroLead) bool { return l.ID == lead.ID })
		}
		for _, phone := range somePhones {
			r.mustFind(t, supplier, leads.Criterion{Phone: phone}, func(l leads.DistroLead) bool { return phone != "" && l.Phone == phone })
		}
		for _, email := range someEmails {
			r.mustFind(t, supplier, leads.Criterion{Email: email}, func(l leads.DistroLead) bool { return email != "" && l.Email == email })
		}
	}
	for _, campaign := range r.campaigns {
		for i := range somePhones {
			phone, email := somePhones[i], someEmails[len(someEmails)-1-i]
			seen, err := r.store.Seen(r.ctx, campaign, phone, email)
			if want := r.hasSeen(campaign, phone, email); err != nil || seen != want {
				t.Fatalf("seen %q or %q: %v, %v; want %v", phone, email, seen, err, want)
			}
		}
	}
}

// mustFind wants the supplier's newest lead that matches, or none if none does.
func (r *distroRun) mustFind(t *rapid.T, supplier string, c leads.Criterion, matches func(leads.DistroLead) bool) {
	var want leads.DistroLead
	for _, lead := range r.model {
		if lead.SupplierID == supplier && matches(lead) && !lead.CreatedAt.Before(want.CreatedAt) {
			want = lead
		}
	}
	got, err := r.store.Find(r.ctx, supplier, c)
	if want.ID == uuid.Nil {
		if !errors.Is(err, leads.ErrNotFound) {
			t.Fatalf("find %v: got lead %s, %v; want ErrNotFound", c, got.ID, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("find %v: %v", c, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("find %v (-want +got):\n%s", c, diff)
	}
}
