package distro

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// rules holds LD-422-*.
func rules() []spec.Spec {
	return []spec.Spec{
		{ID: "LD-422-01", Body: row(namesTheFilterThatCaughtALead)},
		{ID: "LD-422-02", Body: row(catchesASuppressedPhone)},
		{ID: "LD-422-03", Body: row(catchesASuppressedEmail)},
		{ID: "LD-422-04", Body: row(catchesADuplicate)},
		{ID: "LD-422-05", Body: row(looksForDuplicatesWithinOneCampaign)},
		{ID: "LD-422-06", Body: row(namesEveryFilterThatCaughtALead)},
		{ID: "LD-422-07", Body: row(reportsNoFieldErrorsWithA422)},
		{ID: "LD-422-08", Body: row(suppressesHoweverItIsWritten)},
	}
}

func namesTheFilterThatCaughtALead(g spec.Gomega, d api) {
	filters := d.campaign("filtered").Filters
	var kinds []kindOfRule
	for i, filter := range filters {
		kinds = append(kinds, kindOfRule{filterName(filter, i), func(d api) *answer.Answer {
			return d.ingest(d.lead("filtered").setAll(filter.CaughtBy))
		}})
	}
	caught := make([][]*answer.Answer, len(kinds))
	cases := []kase{taken("a lead like it without the offending member", d.lead("filtered"))}
	for i, filter := range filters {
		cases = append(cases, kase{kinds[i].name, func(g spec.Gomega, d api) {
			caught[i] = d.together(kinds[i].catch, kinds[i].catch)
			for _, a := range caught[i] {
				g.Expect(a).To(BeCaught(filter.Rule))
			}
		}})
	}
	d.each(cases...)
	for _, kind := range d.rulesOfOtherKinds() {
		kinds, caught = append(kinds, kind), append(caught, d.together(kind.catch, kind.catch))
	}
	for i, j := range pairs(len(kinds)) {
		g.Expect(caught[j][0]).To(beNamedUnlike(caught[j][1], caught[i], kinds[i].name), "%s", kinds[j].name)
	}
}

// kindOfRule is a rule, and how a new lead is sent that it catches.
type kindOfRule struct {
	name  string
	catch ask
}

// rulesOfOtherKinds are rules that are no filters, as far as the profile has them. That they catch their leads is the
// business of LD-422-02 to LD-422-04.
func (d api) rulesOfOtherKinds() []kindOfRule {
	var kinds []kindOfRule
	if d.has("campaigns.suppressed") {
		kinds = append(kinds, kindOfRule{"suppression", func(d api) *answer.Answer { return d.ingest(d.suppressedLead()) }})
	}
	if d.has("campaigns.unique") {
		kinds = append(kinds, kindOfRule{"duplicates", func(d api) *answer.Answer {
			l := d.lead("unique")
			d.ingest(l)
			return d.ingest(l)
		}})
	}
	return kinds
}

// beNamedUnlike matches a 422 that doesn't say of its rule just what others say of theirs. again is of the same rule and
// about another lead: what differs between the two is the lead's, such as a number, not the rule's.
func beNamedUnlike(again *answer.Answer, others []*answer.Answer, rule string) *answer.Matcher {
	return answer.That("filter_errors that say something else than for "+rule, func(a *answer.Answer) []string {
		own, theirs := ofTheRule(a, again), ofTheRule(others[0], others[1])
		if len(own) > 0 && slices.Equal(own, theirs) {
			return []string{fmt.Sprintf("both say %q", own)}
		}
		return nil
	})
}

