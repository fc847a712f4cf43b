package mutant

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// insertionVariants are servers of the Insertion API that differ from the reference where the contract leaves it open.
func insertionVariants() []Mutant {
	variants := slices.Concat(insertionForms(), insertionWords(), insertionManners())
	for i := range variants {
		variants[i].Conforming = true
	}
	return variants
}

// insertionForms put the same things in another form.
func insertionForms() []Mutant {
	return []Mutant{
		{
			ID: "in-ok-members-added", Title: "every answer has members that the contract doesn't know",
			Doc: "Nothing is said against further members.",
			Apply: answers(byInsertion, object(func(o map[string]any) {
				o["request_id"], o["took_ms"], o["links"] = uuid.NewString(), time.Now().UnixNano(), []any{nil, 1, "x"}
				if lead, ok := o["lead"].(map[string]any); ok {
					lead["score"], lead["tags"], lead["read_at"] = 0.5, []any{}, time.Now().UnixNano()
				}
			})),
		},
		{
			ID: "in-ok-headers-added", Title: "every answer has headers of a gateway, some of which change each time",
			Doc: "Nothing is said against further headers.",
			Apply: answers(byInsertion, func(x *exchange) {
				x.header.Set("X-Request-Id", uuid.NewString())
				x.header.Set("X-Gateway-Trace", uuid.NewString())
				x.header.Set("X-Ratelimit-Remaining", strconv.FormatInt(time.Now().UnixNano()%1000, 10))
				x.header.Set("Cache-Control", "no-store")
				x.header.Set("Strict-Transport-Security", "max-age=31536000")
			}),
		},
		{
			ID: "in-ok-pretty", Title: "answers are indented, with a line break at the end",
			Doc: "JSON is the same with white space (RFC 8259 §2).",
			Apply: answers(byInsertion, func(x *exchange) {
				var out bytes.Buffer
				if json.Indent(&out, x.body, "", "  ") == nil {
					out.WriteByte('\n')
					x.body = out.Bytes()
				}
			}),
		},
		{
			ID: "in-ok-chunked", Title: "answers come in chunks, without a length",
			Doc:   "HTTP leaves the framing to the server (RFC 9112 §6).",
			Apply: answers(byInsertion, header("Transfer-Encoding", "chunked")),
		},
		{
			ID: "in-ok-compressed", Title: "answers are compressed for who can read that",
			Doc:   "A client that accepts gzip may be sent it (RFC 9110 §12.5.3).",
			Apply: answers(byInsertion, compressed),
		},
		{
			ID: "in-ok-charset", Title: "answers are labelled application/json; charset=utf-8",
			Doc:   "IN-ENV-05 allows for parameters.",
			Apply: answers(byInsertion, header("Content-Type", `Application/JSON; charset="utf-8"`)),
		},
		{
			ID: "in-ok-upper-case-ids", Title: "UUIDs are shown in upper case",
			Doc: "A UUID is the same in either case (RFC 9562 §4).",
			Apply: answers(succeeded, object(func(o map[string]any) {
				lead, _ := o["lead"].(map[string]any)
				page, _ := o["leads"].([]any)
				for _, shown := range append(page, lead) {
					upperIDs(shown.(map[string]any))
				}
			})),
		},
		{
			ID: "in-ok-numbers-with-fraction", Title: "campaign_id is shown as 101.0",
			Doc: "It is the same number.",
			Apply: answers(succeeded, everyLeadShown(func(lead map[string]any) {
				lead["campaign_id"] = json.RawMessage(fmt.Sprint(lead["campaign_id"]) + ".0")
			})),
		},
		{
			ID: "in-ok-unset-left-out", Title: "members that aren't set are left out",
			Doc: "Whether what isn't set is null or absent is open.",
			Apply: answers(succeeded, everyLeadShown(func(lead map[string]any) {
				for name, value := range lead {
					if value == nil {
						delete(lead, name)
					}
				}
			})),
		},
		{
			ID: "in-ok-normalised", Title: "phones, addresses and times are shown in a form of the server's own",
			Doc: "What a lead's values are brought into is open, as long as it is one form.",
			Apply: answers(succeeded, everyLeadShown(func(lead map[string]any) {
				change := func(name string, to func(string) string) {
					if text, ok := lead[name].(string); ok {
						lead[name] = to(text)
					}
				}
				change("phone", func(s string) string { return "+1" + strings.NewReplacer(" ", "", "+1", "").Replace(s) })
				change("email", strings.ToUpper)
				change("tcpa_consent_timestamp", func(s string) string { return strings.Replace(s, "Z", ".000+00:00", 1) })
				change("source_form_url", func(s string) string { return s + "/" })
			})),
		},
		{
			ID: "in-ok-post-shows-all", Title: "the answer to a POST shows the whole lead",
			Doc: "The documents show three members, and say nothing against more.",
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.UpsertAnswer
				a.UpsertAnswer = func(lead leads.InsertionLead, outcome leads.Outcome) wire.Answer {
					answer := next(lead, outcome)
					answer.Body.(insertion.Object)["lead"] = a.View(lead)
					return answer
				}
			}),
		},
		{
			ID: "in-ok-opaque-cursor", Title: "the cursor is opaque",
			Doc: "A client hands a cursor back as it came.",
			Apply: insertionAPI(func(a *insertion.API) {
				format, parse := a.FormatCursor, a.ParseCursor
				a.FormatCursor = func(created time.Time) string {
					return base64.StdEncoding.EncodeToString([]byte("v1|" + format(created)))
				}
				a.ParseCursor = func(cursor string) (time.Time, error) {
					text, err := base64.StdEncoding.DecodeString(cursor)
					if err != nil {
						return time.Time{}, err
					}
					return parse(strings.TrimPrefix(string(text), "v1|"))
				}
			}),
		},
		{
			ID: "in-ok-empty-last-page", Title: "a full last page has a cursor, which leads to an empty one",
			Doc: "The cursor walks every lead once and ends in null.",
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.Page
				a.Page = func(ctx context.Context, call *insertion.Call, q leads.Query) ([]leads.InsertionLead, bool, error) {
					page, more, err := next(ctx, call, q)
					return page, more || len(page) == q.Limit, err
				}
			}),
		},
	}
}

