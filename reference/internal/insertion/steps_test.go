package insertion_test

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/wire"
	"leadconform/reference/internal/world"
)

// Every step is really taken: wrapped one by one, each is seen at work while a few requests are served. A handler that
// went round a step would make whoever replaces it replace nothing.
func TestEveryStepIsTaken(t *testing.T) {
	b := newBench(t)
	taken := map[string]int{}
	steps := reflect.ValueOf(&b.Steps).Elem()
	for i := range steps.NumField() {
		name, field := steps.Type().Field(i).Name, steps.Field(i)
		if field.Kind() != reflect.Func {
			continue
		}
		taken[name] = 0
		original := reflect.ValueOf(field.Interface())
		field.Set(reflect.MakeFunc(field.Type(), func(args []reflect.Value) []reflect.Value {
			taken[name]++
			return original.Call(args)
		}))
	}
	lead := newLead()
	b.post(t, lead).expectUpsert(t, "inserted")
	b.post(t, newLead()).expectUpsert(t, "inserted")
	one := collection + "/" + lead.external()
	b.as(t, acme, http.MethodPatch, one, `{"first_name":"Ada"}`).expect(t, http.StatusOK, "")
	b.as(t, acme, http.MethodGet, one, "").expect(t, http.StatusOK, "")
	list := b.as(t, acme, http.MethodGet, collection+"?limit=1", "").expect(t, http.StatusOK, "")
	b.as(t, acme, http.MethodGet, collection+"?cursor="+list.body["nextCursor"].(string), "").expect(t, http.StatusOK, "")
	b.as(t, acme, http.MethodGet, collection+"/"+uuid.NewString(), "").expect(t, http.StatusNotFound, "not_found")
	for name, n := range taken {
		if n == 0 {
			t.Errorf("%s was never called", name)
		}
	}
}

// One step swapped changes that step and nothing else: a few wrong servers, each made of one field.
func TestStepsCanBeSwapped(t *testing.T) {
	lead := newLead()
	for _, test := range []struct {
		name string
		swap func(b *bench)
		show func(t *testing.T, b *bench)
	}{
		{"a signature that leaves out the body", func(b *bench) {
			sign := b.Sign
			b.Sign = func(secret, timestamp string, _ []byte) string { return sign(secret, timestamp, nil) }
		}, func(t *testing.T, b *bench) {
			r := signAt(request(t, http.MethodPost, collection, lead.String()), acme, b.clock.Now(), "")
			b.send(t, r).expectUpsert(t, "inserted")
		}},
		{"a window open to the future", func(b *bench) {
			fresh := b.Fresh
			b.Fresh = func(timestamp int64, now time.Time) bool { return timestamp > now.Unix() || fresh(timestamp, now) }
		}, func(t *testing.T, b *bench) {
			r := signAt(request(t, http.MethodGet, collection, ""), acme, b.clock.Now().Add(time.Hour), "")
			b.send(t, r).expect(t, http.StatusOK, "")
		}},
		{"a revoked key that still works", func(b *bench) {
			b.Usable = func(*world.Key) bool { return true }
		}, func(t *testing.T, b *bench) {
			b.as(t, revoked, http.MethodGet, collection, "").expect(t, http.StatusOK, "")
		}},
		{"a phone of any length", func(b *bench) {
			b.Schema.Find("phone").Check = b.Schema.Find("source").Check
		}, func(t *testing.T, b *bench) {
			b.post(t, lead.with("phone", "1")).expectUpsert(t, "inserted")
			b.post(t, lead.with("phone", 1)).expect(t, http.StatusBadRequest, "phone: must be a string")
		}},
		{"a 405 that names no method", func(b *bench) {
			failure := b.Failure
			b.Failure = func(r *insertion.Refusal) wire.Answer {
				r.Header.Del("Allow")
				return failure(r)
			}
		}, func(t *testing.T, b *bench) {
			a := b.as(t, acme, http.MethodPut, collection, "").expect(t, http.StatusMethodNotAllowed, "method_not_allowed")
			if allow := a.header.Values("Allow"); len(allow) != 0 {
				t.Errorf("Allow %q", allow)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			test.swap(b)
			test.show(t, b)
		})
	}
}
