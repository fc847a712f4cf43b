package soak_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/fixtures/pipenet"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/soak"
	"leadconform/load/internal/trace"
	"leadconform/reference/server"
)

// live soaks a reference server in a generated world, in virtual time, as load soak does in real time.
func live(t *testing.T, world soak.World, p soak.Plan) soak.Verdicts {
	text, err := world.YAML()
	if err != nil {
		t.Fatal(err)
	}
	reference, err := server.New(server.Config{World: text})
	if err != nil {
		t.Fatal(err)
	}
	defer reference.Close(context.WithoutCancel(t.Context()))
	network := pipenet.New()
	public := &http.Server{Handler: reference.Handler()}
	served := make(chan struct{})
	go func() { defer close(served); _ = public.Serve(network) }()
	defer func() { public.Close(); <-served }()

	whole := plan.Plan{Endpoints: []plan.Endpoint{{API: "distro", Name: p.Endpoint, Policy: world.Policy}}, Phases: p.Phases()}
	bounds, trip := soak.BoundsOf(whole, nil, true)
	board := soak.NewBoard(bounds, judge.LagBound, trip)
	indexes := make([]int, len(whole.Phases))
	for i := range indexes {
		indexes[i] = i
	}
	session := &attack.Session{Start: time.Now().Add(time.Second), Write: func(s trace.Sample) error { board.Take(s); return nil }}
	a := attack.Attack{
		Script: soak.NewScript(whole.Phases, indexes, board), Phases: whole.Phases, URL: "http://target",
		Dial: network.DialContext, Sleeper: attack.PlainSleeper, BuiltAhead: 2,
		Build: func(phase int) (*http.Request, error) {
			one := soak.Generated(phase)
			body := fmt.Sprintf(`{"flo_campaign_id":%q,"flo_supplier_id":%q,"first_name":"Ada","last_name":"Test","phone":"5550100100","email":"ada@example.com"}`, soak.Campaign, one.ID)
			r, err := http.NewRequest(http.MethodPost, "http://target/api/v1/ingest", strings.NewReader(body))
			r.Header.Set("X-Api-Key", one.Key)
			r.Header.Set("Content-Type", "application/json")
			return r, err
		},
		Read: func(_ int, answer attack.Answer) attack.Reading {
			switch answer.Status {
			case http.StatusCreated:
				return attack.Reading{Kind: trace.Admitted}
			case http.StatusTooManyRequests:
				return attack.Reading{Kind: trace.Limited}
			}
			return attack.Reading{Kind: trace.Other, Fault: trace.BadStatus}
		},
	}
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case <-ended:
				return
			case <-time.After(time.Second):
				board.Advance(time.Since(session.Start))
			}
		}
	}()
	if err := a.Run(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	close(ended)
	board.Finish()
	return board.Verdicts(whole)
}

// Of many suppliers at their limits at once those that are wrong by ten percent are found, and nobody else.
func TestTheWrongSupplierIsFoundAmongMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := soak.World{Suppliers: 12, Policy: plan.Policy{Rate: 20, Burst: 40, Window: 3 * time.Second}, Wrong: map[int]float64{3: 0.9, 7: 1.1}}
		p := soak.Plan{Endpoint: "ingest", Offered: 30, Ramp: 2 * time.Second, Length: 45 * time.Second}
		for i := range world.Suppliers {
			p.Suppliers = append(p.Suppliers, soak.Generated(i).ID)
		}
		v := live(t, world, p)
		if v.Carried != 12 || v.Pass != 10 || v.Fail != 2 {
			t.Errorf("carried %d, pass %d, fail %d, not assessed %d; want 12, 10, 2, 0", v.Carried, v.Pass, v.Fail, v.NotAssessed)
		}
		for i, r := range v.Suppliers {
			want := soak.Pass
			if _, wrong := world.Wrong[i]; wrong {
				want = soak.Fail
			}
			if r.Verdict != want {
				t.Errorf("%s: %s, want %s: %s", r.Supplier, r.Verdict, want, r.Reason)
			}
		}
	})
}
