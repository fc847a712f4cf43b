package distro

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// structure holds LD-400-*.
func structure() []spec.Spec {
	return []spec.Spec{
		{ID: "LD-400-01", Body: row(requires(0))},
		{ID: "LD-400-02", Body: row(requires(1))},
		{ID: "LD-400-03", Body: row(requires(2))},
		{ID: "LD-400-04", Body: row(requires(3))},
		{ID: "LD-400-05", Body: row(requires(4))},
		{ID: "LD-400-06", Body: row(requires(5))},
		{ID: "LD-400-07", Body: row(requiresTheCampaignsField)},
		{ID: "LD-400-08", Body: row(refusesWrongTypes)},
		{ID: "LD-400-09", Body: row(refusesIllFormedPhones)},
		{ID: "LD-400-10", Body: row(acceptsTheShortestAndLongestPhone)},
		{ID: "LD-400-11", Body: row(refusesIllFormedEmails)},
		{ID: "LD-400-12", Body: row(refusesMalformedJSON)},
		{ID: "LD-400-13", Body: row(hasFieldErrorsForMalformedJSON)},
		{ID: "LD-400-20", Body: row(refusesWhatIsNoObject)},
		{ID: "LD-400-14", Body: row(reportsAllFaultsAtOnce)},
		{ID: "LD-400-15", Body: row(makesFieldErrorsWhole)},
		{ID: "LD-400-16", Body: row(putsStructureBeforeBusiness)},
		{ID: "LD-400-17", Body: row(leavesNothingOfARejectedLead)},
		{ID: "LD-400-18", Body: row(countsBlankAsMissing)},
		{ID: "LD-400-19", Body: row(refusesIllFormedStates)},
	}
}

// requires checks that the n-th required system field, in the document's order, is asked for.
func requires(n int) func(g spec.Gomega, d api) {
	return func(_ spec.Gomega, d api) {
		field, whole := d.names().Names()[n], d.lead("open")
		d.each(
			kase{"without " + field, func(g spec.Gomega, d api) {
				g.Expect(d.ingest(whole.without(field))).To(BeInvalid(naming(field, "required")))
			}},
			taken("the same lead with "+field, whole),
		)
	}
}

func requiresTheCampaignsField(_ spec.Gomega, d api) {
	whole, field := d.lead("required"), d.requiredField()
	d.each(
		kase{"without " + field, func(g spec.Gomega, d api) {
			g.Expect(d.ingest(whole.without(field))).To(BeInvalid(naming(field, "required")))
		}},
		taken("the same lead with "+field, whole),
	)
}

// requiredField is the custom field that the campaign in the role required asks for.
func (d api) requiredField() string {
	return slices.Collect(maps.Keys(d.campaign("required").Requires))[0] // the profile has exactly one
}

func refusesWrongTypes(_ spec.Gomega, d api) {
	whole := d.lead("open")
	cases := []kase{taken("the same lead with strings", whole)}
	for _, field := range d.names().Names() {
		cases = append(cases, trying(insteadOf(field, whole.text(field)), func(g spec.Gomega, d api, value any) {
			g.Expect(d.ingest(whole.set(field, value))).To(BeFaulted(naming(field, "")))
		})...)
	}
	d.each(cases...)
}

// insteadOf returns a value of every JSON type but string, as near to the field's text as it can be.
func insteadOf(field, text string) []variant {
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		number = 7
	}
	return []variant{
		{field + " is a number", number},
		{field + " is a boolean", true},
		{field + " is an object", map[string]any{"value": text}},
		{field + " is an array", []any{text}},
		{field + " is null", nil},
	}
}

func refusesIllFormedPhones(_ spec.Gomega, d api) {
	whole, phone := d.lead("open"), d.names().Phone
	digits := ofLength(whole.text(phone), 10)
	d.each(append(trying([]variant{
		{"nine digits", ofLength(digits, 9)},
		{"sixteen digits", ofLength(digits, 16)},
		{"letters in the place of digits", digits[:3] + "CALL" + digits[7:]},
		{"letters among ten digits", digits[:6] + "abc" + digits[6:]},
		{"letters behind ten digits", digits + "abc"},
		{"letters before ten digits", "abc" + digits},
	}, func(g spec.Gomega, d api, value any) {
		g.Expect(d.ingest(whole.set(phone, value))).To(BeFaulted(naming(phone, "invalid_format")))
	}), taken("the same lead with ten digits", whole.set(phone, digits)))...)
}

func acceptsTheShortestAndLongestPhone(_ spec.Gomega, d api) {
	phone := d.names().Phone
	var cases []kase
	for _, length := range []int{10, 15} {
		cases = append(cases, kase{fmt.Sprintf("%d digits", length), func(g spec.Gomega, d api) {
			whole := d.lead("open")
			g.Expect(d.ingest(whole.set(phone, ofLength(whole.text(phone), length)))).To(BeTaken())
		}})
	}
	d.each(cases...)
}

