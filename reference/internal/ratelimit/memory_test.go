package ratelimit_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"leadconform/reference/internal/ratelimit"
	"leadconform/reference/internal/ratelimit/limitertest"
)

func TestMemory(t *testing.T) {
	limitertest.Run(t, func(_ testing.TB, now func() time.Time) ratelimit.Limiter { return ratelimit.NewMemory(now) })
}

var (
	ingest = ratelimit.TwoRate{Rate: 100, Burst: 200, Window: 10 * time.Second}
	minute = ratelimit.FixedWindow{Requests: 600, Window: time.Minute}
)

// Keys that are rested are forgotten, keys that are not are kept: what they have spent stays spent.
func TestMemoryForgetsRestedKeysAlone(t *testing.T) {
	now := time.Now()
	m := ratelimit.NewMemory(func() time.Time { return now })
	ctx := t.Context()
	busy, closed := ratelimit.Key{Scope: "busy"}, ratelimit.Key{Scope: "closed"}
	slow := ratelimit.TwoRate{Rate: 0.001, Burst: 0.5, Window: time.Second} // the peak bucket rests in 4 s, the other in 2000 s
	once := ratelimit.FixedWindow{Requests: 1, Window: time.Hour}
	for range 2 {
		mustPass(t, m.TwoRate)(ctx, busy, slow)
	}
	mustPass(t, m.FixedWindow)(ctx, closed, once)

	const wave = 20_000
	for second := range 30 {
		for i := range wave {
			key := ratelimit.Key{Scope: "ingest", Subject: fmt.Sprintf("%d-%d", second, i)}
			mustPass(t, m.TwoRate)(ctx, key, ingest)
			mustPass(t, m.FixedWindow)(ctx, key, ratelimit.FixedWindow{Requests: 1, Window: time.Second})
		}
		now = now.Add(time.Second) // by now all of them are rested
	}
	if n := m.Keys(); n > 5*wave {
		t.Errorf("%d keys are kept after 30 waves of %d", n, 2*wave)
	}
	if d, err := m.TwoRate(ctx, busy, slow); err != nil || d.Allowed {
		t.Errorf("a key that was spent is forgotten: %+v, %v", d, err)
	}
	if d, err := m.FixedWindow(ctx, closed, once); err != nil || d.Allowed {
		t.Errorf("a window that is still open is forgotten: %+v, %v", d, err)
	}
}

func mustPass[P any](t *testing.T, decide func(context.Context, ratelimit.Key, P) (ratelimit.Decision, error)) func(context.Context, ratelimit.Key, P) {
	return func(ctx context.Context, key ratelimit.Key, p P) {
		t.Helper()
		if d, err := decide(ctx, key, p); err != nil || !d.Allowed {
			t.Fatalf("%+v is refused: %+v, %v", key, d, err)
		}
	}
}

// A decision for a key that is known takes nothing from the heap, whether it passes or not.
func TestMemoryDecidesWithoutAllocation(t *testing.T) {
	m := ratelimit.NewMemory(time.Now)
	ctx, key := t.Context(), ratelimit.Key{Scope: "ingest", Subject: "sup-primary"}
	m.TwoRate(ctx, key, ingest)
	m.FixedWindow(ctx, key, minute)
	if n := testing.AllocsPerRun(2000, func() { m.TwoRate(ctx, key, ingest) }); n != 0 {
		t.Errorf("a decision under two rates allocates %v times", n)
	}
	if n := testing.AllocsPerRun(2000, func() { m.FixedWindow(ctx, key, minute) }); n != 0 {
		t.Errorf("a decision in a fixed window allocates %v times", n)
	}
}

// What one key spends at the same time as others, while rested ones are dropped, is its own alone. (Run with -race.)
func TestMemoryManyKeysAtOnce(t *testing.T) {
	now := time.Now()
	m := ratelimit.NewMemory(func() time.Time { return now })
	const keys, most = 3000, 51
	passed := make([]int, keys)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := worker; i < keys; i += 8 {
				key := ratelimit.Key{Scope: "ingest", Subject: fmt.Sprint(i)}
				for range most + 10 {
					if d, err := m.TwoRate(t.Context(), key, ingest); err == nil && d.Allowed {
						passed[i]++
					}
				}
			}
		})
	}
	wg.Wait()
	for i, n := range passed {
		if n != most {
			t.Fatalf("key %d had %d admitted at once, expected %d", i, n, most)
		}
	}
}

// BenchmarkMemory is one decision for one of 1000 known keys, by 8 goroutines. The goal is 300 ns and no allocation.
func BenchmarkMemory(b *testing.B) {
	m := ratelimit.NewMemory(time.Now)
	keys := make([]ratelimit.Key, 1000)
	for i := range keys {
		keys[i] = ratelimit.Key{Scope: "ingest", Subject: fmt.Sprint("supplier-", i)}
	}
	for _, kind := range []struct {
		name   string
		decide func(ratelimit.Key) error
	}{
		{"two rates", func(k ratelimit.Key) error { _, err := m.TwoRate(context.Background(), k, ingest); return err }},
		{"fixed window", func(k ratelimit.Key) error { _, err := m.FixedWindow(context.Background(), k, minute); return err }},
	} {
		b.Run(kind.name, func(b *testing.B) {
			b.ReportAllocs()
			var wg sync.WaitGroup
			for worker := range 8 {
				wg.Go(func() {
					for i := range b.N / 8 {
						if err := kind.decide(keys[(i+125*worker)%len(keys)]); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
