package mutant

import (
	"github.com/go-json-experiment/json/jsontext"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/wire"
)

// The optional members of a lead.
var insertionFields = []string{
	"phone", "email", "first_name", "last_name", "source", "source_form_url", "ip_address", "tcpa_consent",
	"tcpa_consent_text", "tcpa_consent_timestamp", "custom_fields", "workflow_ids",
}

// insertionTypes breaks IN-400-07, field by field.
func insertionTypes() []Mutant {
	// Some fields play a part in other rows too: they are faulty there, among others.
	also := map[string][]string{
		"phone":      {"IN-400-08", "IN-400-12"},
		"email":      {"IN-400-08", "IN-400-12"},
		"first_name": {"IN-400-08", "IN-400-12", "IN-400-11"},
		"last_name":  {"IN-400-11"},
	}
	all := []Mutant{
		{
			ID: "in-types-unchecked-on-patch", Title: "PATCH takes a value of any type",
			Doc:   "POST has a schema, and PATCH has none.",
			Kills: []string{"IN-400-07", "IN-400-11"},
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.CheckPatch
				a.CheckPatch = func(members []wire.Member) insertion.Faults {
					var faults insertion.Faults
					for _, f := range next(members) {
						if p := a.Schema.Find(f.Field); p == nil || p.Tuple {
							faults = append(faults, f)
						}
					}
					return faults
				}
			}),
		},
	}
	all = append(all, Mutant{
		ID: "in-elements-unchecked", Title: "workflow_ids takes an array of anything",
		Doc:   "That it is an array is checked, and not what it holds.",
		Kills: []string{"IN-400-07"},
		Apply: insertionAPI(func(a *insertion.API) {
			p := a.Schema.Find("workflow_ids")
			next := p.Check
			p.Check = func(value jsontext.Value) []string {
				if value.Kind() == '[' {
					return nil
				}
				return next(value)
			}
		}),
	})
	for _, field := range insertionFields {
		all = append(all, Mutant{
			ID: "in-type-unchecked-" + field, Title: field + " takes a value of any type",
			Doc:   "The field goes into the database as it comes, or is turned into what the column wants.",
			Kills: append([]string{"IN-400-07"}, also[field]...),
			Apply: insertionAPI(func(a *insertion.API) {
				p := a.Schema.Find(field)
				next := p.Check
				p.Check = func(value jsontext.Value) []string {
					if ofRightKind(field, value) {
						return next(value)
					}
					return nil
				}
			}),
		})
	}
	return all
}

// ofRightKind reports whether a value is of the JSON type that a field has.
func ofRightKind(field string, value jsontext.Value) bool {
	kind := value.Kind()
	switch field {
	case "tcpa_consent":
		return kind == 't' || kind == 'f'
	case "custom_fields":
		return kind == '{'
	case "workflow_ids":
		return kind == '['
	}
	return kind == '"'
}
