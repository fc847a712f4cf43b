// Package postgres keeps leads in PostgreSQL. Any number of programs may share one database: to their clients they are one.
//
// # What is acknowledged is stored
//
// A method returns without an error only after its transaction has been committed. A method that returns one has stored
// nothing, or has stored the whole of it and lost the answer: an upsert may be repeated then, and is Deduped.
//
// # Order
//
// Placements come one after the other, in the whole database, and so do the upserts of one account: each is decided on
// what all earlier ones have left behind. That is what makes turns, caps, duplicates, tuples and times of creation exact.
// It would cost a wait for the disk each, were it not that placements, or upserts, that are made at the same time
// share a transaction (see gather).
package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"leadconform/reference/internal/leads"
)

// opening is how long Open takes at most: it may have to wait for another program's migration.
const opening = 20 * time.Second

// Store is a leads.Store. It must be closed.
type Store struct {
	pool       *pgxpool.Pool
	patience   time.Duration
	placements *gather[leads.Placement, placed]
	upserts    *gather[upsert, upserted]
	stop       context.CancelFunc
}

var _ leads.Store = (*Store)(nil)

// Open connects to the database that a URL names (postgres://USER:PASSWORD@HOST:PORT/DATABASE, with the parameters that
// libpq knows, and pool_max_conns) and brings its schema up to date. No error of it holds the password. From then on no
// method takes longer than patience, waiting for a connection included.
func Open(ctx context.Context, url string, patience time.Duration) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the URL: write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE")
	}
	config.ConnConfig.ConnectTimeout = patience
	config.MinConns = config.MaxConns // so that nobody waits for one to be made

	ctx, cancel := context.WithTimeout(ctx, opening)
	defer cancel()
	if err := prepare(ctx, config.ConnConfig.Copy()); err != nil {
		return nil, err
	}

	// What a client's deadline ends here, these end on the server.
	set := config.ConnConfig.RuntimeParams
	set["statement_timeout"] = milliseconds(patience)
	set["idle_in_transaction_session_timeout"] = milliseconds(2 * patience) // so that the locks of one who has gone are free again
	// Every query has an index. A plan that is made while a table is small must not forget that.
	set["enable_seqscan"] = "off"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("make a pool of connections: %w", err)
	}

	s := &Store{pool: pool, patience: patience}
	var life context.Context
	life, s.stop = context.WithCancel(context.Background())
	s.placements = newGather(life, patience, s.place)
	s.upserts = newGather(life, patience, s.upsert)
	return s, nil
}

// prepare brings the schema up to date.
func prepare(ctx context.Context, config *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if err := migrate(ctx, conn); err != nil {
		return fmt.Errorf("bring the schema up to date: %w", err)
	}
	return nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Close lets go of all connections. Calls under way end with an error.
func (s *Store) Close() error {
	s.stop()
	s.pool.Close()
	return nil
}

// Ready asks the database for a sign of life.
func (s *Store) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("ask the database for a sign of life: %w", err)
	}
	return nil
}

// Reset forgets what the scope names. Writes that are under way come before it or after it, as a whole.
func (s *Store) Reset(ctx context.Context, scope leads.ResetScope) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	forget := `TRUNCATE distro_caps`
	if scope == leads.ResetAll {
		forget = `TRUNCATE distro_caps, distro_turns, distro_leads, insertion_leads, insertion_events`
	}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1, 0)`, lockPlacement); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, forget)
		return err
	})
	if err != nil {
		return fmt.Errorf("reset %s: %w", scope, err)
	}
	return nil
}
