package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestGenerateWritesAPairThatOnlyItsOwnerReads(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "acme")
	public, err := Generate(prefix)
	if err != nil {
		t.Fatal(err)
	}
	for suffix, mode := range map[string]os.FileMode{".key": 0o600, ".pub": 0o644} {
		info, err := os.Stat(prefix + suffix)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: mode %v, %v; want %v", suffix, info.Mode(), err, mode)
		}
	}
	private, err := ReadPrivateKey(prefix + ".key")
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadPublicKey(prefix + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []PublicKey{private.Public(), read} {
		if k.Fingerprint() != public.Fingerprint() || !regexp.MustCompile(`^SHA256:[0-9a-f]{64}$`).MatchString(k.Fingerprint()) {
			t.Errorf("fingerprint %s, want %s", k.Fingerprint(), public.Fingerprint())
		}
	}
}

func TestAKeyIsNeverOverwritten(t *testing.T) {
	for _, there := range []string{".key", ".pub"} {
		prefix := filepath.Join(t.TempDir(), "acme")
		if err := os.WriteFile(prefix+there, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Generate(prefix); err == nil || !strings.Contains(err.Error(), prefix+there+" exists") {
			t.Errorf("%s is there: %v", there, err)
		}
		if text, _ := os.ReadFile(prefix + there); string(text) != "mine" {
			t.Errorf("%s was overwritten", there)
		}
		if files, _ := filepath.Glob(prefix + "*"); len(files) != 1 {
			t.Errorf("%s is there, and %v was left", there, files)
		}
	}
	if _, err := Generate(filepath.Join(t.TempDir(), "nowhere", "acme")); err == nil {
		t.Error("a folder that isn't there is no error")
	}
}

func TestKeysOfAnotherKindAreRefused(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	pair := newKey(t)
	ec := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	prefix := filepath.Join(t.TempDir(), "k")
	if _, err := Generate(prefix); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(prefix + ".key")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"nothing":          {"", "no key in PEM"},
		"words":            {"a very secret word", "no key in PEM"},
		"a file cut off":   {string(whole[:60]), "cut off"},
		"an empty block":   {"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "no Ed25519 key"},
		"another curve":    {ec, "no Ed25519 key"},
		"a public key":     {pair.Public().PEM(), "this is a public key"},
		"an encrypted key": {string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})), "encrypted"},
	} {
		if _, err := ParsePrivateKey([]byte(c.text)); err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s as a private key: %v, want %q", name, err, c.want)
		}
	}
	if _, err := ReadPublicKey(prefix + ".key"); err == nil || !strings.Contains(err.Error(), "keep it to yourself") {
		t.Errorf("a private key as a public one: %v", err)
	}
}

// The doc comment of Fingerprint says how anybody can work it out.
func TestFingerprintIsWhatOpensslSays(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
	prefix := filepath.Join(t.TempDir(), "k")
	public, err := Generate(prefix)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", "-c", `openssl pkey -pubin -in "$1" -outform DER | sha256sum`, "sh", prefix+".pub").Output()
	if err != nil || !strings.HasPrefix("SHA256:"+string(out), public.Fingerprint()) {
		t.Errorf("openssl says %s, %v; want %s", out, err, public.Fingerprint())
	}
}
