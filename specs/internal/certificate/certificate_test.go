package certificate

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/spec"
	"leadconform/specs/internal/verdict"
)

func TestACertificateSaysWhatTheReportShows(t *testing.T) {
	i := issue(t, run{
		results: map[string]spec.Result{"LD-500-01": spec.NotAssessed, "IN-429-01": spec.Failed, "IN-500-01": spec.NotAssessed, "LD-ENV-03": spec.Failed},
		waivers: []target.Waiver{{ID: "IN-429-01", Reason: "ticket 7", Expires: "2027-01-01"}},
	})
	public := i.key.Public()
	c, err := Check(t.Context(), i.certificate, i.report, &public)
	if err != nil {
		t.Fatal(err)
	}
	want := []API{
		{API: "distro", Level: "limits", Denied: []Denied{{Row: "LD-500-01", Tier: "full", Verdict: verdict.NotAssessed}}},
		{API: "insertion", Level: "core", Denied: []Denied{
			{Row: "IN-429-01", Tier: "limits", Verdict: verdict.Fail, Waived: "ticket 7"}, {Row: "IN-500-01", Tier: "full", Verdict: verdict.NotAssessed}}},
	}
	if diff := cmp.Diff(want, c.Claim.APIs); diff != "" {
		t.Errorf("the levels differ (-want +got):\n%s", diff)
	}
	if c.Claim.Implementation != acme || c.Claim.Peak != "strict" || c.Claim.Run.Seed != "9223372036854775809" || !c.Trusted {
		t.Errorf("the claim is %+v, trusted %v", c.Claim, c.Trusted)
	}
	if c, err = Check(t.Context(), i.certificate, i.report, nil); err != nil || c.Trusted {
		t.Errorf("without a key: trusted, or %v", err)
	}
}

// The statement is what in-toto's own tools read.
func TestTheStatementIsATestResult(t *testing.T) {
	for name, c := range map[string]struct {
		results map[string]spec.Result
		result  string
	}{
		"all pass":       {nil, "PASSED"},
		"SHOULD fails":   {map[string]spec.Result{"LD-ENV-03": spec.Failed}, "WARNED"},
		"MUST fails":     {map[string]spec.Result{"LD-429-01": spec.Failed}, "FAILED"},
		"MUST is open":   {map[string]spec.Result{"LD-429-01": spec.NotAssessed}, "FAILED"},
		"SHOULD is open": {map[string]spec.Result{"LD-ENV-03": spec.NotAssessed}, "PASSED"},
	} {
		t.Run(name, func(t *testing.T) {
			i := issue(t, run{results: c.results})
			var e struct{ PayloadType, Payload string }
			if err := json.Unmarshal(i.certificate, &e); err != nil {
				t.Fatal(err)
			}
			payload, err := base64.StdEncoding.DecodeString(e.Payload)
			if err != nil {
				t.Fatal(err)
			}
			var s struct {
				Type    string `json:"_type"`
				Subject []struct {
					Name   string
					Digest map[string]string
				}
				Type2     string `json:"predicateType"`
				Predicate struct {
					Result        string
					Configuration []struct {
						Name        string
						Digest      map[string]string
						Annotations map[string]string
					}
					PassedTests, WarnedTests, FailedTests []string
				}
			}
			if err := json.Unmarshal(payload, &s); err != nil {
				t.Fatal(err)
			}
			if e.PayloadType != "application/vnd.in-toto+json" || s.Type != "https://in-toto.io/Statement/v1" || s.Type2 != "https://in-toto.io/attestation/test-result/v0.1" {
				t.Errorf("types: %s, %s, %s", e.PayloadType, s.Type, s.Type2)
			}
			if s.Predicate.Result != c.result {
				t.Errorf("result %s, want %s", s.Predicate.Result, c.result)
			}
			configuration := s.Predicate.Configuration
			if len(s.Subject) != 1 || len(configuration) != 3 || configuration[0].Digest["sha256"] != catalogue.Digest() || configuration[1].Name != "profile" ||
				configuration[2].Annotations["version"] != "0.1.0" || configuration[2].Digest["gitCommit"] != configuration[2].Annotations["commit"] {
				t.Errorf("subject %+v, configuration %+v", s.Subject, configuration)
			}
			if n := len(s.Predicate.PassedTests); n < 160 {
				t.Errorf("%d rows passed", n)
			}
		})
	}
}

func TestASHOULDRowThatFailsInItsMUSTDeniesALevel(t *testing.T) {
	i := issue(t, run{results: map[string]spec.Result{"LD-429-09": spec.Failed}, must: "LD-429-09"})
	c, err := Check(t.Context(), i.certificate, i.report, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := API{API: "distro", Level: "core", Denied: []Denied{{Row: "LD-429-09", Tier: "limits", Verdict: verdict.Fail}}}
	if diff := cmp.Diff(want, c.Claim.APIs[0]); diff != "" {
		t.Error(diff)
	}
}

func TestOneAPIAlone(t *testing.T) {
	i := issue(t, run{apis: []string{"insertion"}, level: catalogue.Core})
	c, err := Check(t.Context(), i.certificate, i.report, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]API{{API: "insertion", Level: "core", Denied: []Denied{}}}, c.Claim.APIs); diff != "" {
		t.Error(diff)
	}
}

func TestNoCertificateWithoutALevel(t *testing.T) {
	for name, c := range map[string]struct {
		run  run
		want string
	}{
		"core fails on both":       {run{results: map[string]spec.Result{"LD-201-01": spec.Failed, "IN-201-01": spec.NotAssessed}}, "no API is granted a level"},
		"rows were selected":       {run{only: func(string) bool { return true }}, "rows were selected"},
		"the target was lost":      {run{results: map[string]spec.Result{"LD-500-01": spec.NotAssessed}, lost: true}, "lost half-way"},
		"the suite was at fault":   {run{results: map[string]spec.Result{"LD-ENV-03": spec.Broken}}, "at fault"},
		"a waiver denies it still": {run{apis: []string{"distro"}, results: map[string]spec.Result{"LD-201-01": spec.Failed}, waivers: []target.Waiver{{ID: "LD-201-01", Reason: "x", Expires: "2027-01-01"}}}, "no API is granted a level"},
	} {
		t.Run(name, func(t *testing.T) {
			r, profile := c.run.sample(t)
			if _, err := Issue(t.Context(), textOf(t, r), profile, acme, newKey(t)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestACertificateHoldsNoSecret(t *testing.T) {
	i := issue(t, run{})
	_, payload, err := open(i.certificate)
	if err != nil {
		t.Fatal(err)
	}
	said, err := parseStatement(payload)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range target.Reference("http://127.0.0.1:1", "http://127.0.0.1:2").Secrets() {
		for where, text := range map[string][]byte{"the certificate": i.certificate, "its payload": payload, "its profile": said.profile} {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s holds %s", where, name)
			}
		}
	}
	if !strings.Contains(string(said.profile), "${LD_PRIMARY_KEY}") {
		t.Error("the profile doesn't name the variables")
	}
}
