package distro

import (
	"net/http"
	"strings"
	"time"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// Answers are the forms of everything that the API can say. Each status and each body is made in exactly one of them.
type Answers struct {
	Accepted  func(leads.DistroLead) wire.Answer // 201, the lead has a buyer (LD-201-01)
	Unmatched func(leads.DistroLead) wire.Answer // 200, the lead has none (LD-200-01, LD-200-02)
	Found     func(leads.DistroLead) wire.Answer // 200, a lookup's lead (LD-LOOK-01)

	PingAccepted func(token string, expires time.Time) wire.Answer // 200 (LD-PING-01)
	PingRefused  func([]FilterError) wire.Answer                   // 200 as well (LD-PING-03)

	Invalid   func([]FieldError) wire.Answer    // 400, these fields are at fault (LD-400-*)
	Malformed func(*wire.BodyError) wire.Answer // 400, the body is at fault as a whole (LD-400-12, LD-400-13)
	BadQuery  func(problem string) wire.Answer  // 400, a lookup without a criterion, or with several (LD-LOOK-03)

	Unauthorized     func() wire.Answer                         // 401 (LD-401-*)
	Forbidden        func() wire.Answer                         // 403 (LD-403-*)
	CampaignNotFound func() wire.Answer                         // 404 (LD-404-*)
	LeadNotFound     func() wire.Answer                         // 404 (LD-LOOK-03, LD-LOOK-04)
	NoRoute          func() wire.Answer                         // 404, no such path
	WrongMethod      func(allowed string) wire.Answer           // 405
	Rejected         func([]FilterError) wire.Answer            // 422 (LD-422-*)
	RateLimited      func(retryAfter time.Duration) wire.Answer // 429 (LD-429-*)
	Internal         func() wire.Answer                         // 500 (LD-500-*)
	Maintenance      func() wire.Answer                         // 503, closed on purpose (LD-503-*)
	Unavailable      func() wire.Answer                         // 503, the store or the limiter failed
}

// comeBack is the Retry-After of a 503: the service is expected back in moments.
const comeBack = 2 * time.Second

// ErrorBody is the envelope of every failure: an identifier for programs, a sentence for people (LD-ENV-01…06).
type ErrorBody struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

// InvalidBody is the envelope of a 400. Its list may be empty, but is always there (LD-400-13).
type InvalidBody struct {
	ErrorBody
	FieldErrors []FieldError `json:"field_errors"`
}

// RejectedBody is the envelope of a 422.
type RejectedBody struct {
	ErrorBody
	FilterErrors []FilterError `json:"filter_errors"`
}

// LimitedBody is the envelope of a 429. The seconds are those of the header Retry-After (LD-429-06).
type LimitedBody struct {
	ErrorBody
	RetryAfter int64 `json:"retry_after"` // whole seconds, at least 1
}

// LeadBody is a lead as the API shows it (LD-201-02, LD-201-04, LD-200-03).
type LeadBody struct {
	ID         string    `json:"id"`
	Status     string    `json:"status"`
	BuyerID    string    `json:"buyer_id,omitempty"` // absent from an unmatched lead
	CampaignID string    `json:"campaign_id"`
	SupplierID string    `json:"supplier_id"`
	Phone      string    `json:"phone"` // digits only
	Email      string    `json:"email"` // lower case
	CreatedAt  time.Time `json:"created_at"`
}

// PingBody is the answer to a ping.
type PingBody struct {
	Accepted  bool      `json:"accepted"`
	PingID    string    `json:"ping_id,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Reason    string    `json:"reason,omitempty"` // the rules that would catch the lead, comma-separated
	Message   string    `json:"message"`
}

func newAnswers() Answers {
	return Answers{
		Accepted:         showLead(http.StatusCreated),
		Unmatched:        showLead(http.StatusOK),
		Found:            showLead(http.StatusOK),
		PingAccepted:     pingAccepted,
		PingRefused:      pingRefused,
		Invalid:          invalid,
		Malformed:        malformed,
		BadQuery:         badQuery,
		Unauthorized:     unauthorized,
		Forbidden:        fixed(http.StatusForbidden, "forbidden", "This supplier may not send leads to this campaign"),
		CampaignNotFound: fixed(http.StatusNotFound, "campaign_not_found", "There is no such campaign"),
		LeadNotFound:     fixed(http.StatusNotFound, "lead_not_found", "There is no such lead"),
		NoRoute:          fixed(http.StatusNotFound, "not_found", "There is nothing at this path"),
		WrongMethod:      wrongMethod,
		Rejected:         rejected,
		RateLimited:      rateLimited,
		Internal:         fixed(http.StatusInternalServerError, "internal_error", "Something went wrong on our side; please try again"),
		Maintenance:      closed("The service is down for maintenance; please try again"),
		Unavailable:      closed("The service is unavailable for the moment; please try again"),
	}
}

// fixed is an answer that is always the same.
func fixed(status int, code, message string) func() wire.Answer {
	answer := failure(status, code, message)
	return func() wire.Answer { return answer }
}

func failure(status int, code, message string) wire.Answer {
	return wire.Answer{Status: status, Body: ErrorBody{code, message}}
}

func showLead(status int) func(leads.DistroLead) wire.Answer {
	return func(lead leads.DistroLead) wire.Answer {
		return wire.Answer{Status: status, Body: LeadBody{
			ID:         lead.ID.String(),
			Status:     string(lead.Status),
			BuyerID:    lead.BuyerID,
			CampaignID: lead.CampaignID,
			SupplierID: lead.SupplierID,
			Phone:      lead.Phone,
			Email:      lead.Email,
			CreatedAt:  lead.CreatedAt.UTC(),
		}}
	}
}

func pingAccepted(token string, expires time.Time) wire.Answer {
	return wire.Answer{Status: http.StatusOK, Body: PingBody{
		Accepted: true, PingID: token, ExpiresAt: expires, Message: "The lead would be taken",
	}}
}

func pingRefused(caught []FilterError) wire.Answer {
	rules := make([]string, len(caught))
	for i, c := range caught {
		rules[i] = c.Rule
	}
	return wire.Answer{Status: http.StatusOK, Body: PingBody{
		Reason: strings.Join(rules, ","), Message: "The lead would be refused",
	}}
}

func invalid(faults []FieldError) wire.Answer {
	return validationFailed("The lead has fields that are missing or not well formed", faults...)
}

// malformed names the member that is sent twice; any other fault of a body concerns no member in particular.
func malformed(fault *wire.BodyError) wire.Answer {
	if fault.Code == "duplicate_member" && fault.Member != "" {
		return invalid([]FieldError{{fault.Member, codeDuplicate, "The member appears more than once"}})
	}
	return validationFailed(fault.Reason)
}

func badQuery(problem string) wire.Answer { return validationFailed(problem) }

func validationFailed(message string, faults ...FieldError) wire.Answer {
	return wire.Answer{Status: http.StatusBadRequest, Body: InvalidBody{
		ErrorBody{"validation_failed", message}, faults,
	}}
}

func rejected(caught []FilterError) wire.Answer {
	return wire.Answer{Status: http.StatusUnprocessableEntity, Body: RejectedBody{
		ErrorBody{"lead_rejected", "The campaign's rules refuse this lead"}, caught,
	}}
}

func rateLimited(retryAfter time.Duration) wire.Answer {
	return wire.Answer{
		Status: http.StatusTooManyRequests,
		Header: wire.RetryAfter(retryAfter),
		Body: LimitedBody{
			ErrorBody{"rate_limit_exceeded", "Too many requests; wait before the next one"}, int64(retryAfter / time.Second),
		},
	}
}

// unauthorized names the scheme that would do, as a 401 must (RFC 9110 §15.5.2).
func unauthorized() wire.Answer {
	answer := failure(http.StatusUnauthorized, "unauthorized", "Send a valid API key in the header x-api-key")
	answer.Header = http.Header{"Www-Authenticate": {`ApiKey header="x-api-key"`}}
	return answer
}

func wrongMethod(allowed string) wire.Answer {
	answer := failure(http.StatusMethodNotAllowed, "method_not_allowed", "This path answers "+allowed+" only")
	answer.Header = http.Header{"Allow": {allowed}}
	return answer
}

// closed is a 503. Its header is made anew each time, since whoever writes an answer may add to it.
func closed(message string) func() wire.Answer {
	return func() wire.Answer {
		answer := failure(http.StatusServiceUnavailable, "service_unavailable", message)
		answer.Header = wire.RetryAfter(comeBack)
		return answer
	}
}
