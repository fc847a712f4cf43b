package mutant

import (
	"slices"

	"leadconform/reference/internal/distro"
	"leadconform/reference/internal/world"
)

// distroFields are the mutants of LD-400-* that look wrongly at single fields.
func distroFields() []Mutant {
	return slices.Concat(distroRequired(), distroTypes(), distroFormats())
}

func distroRequired() []Mutant {
	return []Mutant{
		unasked("ld-campaign-unasked", "flo_campaign_id", "LD-400-01"),
		unasked("ld-supplier-unasked", "flo_supplier_id", "LD-400-02"),
		unasked("ld-first-name-unasked", "first_name", "LD-400-03"),
		unasked("ld-last-name-unasked", "last_name", "LD-400-04"),
		unasked("ld-phone-unasked", "phone", "LD-400-05"),
		unasked("ld-email-unasked", "email", "LD-400-06"),
		{
			ID:    "ld-required-is-missing",
			Title: "the code of a missing email is missing, not required",
			Doc:   "A validation library's own codes show through.",
			Kills: []string{"LD-400-06"},
			Apply: distroAPI(recode("email", "required", "missing")),
		},
		{
			ID:    "ld-field-renamed",
			Title: "a fault of flo_supplier_id is reported as supplier_id",
			Doc:   "The name within the program shows through, in the place of the one that was sent.",
			Kills: []string{"LD-400-02", "LD-400-08"},
			Apply: answers(all(on(ingest), with(400)), each("field_errors", func(entry map[string]any) {
				if entry["field"] == "flo_supplier_id" {
					entry["field"] = "supplier_id"
				}
			})),
		},
		{
			ID:    "ld-custom-field-unasked",
			Title: "a campaign's required field is not asked for",
			Doc:   "Campaigns' own fields are kept and shown, but not validated.",
			Kills: []string{"LD-400-07", "LD-400-14"},
			Apply: distroAPI(func(a *distro.API) {
				a.Missing = func(*world.Campaign, distro.Lead) []distro.FieldError { return nil }
			}),
		},
		{
			ID:    "ld-custom-field-422",
			Title: "a campaign's required field that is missing is a 422",
			Doc:   "What a campaign asks for is taken for a business rule.",
			Kills: []string{"LD-400-07", "LD-400-14"},
			Apply: distroAPI(func(a *distro.API) {
				missing := a.Missing
				a.Missing = func(*world.Campaign, distro.Lead) []distro.FieldError { return nil }
				rule(a, "filters", func(c *distro.Call, caught []distro.FilterError) []distro.FilterError {
					if c.Endpoint != "ingest" {
						return caught
					}
					for _, f := range missing(c.Campaign, c.Lead) {
						caught = append(caught, distro.FilterError{Rule: "required_" + f.Field, Message: f.Message})
					}
					return caught
				})
			}),
		},
		{
			ID:    "ld-custom-field-bad-request",
			Title: "the error of a missing custom field is bad_request",
			Doc:   "Campaigns' fields are checked by a later layer with identifiers of its own.",
			Kills: []string{"LD-400-07"},
			Apply: answers(all(on(ingest), with(400), containing("by this campaign")), set("error", "bad_request")),
		},
		{
			ID:    "ld-blank-accepted",
			Title: "an empty string will do for a last name",
			Doc:   "Only the presence of the member is looked at.",
			Kills: []string{"LD-400-18"},
			Apply: distroAPI(func(a *distro.API) {
				forgive(a, func(lead distro.Lead, f distro.FieldError) bool {
					_, sent := lead.Field(f.Field)
					return f.Field == "last_name" && sent && f.Code == "required"
				})
			}),
		},
		{
			ID:    "ld-spaces-accepted",
			Title: "spaces alone will do for a first name",
			Doc:   "A text is compared with the empty one before it is trimmed.",
			Kills: []string{"LD-400-18"},
			Apply: distroAPI(func(a *distro.API) {
				forgive(a, func(lead distro.Lead, f distro.FieldError) bool {
					return f.Field == "first_name" && lead.Text(f.Field) != "" && f.Code == "required"
				})
			}),
		},
		{
			ID:    "ld-blank-campaign-404",
			Title: "an empty flo_campaign_id is a 404",
			Doc:   "Only the presence of the member is looked at, and nothing is the id of no campaign.",
			Kills: []string{"LD-400-18"},
			Apply: distroAPI(func(a *distro.API) {
				forgive(a, func(lead distro.Lead, f distro.FieldError) bool {
					_, sent := lead.Field(f.Field)
					return f.Field == "flo_campaign_id" && sent && f.Code == "required"
				})
			}),
		},
		{
			ID:    "ld-blank-ill-formed",
			Title: "a blank phone or email is ill-formed, not missing",
			Doc:   "The check of the form comes first.",
			Kills: []string{"LD-400-18"},
			Apply: distroAPI(func(a *distro.API) {
				faults(a, func(lead distro.Lead, found []distro.FieldError) []distro.FieldError {
					for i, f := range found {
						_, sent := lead.Field(f.Field)
						if (f.Field == "phone" || f.Field == "email") && sent && f.Code == "required" {
							found[i].Code = "invalid_format"
						}
					}
					return found
				})
			}),
		},
	}
}

