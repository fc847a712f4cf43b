package distro

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"leadconform/reference/internal/wire"
	"leadconform/reference/internal/world"
)

// FieldRule says what a system field must look like. All system fields are strings.
type FieldRule struct {
	Name     string
	Required bool
	// Check returns what is wrong with the text, in words that go on from the field's name, or "" if it is well formed.
	// Nil accepts every text.
	Check func(text string) string
}

// FieldError is one entry of field_errors (LD-400-15).
type FieldError struct {
	Field   string `json:"field"`
	Code    string `json:"code"` // required, invalid_type, invalid_format, or duplicate for a repeated member
	Message string `json:"message"`
}

// The codes of field errors.
const (
	codeRequired      = "required"
	codeInvalidType   = "invalid_type"
	codeInvalidFormat = "invalid_format"
	codeDuplicate     = "duplicate"
)

// maxText is the longest text that a system field may hold, in characters: what the longest email address needs.
const maxText = 320

// ingestFields are the system fields in the order of the documents. flo_ping_id ties the lead to a ping (LD-PING-05).
func ingestFields() []FieldRule {
	return []FieldRule{
		{Name: "flo_campaign_id", Required: true},
		{Name: "flo_supplier_id", Required: true},
		{Name: "first_name", Required: true},
		{Name: "last_name", Required: true},
		{Name: "phone", Required: true, Check: phoneFault},
		{Name: "email", Required: true, Check: emailFault},
		{Name: "state", Check: stateFault},
		{Name: "flo_ping_id"},
	}
}

// pingFields are the same, but a ping must name only the campaign and the supplier (LD-PING-01, LD-PING-02).
func pingFields() []FieldRule {
	fields := ingestFields()
	for i := range fields {
		fields[i].Required = fields[i].Name == "flo_campaign_id" || fields[i].Name == "flo_supplier_id"
	}
	return fields
}

// validateLead collects every structural fault of a lead into one answer (LD-400-14): the system fields, and then the custom
// fields that the campaign requires. Which those are is told only to a supplier that the campaign is open to.
func (a *API) validateLead(_ context.Context, c *Call) *wire.Answer {
	faults := a.Validate(c.Lead, a.IngestFields)
	if campaign, ok := a.CampaignOf(c.Lead.Text("flo_campaign_id")); ok && a.Attached(campaign, c.Supplier) {
		faults = append(faults, a.Missing(campaign, c.Lead)...)
	}
	return a.refuseFaults(faults)
}

// validatePing looks at whatever system fields a ping has. It needs no custom field.
func (a *API) validatePing(_ context.Context, c *Call) *wire.Answer {
	return a.refuseFaults(a.Validate(c.Lead, a.PingFields))
}

func (a *API) refuseFaults(faults []FieldError) *wire.Answer {
	if len(faults) == 0 {
		return nil
	}
	return new(a.Answers.Invalid(faults))
}

func validate(lead Lead, rules []FieldRule) []FieldError {
	var faults []FieldError
	for _, rule := range rules {
		if code, problem := rule.judge(lead); code != "" {
			faults = append(faults, FieldError{Field: rule.Name, Code: code, Message: rule.Name + " " + problem})
		}
	}
	return faults
}

// judge returns the code of what is wrong with the field, and the problem in words; no code if all is well.
func (rule FieldRule) judge(lead Lead) (code, problem string) {
	field, sent := lead.Field(rule.Name)
	switch {
	case !sent && rule.Required:
		return codeRequired, "is required"
	case !sent:
		return "", ""
	case !field.IsText():
		return codeInvalidType, "must be a string"
	case rule.Required && strings.TrimSpace(field.Text) == "":
		return codeRequired, "is required and must not be blank"
	case utf8.RuneCountInString(field.Text) > maxText:
		return codeInvalidFormat, fmt.Sprintf("must have at most %d characters", maxText)
	case strings.ContainsFunc(field.Text, unicode.IsControl):
		return codeInvalidFormat, "must not hold control characters"
	case rule.Check == nil:
		return "", ""
	}
	if problem = rule.Check(field.Text); problem != "" {
		return codeInvalidFormat, problem
	}
	return "", ""
}

// missing counts a custom field that says nothing (null, an empty or blank string) as missing (LD-400-18).
func missing(campaign *world.Campaign, lead Lead) []FieldError {
	var faults []FieldError
	for _, name := range campaign.RequiredFields {
		field, sent := lead.Field(name)
		if sent && field.Value.Kind() != 'n' && !(field.IsText() && strings.TrimSpace(field.Text) == "") {
			continue
		}
		faults = append(faults, FieldError{Field: name, Code: codeRequired, Message: name + " is required by this campaign"})
	}
	return faults
}
