package insertion

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences
	"github.com/onsi/gomega/types"

	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// lists holds IN-LIST-*. A staging may hold any number of leads: no row reads more of its list than lies before leads
// that the row has just inserted, and a few pages.
func lists() []spec.Spec {
	return []spec.Spec{
		{ID: "IN-LIST-01", Body: row(listsNewestFirst)},
		{ID: "IN-LIST-02", Body: row(filtersTheList)},
		{ID: "IN-LIST-03", Body: row(listsNoLeadOfAnotherAccount)},
	}
}

// How many leads a page has (IN-LIST-01).
const (
	defaultLimit = 25
	maxLimit     = 100
)

// mostPages bounds a walk. A few pages would do if nobody else inserted leads meanwhile.
const mostPages = 40

// BeAPage matches the answer to a GET of the list: 200 with an array of leads.
func BeAPage() *answer.Matcher {
	return answer.That("200 with leads, an array of objects", answer.Status(200), answer.Object(), answer.Member("leads", func(value any) string {
		array, ok := value.([]any)
		isNoObject := func(element any) bool { _, is := element.(map[string]any); return !is }
		if !ok || slices.ContainsFunc(array, isNoObject) {
			return answer.Describe(value) + ", not an array of objects"
		}
		return ""
	}))
}

// leadsOf are the leads of a page.
func leadsOf(page *answer.Answer) []lead {
	value, _ := page.Member("leads")
	array, _ := value.([]any)
	var leads []lead
	for _, element := range array {
		object, _ := element.(map[string]any)
		leads = append(leads, object)
	}
	return leads
}

// leadsWith are those of the leads that show the member as it was sent.
func leadsWith(member string, value any, leads []lead) []lead {
	return slices.DeleteFunc(slices.Clone(leads), func(l lead) bool { return showing(value)(l[member]) != "" })
}

// ids are the leads' own ids.
func ids(leads []lead) []string {
	all := make([]string, len(leads))
	for i, l := range leads {
		all[i] = fmt.Sprint(l["id"])
	}
	return all
}

// walk follows the list from its newest lead on until the leads of the given ids were all met or the list ends, and
// returns what it met. Without ids it goes to the end.
func (d api) walk(g spec.Gomega, query url.Values, pages int, until ...string) (met []lead, ended bool) {
	query = maps.Clone(query)
	for range pages {
		page := d.list(query)
		g.Expect(page).To(BeAPage())
		met = append(met, leadsOf(page)...)
		if seen := ids(met); len(until) > 0 && !slices.ContainsFunc(until, func(id string) bool { return !slices.Contains(seen, id) }) {
			return met, false
		}
		cursor, more := page.Member("nextCursor")
		if !more || cursor == nil {
			return met, true
		}
		g.Expect(page).To(answer.That("a page whose nextCursor is a string or null", answer.Member("nextCursor", answer.NonEmptyString)))
		query.Set("cursor", fmt.Sprint(cursor))
	}
	return met, false
}

// walkFromOne is walk after a first page of one lead, so that most of what is met stands on pages that a cursor leads to.
// Where such a page has no cursor, it is walk alone.
func (d api) walkFromOne(g spec.Gomega, query url.Values, until ...string) (met []lead, ended bool) {
	small, rest := maps.Clone(query), maps.Clone(query)
	small.Set("limit", "1")
	page := d.list(small)
	cursor := page.Text("nextCursor")
	if page.Status != 200 || cursor == "" {
		return d.walk(g, query, mostPages, until...)
	}
	rest.Set("cursor", cursor)
	met, ended = d.walk(g, rest, mostPages, until...)
	return append(leadsOf(page), met...), ended
}

func listsNewestFirst(_ spec.Gomega, d api) {
	d.fillAPage()
	// Every one of the newer is inserted after every one of the older.
	older, newer := d.insertMany("older", 3), d.insertMany("newer", 4)
	d.each(
		kase{"newest first, each once", func(g spec.Gomega, d api) { walksPastItsOwn(g, d, older, newer) }},
		kase{"the end", walksToTheEnd},
		kase{"without limit", func(g spec.Gomega, d api) {
			g.Expect(d.list(nil)).To(BeAPageOf(defaultLimit, defaultLimit))
		}},
		kase{"with a limit", func(g spec.Gomega, d api) { g.Expect(d.list(url.Values{"limit": {"2"}})).To(BeAPageOf(2, 2)) }},
		kase{"with a limit beyond the highest", func(g spec.Gomega, d api) {
			page := d.beyondTheLimit()
			if page.Status == 400 {
				d.Note("a limit beyond %d is refused", maxLimit)
				return
			}
			g.Expect(page).To(BeAPageOf(1, maxLimit))
		}},
	)
}

