package insertion

import (
	"net/http"
	"strconv"
	"time"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/spec"
)

// authentication holds IN-401-*.
func authentication() []spec.Spec {
	return []spec.Spec{
		{ID: "IN-401-01", Body: onEveryCall(refusesNoAuthentication)},
		{ID: "IN-401-02", Body: onEveryCall(refusesAnUnknownPublicKey)},
		{ID: "IN-401-03", Body: onEveryCall(refusesAWrongSignature)},
		{ID: "IN-401-04", Body: onEveryCall(refusesAChangedBody)},
		{ID: "IN-401-05", Body: onEveryCall(refusesAnOldSignature)},
		{ID: "IN-401-06", Body: onEveryCall(refusesASignatureFromTheFuture)},
		{ID: "IN-401-07", Body: onEveryCall(refusesAnUnknownBearerToken)},
		{ID: "IN-401-08", Body: row(acceptsACorrectSignature)},
		{ID: "IN-401-09", Body: row(acceptsABearerToken)},
		{ID: "IN-401-10", Body: onEveryCall(refusesIncompleteHeaders)},
		{ID: "IN-401-11", Body: onEveryCall(letsNoSignatureTravel)},
		{ID: "IN-401-12", Body: onEveryCall(refusesARevokedKeyLikeAnUnknownOne)},
	}
}

func refusesNoAuthentication(g spec.Gomega, d api, c call) {
	g.Expect(d.callWith(c, nil)).To(BeError(401, "missing_auth"))
}

func refusesAnUnknownPublicKey(g spec.Gomega, d api, c call) {
	g.Expect(d.callWith(c, d.signedByAStranger(c))).To(BeError(401, "invalid_public_key"))
}

func refusesAWrongSignature(_ spec.Gomega, d api, c call) {
	name := d.Profile.Insertion.Headers.Signature
	right := d.signed(c, time.Now())
	d.each(
		kase{"made with another secret", func(g spec.Gomega, d api) {
			g.Expect(d.callWith(c, d.signedByAnother(c))).To(BeError(401, "invalid_signature"))
		}},
		// A comparison that stops early, or that covers only a part, lets one of these pass.
		kase{"right but for its first digit", func(g spec.Gomega, d api) {
			g.Expect(d.callWith(c, changed(right, name, withDigit(right.Get(name), 0)))).To(BeError(401, "invalid_signature"))
		}},
		kase{"right but for its last digit", func(g spec.Gomega, d api) {
			g.Expect(d.callWith(c, changed(right, name, withDigit(right.Get(name), len(right.Get(name))-1)))).To(BeError(401, "invalid_signature"))
		}},
	)
}

// withDigit is a signature with another hexadecimal digit in one place.
func withDigit(signature string, i int) string {
	digit := byte('0')
	if signature[i] == digit {
		digit = '1'
	}
	return signature[:i] + string(digit) + signature[i+1:]
}

func refusesAChangedBody(g spec.Gomega, d api, c call) {
	if c.body == nil {
		signedWithOne := d.Profile.Insertion.SignedHeader(d.key(), time.Now(), lead{"id": d.Data.UUID()}.json())
		g.Expect(d.callWith(c, signedWithOne)).To(BeError(401, "invalid_signature"))
		return
	}
	// Not the second of the control: a signature that was accepted once is the matter of IN-401-11.
	right := d.signed(c, time.Now().Add(-10*time.Second))
	send := func(g spec.Gomega, d api, body []byte) {
		g.Expect(d.callWith(call{method: c.method, path: c.path, body: body}, right)).To(BeError(401, "invalid_signature"))
	}
	d.each(
		kase{"another value", func(g spec.Gomega, d api) {
			if c.method == http.MethodPost {
				send(g, d, d.lead("first").json())
				return
			}
			send(g, d, lead{"first_name": renamedAgain}.json())
		}},
		// The raw bytes are signed, not what they mean.
		kase{"other white space", func(g spec.Gomega, d api) { send(g, d, spaced(c.body)) }},
	)
}

func refusesAnOldSignature(g spec.Gomega, d api, c call) {
	at := time.Now().Add(-d.Profile.Insertion.SignatureWindow - time.Minute)
	g.Expect(d.callWith(c, d.signed(c, at))).To(BeError(401, "signature_expired"))
}

func refusesASignatureFromTheFuture(g spec.Gomega, d api, c call) {
	at := time.Now().Add(d.Profile.Insertion.SignatureWindow + time.Minute)
	g.Expect(d.callWith(c, d.signed(c, at))).To(BeError(401, "signature_expired"))
}

func refusesAnUnknownBearerToken(g spec.Gomega, d api, c call) {
	header := target.BearerHeader(d.lookalike(d.key().Secret))
	g.Expect(d.callWith(c, header)).To(BeError(401, "invalid_bearer"))
}

