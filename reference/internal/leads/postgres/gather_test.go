package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const patience = 3500 * time.Millisecond

// scribe is a database that writes numbers, a second for each transaction, and remembers which it wrote together.
type scribe struct {
	mu           sync.Mutex
	transactions [][]int
	takes        time.Duration
	refuses      func(all []int) error
}

func (s *scribe) write(ctx context.Context, all []int) ([]int, error) {
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s.refuses != nil {
		if err := s.refuses(all); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transactions = append(s.transactions, slices.Clone(all))
	doubled := make([]int, len(all))
	for i, n := range all {
		doubled[i] = 2 * n
	}
	return doubled, nil
}

// gathering runs a test in virtual time, with a gather that is closed at its end.
func gathering(t *testing.T, s *scribe, test func(t *testing.T, g *gather[int, int])) {
	synctest.Test(t, func(t *testing.T) {
		life, end := context.WithCancel(context.Background())
		defer end()
		test(t, newGather(life, patience, s.write))
	})
}

func TestGatherSharesTransactions(t *testing.T) {
	s := &scribe{takes: time.Second}
	gathering(t, s, func(t *testing.T, g *gather[int, int]) {
		var all sync.WaitGroup
		for n := range 100 {
			all.Go(func() {
				if n > 0 {
					time.Sleep(time.Millisecond) // the first is under way
				}
				if got, err := g.do(t.Context(), n); err != nil || got != 2*n {
					t.Errorf("%d is answered %d, %v", n, got, err)
				}
			})
		}
		all.Wait()
	})
	var sizes []int
	for _, together := range s.transactions {
		sizes = append(sizes, len(together))
	}
	if want := []int{1, 64, 35}; !slices.Equal(sizes, want) {
		t.Errorf("the transactions held %v writes, want %v", sizes, want)
	}
}

func TestGatherLeavesOutWhoHasGone(t *testing.T) {
	s := &scribe{takes: time.Second}
	gathering(t, s, func(t *testing.T, g *gather[int, int]) {
		var all sync.WaitGroup
		all.Go(func() { _, _ = g.do(t.Context(), 1) })
		synctest.Wait()
		for n := 2; n <= 4; n++ {
			all.Go(func() {
				ctx, leave := context.WithTimeout(t.Context(), time.Duration(n)*300*time.Millisecond) // 2 and 3 leave before 1 is written
				defer leave()
				if _, err := g.do(ctx, n); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%d left, and is told %v", n, err)
				}
			})
		}
		all.Wait()
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := g.do(gone, 5); !errors.Is(err, context.Canceled) {
			t.Errorf("one that had gone before is told %v", err)
		}
		time.Sleep(time.Minute)
	})
	if want := [][]int{{1}, {4}}; !slices.EqualFunc(s.transactions, want, slices.Equal[[]int]) {
		t.Errorf("written: %v, want %v", s.transactions, want)
	}
}

// The data of one must not fail the others; a database that is out of reach fails all.
func TestGatherErrors(t *testing.T) {
	for _, test := range []struct {
		name   string
		err    error
		failed []int
	}{
		{"bad data", &pgconn.PgError{Code: "22P05"}, []int{13}},
		{"a constraint", &pgconn.PgError{Code: "23505"}, []int{11, 12, 13, 14}},
		{"a lost connection", errors.New("connection reset by peer"), []int{11, 12, 13, 14}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &scribe{takes: 100 * time.Millisecond, refuses: func(all []int) error {
				if slices.Contains(all, 13) {
					return test.err
				}
				return nil
			}}
			gathering(t, s, func(t *testing.T, g *gather[int, int]) {
				var all sync.WaitGroup
				all.Go(func() { _, _ = g.do(t.Context(), 1) })
				synctest.Wait()
				errs := map[int]*error{}
				for n := 11; n <= 14; n++ {
					err := new(error)
					errs[n] = err
					all.Go(func() { _, *err = g.do(t.Context(), n) })
				}
				all.Wait()
				for n, err := range errs {
					if slices.Contains(test.failed, n) != errors.Is(*err, test.err) {
						t.Errorf("%d is told %v", n, *err)
					}
				}
			})
		})
	}
}

// A database that stands still costs a caller patience, not more, and nothing piles up behind it.
func TestGatherIsPatientOnlySoLong(t *testing.T) {
	s := &scribe{takes: time.Hour}
	gathering(t, s, func(t *testing.T, g *gather[int, int]) {
		began := time.Now()
		var all sync.WaitGroup
		busy := make(chan error, 2*mostWaiting)
		for n := range 2 * mostWaiting {
			all.Go(func() {
				_, err := g.do(t.Context(), n)
				if waited := time.Since(began); waited > patience {
					t.Errorf("%d waited for %v", n, waited)
				}
				switch {
				case errors.Is(err, errBusy):
					busy <- err
				case !errors.Is(err, context.DeadlineExceeded):
					t.Errorf("%d is told %v", n, err)
				}
			})
		}
		all.Wait()
		if n := len(busy); n < mostWaiting-mostTogether || n > mostWaiting {
			t.Errorf("%d are turned away at once, of %d", n, 2*mostWaiting)
		}

		time.Sleep(patience) // a transaction may have begun in the last moment
		synctest.Wait()
		s.takes = 0 // it is back
		if got, err := g.do(t.Context(), 21); err != nil || got != 42 {
			t.Errorf("afterwards a write is answered %d, %v", got, err)
		}
	})
}

func TestGatherCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		life, end := context.WithCancel(t.Context())
		g := newGather(life, patience, (&scribe{takes: time.Hour}).write)
		var all sync.WaitGroup
		for n := range 3 {
			all.Go(func() {
				if _, err := g.do(t.Context(), n); err == nil {
					t.Errorf("%d is acknowledged by a store that was closed", n)
				}
			})
		}
		synctest.Wait()
		end()
		all.Wait()
	})
}
