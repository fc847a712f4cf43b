package mutant

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"leadconform/reference/internal/distro"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// distroVariants are servers of the Lead Distro API that differ from the reference where the contract leaves it open.
func distroVariants() []Mutant {
	variants := slices.Concat(distroForms(), distroWords(), distroManners())
	for i := range variants {
		variants[i].Conforming = true
	}
	return variants
}

// ofLeads picks the answers that hold a lead.
func ofLeads(x *exchange) bool {
	return anything(x) && x.request.URL.Path != ping && (x.status == http.StatusOK || x.status == http.StatusCreated)
}

// anError picks the answers that hold an error.
func anError(x *exchange) bool { return anything(x) && x.status >= 400 }

// distroForms put the same things in another form.
func distroForms() []Mutant {
	return []Mutant{
		{
			ID:    "ld-ok-under-data",
			Title: "leads stand under data",
			Doc:   "LD-201-02 allows for either form.",
			Apply: answers(ofLeads, under("data")),
		},
		{
			ID:    "ld-ok-under-data-with-status",
			Title: "leads stand under data, beside a status of the answer's own",
			Doc:   "LD-201-02 allows for either form; what stands beside data is open.",
			Apply: answers(ofLeads, under("data"), set("status", "success")),
		},
		{
			ID:    "ld-ok-under-data-with-its-status",
			Title: "leads stand under data, beside a copy of their status",
			Doc:   "LD-201-02 allows for either form; what stands beside data is open.",
			Apply: answers(ofLeads, func(x *exchange) {
				if lead := x.object(); lead != nil {
					x.setJSON(map[string]any{"status": lead["status"], "data": lead})
				}
			}),
		},
		{
			ID:    "ld-ok-all-under-data",
			Title: "every success stands under data, a ping's too",
			Doc:   "The form of a ping's answer follows that of the leads.",
			Apply: answers(func(x *exchange) bool { return anything(x) && x.status < 300 }, under("data")),
		},
		{
			ID:    "ld-ok-members-added",
			Title: "every answer has members that the contract doesn't know, some with names that it does",
			Doc:   "Nothing is said against further members.",
			Apply: answers(anything, object(func(o map[string]any) {
				o["request_id"], o["at"], o["data"], o["links"] = uuid.NewString(), time.Now().UnixNano(), map[string]any{}, []any{nil, 1, "x"}
				if _, isLead := o["status"]; !isLead {
					o["status"] = 1
				}
			}), each("field_errors", func(entry map[string]any) { entry["hint"] = nil }),
				each("filter_errors", func(entry map[string]any) { entry["priority"] = 3 })),
		},
		{
			ID:    "ld-ok-headers-added",
			Title: "every answer has headers of a gateway, some of which change each time",
			Doc:   "Nothing is said against further headers.",
			Apply: answers(anything, func(x *exchange) {
				x.header.Set("X-Request-Id", uuid.NewString())
				x.header.Set("X-Ratelimit-Remaining", fmt.Sprint(time.Now().UnixNano()%1000))
				x.header.Set("Cache-Control", "no-store")
				x.header.Set("Server-Timing", fmt.Sprintf("app;dur=%d", time.Now().UnixNano()%100))
				x.header.Set("X-Node", fmt.Sprint(time.Now().UnixNano()%7))
			}),
		},
		{
			ID:    "ld-ok-nulls",
			Title: "an unmatched lead has buyer_id null, and every success error null",
			Doc:   "LD-200-03 and LD-200-04 count null as none.",
			Apply: answers(all(on(ingest), with(200, 201)), object(func(o map[string]any) {
				o["error"] = nil
				if _, ok := o["buyer_id"]; !ok {
					o["buyer_id"] = nil
				}
			})),
		},
		{
			ID:    "ld-ok-sequence-ids",
			Title: "ids are numbers in sequence, written as text",
			Doc:   "LD-201-02 asks for a non-empty string.",
			Apply: distroAPI(sequenceIDs),
		},
		{
			ID:    "ld-ok-filter-strings",
			Title: "filter_errors are strings",
			Doc:   "LD-422-01 allows for strings and objects.",
			Apply: answers(all(anything, with(422)), filterErrors(func(rule, message string) any { return rule + ": " + message })),
		},
		{
			ID:    "ld-ok-filter-names",
			Title: "filter_errors are objects with other members",
			Doc:   "LD-422-01 asks for one that names the rule, whatever it is called.",
			Apply: answers(all(anything, with(422)), filterErrors(func(rule, _ string) any {
				return map[string]any{"filter": map[string]any{"id": 7}, "name": rule, "severity": 1}
			})),
		},
		{
			ID:    "ld-ok-pretty",
			Title: "JSON is indented and ends in a new line",
			Doc:   "White space means nothing (RFC 8259 §2).",
			Apply: answers(anything, func(x *exchange) {
				var pretty bytes.Buffer
				if json.Indent(&pretty, x.body, "", "    ") == nil {
					x.body = append(pretty.Bytes(), '\r', '\n')
				}
			}),
		},
		{
			ID:    "ld-ok-escaped",
			Title: "letters in JSON are escaped",
			Doc:   "An escaped letter is the same letter (RFC 8259 §7).",
			Apply: answers(anything, func(x *exchange) { x.body = escaped(x.body) }),
		},
		{
			ID:    "ld-ok-charset",
			Title: "Content-Type has a charset, in capitals",
			Doc:   "LD-ENV-04 allows for parameters, and a type's letter case means nothing (RFC 9110 §8.3.1).",
			Apply: answers(anything, header("Content-Type", "Application/JSON; Charset=UTF-8")),
		},
		{
			ID:    "ld-ok-chunked",
			Title: "bodies come in chunks",
			Doc:   "How a message is framed is the connection's business (RFC 9112 §7.1).",
			Apply: answers(anything, header("Transfer-Encoding", "chunked")),
		},
		{
			ID:    "ld-ok-compressed",
			Title: "bodies are compressed for who can read that",
			Doc:   "A client that accepts gzip may be sent it (RFC 9110 §12.5.3).",
			Apply: answers(anything, compressed),
		},
		{
			ID:    "ld-ok-connection-close",
			Title: "every connection is closed after one answer",
			Doc:   "Nobody promises that connections last (RFC 9112 §9.3).",
			Apply: answers(anything, header("Connection", "close")),
		},
	}
}

