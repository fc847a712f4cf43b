package clients_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/fixtures/clients/integrator"
	"leadconform/fixtures/target"
	"leadconform/specs/internal/clients"
	"leadconform/specs/internal/spec"
)

// served lets a client that nobody starts send two leads to every scenario of a session, in virtual time.
func served(t *testing.T, recipe string, wrong *integrator.Wrong, byHeader bool) map[string]spec.Outcome {
	t.Helper()
	var outcomes map[string]spec.Outcome
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		trial := clients.Trial{Book: book(t, recipe), Speed: 1, Start: n.start}
		session, err := trial.Serve(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{DialContext: n.dial}
		for _, place := range session.Places() {
			h := &http.Client{Transport: transport}
			url := place.URL
			if byHeader {
				h.Transport = named{transport, place.Scenario.Name}
				url = session.URL
			}
			sendTwo(t.Context(), integrator.New(h, wrong), place, recipe, url, t.TempDir())
		}
		time.Sleep(time.Hour) // as long as whoever serves likes to watch
		outcomes = trial.Judge(t.Context(), session.End())
		transport.CloseIdleConnections()
		synctest.Wait()
	})
	return outcomes
}

// named names the scenario in a header.
type named struct {
	http.RoundTripper
	scenario string
}

func (n named) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set(clients.HeaderScenario, n.scenario)
	return n.RoundTripper.RoundTrip(r)
}

func sendTwo(ctx context.Context, c *integrator.Client, place clients.Place, recipe, url, state string) {
	p := target.Reference("http://127.0.0.1", "")
	key := p.Insertion.Credentials["primary"]
	job := integrator.Job{Recipe: recipe, Action: place.Scenario.Action, BaseURL: url, StateDir: state, Speed: 1,
		APIKey: p.Distro.Credentials["primary"].Key, PublicKey: key.PublicKey, Secret: key.Secret, LeadID: place.LeadID}
	for _, lead := range []string{
		`{"flo_campaign_id":"CAMPAIGN","flo_supplier_id":"sup-primary","first_name":"A","last_name":"B","phone":"5550101234","email":"a@example.com","state":"CA"}`,
		`{"flo_campaign_id":"CAMPAIGN","flo_supplier_id":"sup-primary","first_name":"C","last_name":"D","phone":"5550104321","email":"c@example.com","state":"CA"}`,
	} {
		job.Payload = []byte(strings.Replace(lead, "CAMPAIGN", p.Distro.Campaigns[place.Scenario.Campaign].ID, 1))
		if recipe == integrator.Insertion {
			id := strings.NewReplacer("5550101234", "5f0c6a52-0000-4000-8000-000000000001", "5550104321", "5f0c6a52-0000-4000-8000-000000000002").Replace(lead[strings.Index(lead, "555"):][:10])
			job.Payload = []byte(`{"campaign_id":101,"external_lead_id":"` + id + `","phone":"` + lead[strings.Index(lead, "555"):][:10] + `"}`)
		}
		if place.LeadID != "" {
			job.Payload = []byte(place.Payload)
		}
		_ = c.Do(ctx, job) // what it says of refusals is not for us to judge
		time.Sleep(time.Minute)
		if place.LeadID != "" {
			return
		}
	}
}

func TestServedScenariosAreJudgedLikeStartedOnes(t *testing.T) {
	for _, recipe := range []string{integrator.Distro, integrator.Insertion} {
		for _, byHeader := range []bool{false, true} {
			for id, o := range served(t, recipe, nil, byHeader) {
				if o.Result != spec.Passed {
					t.Errorf("by header %t: %s: %s: %s", byHeader, id, o.Result, o.Reason)
				}
			}
		}
	}
	for wrong, row := range map[string]string{
		"ld-retries-400": "CL-LD-01", "ld-seven-requests": "CL-LD-08", "ld-ignores-dates": "CL-LD-12", "ld-201-is-failure": "CL-LD-10",
		"in-blind-repatch": "CL-IN-10", "in-stale-signature": "CL-IN-09", "in-hasty-on-reset": "CL-IN-08",
	} {
		w := integrator.Lookup(wrong)
		if underRace && row != "CL-LD-01" {
			continue
		}
		if o := served(t, w.Recipe, w, false)[row]; o.Result != spec.Failed {
			t.Errorf("%s: %s: %s: %s", wrong, row, o.Result, o.Reason)
		}
	}
}

func TestServedWithoutAScenarioSaysWhichThereAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		trial := clients.Trial{Book: book(t, clients.Distro), Speed: 1, Start: n.start}
		session, err := trial.Serve(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{DialContext: n.dial, DisableKeepAlives: true}
		answer, err := (&http.Client{Transport: transport}).Get(session.URL + "/api/v1/ingest")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound || !strings.Contains(string(text), "refused-400, refused-401") {
			t.Errorf("%d %s", answer.StatusCode, text)
		}
		for id, o := range trial.Judge(t.Context(), session.End()) {
			if o.Result != spec.NotAssessed {
				t.Errorf("%s: %s though nothing was sent", id, o.Result)
			}
		}
		synctest.Wait()
	})
}
