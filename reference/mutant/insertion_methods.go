package mutant

import (
	"net/http"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/server"
)

// insertionMethods breaks IN-405-*.
func insertionMethods() []Mutant {
	return []Mutant{
		{
			ID: "in-put-404", Title: "PUT is a 404",
			Doc:   "The router finds no route for the method, and has no other answer.",
			Kills: []string{"IN-405-01", "IN-405-02"},
			Apply: matching(func(r *http.Request, route insertion.Route, err error) (insertion.Route, error) {
				if r.Method == http.MethodPut {
					err = unknownLead()
				}
				return route, err
			}),
		},
		{
			ID: "in-put-as-patch", Title: "PUT on a lead does what PATCH does",
			Doc:   "Both methods were given to one handler.",
			Kills: []string{"IN-405-01", "IN-405-02"},
			Apply: matching(func(r *http.Request, route insertion.Route, err error) (insertion.Route, error) {
				id := r.URL.Path[min(len(r.URL.Path), len(insertionLeads)+1):]
				if r.Method == http.MethodPut && id != "" {
					return insertion.Route{Endpoint: insertion.EndpointPatch, LeadID: id}, nil
				}
				return route, err
			}),
		},
		{
			ID: "in-post-on-lead-as-patch", Title: "POST on a lead does what PATCH does",
			Doc:   "For clients that can't PATCH.",
			Kills: []string{"IN-405-01", "IN-405-02"},
			Apply: matching(func(r *http.Request, route insertion.Route, err error) (insertion.Route, error) {
				id := r.URL.Path[min(len(r.URL.Path), len(insertionLeads)+1):]
				if r.Method == http.MethodPost && id != "" {
					return insertion.Route{Endpoint: insertion.EndpointPatch, LeadID: id}, nil
				}
				return route, err
			}),
		},
		{
			ID: "in-delete-501", Title: "DELETE is a 501",
			Doc:   "What isn't built yet is told so.",
			Kills: []string{"IN-405-01", "IN-405-02", "IN-ENV-01", "IN-ENV-02", "IN-ENV-05"},
			Apply: matching(func(r *http.Request, route insertion.Route, err error) (insertion.Route, error) {
				if r.Method == http.MethodDelete {
					err = refusal(http.StatusNotImplemented, "not_implemented")
				}
				return route, err
			}),
		},
		{
			ID: "in-405-without-allow", Title: "a 405 has no Allow",
			Doc:   "The status is sent by hand.",
			Kills: []string{"IN-405-02"},
			Apply: answers(refused(405), func(x *exchange) { x.header.Del("Allow") }),
		},
		{
			ID: "in-405-allow-everything", Title: "Allow names every method that there is",
			Doc:   "The header is the one that is sent for preflight requests.",
			Kills: []string{"IN-405-02"},
			Apply: answers(refused(405), header("Allow", "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS")),
		},
		{
			ID: "in-405-allow-of-the-collection", Title: "Allow names the methods of the collection everywhere",
			Doc:   "One list for all routes.",
			Kills: []string{"IN-405-02"},
			Apply: answers(refused(405), header("Allow", "GET, POST")),
		},
	}
}

// matching makes a mutant that routes in another way.
func matching(change func(r *http.Request, route insertion.Route, err error) (insertion.Route, error)) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.Match
		a.Match = func(r *http.Request) (insertion.Route, error) {
			route, err := next(r)
			return change(r, route, err)
		}
	})
}
