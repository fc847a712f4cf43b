package distro

import (
	"net/http"
	"strings"
	"unicode"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// refusals holds LD-401-*, LD-403-* and LD-404-*.
func refusals() []spec.Spec {
	return []spec.Spec{
		{ID: "LD-401-01", Body: row(turnsAway(toIngest, noKey, emptyKey))},
		{ID: "LD-401-02", Body: row(turnsAway(toIngest, inventedKey, longerKey, shorterKey))},
		{ID: "LD-401-03", Body: row(turnsAway(toPing, noKey, emptyKey))},
		{ID: "LD-401-04", Body: row(turnsAway(toPing, inventedKey, longerKey, shorterKey))},
		{ID: "LD-401-05", Body: row(turnsAway(toLookup, noKey, emptyKey))},
		{ID: "LD-401-06", Body: row(turnsAway(toLookup, inventedKey, longerKey, shorterKey))},
		{ID: "LD-401-07", Body: row(readsTheKeyAsItIs)},
		{ID: "LD-401-08", Body: row(takesNoBearerToken)},
		{ID: "LD-401-09", Body: row(tellsStrangersNothingElse)},
		{ID: "LD-403-01", Body: row(forbidsIngestWhereNotAttached)},
		{ID: "LD-403-02", Body: row(forbidsPingWhereNotAttached)},
		{ID: "LD-403-03", Body: row(forbidsAnotherSuppliersName)},
		{ID: "LD-404-01", Body: row(knowsNoMissingCampaignOnIngest)},
		{ID: "LD-404-02", Body: row(knowsNoMissingCampaignOnPing)},
	}
}

// door is a request to one endpoint, and what its supplier is answered.
type door struct {
	ask     ask
	welcome *answer.Matcher
}

// stranger is somebody whom no door opens for, made of whoever speaks.
type stranger struct {
	what string
	from func(d api) api
}

// turnsAway checks that strangers are refused where the supplier is welcome.
func turnsAway(to func(d api) door, strangers ...stranger) func(g spec.Gomega, d api) {
	return func(_ spec.Gomega, d api) {
		door := to(d)
		cases := []kase{shown("the same request with the supplier's key is welcome", func(g spec.Gomega, d api) {
			g.Expect(door.ask(d)).To(door.welcome)
		})}
		for _, s := range strangers {
			cases = append(cases, kase{s.what, func(g spec.Gomega, d api) {
				g.Expect(door.ask(s.from(d))).To(BeError(http.StatusUnauthorized, "unauthorized"))
			}})
		}
		d.each(cases...)
	}
}

// The strangers of LD-401-01 to LD-401-06.
var (
	noKey       = stranger{"no key", func(d api) api { return d.as("") }}
	emptyKey    = stranger{"an empty key", func(d api) api { return d.showing("") }}
	inventedKey = stranger{"a key that was never issued", func(d api) api { return d.showing(d.Data.Word("key")) }}
	longerKey   = stranger{"a key with more behind it", func(d api) api { return d.showing(d.key() + "-x") }}
	// No more than that of a key may stand in a report.
	shorterKey = stranger{"the first character of a key", func(d api) api { return d.showing(d.key()[:max(0, min(1, len(d.key())-1))]) }}
)

// key is the key of the supplier who speaks.
func (d api) key() string { return d.Profile.Distro.Credentials[d.role].Key }

// showing returns the API as it is seen by who shows a key that may not be anybody's.
func (d api) showing(key string) api {
	return d.as("").with(d.Profile.Distro.APIKeyHeader, key)
}

func toIngest(d api) door {
	l := d.lead("open")
	return door{func(d api) *answer.Answer { return d.ingest(l) }, BeTaken()}
}

func toPing(d api) door {
	l := d.lead("open")
	return door{func(d api) *answer.Answer { return d.ping(l) }, BeWelcome()}
}

// toLookup asks for a lead that exists, and has been asked for: a cache that minds the URL alone gives the answer away.
// Whether the lead is found is the business of LD-LOOK-02.
func toLookup(d api) door {
	l := d.lead("open")
	d.control("the lead to look up is accepted", func(g spec.Gomega, d api) { g.Expect(d.ingest(l)).To(BeTaken()) })
	d.lookup("phone", l.text(d.names().Phone))
	return door{
		func(d api) *answer.Answer { return d.lookup("phone", l.text(d.names().Phone)) },
		answer.That("neither 401 nor 403", func(a *answer.Answer) []string {
			if a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden {
				return []string{"the supplier's own key was refused"}
			}
			return nil
		}),
	}
}

func readsTheKeyAsItIs(_ spec.Gomega, d api) {
	name := d.Profile.Distro.APIKeyHeader
	cases := trying([]variant{
		{"the header's name in lower case", strings.ToLower(name)},
		{"the header's name in upper case", strings.ToUpper(name)},
		{"the header's name in mixed case", swapEverySecond(name)},
	}, func(g spec.Gomega, d api, name any) {
		g.Expect(d.Send(d.posting(d.lead("open"), http.Header{name.(string): {d.key()}}))).To(BeTaken())
	})
	if other := swapCase(d.key()); other != d.key() {
		cases = append(cases, kase{"the key in another letter case", func(g spec.Gomega, d api) {
			g.Expect(d.showing(other).ingest(d.lead("open"))).To(answer.That("401", answer.Status(http.StatusUnauthorized)))
		}})
	} else {
		d.Note("the key has no letters, so it was not tried in another letter case")
	}
	d.each(append(cases, taken("a lead with the key as it is", d.lead("open")))...)
}

// posting makes an ingest with exactly these headers beside Content-Type, their names spelt as they are.
func (d api) posting(l lead, header http.Header) target.Request {
	r := d.post(ingestPath, "ingest", l.json())
	header["Content-Type"] = r.Header["Content-Type"]
	r.Header = header
	return r
}

// swapCase turns every letter into its other case.
func swapCase(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsUpper(c) {
			return unicode.ToLower(c)
		}
		return unicode.ToUpper(c)
	}, text)
}

