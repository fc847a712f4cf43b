package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// gather lets writes that are made at the same time share a transaction: those that come while one is under way wait for
// the next, all together. So the lock that puts writes in order is taken once for many of them, and the disk is waited for
// once. A write that comes alone is written alone, and at once.
type gather[Q, A any] struct {
	life     context.Context // until the store is closed
	patience time.Duration   // for a caller, and for a transaction
	queue    chan waiting[Q, A]
	// write writes all or nothing, in one transaction, and returns an answer to each.
	write func(ctx context.Context, all []Q) ([]A, error)
}

// waiting is a write whose caller waits.
type waiting[Q, A any] struct {
	ctx      context.Context
	question Q
	answer   chan answer[A] // of capacity 1: nobody waits for a caller that has gone
}

type answer[A any] struct {
	is  A
	err error
}

const (
	mostTogether = 64   // writes in one transaction
	mostWaiting  = 1024 // writes that may wait for one
)

var (
	errBusy   = errors.New("too many writes are waiting")
	errClosed = errors.New("the store is closed")
)

func newGather[Q, A any](life context.Context, patience time.Duration, write func(context.Context, []Q) ([]A, error)) *gather[Q, A] {
	g := &gather[Q, A]{life: life, patience: patience, queue: make(chan waiting[Q, A], mostWaiting), write: write}
	go g.work()
	return g
}

// do hands a write in and waits for the answer, no longer than patience. If it gives up, the write may still happen.
func (g *gather[Q, A]) do(ctx context.Context, question Q) (none A, _ error) {
	ctx, cancel := context.WithTimeout(ctx, g.patience)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return none, err
	}
	w := waiting[Q, A]{ctx, question, make(chan answer[A], 1)}
	select {
	case g.queue <- w:
	default:
		return none, errBusy
	}
	select {
	case a := <-w.answer:
		return a.is, a.err
	case <-ctx.Done():
		return none, fmt.Errorf("wait for the transaction: %w", ctx.Err())
	case <-g.life.Done():
		return none, errClosed
	}
}

func (g *gather[Q, A]) work() {
	for {
		select {
		case <-g.life.Done():
			return
		case first := <-g.queue:
			if all := g.collect(first); len(all) > 0 {
				g.together(all)
			}
		}
	}
}

// collect takes whatever waits, and doesn't wait for more. Callers that have gone are left out.
func (g *gather[Q, A]) collect(next waiting[Q, A]) (all []waiting[Q, A]) {
	for {
		if next.ctx.Err() == nil {
			all = append(all, next)
		}
		if len(all) == mostTogether {
			return all
		}
		select {
		case next = <-g.queue:
		default:
			return all
		}
	}
}

// together writes all in one transaction. If the data of one of them is at fault, the others must not suffer: then each is
// written alone.
func (g *gather[Q, A]) together(all []waiting[Q, A]) {
	ctx, cancel := context.WithTimeout(g.life, g.patience)
	defer cancel()
	questions := make([]Q, len(all))
	for i, w := range all {
		questions[i] = w.question
	}
	answers, err := g.write(ctx, questions)
	if len(all) > 1 && isDataError(err) {
		for _, w := range all {
			g.together([]waiting[Q, A]{w})
		}
		return
	}
	for i, w := range all {
		if err != nil {
			w.answer <- answer[A]{err: err}
			continue
		}
		w.answer <- answer[A]{is: answers[i]}
	}
}

// isDataError reports whether the database refused a value, such as text that it can't store.
func isDataError(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	return ok && strings.HasPrefix(refusal.Code, "22") // SQLSTATE class 22, data exception
}
