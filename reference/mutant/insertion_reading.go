package mutant

import (
	"context"
	"maps"
	"net/http"

	"github.com/google/uuid"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
	"leadconform/reference/server"
)

// insertionReading breaks IN-PATCH-* and IN-GET-01.
func insertionReading() []Mutant {
	return []Mutant{
		{
			ID: "in-patch-replaces", Title: "a PATCH clears what it doesn't name",
			Doc:   "The handler of PUT, under another method.",
			Kills: []string{"IN-PATCH-01"},
			Apply: insertionAPI(func(a *insertion.API) {
				var named notes[uuid.UUID, leads.Fields]
				write, view := a.Write, a.View
				a.Write = func(ctx context.Context, call *insertion.Call, read leads.InsertionLead, changes leads.Fields) (leads.InsertionLead, leads.Event, error) {
					lead, event, err := write(ctx, call, read, changes)
					if err == nil {
						named.swap(lead.ID, changes)
					}
					return lead, event, err
				}
				a.View = func(lead leads.InsertionLead) insertion.Object {
					o := view(lead)
					if kept, patched := named.get(lead.ID); patched {
						for _, field := range []string{"source", "source_form_url", "custom_fields"} {
							if _, is := kept[field]; !is {
								o[field] = nil
							}
						}
					}
					return o
				}
			}),
		},
		{
			ID: "in-patch-answers-before", Title: "the answer to a PATCH shows the lead as it was",
			Doc:   "The row that was read is shown, not the one that was written.",
			Kills: []string{"IN-PATCH-01"},
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.Write
				a.Write = func(ctx context.Context, call *insertion.Call, read leads.InsertionLead, changes leads.Fields) (leads.InsertionLead, leads.Event, error) {
					_, event, err := next(ctx, call, read, changes)
					return read, event, err
				}
			}),
		},
		{
			ID: "in-patch-without-ok", Title: "the answer to a PATCH has no ok",
			Doc:   "One endpoint was forgotten.",
			Kills: []string{"IN-PATCH-01", "IN-ENV-03"},
			Apply: answers(all(succeeded, func(x *exchange) bool { return x.request.Method == http.MethodPatch }), drop("ok")),
		},
		{
			ID: "in-patch-204", Title: "a PATCH is a 204 without a body",
			Doc:   "The client knows what it sent, it was thought.",
			Kills: []string{"IN-PATCH-01", "IN-PATCH-02", "IN-ENV-03", "IN-ENV-05", "IN-409-02", "IN-409-03"},
			Apply: answers(all(succeeded, func(x *exchange) bool { return x.request.Method == http.MethodPatch }), status(http.StatusNoContent), text("", "")),
		},
		{
			ID: "in-patch-lacks-a-column", Title: "a PATCH of last_name is answered with the new value and not stored",
			Doc:   "The list of columns that may be changed lacks one.",
			Kills: []string{"IN-PATCH-01"},
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.Write
				a.Write = func(ctx context.Context, call *insertion.Call, read leads.InsertionLead, changes leads.Fields) (leads.InsertionLead, leads.Event, error) {
					kept := maps.Clone(changes)
					delete(kept, "last_name")
					lead, event, err := next(ctx, call, read, kept)
					if err == nil {
						lead.Fields = maps.Clone(lead.Fields)
						maps.Copy(lead.Fields, changes)
					}
					return lead, event, err
				}
			}),
		},
		{
			ID: "in-patch-ignores-a-field", Title: "a PATCH of source_form_url is a 200 that changes nothing",
			Doc:   "The list of columns that may be changed lacks one, and is asked first.",
			Kills: []string{"IN-PATCH-01"},
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.Write
				a.Write = func(ctx context.Context, call *insertion.Call, read leads.InsertionLead, changes leads.Fields) (leads.InsertionLead, leads.Event, error) {
					kept := maps.Clone(changes)
					delete(kept, "source_form_url")
					return next(ctx, call, read, kept)
				}
			}),
		},
		{
			ID: "in-patch-mixes-columns", Title: "a PATCH of email changes phone",
			Doc:   "Two columns were mixed up in the list of those to change.",
			Kills: []string{"IN-PATCH-01"},
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.Write
				a.Write = func(ctx context.Context, call *insertion.Call, read leads.InsertionLead, changes leads.Fields) (leads.InsertionLead, leads.Event, error) {
					mixed := maps.Clone(changes)
					if email, has := mixed["email"]; has {
						mixed["phone"] = email
					}
					return next(ctx, call, read, mixed)
				}
			}),
		},
		{
			ID: "in-patch-by-uuid-alone", Title: "PATCH doesn't take an external id",
			Doc:   "GET was given the second way to a lead, and PATCH was not.",
			Kills: []string{"IN-PATCH-02"},
			Apply: byOwnID(insertion.EndpointPatch),
		},
		{
			ID: "in-get-by-uuid-alone", Title: "GET doesn't take an external id",
			Doc:   "The path is looked up as a primary key.",
			Kills: []string{"IN-GET-01"},
			Apply: byOwnID(insertion.EndpointGet),
		},
		{
			ID: "in-get-in-brief", Title: "GET shows what the answer to a POST shows",
			Doc:   "One form of a lead for every answer.",
			Kills: []string{"IN-GET-01"},
			Apply: viewing(func(o insertion.Object) {
				for _, field := range []string{"custom_fields", "source", "ip_address"} {
					delete(o, field)
				}
			}),
		},
		{
			ID: "in-get-without-times", Title: "GET doesn't show when a lead was created and changed",
			Doc:   "The columns are there for the operator.",
			Kills: []string{"IN-GET-01"},
			Apply: viewing(func(o insertion.Object) {
				delete(o, "created_at")
				delete(o, "updated_at")
			}),
		},
	}
}

// byOwnID makes a mutant in which an endpoint takes a lead's own id alone.
func byOwnID(endpoint insertion.Endpoint) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		finding(a, func(_ context.Context, call *insertion.Call, lead leads.InsertionLead, err error) (leads.InsertionLead, error) {
			if id, unread := uuid.Parse(call.Route.LeadID); err == nil && call.Route.Endpoint == endpoint && (unread != nil || id != lead.ID) {
				return leads.InsertionLead{}, unknownLead()
			}
			return lead, err
		})
	})
}

// viewing makes a mutant that shows a lead in another way.
func viewing(change func(o insertion.Object)) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.View
		a.View = func(lead leads.InsertionLead) insertion.Object {
			o := next(lead)
			change(o)
			return o
		}
	})
}
