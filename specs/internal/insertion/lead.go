package insertion

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// lead is the body of a POST or PATCH.
type lead map[string]any

// lead returns a valid lead of a new person, of a tuple that was never seen, for the campaign in a role.
func (d api) lead(campaignRole string) lead {
	person := d.Data.Person()
	return lead{
		"campaign_id":      d.Profile.Insertion.Campaigns[campaignRole],
		"external_lead_id": d.Data.UUID(),
		"phone":            person.Phone,
		"email":            person.Email,
		"first_name":       person.FirstName,
		"last_name":        person.LastName,
	}
}

// full returns a valid lead with every optional member that the profile declares, each with its first value. Phone and
// email stay the person's own, lest different leads look like one person's.
func (d api) full(campaignRole string) lead {
	l := d.lead(campaignRole)
	for name, values := range d.Profile.Insertion.Fields {
		if _, own := l[name]; !own {
			l[name] = values[0]
		}
	}
	return l
}

// Values of first_name that no made-up person has.
const (
	renamed      = "Beatrix"
	renamedAgain = "Cordelia"
)

// set returns a copy with one member set.
func (l lead) set(name string, value any) lead {
	l = maps.Clone(l)
	l[name] = value
	return l
}

// without returns a copy without the named members.
func (l lead) without(names ...string) lead {
	l = maps.Clone(l)
	for _, name := range names {
		delete(l, name)
	}
	return l
}

// only returns a copy with the named members alone, as far as the lead has them.
func (l lead) only(names ...string) lead {
	some := lead{}
	for _, name := range names {
		if value, ok := l[name]; ok {
			some[name] = value
		}
	}
	return some
}

// external is the lead's external_lead_id.
func (l lead) external() string { return fmt.Sprint(l["external_lead_id"]) }

// json is the lead in one line, its members in alphabetical order.
func (l lead) json() []byte {
	body, err := json.Marshal(l)
	if err != nil {
		panic(err) // a lead is made of JSON values
	}
	return body
}

// spaced is a body with white space wherever RFC 8259 §2 allows some.
func spaced(body []byte) []byte {
	out := bytes.NewBufferString(" \r\n\t")
	if err := json.Indent(out, body, "\t", "   "); err != nil {
		panic(err) // the body was made here
	}
	out.WriteString("\n ")
	return out.Bytes()
}

// reversed writes a JSON value with the members of every object in the reverse of the order that json writes.
func reversed(value any) []byte {
	var out bytes.Buffer
	switch v := value.(type) {
	case lead:
		return reversed(map[string]any(v))
	case map[string]any:
		out.WriteByte('{')
		for i, name := range slices.Backward(sortedNames(v)) {
			fmt.Fprintf(&out, "%s:%s", spell(name), reversed(v[name]))
			if i > 0 {
				out.WriteByte(',')
			}
		}
		out.WriteByte('}')
	case []any:
		out.WriteByte('[')
		for i, element := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			out.Write(reversed(element))
		}
		out.WriteByte(']')
	default:
		out.WriteString(spell(value))
	}
	return out.Bytes()
}

func sortedNames[M ~map[string]any](m M) []string { return slices.Sorted(maps.Keys(m)) }

// spell is a JSON value as text.
func spell(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
