package insertion

import (
	"errors"
	"net/http"
	"strings"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// The identifiers that a failure may carry, beside those of wire.BodyError and the summary of a validation (IN-ENV-02).
const (
	CodeMissingAuth        = "missing_auth"
	CodeInvalidPublicKey   = "invalid_public_key"
	CodeInvalidSignature   = "invalid_signature"
	CodeSignatureExpired   = "signature_expired"
	CodeInvalidBearer      = "invalid_bearer"
	CodeRateLimited        = "rate_limited"
	CodeScopeRequired      = "scope_required:" // the scope follows
	CodeInvalidContentType = "invalid_content_type"
	CodeTooManyMembers     = "too_many_members"
	CodeEmptyPatch         = "empty_patch"
	CodeMalformedQuery     = "malformed_query"
	CodeNotFound           = "not_found"
	CodeMethodNotAllowed   = "method_not_allowed"
	CodeConflict           = "conflict"
	CodeInternalError      = "internal_error"
)

// Refusal is an error that says how the request is answered.
type Refusal struct {
	Status int
	Code   string      // the envelope's error
	Header http.Header // nil for none
}

func (r *Refusal) Error() string { return r.Code }

// unauthorised names the one scheme of the API that HTTP has a word for, since a 401 must name one (RFC 9110 §15.5.2).
func unauthorised(code string) *Refusal {
	return &Refusal{Status: http.StatusUnauthorized, Code: code, Header: http.Header{"Www-Authenticate": {"Bearer"}}}
}

func badRequest(code string) *Refusal {
	return &Refusal{Status: http.StatusBadRequest, Code: code}
}

// notFound is the one answer for whatever the caller has no part in: an unknown lead, another account's lead or
// campaign, an endpoint that is switched off. They can't be told apart (IN-404-02, IN-404-03).
func notFound() *Refusal {
	return &Refusal{Status: http.StatusNotFound, Code: CodeNotFound}
}

// Fault is one thing wrong with a request's content.
type Fault struct {
	Field   string // the member or the query parameter, as the client may see it
	Problem string // a few words without a comma
}

// Faults are all that is wrong with a request's content.
type Faults []Fault

// Error is the comma-separated summary: one part per fault, each naming its field (IN-400-08, IN-400-12).
func (f Faults) Error() string {
	parts := make([]string, len(f))
	for i, fault := range f {
		parts[i] = fault.Field + ": " + fault.Problem
	}
	return strings.Join(parts, ", ")
}

// orNil is nil if there is no fault, so that an empty list is no error.
func (f Faults) orNil() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// explain turns an error of any step into a refusal. What it doesn't know is an internal error, and stays unsaid.
func explain(err error) *Refusal {
	var (
		refusal *Refusal
		faults  Faults
		body    *wire.BodyError
	)
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.As(err, &faults):
		return badRequest(faults.Error())
	case errors.As(err, &body):
		return badRequest(body.Code)
	case errors.Is(err, leads.ErrNotFound):
		return notFound()
	case errors.Is(err, leads.ErrConflict):
		return &Refusal{Status: http.StatusConflict, Code: CodeConflict}
	default:
		return &Refusal{Status: http.StatusInternalServerError, Code: CodeInternalError}
	}
}
