package command

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/answer"
)

// attempt is what came of trying one credential.
type attempt struct {
	api, role string
	status    int
	problem   string // why the credential doesn't work; "" if it does
	silent    bool   // there was no answer at all
}

// untried are credentials that are not expected to work, or that only a limits row may use.
var untried = []string{"revoked", "limits_a", "limits_b", "limits_c", "limits_d", "limits_twin_one", "limits_twin_two"}

// preflight tries the credentials of the chosen APIs, before anything else. If none of an API works, the run ends.
func (c *chosen) preflight(ctx context.Context, client *target.Client) ([]attempt, error) {
	var all []attempt
	for _, api := range c.apis {
		if err := client.Reach(ctx, api); err != nil {
			return nil, unreachable("the target can't be reached: %w", err)
		}
		tried := c.tryAll(ctx, client, api)
		all = append(all, tried...)
		works := slices.ContainsFunc(tried, func(a attempt) bool { return a.problem == "" })
		if !works {
			return all, unreachable("%s", noneWorks(c.profile.BaseURL(api), tried))
		}
	}
	return all, nil
}

func noneWorks(base string, tried []attempt) string {
	if slices.ContainsFunc(tried, func(a attempt) bool { return !a.silent }) {
		var reasons []string
		for _, a := range tried {
			reasons = append(reasons, a.role+": "+a.problem)
		}
		return fmt.Sprintf("no credential of the %s API works at %s (%s)", tried[0].api, base, strings.Join(reasons, "; "))
	}
	return fmt.Sprintf("the target can't be reached: %s: %s", base, tried[0].problem)
}

// tryAll tries every credential of an API side by side.
func (c *chosen) tryAll(ctx context.Context, client *target.Client, api string) []attempt {
	var roles []string
	if api == target.APIDistro {
		roles = slices.Sorted(maps.Keys(c.profile.Distro.Credentials))
	} else {
		roles = slices.Sorted(maps.Keys(c.profile.Insertion.Credentials))
	}
	roles = slices.DeleteFunc(roles, func(role string) bool { return slices.Contains(untried, role) })
	tried := make([]attempt, len(roles))
	var wg sync.WaitGroup
	for i, role := range roles {
		wg.Go(func() { tried[i] = c.try(ctx, client, api, role) })
	}
	wg.Wait()
	return tried
}

func (c *chosen) try(ctx context.Context, client *target.Client, api, role string) attempt {
	a := attempt{api: api, role: role}
	x, err := client.Send(ctx, c.probe(api, role))
	switch {
	case err != nil:
		a.problem, a.silent = err.Error(), true
	case x.Err != nil:
		a.problem, a.silent = x.Err.Error(), true
	default:
		said := answer.New(x)
		a.status = said.Status
		if said.Status == http.StatusUnauthorized {
			a.problem = "401 " + said.Text("error")
		}
	}
	return a
}

// probe is a request that changes nothing and that only a wrong credential makes a 401 of.
func (c *chosen) probe(api, role string) target.Request {
	r := target.Request{API: api, Row: "preflight", Method: http.MethodGet, Paced: target.Paced{Credential: role}}
	if api == target.APIInsertion {
		r.Path = "/api/v1/insertion/leads?limit=1"
		r.Header = c.profile.Insertion.SignedHeader(c.profile.Insertion.Credentials[role], time.Now(), nil)
		return r
	}
	distro := c.profile.Distro
	campaign := distro.Campaigns["open"]
	if elsewhere, ok := distro.Campaigns["elsewhere"]; ok && role == "detached" {
		campaign = elsewhere
	}
	body, err := json.Marshal(map[string]string{
		distro.Fields.Campaign: campaign.ID, distro.Fields.Supplier: distro.Credentials[role].Supplier,
	})
	if err != nil {
		panic(err) // a map of strings
	}
	r.Method, r.Path, r.Body, r.Paced.Endpoint = http.MethodPost, "/api/v1/ping", body, "ping"
	r.Header = distro.KeyHeader(distro.Credentials[role].Key)
	r.Header.Set("Content-Type", "application/json")
	return r
}
