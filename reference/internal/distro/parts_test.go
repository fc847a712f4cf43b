package distro

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/ratelimit"
	"leadconform/reference/internal/wire"
	"leadconform/reference/internal/world"
)

// TestEveryPartIsAsked exchanges each func that can be exchanged for one that notes the call and goes on as before. What
// the requests of a day don't reach is a part that only seems to be one.
func TestEveryPartIsAsked(t *testing.T) {
	s := newService(t)
	asked := make(map[string]bool)
	watch(reflect.ValueOf(s.api).Elem(), "", asked)
	s.api.Tokens = watchedTokens{s.api.Tokens, asked}
	asked["Tokens.Issue"], asked["Tokens.Verify"] = false, false

	oneOfEach(s)
	for name, was := range asked {
		if !was {
			t.Errorf("%s was never asked", name)
		}
	}
	if len(asked) < 60 {
		t.Errorf("only %d parts were watched", len(asked))
	}
}

// watch wraps every exported func below v, and notes its name as not asked.
func watch(v reflect.Value, name string, asked map[string]bool) {
	switch v.Kind() {
	case reflect.Func:
		if v.IsNil() {
			return
		}
		asked[name] = false
		original := reflect.ValueOf(v.Interface())
		v.Set(reflect.MakeFunc(v.Type(), func(args []reflect.Value) []reflect.Value {
			asked[name] = true
			return original.Call(args)
		}))
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				watch(v.Field(i), name+"."+field.Name, asked)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			label := name
			if entry := v.Index(i); entry.Kind() == reflect.Struct {
				label += "[" + entry.FieldByName("Name").String() + "]"
			}
			watch(v.Index(i), label, asked)
		}
	}
}

type watchedTokens struct {
	PingTokens
	asked map[string]bool
}

func (w watchedTokens) Issue(supplierID, campaignID string, now time.Time) (string, time.Time) {
	w.asked["Tokens.Issue"] = true
	return w.PingTokens.Issue(supplierID, campaignID, now)
}

func (w watchedTokens) Verify(token, supplierID, campaignID string, now time.Time) bool {
	w.asked["Tokens.Verify"] = true
	return w.PingTokens.Verify(token, supplierID, campaignID, now)
}

// oneOfEach sends a request for every answer that there is.
func oneOfEach(s *service) {
	full := newLead("cmp-open").with("state", "CA", "flo_ping_id", "x")
	s.ingest(primaryKey, full).want(422)
	s.ping(primaryKey, full).want(200)
	placed := newLead("cmp-open")
	s.ingest(primaryKey, placed).want(201)
	s.ingest(primaryKey, newLead("cmp-unmatched")).want(200)
	s.ingest(primaryKey, newLead("cmp-required")).want(400)
	s.ingest(primaryKey, newLead("cmp-none")).want(404)
	s.ingest(primaryKey, newLead("cmp-elsewhere")).want(403)
	s.ingest(primaryKey, "{").want(400)
	s.ingest("", "{").want(401)
	s.ping(primaryKey, newLead("cmp-filtered").with("state", "NY")).want(200)
	s.lookup(primaryKey, "email="+placed["email"].(string)).want(200)
	s.lookup(primaryKey, "phone="+placed["phone"].(string)).want(200)
	s.lookup(primaryKey, "id=x").want(404)
	s.lookup(primaryKey, "").want(400)
	s.do(s.request("GET", "/", "", "")).want(404)
	s.do(s.request("GET", "/api/v1/ping", "", "")).want(405)
	s.api.InternalError()
	s.api.Maintenance()

	limiter, store := s.api.Limiter, s.api.Store
	s.api.Limiter = limiterFunc(func() (ratelimit.Decision, error) { return ratelimit.Decision{RetryAfter: time.Second}, nil })
	s.ingest(primaryKey, "{}").want(429)
	s.api.Limiter, s.api.Store = limiter, brokenStore{}
	s.ingest(primaryKey, placed).want(503)
	s.api.Store = store
}

type limiterFunc func() (ratelimit.Decision, error)

func (f limiterFunc) TwoRate(context.Context, ratelimit.Key, ratelimit.TwoRate) (ratelimit.Decision, error) {
	return f()
}
func (f limiterFunc) FixedWindow(context.Context, ratelimit.Key, ratelimit.FixedWindow) (ratelimit.Decision, error) {
	return f()
}
func (f limiterFunc) Reset(context.Context) error { return nil }
func (f limiterFunc) Ready(context.Context) error { return nil }