// unasked is a mutant that takes a lead without one of the required fields.
func unasked(id, name, kills string) Mutant {
	return Mutant{
		ID:    id,
		Title: "a lead without " + name + " is not refused for it",
		Doc:   "The field was made optional for one integration, and for all others with it.",
		Kills: []string{kills},
		Apply: distroAPI(func(a *distro.API) {
			forgive(a, func(lead distro.Lead, f distro.FieldError) bool {
				_, sent := lead.Field(name)
				return f.Field == name && !sent
			})
		}),
	}
}

// recode changes the code of a field's faults.
func recode(name, from, to string) func(*distro.API) {
	return func(a *distro.API) {
		faults(a, func(_ distro.Lead, found []distro.FieldError) []distro.FieldError {
			for i, f := range found {
				if f.Field == name && f.Code == from {
					found[i].Code = to
				}
			}
			return found
		})
	}
}

func distroTypes() []Mutant {
	return []Mutant{
		{
			ID:    "ld-phone-number-accepted",
			Title: "a phone that is a JSON number is accepted",
			Doc:   "Numbers are turned into text before they are looked at.",
			Kills: []string{"LD-400-08"},
			Apply: distroAPI(forgiveType("phone", '0')),
		},
		{
			ID:    "ld-null-accepted",
			Title: "a last name that is null is accepted",
			Doc:   "null counts as a value in the test for presence, and as a text after it.",
			Kills: []string{"LD-400-08"},
			Apply: distroAPI(forgiveType("last_name", 'n')),
		},
		{
			ID:    "ld-boolean-accepted",
			Title: "a first name that is a boolean is accepted",
			Doc:   "A language that turns everything into text.",
			Kills: []string{"LD-400-08"},
			Apply: distroAPI(func(a *distro.API) {
				forgiveType("first_name", 't')(a)
				forgiveType("first_name", 'f')(a)
			}),
		},
		{
			ID:    "ld-array-accepted",
			Title: "an email in an array is accepted",
			Doc:   "A form's decoder, where every value is a list, is used for JSON as well.",
			Kills: []string{"LD-400-08"},
			Apply: distroAPI(forgiveType("email", '[')),
		},
		{
			ID:    "ld-object-accepted",
			Title: "a first name that is an object is accepted",
			Doc:   "The field was free-form once.",
			Kills: []string{"LD-400-08"},
			Apply: distroAPI(forgiveType("first_name", '{')),
		},
		{
			ID:    "ld-wrong-type-422",
			Title: "a field of the wrong type is a 422",
			Doc:   "The framework's own status for a body that doesn't fit its model.",
			Kills: []string{"LD-400-08", "LD-400-16"},
			Apply: answers(all(on(ingest), with(400), containing(`"invalid_type"`)), status(422)),
		},
		{
			ID:    "ld-wrong-type-unnamed",
			Title: "a field of the wrong type is a 400 without field_errors",
			Doc:   "The decoder fails before the validation that names fields.",
			Kills: []string{"LD-400-08"},
			Apply: answers(all(on(ingest), with(400), containing(`"invalid_type"`)), set("field_errors", []any{})),
		},
		{
			ID:    "ld-wrong-type-no-code",
			Title: "the code of a wrong type is empty",
			Doc:   "A table of codes lacks an entry, and its zero value is sent.",
			Kills: []string{"LD-400-08", "LD-400-15"},
			Apply: distroAPI(func(a *distro.API) {
				for _, f := range a.IngestFields {
					recode(f.Name, "invalid_type", "")(a)
				}
			}),
		},
	}
}

// forgiveType accepts a field of another JSON type, where kind is the first byte of its value ('0' for a number).
func forgiveType(name string, kind byte) func(*distro.API) {
	return func(a *distro.API) {
		forgive(a, func(lead distro.Lead, f distro.FieldError) bool {
			sent, _ := lead.Field(name)
			return f.Field == name && f.Code == "invalid_type" && byte(sent.Value.Kind()) == kind
		})
	}
}