// ofLength returns the digits of a phone as a number of another length, in the same area.
func ofLength(phone string, length int) string {
	if len(phone) <= length {
		return phone + strings.Repeat("0", length-len(phone))
	}
	const area = 3
	return phone[:area] + phone[len(phone)-length+area:]
}

func refusesIllFormedEmails(_ spec.Gomega, d api) {
	whole, email := d.lead("open"), d.names().Email
	d.each(append(trying([]variant{
		{"no @", "ada.example.com"}, {"nothing before the @", "@example.com"}, {"nothing after the @", "ada@"},
	}, func(g spec.Gomega, d api, value any) {
		g.Expect(d.ingest(whole.set(email, value))).To(BeFaulted(naming(email, "invalid_format")))
	}), taken("the same lead with an address", whole))...)
}

func refusesMalformedJSON(_ spec.Gomega, d api) { malformed(d, BeMalformed) }

func hasFieldErrorsForMalformedJSON(_ spec.Gomega, d api) { malformed(d, haveAFieldErrorsArray) }

// haveAFieldErrorsArray matches a 400 whose field_errors is an array, be it empty (LD-400-13).
func haveAFieldErrorsArray() *answer.Matcher {
	return answer.That("400 with a field_errors array", answer.Status(400), answer.Object(), fieldErrorsArray())
}

// malformed sends bodies that aren't JSON, each but a little away from a valid lead.
func malformed(d api, expected func() *answer.Matcher) {
	whole := d.lead("open")
	text := string(whole.json())
	refuses(d, whole, []variant{
		{"cut short", text[:len(text)-2]},
		{"a comma too many", text[:len(text)-1] + ",}"},
		{"more after the value", text + "}"},
		{"quotes missing", strings.ReplaceAll(text, `":`, `:`)},
		{"names without quotes", nameInQuotes.ReplaceAllString(text, "$1$2:")},
		{"single quotes", strings.ReplaceAll(text, `"`, "'")},
		{"no JSON at all", "this is no JSON"},
	}, expected)
	d.each(kase{"a ping that is cut short", func(g spec.Gomega, d api) {
		g.Expect(d.Send(d.post(pingPath, "ping", []byte(text[:len(text)-2])))).To(expected())
	}}, welcome("the ping as it should be", whole))
}

// nameInQuotes is the name of a member in a JSON object that is written without white space.
var nameInQuotes = regexp.MustCompile(`([{,])"(\w+)":`)

func refusesWhatIsNoObject(_ spec.Gomega, d api) {
	whole := d.lead("open")
	text := string(whole.json())
	refuses(d, whole, []variant{
		{"an empty body", ""}, {"an array", "[" + text + "]"}, {"a string", `"lead"`}, {"a number", "42"}, {"a boolean", "true"}, {"null", "null"},
	}, beAnsweredLikeMalformedJSON)
}

// beAnsweredLikeMalformedJSON matches what LD-400-12 and LD-400-13 ask for together.
func beAnsweredLikeMalformedJSON() *answer.Matcher {
	return answer.That("400 with a non-empty error and message and a field_errors array", append(malformedChecks(), fieldErrorsArray())...)
}

// refuses sends bodies that can't be read as a lead, beside one that can.
func refuses(d api, whole lead, bodies []variant, expected func() *answer.Matcher) {
	d.each(append(trying(bodies, func(g spec.Gomega, d api, body any) {
		g.Expect(d.ingestBody([]byte(body.(string)))).To(expected())
	}), taken("the lead as an object", whole))...)
}

func reportsAllFaultsAtOnce(_ spec.Gomega, d api) {
	names, whole, custom := d.names(), d.lead("required"), d.requiredField()
	d.each(
		kase{"as the document shows it: a system field and the campaign's own", func(g spec.Gomega, d api) {
			g.Expect(d.ingest(whole.without(custom).set(names.Phone, "555"))).
				To(BeFaulted(naming(names.Phone, ""), naming(custom, "")))
		}},
		kase{"three system fields, each in its own way", func(g spec.Gomega, d api) {
			g.Expect(d.ingest(whole.without(names.Email).set(names.LastName, 7).set(names.Phone, "555"))).
				To(BeFaulted(naming(names.Email, ""), naming(names.LastName, ""), naming(names.Phone, "")))
		}},
		taken("the same lead without the faults", whole),
	)
}

func makesFieldErrorsWhole(_ spec.Gomega, d api) {
	names, whole := d.names(), d.lead("open")
	faulty := func(send func(api, lead) *answer.Answer, body lead) func(g spec.Gomega, d api) {
		return func(g spec.Gomega, d api) { g.Expect(send(d, body)).To(haveFieldErrors(wholeEntries)) }
	}
	cases := []kase{
		{"a field is missing", faulty(api.ingest, whole.without(names.Supplier))},
		{"a field has the wrong type", faulty(api.ingest, whole.set(names.LastName, 7))},
		{"a field is ill-formed", faulty(api.ingest, whole.set(names.Phone, "555"))},
		{"a ping lacks a field", faulty(api.ping, whole.without(names.Campaign))},
		{"malformed JSON, where nothing need be named", func(g spec.Gomega, d api) {
			g.Expect(d.ingestBody([]byte("{"))).To(answer.That("no entry of field_errors that isn't whole", wholeEntries))
		}},
		taken("the same lead without a fault", whole),
	}
	if d.has("campaigns.required") {
		lacking := d.lead("required").without(d.requiredField())
		cases = append(cases, kase{"the campaign's field is missing", faulty(api.ingest, lacking)})
	}
	d.each(cases...)
}

