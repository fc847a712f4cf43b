package mutant

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/google/uuid"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
	"leadconform/reference/server"
)

// insertionConflicts breaks IN-409-*.
func insertionConflicts() []Mutant {
	return []Mutant{
		{
			ID: "in-last-write-wins", Title: "a PATCH that lost its race is written all the same",
			Doc:   "No version is read, or none is compared.",
			Kills: []string{"IN-409-01"},
			Apply: writing(func(write, again write) (leads.InsertionLead, leads.Event, error) {
				lead, event, err := write()
				for errors.Is(err, leads.ErrConflict) {
					lead, event, err = again()
				}
				return lead, event, err
			}),
		},
		{
			ID: "in-conflict-written", Title: "a PATCH that lost its race is a 409, and written",
			Doc:   "The version is compared after the write.",
			Kills: []string{"IN-409-01"},
			Apply: oneByOne(writing(func(write, again write) (leads.InsertionLead, leads.Event, error) {
				lead, event, err := write()
				if errors.Is(err, leads.ErrConflict) {
					_, _, _ = again()
				}
				return lead, event, err
			})),
		},
		{
			ID: "in-conflict-412", Title: "a PATCH that lost its race is a 412",
			Doc:   "The status is that of a precondition, which the client never gave.",
			Kills: []string{"IN-409-01"},
			Apply: oneByOne(refusing(insertion.CodeConflict, answered(http.StatusPreconditionFailed, insertion.CodeConflict))),
		},
		{
			ID: "in-conflict-prose", Title: "a 409's error is a sentence",
			Doc:   "The message is made for people.",
			Kills: []string{"IN-409-01"},
			Apply: oneByOne(refusing(insertion.CodeConflict, named("The lead was changed by someone else"))),
		},
		{
			ID: "in-conflict-sticks", Title: "after a 409 every PATCH of the lead is a 409",
			Doc:   "The lock that the lost write held is never let go.",
			Kills: []string{"IN-409-02"},
			Apply: oneByOne(insertionAPI(func(a *insertion.API) {
				var stuck notes[uuid.UUID, bool]
				next := a.Write
				a.Write = func(ctx context.Context, call *insertion.Call, read leads.InsertionLead, changes leads.Fields) (leads.InsertionLead, leads.Event, error) {
					if is, _ := stuck.get(read.ID); is {
						return leads.InsertionLead{}, leads.Event{}, leads.ErrConflict
					}
					lead, event, err := next(ctx, call, read, changes)
					if errors.Is(err, leads.ErrConflict) {
						stuck.swap(read.ID, true)
					}
					return lead, event, err
				}
			})),
		},
		{
			ID: "in-merge-lost", Title: "the PATCH that follows a 409 is answered 200 and not written",
			Doc:   "The version that was read is cached, and the write that doesn't match it changes no row.",
			Kills: []string{"IN-409-02"},
			Apply: oneByOne(insertionAPI(func(a *insertion.API) {
				var stale notes[uuid.UUID, bool]
				next := a.Write
				a.Write = func(ctx context.Context, call *insertion.Call, read leads.InsertionLead, changes leads.Fields) (leads.InsertionLead, leads.Event, error) {
					if is, _ := stale.get(read.ID); is {
						return read, leads.Event{ID: uuid.New(), LeadID: read.ID}, nil
					}
					lead, event, err := next(ctx, call, read, changes)
					if errors.Is(err, leads.ErrConflict) {
						stale.swap(read.ID, true)
					}
					return lead, event, err
				}
			})),
		},
		{
			ID: "in-race-of-patches-500", Title: "of many PATCHes at once some are a 500",
			Doc:   "A serialisation failure of the database is nobody's error.",
			Kills: []string{"IN-409-03"},
			Apply: racing(func(next func() (wire.Answer, error), alone bool) (wire.Answer, error) {
				if !alone {
					return wire.Answer{}, errors.New("could not serialize access due to concurrent update")
				}
				return next()
			}),
		},
		{
			ID: "in-race-of-patches-423", Title: "of many PATCHes at once some are a 423",
			Doc:   "Whoever meets a lock is told so, in a status that the document doesn't have.",
			Kills: []string{"IN-409-03"},
			Apply: racing(func(next func() (wire.Answer, error), alone bool) (wire.Answer, error) {
				if !alone {
					return wire.Answer{}, refusal(http.StatusLocked, "locked")
				}
				return next()
			}),
		},
	}
}

// write is the write of one PATCH.
type write = func() (leads.InsertionLead, leads.Event, error)

// writing makes a mutant that wraps the write of a PATCH. again writes whatever the version is by now.
func writing(wrap func(write, again write) (leads.InsertionLead, leads.Event, error)) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.Write
		a.Write = func(ctx context.Context, call *insertion.Call, read leads.InsertionLead, changes leads.Fields) (leads.InsertionLead, leads.Event, error) {
			write := func() (leads.InsertionLead, leads.Event, error) { return next(ctx, call, read, changes) }
			again := func() (leads.InsertionLead, leads.Event, error) {
				now, err := a.Store.Get(ctx, read.AccountID, leads.Ref{ID: read.ID})
				if err != nil {
					return leads.InsertionLead{}, leads.Event{}, err
				}
				return next(ctx, call, now, changes)
			}
			return wrap(write, again)
		}
	})
}

// oneByOne lets one PATCH in at a time, so that of those that a client sends at once none loses a race, and only one
// that is made to does.
func oneByOne(apply func(*server.Parts)) func(*server.Parts) {
	return func(p *server.Parts) {
		apply(p)
		change := p.Insertion
		p.Insertion = func(a *insertion.API) {
			change(a)
			var one sync.Mutex
			next := a.Patch
			a.Patch = func(ctx context.Context, call *insertion.Call) (wire.Answer, error) {
				one.Lock()
				defer one.Unlock()
				return next(ctx, call)
			}
		}
	}
}

// racing makes a mutant that treats a PATCH otherwise when another of the same lead is under way.
func racing(serve func(next func() (wire.Answer, error), alone bool) (wire.Answer, error)) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		var busy crowd[string]
		next := a.Patch
		a.Patch = func(ctx context.Context, call *insertion.Call) (wire.Answer, error) {
			alone, leave := busy.enter(call.Route.LeadID)
			defer leave()
			return serve(func() (wire.Answer, error) {
				roundTrip()
				return next(ctx, call)
			}, alone)
		}
	})
}
