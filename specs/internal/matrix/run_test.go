package matrix_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"leadconform/specs/internal/matrix"
	"leadconform/specs/internal/spec"
)

// role says, in the environment, what this test binary does in place of its tests.
const role = "MATRIX_TEST_ROLE"

func TestMain(m *testing.M) {
	id, asked := os.LookupEnv(role)
	if !asked {
		os.Exit(m.Run())
	}
	switch id {
	case "crashes":
		panic("the server's fault was too much")
	case "hangs":
		time.Sleep(time.Hour)
	case "talks":
		fmt.Println("hello")
	case "of-another":
		_ = matrix.NewPart(matrix.Servers, wrong("another", nil, "LD-201-01")).Write(os.Stdout)
	case "exits-after-its-part":
		_ = matrix.NewPart(matrix.Servers, wrong(id, map[string]spec.Result{"LD-201-01": spec.Failed}, "LD-201-01")).Write(os.Stdout)
		os.Exit(3)
	case "changes-what-is-expected":
		s := conforming(nil)
		s.ID = id
		_ = matrix.NewPart(matrix.Servers, s).Write(os.Stdout)
	default:
		_ = matrix.NewPart(matrix.Servers, wrong(id, map[string]spec.Result{"LD-201-01": spec.Failed}, "LD-201-01")).Write(os.Stdout)
	}
	os.Exit(0)
}

func runner() matrix.Runner {
	return matrix.Runner{Jobs: 2, Patience: time.Minute, Command: func(ctx context.Context, id string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, os.Args[0])
		cmd.Env = append(os.Environ(), role+"="+id)
		return cmd
	}}
}

func servers(ids ...string) []matrix.Server {
	var all []matrix.Server
	for _, id := range ids {
		all = append(all, matrix.Server{Subject: matrix.Subject{ID: id, Title: "it", Kind: matrix.Wrong, Kills: []string{"LD-201-01"}}})
	}
	return all
}

// A process that doesn't do what it should has not killed its server, whatever the server is.
func TestAProcessThatFailsIsNoKill(t *testing.T) {
	faults := map[string]string{
		"well":                     "",
		"crashes":                  "its process crashed: exit status 2: panic: the server's fault was too much",
		"talks":                    "its process printed something else",
		"of-another":               "its process spoke of something else",
		"exits-after-its-part":     "its process crashed: exit status 3",
		"changes-what-is-expected": "",
	}
	var ids []string
	for id := range faults {
		ids = append(ids, id)
	}
	r := runner()
	told := map[string]bool{}
	r.Tell = func(s matrix.Subject) { told[s.ID] = true }
	subjects, err := r.Run(t.Context(), servers(ids...))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range subjects {
		want := faults[ids[i]]
		state := full(s).Subjects[0].State
		switch {
		case s.ID != ids[i] || !told[s.ID]:
			t.Errorf("%s: it stands in the place of %s, or was not told of", s.ID, ids[i])
		case want != "" && (!strings.Contains(s.Fault, want) || state != matrix.Error):
			t.Errorf("%s: %s, %q, want %q", s.ID, state, s.Fault, want)
		case want == "" && (s.Fault != "" || s.Kind != matrix.Wrong):
			t.Errorf("%s: %s, %q", s.ID, s.Kind, s.Fault)
		case s.ID == "changes-what-is-expected" && state != matrix.Survived, s.ID == "well" && state != matrix.Killed:
			t.Errorf("%s: %s", s.ID, state)
		}
	}
}

func TestAProcessThatHangsIsKilled(t *testing.T) {
	r := runner()
	r.Patience = 100 * time.Millisecond // it hangs for an hour
	subjects, err := r.Run(t.Context(), servers("hangs"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "its process had not ended after 100ms, and was killed"; subjects[0].Fault != want || full(subjects[0]).Subjects[0].State != matrix.Error {
		t.Errorf("%q, want %q", subjects[0].Fault, want)
	}
}

func TestAProcessThatCannotBeStartedEndsTheRun(t *testing.T) {
	r := runner()
	r.Command = func(ctx context.Context, _ string) *exec.Cmd { return exec.CommandContext(ctx, "/no/such/program") }
	if _, err := r.Run(t.Context(), servers("a", "b", "c", "d")); !errors.Is(err, matrix.ErrStart) {
		t.Errorf("%v, want that no process could be started", err)
	}
}

func TestARunThatIsInterruptedSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := runner()
	command := r.Command
	r.Command = func(ctx context.Context, id string) *exec.Cmd {
		time.AfterFunc(50*time.Millisecond, cancel)
		return command(ctx, id)
	}
	if _, err := r.Run(ctx, servers("hangs")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was interrupted", err)
	}
}