// BeAPageOf matches a page with a number of leads within bounds, both included.
func BeAPageOf(least, most int) *answer.Matcher {
	expected := fmt.Sprintf("a page of %d to %d leads", least, most)
	if least == most {
		expected = fmt.Sprintf("a page of %d leads", most)
	}
	return answer.That(expected, answer.Status(200), answer.Object(), func(a *answer.Answer) []string {
		if n := len(leadsOf(a)); n < least || n > most {
			return []string{fmt.Sprintf("it has %d leads", n)}
		}
		return nil
	})
}

func (d api) beyondTheLimit() *answer.Answer {
	return d.list(url.Values{"limit": {strconv.Itoa(10 * maxLimit)}})
}

// fillAPage makes sure that the account has more leads than a page may hold, so that the bounds can be seen.
func (d api) fillAPage() {
	page := d.beyondTheLimit()
	needed := defaultLimit + 1
	if page.Status == 200 {
		if cursor, _ := page.Member("nextCursor"); cursor != nil {
			return // there are more already than this page holds
		}
		needed = maxLimit + 1 - len(leadsOf(page))
	}
	d.insertMany("filler", needed)
}

// insertMany inserts so many new leads, side by side, as a positive control and returns their ids.
func (d api) insertMany(what string, n int) []string {
	inserted := make([]string, max(0, n))
	d.control("leads are taken in", func(_ spec.Gomega, d api) {
		var cases []kase
		for i := range inserted {
			cases = append(cases, kase{fmt.Sprintf("%s %d", what, i+1), func(g spec.Gomega, d api) {
				a := d.create(d.lead("first"))
				g.Expect(a).To(BeTaken())
				inserted[i] = leadID(a)
			}})
		}
		d.each(cases...)
	})
	return inserted
}

func walksPastItsOwn(g spec.Gomega, d api, older, newer []string) {
	own := slices.Concat(newer, older)
	met, _ := d.walk(g, url.Values{"limit": {"3"}}, mostPages, own...)
	seen := ids(met)
	for _, id := range own {
		g.Expect(seen).To(ContainElement(id), "a lead that was inserted right before is not among the newest that the cursor leads to")
	}
	g.Expect(distinct(seen)).To(HaveLen(len(seen)), "the leads that the cursor leads to, without those that it leads to again")
	g.Expect(met).To(BeNewestFirst())
	last, first := -1, len(seen)
	for _, id := range newer {
		last = max(last, slices.Index(seen, id))
	}
	for _, id := range older {
		first = min(first, slices.Index(seen, id))
	}
	g.Expect(last).To(BeNumerically("<", first), "an older lead stands before a newer one; the places of the newer end and those of the older begin at")
}

// BeNewestFirst matches leads whose created_at never rises, as far as it can be read (RFC 3339).
func BeNewestFirst() types.GomegaMatcher {
	return WithTransform(func(leads []lead) []string {
		var wrong []string
		var before time.Time
		for _, l := range leads {
			at, err := time.Parse(time.RFC3339, fmt.Sprint(l["created_at"]))
			if err == nil && !before.IsZero() && at.After(before) {
				wrong = append(wrong, fmt.Sprintf("%v, created at %v, stands after one created at %v", l["id"], at, before))
			}
			if err == nil {
				before = at
			}
		}
		return wrong
	}, BeEmpty())
}

