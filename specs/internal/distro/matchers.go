package distro

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"leadconform/specs/internal/answer"
)

// The controls of the rows ask for no more of an answer than what tells a success from a refusal: what else it must
// hold is the business of the rows that say so, and a fault there shall not hide what other rows find.

// identifier is what an error looks like (LD-ENV-06).
var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// The two ways in which a valid lead ends.
const (
	statusAccepted  = "ACCEPTED"
	statusUnmatched = "UNMATCHED"
)

// place is where a lead object stands in an answer: bare, or under data (LD-201-02). A lead whose own status stands bare
// is bare, whatever else the target calls data; a status that is a lead's under data as well, beside no id, is a copy.
func place(a *answer.Answer) string {
	if ofALead(a.Text("status")) && (a.Text("id") != "" || !ofALead(a.Text("data", "status"))) {
		return ""
	}
	return under(a, "data")
}

// ofALead reports whether a status is one of the two in which a valid lead ends.
func ofALead(status string) bool { return status == statusAccepted || status == statusUnmatched }

// under returns the prefix of the members below name if an object stands there.
func under(a *answer.Answer, name string) string {
	if value, ok := a.Member(name); ok {
		if _, isObject := value.(map[string]any); isObject {
			return name + "."
		}
	}
	return ""
}

// path splits a path of member names.
func path(dotted string) []string { return strings.Split(dotted, ".") }

// leadText returns a string member of the lead object in an answer.
func leadText(a *answer.Answer, name string) string {
	return a.Text(path(place(a) + name)...)
}

// leadMember checks a member of the lead object in an answer.
func leadMember(name string, test func(any) string) answer.Check {
	return func(a *answer.Answer) []string { return answer.Member(place(a)+name, test)(a) }
}

// leadWithout checks that the lead object in an answer has no such member, or null.
func leadWithout(name string) answer.Check {
	return func(a *answer.Answer) []string { return answer.Without(place(a) + name)(a) }
}

// aLead checks that there is a lead in the answer: an object with an id or a status.
func aLead(a *answer.Answer) []string {
	if leadText(a, "id") == "" && leadText(a, "status") == "" {
		return []string{"there is no lead in it, neither an id nor a status"}
	}
	return nil
}

// BeAccepted matches 201 with a lead that went to a buyer, whole (LD-201-02).
func BeAccepted() *answer.Matcher {
	return answer.That("201 with the lead: id, status ACCEPTED, buyer_id",
		answer.Status(201), answer.Object(),
		leadMember("id", answer.NonEmptyString), leadMember("status", answer.Equals(statusAccepted)),
		leadMember("buyer_id", answer.NonEmptyString))
}

// BeCreated matches 201 with a lead (LD-201-01).
func BeCreated() *answer.Matcher {
	return answer.That("201 with the lead", answer.Status(201), aLead)
}

// BeUnmatched matches 200 with a lead that found no buyer (LD-200-01, LD-200-02), and what else the row asks of it.
func BeUnmatched(more ...answer.Check) *answer.Matcher {
	return answer.That("200 with the lead: status UNMATCHED", append([]answer.Check{
		answer.Status(200), answer.Object(), leadMember("status", answer.Equals(statusUnmatched))}, more...)...)
}

// BeTaken matches either success: 201 or 200, with a lead.
func BeTaken() *answer.Matcher {
	return answer.That("a success: 201 or 200, with the lead", answer.Status(200, 201), aLead)
}

// foundBuyer reports whether the answer is that of a lead that went to a buyer.
func foundBuyer(a *answer.Answer) bool {
	return a.Status == 201 || a.Status == 200 && leadText(a, "status") == statusAccepted
}

// BeBought matches a lead that went to a buyer, whichever way the target says so, and what else the row asks of it.
func BeBought(more ...answer.Check) *answer.Matcher {
	return answer.That("a lead that found a buyer: 201, or status ACCEPTED", append([]answer.Check{func(a *answer.Answer) []string {
		if foundBuyer(a) {
			return nil
		}
		return []string{"no buyer took the lead"}
	}}, more...)...)
}

// BeFound matches a lookup that found that lead (LD-LOOK-01, LD-LOOK-02).
func BeFound(id, status string) *answer.Matcher {
	return answer.That(fmt.Sprintf("200 with the lead: id %s, status %s", id, status),
		answer.Status(200), answer.Object(), leadMember("id", answer.Equals(id)), leadMember("status", answer.Equals(status)))
}

