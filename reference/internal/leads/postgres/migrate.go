package postgres

import (
	"context"
	"embed"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// migrations are numbered from 1, without a gap, and applied in that order. One that has been released is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// The locks that programs on one database agree on, by the first of the two numbers of an advisory lock. Whoever holds
// one keeps it until its transaction ends.
const (
	lockSchema    = 0x1ead0001
	lockPlacement = 0x1ead0002
	lockAccount   = 0x1ead0003 // the second number is the account's
)

// migrate brings the schema up to date, in one transaction: all of it, or nothing. However many programs start at once,
// one does the work and the others wait.
func migrate(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1, 0)`, lockSchema); err != nil {
			return fmt.Errorf("lock the schema: %w", err)
		}
		if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (
			version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`); err != nil {
			return fmt.Errorf("keep a list of migrations: %w", err)
		}
		var applied int
		if err := tx.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM schema_migrations`).Scan(&applied); err != nil {
			return fmt.Errorf("read the list of migrations: %w", err)
		}
		known, err := migrations.ReadDir("migrations")
		if err != nil {
			return err
		}
		if applied > len(known) {
			return fmt.Errorf("the database has schema version %d, and this program knows %d: use a newer program, or another database", applied, len(known))
		}
		for i, file := range known[applied:] {
			if err := apply(ctx, tx, applied+i+1, file.Name()); err != nil {
				return fmt.Errorf("migration %s: %w", file.Name(), err)
			}
		}
		return nil
	})
}

// apply runs one migration and notes it.
func apply(ctx context.Context, tx pgx.Tx, version int, name string) error {
	number, _, _ := strings.Cut(name, "_")
	if n, err := strconv.Atoi(number); err != nil || n != version {
		return fmt.Errorf("it should be number %d", version)
	}
	text, err := migrations.ReadFile(path.Join("migrations", name))
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, string(text)); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO schema_migrations (version) VALUES ($1)`, version)
	return err
}