// swapEverySecond writes every second letter in upper case, the others in lower case.
func swapEverySecond(text string) string {
	letters := []rune(strings.ToLower(text))
	for i := 1; i < len(letters); i += 2 {
		letters[i] = unicode.ToUpper(letters[i])
	}
	return string(letters)
}

func takesNoBearerToken(_ spec.Gomega, d api) {
	if strings.EqualFold(d.Profile.Distro.APIKeyHeader, "Authorization") {
		d.NotAssessed("on this target the key's own header is Authorization")
	}
	l := d.lead("open")
	d.each(
		kase{"the key as a Bearer token", func(g spec.Gomega, d api) {
			g.Expect(d.Send(d.posting(l, target.BearerHeader(d.key())))).To(answer.That("401", answer.Status(http.StatusUnauthorized)))
		}},
		taken("the lead with the key in its header", l),
	)
}

func tellsStrangersNothingElse(_ spec.Gomega, d api) {
	whole, broken := d.lead("open"), []byte(`{"`+d.names().Campaign+`": `)
	d.each(
		kase{"an unknown key and a malformed body", func(g spec.Gomega, d api) {
			g.Expect(inventedKey.from(d).ingestBody(broken)).To(answer.That("401", answer.Status(http.StatusUnauthorized)))
		}},
		shown("the same body with the supplier's key is a 400", func(g spec.Gomega, d api) {
			g.Expect(d.ingestBody(broken)).To(answer.That("400", answer.Status(http.StatusBadRequest)))
		}),
		taken("a lead with the supplier's key", whole),
	)
}

func forbidsIngestWhereNotAttached(_ spec.Gomega, d api) {
	d.each(
		kase{"a supplier that isn't attached", func(g spec.Gomega, d api) {
			g.Expect(d.ingest(d.lead("elsewhere"))).To(BeError(http.StatusForbidden, "forbidden"))
		}},
		shown("the campaign exists: its own supplier's lead is accepted", func(g spec.Gomega, d api) {
			d = d.as("detached")
			g.Expect(d.ingest(d.lead("elsewhere"))).To(BeTaken())
		}),
		taken("the first supplier's lead on a campaign of its own", d.lead("open")),
	)
}

func forbidsPingWhereNotAttached(_ spec.Gomega, d api) {
	d.each(
		kase{"a supplier that isn't attached", func(g spec.Gomega, d api) {
			g.Expect(d.ping(d.lead("elsewhere"))).To(BeError(http.StatusForbidden, "forbidden"))
		}},
		shown("the campaign exists: its own supplier's ping is welcome", func(g spec.Gomega, d api) {
			d = d.as("detached")
			g.Expect(d.ping(d.lead("elsewhere"))).To(BeWelcome())
		}),
		welcome("the first supplier's ping on a campaign of its own", d.lead("open")),
	)
}

func forbidsAnotherSuppliersName(_ spec.Gomega, d api) {
	own := d.lead("open")
	d.each(
		kase{"in another supplier's name", func(g spec.Gomega, d api) {
			other := own.set(d.names().Supplier, d.Profile.Distro.Credentials["secondary"].Supplier)
			g.Expect(d.ingest(other)).To(BeError(http.StatusForbidden, "forbidden"))
		}},
		taken("the same lead in the supplier's own name", own),
	)
}

func knowsNoMissingCampaignOnIngest(_ spec.Gomega, d api) {
	lost := d.lead("missing")
	d.each(
		kase{"a campaign that doesn't exist", func(g spec.Gomega, d api) {
			g.Expect(d.ingest(lost)).To(BeError(http.StatusNotFound, "campaign_not_found"))
		}},
		taken("the same lead on the open campaign", d.on("open", lost)),
	)
}

func knowsNoMissingCampaignOnPing(_ spec.Gomega, d api) {
	lost := d.lead("missing")
	d.each(
		kase{"a campaign that doesn't exist", func(g spec.Gomega, d api) {
			g.Expect(d.ping(lost)).To(BeError(http.StatusNotFound, "campaign_not_found"))
		}},
		welcome("the same ping for the open campaign", d.on("open", lost)),
	)
}
