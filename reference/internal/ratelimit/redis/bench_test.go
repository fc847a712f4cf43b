package redis_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"leadconform/reference/internal/containers"
	"leadconform/reference/internal/ratelimit"
)

// BenchmarkDecision is one decision, asked by one caller. The goal is a median below 1 ms on loopback.
func BenchmarkDecision(b *testing.B) {
	l := open(b, containers.Start(b, containers.Redis)[0])
	for _, kind := range []struct {
		name   string
		decide func(ratelimit.Key) error
	}{
		{"two rates", func(k ratelimit.Key) error { _, err := l.TwoRate(b.Context(), k, ingest); return err }},
		{"fixed window", func(k ratelimit.Key) error { _, err := l.FixedWindow(b.Context(), k, second); return err }},
	} {
		b.Run(kind.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				if err := kind.decide(ratelimit.Key{Scope: "ingest", Subject: fmt.Sprint("supplier-", len(took)%1000)}); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs/p50")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs/p99")
		})
	}
}

// BenchmarkDecisionsAtOnce is one decision of many that are asked for at the same time, and what it costs Redis: the time
// that its one thread spends on the script, and bytes on the network.
func BenchmarkDecisionsAtOnce(b *testing.B) {
	url := containers.Start(b, containers.Redis)[0]
	l := open(b, url)
	options, err := goredis.ParseURL(url)
	if err != nil {
		b.Fatal(err)
	}
	client := goredis.NewClient(options)
	defer client.Close()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := l.TwoRate(b.Context(), ratelimit.Key{Scope: "ingest", Subject: fmt.Sprint("supplier-", i%1000)}, ingest); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	stats, err := client.Info(b.Context(), "commandstats", "stats").Result()
	if err != nil {
		b.Fatal(err)
	}
	figure := func(pattern string) float64 {
		found := regexp.MustCompile(pattern).FindStringSubmatch(stats)
		if found == nil {
			b.Fatalf("Redis tells no %s", pattern)
		}
		n, _ := strconv.ParseFloat(found[1], 64) // the pattern takes numbers alone
		return n
	}
	calls := figure(`cmdstat_evalsha:calls=(\d+)`)
	b.ReportMetric(figure(`cmdstat_evalsha:calls=\d+,usec=(\d+)`)/calls, "redis-µs/op")
	b.ReportMetric(figure(`total_net_input_bytes:(\d+)`)/calls, "B-in/op")
	b.ReportMetric(figure(`total_net_output_bytes:(\d+)`)/calls, "B-out/op")
}
