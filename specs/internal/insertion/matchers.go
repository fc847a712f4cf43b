package insertion

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"leadconform/specs/internal/answer"
)

// Each matcher asks for what its row says and no more: the envelope is the business of IN-ENV-*, and of the rows that
// mention it.

// BeAnswered matches a status alone.
func BeAnswered(status int) *answer.Matcher {
	return answer.That(fmt.Sprint(status), answer.Status(status))
}

// BeAccepted matches any 2xx.
func BeAccepted() *answer.Matcher {
	return answer.That("a success", func(a *answer.Answer) []string {
		if a.Success() {
			return nil
		}
		return []string{fmt.Sprintf("the status is %d, no 2xx", a.Status)}
	})
}

// BeRefused matches a status in the failure envelope, whatever its error (IN-ENV-01).
func BeRefused(status int) *answer.Matcher {
	return answer.That(fmt.Sprintf("%d in the envelope {ok: false, error}", status),
		answer.Status(status), answer.Object(), answer.Member("ok", answer.Equals(false)),
		answer.Member("error", answer.NonEmptyString))
}

// BeError matches a status with one of the given errors.
func BeError(status int, codes ...string) *answer.Matcher {
	oneOf := func(value any) string {
		for _, code := range codes {
			if value == code {
				return ""
			}
		}
		return fmt.Sprintf("%s, not %s", answer.Describe(value), quoted(codes))
	}
	return answer.That(fmt.Sprintf("%d with error %s", status, quoted(codes)),
		answer.Status(status), answer.Object(), answer.Member("error", oneOf))
}

func quoted(codes []string) string {
	words := make([]string, len(codes))
	for i, code := range codes {
		words[i] = fmt.Sprintf("%q", code)
	}
	return strings.Join(words, " or ")
}

// BeInvalid matches a 400 whose error is a string that says something (IN-400-02, IN-400-03, IN-400-07).
func BeInvalid() *answer.Matcher {
	return answer.That("400 with a non-empty error",
		answer.Status(400), answer.Object(), answer.Member("error", answer.NonEmptyString))
}

