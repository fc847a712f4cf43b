package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/testcontainers/testcontainers-go"

	"leadconform/reference/internal/containers"
	"leadconform/reference/internal/leads"
)

// BenchmarkWrites is one write, of 32 callers at a time, to a database that waits for its disk. The goal is 1500 leads a
// second on 2 cores, with everything on the same machine.
func BenchmarkWrites(b *testing.B) {
	containers.Require(b)
	server, err := containers.Postgres.Run(b.Context(), testcontainers.WithCmd("postgres", "-c", "fsync=on"))
	testcontainers.CleanupContainer(b, server.Container)
	if err != nil {
		b.Fatal(err)
	}
	store := open(b, server.URL)
	placement, account := newPlacement(), newTuple().AccountID
	placement.Order = func(uint64) []leads.Candidate { return []leads.Candidate{{BuyerID: "buyer"}} }
	for _, kind := range []struct {
		name  string
		write func() error
	}{
		{"place", func() error { _, err := store.Place(b.Context(), placement); return err }},
		{"upsert", func() error {
			tuple := leads.Tuple{AccountID: account, CampaignID: 101, ExternalLeadID: uuid.New()}
			_, _, err := store.Upsert(b.Context(), tuple, leads.Fields{}, time.Now())
			return err
		}},
	} {
		b.Run(kind.name, func(b *testing.B) {
			const callers = 32
			var all sync.WaitGroup
			for i := range callers {
				all.Go(func() {
					for range b.N/callers + min(1, max(0, b.N%callers-i)) {
						if err := kind.write(); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "leads/s")
		})
	}
}