// showsALead reports whether a lookup found something.
func showsALead(a *answer.Answer) bool { return a.Success() && len(aLead(a)) == 0 }

// showALead matches a lookup that found something.
func showALead() *answer.Matcher {
	return answer.That("a success with a lead", func(a *answer.Answer) []string {
		if showsALead(a) {
			return nil
		}
		return []string{"there is no lead"}
	})
}

// showNoLead matches a lookup that found nothing, however the target says so.
func showNoLead() *answer.Matcher {
	return answer.That("an answer without a lead", func(a *answer.Answer) []string {
		if showsALead(a) {
			return []string{"there is a lead"}
		}
		return nil
	})
}

// BeAnError matches a status in the envelope, whatever its error (LD-ENV-01).
func BeAnError(status int) *answer.Matcher {
	return answer.That(fmt.Sprintf("%d with a non-empty error", status),
		answer.Status(status), answer.Object(), answer.Member("error", answer.NonEmptyString))
}

// BeError matches a status with a JSON object whose error is the given identifier.
func BeError(status int, code string) *answer.Matcher {
	return answer.That(fmt.Sprintf("%d with error %q", status, code),
		answer.Status(status), answer.Object(), answer.Member("error", answer.Equals(code)))
}

// BeMalformed matches the 400 of a body that can't be read (LD-400-12).
func BeMalformed() *answer.Matcher {
	return answer.That("400 with a non-empty error and message", malformedChecks()...)
}

func malformedChecks() []answer.Check {
	return []answer.Check{answer.Status(400), answer.Object(),
		answer.Member("error", answer.NonEmptyString), answer.Member("message", answer.NonEmptyString)}
}

// fieldErrorsArray checks that field_errors is an array (LD-400-13).
func fieldErrorsArray() answer.Check {
	return answer.Member("field_errors", func(value any) string {
		if _, ok := value.([]any); ok {
			return ""
		}
		return answer.Describe(value) + ", not an array"
	})
}

// BeFaulted matches 400 with an entry in field_errors for each of the fields, whatever its error.
func BeFaulted(entries ...fieldError) *answer.Matcher {
	return answer.That("400 with field_errors for "+sentence(entries), faulted(entries)...)
}

// BeInvalid matches 400 with error validation_failed and an entry in field_errors for each of the fields (LD-400-01…07).
func BeInvalid(entries ...fieldError) *answer.Matcher {
	return answer.That(`400 with error "validation_failed" and field_errors for `+sentence(entries),
		append(faulted(entries), answer.Member("error", answer.Equals("validation_failed")))...)
}

func faulted(entries []fieldError) []answer.Check {
	checks := []answer.Check{answer.Status(400), answer.Object(), fieldErrorsArray()}
	for _, entry := range entries {
		checks = append(checks, entry.among)
	}
	return checks
}

// fieldError is an entry of field_errors: the field, and its code ("" for any that isn't empty).
type fieldError struct{ field, code string }

func naming(field, code string) fieldError { return fieldError{field, code} }

func (f fieldError) String() string {
	if f.code == "" {
		return f.field
	}
	return fmt.Sprintf("%s (%s)", f.field, f.code)
}

func sentence(entries []fieldError) string {
	words := make([]string, len(entries))
	for i, entry := range entries {
		words[i] = entry.String()
	}
	return strings.Join(words, " and ")
}

// among checks that the entry is one of the answer's.
func (f fieldError) among(a *answer.Answer) []string {
	var codes []string
	for _, entry := range list(a, "field_errors") {
		object, _ := entry.(map[string]any)
		if object["field"] != f.field {
			continue
		}
		code, _ := object["code"].(string)
		if code != "" && (code == f.code || f.code == "") {
			return nil
		}
		codes = append(codes, answer.Describe(object["code"]))
	}
	switch {
	case codes == nil:
		return []string{fmt.Sprintf("field_errors has no entry for %s", f.field)}
	case f.code == "":
		return []string{fmt.Sprintf("the code for %s is %s, not a non-empty string", f.field, strings.Join(codes, ", "))}
	}
	return []string{fmt.Sprintf("the code for %s is %s, not %q", f.field, strings.Join(codes, ", "), f.code)}
}

