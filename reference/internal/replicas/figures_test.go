package replicas

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// recordFile is where the figures are kept, for the README and whoever wants to know.
const recordFile = "../../../report/faults.json"

// record is what the tests of one run of this package have measured.
type record struct {
	Schema   int       `json:"schema"`
	Finished time.Time `json:"finished"`
	Replicas int       `json:"replicas"`
	Faults   []figures `json:"faults"`
	Limits   []limit   `json:"limits"`
}

// figures are what one run of a fault has shown.
type figures struct {
	Fault        string `json:"fault"`
	Run          int    `json:"run"`
	Sent         int    `json:"sent"`            // requests
	Acknowledged int    `json:"acknowledged"`    // leads
	Lost         int    `json:"lost"`            // of those acknowledged
	Duplicated   int    `json:"duplicated"`      // leads that are there twice
	Refused      int    `json:"refused"`         // requests, as unavailable
	BrokenOff    int    `json:"broken_off"`      // requests without an answer, or answered 502 by the balancer
	LongestMS    int64  `json:"longest_wait_ms"` // for an answer
	FaultMS      int64  `json:"fault_ms"`        // from its beginning to the order to end it
	RecoveryMS   int64  `json:"recovery_ms"`     // from that order until leads were acknowledged again, on both APIs
}

// limit is a limit as it was measured through the balancer.
type limit struct {
	Endpoint string  `json:"endpoint"`
	Rate     float64 `json:"rate"`     // documented, or scaled down (requests a second)
	Admitted float64 `json:"admitted"` // requests a second, once the burst credit is used up
}

// sofar is the record of this run of the package. Its tests run one after the other.
var sofar = record{Schema: 1, Replicas: replicaCount, Faults: []figures{}, Limits: []limit{}}

// note adds to the record and keeps it.
func note(t *testing.T, add func(*record)) {
	t.Helper()
	add(&sofar)
	sofar.Finished = time.Now().UTC().Truncate(time.Second)
	text, err := json.MarshalIndent(sofar, "", "  ")
	must(t, err)
	must(t, os.MkdirAll(filepath.Dir(recordFile), 0o755))
	must(t, os.WriteFile(recordFile, append(text, '\n'), 0o644))
}

// count reads back every lead that was acknowledged, and looks in the database for leads that are there twice.
func (c *crowd) count(t *testing.T, database *pgx.Conn, fault span) figures {
	t.Helper()
	f := figures{Sent: len(c.exchanges), Acknowledged: len(c.people), FaultMS: fault.ended.Sub(fault.began).Milliseconds()}
	recovered := map[string]time.Duration{}
	for _, e := range c.exchanges {
		f.LongestMS = max(f.LongestMS, e.ended.Sub(e.began).Milliseconds())
		switch after := e.ended.Sub(fault.ended); {
		case unavailable(e):
			f.Refused++
		case !e.acknowledged:
			f.BrokenOff++
		case after >= 0 && (recovered[e.api] == 0 || after < recovered[e.api]):
			recovered[e.api] = after
		}
	}
	f.RecoveryMS = max(recovered["distro"], recovered["insertion"]).Milliseconds()
	if !fault.recovered.IsZero() {
		f.RecoveryMS = fault.recovered.Sub(fault.ended).Milliseconds()
	}

	var phones, externals []string
	for _, p := range c.people {
		if !c.reads(p) {
			f.Lost++
		}
		if p.inserted > 1 {
			f.Duplicated++
		}
		phones, externals = append(phones, p.phone), append(externals, p.external.String())
	}
	for _, query := range []struct {
		text string
		keys []string
	}{
		{`SELECT count(*) FROM (SELECT FROM distro_leads WHERE phone = ANY($1) GROUP BY phone HAVING count(*) > 1) AS twice`, phones},
		{`SELECT count(*) FROM (SELECT FROM insertion_leads WHERE external_lead_id = ANY($1::uuid[]) GROUP BY external_lead_id HAVING count(*) > 1) AS twice`, externals},
	} {
		var twice int
		must(t, database.QueryRow(t.Context(), query.text, query.keys).Scan(&twice))
		f.Duplicated += twice
	}
	if f.Lost > 0 || f.Duplicated > 0 {
		t.Errorf("%d of %d acknowledged leads are lost, %d are there twice", f.Lost, f.Acknowledged, f.Duplicated)
	}
	return f
}

// reads reports whether an acknowledged lead can be read, and is the one that was acknowledged.
func (c *crowd) reads(p *person) bool {
	e := c.read(p)
	lead := e.body
	if p.api == "insertion" {
		lead, _ = e.body["lead"].(map[string]any)
	}
	return e.status == http.StatusOK && (p.id == "" || lead["id"] == p.id)
}

// read asks for a lead by what its client knows of it.
func (c *crowd) read(p *person) exchange {
	if p.api == "insertion" {
		return send(c.client, p.api, http.MethodGet, c.base+insertionPath+"/"+p.external.String(), "")
	}
	return send(c.client, p.api, http.MethodGet, c.base+lookupPath+"?phone="+p.phone, "")
}
