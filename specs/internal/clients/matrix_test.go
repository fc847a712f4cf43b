package clients_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"leadconform/fixtures/clients/integrator"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/matrix"
)

// matrixOut is the folder that receives the clients' part of the kill matrix.
const matrixOut = "LEAD_MATRIX_OUT"

// TestMatrix runs every client through all scenarios in virtual time, and writes what became of each row as the clients'
// part of the kill matrix. It says what came out; the judgement is that of specs mutants.
func TestMatrix(t *testing.T) {
	out := os.Getenv(matrixOut)
	if out == "" {
		t.Skipf("%s names no folder for the clients' part of the kill matrix", matrixOut)
	}
	var subjects []matrix.Subject
	var tries []func(t *testing.T, s *matrix.Subject)
	add := func(c *integrator.Wrong, s matrix.Subject, recipes ...string) {
		s.API, s.Title = catalogue.Client, c.About
		subjects = append(subjects, s)
		tries = append(tries, func(t *testing.T, s *matrix.Subject) {
			for _, recipe := range recipes {
				for _, speed := range []float64{1, 10} {
					s.Add(try(t, recipe, speed, goClient(c)))
				}
			}
		})
	}
	for _, c := range integrator.All() {
		add(&c, matrix.Subject{ID: c.ID, Kind: matrix.Wrong, Kills: c.Rows, Open: c.Open}, c.Recipe)
	}
	for _, c := range integrator.Variants() {
		add(&c, matrix.Subject{ID: "ok-" + c.ID, Kind: matrix.Conforming}, integrator.Distro, integrator.Insertion)
	}
	for _, c := range integrator.Nulls() {
		add(&c, matrix.Subject{ID: "null-" + c.ID, Kind: matrix.Null}, c.Recipe)
	}
	t.Run("clients", func(t *testing.T) {
		for i := range subjects {
			t.Run(subjects[i].ID, func(t *testing.T) {
				t.Parallel()
				tries[i](t, &subjects[i])
			})
		}
	})
	subjects = slices.DeleteFunc(subjects, func(s matrix.Subject) bool { return s.Results == nil }) // -run left it out
	var text bytes.Buffer
	if err := matrix.NewPart(matrix.Clients, subjects...).Write(&text); err != nil {
		t.Fatal(err)
	}
	if _, err := matrix.Read(text.Bytes()); err != nil {
		t.Error(err)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "clients.json"), text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
