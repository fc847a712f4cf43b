package insertion

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"leadconform/reference/internal/world"
)

// The headers of a signed request.
const (
	headerPublicKey = "X-AdBuy-Public-Key"
	headerTimestamp = "X-AdBuy-Timestamp"
	headerSignature = "X-AdBuy-Signature"
)

// Credentials are what authenticates a request: either the three parts of a signature, or a bearer token.
type Credentials struct {
	PublicKey string
	Timestamp string // as it was sent: the signature covers the text
	Signature string

	Bearer   string
	IsBearer bool
}

// authenticate finds the call's key. A request with any of the signature's headers is taken as signed, whatever its
// Authorization says, so that a bearer token never stands in for a signature that fails.
func (a *API) authenticate(_ context.Context, call *Call) error {
	credentials, err := a.ReadCredentials(call.Request.Header)
	if err != nil {
		return err
	}
	if credentials.IsBearer {
		call.Key, err = a.keyOfBearer(credentials.Bearer)
	} else {
		call.Key, err = a.keyOfSignature(credentials, call.Body)
	}
	return err
}

// keyOfSignature judges key, signature and age in this order: whoever learns that a signature has expired has made a
// right one (IN-401-02 to IN-401-06).
func (a *API) keyOfSignature(c Credentials, body []byte) (*world.Key, error) {
	key, ok := a.World.KeyByPublicKey(c.PublicKey)
	if !ok || !a.Usable(key) {
		return nil, unauthorised(CodeInvalidPublicKey)
	}
	if !a.SameSignature(a.Sign(key.Secret, c.Timestamp, body), c.Signature) {
		return nil, unauthorised(CodeInvalidSignature)
	}
	timestamp, ok := parseTimestamp(c.Timestamp)
	if !ok {
		return nil, unauthorised(CodeInvalidSignature)
	}
	if !a.Fresh(timestamp, a.Now()) {
		return nil, unauthorised(CodeSignatureExpired)
	}
	return key, nil
}

// keyOfBearer finds the key by its secret (IN-401-07, IN-401-09).
func (a *API) keyOfBearer(token string) (*world.Key, error) {
	key, ok := a.World.KeyBySecret(token)
	if !ok || !a.Usable(key) {
		return nil, unauthorised(CodeInvalidBearer)
	}
	return key, nil
}

// readCredentials refuses headers that don't make a whole with missing_auth: none at all, only some of a signature's
// three, one that is empty or repeated, or an Authorization of another scheme (IN-401-01, IN-401-10).
func readCredentials(h http.Header) (Credentials, error) {
	signed := false
	single := func(name string) string {
		values := h.Values(name)
		signed = signed || len(values) > 0
		if len(values) != 1 {
			return ""
		}
		return values[0]
	}
	c := Credentials{PublicKey: single(headerPublicKey), Timestamp: single(headerTimestamp), Signature: single(headerSignature)}
	if signed {
		if c.PublicKey == "" || c.Timestamp == "" || c.Signature == "" {
			return Credentials{}, unauthorised(CodeMissingAuth)
		}
		return c, nil
	}
	// The scheme's letter case doesn't count (RFC 9110 §11.1).
	scheme, token, _ := strings.Cut(single("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Credentials{}, unauthorised(CodeMissingAuth)
	}
	return Credentials{Bearer: strings.TrimLeft(token, " "), IsBearer: true}, nil
}

// usable: a revoked key is as good as none, on either path (IN-401-12).
func usable(key *world.Key) bool { return !key.Revoked }

// sign is HMAC-SHA256(secret, timestamp + "." + body) in lowercase hex. A request without a body signs the empty body.
func sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp))
	mac.Write([]byte{'.'})
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// sameSignature takes the same time wherever the two differ.
func sameSignature(want, got string) bool { return hmac.Equal([]byte(want), []byte(got)) }

// parseTimestamp reads Unix seconds: decimal digits and nothing else.
func parseTimestamp(text string) (int64, bool) {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return seconds, err == nil
}

// fresh counts in whole seconds, as the timestamp does. The window is open to both sides, its edges included
// (IN-401-05, IN-401-06, IN-401-08).
func (a *API) fresh(timestamp int64, now time.Time) bool {
	window := int64(a.World.SignatureWindow / time.Second)
	return timestamp >= now.Unix()-window && timestamp <= now.Unix()+window
}
