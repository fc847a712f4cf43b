package insertion

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

// validation holds IN-400-*.
func validation() []spec.Spec {
	return []spec.Spec{
		{ID: "IN-400-01", Body: row(refusesWhatIsNoObject)},
		{ID: "IN-400-02", Body: row(refusesACampaignThatIsNoInteger)},
		{ID: "IN-400-03", Body: row(refusesAnExternalIDThatIsNoUUID)},
		{ID: "IN-400-04", Body: row(asksForPhoneOrEmail)},
		{ID: "IN-400-05", Body: row(checksLengths)},
		{ID: "IN-400-06", Body: row(refusesUnknownMembers)},
		{ID: "IN-400-07", Body: row(refusesWrongTypes)},
		{ID: "IN-400-08", Body: row(sumsUpEveryFault)},
		{ID: "IN-400-12", Body: row(namesEveryFaultyField)},
		{ID: "IN-400-09", Body: row(refusesAnEmptyPATCH)},
		{ID: "IN-400-10", Body: row(keepsTheIdentityOfALead)},
		{ID: "IN-400-11", Body: row(storesNothingThatItRefuses)},
	}
}

func refusesWhatIsNoObject(_ spec.Gomega, d api) {
	l := d.lead("first")
	d.given(l)
	whole := string(l.json())
	var cases []kase
	for _, body := range []struct{ name, text string }{
		{"cut off", whole[:len(whole)-1]},
		{"followed by more", whole + "}"},
		{"a comma too many", whole[:len(whole)-1] + ",}"},
		{"without quotes", strings.ReplaceAll(whole, `"`, "")},
		{"names without quotes", nameInQuotes.ReplaceAllString(whole, "$1$2:")},
		{"single quotes", strings.ReplaceAll(whole, `"`, "'")},
		{"text", "lead"},
		{"empty", ""},
		{"an array", "[" + whole + "]"},
		{"a string", `"lead"`},
		{"a number", "1"},
		{"true", "true"},
		{"null", "null"},
	} {
		cases = append(cases, kase{"POST, " + body.name, func(g spec.Gomega, d api) {
			g.Expect(d.createBody([]byte(body.text))).To(BeAnswered(400))
		}})
	}
	for _, body := range []struct{ name, text string }{
		{"cut off", `{"first_name":"` + renamed}, {"followed by more", `{"first_name":"` + renamed + `"}}`}, {"an array", `[{}]`},
		{"a string", `"lead"`}, {"a number", "1"}, {"true", "true"}, {"null", "null"},
	} {
		cases = append(cases, kase{"PATCH, " + body.name, func(g spec.Gomega, d api) {
			g.Expect(d.patchBody(d.given(d.lead("first")), []byte(body.text))).To(BeAnswered(400))
		}})
	}
	d.each(cases...)
}

// nameInQuotes is the name of a member in a JSON object that is written without white space.
var nameInQuotes = regexp.MustCompile(`([{,])"(\w+)":`)

// refusesEach checks that a lead which is accepted as it is, is refused without a member and with each of the values
// in its place.
func refusesEach(d api, member string, values ...any) {
	d.given(d.lead("first"))
	cases := []kase{{"missing", func(g spec.Gomega, d api) {
		g.Expect(d.create(d.lead("first").without(member))).To(BeInvalid())
	}}}
	for _, value := range values {
		cases = append(cases, kase{answer.Describe(value), func(g spec.Gomega, d api) {
			g.Expect(d.create(d.lead("first").set(member, value))).To(BeInvalid())
		}})
	}
	d.each(cases...)
}

// A string of digits is left out, and so is 1.0: there are readers that take either for an integer.
func refusesACampaignThatIsNoInteger(_ spec.Gomega, d api) {
	refusesEach(d, "campaign_id", "first", 101.5, true, nil, []any{}, map[string]any{})
}

func refusesAnExternalIDThatIsNoUUID(_ spec.Gomega, d api) {
	id := d.Data.UUID()
	refusesEach(d, "external_lead_id", "lead-1", "", id[:len(id)-1], id[:len(id)-1]+"g", 17, nil, []any{id})
}

func asksForPhoneOrEmail(g spec.Gomega, d api) {
	d.control("with either alone it is accepted", func(_ spec.Gomega, d api) {
		d.each(
			kase{"phone alone", func(g spec.Gomega, d api) { g.Expect(d.create(d.lead("first").without("email"))).To(BeAccepted()) }},
			kase{"email alone", func(g spec.Gomega, d api) { g.Expect(d.create(d.lead("first").without("phone"))).To(BeAccepted()) }},
		)
	})
	g.Expect(d.create(d.lead("first").without("phone", "email"))).To(BeAnswered(400))
}

