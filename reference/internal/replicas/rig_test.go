package replicas

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"leadconform/fixtures"
	"leadconform/reference/internal/containers"
)

// replicaCount is how many replicas are behind the balancer. The clock of the last one is 3 s ahead, throughout.
const replicaCount = 3

// rig is what the tests are done to.
type rig struct {
	*Stack             // of which Replicas are those behind the balancer
	*Balancer          // in front of them
	Open      *Replica // one beside them, that admits everybody while Redis is out of reach
}

// TestReplicas holds that several replicas are one server, whatever happens to them and to what they depend on.
func TestReplicas(t *testing.T) {
	r := start(t)
	t.Run("suite", func(t *testing.T) { wholeSuite(t, r) })
	t.Run("three workers", func(t *testing.T) { threeWorkers(t, r) })
	t.Run("admitted rate", func(t *testing.T) { admittedTogether(t, r) })
	t.Run("one tuple, many at once", func(t *testing.T) { oneTuple(t, r) })
	t.Run("a clock that is off by 3 s", func(t *testing.T) { clockOff(t, r) })
	t.Run("fault", func(t *testing.T) { allFaults(t, r) })
}

// start starts replicas and a balancer for a test.
func start(t *testing.T) rig {
	t.Helper()
	if raceDetector {
		t.Skip("what is tested here runs in containers, where the race detector sees nothing: run it without -race")
	}
	containers.Require(t)
	s, err := Start(t.Context(), Options{
		Replicas: replicaCount + 1,
		World:    scaledWorld(t),
		Flags: func(i int) []string {
			switch i {
			case replicaCount - 1:
				return []string{"--clock-offset", "3s"}
			case replicaCount:
				return []string{"--limiter-outage", "open"}
			}
			return nil
		},
		Programs: []string{"leadconform/load"},
		Progress: func(step string) { t.Log(step) },
	})
	must(t, err)
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	r := rig{Stack: s, Open: s.Replicas[replicaCount]}
	behind := *s
	behind.Replicas = s.Replicas[:replicaCount]
	r.Stack = &behind
	r.Balancer = Balance(behind.Replicas, listen(t), listen(t))
	t.Cleanup(func() { _ = r.Balancer.Close() })
	return r
}

// The limits of this rig. Two cores have to carry the replicas, the balancer, PostgreSQL, Redis and the client that attacks
// all limits side by side. At the documented limits of ping (500 a second, 1000 for 10 s) and ingest (100, 200 for 10 s)
// that would be 4,200 requests a second, half of them with a lead to store. So both are scaled down, R and B together, to
// 20 and 40, and 10 and 20; then it is some 400. The limit of lookup is the documented one.
const (
	ingestRate = 10 // R, requests a second; B is twice as much
	pingRate   = 20
	lookupRate = 10

	documented = "    ingest: {rate: 100, burst: 200, window: 10s}\n    ping: {rate: 500, burst: 1000, window: 10s}\n"
	lookup     = "    lookup: {rate: 10, burst: 20, window: 5s}\n"
)

var scaled = fmt.Sprintf("    ingest: {rate: %d, burst: %d, window: 10s}\n    ping: {rate: %d, burst: %d, window: 10s}\n",
	ingestRate, 2*ingestRate, pingRate, 2*pingRate)

// scaledWorld is the embedded world with the limits of this rig.
func scaledWorld(t *testing.T) []byte {
	t.Helper()
	return replaceOnce(t, "world.yaml", documented+lookup, scaled+lookup)
}

// scaledProfile is the profile of a reference server with the limits of this rig.
func scaledProfile(t *testing.T) []byte {
	t.Helper()
	const distro = "distro:\n"
	return replaceOnce(t, "targets/reference.yaml", distro, distro+"  limits:\n"+scaled+lookup)
}

func replaceOnce(t *testing.T, name, from, to string) []byte {
	t.Helper()
	text, err := fs.ReadFile(fixtures.FS, name)
	must(t, err)
	if n := bytes.Count(text, []byte(from)); n != 1 {
		t.Fatalf("%s has %q %d times, want once", name, from, n)
	}
	return bytes.Replace(text, []byte(from), []byte(to), 1)
}

// database is a connection to PostgreSQL beside those of the replicas.
func (r rig) database(t *testing.T) *pgx.Conn {
	t.Helper()
	url, err := r.Postgres.URL(t.Context())
	must(t, err)
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// patience is how long a test waits for what it knows must come, however busy the machine is.
const patience = 2 * time.Minute

// soon waits for something to become true.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(pause) {
		if time.Now().After(end) {
			t.Fatalf("it takes longer than %v until %s", patience, what)
		}
	}
}

// readiness waits until every replica answers /readyz with the status.
func (r rig) readiness(t *testing.T, status int) {
	t.Helper()
	for _, replica := range r.Replicas {
		soon(t, "every /readyz is "+http.StatusText(status), func() bool {
			got, _, err := r.ask(t.Context(), replica.Control()+"/readyz")
			return err == nil && got == status
		})
	}
}