// TestSwappedParts changes one part at a time and looks for the difference that it makes.
func TestSwappedParts(t *testing.T) {
	step := func(chain Chain, name string) int {
		return slices.IndexFunc(chain, func(s Step) bool { return s.Name == name })
	}
	for _, test := range []struct {
		name string
		swap func(*API)
		send func(*service) answer
		want int
	}{
		{"another status for an unknown key",
			func(a *API) { a.Answers.Unauthorized = a.Answers.Forbidden },
			func(s *service) answer { return s.ingest("", "{}") }, 403},
		{"the body before the key",
			func(a *API) { i := step(a.Ingest, "decode"); a.Ingest[0], a.Ingest[i] = a.Ingest[i], a.Ingest[0] },
			func(s *service) answer { return s.ingest("", "{") }, 400},
		{"the structure last",
			func(a *API) {
				i, last := step(a.Ingest, "validate"), len(a.Ingest)-2
				a.Ingest = slices.Insert(slices.Delete(slices.Clone(a.Ingest), i, i+1), last, a.Ingest[i])
			},
			func(s *service) answer {
				return s.ingest(primaryKey, newLead("cmp-suppressed").with("phone", "5550100177", "email", "x"))
			}, 422},
		{"no limit at all",
			func(a *API) { a.Ingest = slices.Delete(a.Ingest, 1, 2) },
			func(s *service) answer {
				s.api.Limiter = brokenLimiter{}
				return s.ingest(primaryKey, newLead("cmp-open"))
			}, 201},
		{"a phone of nine digits",
			func(a *API) {
				i := slices.IndexFunc(a.IngestFields, func(f FieldRule) bool { return f.Name == "phone" })
				a.IngestFields[i].Check = nil
			},
			func(s *service) answer { return s.ingest(primaryKey, newLead("cmp-open").with("phone", "555010010")) }, 201},
		{"a custom field that nobody asks for",
			func(a *API) { a.Missing = func(*world.Campaign, Lead) []FieldError { return nil } },
			func(s *service) answer { return s.ingest(primaryKey, newLead("cmp-required")) }, 201},
		{"no suppression of phones",
			func(a *API) {
				a.Rules = slices.DeleteFunc(a.Rules, func(r Rule) bool { return r.Name == "suppressed_phone" })
			},
			func(s *service) answer {
				return s.ingest(primaryKey, newLead("cmp-suppressed").with("phone", "5550100177"))
			}, 201},
		{"a ping that is refused with 422",
			func(a *API) { a.Ping = slices.Insert(a.Ping, len(a.Ping)-1, a.Ingest[step(a.Ingest, "reject")]) },
			func(s *service) answer { return s.ping(primaryKey, newLead("cmp-filtered").with("state", "NY")) }, 422},
		{"no fallback for a full buyer",
			func(a *API) {
				order := a.Order
				a.Order = func(d world.Distribution, b []*world.Buyer, turn uint64) []*world.Buyer { return order(d, b, turn)[:1] }
			},
			func(s *service) answer {
				s.ingest(primaryKey, newLead("cmp-capped"))
				s.ingest(primaryKey, newLead("cmp-capped"))
				return s.ingest(primaryKey, newLead("cmp-capped"))
			}, 200},
		{"a cap of one more",
			func(a *API) {
				a.Candidate = func(b *world.Buyer) leads.Candidate { return leads.Candidate{BuyerID: b.ID, DailyCap: b.DailyCap + 1} }
			},
			func(s *service) answer {
				for range 4 {
					s.ingest(primaryKey, newLead("cmp-capped"))
				}
				return s.ingest(primaryKey, newLead("cmp-capped"))
			}, 201},
		{"a duplicate check that isn't atomic",
			func(a *API) {
				placement := a.Placement
				a.Placement = func(c *Call) leads.Placement { p := placement(c); p.DuplicateCheck = false; return p }
				a.Rules = slices.DeleteFunc(a.Rules, func(r Rule) bool { return r.Name == "duplicate" })
			},
			func(s *service) answer {
				body := newLead("cmp-unique")
				s.ingest(primaryKey, body).want(201)
				return s.ingest(primaryKey, body)
			}, 201},
		{"a lookup that finds everyone's leads",
			func(a *API) {
				a.Lookup[step(a.Lookup, "find_lead")].Do = func(ctx context.Context, c *Call) *wire.Answer {
					for _, supplier := range []string{"sup-primary", "sup-secondary"} {
						if lead, err := a.Store.Find(ctx, supplier, c.Criterion); err == nil {
							return new(a.Answers.Found(lead))
						}
					}
					return new(a.Answers.LeadNotFound())
				}
			},
			func(s *service) answer {
				return s.lookup(secondaryKey, "id="+s.ingest(primaryKey, newLead("cmp-open")).text("id"))
			}, 200},
		{"a key in the query",
			func(a *API) {
				a.Credential = func(r *http.Request) (string, bool) { return r.URL.Query().Get("key"), true }
			},
			func(s *service) answer {
				return s.do(s.request("GET", "/api/v1/leads/lookup?id=x&key="+primaryKey, "", ""))
			}, 404},
	} {
		t.Run(test.name, func(t *testing.T) {
			if a := test.send(newService(t)); a.status == test.want {
				t.Errorf("without the change it is a %d as well", a.status)
			}
			changed := newService(t)
			test.swap(changed.api)
			test.send(changed).want(test.want)
		})
	}
}
