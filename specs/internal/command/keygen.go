package command

import "leadconform/specs/internal/certificate"

type keygenCmd struct {
	Out string `help:"What the files' names begin with: PREFIX.key and PREFIX.pub." required:"" placeholder:"PREFIX" type:"path"`
}

// Help is shown by specs keygen --help.
func (keygenCmd) Help() string {
	return `The keys are Ed25519. PREFIX.key signs: only its owner can read it, and it is to stay so. PREFIX.pub checks: give it to whoever is to trust what you sign, by a way that they trust. A key that exists is never overwritten.

Examples:

  specs keygen --out acme               writes acme.key and acme.pub, and prints the fingerprint
  specs keygen --out ~/keys/certifier`
}

// Run makes a key pair.
func (k *keygenCmd) Run(w *World) error {
	key, err := certificate.Generate(k.Out)
	if err != nil {
		return usage("%w", err)
	}
	w.printf("%s.key  signs certificates: keep it to yourself\n%s.pub  checks them: give it away\nfingerprint %s\n", k.Out, k.Out, key.Fingerprint())
	return nil
}