// everyLeadShown edits every lead of an answer.
func everyLeadShown(change func(lead map[string]any)) edit {
	return object(func(o map[string]any) {
		if lead, ok := o["lead"].(map[string]any); ok {
			change(lead)
		}
		page, _ := o["leads"].([]any)
		for _, lead := range page {
			change(lead.(map[string]any))
		}
	})
}

func upperIDs(lead map[string]any) {
	for _, name := range []string{"id", "user_id", "external_lead_id"} {
		if text, ok := lead[name].(string); ok {
			lead[name] = strings.ToUpper(text)
		}
	}
}

// insertionWords say the same in other words.
func insertionWords() []Mutant {
	return []Mutant{
		{
			ID: "in-ok-validation-words", Title: "faults are told in the words of another library",
			Doc: "The wording of a summary is open: a comma-separated part per fault, each naming its field.",
			Apply: faulting(func(faults insertion.Faults) insertion.Faults {
				for i, f := range faults {
					faults[i] = insertion.Fault{Field: "body." + f.Field, Problem: "Invalid input (" + strconv.Itoa(len(f.Problem)) + "), expected something else"}
				}
				return faults
			}),
		},
		{
			ID: "in-ok-malformed-words", Title: "malformed JSON is told in a sentence",
			Doc:   "The error of a 400 describes the failure.",
			Apply: answers(all(refused(400), containing("malformed_json")), set("error", "Unexpected token } in JSON at position 42")),
		},
		{
			ID: "in-ok-404-named", Title: "what isn't there is a 404 lead_not_found",
			Doc:   "The document doesn't name the error of a 404.",
			Apply: refusing(insertion.CodeNotFound, named("lead_not_found")),
		},
		{
			ID: "in-ok-404-echoes", Title: "a 404 repeats the id that was asked for, and has a number for the support",
			Doc: "What was asked for is known to whoever asked.",
			Apply: answers(refused(404), object(func(o map[string]any) {
				o["incident"] = uuid.NewString()
			}), func(x *exchange) {
				id := x.request.URL.Path[strings.LastIndexByte(x.request.URL.Path, '/')+1:]
				x.header.Set("X-Lead", id)
			}),
		},
		{
			ID: "in-ok-405-named", Title: "a 405 is named unsupported_method, and Allow holds HEAD and OPTIONS too",
			Doc: "The document doesn't name the error of a 405; other methods may be allowed.",
			Apply: answers(refused(405), set("error", "unsupported_method"), func(x *exchange) {
				x.header.Set("Allow", "OPTIONS,"+strings.ReplaceAll(x.header.Get("Allow"), " ", "")+",HEAD")
			}),
		},
		{
			ID: "in-ok-500-named", Title: "a 500 is named unexpected_error and has a number for the support",
			Doc: "The document doesn't name the error of a 500.",
			Apply: answers(refused(500), object(func(o map[string]any) {
				o["error"], o["incident"] = "unexpected_error", uuid.NewString()
			})),
		},
		{
			ID: "in-ok-409-named", Title: "a 409 is named conflict:version",
			Doc:   "The document doesn't name the error of a 409 but by example.",
			Apply: refusing(insertion.CodeConflict, named("conflict:version")),
		},
	}
}

