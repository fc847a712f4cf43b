package redis_test

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"leadconform/reference/internal/containers"
	"leadconform/reference/internal/outage"
	"leadconform/reference/internal/ratelimit"
	"leadconform/reference/internal/ratelimit/limitertest"
	"leadconform/reference/internal/ratelimit/redis"
)

// A decision takes a hundred times as long as one in memory, and a check of the suite many thousands of decisions.
func TestMain(m *testing.M) {
	const checks = "rapid.checks"
	_ = flag.Set(checks, "5")
	flag.Parse() // which may say otherwise
	os.Exit(m.Run())
}

// patience is more than a busy machine takes, and less than a test's deadline.
const patience = 10 * time.Second

// The suite that every limiter passes.
func TestLimiter(t *testing.T) {
	server := containers.Start(t, containers.Redis)[0]
	limitertest.Run(t, func(t testing.TB, now func() time.Time) ratelimit.Limiter {
		l, err := redis.OpenAt(t.Context(), server, patience, now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		if err := l.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		return l
	})
}

func open(t testing.TB, server string) *redis.Limiter {
	t.Helper()
	l, err := redis.Open(t.Context(), server, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// connect is a connection beside the limiter's.
func connect(t testing.TB, server string) *goredis.Client {
	t.Helper()
	options, err := goredis.ParseURL(server)
	if err != nil {
		t.Fatal(err)
	}
	client := goredis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

var (
	ingest = ratelimit.TwoRate{Rate: 100, Burst: 200, Window: 10 * time.Second}
	second = ratelimit.FixedWindow{Requests: 1, Window: time.Second}
)

// Time is that of Redis: what is admitted is right by its clock, and several limiters on one Redis are one.
func TestRedisTellsTheTime(t *testing.T) {
	server := containers.Start(t, containers.Redis)[0]
	admin := connect(t, server)
	limiters := []*redis.Limiter{open(t, server), open(t, server), open(t, server)}
	now := func() time.Time {
		at, err := admin.Time(t.Context()).Result()
		if err != nil {
			t.Fatal(err)
		}
		return at
	}

	key, began := ratelimit.Key{Scope: "window", Subject: "a"}, now()
	for n, admitted := 0, 0; admitted < 3; n++ {
		d, err := limiters[n%3].FixedWindow(t.Context(), key, second)
		if err != nil {
			t.Fatal(err)
		}
		if d.Allowed {
			admitted++
		}
		if took := now().Sub(began); d.Allowed && took < time.Duration(admitted-1)*time.Second {
			t.Fatalf("request %d of one per second is admitted after %v", admitted, took)
		}
	}

	key, began = ratelimit.Key{Scope: "tworate", Subject: "a"}, now()
	admitted := 0
	for n := 0; n < 20_000 && now().Sub(began) < 3*time.Second; n++ {
		d, err := limiters[n%3].TwoRate(t.Context(), key, ratelimit.TwoRate{Rate: 10, Burst: 20, Window: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if d.Allowed {
			admitted++
		}
	}
	if took := now().Sub(began); float64(admitted) > 14+10*took.Seconds() { // the depth is 10 + 3 + 1
		t.Errorf("%d are admitted in %v", admitted, took)
	}
}

// A key is gone when it is rested, and not before.
func TestKeysExpire(t *testing.T) {
	server := containers.Start(t, containers.Redis)[0]
	admin, l := connect(t, server), open(t, server)
	for _, test := range []struct {
		name   string
		decide func(ratelimit.Key) (ratelimit.Decision, error)
		rested time.Duration
	}{
		{"two rates, one request", func(k ratelimit.Key) (ratelimit.Decision, error) { return l.TwoRate(t.Context(), k, ingest) }, 10 * time.Millisecond},
		{"a slow bucket", func(k ratelimit.Key) (ratelimit.Decision, error) {
			return l.TwoRate(t.Context(), k, ratelimit.TwoRate{Rate: 0.01, Burst: 1, Window: time.Second})
		}, 100 * time.Second},
		{"a window of an hour", func(k ratelimit.Key) (ratelimit.Decision, error) {
			return l.FixedWindow(t.Context(), k, ratelimit.FixedWindow{Requests: 2, Window: time.Hour})
		}, time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := l.Reset(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := test.decide(ratelimit.Key{Scope: "distro/ingest", Subject: "sup a"}); err != nil {
				t.Fatal(err)
			}
			keys, err := admin.Keys(t.Context(), "*").Result()
			if err != nil || len(keys) != 1 {
				t.Fatalf("the keys are %q, %v; want one", keys, err)
			}
			left, err := admin.PTTL(t.Context(), keys[0]).Result()
			if err != nil {
				t.Fatal(err)
			}
			if left < test.rested-patience || left > test.rested+1100*time.Millisecond {
				t.Errorf("it expires in %v; it is rested in %v", left, test.rested)
			}
		})
	}
}

// One decision, one command: the scripts are sent once, and again when Redis has forgotten them.
func TestOneRoundTrip(t *testing.T) {
	server := containers.Start(t, containers.Redis)[0]
	admin, l := connect(t, server), open(t, server)
	decide := func() {
		t.Helper()
		key := ratelimit.Key{Scope: "test", Subject: "a"}
		if _, err := l.TwoRate(t.Context(), key, ingest); err != nil {
			t.Fatal(err)
		}
		if _, err := l.FixedWindow(t.Context(), key, second); err != nil {
			t.Fatal(err)
		}
	}
	decide()
	if err := admin.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	decide()

	scripts, others := commands(t, admin)
	const rounds = 50
	for range rounds {
		decide()
	}
	scriptsThen, othersThen := commands(t, admin)
	if n := scriptsThen - scripts; n != 2*rounds {
		t.Errorf("%d decisions ran %d scripts by their names", 2*rounds, n)
	}
	if n := othersThen - others; n != 0 {
		t.Errorf("%d decisions took %d more commands", 2*rounds, n)
	}
}

// commands is how often clients have run a script by its name, and what else they have sent that a decision could take.
// What scripts call is counted by Redis as well, and left out here.
func commands(t *testing.T, admin *goredis.Client) (scripts, others int) {
	t.Helper()
	stats, err := admin.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(stats) {
		var calls int
		name, rest, _ := strings.Cut(line, ":")
		if _, err := fmt.Sscanf(rest, "calls=%d,", &calls); err != nil {
			continue
		}
		switch strings.TrimPrefix(name, "cmdstat_") {
		case "get", "set", "time", "info":
		case "evalsha":
			scripts += calls
		default:
			others += calls
		}
	}
	return scripts, others
}

// Whatever is asked while Redis is out of reach ends with an error, and soon; when it is back, all works again.
func TestOutage(t *testing.T) {
	server, err := url.Parse(containers.Start(t, containers.Redis)[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		take func(*outage.Proxy)
	}{
		{"Redis is gone", (*outage.Proxy).Cut},
		{"Redis stands still", (*outage.Proxy).Stall},
	} {
		t.Run(test.name, func(t *testing.T) {
			proxy := outage.Start(t, server.Host)
			l, err := redis.Open(t.Context(), "redis://"+proxy.Addr, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			calls := map[string]func(context.Context) error{
				"two rates": func(ctx context.Context) error {
					_, err := l.TwoRate(ctx, ratelimit.Key{Scope: "a"}, ingest)
					return err
				},
				"fixed window": func(ctx context.Context) error {
					_, err := l.FixedWindow(ctx, ratelimit.Key{Scope: "a"}, second)
					return err
				},
				"ready": l.Ready,
				"reset": l.Reset,
			}
			test.take(proxy)
			for name, call := range calls { // the test's own deadline catches a call that waits for ever
				if call(t.Context()) == nil {
					t.Errorf("%s succeeds without Redis", name)
				}
			}
			proxy.Heal()
			for name, call := range calls {
				var err error
				for range 50 { // connections of the time before are found dead one by one
					if err = call(t.Context()); err == nil {
						break
					}
				}
				if err != nil {
					t.Errorf("%s after the outage: %v", name, err)
				}
			}
		})
	}
}

// What can't be opened says so, without the password.
func TestOpenErrors(t *testing.T) {
	for _, test := range []struct{ name, url, says string }{
		{"no URL", "redis://:hunter2@host:port/x", "write it as redis://"},
		{"another scheme", "http://:hunter2@host", "write it as redis://"},
		{"nobody there", "redis://:hunter2@127.0.0.1:9", "connection refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := redis.Open(t.Context(), test.url, patience)
			if err == nil {
				_ = l.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("it says: %v", err)
			}
		})
	}
}
