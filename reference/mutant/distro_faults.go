package mutant

import (
	"net/http"

	"leadconform/reference/internal/distro"
	"leadconform/reference/server"
)

// internal and maintenance pick the answers of the two outages.
var (
	internal    = all(anything, with(http.StatusInternalServerError))
	maintenance = all(anything, with(http.StatusServiceUnavailable))
)

// distroFaults are the mutants of LD-500-* and LD-503-*.
func distroFaults() []Mutant {
	return []Mutant{
		{
			ID:    "ld-fault-200",
			Title: "a ping that meets an internal fault is answered 200 with an error",
			Doc:   "A handler of last resort that leaves the status alone.",
			Kills: []string{"LD-500-01"},
			Apply: answers(all(on(ping), internal), status(http.StatusOK)),
		},
		{
			ID:    "ld-fault-400",
			Title: "an ingest that meets an internal fault is answered 400",
			Doc:   "Every exception is the client's fault.",
			Kills: []string{"LD-500-01"},
			Apply: answers(all(on(ingest), internal), status(http.StatusBadRequest)),
		},
		{
			ID:    "ld-fault-502",
			Title: "an internal fault is a 502",
			Doc:   "The proxy in front answers for a process that has died.",
			Kills: []string{"LD-500-01"},
			Apply: answers(internal, status(http.StatusBadGateway)),
		},
		{
			ID:    "ld-500-stack-trace",
			Title: "a 500 holds a stack trace",
			Doc:   "Debugging was left on.",
			Kills: []string{"LD-500-03"},
			Apply: answers(internal, set("stack", "goroutine 41 [running]:\nmain.(*handler).ingest(0xc0000b2000)\n\t/srv/leads/ingest.go:118 +0x1d")),
		},
		{
			ID:    "ld-500-sql",
			Title: "a 500 tells the database's error",
			Doc:   "The error is passed on as its message.",
			Kills: []string{"LD-500-03"},
			Apply: answers(internal, set("message", `pq: duplicate key value violates unique constraint "leads_pkey"`)),
		},
		{
			ID:    "ld-500-other-sql",
			Title: "a 500 tells the error of a database of another make",
			Doc:   "The error is passed on as its message.",
			Kills: []string{"LD-500-03"},
			Apply: answers(internal, set("message", "Duplicate entry '5550100142' for key 'leads.phone'")),
		},
		{
			ID:    "ld-500-exception",
			Title: "a 500 holds the name of an exception",
			Doc:   "The framework's default error attributes.",
			Kills: []string{"LD-500-03"},
			Apply: answers(internal, set("exception", "org.springframework.dao.DataAccessResourceFailureException")),
		},
		{
			ID:    "ld-503-address",
			Title: "a 503 tells which address couldn't be reached",
			Doc:   "The error is passed on as its message.",
			Kills: []string{"LD-500-03"},
			Apply: answers(maintenance, set("message", "dial tcp 10.0.3.7:5432: connect: connection refused")),
		},
		{
			ID:    "ld-500-path",
			Title: "a 500 names a file of the server",
			Doc:   "A template of the error page is missing, and the error says so.",
			Kills: []string{"LD-500-03"},
			Apply: answers(internal, set("message", "open /var/app/templates/500.html: no such file or directory")),
		},
		{
			ID:    "ld-500-html",
			Title: "a 500 is a page in HTML",
			Doc:   "The framework's own page for what nobody has caught.",
			Kills: []string{"LD-500-04"},
			Apply: answers(internal, text("text/html", "<h1>Internal Server Error</h1>")),
		},
		{
			ID:    "ld-503-empty",
			Title: "a 503 has no body",
			Doc:   "The load balancer answers while no process is up.",
			Kills: []string{"LD-500-04"},
			Apply: answers(maintenance, text("text/plain", "")),
		},
		{
			ID:    "ld-503-without-message",
			Title: "a 503 has no message",
			Doc:   "There seemed to be nothing to say.",
			Kills: []string{"LD-500-04"},
			Apply: answers(maintenance, drop("message")),
		},
		{
			ID:    "ld-500-half-stored",
			Title: "a lead that got 500 is stored",
			Doc:   "The lead is written before the step that fails, and no transaction holds the two together.",
			Kills: []string{"LD-500-02"},
			Apply: halfStored(http.StatusInternalServerError),
		},
		{
			ID:    "ld-500-repeated",
			Title: "a request that got 500 gets it again ever after",
			Doc:   "Answers are kept for repeated requests, whatever they are.",
			Kills: []string{"LD-500-02"},
			Apply: repeating(http.StatusInternalServerError),
		},
		{
			ID:    "ld-maintenance-500",
			Title: "maintenance is a 500",
			Doc:   "There is one status for everything that doesn't work.",
			Kills: []string{"LD-503-01"},
			Apply: answers(maintenance, status(http.StatusInternalServerError)),
		},
		{
			ID:    "ld-maintenance-200",
			Title: "a ping during maintenance is answered 200 with accepted false",
			Doc:   "Every no to a ping is the same no.",
			Kills: []string{"LD-503-01"},
			Apply: answers(all(on(ping), maintenance), status(http.StatusOK), set("accepted", false), set("reason", "maintenance")),
		},
		{
			ID:    "ld-maintenance-redirect",
			Title: "maintenance is a redirect to a page that says so",
			Doc:   "The site's own switch for maintenance covers the API too.",
			Kills: []string{"LD-503-01"},
			Apply: answers(maintenance, status(http.StatusFound), header("Location", "/maintenance")),
		},
		{
			ID:    "ld-503-retry-after-words",
			Title: "the Retry-After of a 503 is soon",
			Doc:   "A setting that was meant for people.",
			Kills: []string{"LD-503-02"},
			Apply: answers(maintenance, header("Retry-After", "soon")),
		},
		{
			ID:    "ld-503-retry-after-fraction",
			Title: "the Retry-After of a 503 has a fraction",
			Doc:   "A duration is written as it is.",
			Kills: []string{"LD-503-02"},
			Apply: answers(maintenance, header("Retry-After", "2.0")),
		},
		{
			ID:    "ld-503-retry-after-local-date",
			Title: "the Retry-After of a 503 is a date in another form than HTTP's",
			Doc:   "ISO 8601, as everywhere else in the API.",
			Kills: []string{"LD-503-02"},
			Apply: answers(maintenance, header("Retry-After", "2026-01-02T03:04:05Z")),
		},
		{
			ID:    "ld-503-half-stored",
			Title: "a lead that got 503 is stored",
			Doc:   "The switch for maintenance is looked at when the answer is written.",
			Kills: []string{"LD-503-03"},
			Apply: halfStored(http.StatusServiceUnavailable),
		},
		{
			ID:    "ld-503-repeated",
			Title: "a request that got 503 gets it again ever after",
			Doc:   "Answers are kept for repeated requests, whatever they are.",
			Kills: []string{"LD-503-03"},
			Apply: repeating(http.StatusServiceUnavailable),
		},
	}
}

// halfStored lets an ingest take effect although it is answered with an outage.
func halfStored(outage int) func(*server.Parts) {
	return func(p *server.Parts) {
		var whole http.Handler
		p.Distro = func(a *distro.API) { whole = a }
		p.Handler = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				x := record(next, r)
				if on(ingest)(x) && x.status == outage {
					record(whole, x.again())
				}
				x.write(w)
			})
		}
	}
}

// repeating answers a request that has got an outage with the same, whenever it comes again.
func repeating(outage int) func(*server.Parts) {
	return handler(func(next http.Handler) http.Handler {
		failed := &memory{}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			x := record(next, r)
			request := x.request.URL.Path + string(x.sent)
			switch {
			case x.status == outage:
				failed.remember(request)
			case failed.has(request):
				x.status = outage
				x.setJSON(map[string]any{"error": "outage", "message": "Please try again"})
			}
			x.write(w)
		})
	})
}
