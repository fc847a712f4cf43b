package catalogue_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
)

// published reads the rows as they were published, with level, tier and source. A row may be added to that file. One
// that stands in it keeps its ID for ever, and another level or tier is a new edition of the contract.
func published(t *testing.T) []string {
	t.Helper()
	f, err := os.Open("testdata/published.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []string
	for scan := bufio.NewScanner(f); scan.Scan(); {
		lines = append(lines, scan.Text())
	}
	return lines
}

func TestRowsAreThePublishedOnes(t *testing.T) {
	var got []string
	for _, r := range catalogue.Rows() {
		got = append(got, strings.Join([]string{r.ID, string(r.Level), string(r.Tier), strings.Join(r.Source, ",")}, " "))
	}
	if diff := cmp.Diff(published(t), got); diff != "" {
		t.Errorf("rows differ from the published ones, or in their order (-published +catalogue):\n%s", diff)
	}
}

func TestCounts(t *testing.T) {
	type kind struct {
		api   string
		tier  catalogue.Tier
		level catalogue.Level
	}
	want := map[kind]int{
		{catalogue.Distro, catalogue.Core, catalogue.Must}:      41,
		{catalogue.Distro, catalogue.Core, catalogue.Should}:    25,
		{catalogue.Distro, catalogue.Limits, catalogue.Must}:    25,
		{catalogue.Distro, catalogue.Limits, catalogue.Should}:  7,
		{catalogue.Distro, catalogue.Limits, catalogue.Obs}:     2,
		{catalogue.Distro, catalogue.Full, catalogue.Must}:      5,
		{catalogue.Distro, catalogue.Full, catalogue.Should}:    2,
		{catalogue.Insertion, catalogue.Core, catalogue.Must}:   47,
		{catalogue.Insertion, catalogue.Core, catalogue.Should}: 13,
		{catalogue.Insertion, catalogue.Core, catalogue.Obs}:    2,
		{catalogue.Insertion, catalogue.Limits, catalogue.Must}: 7,
		{catalogue.Insertion, catalogue.Full, catalogue.Must}:   4,
		{catalogue.Client, catalogue.Core, catalogue.Must}:      16,
		{catalogue.Client, catalogue.Core, catalogue.Should}:    6,
	}
	got := map[kind]int{}
	for _, r := range catalogue.Rows() {
		got[kind{r.API, r.Tier, r.Level}]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts differ (-want +got):\n%s", diff)
	}
}

// What a row's source says must be found in what it cites, and a decision must be marked as one in its text.
func TestSourcesAreCited(t *testing.T) {
	document := map[string]string{
		catalogue.Distro:    "Response Codes & Rate Limits, ",
		catalogue.Insertion: "Errors & Idempotency, ",
	}
	for _, r := range catalogue.Rows() {
		cited := map[string]bool{
			"S": strings.HasPrefix(r.Cites, document[catalogue.Distro]) || strings.HasPrefix(r.Cites, document[catalogue.Insertion]),
			"P": strings.Contains(r.Cites, "provider's other public pages"),
			"R": strings.Contains(r.Cites, "RFC "),
			"D": r.Cites == "project decision",
		}
		for _, source := range r.Source {
			if !cited[source] {
				t.Errorf("%s has source %s, but cites %q", r.ID, source, r.Cites)
			}
		}
		if name := document[r.API]; name != "" && slices.Contains(r.Source, "S") && !strings.HasPrefix(r.Cites, name) {
			t.Errorf("%s is about %s, but cites %q", r.ID, r.API, r.Cites)
		}
		if slices.Contains(r.Source, "D") && r.Level != catalogue.Obs && !strings.Contains(r.Text, "Decision: ") {
			t.Errorf("%s is a decision of this project, and its text doesn't say which", r.ID)
		}
	}
}

// The reference can be tried on every row of both APIs, so its profile meets every need; and that proves each need to be
// a path that profiles know.
func TestReferenceProfileMeetsEveryNeed(t *testing.T) {
	p := target.Reference("http://127.0.0.1:1", "http://127.0.0.1:2")
	for _, r := range catalogue.Rows() {
		if r.API == catalogue.Client {
			if len(r.Needs) > 0 {
				t.Errorf("%s needs %v of a profile: a client is tried without one", r.ID, r.Needs)
			}
			continue
		}
		if missing := p.Missing(r.API, r.Needs); len(missing) > 0 {
			t.Errorf("%s needs %v, which the reference profile lacks", r.ID, missing)
		}
		for _, always := range []string{"credentials.primary", "campaigns.open", "campaigns.first"} {
			if slices.Contains(r.Needs, always) {
				t.Errorf("%s needs %s, which every profile has", r.ID, always)
			}
		}
	}
}

// A row of the tier limits runs on suppliers and keys of its own, and no other row uses those. A row of the tier full
// can't be caused without a hook, and no other row depends on one.
func TestNeedsFitTheTier(t *testing.T) {
	for _, r := range catalogue.Rows() {
		limits := slices.ContainsFunc(r.Needs, func(need string) bool { return strings.HasPrefix(need, "credentials.limits_") })
		if limits != (r.Tier == catalogue.Limits) {
			t.Errorf("%s is of tier %s and needs %v", r.ID, r.Tier, r.Needs)
		}
		hooks := slices.ContainsFunc(r.Needs, func(need string) bool { return strings.HasPrefix(need, "hooks.") })
		if hooks != (r.Tier == catalogue.Full) {
			t.Errorf("%s is of tier %s and needs %v", r.ID, r.Tier, r.Needs)
		}
		for _, need := range r.Needs {
			if on, found := strings.CutSuffix(need, "_on"); found {
				off := strings.Replace(on, "_after", "", 1) + "_off"
				if !slices.Contains(r.Needs, off) {
					t.Errorf("%s needs %s and not %s, which undoes it", r.ID, need, off)
				}
			}
		}
	}
}

func TestTitlesAndTextsReadAsOneStatement(t *testing.T) {
	titles := map[string]string{}
	for _, r := range catalogue.Rows() {
		if strings.HasSuffix(r.Title, ".") || strings.ToUpper(r.Title[:1]) != r.Title[:1] {
			t.Errorf("%s: the title %q must begin with a capital and have no full stop", r.ID, r.Title)
		}
		if strings.Contains(r.Text, "\n") || !strings.HasSuffix(r.Text, ".") {
			t.Errorf("%s: the text must be one paragraph of whole sentences: %q", r.ID, r.Text)
		}
		of := r.API + " " + r.Section + ": " + r.Title
		if titles[of] != "" {
			t.Errorf("%s and %s have the same title", titles[of], r.ID)
		}
		titles[of] = r.ID
	}
}

func TestLookup(t *testing.T) {
	row, ok := catalogue.Lookup("LD-LIM-LOOKUP-PEAK")
	if !ok || row.API != catalogue.Distro || row.Section != "Limits" || row.Tier != catalogue.Limits {
		t.Errorf("LD-LIM-LOOKUP-PEAK: %v, %+v", ok, row)
	}
	if _, ok := catalogue.Lookup("LD-ENV-05"); ok {
		t.Error("found a row that doesn't exist")
	}
}

func TestRowsIsTheCallers(t *testing.T) {
	rows := catalogue.Rows()
	rows[0].ID = "spoilt"
	if catalogue.Rows()[0].ID == "spoilt" {
		t.Error("a caller's change reached the catalogue")
	}
}

func TestTierHolds(t *testing.T) {
	for i, t1 := range catalogue.Tiers {
		for j, t2 := range catalogue.Tiers {
			if got := t1.Holds(t2); got != (j <= i) {
				t.Errorf("%s holds %s: %v", t1, t2, got)
			}
		}
	}
}

// The digest is of all that is said of every row: no word of the catalogue can change without it.
func TestDigestCoversEveryWord(t *testing.T) {
	digest := func(rows []catalogue.Row) [sha256.Size]byte {
		var b bytes.Buffer
		if err := catalogue.WriteJSON(&b, rows); err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(b.Bytes())
	}
	original := digest(catalogue.Rows())
	if got := fmt.Sprintf("%x", original); got != catalogue.Digest() {
		t.Errorf("the digest is %s, of what is listed %s", catalogue.Digest(), got)
	}
	fields := reflect.TypeFor[catalogue.Row]()
	for i := range fields.NumField() {
		rows := catalogue.Rows()
		switch field := reflect.ValueOf(&rows[0]).Elem().Field(i); field.Kind() {
		case reflect.String:
			field.SetString(field.String() + "!")
		default:
			field.Set(reflect.ValueOf([]string{"another"}))
		}
		if digest(rows) == original {
			t.Errorf("the digest doesn't cover %s", fields.Field(i).Name)
		}
	}
	if rows := catalogue.Rows(); digest(rows[1:]) == original {
		t.Error("the digest doesn't cover the number of rows")
	}
}
