package certificate

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/signerverifier"
)

// PrivateKey is an Ed25519 key that signs certificates.
type PrivateKey struct {
	signer *signerverifier.ED25519SignerVerifier
	public PublicKey
}

// Public returns the key that checks what this one signs.
func (k PrivateKey) Public() PublicKey { return k.public }

// PublicKey is an Ed25519 key that checks the signature of a certificate.
type PublicKey struct {
	verifier *signerverifier.ED25519SignerVerifier
	der      []byte // SubjectPublicKeyInfo
}

// Fingerprint names the key: SHA256 and, in hex, the digest of the key's DER form, as
//
//	openssl pkey -pubin -in PREFIX.pub -outform DER | sha256sum
//
// prints it.
func (k PublicKey) Fingerprint() string {
	digest := sha256.Sum256(k.der)
	return "SHA256:" + hex.EncodeToString(digest[:])
}

// PEM returns the key as PREFIX.pub holds it.
func (k PublicKey) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: signerverifier.PublicKeyPEM, Bytes: k.der}))
}

// Generate makes a key pair, writes PREFIX.key (PKCS #8, readable by its owner alone) and PREFIX.pub (SubjectPublicKeyInfo),
// both PEM, and returns the public key. A file that exists is never overwritten, and then nothing is written.
func Generate(prefix string) (PublicKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return PublicKey{}, fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return PublicKey{}, fmt.Errorf("make a key: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: signerverifier.PrivateKeyPEM, Bytes: der})
	key, err := ParsePrivateKey(text)
	if err != nil {
		return PublicKey{}, err
	}
	if err := create(prefix+".key", text, 0o600); err != nil {
		return PublicKey{}, err
	}
	if err := create(prefix+".pub", []byte(key.public.PEM()), 0o644); err != nil {
		_ = os.Remove(prefix + ".key") // half a pair is of no use
		return PublicKey{}, err
	}
	return key.public, nil
}

// create writes a new file whole, or leaves none.
func create(path string, text []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists, and a key is never overwritten: remove it, or choose another prefix", path)
	}
	if err != nil {
		return fmt.Errorf("write a key: %w", err)
	}
	_, errWrite := f.Write(text)
	if err := errors.Join(errWrite, f.Close()); err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("write a key: %w", err)
	}
	return nil
}

// ReadPrivateKey reads PREFIX.key. Its errors never quote the file.
func ReadPrivateKey(path string) (PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("read the key: %w", err)
	}
	key, err := ParsePrivateKey(text)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// ParsePrivateKey reads a private key from PEM.
func ParsePrivateKey(text []byte) (PrivateKey, error) {
	key, public, err := load(text)
	switch {
	case err != nil:
		return PrivateKey{}, err
	case key.KeyVal.Private == "":
		return PrivateKey{}, errors.New("this is a public key, and signing takes the private one (PREFIX.key)")
	}
	return PrivateKey{public.verifier, public}, nil
}

// ReadPublicKey reads PREFIX.pub.
func ReadPublicKey(path string) (PublicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return PublicKey{}, fmt.Errorf("read the public key: %w", err)
	}
	key, err := ParsePublicKey(text)
	if err != nil {
		return PublicKey{}, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// ParsePublicKey reads a public key from PEM.
func ParsePublicKey(text []byte) (PublicKey, error) {
	key, public, err := load(text)
	switch {
	case err != nil:
		return PublicKey{}, err
	case key.KeyVal.Private != "":
		return PublicKey{}, errors.New("this is a private key: keep it to yourself, and give the public one (PREFIX.pub)")
	}
	return public, nil
}

// load reads a key of either kind. The key goes by its fingerprint.
func load(text []byte) (*signerverifier.SSLibKey, PublicKey, error) {
	block, _ := pem.Decode(text)
	switch {
	case block == nil:
		return nil, PublicKey{}, errors.New("this is no key in PEM, or it was cut off (specs keygen makes a pair)")
	case strings.HasPrefix(block.Type, "ENCRYPTED"):
		return nil, PublicKey{}, errors.New("this key is encrypted: decrypt it first, with openssl pkey for instance")
	}
	key, err := signerverifier.LoadKey(text)
	if err != nil || key.KeyType != signerverifier.ED25519KeyType {
		return nil, PublicKey{}, errors.New("this is no Ed25519 key, and certificates take no other (specs keygen makes a pair)")
	}
	raw, err := hex.DecodeString(key.KeyVal.Public)
	if err != nil {
		return nil, PublicKey{}, errors.New("the key can't be read")
	}
	public := PublicKey{}
	if public.der, err = x509.MarshalPKIXPublicKey(ed25519.PublicKey(raw)); err != nil {
		return nil, PublicKey{}, errors.New("the key can't be read")
	}
	key.KeyID = public.Fingerprint()
	if public.verifier, err = signerverifier.NewED25519SignerVerifierFromSSLibKey(key); err != nil {
		return nil, PublicKey{}, errors.New("the key can't be read")
	}
	return key, public, nil
}