// identifier is what an error that isn't about validation looks like (IN-ENV-02).
var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]*(:[a-z][a-z0-9_:.\-]*)?$`)

// named asks that the error is an identifier.
func named() answer.Check { return answer.Member("error", answer.Matching(identifier)) }

// BeTaken matches the answer to a POST that stored or found its lead: 200 or 201 with the lead's id.
func BeTaken() *answer.Matcher {
	return answer.That("200 or 201 with lead.id", answer.Status(200, 201), answer.Object(),
		answer.Member("lead.id", answer.NonEmptyString))
}

// BeStored matches the answer to a POST with the given outcome: inserted with 201, deduped or patched with 200
// (IN-201-01, IN-IDEM-*).
func BeStored(outcome string) *answer.Matcher {
	status := 200
	if outcome == "inserted" {
		status = 201
	}
	return answer.That(fmt.Sprintf("%d with status %s and lead.id", status, outcome), answer.Status(status),
		answer.Object(), answer.Member("status", answer.Equals(outcome)), answer.Member("lead.id", answer.NonEmptyString))
}

// BeOutcome matches the answer to a POST with one of the given outcomes, under either status, for the rows that speak
// of the outcome alone.
func BeOutcome(outcomes ...string) *answer.Matcher {
	return answer.That("a success with status "+quoted(outcomes)+" and lead.id", answer.Status(200, 201), answer.Object(),
		answer.Member("status", func(value any) string {
			if outcome, ok := value.(string); ok && slices.Contains(outcomes, outcome) {
				return ""
			}
			return fmt.Sprintf("%s, not %s", answer.Describe(value), quoted(outcomes))
		}),
		answer.Member("lead.id", answer.NonEmptyString))
}

// BeOutcomeOf is BeOutcome for the lead of that id.
func BeOutcomeOf(id, outcome string) *answer.Matcher {
	return answer.That(fmt.Sprintf("a success with status %q and the same lead.id %s", outcome, id), answer.Status(200, 201),
		answer.Object(), answer.Member("status", answer.Equals(outcome)), answer.Member("lead.id", sameText(id)))
}

// BeStoredAs is BeStored for the lead of that id.
func BeStoredAs(id, outcome string) *answer.Matcher {
	return answer.That(fmt.Sprintf("200 with status %s and the same lead.id %s", outcome, id), answer.Status(200),
		answer.Object(), answer.Member("status", answer.Equals(outcome)), answer.Member("lead.id", sameText(id)))
}

// Show matches the answer to a GET or PATCH of one lead: 200, with the lead showing every given member as it was sent.
func Show(members lead) *answer.Matcher {
	checks := []answer.Check{answer.Status(200), answer.Object(), answer.Member("lead.id", answer.NonEmptyString)}
	expected := "200 with the lead"
	for i, name := range sortedNames(members) {
		expected += map[bool]string{true: ": ", false: ", "}[i == 0] + name + " " + spell(members[name])
		checks = append(checks, answer.Member("lead."+name, showing(members[name])))
	}
	return answer.That(expected, checks...)
}

// ShowOneOf matches the answer to a GET of one lead whose member has one of several values.
func ShowOneOf(member string, values []string) *answer.Matcher {
	return answer.That(fmt.Sprintf("200 with a lead whose %s is one of %q", member, values), answer.Status(200), answer.Object(),
		answer.Member("lead."+member, func(value any) string {
			if text, ok := value.(string); ok && slices.Contains(values, text) {
				return ""
			}
			return answer.Describe(value)
		}))
}

// showing is a test for answer.Member: a value as it was sent. UUIDs are compared without regard to letter case.
func showing(wanted any) func(any) string {
	switch v := wanted.(type) {
	case string:
		return sameText(v)
	case int64:
		return answer.Number(v)
	}
	return answer.Equals(wanted)
}

// sameText is a test for answer.Member: that string, or the same UUID in another letter case.
func sameText(wanted string) func(any) string {
	return func(value any) string {
		text, ok := value.(string)
		if ok && (text == wanted || answer.UUID(wanted) == "" && strings.EqualFold(text, wanted)) {
			return ""
		}
		return fmt.Sprintf("%s, not %q", answer.Describe(value), wanted)
	}
}

// documented are the members of a lead as the provider shows it, but for updated_at, which what happens to a lead behind
// the API may move at any time. What else a target shows is its own business.
var documented = []string{
	"id", "account_id", "campaign_id", "external_lead_id", "phone", "email", "first_name", "last_name", "source",
	"source_form_url", "ip_address", "tcpa_consent", "tcpa_consent_text", "tcpa_consent_timestamp", "custom_fields",
	"workflow_ids", "created_at",
}

// ShowAnother matches the answer to a GET of one lead whose member isn't what an earlier GET showed. A member that the
// earlier one didn't show is left aside.
func ShowAnother(member string, before *answer.Answer) *answer.Matcher {
	was, _ := before.Member("lead", member)
	return answer.That(fmt.Sprintf("200 with a lead whose %s is another than %s", member, spell(was)),
		answer.Status(200), answer.Object(), func(a *answer.Answer) []string {
			if is, _ := a.Member("lead", member); was != nil && reflect.DeepEqual(is, was) {
				return []string{fmt.Sprintf("lead.%s is still that", member)}
			}
			return nil
		})
}

// ReadAs matches the answer to a GET of one lead that shows the lead as an earlier GET did, apart from the members
// named.
func ReadAs(before *answer.Answer, apart ...string) *answer.Matcher {
	checks := []answer.Check{answer.Status(200), answer.Object()}
	for _, name := range documented {
		if slices.Contains(apart, name) {
			continue
		}
		was, _ := before.Member("lead", name)
		checks = append(checks, func(a *answer.Answer) []string {
			if is, _ := a.Member("lead", name); !reflect.DeepEqual(is, was) {
				return []string{fmt.Sprintf("lead.%s is %s, and was %s", name, spell(is), spell(was))}
			}
			return nil
		})
	}
	expected := "200 with the lead as it read before"
	if len(apart) > 0 {
		expected += ", apart from " + strings.Join(apart, " and ")
	}
	return answer.That(expected, checks...)
}
