package certificate

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"leadconform/specs/internal/report"
	"leadconform/specs/internal/spec"
	"leadconform/specs/internal/verdict"
)

// member walks to a member of a statement.
func member(statement map[string]any, path ...string) map[string]any {
	for _, name := range path {
		statement = statement[name].(map[string]any)
	}
	return statement
}

// notUnderRace skips a test of hundreds of checks, one after the other, in which nothing runs side by side.
func notUnderRace(t *testing.T) {
	t.Helper()
	if underRace {
		t.Skip("nothing runs side by side here, and the race detector makes it twenty times slower")
	}
}

// A certificate or a report that was changed after the signing.
func TestTampering(t *testing.T) {
	notUnderRace(t)
	i := issue(t, run{results: map[string]spec.Result{"LD-429-01": spec.Failed, "LD-ENV-03": spec.Failed}})
	other := issue(t, run{})
	edited := func(change func(*report.Report)) func() ([]byte, []byte) {
		return func() ([]byte, []byte) { return i.certificate, i.edit(t, change) }
	}
	changed := func(from, to string) func() ([]byte, []byte) {
		return func() ([]byte, []byte) {
			text := strings.Replace(string(i.certificate), from, to, 1)
			if text == string(i.certificate) {
				t.Errorf("the certificate holds no %q", from)
			}
			return []byte(text), i.report
		}
	}
	const another = "the report is not the one that was certified"
	for name, c := range map[string]struct {
		tampered func() (certificate, text []byte)
		want     string
	}{
		"a verdict is turned into a pass": {edited(func(r *report.Report) { rowOf(r, "LD-429-01").Verdict = verdict.Pass }), another},
		"two verdicts are swapped": {edited(func(r *report.Report) {
			a, b := rowOf(r, "LD-429-01"), rowOf(r, "LD-429-02")
			a.Verdict, b.Verdict = b.Verdict, a.Verdict
			a.Reason, b.Reason = b.Reason, a.Reason
		}), another},
		"a row is dropped":            {edited(func(r *report.Report) { r.Rows = r.Rows[1:] }), "1 rows of the catalogue were left out of the report: LD-ENV-01"},
		"a level is raised":           {edited(func(r *report.Report) { r.Levels["distro"] = "full" }), "the report grants distro the level full, and its rows give core"},
		"a note is edited":            {edited(func(r *report.Report) { r.Rows[0].Notes[0] = "a better note" }), another},
		"rows are reordered":          {edited(func(r *report.Report) { r.Rows[0], r.Rows[1] = r.Rows[1], r.Rows[0] }), "out of order from LD-ENV-02 on"},
		"an exchange is edited":       {edited(func(r *report.Report) { r.Exchanges[3].Response.Body = "{}" }), another},
		"the target is another":       {edited(func(r *report.Report) { r.Target.BaseURLs["distro"] = "https://other.example" }), another},
		"the peak policy is another":  {edited(func(r *report.Report) { r.Policy.Peak = "capacity" }), another},
		"the date is another":         {edited(func(r *report.Report) { r.Run.Started = r.Run.Started.AddDate(1, 0, 0) }), another},
		"the report is another run's": {func() ([]byte, []byte) { return i.certificate, other.report }, another},
		"the report is cut off":       {func() ([]byte, []byte) { return i.certificate, i.report[:len(i.report)/2] }, "the report can't be read"},
		"a member stands twice": {func() ([]byte, []byte) {
			return i.certificate, bytes.Replace(i.report, []byte(`"schema": 1,`), []byte(`"schema": 1, "schema": 1,`), 1)
		}, "duplicate object member name"},
		"the certificate is another's": {func() ([]byte, []byte) { return other.certificate, i.report }, "it is signed with the key " + other.key.Public().Fingerprint()},
		"the certificate is re-signed with a key of the forger's, who takes over the key's name": {func() ([]byte, []byte) {
			return bytes.ReplaceAll(other.certificate, []byte(other.key.Public().Fingerprint()), []byte(i.key.Public().Fingerprint())), i.report
		}, "the signature doesn't fit"},
		"the payload's type is another": {changed("in-toto", "in-otot"), "its payload is of type"},
		"there is no signature":         {changed(`"signatures": [`, `"signatures": [], "x": [`), "no DSSE envelope"},
		"a member is added":             {changed(`"payloadType"`, `"comment": "hello", "payloadType"`), "no DSSE envelope"},
		"a space is added":              {changed(`"payloadType":`, `"payloadType": `), "its spelling was changed"},
		"the last line's end is gone":   {func() ([]byte, []byte) { return bytes.TrimSpace(i.certificate), i.report }, "its spelling was changed"},
		"the certificate is empty":      {func() ([]byte, []byte) { return nil, i.report }, "no DSSE envelope"},
	} {
		t.Run(name, func(t *testing.T) {
			certificate, text := c.tampered()
			public := i.key.Public()
			refused(t, certificate, text, &public, c.want)
		})
	}
}