// insertionManners go about it in another way.
func insertionManners() []Mutant {
	return []Mutant{
		{
			ID: "in-ok-pages-of-50", Title: "a page has at most fifty leads",
			Doc:   "At most 100 is kept.",
			Apply: querying(func(_ *http.Request, q *leads.Query) { q.Limit = min(q.Limit, 50) }),
		},
		{
			ID: "in-ok-limit-refused", Title: "a limit beyond 100 is a 400",
			Doc: "Whether it is cut or refused is open.",
			Apply: insertionAPI(func(a *insertion.API) {
				next := a.ReadQuery
				a.ReadQuery = func(call *insertion.Call) (leads.Query, error) {
					if n, err := strconv.Atoi(call.Request.URL.Query().Get("limit")); err == nil && n > 100 {
						return leads.Query{}, refusal(http.StatusBadRequest, "limit_too_high")
					}
					return next(call)
				}
			}),
		},
		{
			ID: "in-ok-coerces", Title: "a campaign_id in digits is taken for the number",
			Doc: "IN-400-02 leaves it open.",
			Apply: decoding(func(_ *insertion.Call, members []wire.Member, err error) ([]wire.Member, error) {
				for i, m := range members {
					if text, isText := strconv.Unquote(string(m.Value)); m.Name == "campaign_id" && isText == nil {
						if _, bad := strconv.Atoi(text); bad == nil {
							members[i].Value = jsontext.Value(text)
						}
					}
				}
				return members, err
			}),
		},
		{
			ID: "in-ok-null-is-nothing", Title: "a member that is null counts as left out",
			Doc: "The contract doesn't say what null is.",
			Apply: decoding(func(_ *insertion.Call, members []wire.Member, err error) ([]wire.Member, error) {
				return slices.DeleteFunc(members, func(m wire.Member) bool { return string(m.Value) == "null" }), err
			}),
		},
		{
			ID: "in-ok-omission-patches", Title: "a POST that leaves fields out is patched",
			Doc: "IN-IDEM-13 leaves it open.",
			Apply: upserting(func(_ *insertion.API, next upsert) upsert {
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					lead, outcome, err := next(ctx, call, draft)
					if outcome == leads.Deduped && len(draft.Fields) < len(lead.Fields) {
						outcome = leads.Patched
					}
					return lead, outcome, err
				}
			}),
		},
		{
			ID: "in-ok-race-409", Title: "of many POSTs at once all but one are first a 409",
			Doc: "A 409 is documented, and safe to retry.",
			Apply: upserting(func(_ *insertion.API, next upsert) upsert {
				var busy crowd[leads.Tuple]
				return func(ctx context.Context, call *insertion.Call, draft insertion.Draft) (leads.InsertionLead, leads.Outcome, error) {
					alone, leave := busy.enter(tupleOf(call, draft))
					defer leave()
					if !alone {
						return leads.InsertionLead{}, "", leads.ErrConflict
					}
					return next(ctx, call, draft)
				}
			}),
		},
		{
			ID: "in-ok-race-one-by-one", Title: "PATCHes of one lead wait for each other, and none is a 409",
			Doc:   "Nothing is said against a lock.",
			Apply: oneByOne(insertionAPI(func(*insertion.API) {})),
		},
		{
			ID: "in-ok-expired-first", Title: "the age of a signature is judged before the signature",
			Doc: "Which of two faults of a request is told is open.",
			Apply: authenticating(func(a *insertion.API, next authenticate) authenticate {
				return func(ctx context.Context, call *insertion.Call) error {
					seconds, err := strconv.ParseInt(call.Request.Header.Get("X-AdBuy-Timestamp"), 10, 64)
					if err == nil && !a.Fresh(seconds, a.Now()) {
						return refusal(http.StatusUnauthorized, insertion.CodeSignatureExpired)
					}
					return next(ctx, call)
				}
			}),
		},
		{
			ID: "in-ok-signature-in-any-case", Title: "a signature is accepted in upper case too",
			Doc:   "What is sent here is in lower case.",
			Apply: comparing(strings.EqualFold),
		},
		{
			ID: "in-ok-slow", Title: "every answer takes 15 ms",
			Doc: "Nothing is said of how fast a server is.",
			Apply: handler(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					time.Sleep(15 * time.Millisecond)
					next.ServeHTTP(w, r)
				})
			}),
		},
		{
			ID: "in-ok-unknown-path-401", Title: "no route is told to whoever isn't authenticated",
			Doc: "Whether a 405 or a 401 comes first is open.",
			Apply: answers(all(refused(405), func(x *exchange) bool { return !signedInPart(x.request.Header) }),
				status(http.StatusUnauthorized), set("error", insertion.CodeMissingAuth)),
		},
	}
}
