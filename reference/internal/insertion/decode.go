package insertion

import (
	"mime"
	"net/http"
	"strings"

	"leadconform/reference/internal/wire"
)

// maxMembers bounds a body's own members, so that a summary of their faults stays in proportion. A lead has fifteen;
// what custom_fields holds is not counted.
const maxMembers = 100

// decode parses the body as one JSON object in strict UTF-8 (IN-400-01).
func decode(call *Call) ([]wire.Member, error) {
	if !isJSON(call.Request.Header) {
		return nil, badRequest(CodeInvalidContentType)
	}
	members, err := wire.ParseObject(call.Body)
	if err != nil {
		return nil, err
	}
	if len(members) > maxMembers {
		return nil, badRequest(CodeTooManyMembers)
	}
	return members, nil
}

// isJSON accepts application/json, any media type with the suffix +json, each with parameters, and none at all.
func isJSON(h http.Header) bool {
	values := h.Values("Content-Type")
	if len(values) == 0 {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(values[0])
	if err != nil || len(values) > 1 {
		return false
	}
	return mediaType == "application/json" || strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+json")
}