// ofTheRule returns what filter_errors say of a rule in two answers about two leads, without the words with a digit where
// the two differ.
func ofTheRule(one, other *answer.Answer) []string {
	var all []string
	for _, text := range named(one) {
		if !slices.Contains(named(other), text) {
			text = wordWithADigit.ReplaceAllString(text, "#")
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var wordWithADigit = regexp.MustCompile(`\S*\d\S*`)

func filterName(filter target.FilterRule, n int) string {
	if filter.Rule != "" {
		return "the filter " + filter.Rule
	}
	return fmt.Sprintf("filter %d", n+1)
}

// pairs yields all pairs of different numbers below n, each once.
func pairs(n int) func(yield func(int, int) bool) {
	return func(yield func(int, int) bool) {
		for i := range n {
			for j := range i {
				if !yield(j, i) {
					return
				}
			}
		}
	}
}

func catchesASuppressedPhone(_ spec.Gomega, d api) {
	suppresses(d, d.names().Phone, d.campaign("suppressed").Phone)
}

func catchesASuppressedEmail(_ spec.Gomega, d api) {
	suppresses(d, d.names().Email, d.campaign("suppressed").Email)
}

func suppresses(d api, field, value string) {
	whole := d.lead("suppressed")
	d.each(
		kase{"the suppressed " + field, func(g spec.Gomega, d api) { g.Expect(d.ingest(whole.set(field, value))).To(BeCaught()) }},
		taken("the same lead with another "+field, whole),
	)
}

func catchesADuplicate(g spec.Gomega, d api) {
	whole := d.lead("unique")
	g.Expect(d.ingest(whole)).To(BeCreated())
	d.each(
		kase{"the same lead again", func(g spec.Gomega, d api) { g.Expect(d.ingest(whole)).To(BeCaught()) }},
		taken("another lead after it", d.lead("unique")),
	)
}

func looksForDuplicatesWithinOneCampaign(g spec.Gomega, d api) {
	here := d.lead("unique")
	there := d.on("unique_other", here)
	d.control("the lead is accepted on one campaign", func(g spec.Gomega, d api) { g.Expect(d.ingest(here)).To(BeTaken()) })
	g.Expect(d.ingest(there)).To(BeTaken(), "the same lead on another campaign")
	duplicate := func(l lead) func(g spec.Gomega, d api) {
		return func(g spec.Gomega, d api) { g.Expect(d.ingest(l)).To(answer.That("422", answer.Status(422))) }
	}
	d.each(
		shown("the one campaign checks for duplicates", duplicate(here)),
		shown("the other campaign checks for duplicates", duplicate(there)),
	)
}

// A filter's name is the one in the profile, or else what is said of a lead that it alone has caught, and of no lead that
// the other one has.
func namesEveryFilterThatCaughtALead(g spec.Gomega, d api) {
	one, other := d.compatibleFilters()
	whole := d.lead("filtered")
	post := func(members ...map[string]any) ask {
		return func(d api) *answer.Answer {
			l := whole
			for _, m := range members {
				l = l.setAll(m)
			}
			return d.ingest(l)
		}
	}
	answers := d.together(post(one.CaughtBy), post(other.CaughtBy), post(one.CaughtBy, other.CaughtBy))
	byOne, byOther, byBoth := answers[0], answers[1], answers[2]
	d.control("each filter alone catches its lead", func(g spec.Gomega, _ api) {
		g.Expect(byOne).To(BeCaught())
		g.Expect(byOther).To(BeCaught())
	})
	d.control("a lead that no filter catches is accepted", func(g spec.Gomega, d api) {
		g.Expect(d.ingest(d.lead("filtered"))).To(BeTaken())
	})
	g.Expect(byBoth).To(BeCaught(one.Rule, other.Rule))
	g.Expect(byBoth).To(repeatANameOf(byOne, byOther))
	g.Expect(byBoth).To(repeatANameOf(byOther, byOne))
}

// compatibleFilters returns two filters that can catch one and the same lead.
func (d api) compatibleFilters() (one, other target.FilterRule) {
	filters := d.campaign("filtered").Filters
	for i, j := range pairs(len(filters)) {
		clash := false
		for name, value := range filters[i].CaughtBy {
			if second, both := filters[j].CaughtBy[name]; both && fmt.Sprint(second) != fmt.Sprint(value) {
				clash = true
			}
		}
		if !clash {
			return filters[i], filters[j]
		}
	}
	d.NotAssessed("no two of the profile's filters can catch the same lead: they look at the same member")
	return
}

// repeatANameOf matches a 422 that repeats what one answer says of its rule and the other one doesn't.
func repeatANameOf(one, other *answer.Answer) *answer.Matcher {
	own := slices.DeleteFunc(named(one), func(name string) bool { return slices.Contains(named(other), name) })
	return answer.That(fmt.Sprintf("filter_errors with one of %q, as for the lead that this rule alone has caught", own),
		func(a *answer.Answer) []string {
			for _, said := range named(a) {
				if slices.ContainsFunc(own, func(name string) bool { return strings.Contains(said, name) }) {
					return nil
				}
			}
			return []string{"no entry says so"}
		})
}

func reportsNoFieldErrorsWithA422(_ spec.Gomega, d api) {
	whole, caughtBy := d.lead("filtered"), d.campaign("filtered").Filters[0].CaughtBy
	d.each(
		kase{"a lead that a filter catches", func(g spec.Gomega, d api) {
			g.Expect(d.ingest(whole.setAll(caughtBy))).To(answer.That("422 without field_errors", answer.Status(422), answer.Object(), noFieldErrors))
		}},
		taken("a lead like it without the offending member", d.lead("filtered")),
	)
}

// noFieldErrors checks that field_errors is absent, null or an empty array.
func noFieldErrors(a *answer.Answer) []string {
	value, _ := a.Member("field_errors")
	if entries, ok := value.([]any); value == nil || ok && len(entries) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("field_errors is %s", answer.Describe(value))}
}

func suppressesHoweverItIsWritten(_ spec.Gomega, d api) {
	names, suppressed := d.names(), d.campaign("suppressed")
	if len(digits(suppressed.Phone)) < 10 {
		d.NotAssessed("the suppressed phone of the profile has less than ten digits")
	}
	spelt := func(field, value string, spell func(string) string) func(g spec.Gomega, d api) {
		return func(_ spec.Gomega, d api) {
			whole := d.lead("suppressed")
			d.each(
				kase{"what is suppressed", func(g spec.Gomega, d api) {
					g.Expect(d.ingest(whole.set(field, spell(value)))).To(answer.That("422", answer.Status(422)))
				}},
				taken("what is on no list, in the same spelling,", whole.set(field, spell(whole.text(field)))),
			)
		}
	}
	d.each(
		kase{"the phone with a + in front", spelt(names.Phone, suppressed.Phone, func(p string) string { return "+" + digits(p) })},
		kase{"the phone with punctuation", spelt(names.Phone, suppressed.Phone, punctuated)},
		kase{"the email in capitals", spelt(names.Email, suppressed.Email, strings.ToUpper)},
	)
}

// punctuated writes the digits of a phone like (555) 010-0177.
func punctuated(phone string) string {
	d := digits(phone)
	return fmt.Sprintf("(%s) %s-%s", d[:3], d[3:6], d[6:])
}

func digits(text string) string {
	return strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, text)
}
