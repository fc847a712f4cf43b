package insertion

// The members that make the tuple, and the two of which a lead needs one.
const (
	fieldCampaignID     = "campaign_id"
	fieldExternalLeadID = "external_lead_id"
	fieldPhone          = "phone"
	fieldEmail          = "email"
)

// Schema says what the members of a lead look like, in the order in which they are documented. Lengths are counted in
// characters. null is a value of the wrong type everywhere: a member is left out, not nulled.
type Schema []*Property

// Property is one member that a lead may have.
type Property struct {
	Name  string
	Tuple bool // part of the idempotency key: a POST must have it, a PATCH must not
	Check Check
}

// Find returns the property of that name, or nil if a lead has no such member.
func (s Schema) Find(name string) *Property {
	for _, p := range s {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// newSchema is the create body of the contract (part B), which a PATCH shares.
func newSchema() Schema {
	return Schema{
		{Name: fieldCampaignID, Tuple: true, Check: positiveInteger},
		{Name: fieldExternalLeadID, Tuple: true, Check: line(uuidText)},
		{Name: fieldPhone, Check: line(between(10, 50))},
		{Name: fieldEmail, Check: line(between(0, 320), emailAddress)},
		{Name: "first_name", Check: line(between(0, 100))},
		{Name: "last_name", Check: line(between(0, 100))},
		{Name: "source", Check: line()},
		{Name: "source_form_url", Check: line(webURL)},
		{Name: "ip_address", Check: line(ipAddress)},
		{Name: "tcpa_consent", Check: boolean},
		{Name: "tcpa_consent_text", Check: prose()},
		{Name: "tcpa_consent_timestamp", Check: line(iso8601)},
		{Name: "custom_fields", Check: object},
		{Name: "workflow_ids", Check: uuidArray},
	}
}
