package matrix_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"leadconform/fixtures/clients/integrator"
	"leadconform/reference/mutant"
	"leadconform/specs/internal/matrix"
)

// The README's figures are those of the lists that the matrix goes through.
func TestReadmeCountsWhatIsTried(t *testing.T) {
	text, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	wrong, right := 0, 0
	for _, m := range mutant.All() {
		if m.Conforming {
			right++
		} else {
			wrong++
		}
	}
	said := strings.Join(strings.Fields(string(text)), " ")
	for _, want := range []string{
		fmt.Sprintf("%d servers, ", wrong), fmt.Sprintf("%d clients that are wrong on purpose", len(integrator.All())),
		fmt.Sprintf("%d servers (five times each), ", right), fmt.Sprintf("%d clients that differ where", len(integrator.Variants())),
		fmt.Sprintf("%d servers, 12 limiters", len(matrix.Nulls())), fmt.Sprintf("%d clients that", len(integrator.Nulls())),
	} {
		if !strings.Contains(said, want) {
			t.Errorf("README.md, What a pass is worth, lacks %q: run make mutants and write what it prints", want)
		}
	}
}