// list returns a member that is an array, or nil.
func list(a *answer.Answer, name string) []any {
	value, _ := a.Member(name)
	array, _ := value.([]any)
	return array
}

// BeCaught matches 422 with filter_errors that name what caught the lead; where the profile gives the names of rules,
// one entry contains each (LD-422-01). A name that is empty isn't asked for.
func BeCaught(rules ...string) *answer.Matcher {
	rules = slices.DeleteFunc(slices.Clone(rules), func(rule string) bool { return rule == "" })
	expected := "422 with filter_errors that name the rule"
	if len(rules) > 0 {
		expected += " " + strings.Join(rules, " and ")
	}
	checks := []answer.Check{answer.Status(422), answer.Object(), namesRules}
	for _, rule := range rules {
		checks = append(checks, namesRule(rule))
	}
	return answer.That(expected, checks...)
}

// namesRules checks that filter_errors is a non-empty array of non-empty strings, or of objects that hold one.
func namesRules(a *answer.Answer) []string {
	wrong := answer.Member("filter_errors", func(value any) string {
		if entries, ok := value.([]any); ok && len(entries) > 0 {
			return ""
		}
		return answer.Describe(value) + ", not a non-empty array"
	})(a)
	for i, entry := range list(a, "filter_errors") {
		if len(texts(entry)) == 0 {
			wrong = append(wrong, fmt.Sprintf("filter_errors[%d] is %s: neither a non-empty string nor an object that holds one", i, answer.Describe(entry)))
		}
	}
	return wrong
}

func namesRule(rule string) answer.Check {
	return func(a *answer.Answer) []string {
		if slices.ContainsFunc(named(a), func(text string) bool { return strings.Contains(text, rule) }) {
			return nil
		}
		return []string{fmt.Sprintf("no entry of filter_errors contains %q", rule)}
	}
}

// named returns every text in the entries of filter_errors, in order and without repetition.
func named(a *answer.Answer) []string {
	var all []string
	for _, entry := range list(a, "filter_errors") {
		all = append(all, texts(entry)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// texts returns the non-empty strings of an entry of filter_errors: itself, or its members.
func texts(entry any) []string {
	var found []string
	switch e := entry.(type) {
	case string:
		found = append(found, e)
	case map[string]any:
		for _, member := range e {
			if text, ok := member.(string); ok {
				found = append(found, text)
			}
		}
	}
	return slices.DeleteFunc(found, func(text string) bool { return strings.TrimSpace(text) == "" })
}

// pingMember checks a member of the answer to a ping.
func pingMember(name string, test func(any) string) answer.Check {
	return func(a *answer.Answer) []string { return answer.Member(pingPlace(a)+name, test)(a) }
}

// pingText returns a string member of the answer to a ping.
func pingText(a *answer.Answer, name string) string { return a.Text(path(pingPlace(a) + name)...) }

// pingPlace is where the answer to a ping stands: bare, or under data as leads may.
func pingPlace(a *answer.Answer) string {
	if _, bare := a.Member("accepted"); bare {
		return ""
	}
	return under(a, "data")
}

// BeWelcome matches a ping that was not refused, and what else the row asks of it.
func BeWelcome(more ...answer.Check) *answer.Matcher {
	return answer.That("a ping that is welcome: 2xx, and accepted is not false", append([]answer.Check{answer.Object(), welcomed}, more...)...)
}

func welcomed(a *answer.Answer) []string {
	if !a.Success() {
		return []string{fmt.Sprintf("the status is %d", a.Status)}
	}
	if accepted, _ := a.Member(path(pingPlace(a) + "accepted")...); accepted == false {
		return []string{"the ping was refused"}
	}
	return nil
}

// BeRefusedPing matches a ping that was refused, in one of the two ways (LD-PING-03).
func BeRefusedPing() *answer.Matcher {
	return answer.That("a refusal: 200 with accepted false and a reason, or 422 with filter_errors", func(a *answer.Answer) []string {
		if a.Status == 422 {
			return namesRules(a)
		}
		return slices.Concat(answer.Status(200, 422)(a),
			pingMember("accepted", answer.Equals(false))(a), pingMember("reason", answer.NonEmptyString)(a))
	})
}