func acceptsACorrectSignature(g spec.Gomega, d api) {
	created := d.create(d.lead("first"))
	g.Expect(created).To(BeTaken())
	// Where the window is no longer than a minute, a signature that is made now is as young as can be asked for.
	younger := max(0, d.Profile.Insertion.SignatureWindow-time.Minute)
	var cases []kase
	for _, c := range d.calls(leadID(created)) {
		cases = append(cases,
			kase{c.name + ", signed now", func(g spec.Gomega, d api) { g.Expect(d.call(c)).To(BeAccepted()) }},
			kase{c.name + ", signed a minute less than the window ago", func(g spec.Gomega, d api) {
				c := d.fresh(c)
				g.Expect(d.callWith(c, d.signed(c, time.Now().Add(-younger)))).To(BeAccepted())
			}})
	}
	// The raw bytes are signed: a target that writes the body anew before it signs refuses this one.
	cases = append(cases, kase{"POST, a body with white space", func(g spec.Gomega, d api) {
		g.Expect(d.createBody(spaced(d.lead("first").json()))).To(BeAccepted())
	}})
	d.each(cases...)
}

// fresh is a call like another. One that writes is about a lead of its own: two writes of one lead at the same time may
// rightly be answered 409.
func (d api) fresh(c call) call {
	switch c.method {
	case http.MethodPost:
		return d.posting()
	case http.MethodPatch:
		return c.of(d.given(d.lead("first")))
	}
	return c
}

func acceptsABearerToken(_ spec.Gomega, d api) {
	id := d.given(d.lead("first"))
	var cases []kase
	for _, c := range d.calls(id) {
		cases = append(cases, kase{c.name, func(g spec.Gomega, d api) { g.Expect(d.byBearer().call(c)).To(BeAccepted()) }})
	}
	d.each(cases...)
}

// The five codes that are documented for a 401.
var unauthorised = []string{"missing_auth", "invalid_public_key", "invalid_signature", "signature_expired", "invalid_bearer"}

func refusesIncompleteHeaders(_ spec.Gomega, d api, c call) {
	names := d.Profile.Insertion.Headers
	whole := d.signed(c, time.Now())
	// Rightly signed, but for a time that is none.
	timeless := changed(changed(whole, names.Timestamp, "yesterday"),
		names.Signature, target.SignText(d.key().Secret, "yesterday", c.body))
	// A number at first: a reader that stops where the number ends finds a fresh one.
	lettered := whole.Get(names.Timestamp) + "abc"
	ending := changed(changed(whole, names.Timestamp, lettered), names.Signature, target.SignText(d.key().Secret, lettered, c.body))
	half := whole.Get(names.Signature)[:len(whole.Get(names.Signature))/2]
	var cases []kase
	for _, headers := range []struct {
		name string
		sent http.Header
	}{
		{"a key without signature", changed(whole, names.Signature, "")},
		{"a signature without key", changed(whole, names.PublicKey, "")},
		{"a signature without time stamp", changed(whole, names.Timestamp, "")},
		{"a time stamp that is no number", timeless},
		{"a time stamp that ends in letters", ending},
		{"a signature that is no hexadecimal number", changed(whole, names.Signature, "unsigned")},
		{"half of a signature", changed(whole, names.Signature, half)},
	} {
		cases = append(cases, kase{headers.name, func(g spec.Gomega, d api) {
			g.Expect(d.callWith(c, headers.sent)).To(BeError(401, unauthorised...))
		}})
	}
	d.each(cases...)
}

func letsNoSignatureTravel(_ spec.Gomega, d api, c call) {
	at := time.Now()
	right := d.signed(c, at)
	d.control("the signature is accepted with its own body and time stamp", func(g spec.Gomega, d api) {
		g.Expect(d.callWith(c, right)).To(BeAccepted())
	})
	cases := []kase{{"to another time stamp", func(g spec.Gomega, d api) {
		later := changed(right, d.Profile.Insertion.Headers.Timestamp, strconv.FormatInt(at.Unix()-1, 10))
		g.Expect(d.callWith(c, later)).To(BeAnswered(401))
	}}}
	switch c.method {
	case http.MethodPost:
		cases = append(cases, kase{"to another body", func(g spec.Gomega, d api) {
			g.Expect(d.callWith(d.posting(), right)).To(BeAnswered(401))
		}})
	case http.MethodPatch:
		cases = append(cases, kase{"to another body", func(g spec.Gomega, d api) {
			other := c
			other.body = lead{"first_name": renamedAgain}.json()
			g.Expect(d.callWith(other, right)).To(BeAnswered(401))
		}})
	}
	d.each(cases...)
}

func refusesARevokedKeyLikeAnUnknownOne(_ spec.Gomega, d api, c call) {
	revoked := d.as("revoked")
	d.each(
		kase{"signed", func(g spec.Gomega, d api) {
			unknown, again := d.callWith(c, d.signedByAStranger(c)), d.callWith(c, d.signedByAStranger(c))
			g.Expect(d.callWith(c, revoked.signed(c, time.Now()))).To(BeRefusedLike(401, "an unknown public key", unknown, again))
		}},
		kase{"bearer token", func(g spec.Gomega, d api) {
			unknown := func() http.Header { return target.BearerHeader(d.lookalike(d.key().Secret)) }
			one, again := d.callWith(c, unknown()), d.callWith(c, unknown())
			g.Expect(d.callWith(c, target.BearerHeader(revoked.key().Secret))).To(BeRefusedLike(401, "an unknown token", one, again))
		}},
	)
}
