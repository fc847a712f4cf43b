package command_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"leadconform/fixtures"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/verdict"
)

// goClient builds the Go client of fixtures/clients and returns the arguments that make it wrong, or not.
func goClient(t *testing.T, wrong string) []string {
	t.Helper()
	client := program(t, "client")
	if _, err := os.Stat(client); err != nil {
		if out, err := exec.Command("go", "build", "-o", client, "leadconform/fixtures/clients/go").CombinedOutput(); err != nil {
			t.Fatalf("build the client: %v\n%s", err, out)
		}
	}
	return []string{"--", client, "--wrong=" + wrong}
}

func TestMistakesAboutClientsExit2(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no recipe":                 {[]string{"client", "--", "true"}, "--recipe"},
		"an unknown recipe":         {[]string{"client", "--recipe", "crm", "--", "true"}, `"distro","insertion"`},
		"no client":                 {[]string{"client", "--recipe", "distro"}, "add -- COMMAND"},
		"a client that isn't there": {[]string{"client", "--recipe", "distro", "--", "no-such-client"}, "no-such-client"},
		"a row of the other recipe": {[]string{"client", "--recipe", "distro", "--only", "CL-IN-01", "--", "true"}, "--only CL-IN-01 matches no row of recipe distro"},
		"a speed below 1":           {[]string{"client", "--recipe", "distro", "--speed", "0.5", "--", "true"}, "--speed 0.5"},
		"a speed above 10":          {[]string{"client", "--recipe", "distro", "--speed", "11", "--", "true"}, "--speed 11: it must be from 1 to 10"},
		"a speed that is no number": {[]string{"client", "--recipe", "distro", "--speed", "NaN", "--", "true"}, "--speed NaN"},
		"a command to be served":    {[]string{"client", "--recipe", "distro", "--serve", "--", "true"}, "--serve starts no command"},
		"an address of nobody":      {[]string{"client", "--recipe", "distro", "--serve", "--addr", "256.0.0.1:1"}, "256.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := specs(t, nil, c.args...)
			if (r.status != 2 && name != "an address of nobody") || !strings.Contains(strings.ToLower(r.stderr), strings.ToLower(c.want)) || r.report != nil {
				t.Errorf("status %d, stderr:\n%s\nwant it to hold %q", r.status, r.stderr, c.want)
			}
		})
	}
}

// TestExitStatusesOfClients runs a few quick rows each. What the verdicts rest on is tested elsewhere.
func TestExitStatusesOfClients(t *testing.T) {
	for name, c := range map[string]struct {
		flags  []string
		wrong  string
		status int
		row    string
		want   verdict.Verdict
	}{
		"conforms":                   {[]string{"--recipe", "distro", "--only", "CL-LD-0[12]"}, "", 0, "CL-LD-01", verdict.Pass},
		"a MUST row fails":           {[]string{"--recipe", "distro", "--only", "CL-LD-0[12]"}, "ld-retries-400", 1, "CL-LD-01", verdict.Fail},
		"a SHOULD row fails":         {[]string{"--recipe", "insertion", "--only", "CL-IN-07"}, "in-gives-up-on-500", 0, "CL-IN-07", verdict.Warn},
		"the same, strictly":         {[]string{"--recipe", "insertion", "--only", "CL-IN-07", "--strict"}, "in-gives-up-on-500", 1, "CL-IN-07", verdict.Warn},
		"a SHOULD row's MUST fails":  {[]string{"--recipe", "insertion", "--only", "CL-IN-07"}, "in-seven-requests", 1, "CL-IN-07", verdict.Fail},
		"nothing is sent":            {[]string{"--recipe", "insertion", "--only", "CL-IN-01"}, "in-sends-nothing", 3, "CL-IN-01", verdict.NotAssessed},
		"a row of the other recipe":  {[]string{"--recipe", "insertion", "--only", "CL-IN-01"}, "", 0, "CL-LD-01", verdict.NotAssessed},
		"a row that wasn't selected": {[]string{"--recipe", "insertion", "--only", "CL-IN-01"}, "", 0, "CL-IN-02", verdict.NotAssessed},
	} {
		t.Run(name, func(t *testing.T) {
			r := specs(t, nil, append(append([]string{"client", "--speed", "5"}, c.flags...), goClient(t, c.wrong)...)...)
			if r.status != c.status || r.verdicts(t)[c.row] != c.want {
				t.Errorf("status %d, want %d; %s %s, want %s\n%s%s", r.status, c.status, c.row, r.verdicts(t)[c.row], c.want, r.stdout, r.stderr)
			}
			if again := "specs client --recipe " + c.flags[1] + " --only " + c.row + " --speed 5 -- COMMAND"; c.want == verdict.Fail &&
				(!strings.Contains(r.stdout, "reproduce\n"+again+"\n") || strings.Contains(r.stdout, "curl")) {
				t.Errorf("a failure isn't reproduced by %s:\n%s", again, r.stdout)
			}
			if err := held(t, r.report); err != nil {
				t.Errorf("the report doesn't hold against its schema: %v", err)
			}
			if len(r.report.Rows) != 22 || r.report.Target.Name != "client" {
				t.Errorf("%d rows of %s", len(r.report.Rows), r.report.Target.Name)
			}
			for _, secret := range []string{"ldk_primary_7Qm2Xw9Rk4", "ads_acme_primary_1Nz8Gk5Tq2Vw7Yb4"} {
				if strings.Contains(r.stdout, secret) {
					t.Error("the report holds a secret")
				}
			}
		})
	}
}

// held holds a report against its schema.
func held(t *testing.T, r *report.Report) error {
	t.Helper()
	text, err := fixtures.FS.ReadFile("schema/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	form, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("report.json", form); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	var written bytes.Buffer
	if err := r.WriteJSON(&written); err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(&written)
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

func TestServedClientsAreJudgedWhenTheTimeIsUp(t *testing.T) {
	r := specs(t, nil, "client", "--recipe", "insertion", "--serve", "--addr", "0.0.0.0:0", "--for", "100ms")
	if !strings.Contains(r.stderr, "http://127.0.0.1:") || !strings.Contains(r.stderr, "from another machine") {
		t.Errorf("no base URL can be used:\n%s", r.stderr)
	}
	if r.status != 3 || !strings.Contains(r.stderr, "/s/refused-400") || !strings.Contains(r.stderr, "update the lead") || r.verdicts(t)["CL-IN-01"] != verdict.NotAssessed {
		t.Errorf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
}
