package mutant

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/google/uuid"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// insertionEnvelope breaks IN-ENV-*.
func insertionEnvelope() []Mutant {
	ofPatch := func(x *exchange) bool { return x.request.Method == http.MethodPatch }
	return []Mutant{
		{
			ID: "in-failure-without-ok", Title: "failures have error alone, without ok",
			Doc:   "A client that asks for ok === false never sees a failure.",
			Kills: []string{"IN-ENV-01", "IN-404-01", "IN-405-01", "IN-409-01", "IN-500-01"},
			Apply: answers(refused(), drop("ok")),
		},
		{
			ID: "in-400-without-ok", Title: "a 400 has no ok",
			Doc:   "Validation is answered by a library that doesn't know the envelope.",
			Kills: []string{"IN-ENV-01"},
			Apply: answers(refused(400), drop("ok")),
		},
		{
			ID: "in-401-ok-as-text", Title: `a 401 has ok "false", a string`,
			Doc:   "In a language without types the string is true wherever it is asked.",
			Kills: []string{"IN-ENV-01"},
			Apply: answers(refused(401), set("ok", "false")),
		},
		{
			ID: "in-403-code-in-message", Title: "a 403 has error null and the code in message",
			Doc:   "The code stands in another member than the document says.",
			Kills: []string{"IN-ENV-01", "IN-ENV-02", "IN-ENV-04", "IN-403-01", "IN-403-02", "IN-403-03"},
			Apply: answers(refused(403), object(func(o map[string]any) { o["message"], o["error"] = o["error"], nil })),
		},
		{
			ID: "in-405-empty-body", Title: "a 405 has no body",
			Doc:   "The router answers before the API does.",
			Kills: []string{"IN-ENV-01", "IN-ENV-02", "IN-ENV-05", "IN-405-01"},
			Apply: answers(refused(405), text("", "")),
		},
		{
			ID: "in-bearer-401-without-ok", Title: "the 401 of a bearer token has no ok",
			Doc:   "Bearer tokens are read by a library, which answers by itself.",
			Kills: []string{"IN-ENV-01"},
			Apply: answers(all(refused(401), containing("invalid_bearer")), drop("ok")),
		},
		{
			ID: "in-expired-401-without-ok", Title: "the 401 of an old signature has no ok",
			Doc:   "The age is judged in another place than the signature.",
			Kills: []string{"IN-ENV-01"},
			Apply: answers(all(refused(401), containing("signature_expired")), drop("ok")),
		},
		{
			ID: "in-patch-400-without-ok", Title: "a PATCH's 400 of a faulty field has no ok",
			Doc:   "The endpoint is younger, and has a validation of its own.",
			Kills: []string{"IN-ENV-01"},
			Apply: answers(all(refused(400), ofPatch, containing("first_name")), drop("ok")),
		},
		{
			ID: "in-patch-malformed-in-html", Title: "a PATCH of malformed JSON is answered with a page",
			Doc:   "The framework's parser refuses the body before the handler sees it.",
			Kills: []string{"IN-ENV-01", "IN-ENV-05"},
			Apply: answers(all(refused(400), ofPatch, containing("malformed_json")), text("text/html", "<h1>Bad Request</h1>")),
		},
		{
			ID: "in-403-of-reading-without-ok", Title: "the 403 of a GET has no ok",
			Doc:   "One scope is checked by the router, the other by the handler.",
			Kills: []string{"IN-ENV-01"},
			Apply: answers(all(refused(403), containing("leads:read")), drop("ok")),
		},
		{
			ID: "in-405-named-by-route", Title: "an unknown method has a name of its own on each route",
			Doc:   "The names were made up where they were needed.",
			Kills: []string{"IN-ENV-04"},
			Apply: answers(all(refused(405), func(x *exchange) bool { return x.request.URL.Path == insertionLeads }), set("error", "unsupported_method")),
		},
		{
			ID: "in-400-numbered", Title: "a validation error ends in a number that is never the same",
			Doc:   "The support asked for one.",
			Kills: []string{"IN-ENV-04"},
			Apply: answers(all(refused(400), func(x *exchange) bool { return x.request.Method == http.MethodPost }),
				rewrite("error", func(old string) any { return old + " (incident " + uuid.NewString() + ")" })),
		},
		{
			ID: "in-malformed-in-plain-text", Title: "malformed JSON is answered in plain text",
			Doc:   "The framework's parser answers before the API does.",
			Kills: []string{"IN-ENV-01", "IN-ENV-05"},
			Apply: answers(all(refused(400), containing("malformed_json")), text("text/plain", "Bad Request")),
		},
		{
			ID: "in-404-prose", Title: "a 404's error is a sentence",
			Doc:   "A message for people stands where a client expects an identifier.",
			Kills: []string{"IN-ENV-02"},
			Apply: refusing(insertion.CodeNotFound, named("Lead not found")),
		},
		{
			ID: "in-405-upper-case", Title: "a 405's error is in upper case",
			Doc:   "The name of the constant is sent in place of its value.",
			Kills: []string{"IN-ENV-02"},
			Apply: refusing(insertion.CodeMethodNotAllowed, named("METHOD_NOT_ALLOWED")),
		},
		{
			ID: "in-405-status-text", Title: "a 405's error is the status's own text",
			Doc:   "The envelope is filled with what the framework says by default.",
			Kills: []string{"IN-ENV-02"},
			Apply: refusing(insertion.CodeMethodNotAllowed, named(http.StatusText(http.StatusMethodNotAllowed))),
		},
		{
			ID: "in-success-without-ok", Title: "successes have no ok",
			Doc:   "Only failures are put into the envelope.",
			Kills: []string{"IN-ENV-03", "IN-PATCH-01"},
			Apply: answers(succeeded, drop("ok")),
		},
		{
			ID: "in-list-without-ok", Title: "the list has no ok",
			Doc:   "One endpoint was forgotten.",
			Kills: []string{"IN-ENV-03"},
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.ListAnswer
				a.ListAnswer = func(page []leads.InsertionLead, cursor *string) wire.Answer {
					answer := next(page, cursor)
					delete(answer.Body.(insertion.Object), "ok")
					return answer
				}
			}),
		},
		{
			ID: "in-deduped-not-ok", Title: "a POST that is deduped has ok false",
			Doc:   "A replay is taken for something that went wrong.",
			Kills: []string{"IN-ENV-03"},
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.UpsertAnswer
				a.UpsertAnswer = func(lead leads.InsertionLead, outcome leads.Outcome) wire.Answer {
					answer := next(lead, outcome)
					answer.Body.(insertion.Object)["ok"] = outcome != leads.Deduped
					return answer
				}
			}),
		},
		{
			ID: "in-404-named-by-method", Title: "PATCH names an unknown lead otherwise than GET",
			Doc:   "Two handlers were written at two times.",
			Kills: []string{"IN-ENV-04"},
			Apply: insertionAPI(func(a *insertion.API) {
				finding(a, func(_ context.Context, call *insertion.Call, lead leads.InsertionLead, err error) (leads.InsertionLead, error) {
					if err != nil && call.Route.Endpoint == insertion.EndpointPatch {
						err = refusal(http.StatusNotFound, "lead_not_found")
					}
					return lead, err
				})
			}),
		},
		{
			ID: "in-404-numbered", Title: "a 404's error ends in a number that is never the same",
			Doc:   "A reference for the support is put where a client looks for something to branch on.",
			Kills: []string{"IN-ENV-04"},
			Apply: insertionAPI(func(a *insertion.API) {
				var n atomic.Int64
				failure := a.Failure
				a.Failure = func(r *insertion.Refusal) wire.Answer {
					if r.Status == http.StatusNotFound {
						r = &insertion.Refusal{Status: r.Status, Code: fmt.Sprintf("not_found:r%d", n.Add(1))}
					}
					return failure(r)
				}
			}),
		},
		{
			ID: "in-failures-unlabelled", Title: "failures are labelled text/plain",
			Doc:   "The body is JSON, and the label is the framework's default.",
			Kills: []string{"IN-ENV-05"},
			Apply: answers(refused(), header("Content-Type", "text/plain; charset=utf-8")),
		},
	}
}