// walksToTheEnd walks a list of its own to the end: the leads of one external id on two campaigns.
func walksToTheEnd(g spec.Gomega, d api) {
	l := d.lead("first")
	own := []string{d.given(l)}
	if second, ok := d.Profile.Insertion.Campaigns["second"]; ok {
		own = append(own, d.given(l.set("campaign_id", second)))
	}
	filter := url.Values{"external_lead_id": {l.external()}}
	page := d.list(filter)
	g.Expect(page).To(BeAPage())
	if listed := leadsOf(page); len(listed) != len(leadsWith("external_lead_id", l.external(), listed)) {
		d.Note("the end of the list was not looked at: the filter external_lead_id, which makes a list of its own, has no effect")
		return
	}
	filter.Set("limit", "1")
	met, ended := d.walk(g, filter, len(own)+1)
	g.Expect(ids(met)).To(ConsistOf(own), "the leads that the cursor leads to")
	g.Expect(ended).To(BeTrue(), "nextCursor is null after the last lead")
}

func filtersTheList(_ spec.Gomega, d api) {
	one := d.lead("first")
	second := d.Profile.Insertion.Campaigns["second"]
	elsewhere, another := one.set("campaign_id", second), d.lead("first")
	oneID, elsewhereID, anotherID := d.given(one), d.given(elsewhere), d.given(another)
	d.control("without a filter all are listed", func(g spec.Gomega, d api) {
		met, _ := d.walk(g, url.Values{"limit": {"100"}}, mostPages, oneID, elsewhereID, anotherID)
		for _, id := range []string{oneID, elsewhereID, anotherID} {
			g.Expect(ids(met)).To(ContainElement(id))
		}
	})
	campaign, external := url.Values{"campaign_id": {fmt.Sprint(second)}}, url.Values{"external_lead_id": {one.external()}}
	both := url.Values{"campaign_id": {fmt.Sprint(one["campaign_id"])}, "external_lead_id": {one.external()}}
	d.each(
		kase{"campaign_id", func(g spec.Gomega, d api) {
			met, _ := d.walk(g, campaign, mostPages, elsewhereID)
			g.Expect(ids(met)).To(ContainElement(elsewhereID))
			g.Expect(leadsWith("campaign_id", second, met)).To(HaveLen(len(met)), "the leads of that campaign among those listed")
		}},
		kase{"external_lead_id", func(g spec.Gomega, d api) {
			met, _ := d.walk(g, external, mostPages, oneID, elsewhereID)
			g.Expect(ids(met)).To(ConsistOf(oneID, elsewhereID))
		}},
		kase{"both", func(g spec.Gomega, d api) {
			met, _ := d.walk(g, both, mostPages, oneID)
			g.Expect(ids(met)).To(ConsistOf(oneID))
		}},
	)
}

func listsNoLeadOfAnotherAccount(_ spec.Gomega, d api) {
	// Nothing but the account tells the two apart. A second lead of each follows, so that what a cursor leads to is seen
	// as well: the first page holds one lead.
	l := d.lead("shared")
	mine, theirs := d.given(l), d.as("other_account").given(l)
	d.given(d.lead("shared"))
	d.as("other_account").given(d.lead("shared"))
	alone := func(name string, query url.Values) kase {
		return kase{name, func(g spec.Gomega, d api) {
			var ours, others []lead
			d.control("each account's list holds its own lead", func(g spec.Gomega, d api) {
				ours, _ = d.walkFromOne(g, query, mine)
				others, _ = d.as("other_account").walkFromOne(g, query, theirs)
				g.Expect(ids(ours)).To(ContainElement(mine))
				g.Expect(ids(others)).To(ContainElement(theirs))
			})
			g.Expect(ids(ours)).NotTo(ContainElement(theirs), "a lead of the other account is listed")
			g.Expect(ids(others)).NotTo(ContainElement(mine), "a lead of the other account is listed")
			g.Expect(len(accounts(ours))).To(BeNumerically("<=", 1), "the accounts of the leads listed: %v", accounts(ours))
		}}
	}
	d.each(
		alone("no filter", url.Values{}),
		alone("campaign_id", url.Values{"campaign_id": {fmt.Sprint(l["campaign_id"])}}),
		alone("external_lead_id", url.Values{"external_lead_id": {l.external()}}),
	)
}

// accounts are the accounts that leads say they belong to, if they say so.
func accounts(leads []lead) []string {
	var all []string
	for _, l := range leads {
		if account := l["account_id"]; account != nil {
			all = append(all, fmt.Sprint(account))
		}
	}
	return distinct(all)
}

func distinct(texts []string) []string { return slices.Compact(slices.Sorted(slices.Values(texts))) }
