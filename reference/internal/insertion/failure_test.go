package insertion_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/ratelimit"
)

var errOutOfReach = errors.New(`dial tcp 10.0.0.7:5432: pq: relation "leads" at store.go:17`)

// deadStore fails at everything.
type deadStore struct{}

func (deadStore) Upsert(context.Context, leads.Tuple, leads.Fields, time.Time) (leads.InsertionLead, leads.Outcome, error) {
	return leads.InsertionLead{}, "", errOutOfReach
}

func (deadStore) Get(context.Context, string, leads.Ref) (leads.InsertionLead, error) {
	return leads.InsertionLead{}, errOutOfReach
}

func (deadStore) Patch(context.Context, string, uuid.UUID, int64, leads.Fields, time.Time) (leads.InsertionLead, leads.Event, error) {
	return leads.InsertionLead{}, leads.Event{}, errOutOfReach
}

func (deadStore) List(context.Context, string, leads.Query) ([]leads.InsertionLead, bool, error) {
	return nil, false, errOutOfReach
}

// readOnlyStore can read, but not write.
type readOnlyStore struct{ leads.Insertion }

func (readOnlyStore) Patch(context.Context, string, uuid.UUID, int64, leads.Fields, time.Time) (leads.InsertionLead, leads.Event, error) {
	return leads.InsertionLead{}, leads.Event{}, errOutOfReach
}

type deadLimiter struct{ ratelimit.Limiter }

func (deadLimiter) FixedWindow(context.Context, ratelimit.Key, ratelimit.FixedWindow) (ratelimit.Decision, error) {
	return ratelimit.Decision{}, errOutOfReach
}

// IN-500-01: store or limiter out of reach is 500 in the envelope. The cause goes to the log and nowhere else.
func TestInternalError(t *testing.T) {
	for name, breakIt := range map[string]func(b *bench){
		"store":   func(b *bench) { b.Store = deadStore{} },
		"limiter": func(b *bench) { b.Limiter = deadLimiter{} },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			calls := protected(t, b)
			breakIt(b)
			for _, call := range calls {
				a := b.as(t, acme, call.method, call.target, call.body).expect(t, http.StatusInternalServerError, "internal_error")
				if want := `{"error":"internal_error","ok":false}`; a.raw != want {
					t.Errorf("%s: %s, want %s", call.name, a.raw, want)
				}
			}
			if got := strings.Count(b.log.String(), "10.0.0.7"); got != len(calls) {
				t.Errorf("%d causes in the log, want %d", got, len(calls))
			}
		})
	}
	b := newBench(t)
	lead := newLead()
	b.post(t, lead).expectUpsert(t, "inserted")
	b.Store = readOnlyStore{b.store}
	b.as(t, acme, http.MethodPatch, collection+"/"+lead.external(), `{"first_name":"Ada"}`).expect(t, http.StatusInternalServerError, "internal_error")
}

// What others answer on behalf of this API is what it answers itself.
func TestInternalErrorAnswer(t *testing.T) {
	recorder := httptest.NewRecorder()
	if err := newBench(t).InternalError().Write(recorder); err != nil {
		t.Fatal(err)
	}
	if recorder.Code != http.StatusInternalServerError || recorder.Body.String() != `{"error":"internal_error","ok":false}` {
		t.Errorf("got %d %s", recorder.Code, recorder.Body)
	}
}

// A body that stops coming is answered, not waited for: the server's deadline ends the read.
func TestBodyThatStops(t *testing.T) {
	b := newBench(t)
	r := request(t, http.MethodPost, collection, "")
	r.Body = brokenBody{}
	b.send(t, signAt(r, acme, b.clock.Now(), "")).expect(t, http.StatusBadRequest, "body_timeout")
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("i/o timeout") }
func (brokenBody) Close() error             { return nil }