// filterErrors writes the entries of filter_errors in another form.
func filterErrors(form func(rule, message string) any) edit {
	return object(func(o map[string]any) {
		entries, _ := o["filter_errors"].([]any)
		for i, entry := range entries {
			e, _ := entry.(map[string]any)
			rule, _ := e["rule"].(string)
			message, _ := e["message"].(string)
			entries[i] = form(rule, message)
		}
	})
}

// escaped writes every lower-case letter of a JSON text's strings as \u00xx. Outside of strings, letters stand in true,
// false and null alone, and those are left.
func escaped(body []byte) []byte {
	var out bytes.Buffer
	inString := false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '\\' && inString:
			out.Write(body[i : i+2])
			i++
		case c == '"':
			inString = !inString
			out.WriteByte(c)
		case inString && 'a' <= c && c <= 'z':
			fmt.Fprintf(&out, `\u%04x`, c)
		default:
			out.WriteByte(c)
		}
	}
	return out.Bytes()
}

// sequenceIDs gives leads numbers in place of their UUIDs.
func sequenceIDs(a *distro.API) {
	book := &numbers{byLead: map[uuid.UUID]string{}, leads: map[string]uuid.UUID{}}
	numbered := func(form func(leads.DistroLead) wire.Answer) func(leads.DistroLead) wire.Answer {
		return func(lead leads.DistroLead) wire.Answer {
			answer := form(lead)
			if body, ok := answer.Body.(distro.LeadBody); ok {
				body.ID = book.of(lead.ID)
				answer.Body = body
			}
			return answer
		}
	}
	a.Answers.Accepted, a.Answers.Unmatched, a.Answers.Found = numbered(a.Answers.Accepted), numbered(a.Answers.Unmatched), numbered(a.Answers.Found)
	criterion := a.Criterion
	a.Criterion = func(r *http.Request) (leads.Criterion, []distro.FieldError, string) {
		if id := r.URL.Query().Get("id"); id != "" {
			return leads.Criterion{ID: book.lead(id)}, nil, ""
		}
		return criterion(r)
	}
}

// numbers are leads in the order in which they came.
type numbers struct {
	mu     sync.Mutex
	byLead map[uuid.UUID]string
	leads  map[string]uuid.UUID
}

func (n *numbers) of(lead uuid.UUID) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	number, ok := n.byLead[lead]
	if !ok {
		number = fmt.Sprint(1000 + len(n.leads))
		n.byLead[lead], n.leads[number] = number, lead
	}
	return number
}

func (n *numbers) lead(number string) uuid.UUID {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.leads[number]
}
