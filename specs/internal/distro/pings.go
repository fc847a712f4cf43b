package distro

import (
	"fmt"

	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// pings holds LD-PING-*.
func pings() []spec.Spec {
	return []spec.Spec{
		{ID: "LD-PING-01", Body: row(answersTheBarestPing)},
		{ID: "LD-PING-02", Body: row(asksPingsForCampaignAndSupplier)},
		{ID: "LD-PING-03", Body: row(refusesAPingThatWouldBeCaught)},
		{ID: "LD-PING-04", Body: row(createsNoLeadByAPing)},
		{ID: "LD-PING-05", Body: row(takesThePingIDJustIssued)},
	}
}

func answersTheBarestPing(g spec.Gomega, d api) {
	g.Expect(d.ping(d.barePing("open"))).To(answer.That("200 with accepted true and a ping_id", answer.Status(200), answer.Object(),
		pingMember("accepted", answer.Equals(true)), pingMember("ping_id", answer.NonEmptyString)))
}

func asksPingsForCampaignAndSupplier(_ spec.Gomega, d api) {
	whole, names := d.lead("open"), d.names()
	cases := []kase{welcome("the same ping with both", whole)}
	for _, field := range []string{names.Campaign, names.Supplier} {
		cases = append(cases, kase{"without " + field, func(g spec.Gomega, d api) {
			g.Expect(d.ping(whole.without(field))).To(answer.That("400 with a non-empty error and message, and field_errors for "+field,
				append(malformedChecks(), fieldErrorsArray(), naming(field, "").among)...))
		}})
	}
	d.each(cases...)
}

func refusesAPingThatWouldBeCaught(_ spec.Gomega, d api) {
	names, suppressed := d.names(), d.campaign("suppressed")
	refused := func(l lead) func(g spec.Gomega, d api) {
		return func(g spec.Gomega, d api) { g.Expect(d.ping(l)).To(BeRefusedPing()) }
	}
	cases := []kase{
		welcome("a ping that no filter catches", d.lead("filtered")),
		welcome("a ping that isn't suppressed", d.lead("suppressed")),
	}
	for i, filter := range d.campaign("filtered").Filters {
		cases = append(cases, kase{filterName(filter, i), refused(d.lead("filtered").setAll(filter.CaughtBy))})
	}
	if suppressed.Phone != "" {
		cases = append(cases, kase{"the suppressed phone", refused(d.lead("suppressed").set(names.Phone, suppressed.Phone))})
	}
	if suppressed.Email != "" {
		cases = append(cases, kase{"the suppressed email", refused(d.lead("suppressed").set(names.Email, suppressed.Email))})
	}
	d.each(cases...)
}

func createsNoLeadByAPing(g spec.Gomega, d api) {
	whole, names := d.lead("unique"), d.names()
	find := func(d api) *answer.Answer { return d.lookup("phone", whole.text(names.Phone)) }

	d.control("the ping is welcome", func(g spec.Gomega, d api) { g.Expect(d.ping(whole)).To(BeWelcome()) })
	g.Expect(find(d)).To(showNoLead(), "a lookup after the ping alone")
	g.Expect(d.ingest(whole)).To(BeTaken(), "the post after the ping")
	d.each(
		shown("lookup finds the lead once it is posted", func(g spec.Gomega, d api) { g.Expect(find(d)).To(showALead()) }),
		shown("the campaign checks for duplicates", func(g spec.Gomega, d api) {
			g.Expect(d.ingest(whole)).To(answer.That("422", answer.Status(422)))
		}),
	)
}

func takesThePingIDJustIssued(_ spec.Gomega, d api) {
	whole, field := d.lead("open"), d.names().Ping
	issue := func(d api, l lead) (id string) {
		d.control("a ping gets a ping_id", func(g spec.Gomega, d api) {
			a := d.ping(l)
			g.Expect(a).To(BeWelcome(pingMember("ping_id", answer.NonEmptyString)))
			id = pingText(a, "ping_id")
		})
		return id
	}
	var own, foreign string
	d.each(
		kase{"the supplier's own ping", func(_ spec.Gomega, d api) { own = issue(d, whole) }},
		kase{"another supplier's ping", func(_ spec.Gomega, d api) {
			d = d.as("secondary")
			foreign = issue(d, d.lead("open"))
		}},
	)
	cases := []kase{{"the ping_id just issued", func(g spec.Gomega, d api) { g.Expect(d.ingest(whole.set(field, own))).To(BeTaken()) }}}
	cases = append(cases, trying([]variant{
		{"its beginning changed", tampered(own, 0)},
		{"its middle changed", tampered(own, len(own)/2)},
		{"its end changed", tampered(own, max(0, len(own)-4))},
		{"another supplier's", foreign},
	}, func(g spec.Gomega, d api, id any) {
		g.Expect(d.ingest(whole.set(field, id))).To(BeRefused())
	})...)
	d.each(cases...)
}

// BeRefused matches any 4xx.
func BeRefused() *answer.Matcher {
	return answer.That("a refusal: 4xx", func(a *answer.Answer) []string {
		if a.Status/100 == 4 {
			return nil
		}
		return []string{fmt.Sprintf("the status is %d", a.Status)}
	})
}

// tampered changes one character of an id, the first letter or digit from a place on, into another of its kind: the
// last characters of an encoding may hold bits that mean nothing, so the place should not be among them.
func tampered(id string, from int) string {
	text := []byte(id)
	for i := from; i < len(text); i++ {
		if other, ok := anotherOf(text[i]); ok {
			text[i] = other
			return string(text)
		}
	}
	return id + "0"
}

// anotherOf returns another character of the same kind: digit, hexadecimal letter or letter.
func anotherOf(c byte) (byte, bool) {
	next := func(low, high byte) (byte, bool) {
		if c == high {
			return low, true
		}
		return c + 1, true
	}
	switch {
	case '0' <= c && c <= '9':
		return next('0', '9')
	case 'a' <= c && c <= 'f':
		return next('a', 'f')
	case 'g' <= c && c <= 'z':
		return next('g', 'z')
	case 'A' <= c && c <= 'F':
		return next('A', 'F')
	case 'G' <= c && c <= 'Z':
		return next('G', 'Z')
	}
	return 0, false
}
