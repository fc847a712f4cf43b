package storetest

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"leadconform/reference/internal/leads"
)

// yielding lets others run in the midst of a placement, so that a store that isn't atomic gives itself away.
func yielding(order func(uint64) []leads.Candidate) func(uint64) []leads.Candidate {
	return func(turn uint64) []leads.Candidate {
		runtime.Gosched()
		return order(turn)
	}
}

func onePlaced(t *testing.T, store leads.Store) {
	const senders = 100
	for _, test := range []struct {
		name string
		vary func(p *leads.Placement, i int)
	}{
		{"the same lead", func(*leads.Placement, int) {}},
		{"the same phone", func(p *leads.Placement, i int) { p.Email = fmt.Sprintf("ada-%d@example.com", i) }},
		{"the same email", func(p *leads.Placement, i int) { p.Phone = fmt.Sprintf("5550%06d", i) }},
	} {
		p := newPlacement()
		p.DuplicateCheck, p.Order = true, yielding(offer())
		errs := make([]error, senders)
		atOnce(senders, func(i int) {
			mine := p
			test.vary(&mine, i)
			_, errs[i] = store.Place(t.Context(), mine)
		})
		placed := 0
		for _, err := range errs {
			switch {
			case err == nil:
				placed++
			case !errors.Is(err, leads.ErrDuplicate):
				t.Errorf("%s: %v", test.name, err)
			}
		}
		if placed != 1 {
			t.Errorf("%s: %d of %d were placed, want 1", test.name, placed, senders)
		}
	}
}

func capsHeld(t *testing.T, store leads.Store) {
	const senders = 100
	first, second := leads.Candidate{BuyerID: newName("buyer"), DailyCap: 7}, leads.Candidate{BuyerID: newName("buyer"), DailyCap: 5}
	buyers := make([]string, senders)
	atOnce(senders, func(i int) {
		p := newPlacement() // a campaign each: what they share is the buyers
		p.Order = yielding(offer(first, second))
		if i%2 == 1 {
			p.Order = yielding(offer(second, first))
		}
		lead, err := store.Place(t.Context(), p)
		if err != nil {
			t.Errorf("place %d: %v", i, err)
		}
		buyers[i] = lead.BuyerID
	})
	want := map[string]int{first.BuyerID: 7, second.BuyerID: 5, "": senders - 12}
	if diff := cmp.Diff(want, tally(buyers)); diff != "" {
		t.Errorf("leads per buyer (-want +got):\n%s", diff)
	}
}

func turnsApart(t *testing.T, store leads.Store) {
	const senders = 100
	p := newPlacement()
	p.Order = yielding(func(turn uint64) []leads.Candidate {
		return []leads.Candidate{{BuyerID: fmt.Sprintf("buyer-%d", turn)}}
	})
	buyers := make([]string, senders)
	atOnce(senders, func(i int) {
		lead, err := store.Place(t.Context(), p)
		if err != nil {
			t.Errorf("place %d: %v", i, err)
		}
		buyers[i] = lead.BuyerID
	})
	distinct := tally(buyers)
	for turn := range senders {
		if buyer := fmt.Sprintf("buyer-%d", turn); distinct[buyer] != 1 {
			t.Errorf("%d leads had turn %d, want 1", distinct[buyer], turn)
		}
	}
}
