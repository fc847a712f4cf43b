package distro

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFieldFaults(t *testing.T) {
	s := newService(t)
	for _, test := range []struct {
		name string
		edit []any
		want []string
	}{
		{"no campaign", []any{"flo_campaign_id", absent}, []string{"flo_campaign_id:required"}},
		{"no supplier", []any{"flo_supplier_id", absent}, []string{"flo_supplier_id:required"}},
		{"no first name", []any{"first_name", absent}, []string{"first_name:required"}},
		{"no last name", []any{"last_name", absent}, []string{"last_name:required"}},
		{"no phone", []any{"phone", absent}, []string{"phone:required"}},
		{"no email", []any{"email", absent}, []string{"email:required"}},

		{"an empty first name", []any{"first_name", ""}, []string{"first_name:required"}},
		{"a blank last name", []any{"last_name", " \t\n "}, []string{"last_name:required"}},
		{"a blank phone", []any{"phone", "  "}, []string{"phone:required"}},
		{"an empty campaign", []any{"flo_campaign_id", ""}, []string{"flo_campaign_id:required"}},

		{"a number", []any{"phone", 5550100100}, []string{"phone:invalid_type"}},
		{"a boolean", []any{"first_name", true}, []string{"first_name:invalid_type"}},
		{"an object", []any{"email", map[string]any{}}, []string{"email:invalid_type"}},
		{"an array", []any{"flo_campaign_id", []string{"cmp-open"}}, []string{"flo_campaign_id:invalid_type"}},
		{"null", []any{"flo_supplier_id", nil}, []string{"flo_supplier_id:invalid_type"}},
		{"null in an optional field", []any{"state", nil}, []string{"state:invalid_type"}},
		{"a ping id that is no string", []any{"flo_ping_id", 7}, []string{"flo_ping_id:invalid_type"}},

		{"a phone of 9 digits", []any{"phone", "555010010"}, []string{"phone:invalid_format"}},
		{"a phone of 16 digits", []any{"phone", "5550100100123456"}, []string{"phone:invalid_format"}},
		{"a phone with letters", []any{"phone", "555010010a"}, []string{"phone:invalid_format"}},
		{"a phone with ten digits and letters", []any{"phone", "5550100100 ext"}, []string{"phone:invalid_format"}},
		{"a phone with a plus within", []any{"phone", "555+0100100"}, []string{"phone:invalid_format"}},
		{"a phone in other digits", []any{"phone", "٥٥٥٠١٠٠١٠٠"}, []string{"phone:invalid_format"}},

		{"an email without an at", []any{"email", "ada.example.com"}, []string{"email:invalid_format"}},
		{"an email without a domain", []any{"email", "ada@"}, []string{"email:invalid_format"}},
		{"an email without a name", []any{"email", "@example.com"}, []string{"email:invalid_format"}},
		{"an email at a domain without a dot", []any{"email", "ada@example"}, []string{"email:invalid_format"}},
		{"an email with a space", []any{"email", "ada test@example.com"}, []string{"email:invalid_format"}},
		{"an email with two ats", []any{"email", "ada@test@example.com"}, []string{"email:invalid_format"}},
		{"an email with a display name", []any{"email", "Ada <ada@example.com>"}, []string{"email:invalid_format"}},
		{"an email with a quoted name", []any{"email", `"ada test"@example.com`}, []string{"email:invalid_format"}},
		{"an email with a remark", []any{"email", "(me)ada@example.com"}, []string{"email:invalid_format"}},
		{"an email in angle brackets", []any{"email", "<ada@example.com>"}, []string{"email:invalid_format"}},
		{"two emails", []any{"email", "ada@example.com,bob@example.com"}, []string{"email:invalid_format"}},
		{"an email at an address", []any{"email", "ada@[192.0.2.1]"}, []string{"email:invalid_format"}},
		{"an email with an empty label", []any{"email", "ada@example..com"}, []string{"email:invalid_format"}},
		{"an email that ends in a dot", []any{"email", "ada@example.com."}, []string{"email:invalid_format"}},
		{"an email at an underscore", []any{"email", "ada@exam_ple.com"}, []string{"email:invalid_format"}},
		{"an email at a hyphen", []any{"email", "ada@-example.com"}, []string{"email:invalid_format"}},

		{"a state of three letters", []any{"state", "CAL"}, []string{"state:invalid_format"}},
		{"a state of one letter", []any{"state", "C"}, []string{"state:invalid_format"}},
		{"an empty state", []any{"state", ""}, []string{"state:invalid_format"}},
		{"a state of digits", []any{"state", "12"}, []string{"state:invalid_format"}},
		{"a state of one long letter", []any{"state", "é"}, []string{"state:invalid_format"}},

		{"a NUL in a name", []any{"first_name", "A\x00da"}, []string{"first_name:invalid_format"}},
		{"a line end in a name", []any{"last_name", "Test\n"}, []string{"last_name:invalid_format"}},
		{"a NUL in the campaign", []any{"flo_campaign_id", "cmp-open\x00"}, []string{"flo_campaign_id:invalid_format"}},
		{"a NUL in the ping id", []any{"flo_ping_id", "\x00"}, []string{"flo_ping_id:invalid_format"}},
		{"a name that is too long", []any{"first_name", strings.Repeat("é", 321)}, []string{"first_name:invalid_format"}},
		{"an email that is too long", []any{"email", strings.Repeat("a", 309) + "@example.com"}, []string{"email:invalid_format"}},

		{"an email that ends a label in a hyphen", []any{"email", "ada@example-.com"}, []string{"email:invalid_format"}},
		{"a state of a letter and a digit", []any{"state", "C1"}, []string{"state:invalid_format"}},
		{"nothing at all",
			[]any{"flo_campaign_id", absent, "flo_supplier_id", absent, "first_name", absent, "last_name", absent, "phone", absent, "email", absent},
			[]string{"flo_campaign_id:required", "flo_supplier_id:required", "first_name:required", "last_name:required", "phone:required", "email:required"}},
		{"all at once, in the order of the documents",
			[]any{"email", "x", "phone", nil, "state", "Ohio", "last_name", "", "flo_supplier_id", absent},
			[]string{"flo_supplier_id:required", "last_name:required", "phone:invalid_type", "email:invalid_format", "state:invalid_format"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := s.ingest(primaryKey, newLead("cmp-open").with(test.edit...)).wantError(400, "validation_failed")
			if diff := cmp.Diff(test.want, a.fieldErrors()); diff != "" {
				t.Errorf("field_errors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWellFormedLeads(t *testing.T) {
	s := newService(t)
	for _, test := range []struct {
		name string
		edit []any
	}{
		{"nothing special", nil},
		{"a phone of 10 digits", []any{"phone", "5550100100"}},
		{"a phone of 15 digits", []any{"phone", "555010010012345"}},
		{"a phone with punctuation", []any{"phone", " +1 (555) 010-0.100 "}},
		{"an email with a tag", []any{"email", "Ada.O'Test+tag@mail.example.co.uk"}},
		{"an email in another script", []any{"email", "ада@пример.example.com"}},
		{"an email at a domain with marks", []any{"email", "ada@उदाहरण.example.com"}},
		{"an email at a domain with a hyphen", []any{"email", "ada@my-example.com"}},
		{"an email with space around", []any{"email", " ada@example.com "}},
		{"a state", []any{"state", "CA"}},
		{"a state in lower case", []any{"state", "ca"}},
		{"a name in another script", []any{"first_name", "Łucja 李"}},
		{"a name of full length", []any{"first_name", strings.Repeat("é", 320)}},
		{"an email of full length", []any{"email", strings.Repeat("a", 308) + "@example.com"}},
		{"unknown fields of all types", []any{"a", 1, "b", nil, "c", []int{1}, "d", map[string]any{"e": "\x00"}, "error", nil}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.ingest(primaryKey, newLead("cmp-open").with(test.edit...)).want(201)
		})
	}
}

func TestRequiredCustomField(t *testing.T) {
	s := newService(t)
	for _, test := range []struct {
		name  string
		value any
		want  []string
	}{
		{"absent", absent, []string{"case_type:required"}},
		{"null", nil, []string{"case_type:required"}},
		{"empty", "", []string{"case_type:required"}},
		{"blank", " \t", []string{"case_type:required"}},
		{"text", "injury", nil},
		{"a number", 0, nil},
		{"false", false, nil},
		{"an empty array", []int{}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := s.ingest(primaryKey, newLead("cmp-required").with("case_type", test.value))
			if test.want == nil {
				a.want(201)
				return
			}
			if diff := cmp.Diff(test.want, a.wantError(400, "validation_failed").fieldErrors()); diff != "" {
				t.Errorf("field_errors (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("after the system fields", func(t *testing.T) {
		a := s.ingest(primaryKey, newLead("cmp-required").with("phone", "1", "email", absent)).want(400)
		want := []string{"phone:invalid_format", "email:required", "case_type:required"}
		if diff := cmp.Diff(want, a.fieldErrors()); diff != "" {
			t.Errorf("field_errors (-want +got):\n%s", diff)
		}
	})
	t.Run("not told to a supplier from elsewhere", func(t *testing.T) {
		body := newLead("cmp-required").with("flo_supplier_id", "sup-detached")
		s.ingest(detachedKey, body).wantError(403, "forbidden")
		a := s.ingest(detachedKey, body.with("phone", "1")).want(400)
		if diff := cmp.Diff([]string{"phone:invalid_format"}, a.fieldErrors()); diff != "" {
			t.Errorf("field_errors (-want +got):\n%s", diff)
		}
	})
	t.Run("not asked of a ping", func(t *testing.T) {
		s.ping(primaryKey, lead{"flo_campaign_id": "cmp-required", "flo_supplier_id": "sup-primary"}).want(200)
	})
}

func TestPingFaults(t *testing.T) {
	s := newService(t)
	s.ping(primaryKey, lead{"flo_campaign_id": "cmp-open", "flo_supplier_id": "sup-primary"}).want(200)
	a := s.ping(primaryKey, lead{"phone": "1", "state": "Ohio", "first_name": 1, "email": ""}).wantError(400, "validation_failed")
	want := []string{"flo_campaign_id:required", "flo_supplier_id:required", "first_name:invalid_type", "phone:invalid_format", "email:invalid_format", "state:invalid_format"}
	if diff := cmp.Diff(want, a.fieldErrors()); diff != "" {
		t.Errorf("field_errors (-want +got):\n%s", diff)
	}
}
