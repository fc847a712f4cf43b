package mutant

import "slices"

// distroMutants are the wrong servers of the Lead Distro API, in the order of the contract's sections.
func distroMutants() []Mutant {
	return slices.Concat(
		distroEnvelope(), distroSuccess(), distroFields(), distroBodies(), distroRefusals(), distroRules(),
		distroFaults(), distroPings(), distroLookups(),
	)
}
