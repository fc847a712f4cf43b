package distro

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/world"
)

func TestAccepted(t *testing.T) {
	s := newService(t)
	body := newLead("cmp-open").with("phone", "+1 (555) 010-0123", "email", " Ada@Example.com ")
	a := s.ingest(primaryKey, body).want(201)
	want := map[string]any{
		"id": a.text("id"), "status": "ACCEPTED", "buyer_id": "buyer-north", "campaign_id": "cmp-open",
		"supplier_id": "sup-primary", "phone": "15550100123", "email": "ada@example.com", "created_at": "2026-03-01T12:00:00Z",
	}
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Errorf("lead (-want +got):\n%s", diff)
	}
	if _, err := uuid.Parse(a.text("id")); err != nil {
		t.Errorf("id: %v", err)
	}
	if again := s.ingest(primaryKey, body).want(201); again.text("id") == a.text("id") {
		t.Error("two leads have one id")
	}
}

// TestTimeOfALead: it is told no finer than any store keeps it, so that it reads back as it was.
func TestTimeOfALead(t *testing.T) {
	s := newService(t)
	s.clock.advance(123456789)
	if got := s.ingest(primaryKey, newLead("cmp-open")).want(201).text("created_at"); got != "2026-03-01T12:00:00.123456Z" {
		t.Errorf("created_at is %s", got)
	}
}

func TestDefaults(t *testing.T) {
	if New(Deps{World: &world.Distro{}}).Now == nil {
		t.Error("without a clock there is no time")
	}
}

func TestUnmatched(t *testing.T) {
	s := newService(t)
	s.ingest(primaryKey, newLead("cmp-unmatched").with("state", "AK")).want(201)
	for _, state := range []any{"CA", absent} {
		a := s.ingest(primaryKey, newLead("cmp-unmatched").with("state", state)).want(200)
		want := a.body
		if _, named := want["buyer_id"]; named || want["status"] != "UNMATCHED" || want["id"] == nil {
			t.Errorf("state %v: %s", state, a.raw)
		}
	}
}

func TestCapsOfTheDay(t *testing.T) {
	s := newService(t)
	place := func() string {
		return s.ingest(primaryKey, newLead("cmp-capped")).text("buyer_id")
	}
	day := []string{"buyer-capped-two", "buyer-capped-two", "buyer-capped-one", "", ""}
	for range 2 {
		var got []string
		for range day {
			got = append(got, place())
		}
		if diff := cmp.Diff(day, got); diff != "" {
			t.Errorf("buyers on %s (-want +got):\n%s", s.clock.Now(), diff)
		}
		s.clock.advance(12*time.Hour - time.Microsecond)
		if got := place(); got != "" {
			t.Errorf("a microsecond before midnight the lead went to %q", got)
		}
		s.clock.advance(time.Microsecond)
	}
}

func TestCapUsedUpIsUnmatched(t *testing.T) {
	s := newService(t)
	for range 3 {
		s.ingest(primaryKey, newLead("cmp-capped")).want(201)
	}
	if a := s.ingest(primaryKey, newLead("cmp-capped")).want(200); a.text("status") != "UNMATCHED" {
		t.Errorf("beyond the caps: %s", a.raw)
	}
}

func TestBuyersInTurn(t *testing.T) {
	s := newServiceWith(t, `
    - {id: robin, suppliers: [sup], distribution: round_robin, buyers: [{id: a}, {id: b, filters: [{rule: r, field: state, in: [CA]}]}, {id: c}]}
    - {id: weighted, suppliers: [sup], distribution: weighted, buyers: [{id: a, weight: 2}, {id: b, daily_cap: 1}]}
    - {id: waterfall, suppliers: [sup], distribution: waterfall, buyers: [{id: d, daily_cap: 2}, {id: e}]}`)
	for _, test := range []struct{ campaign, state, want string }{
		{"robin", "CA", "a b c a b c"},
		{"robin", "NY", "a c a c"},
		{"weighted", "CA", "a b a a a a"},
		{"waterfall", "CA", "d d e e"},
	} {
		var got []string
		for range strings.Fields(test.want) {
			got = append(got, s.ingest("k", newLead(test.campaign).with("flo_supplier_id", "sup", "state", test.state)).want(201).text("buyer_id"))
		}
		if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s in %s (-want +got):\n%s", test.campaign, test.state, diff)
		}
	}
}

func TestEqualLeadsAtOnce(t *testing.T) {
	s := newService(t)
	body := newLead("cmp-unique")
	statuses := make([]int, 20)
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() { statuses[i] = s.ingest(primaryKey, body).status })
	}
	all.Wait()
	count := map[int]int{}
	for _, status := range statuses {
		count[status]++
	}
	if diff := cmp.Diff(map[int]int{201: 1, 422: 19}, count); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}

// blindStore sees no duplicates before it is asked to place one.
type blindStore struct{ leads.Distro }

func (blindStore) Seen(context.Context, string, string, string) (bool, error) { return false, nil }

// brokenStore is out of reach.
type brokenStore struct{}

var errStore = errors.New("dial tcp 10.0.0.7:5432: connection refused")

func (brokenStore) Place(context.Context, leads.Placement) (leads.DistroLead, error) {
	return leads.DistroLead{Status: leads.Accepted}, errStore
}
func (brokenStore) Seen(context.Context, string, string, string) (bool, error) {
	return false, errStore
}
func (brokenStore) Find(context.Context, string, leads.Criterion) (leads.DistroLead, error) {
	return leads.DistroLead{}, errStore
}

func TestStoreOutOfReach(t *testing.T) {
	s := newService(t)
	var log bytes.Buffer
	s.api.log = slog.New(slog.NewTextHandler(&log, nil))
	s.api.Store = brokenStore{}
	body := newLead("cmp-open")
	wantUnavailable(t, s.ingest(primaryKey, body))
	wantUnavailable(t, s.ingest(primaryKey, newLead("cmp-unique")))
	wantUnavailable(t, s.ping(primaryKey, newLead("cmp-unique")))
	wantUnavailable(t, s.lookup(primaryKey, "phone=5550100100"))
	for _, secret := range []string{primaryKey, body["phone"].(string), body["email"].(string)} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log tells of %q:\n%s", secret, log.String())
		}
	}
	if !strings.Contains(log.String(), "placing a lead") {
		t.Errorf("the log doesn't say what failed:\n%s", log.String())
	}

	s.api.Store = s.store
	s.ingest(primaryKey, body).want(201)
}

func TestCallerThatHasGone(t *testing.T) {
	s := newService(t)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	body := newLead("cmp-open")
	text := `{"flo_campaign_id": "cmp-open", "flo_supplier_id": "sup-primary", "first_name": "A", "last_name": "B", "phone": "` +
		body["phone"].(string) + `", "email": "` + body["email"].(string) + `"}`
	s.do(s.request("POST", "/api/v1/ingest", primaryKey, text).WithContext(ctx)).want(503)
	s.lookup(primaryKey, "phone="+body["phone"].(string)).want(404)
}

func TestServerFaults(t *testing.T) {
	api := newService(t).api
	if a := api.InternalError(); a.Status != 500 || a.Body != (ErrorBody{"internal_error", "Something went wrong on our side; please try again"}) {
		t.Errorf("internal error: %+v", a)
	}
	if a := api.Maintenance(); a.Status != 503 || a.Header.Get("Retry-After") != "2" || a.Body.(ErrorBody).Error != "service_unavailable" {
		t.Errorf("maintenance: %+v", a)
	}
}
