package clients_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/specs/internal/clients"
	"leadconform/specs/internal/spec"
)

// TestSilentClientsHoldUpNobodyAndAreEnded runs a client that neither sends anything nor ends.
func TestSilentClientsHoldUpNobodyAndAreEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		began := time.Now()
		var mu sync.Mutex
		started := map[time.Duration]int{} // by the second
		trial := clients.Trial{Book: book(t, clients.Distro), Speed: 10, Start: n.start, Caller: func(ctx context.Context, _ clients.Call) clients.Ended {
			mu.Lock()
			started[time.Since(began).Truncate(time.Second)]++
			mu.Unlock()
			<-ctx.Done()
			return clients.Ended{Status: -1, Overtime: errors.Is(context.Cause(ctx), context.DeadlineExceeded), Took: 28 * time.Second}
		}}
		journals, err := trial.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		places := 2 * runtime.GOMAXPROCS(0)
		for second, n := range started {
			if n > places {
				t.Errorf("%d clients were started in second %v, at most %d may start at a time", n, second, places)
			}
		}
		rounds := time.Duration((len(journals) - 1) / places)
		if took := time.Since(began); took != rounds*time.Second+28*time.Second {
			t.Errorf("the trial took %v", took)
		}
		for name, j := range journals {
			if len(j.Calls) != 1 || !j.Calls[0].Overtime {
				t.Errorf("%s: %+v; want one call, which was ended", name, j.Calls)
			}
		}
		for id, o := range trial.Judge(t.Context(), journals) {
			if o.Result != spec.NotAssessed {
				t.Errorf("%s: %s", id, o.Result)
			}
		}
		synctest.Wait()
	})
}