// What a vendor can do with a key of its own: change the report, or the statement, and sign anew. Then the signature and
// the digests are right, and the rows give it away.
func TestForging(t *testing.T) {
	notUnderRace(t)
	i := issue(t, run{results: map[string]spec.Result{"LD-429-01": spec.Failed, "LD-500-01": spec.NotAssessed, "LD-ENV-03": spec.Failed}})
	edited := func(change func(*report.Report)) func() ([]byte, []byte) {
		return func() ([]byte, []byte) {
			text := i.edit(t, change)
			return i.forge(t, text, nil), text
		}
	}
	said := func(change func(map[string]any)) func() ([]byte, []byte) {
		return func() ([]byte, []byte) { return i.forge(t, i.report, change), i.report }
	}
	for name, c := range map[string]struct {
		forged func() (certificate, text []byte)
		want   string
	}{
		"rows that failed are left out": {edited(func(r *report.Report) {
			r.Rows = slices.DeleteFunc(r.Rows, func(row report.Row) bool { return row.ID == "LD-429-01" || row.ID == "LD-500-01" })
		}), "2 rows of the catalogue were left out of the report: LD-429-01, LD-500-01"},
		"a row is renamed":               {edited(func(r *report.Report) { rowOf(r, "LD-429-01").ID = "LD-429-99" }), "row LD-429-99 of the report is not in the catalogue"},
		"a row stands twice":             {edited(func(r *report.Report) { r.Rows[1] = r.Rows[0] }), "row LD-ENV-01 stands twice"},
		"a row's title is edited":        {edited(func(r *report.Report) { rowOf(r, "LD-429-01").Title = "Anything goes" }), "row LD-429-01: its title was edited"},
		"a MUST row becomes a SHOULD":    {edited(func(r *report.Report) { row := rowOf(r, "LD-429-01"); row.Level, row.Verdict = "SHOULD", verdict.Warn }), "row LD-429-01: its level was edited"},
		"a row is moved to another tier": {edited(func(r *report.Report) { rowOf(r, "LD-429-01").Tier = "full" }), "row LD-429-01: its tier was edited"},
		"a row's source is edited":       {edited(func(r *report.Report) { rowOf(r, "LD-429-01").Source = "D: nobody" }), "row LD-429-01: its source was edited"},
		"a failure becomes a pass":       {edited(func(r *report.Report) { rowOf(r, "LD-429-01").Verdict = verdict.Pass }), "row LD-429-01: it is pass, and yet says why it is not"},
		"a row that wasn't run passes": {edited(func(r *report.Report) {
			row := rowOf(r, "LD-500-01")
			row.Verdict, row.Reason, row.Exchanges[1] = verdict.Pass, "", row.Exchanges[0]
		}), "row LD-500-01: it is pass, and nothing in the report shows that the target accepted anything"},
		"two verdicts are swapped": {edited(func(r *report.Report) {
			a, b := rowOf(r, "LD-429-01"), rowOf(r, "LD-ENV-01")
			a.Verdict, b.Verdict = b.Verdict, a.Verdict
		}), "the report can't be read"},
		"a level is raised":               {edited(func(r *report.Report) { r.Levels["distro"] = "full" }), "the report grants distro the level full, and its rows give core"},
		"the lowest level is raised":      {edited(func(r *report.Report) { r.LevelGranted = "full" }), "the report grants the level full, and its rows give core"},
		"the verdict is turned":           {edited(func(r *report.Report) { r.Verdict = verdict.Conformant }), "the report's verdict is conformant, and its rows give non-conformant"},
		"the counts are edited":           {edited(func(r *report.Report) { r.Summary.Fail, r.Summary.Pass = 0, r.Summary.Pass+1 }), "the report counts"},
		"an API is left out by its level": {edited(func(r *report.Report) { delete(r.Levels, "distro") }), "the APIs that have a level are not those that have a base URL"},
		"an exchange is another row's":    {edited(func(r *report.Report) { r.Exchanges[0].Row = "LD-429-01" }), "row LD-ENV-01: exchange 1 is not its own"},
		"exchanges are left out":          {edited(func(r *report.Report) { r.Rows[0].Exchanges = r.Rows[0].Exchanges[1:] }), "exchange 2 is not its own, or out of order"},
		"a base URL is another API's": {edited(func(r *report.Report) {
			r.Target.BaseURLs = map[string]string{"client": "https://staging.example", "insertion": "https://staging.example"}
		}), "the API distro has a level and no base URL"},
		"a client is among the APIs": {edited(func(r *report.Report) {
			r.Levels["client"], r.Target.BaseURLs["client"] = "core", "https://staging.example"
		}), "the APIs that have a level are not those that have a base URL"},
		"an exchange belongs to no row": {edited(func(r *report.Report) {
			last := &r.Rows[len(r.Rows)-1]
			last.Exchanges = last.Exchanges[:1]
			r.Exchanges[len(r.Exchanges)-2].Response.Status = 201
		}), "belongs to no row"},
		"a pass is waived":           {edited(func(r *report.Report) { r.Rows[0].Waived = "as you like" }), "row LD-ENV-01: it is pass and yet waived"},
		"the run was asked for less": {edited(func(r *report.Report) { r.Run.Level = "core" }), "though the run was not asked for it"},
		"the run was a selection":    {edited(func(r *report.Report) { r.Run.Selected = true }), "though the run was not asked for it"},
		"the exit status is turned":  {edited(func(r *report.Report) { r.Run.Exit = 0 }), "the report's exit status is 0, and its rows give 1"},
		"the run ended early":        {edited(func(r *report.Report) { r.Run.Finished = r.Run.Started.AddDate(0, 0, -1) }), "the run ended before it began"},
		"the target was lost":        {edited(func(r *report.Report) { r.Run.Exit = 4 }), "bears no certificate out: the target was lost half-way"},
		"the profile is another":     {edited(func(r *report.Report) { r.Target.ProfileSHA256 = strings.Repeat("0", 64) }), "the report was made with another profile"},
		"the statement raises a level": {said(func(s map[string]any) {
			member(s, "predicate", "leadconform")["apis"].([]any)[0].(map[string]any)["level"] = "full"
		}), `predicate.leadconform.apis[0].level is "full", and the report gives "core"`},
		"the statement hides a denial": {said(func(s map[string]any) {
			member(s, "predicate", "leadconform")["apis"].([]any)[0].(map[string]any)["denied"] = []any{}
		}), `predicate.leadconform.apis[0].denied is [], and the report gives [{`},
		"the statement turns the result":   {said(func(s map[string]any) { member(s, "predicate")["result"] = "PASSED" }), `predicate.result is "PASSED", and the report gives "FAILED"`},
		"the statement changes the policy": {said(func(s map[string]any) { member(s, "predicate", "leadconform")["peak"] = "capacity" }), `predicate.leadconform.peak is "capacity"`},
		"the statement has another date": {said(func(s map[string]any) {
			member(s, "predicate", "leadconform", "run")["started"] = "2027-01-01T00:00:00Z"
		}), "predicate.leadconform.run.started"},
		"the statement names another suite": {said(func(s map[string]any) {
			member(s, "predicate")["configuration"].([]any)[2].(map[string]any)["annotations"].(map[string]any)["version"] = "9.9.9"
		}), `predicate.configuration[2].annotations.version is "9.9.9"`},
		"the statement is about another file": {said(func(s map[string]any) { s["subject"].([]any)[0].(map[string]any)["name"] = "x" }), "the report is not the one that was certified"},
		"the statement holds another profile": {said(func(s map[string]any) {
			member(s, "predicate")["configuration"].([]any)[1].(map[string]any)["content"] = "e30="
		}), "the profile that the certificate holds is not the one that it names"},
		"the catalogue is another": {said(func(s map[string]any) {
			member(s, "predicate")["configuration"].([]any)[0].(map[string]any)["digest"].(map[string]any)["sha256"] = strings.Repeat("0", 64)
		}), "the catalogue is not the one that was certified by: check with the version of the suite that wrote the certificate"},
		"the statement is of another kind": {said(func(s map[string]any) { s["predicateType"] = "https://slsa.dev/provenance/v1" }), "the predicate is"},
		"the statement has no claim":       {said(func(s map[string]any) { delete(member(s, "predicate"), "leadconform") }), "another program wrote it"},
		"the statement is spelled in another way": {func() ([]byte, []byte) {
			_, payload, err := open(i.certificate)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := json.Indent(&b, payload, "", " "); err != nil {
				t.Fatal(err)
			}
			return i.sign(t, b.Bytes()), i.report
		}, "spelled in another way"},
	} {
		t.Run(name, func(t *testing.T) {
			certificate, text := c.forged()
			public := i.key.Public()
			refused(t, certificate, text, &public, c.want)
			refused(t, certificate, text, nil, c.want)
		})
	}
}

