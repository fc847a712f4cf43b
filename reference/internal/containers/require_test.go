package containers

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Without Docker a test is skipped, with the reason; where Docker is required, it fails. Since a test that fails can't
// pass, this one runs itself again and looks at what becomes of it.
func TestRequire(t *testing.T) {
	if os.Getenv("WITHOUT_DOCKER") != "" {
		require(t, errors.New("nobody is at home"))
		t.Fatal("the test goes on")
	}
	for _, test := range []struct {
		name, required, says string
		passes               bool
	}{
		{"not required", "", "needs containers: nobody is at home\n--- SKIP: TestRequire", true},
		{"required", "1", "REQUIRE_DOCKER is set, but nobody is at home\n--- FAIL: TestRequire", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRequire$", "-test.v")
			cmd.Env = append(os.Environ(), "WITHOUT_DOCKER=1", "REQUIRE_DOCKER="+test.required)
			out, err := cmd.CombinedOutput()
			if (err == nil) != test.passes || !strings.Contains(string(out), test.says) {
				t.Errorf("it ends with %v and says\n%s", err, out)
			}
		})
	}
}
