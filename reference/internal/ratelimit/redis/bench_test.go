package redis_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

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