// haveFieldErrors matches a 400 with entries in field_errors, and what else is asked of them.
func haveFieldErrors(check answer.Check) *answer.Matcher {
	return answer.That("400 with field_errors of objects with field, code and message, none empty", answer.Status(400), answer.Object(),
		func(a *answer.Answer) []string {
			if len(list(a, "field_errors")) == 0 {
				return []string{"field_errors has no entry"}
			}
			return check(a)
		})
}

// wholeEntries checks that each entry of field_errors is an object with the three members, none empty.
func wholeEntries(a *answer.Answer) []string {
	var wrong []string
	for i, entry := range list(a, "field_errors") {
		object, _ := entry.(map[string]any)
		for _, member := range []string{"field", "code", "message"} {
			if problem := answer.NonEmptyString(object[member]); problem != "" {
				wrong = append(wrong, fmt.Sprintf("field_errors[%d].%s is %s", i, member, problem))
			}
		}
	}
	return wrong
}

func putsStructureBeforeBusiness(_ spec.Gomega, d api) {
	caught := d.suppressedLead()
	d.each(
		kase{"suppressed, and a field has the wrong type", func(g spec.Gomega, d api) {
			g.Expect(d.ingest(caught.set(d.names().LastName, 7))).To(answer.That("400", answer.Status(400)))
		}},
		kase{"suppressed, and a field is missing", func(g spec.Gomega, d api) {
			g.Expect(d.ingest(caught.without(d.names().LastName))).To(answer.That("400", answer.Status(400)))
		}},
		shown("the same lead without the fault is caught", func(g spec.Gomega, d api) {
			g.Expect(d.ingest(caught)).To(answer.That("422", answer.Status(422)))
		}),
		taken("a lead that isn't suppressed", d.lead("suppressed")),
	)
}

// suppressedLead returns a lead that is on the suppression list by whatever the profile gives.
func (d api) suppressedLead() lead {
	l, names, campaign := d.lead("suppressed"), d.names(), d.campaign("suppressed")
	if campaign.Phone != "" {
		l = l.set(names.Phone, campaign.Phone)
	}
	if campaign.Email != "" {
		l = l.set(names.Email, campaign.Email)
	}
	return l
}

// What is left of a lead shows where the same person comes again: by the phone if the email was at fault, by the email
// if the phone was, by both otherwise.
func leavesNothingOfARejectedLead(_ spec.Gomega, d api) {
	names := d.names()
	rejected := func(spoil func(lead) lead) func(g spec.Gomega, d api) {
		return func(g spec.Gomega, d api) {
			whole := d.lead("unique")
			g.Expect(d.ingest(spoil(whole))).To(answer.That("400", answer.Status(400)))
			g.Expect(d.ingest(whole)).To(BeTaken(), "the lead corrected and sent again")
			d.control("sent once more it is a duplicate", func(g spec.Gomega, d api) {
				g.Expect(d.ingest(whole)).To(answer.That("422", answer.Status(422)))
			})
		}
	}
	d.each(
		kase{"a field was missing", rejected(func(l lead) lead { return l.without(names.FirstName) })},
		kase{"the phone was ill-formed", rejected(func(l lead) lead { return l.set(names.Phone, "555") })},
		kase{"the email was no string", rejected(func(l lead) lead { return l.set(names.Email, true) })},
	)
}

func countsBlankAsMissing(_ spec.Gomega, d api) {
	whole := d.lead("open")
	cases := []kase{taken("the same lead with all fields filled", whole)}
	for _, field := range d.names().Names() {
		cases = append(cases, trying([]variant{{field + " is empty", ""}, {field + " is blank", "   "}}, func(g spec.Gomega, d api, blank any) {
			g.Expect(d.ingest(whole.set(field, blank))).To(BeFaulted(naming(field, "required")))
		})...)
	}
	d.each(cases...)
}

func refusesIllFormedStates(_ spec.Gomega, d api) {
	whole, state := d.lead("open"), d.names().State
	d.each(append(trying([]variant{
		{"a full name", "California"}, {"one letter", "C"}, {"three letters", "CAL"}, {"two digits", "12"},
	}, func(g spec.Gomega, d api, value any) {
		g.Expect(d.ingest(whole.set(state, value))).To(BeFaulted(naming(state, "invalid_format")))
	}), taken("the same lead with two letters", whole))...)
}