// Any byte of certificate or report, whichever: sampled, since there are many, but for the certificate in every bit of
// the signature's and the payload's ends, where base64 has bits that mean nothing.
func TestAnyByte(t *testing.T) {
	notUnderRace(t)
	i := issue(t, run{level: "core", apis: []string{"insertion"}})
	public := i.key.Public()
	flip := func(text []byte, at int, bit byte) []byte {
		text = bytes.Clone(text)
		text[at] ^= bit
		return text
	}
	for at := range i.certificate {
		near := at < 40 || at > len(i.certificate)-260
		if !near && at%97 != 0 {
			continue
		}
		for bit := byte(1); bit != 0; bit <<= 1 {
			if _, err := Check(t.Context(), flip(i.certificate, at, bit), i.report, &public); err == nil {
				t.Errorf("bit %#x of byte %d of the certificate was flipped, and nobody saw it", bit, at)
			}
			if !near {
				break
			}
		}
	}
	const samples = 60
	for n := range samples {
		at := n * (len(i.report) - 1) / (samples - 1)
		if _, err := Check(t.Context(), i.certificate, flip(i.report, at, 1), &public); err == nil {
			t.Errorf("byte %d of the report was flipped, and nobody saw it", at)
		}
	}
}

// refused demands that a check fails and says what is wrong.
func refused(t *testing.T, certificate, text []byte, key *PublicKey, want string) {
	t.Helper()
	_, err := Check(t.Context(), certificate, text, key)
	if err == nil {
		t.Fatalf("it is accepted; want %q", want)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("it says\n%s\nwant %q", err, want)
	}
}
