package certificate

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	strict "github.com/go-json-experiment/json"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"leadconform/specs/internal/report"
)

// Issue writes the certificate of a report: its text as it was written to a file, the public form of the profile that it
// was made with, and what was certified. It refuses a report that doesn't bear a certificate out (Refusal), or that a check
// would not accept.
func Issue(ctx context.Context, text, profile []byte, implementation Implementation, key PrivateKey) ([]byte, error) {
	r, err := report.Read(text)
	if err != nil {
		return nil, fmt.Errorf("read the report: %w", err)
	}
	if reason := Refusal(r); reason != "" {
		return nil, errors.New(reason)
	}
	payload, err := evidence{r, text, profile, implementation, key.Public()}.statement()
	if err != nil {
		return nil, err
	}
	certificate, err := seal(ctx, payload, key)
	if err != nil {
		return nil, err
	}
	public := key.Public()
	if _, err := Check(ctx, certificate, text, &public); err != nil {
		return nil, fmt.Errorf("the certificate would not be accepted: %w", err)
	}
	return certificate, nil
}

// seal signs a statement.
func seal(ctx context.Context, payload []byte, key PrivateKey) ([]byte, error) {
	signer, err := dsse.NewEnvelopeSigner(key.signer)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate: %w", err)
	}
	envelope, err := signer.SignPayload(ctx, payloadType, payload)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate: %w", err)
	}
	return write(envelope)
}

// write is the one spelling of an envelope.
func write(e *dsse.Envelope) ([]byte, error) {
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the certificate: %w", err)
	}
	return append(text, '\n'), nil
}

// open reads an envelope and its payload. Base64 and JSON leave room to spell the same thing in several ways; only the one
// that Issue writes is taken, so that no byte of a certificate can be changed unseen.
func open(certificate []byte) (*dsse.Envelope, []byte, error) {
	var e dsse.Envelope
	if err := strict.Unmarshal(certificate, &e, strict.RejectUnknownMembers(true)); err != nil {
		return nil, nil, fmt.Errorf("it is no DSSE envelope: %w", err)
	}
	if e.PayloadType != payloadType {
		return nil, nil, fmt.Errorf("its payload is of type %q, want %q", e.PayloadType, payloadType)
	}
	if len(e.Signatures) != 1 {
		return nil, nil, fmt.Errorf("it has %d signatures, want one", len(e.Signatures))
	}
	payload, err := base64.StdEncoding.DecodeString(e.Payload)
	if err != nil {
		return nil, nil, fmt.Errorf("its payload is no base64: %w", err)
	}
	signature, err := base64.StdEncoding.DecodeString(e.Signatures[0].Sig)
	if err != nil {
		return nil, nil, fmt.Errorf("its signature is no base64: %w", err)
	}
	again, err := write(&dsse.Envelope{PayloadType: e.PayloadType, Payload: base64.StdEncoding.EncodeToString(payload),
		Signatures: []dsse.Signature{{KeyID: e.Signatures[0].KeyID, Sig: base64.StdEncoding.EncodeToString(signature)}}})
	if err != nil {
		return nil, nil, err
	}
	if !bytes.Equal(again, certificate) {
		return nil, nil, errors.New("its spelling was changed: specs certify writes it in another way")
	}
	return &e, payload, nil
}

// verify checks the signature by a key.
func verify(ctx context.Context, e *dsse.Envelope, key PublicKey) error {
	if signed := e.Signatures[0].KeyID; signed != key.Fingerprint() {
		return fmt.Errorf("it is signed with the key %s, not with %s", strings.ToValidUTF8(signed, "\uFFFD"), key.Fingerprint())
	}
	verifier, err := dsse.NewEnvelopeVerifier(key.verifier)
	if err != nil {
		return fmt.Errorf("check the signature: %w", err)
	}
	if _, err := verifier.Verify(ctx, e); err != nil {
		return errors.New("the signature doesn't fit: what was signed, or the signature, was changed")
	}
	return nil
}
