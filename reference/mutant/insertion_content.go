package mutant

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// insertionContent breaks IN-400-*, apart from what insertionTypes breaks.
func insertionContent() []Mutant {
	return []Mutant{
		{
			ID: "in-malformed-500", Title: "malformed JSON on POST is a 500",
			Doc:   "Nobody catches what the parser throws.",
			Kills: []string{"IN-400-01", "IN-400-11", "IN-ENV-01", "IN-ENV-05"},
			Apply: decoding(func(call *insertion.Call, members []wire.Member, err error) ([]wire.Member, error) {
				if err != nil && call.Route.Endpoint == insertion.EndpointCreate {
					err = refusal(http.StatusInternalServerError, insertion.CodeInternalError)
				}
				return members, err
			}),
		},
		{
			ID: "in-malformed-422", Title: "a body that can't be parsed is a 422 on PATCH",
			Doc:   "One route has the framework's own status.",
			Kills: []string{"IN-400-01"},
			Apply: decoding(func(call *insertion.Call, members []wire.Member, err error) ([]wire.Member, error) {
				if err != nil && len(call.Body) > 0 && call.Route.Endpoint == insertion.EndpointPatch {
					err = refusal(http.StatusUnprocessableEntity, "unprocessable_entity")
				}
				return members, err
			}),
		},
		{
			ID: "in-array-of-one", Title: "an array of one lead is taken for the lead",
			Doc:   "A bulk format of before lives on.",
			Kills: []string{"IN-400-01"},
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.Decode
				a.Decode = func(call *insertion.Call) ([]wire.Member, error) {
					if body := bytes.TrimSpace(call.Body); len(body) > 2 && body[0] == '[' {
						call.Body = body[1 : len(body)-1]
					}
					return next(call)
				}
			}),
		},
		{
			ID: "in-trailing-ignored", Title: "what follows the first JSON value is ignored",
			Doc:   "A streaming decoder stops at the end of the value.",
			Kills: []string{"IN-400-01", "IN-400-11"},
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.Decode
				a.Decode = func(call *insertion.Call) ([]wire.Member, error) {
					decoder := json.NewDecoder(bytes.NewReader(call.Body))
					var first json.RawMessage
					if decoder.Decode(&first) == nil {
						call.Body = first
					}
					return next(call)
				}
			}),
		},
		{
			ID: "in-patch-null-500", Title: "a PATCH of null is a 500",
			Doc:   "null parses, and a member of it is asked for.",
			Kills: []string{"IN-400-01"},
			Apply: decoding(func(call *insertion.Call, members []wire.Member, err error) ([]wire.Member, error) {
				if err != nil && call.Route.Endpoint == insertion.EndpointPatch && string(call.Body) == "null" {
					err = refusal(http.StatusInternalServerError, insertion.CodeInternalError)
				}
				return members, err
			}),
		},
		{
			ID: "in-single-quotes", Title: "strings in single quotes are accepted",
			Doc:   "A lenient parser, meant for what people write.",
			Kills: []string{"IN-400-01"},
			Apply: decodingAs(func(body []byte) []byte { return bytes.ReplaceAll(body, []byte("'"), []byte(`"`)) }),
		},
		{
			ID: "in-trailing-comma", Title: "a comma after the last member is accepted",
			Doc:   "A lenient parser, meant for configuration files.",
			Kills: []string{"IN-400-01"},
			Apply: decodingAs(func(body []byte) []byte { return bytes.ReplaceAll(body, []byte(",}"), []byte("}")) }),
		},
		{
			ID: "in-names-unquoted", Title: "names without quotes are accepted",
			Doc:   "A parser of YAML, in which nearly all JSON is valid.",
			Kills: []string{"IN-400-01"},
			Apply: decodingAs(func(body []byte) []byte { return bareName.ReplaceAll(body, []byte(`$1"$2":`)) }),
		},
		{
			ID: "in-campaign-truncated", Title: "a campaign_id of 101.5 is 101",
			Doc:   "A number is read as a float and cast.",
			Kills: []string{"IN-400-02"},
			Apply: decoding(func(_ *insertion.Call, members []wire.Member, err error) ([]wire.Member, error) {
				for i, m := range members {
					if f, bad := strconv.ParseFloat(string(m.Value), 64); m.Name == "campaign_id" && bad == nil {
						members[i].Value = jsontext.Value(strconv.FormatInt(int64(f), 10))
					}
				}
				return members, err
			}),
		},
		{
			ID: "in-campaign-by-default", Title: "a lead without campaign_id goes to the account's first campaign",
			Doc:   "A default for the sake of old clients.",
			Kills: []string{"IN-400-02"},
			Apply: completing("campaign_id", func(call *insertion.Call) string { return fmt.Sprint(call.Key.Account.Campaigns[0]) }),
		},
		{
			ID: "in-campaign-404", Title: "a campaign_id that is no integer is a 404",
			Doc:   "It is looked up as it is, and there is no such campaign.",
			Kills: []string{"IN-400-02", "IN-400-12", "IN-ENV-01", "IN-ENV-05"},
			Apply: creating(func(_ *insertion.API, _ *insertion.Call, answer wire.Answer, err error) (wire.Answer, error) {
				if faults := asFaults(err); len(faults) == 1 && faults[0].Field == "campaign_id" {
					err = unknownLead()
				}
				return answer, err
			}),
		},
		{
			ID: "in-external-id-generated", Title: "a lead without external_lead_id gets one",
			Doc:   "The column has a default.",
			Kills: []string{"IN-400-03"},
			Apply: completing("external_lead_id", func(*insertion.Call) string { return strconv.Quote(uuid.NewString()) }),
		},
		{
			ID: "in-external-id-any-text", Title: "external_lead_id may be any text",
			Doc:   "The column is a text.",
			Kills: []string{"IN-400-03", "IN-400-08", "IN-400-12"},
			Apply: decoding(func(_ *insertion.Call, members []wire.Member, err error) ([]wire.Member, error) {
				for i, m := range members {
					if text, bad := strconv.Unquote(string(m.Value)); m.Name == "external_lead_id" && bad == nil && uuid.Validate(text) != nil {
						members[i].Value = jsontext.Value(strconv.Quote(uuid.NewSHA1(uuid.Nil, []byte(text)).String()))
					}
				}
				return members, err
			}),
		},
		{
			ID: "in-contact-optional", Title: "a lead needs neither phone nor email",
			Doc:   "Each of the two is optional, and that one must be there is nobody's business.",
			Kills: []string{"IN-400-04"},
			Apply: forgiving(func(f insertion.Fault) bool { return f.Problem == "required where email is missing" }),
		},
		{
			ID: "in-names-unbounded", Title: "names may have any length",
			Doc:   "The column is a text, and nobody else counts.",
			Kills: []string{"IN-400-05"},
			Apply: checking("last_name", lengths(0, 1<<20)),
		},
		{
			ID: "in-phone-of-nine", Title: "a phone of nine characters is accepted",
			Doc:   "The lower bound is off by one.",
			Kills: []string{"IN-400-05"},
			Apply: checking("phone", lengths(9, 50)),
		},
		{
			ID: "in-phone-of-49", Title: "a phone of fifty characters is refused",
			Doc:   "The upper bound is exclusive.",
			Kills: []string{"IN-400-05"},
			Apply: checking("phone", lengths(10, 49)),
		},
		{
			ID: "in-email-of-254", Title: "an email of 320 characters is refused",
			Doc:   "The bound is that of a mailbox on the wire, not the documented one.",
			Kills: []string{"IN-400-05"},
			Apply: checking("email", lengths(1, 254)),
		},
		{
			ID: "in-unknown-members-dropped", Title: "unknown members of a POST are dropped",
			Doc:   "The parser takes what it knows.",
			Kills: []string{"IN-400-06"},
			Apply: droppingUnknown(insertion.EndpointCreate),
		},
		{
			ID: "in-unknown-members-dropped-on-patch", Title: "unknown members of a PATCH are dropped",
			Doc:   "POST has a strict schema, and PATCH a loose one.",
			Kills: []string{"IN-400-06"},
			Apply: droppingUnknown(insertion.EndpointPatch),
		},
		{
			ID: "in-first-fault-alone", Title: "only the first fault is told",
			Doc:   "Validation stops where something is wrong.",
			Kills: []string{"IN-400-08", "IN-400-12"},
			Apply: faulting(func(faults insertion.Faults) insertion.Faults { return faults[:min(1, len(faults))] }),
		},
		{
			ID: "in-first-fault-of-two", Title: "at most two faults are told",
			Doc:   "The summary is cut to a length.",
			Kills: []string{"IN-400-08", "IN-400-12"},
			Apply: faulting(func(faults insertion.Faults) insertion.Faults { return faults[:min(2, len(faults))] }),
		},
		{
			ID: "in-faults-separated-by-semicolons", Title: "faults are separated by semicolons",
			Doc:   "The summary is for people.",
			Kills: []string{"IN-400-08"},
			Apply: answers(refused(400), rewrite("error", func(old string) any { return strings.ReplaceAll(old, ",", ";") })),
		},
		{
			ID: "in-faults-unnamed", Title: "the summary doesn't say which fields failed",
			Doc:   "The constraint is told and not the path.",
			Kills: []string{"IN-400-12"},
			Apply: faulting(func(faults insertion.Faults) insertion.Faults {
				for i := range faults {
					faults[i].Field = "body"
				}
				return faults
			}),
		},
		{
			ID: "in-invalid-without-words", Title: "a validation error's error is empty",
			Doc:   "The summary is made of messages that the library doesn't have any more.",
			Kills: []string{"IN-400-02", "IN-400-03", "IN-400-07", "IN-400-08", "IN-400-12", "IN-ENV-01"},
			Apply: answers(all(refused(400), containing(": must be"), func(x *exchange) bool { return x.request.Method == http.MethodPost }), set("error", "")),
		},
		{
			ID: "in-empty-patch-ok", Title: "a PATCH with {} is a 200",
			Doc:   "Nothing was asked for, and nothing was done.",
			Kills: []string{"IN-400-09", "IN-ENV-01", "IN-ENV-05"},
			Apply: patching(func(a *insertion.API, call *insertion.Call, next serve) (wire.Answer, error) {
				if string(bytes.TrimSpace(call.Body)) == "{}" {
					lead, err := a.Find(call.Request.Context(), call)
					return a.PatchAnswer(lead, leads.Event{}), err
				}
				return next(call.Request.Context(), call)
			}),
		},
		{
			ID: "in-bodyless-patch-ok", Title: "a PATCH without a body is a 200",
			Doc:   "The body is only looked at if there is one.",
			Kills: []string{"IN-400-09"},
			Apply: patching(func(a *insertion.API, call *insertion.Call, next serve) (wire.Answer, error) {
				if len(call.Body) == 0 {
					lead, err := a.Find(call.Request.Context(), call)
					return a.PatchAnswer(lead, leads.Event{}), err
				}
				return next(call.Request.Context(), call)
			}),
		},
		{
			ID: "in-patch-campaign-ignored", Title: "a campaign_id in a PATCH is ignored",
			Doc:   "What can't be changed is left out of the update, and of the answer.",
			Kills: []string{"IN-400-10"},
			Apply: patchingIdentity("campaign_id"),
		},
		{
			ID: "in-patch-external-id-ignored", Title: "an external_lead_id in a PATCH is ignored",
			Doc:   "What can't be changed is left out of the update, and of the answer.",
			Kills: []string{"IN-400-10"},
			Apply: patchingIdentity("external_lead_id"),
		},
		{
			ID: "in-invalid-post-stored", Title: "a POST that is refused for a field has claimed its tuple",
			Doc:   "The row is inserted first, to have the lock, and stays when the validation fails.",
			Kills: []string{"IN-400-11"},
			Apply: creating(func(a *insertion.API, call *insertion.Call, answer wire.Answer, err error) (wire.Answer, error) {
				if faults := asFaults(err); len(faults) > 0 {
					insertValid(a, call, faults)
				}
				return answer, err
			}),
		},
		{
			ID: "in-malformed-post-stored", Title: "a lead that is followed by something is refused and stored",
			Doc:   "A streaming parser hands the lead on before it has read to the end.",
			Kills: []string{"IN-400-11"},
			Apply: creating(func(a *insertion.API, call *insertion.Call, answer wire.Answer, err error) (wire.Answer, error) {
				var first json.RawMessage
				if err != nil && json.NewDecoder(bytes.NewReader(call.Body)).Decode(&first) == nil && len(first) < len(call.Body) {
					call.Body = first
					insertValid(a, call, nil)
				}
				return answer, err
			}),
		},
		{
			ID: "in-invalid-replay-patches", Title: "a POST of a known tuple that is refused for a field makes the valid changes",
			Doc:   "Field after field is checked and written, where the lead is there already.",
			Kills: []string{"IN-400-11"},
			Apply: creating(func(a *insertion.API, call *insertion.Call, answer wire.Answer, err error) (wire.Answer, error) {
				faults := asFaults(err)
				draft, bad := a.Compose(call, valid(a, call, faults))
				if _, known := stored(call.Request.Context(), a, call, draft); len(faults) > 0 && bad == nil && known {
					insertValid(a, call, faults)
				}
				return answer, err
			}),
		},
		{
			ID: "in-unauthenticated-post-stored", Title: "a wrongly signed POST is refused and stored",
			Doc:   "The queue takes the lead while the signature is still being checked.",
			Kills: []string{"IN-400-11"},
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.Authenticate
				a.Authenticate = func(ctx context.Context, call *insertion.Call) error {
					err := next(ctx, call)
					key, known := a.World.KeyByPublicKey(call.Request.Header.Get("X-AdBuy-Public-Key"))
					if err != nil && known && call.Route.Endpoint == insertion.EndpointCreate {
						taken := *call
						taken.Key = key
						_, _ = a.Create(ctx, &taken)
					}
					return err
				}
			}),
		},
		{
			ID: "in-patch-applied-in-part", Title: "a PATCH with one valid and one faulty field makes the valid change",
			Doc:   "Field after field is checked and written.",
			Kills: []string{"IN-400-11"},
			Apply: patching(func(a *insertion.API, call *insertion.Call, next serve) (wire.Answer, error) {
				answer, err := next(call.Request.Context(), call)
				if faults := asFaults(err); len(faults) > 0 {
					patchValid(a, call, faults)
				}
				return answer, err
			}),
		},
	}
}
