package mutant

import (
	"context"
	"net/http"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
	"leadconform/reference/server"
)

// insertionFaults breaks IN-500-*.
func insertionFaults() []Mutant {
	return []Mutant{
		{
			ID: "in-500-with-stack", Title: "a 500 holds a stack trace",
			Doc:   "The page for developers is on in production.",
			Kills: []string{"IN-500-01"},
			Apply: answers(refused(500), set("stack", "Error: connect\n    at Pool.query (/srv/app/node_modules/pg-pool/index.js:45:11)\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)")),
		},
		{
			ID: "in-500-with-go-trace", Title: "a 500 holds the trace of a panic",
			Doc:   "What was recovered is written to the client.",
			Kills: []string{"IN-500-01"},
			Apply: answers(refused(500), set("detail", "runtime error: index out of range [3]\n\ngoroutine 17 [running]:\nmain.(*API).create(0xc000)")),
		},
		{
			ID: "in-500-with-sql", Title: "a 500 holds the statement that failed",
			Doc:   "The driver's message is passed on.",
			Kills: []string{"IN-500-01"},
			Apply: answers(refused(500), set("detail", `duplicate key value violates unique constraint "leads_tuple_key"`)),
		},
		{
			ID: "in-500-with-driver", Title: "a 500 says which host refused the connection",
			Doc:   "The driver's message is passed on.",
			Kills: []string{"IN-500-01"},
			Apply: answers(refused(500), set("cause", "dial tcp 10.0.3.17:5432: connect: connection refused")),
		},
		{
			ID: "in-500-with-exception", Title: "a 500 holds the message of an exception",
			Doc:   "What was caught is written to the client.",
			Kills: []string{"IN-500-01"},
			Apply: answers(refused(500), set("message", "Cannot read properties of undefined (reading 'account_id')")),
		},
		{
			ID: "in-500-with-path", Title: "a 500 names a source file",
			Doc:   "The error is logged and answered in one line.",
			Kills: []string{"IN-500-01"},
			Apply: answers(refused(500), set("at", "insertion/upsert.go:112")),
		},
		{
			ID: "in-500-page", Title: "a 500 is an HTML page",
			Doc:   "The proxy's own page.",
			Kills: []string{"IN-500-01"},
			Apply: answers(refused(500), text("text/html", "<html><h1>500 Internal Server Error</h1></html>")),
		},
		{
			ID: "in-500-prose", Title: "a 500's error is a sentence",
			Doc:   "The message is made for people.",
			Kills: []string{"IN-500-01"},
			Apply: answers(refused(500), set("error", "Something went wrong, please try again later")),
		},
		{
			ID: "in-500-as-200", Title: "a fault while reading is a 200 with ok false",
			Doc:   "Every answer has status 200, and the body tells.",
			Kills: []string{"IN-500-01"},
			Apply: answers(all(refused(500), func(x *exchange) bool { return x.request.Method == http.MethodGet }), status(http.StatusOK)),
		},
		{
			ID: "in-500-half-stored", Title: "a POST that is a 500 has stored half of the lead",
			Doc:   "Two writes without a transaction, and the fault is between them.",
			Kills: []string{"IN-500-02"},
			Apply: afterFault(func(ctx context.Context, a *insertion.API, call *insertion.Call, draft insertion.Draft) {
				delete(draft.Fields, "first_name")
				delete(draft.Fields, "last_name")
				_, _, _ = a.Upsert(ctx, call, draft)
			}),
		},
		{
			ID: "in-500-claims-the-tuple", Title: "a POST that was a 500 is a 409 from then on",
			Doc:   "The tuple is claimed before the write, and not let go when the write fails.",
			Kills: []string{"IN-500-02"},
			Apply: retryingAfterFault(func(lead leads.InsertionLead, _ leads.Outcome) (leads.InsertionLead, leads.Outcome, error) {
				return lead, "", leads.ErrConflict
			}),
		},
		{
			ID: "in-500-inserts-again", Title: "a POST that was a 500 is inserted once more when it is sent again",
			Doc:   "The lead was written and the tuple wasn't noted.",
			Kills: []string{"IN-500-02"},
			Apply: retryingAfterFault(func(lead leads.InsertionLead, _ leads.Outcome) (leads.InsertionLead, leads.Outcome, error) {
				return insertedAgain(lead)
			}),
		},
		{
			ID: "in-500-patched-on-retry", Title: "a POST that was a 500 is patched when it is sent again",
			Doc:   "The lead was written and its digest wasn't.",
			Kills: []string{"IN-500-02"},
			Apply: retryingAfterFault(func(lead leads.InsertionLead, _ leads.Outcome) (leads.InsertionLead, leads.Outcome, error) {
				return lead, leads.Patched, nil
			}),
		},
	}
}

// afterFault makes a mutant that does something of its own when a POST was answered 500.
func afterFault(then func(ctx context.Context, a *insertion.API, call *insertion.Call, draft insertion.Draft)) func(*server.Parts) {
	return func(p *server.Parts) {
		var api *insertion.API
		p.Insertion = func(a *insertion.API) { api = a }
		p.Handler = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				x := record(next, r)
				if x.status == http.StatusInternalServerError && r.Method == http.MethodPost && byInsertion(x) {
					call := &insertion.Call{Request: x.request, Body: x.sent, Route: insertion.Route{Endpoint: insertion.EndpointCreate}}
					if draft, err := understood(r.Context(), api, call); err == nil {
						then(r.Context(), api, call, draft)
					}
				}
				x.write(w)
			})
		}
	}
}

// understood takes a POST through the steps up to the write.
func understood(ctx context.Context, a *insertion.API, call *insertion.Call) (insertion.Draft, error) {
	if err := a.Authenticate(ctx, call); err != nil {
		return insertion.Draft{}, err
	}
	members, err := a.Decode(call)
	if err != nil {
		return insertion.Draft{}, err
	}
	return a.Compose(call, members)
}

// retryingAfterFault makes a mutant that answers a POST otherwise which was answered 500 before, once.
func retryingAfterFault(answer func(lead leads.InsertionLead, outcome leads.Outcome) (leads.InsertionLead, leads.Outcome, error)) func(*server.Parts) {
	return func(p *server.Parts) {
		var failed notes[leads.Tuple, bool]
		afterFault(func(_ context.Context, _ *insertion.API, call *insertion.Call, draft insertion.Draft) {
			failed.swap(tupleOf(call, draft), true)
		})(p)
		remember := p.Insertion
		p.Insertion = func(a *insertion.API) {
			remember(a)
			next := a.Upsert
			a.Upsert = func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
				lead, outcome, err := next(ctx, call, draft)
				if was, _ := failed.swap(lead.Tuple, false); was && err == nil {
					return answer(lead, outcome)
				}
				return lead, outcome, err
			}
		}
	}
}
