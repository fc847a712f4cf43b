package postgres_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"leadconform/reference/internal/containers"
	"leadconform/reference/internal/leads/postgres"
)

// connect is a connection beside the store's.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

func TestMigrate(t *testing.T) {
	server := containers.Start(t, containers.Postgres)[0]
	admin := connect(t, server)

	// Replicas that start together on an empty database.
	var all errgroup.Group
	for range 8 {
		all.Go(func() error {
			store, err := postgres.Open(t.Context(), server, patience)
			if err != nil {
				return err
			}
			return store.Close()
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatalf("of 8 that start at once: %v", err)
	}
	var versions int
	if err := admin.QueryRow(t.Context(), `SELECT count(*) FROM schema_migrations`).Scan(&versions); err != nil || versions != 2 {
		t.Errorf("%d migrations are noted, %v; want 2", versions, err)
	}

	// A database that a newer program has changed.
	if _, err := admin.Exec(t.Context(), `INSERT INTO schema_migrations (version) VALUES (99)`); err != nil {
		t.Fatal(err)
	}
	if store, err := postgres.Open(t.Context(), server, patience); err == nil || !strings.Contains(err.Error(), "schema version 99") {
		_ = store.Close()
		t.Errorf("an old program opens a new schema: %v", err)
	}
}

// What can't be opened says so, without the password.
func TestOpenErrors(t *testing.T) {
	server, err := url.Parse(containers.Start(t, containers.Postgres)[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, url, says string }{
		{"no URL", "postgres://user:hunter2@host:port/leads", "write it as postgres://"},
		{"an unknown parameter value", "postgres://user:hunter2@host/leads?pool_max_conns=many", "write it as postgres://"},
		{"nobody there", "postgres://user:hunter2@127.0.0.1:9/leads", "connect"},
		{"a wrong password", "postgres://postgres:hunter2@" + server.Host + "/leads", "password authentication failed"},
		{"no such database", "postgres://postgres:postgres@" + server.Host + "/nowhere?sslmode=disable", "does not exist"},
	} {
		t.Run(test.name, func(t *testing.T) {
			store, err := postgres.Open(t.Context(), test.url, patience)
			if err == nil {
				_ = store.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("it says: %v", err)
			}
		})
	}
}
