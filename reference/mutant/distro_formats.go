package mutant

import (
	"strings"

	"leadconform/reference/internal/distro"
)

// distroFormats are the mutants of LD-400-09 to LD-400-11 and LD-400-19.
func distroFormats() []Mutant {
	return []Mutant{
		{
			ID:    "ld-phone-nine-digits",
			Title: "a phone of nine digits is accepted",
			Doc:   "Off by one at the lower bound.",
			Kills: []string{"LD-400-09"},
			Apply: distroAPI(forgivePhone(func(phone string) bool { return len(digits(phone)) == 9 && digits(phone) == phone })),
		},
		{
			ID:    "ld-phone-sixteen-digits",
			Title: "a phone of sixteen digits is accepted",
			Doc:   "Off by one at the upper bound.",
			Kills: []string{"LD-400-09"},
			Apply: distroAPI(forgivePhone(func(phone string) bool { return len(digits(phone)) == 16 })),
		},
		{
			ID:    "ld-phone-letters-dropped",
			Title: "letters in a phone are dropped before its digits are counted",
			Doc:   "The same function prepares phones for comparison and for validation.",
			Kills: []string{"LD-400-09"},
			Apply: distroAPI(forgivePhone(func(phone string) bool { return len(digits(phone)) >= 10 && len(digits(phone)) <= 15 })),
		},
		{
			ID:    "ld-phone-letters-behind",
			Title: "what follows the digits of a phone is not looked at",
			Doc:   "The text is read as a number, as far as it is one.",
			Kills: []string{"LD-400-09"},
			Apply: distroAPI(forgivePhone(func(phone string) bool {
				end := strings.IndexFunc(phone, func(c rune) bool { return c < '0' || c > '9' })
				return end >= 10 && end <= 15
			})),
		},
		{
			ID:    "ld-phone-letters-before",
			Title: "what stands before the digits of a phone is not looked at",
			Doc:   "The pattern is held against the end of the text alone.",
			Kills: []string{"LD-400-09"},
			Apply: distroAPI(forgivePhone(func(phone string) bool {
				n := len(strings.TrimLeft(phone, "abcdefghijklmnopqrstuvwxyz"))
				return n < len(phone) && n >= 10 && n <= 15
			})),
		},
		{
			ID:    "ld-phone-length-of-text",
			Title: "a phone is any text of 10 to 15 characters",
			Doc:   "The length of the column is all that is checked.",
			Kills: []string{"LD-400-09"},
			Apply: distroAPI(forgivePhone(func(phone string) bool { return len(phone) >= 10 && len(phone) <= 15 })),
		},
		{
			ID:    "ld-phone-code",
			Title: "the code of an ill-formed phone is invalid_phone",
			Doc:   "A code for each field, in the place of one for each kind of fault.",
			Kills: []string{"LD-400-09"},
			Apply: distroAPI(recode("phone", "invalid_format", "invalid_phone")),
		},
		{
			ID:    "ld-phone-fifteen-refused",
			Title: "a phone of fifteen digits is refused",
			Doc:   "Off by one at the upper bound, the other way.",
			Kills: []string{"LD-400-10"},
			Apply: distroAPI(refusePhone(func(phone string) bool { return len(digits(phone)) > 14 })),
		},
		{
			ID:    "ld-phone-ten-refused",
			Title: "a phone of ten digits is refused, unless its area is 555",
			Doc:   "Only numbers with the country's code are taken, apart from the ones of the test suite.",
			Kills: []string{"LD-400-10"},
			Apply: distroAPI(refusePhone(func(phone string) bool {
				return len(digits(phone)) == 10 && !strings.HasPrefix(phone, "555")
			})),
		},
		{
			ID:    "ld-email-unchecked",
			Title: "any text is an email",
			Doc:   "Addresses are left for the mailer to check.",
			Kills: []string{"LD-400-11"},
			Apply: distroAPI(func(a *distro.API) { field(a, "email", func(f *distro.FieldRule) { f.Check = nil }) }),
		},
		{
			ID:    "ld-email-has-an-at",
			Title: "any text with an @ is an email",
			Doc:   "The simplest check there is.",
			Kills: []string{"LD-400-11"},
			Apply: distroAPI(func(a *distro.API) {
				field(a, "email", func(f *distro.FieldRule) {
					f.Check = func(text string) string {
						if !strings.Contains(text, "@") {
							return "must be an email address"
						}
						return ""
					}
				})
			}),
		},
		{
			ID:    "ld-state-unchecked",
			Title: "any text is a state",
			Doc:   "Nobody asked for a check of an optional field.",
			Kills: []string{"LD-400-19"},
			Apply: distroAPI(func(a *distro.API) { field(a, "state", func(f *distro.FieldRule) { f.Check = nil }) }),
		},
		{
			ID:    "ld-state-two-characters",
			Title: "any two characters are a state",
			Doc:   "The length of the column is all that is checked.",
			Kills: []string{"LD-400-19"},
			Apply: distroAPI(func(a *distro.API) {
				field(a, "state", func(f *distro.FieldRule) {
					f.Check = func(text string) string {
						if len(text) != 2 {
							return "must be two letters"
						}
						return ""
					}
				})
			}),
		},
	}
}

// forgivePhone accepts an ill-formed phone that a condition picks.
func forgivePhone(which func(phone string) bool) func(*distro.API) {
	return func(a *distro.API) {
		forgive(a, func(lead distro.Lead, f distro.FieldError) bool {
			return f.Field == "phone" && f.Code == "invalid_format" && which(lead.Text("phone"))
		})
	}
}

// refusePhone refuses a well-formed phone that a condition picks.
func refusePhone(which func(phone string) bool) func(*distro.API) {
	return func(a *distro.API) {
		field(a, "phone", func(f *distro.FieldRule) {
			check := f.Check
			f.Check = func(text string) string {
				if which(text) {
					return "must have another number of digits"
				}
				return check(text)
			}
		})
	}
}

func digits(text string) string {
	return strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, text)
}
