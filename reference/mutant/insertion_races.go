package mutant

import (
	"context"
	"errors"
	"sync"
	"time"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
)

// roundTrip is the time between a careless read and the write that follows it. It is made of many short sleeps: on a
// machine that is busy elsewhere one long sleep would be over before anybody else had a turn.
func roundTrip() {
	for range 20 {
		time.Sleep(2 * time.Millisecond)
	}
}

// insertionRaces breaks what comes of many POSTs at once: IN-IDEM-10 and 11.
func insertionRaces() []Mutant {
	return []Mutant{
		{
			ID: "in-check-then-insert", Title: "of many POSTs at once each that finds no lead inserts one",
			Doc:   "Select, then insert, without a unique index to stop the second.",
			Kills: []string{"IN-IDEM-10", "IN-IDEM-11"},
			Apply: upserting(func(a *insertion.API, next upsert) upsert {
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					_, known := stored(ctx, a, call, draft)
					if !known {
						roundTrip()
					}
					lead, outcome, err := next(ctx, call, draft)
					if err == nil && !known && outcome != leads.Inserted {
						return insertedAgain(lead)
					}
					return lead, outcome, err
				}
			}),
		},
		{
			ID: "in-race-500", Title: "of many POSTs at once all but one are a 500",
			Doc:   "A unique index stops the second insert, and nobody catches what the driver throws.",
			Kills: []string{"IN-IDEM-10", "IN-IDEM-11"},
			Apply: upserting(func(a *insertion.API, next upsert) upsert {
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					_, known := stored(ctx, a, call, draft)
					if !known {
						roundTrip()
					}
					lead, outcome, err := next(ctx, call, draft)
					if err == nil && !known && outcome != leads.Inserted {
						err = errors.New("duplicate key value violates unique constraint")
					}
					return lead, outcome, err
				}
			}),
		},
		{
			ID: "in-race-all-inserted", Title: "of many POSTs at once every one says inserted, of one lead",
			Doc:   "Insert or update tells neither from the other, and whether the lead was there is asked before.",
			Kills: []string{"IN-IDEM-10", "IN-IDEM-11"},
			Apply: upserting(func(a *insertion.API, next upsert) upsert {
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					_, known := stored(ctx, a, call, draft)
					if !known {
						roundTrip()
					}
					lead, outcome, err := next(ctx, call, draft)
					if !known && outcome != "" {
						outcome = leads.Inserted
					}
					return lead, outcome, err
				}
			}),
		},
		{
			ID: "in-race-deadlock", Title: "of many mutated POSTs at once some are a 500",
			Doc:   "The database breaks a deadlock by giving one of two up, and nobody tries again.",
			Kills: []string{"IN-IDEM-11"},
			Apply: upserting(func(a *insertion.API, next upsert) upsert {
				var busy crowd[leads.Tuple]
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					alone, leave := busy.enter(tupleOf(call, draft))
					defer leave()
					lead, known := stored(ctx, a, call, draft)
					if known && len(differing(draft.Fields, lead.Fields)) > 0 {
						if !alone {
							return leads.InsertionLead{}, "", errors.New("deadlock detected")
						}
						roundTrip()
					}
					return next(ctx, call, draft)
				}
			}),
		},
	}
}

// crowd counts who is in at the same time, by a key.
type crowd[K comparable] struct {
	mu sync.Mutex
	in map[K]int
}

// enter reports whether nobody else is in. The caller leaves when it is done.
func (c *crowd[K]) enter(key K) (alone bool, leave func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in == nil {
		c.in = map[K]int{}
	}
	c.in[key]++
	return c.in[key] == 1, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.in[key]--
	}
}
