package distro

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"leadconform/reference/internal/world"
)

// PingTokens issues and verifies ping tokens: what a ping hands out as ping_id, and a post may bring back as flo_ping_id.
type PingTokens interface {
	// Issue returns a token for that supplier and campaign, and the time from which on it no longer holds.
	Issue(supplierID, campaignID string, now time.Time) (token string, expires time.Time)
	// Verify reports whether the token was issued for that supplier and campaign, and holds.
	Verify(token, supplierID, campaignID string, now time.Time) bool
}

// signedTokens keeps nothing: a token carries its own expiry, and an HMAC-SHA256 over that, the supplier and the campaign.
// So every replica that knows the secret can verify it. It may be used more than once.
type signedTokens struct {
	secret   []byte
	lifetime time.Duration
}

// A token is nonce ‖ expiry (milliseconds since 1970, big-endian) ‖ signature, in unpadded base64url.
const (
	nonceSize  = 16
	expirySize = 8
	tokenSize  = nonceSize + expirySize + sha256.Size
)

func newSignedTokens(config world.PingToken) *signedTokens {
	return &signedTokens{secret: []byte(config.Secret), lifetime: config.Lifetime}
}

func (t *signedTokens) Issue(supplierID, campaignID string, now time.Time) (string, time.Time) {
	expires := now.Add(t.lifetime).Truncate(time.Millisecond)
	token := make([]byte, nonceSize, tokenSize)
	rand.Read(token)
	token = binary.BigEndian.AppendUint64(token, uint64(expires.UnixMilli()))
	token = append(token, t.signature(token, supplierID, campaignID)...)
	return base64.RawURLEncoding.EncodeToString(token), expires
}

func (t *signedTokens) Verify(token, supplierID, campaignID string, now time.Time) bool {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	// The second comparison shuts out other spellings of the same bytes (line ends, spare bits).
	if err != nil || len(raw) != tokenSize || base64.RawURLEncoding.EncodeToString(raw) != token {
		return false
	}
	head, signature := raw[:nonceSize+expirySize], raw[nonceSize+expirySize:]
	if !hmac.Equal(signature, t.signature(head, supplierID, campaignID)) {
		return false
	}
	expires := time.UnixMilli(int64(binary.BigEndian.Uint64(head[nonceSize:])))
	return now.Before(expires)
}

// signature covers the supplier's length too, so that no other pair of names reads the same.
func (t *signedTokens) signature(head []byte, supplierID, campaignID string) []byte {
	mac := hmac.New(sha256.New, t.secret)
	mac.Write([]byte("ping token 1\n"))
	mac.Write(head)
	mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(supplierID))))
	mac.Write([]byte(supplierID))
	mac.Write([]byte(campaignID))
	return mac.Sum(nil)
}
