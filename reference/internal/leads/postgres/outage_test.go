package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"leadconform/reference/internal/containers"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/leads/postgres"
	"leadconform/reference/internal/outage"
)

func newTuple() leads.Tuple {
	return leads.Tuple{AccountID: "acc-" + uuid.NewString(), CampaignID: 101, ExternalLeadID: uuid.New()}
}

func newPlacement() leads.Placement {
	return leads.Placement{
		CampaignID: "cmp-" + uuid.NewString(),
		SupplierID: "sup-" + uuid.NewString(),
		Phone:      "5550100100",
		Email:      "ada@example.com",
		Fields:     json.RawMessage(`{}`),
		Order:      func(uint64) []leads.Candidate { return []leads.Candidate{{BuyerID: "buyer", DailyCap: 5}} },
		At:         time.Now(),
	}
}

// calls are all that can be asked of a store.
func calls(store leads.Store) map[string]func(context.Context) error {
	tuple := newTuple()
	return map[string]func(context.Context) error{
		"place": func(ctx context.Context) error { _, err := store.Place(ctx, newPlacement()); return err },
		"seen":  func(ctx context.Context) error { _, err := store.Seen(ctx, "cmp", "5550100100", ""); return err },
		"find": func(ctx context.Context) error {
			_, err := store.Find(ctx, "sup", leads.Criterion{Phone: "5550100100"})
			return found(err)
		},
		"upsert": func(ctx context.Context) error {
			_, _, err := store.Upsert(ctx, tuple, leads.Fields{}, time.Now())
			return err
		},
		"get": func(ctx context.Context) error {
			_, err := store.Get(ctx, tuple.AccountID, leads.Ref{ID: uuid.New()})
			return found(err)
		},
		"patch": func(ctx context.Context) error {
			_, _, err := store.Patch(ctx, tuple.AccountID, uuid.New(), 1, leads.Fields{}, time.Now())
			return found(err)
		},
		"list": func(ctx context.Context) error {
			_, _, err := store.List(ctx, tuple.AccountID, leads.Query{Limit: 1})
			return err
		},
		"reset": func(ctx context.Context) error { return store.Reset(ctx, leads.ResetCaps) },
		"ready": store.Ready,
	}
}

// found: that there is no such lead is an answer, not a failure.
func found(err error) error {
	if errors.Is(err, leads.ErrNotFound) {
		return nil
	}
	return err
}

// proxied opens a store through a proxy.
func proxied(t *testing.T, server string) (*postgres.Store, *outage.Proxy) {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	proxy := outage.Start(t, u.Host)
	u.Host = proxy.Addr
	return open(t, u.String()), proxy
}

// Whatever is asked while the database is out of reach ends with an error, and soon; when it is back, all works again.
func TestOutage(t *testing.T) {
	server := containers.Start(t, containers.Postgres)[0]
	for _, test := range []struct {
		name string
		take func(*outage.Proxy)
	}{
		{"the database is gone", (*outage.Proxy).Cut},
		{"the database stands still", (*outage.Proxy).Stall},
	} {
		t.Run(test.name, func(t *testing.T) {
			store, proxy := proxied(t, server)
			for name, call := range calls(store) {
				if err := call(t.Context()); err != nil {
					t.Fatalf("%s before the outage: %v", name, err)
				}
			}
			test.take(proxy)
			var all sync.WaitGroup // the test's own deadline catches a call that waits for ever
			for name, call := range calls(store) {
				all.Go(func() {
					if err := call(t.Context()); err == nil {
						t.Errorf("%s succeeds without a database", name)
					}
				})
			}
			all.Wait()
			proxy.Heal()
			for name, call := range calls(store) {
				if err := untilItWorks(t, call); err != nil {
					t.Errorf("%s after the outage: %v", name, err)
				}
			}
		})
	}
}

// untilItWorks tries again as long as a connection of the time before may be at fault.
func untilItWorks(t *testing.T, call func(context.Context) error) (err error) {
	for range 10 {
		if err = call(t.Context()); err == nil {
			return nil
		}
	}
	return err
}

// A write may take effect although its answer is lost. The caller learns of an error, and repeats it: one lead.
func TestLostAnswer(t *testing.T) {
	server := containers.Start(t, containers.Postgres)[0]
	direct := open(t, server)
	store, proxy := proxied(t, server)
	tuple, sent := newTuple(), leads.Fields{"phone": json.RawMessage(`"5550100100"`)}

	lost := proxy.LoseAnswerTo("commit")
	if _, outcome, err := store.Upsert(t.Context(), tuple, sent, time.Now()); err == nil {
		t.Fatalf("acknowledged as %s, and the answer to the commit was lost", outcome)
	}
	select {
	case <-lost:
	default:
		t.Fatal("it failed before it came to the commit")
	}
	stored, err := direct.Get(t.Context(), tuple.AccountID, leads.Ref{ID: tuple.ExternalLeadID})
	if err != nil {
		t.Fatalf("the write did not take effect: %v", err)
	}
	proxy.Heal()
	again, outcome, err := store.Upsert(t.Context(), tuple, sent, time.Now())
	if err != nil || outcome != leads.Deduped || again.ID != stored.ID {
		t.Errorf("the retry: lead %s %s, %v; want %s deduped", again.ID, outcome, err, stored.ID)
	}
}