func checksLengths(_ spec.Gomega, d api) {
	digits := func(n int) string { return strings.Repeat("5550100142", 6)[:n] }
	var cases []kase
	for _, limit := range []struct {
		member string
		edge   int
		beyond int
		of     func(n int) string
	}{
		{"phone", 10, 9, digits},
		{"phone", 50, 51, digits},
		{"email", 320, 321, addressOf},
		{"first_name", 100, 101, func(n int) string { return strings.Repeat("a", n) }},
		{"last_name", 100, 101, func(n int) string { return strings.Repeat("a", n) }},
	} {
		cases = append(cases, kase{fmt.Sprintf("%s of %d characters", limit.member, limit.edge), func(g spec.Gomega, d api) {
			g.Expect(d.create(d.lead("first").set(limit.member, limit.of(limit.edge)))).To(BeAccepted())
		}}, kase{fmt.Sprintf("%s of %d characters", limit.member, limit.beyond), func(g spec.Gomega, d api) {
			g.Expect(d.create(d.lead("first").set(limit.member, limit.of(limit.beyond)))).To(BeAnswered(400))
		}})
	}
	d.each(cases...)
}

// addressOf is an address of 320 characters or a few more, each of its parts within its own bound but for the excess
// (RFC 5321 §4.5.3.1, RFC 1035 §2.3.4).
func addressOf(n int) string {
	const host = "example.com"
	label := strings.Repeat("d", 63) + "."
	address := strings.Repeat("l", 64) + "@" + label + label + label
	return address + strings.Repeat("d", n-len(address)-len("."+host)) + "." + host
}

func refusesUnknownMembers(_ spec.Gomega, d api) {
	id := d.given(d.lead("first"))
	const unknown = "shoe_size"
	d.each(
		kase{"POST", func(g spec.Gomega, d api) {
			g.Expect(d.create(d.lead("first").set(unknown, "44"))).To(BeAnswered(400))
		}},
		kase{"PATCH", func(g spec.Gomega, d api) {
			changes := lead{"first_name": renamed}
			d.control("the same PATCH without it is accepted", func(g spec.Gomega, d api) {
				g.Expect(d.patch(id, changes)).To(BeAccepted())
			})
			g.Expect(d.patch(id, changes.set(unknown, "44"))).To(BeAnswered(400))
		}},
	)
}

func refusesWrongTypes(_ spec.Gomega, d api) {
	first, second := d.lead("first"), lead{}
	for name, values := range d.Profile.Insertion.Fields {
		first[name], second[name] = values[0], values[1]
	}
	d.control("with its declared values every field is accepted", func(g spec.Gomega, d api) {
		g.Expect(d.patch(d.given(first), second)).To(BeAccepted())
	})
	var cases []kase
	for _, name := range d.Profile.Insertion.FieldNames() {
		for i, wrong := range ofAnotherType(first[name]) {
			cases = append(cases, kase{fmt.Sprintf("POST, %s: %s", name, answer.Describe(wrong)), func(g spec.Gomega, d api) {
				g.Expect(d.create(d.lead("first").set(name, wrong))).To(BeInvalid())
			}})
			if i == 0 {
				cases = append(cases, kase{fmt.Sprintf("PATCH, %s: %s", name, answer.Describe(wrong)), func(g spec.Gomega, d api) {
					g.Expect(d.patch(d.given(d.lead("first")), lead{name: wrong})).To(BeInvalid())
				}})
			}
		}
	}
	d.each(cases...)
}

// ofAnotherType are values of another JSON type than a valid one; of an array of strings also one whose element is of
// another type. null is not among them, which some take for nothing.
func ofAnotherType(valid any) []any {
	number, object := any(17), any(map[string]any{"a": "b"})
	switch v := valid.(type) {
	case string:
		return []any{number, object}
	case bool:
		return []any{"perhaps", object}
	case []any:
		if len(v) > 0 && answer.UUID(v[0]) == "" {
			return []any{"one", object, []any{17}}
		}
		return []any{"one", object}
	case map[string]any:
		return []any{"one", []any{"a", "b"}}
	default: // a number
		return []any{"many", object}
	}
}

// several is a lead with a fault in each of the named members.
func (d api) several() (l lead, faulty []string) {
	l = d.lead("first")
	l["campaign_id"], l["external_lead_id"] = "first", "lead-1"
	l["phone"], l["email"], l["first_name"] = 17, map[string]any{}, []any{"Ada"}
	return l, []string{"campaign_id", "external_lead_id", "phone", "email", "first_name"}
}

