package insertion

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/ratelimit"
	"leadconform/reference/internal/wire"
	"leadconform/reference/internal/world"
)

// Call is one request on its way through the steps.
type Call struct {
	Request *http.Request
	Route   Route
	Body    []byte     // as it came, to the byte
	Key     *world.Key // whose call it is; set by Authenticate
}

// Steps are the parts of the API that a request passes, each replaceable on its own. A step that refuses a request
// returns an error: a *Refusal, Faults, a *wire.BodyError, or an error of package leads. Any other error is a 500.
type Steps struct {
	// Match names the route of a request. It refuses an unknown path with 404 and an unknown method with 405.
	Match func(r *http.Request) (Route, error)
	// ReadBody reads the body to its end, within bounds.
	ReadBody func(w http.ResponseWriter, r *http.Request) ([]byte, error)

	// Authenticate finds out whose call it is and sets its Key, or refuses it with 401 (IN-401-*).
	Authenticate func(ctx context.Context, call *Call) error
	// ReadCredentials takes what authenticates a request from its headers.
	ReadCredentials func(h http.Header) (Credentials, error)
	// Usable reports whether a key may be used at all. One that may not is answered like one that doesn't exist.
	Usable func(key *world.Key) bool
	// Sign computes the signature that a request must carry. The timestamp is the header's text, the body the raw bytes.
	Sign func(secret, timestamp string, body []byte) string
	// SameSignature compares the signature computed with the one sent.
	SameSignature func(want, got string) bool
	// Fresh reports whether a timestamp, in Unix seconds, lies within the window around now.
	Fresh func(timestamp int64, now time.Time) bool

	// Limit counts the call against its key's ceiling and refuses it with 429 beyond (IN-429-*).
	Limit func(ctx context.Context, call *Call) error
	// LimitKey names the count that a call is charged to.
	LimitKey func(call *Call) ratelimit.Key

	// RequireFeature refuses a call of an account whose endpoint is switched off (IN-404-03).
	RequireFeature func(ctx context.Context, call *Call) error

	// RequireScope refuses a call whose key lacks the scope with 403 (IN-403-*).
	RequireScope func(ctx context.Context, call *Call) error
	// ScopeOf names the scope that an endpoint asks for.
	ScopeOf func(e Endpoint) string

	// Create, Get, Patch and List are the handlers: what happens once a call is admitted. They are made of the steps
	// below. The internal ingest path is served by Create.
	Create, Get, Patch, List func(ctx context.Context, call *Call) (wire.Answer, error)

	// Decode parses the body as one JSON object.
	Decode func(call *Call) ([]wire.Member, error)
	// Schema says what each member of a lead must look like. Its elements may be changed one by one.
	Schema Schema
	// CheckCreate returns every fault of the members of a POST (IN-400-*), none if it is valid.
	CheckCreate func(members []wire.Member) Faults
	// CheckPatch returns every fault of the members of a PATCH, none if it is valid.
	CheckPatch func(members []wire.Member) Faults
	// Canonicalise brings the value of a member into the one form that all equal JSON values share (IN-IDEM-08).
	Canonicalise func(name string, value jsontext.Value) (json.RawMessage, error)
	// Compose makes a lead of the checked members of a POST.
	Compose func(call *Call, members []wire.Member) (Draft, error)
	// RequireCampaign refuses a draft for a campaign that isn't the account's with 404.
	RequireCampaign func(call *Call, campaignID int64) error
	// Upsert inserts, patches or leaves alone the lead of the draft's tuple (IN-201-01, IN-IDEM-*).
	Upsert func(ctx context.Context, call *Call, draft Draft) (leads.InsertionLead, leads.Outcome, error)

	// Find reads the lead that the path names, among those of the account (IN-404-01, IN-404-02).
	Find func(ctx context.Context, call *Call) (leads.InsertionLead, error)
	// Changes makes the changes of the checked members of a PATCH.
	Changes func(members []wire.Member) (leads.Fields, error)
	// Write stores the changes if the lead is still as it was read, or returns leads.ErrConflict (IN-409-*).
	Write func(ctx context.Context, call *Call, read leads.InsertionLead, changes leads.Fields) (leads.InsertionLead, leads.Event, error)

	// ReadQuery reads limit, cursor and filters of a list (IN-LIST-01, IN-LIST-02).
	ReadQuery func(call *Call) (leads.Query, error)
	// Page reads one page of the account's leads, and whether more follow (IN-LIST-03).
	Page func(ctx context.Context, call *Call, q leads.Query) (page []leads.InsertionLead, more bool, err error)
	// FormatCursor and ParseCursor turn a time of creation into a cursor and back, without loss.
	FormatCursor func(created time.Time) string
	ParseCursor  func(cursor string) (time.Time, error)

	// View is a lead as it is shown to its account (IN-GET-01).
	View func(lead leads.InsertionLead) Object
	// UpsertAnswer, GetAnswer, PatchAnswer and ListAnswer are the envelopes of success. The cursor is nil on the last page.
	UpsertAnswer func(lead leads.InsertionLead, outcome leads.Outcome) wire.Answer
	GetAnswer    func(lead leads.InsertionLead) wire.Answer
	PatchAnswer  func(lead leads.InsertionLead, event leads.Event) wire.Answer
	ListAnswer   func(page []leads.InsertionLead, nextCursor *string) wire.Answer
	// Explain says how an error of any step is answered.
	Explain func(err error) *Refusal
	// Failure is the envelope of failure (IN-ENV-01).
	Failure func(refusal *Refusal) wire.Answer
}

// conforming is every step as the contract has it.
func (a *API) conforming() Steps {
	return Steps{
		Match:    match,
		ReadBody: wire.ReadBody,

		Authenticate:    a.authenticate,
		ReadCredentials: readCredentials,
		Usable:          usable,
		Sign:            sign,
		SameSignature:   sameSignature,
		Fresh:           a.fresh,

		Limit:    a.limit,
		LimitKey: limitKey,

		RequireFeature: requireFeature,
		RequireScope:   a.requireScope,
		ScopeOf:        scopeOf,

		Create: a.create,
		Get:    a.get,
		Patch:  a.patch,
		List:   a.list,

		Decode:          decode,
		Schema:          newSchema(),
		CheckCreate:     a.checkCreate,
		CheckPatch:      a.checkPatch,
		Canonicalise:    canonicalise,
		Compose:         a.compose,
		RequireCampaign: requireCampaign,
		Upsert:          a.upsert,

		Find:    a.find,
		Changes: a.changes,
		Write:   a.write,

		ReadQuery:    a.readQuery,
		Page:         a.page,
		FormatCursor: formatTime,
		ParseCursor:  parseCursor,

		View:         a.view,
		UpsertAnswer: upsertAnswer,
		GetAnswer:    a.getAnswer,
		PatchAnswer:  a.patchAnswer,
		ListAnswer:   a.listAnswer,
		Explain:      explain,
		Failure:      failure,
	}
}