func sumsUpEveryFault(g spec.Gomega, d api) {
	d.given(d.lead("first"))
	l, faulty := d.several()
	g.Expect(d.create(l)).To(answer.That(fmt.Sprintf("400 with an error of at least %d parts, separated by commas", len(faulty)),
		answer.Status(400), answer.Object(), answer.Member("error", func(value any) string {
			summary, ok := value.(string)
			parts := strings.FieldsFunc(summary, func(r rune) bool { return r == ',' })
			parts = slices.DeleteFunc(parts, func(part string) bool { return strings.TrimSpace(part) == "" })
			switch {
			case !ok:
				return answer.Describe(value) + ", not a string"
			case len(parts) < len(faulty):
				return fmt.Sprintf("%q, of %d parts for %d faults", summary, len(parts), len(faulty))
			}
			return ""
		})))
}

func namesEveryFaultyField(_ spec.Gomega, d api) {
	d.given(d.lead("first"))
	all, faulty := d.several()
	cases := []kase{{"several", func(g spec.Gomega, d api) {
		g.Expect(d.create(all)).To(BeInvalidNaming(faulty...))
	}}}
	for _, name := range faulty {
		cases = append(cases, kase{name + " alone", func(g spec.Gomega, d api) {
			g.Expect(d.create(d.lead("first").set(name, all[name]))).To(BeInvalidNaming(name))
		}})
	}
	d.each(cases...)
}

// BeInvalidNaming matches a 400 whose error holds the name of every given field.
func BeInvalidNaming(fields ...string) *answer.Matcher {
	return answer.That("400 with an error that names "+strings.Join(fields, ", "),
		answer.Status(400), answer.Object(), answer.Member("error", func(value any) string {
			summary, _ := value.(string)
			missing := slices.DeleteFunc(slices.Clone(fields), func(name string) bool { return strings.Contains(summary, name) })
			if len(missing) == 0 {
				return ""
			}
			return fmt.Sprintf("%s, without %s", answer.Describe(value), strings.Join(missing, ", "))
		}))
}

func refusesAnEmptyPATCH(_ spec.Gomega, d api) {
	refuses := func(name string, body []byte) kase {
		return kase{name, func(g spec.Gomega, d api) {
			id := d.given(d.lead("first"))
			d.control("a PATCH of one field is accepted", func(g spec.Gomega, d api) {
				g.Expect(d.patch(id, lead{"first_name": renamed})).To(BeAccepted())
			})
			g.Expect(d.patchBody(id, body)).To(BeAnswered(400))
		}}
	}
	d.each(refuses("{}", []byte("{}")), refuses("no bytes", []byte{}))
}

func keepsTheIdentityOfALead(_ spec.Gomega, d api) {
	keeps := func(member string, other func(d api) any) kase {
		return kase{member, func(g spec.Gomega, d api) {
			l := d.lead("first")
			id := d.given(l)
			before := d.readable(id, l)
			g.Expect(d.patch(id, lead{member: other(d), "first_name": renamed})).To(BeAnswered(400))
			g.Expect(d.get(id)).To(ReadAs(before))
			d.changeable(id)
		}}
	}
	d.each(
		keeps("campaign_id", func(d api) any { return d.Profile.Insertion.Campaigns["second"] }),
		keeps("external_lead_id", func(d api) any { return d.Data.UUID() }),
	)
}

func storesNothingThatItRefuses(_ spec.Gomega, d api) {
	d.given(d.lead("first"))
	// A lead that had been stored, in whole or in part, would be known by its tuple.
	storesNothing := func(name string, status int, refused func(d api, l lead) *answer.Answer) kase {
		return kase{name, func(g spec.Gomega, d api) {
			l := d.lead("first")
			g.Expect(refused(d, l)).To(BeAnswered(status))
			g.Expect(d.create(l)).To(BeOutcome("inserted"))
		}}
	}
	d.each(
		storesNothing("a POST with a fault in one field", 400, func(d api, l lead) *answer.Answer {
			return d.create(l.set("first_name", map[string]any{}))
		}),
		storesNothing("a POST with something after the lead", 400, func(d api, l lead) *answer.Answer {
			return d.createBody(append(l.json(), '}'))
		}),
		storesNothing("a POST that is wrongly signed", 401, func(d api, l lead) *answer.Answer {
			c := d.posting()
			c.body = l.json()
			return d.callWith(c, d.signedByAnother(c))
		}),
		kase{"a POST of a known tuple with a fault in one of two fields", func(g spec.Gomega, d api) {
			l := d.lead("first")
			id := d.given(l)
			before := d.readable(id, l)
			g.Expect(d.create(l.set("first_name", renamed).set("last_name", map[string]any{}))).To(BeAnswered(400))
			g.Expect(d.get(id)).To(ReadAs(before))
			d.changeable(id)
		}},
		kase{"a PATCH with a fault in one of two fields", func(g spec.Gomega, d api) {
			l := d.lead("first")
			id := d.given(l)
			before := d.readable(id, l)
			g.Expect(d.patch(id, lead{"first_name": renamed, "last_name": map[string]any{}})).To(BeAnswered(400))
			g.Expect(d.get(id)).To(ReadAs(before))
			d.changeable(id)
		}},
	)
}
