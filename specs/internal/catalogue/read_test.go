package catalogue

import (
	"strings"
	"testing"
	"testing/fstest"
)

// small returns a catalogue of one row in each file.
func small() fstest.MapFS {
	row := func(api, id string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(`api: ` + api + `
sections:
  - title: Envelope
    cites: a document
    rows:
      - id: ` + id + `
        level: MUST
        source: [S]
        title: A title
        text: >-
          A text.
`)}
	}
	return fstest.MapFS{
		"rows/distro.yaml":    row("distro", "LD-ENV-01"),
		"rows/insertion.yaml": row("insertion", "IN-ENV-01"),
		"rows/client.yaml":    row("client", "CL-LD-01"),
	}
}

func TestReadFillsIn(t *testing.T) {
	rows, err := read(small())
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 {
		t.Fatalf("%d rows, want 3", len(rows))
	}
	r := rows[0]
	if r.API != Distro || r.Section != "Envelope" || r.Cites != "a document" || r.Tier != Core || r.Text != "A text." {
		t.Errorf("what a row takes over from its section and file: %+v", r)
	}
}

func TestReadRefusesBrokenCatalogues(t *testing.T) {
	const row = `row "LD-ENV-01": `
	for name, c := range map[string]struct{ old, new, want string }{
		"no YAML":          {"title: A title", "title: [", "catalogue distro.yaml: [9:16] "},
		"unknown key":      {"level: MUST", "level: MUST\n        colour: red", `catalogue distro.yaml: [8:9] unknown field "colour"`},
		"key twice":        {"level: MUST", "level: MUST\n        level: MUST", "catalogue distro.yaml: [8:9] "},
		"empty file":       {"*", "", `catalogue distro.yaml: api is "", want "distro"`},
		"other API":        {"api: distro", "api: insertion", `catalogue distro.yaml: api is "insertion", want "distro"`},
		"no sections":      {"*", "api: distro\n", "catalogue distro.yaml: has no sections"},
		"no rows":          {"*", "api: distro\nsections: [{title: Envelope, cites: x, rows: []}]\n", `section "Envelope" has no rows`},
		"no id":            {"id: LD-ENV-01", `id: ""`, `row "": id is missing`},
		"other prefix":     {"id: LD-ENV-01", "id: IN-ENV-02", `row "IN-ENV-02": the id must be LD and parts`},
		"ill-formed id":    {"id: LD-ENV-01", "id: LD-ENV-01…03", `row "LD-ENV-01…03": the id must be LD and parts`},
		"no title":         {"title: A title", `title: " "`, row + "title is missing"},
		"title too long":   {"title: A title", "title: " + strings.Repeat("ä", MaxTitle+1), row + "the title must be one line of at most 80"},
		"title of lines":   {"title: A title", `title: "A\ntitle"`, row + "the title must be one line"},
		"no text":          {"A text.", "", row + "text is missing"},
		"no cites":         {"cites: a document", `cites: ""`, row + "cites is missing"},
		"no section title": {"- title: Envelope", `- title: ""`, row + "the section's title is missing"},
		"no level":         {"level: MUST", "tier: core", row + `level "" must be MUST, SHOULD or OBS`},
		"unknown level":    {"level: MUST", "level: must", row + `level "must" must be MUST, SHOULD or OBS`},
		"unknown tier":     {"level: MUST", "level: MUST\n        tier: ful", row + `tier "ful" must be core, limits or full`},
		"no source":        {"source: [S]", "source: []", row + "source is missing"},
		"unknown source":   {"source: [S]", "source: [S, X]", row + `source "X" must be S, P, R or D`},
		"source twice":     {"source: [S]", "source: [S, S]", row + `source "S" must be S, P, R or D, each once`},
		"ill-formed need":  {"level: MUST", "level: MUST\n        needs: [campaigns.]", row + `need "campaigns." must be a path`},
		"need twice":       {"level: MUST", "level: MUST\n        needs: [fields, fields]", row + `need "fields" must be a path such as campaigns.capped, each once`},
		"row of two files": {"id: LD-ENV-01", "id: CL-LD-01", `row "CL-LD-01": the id must be LD`},
	} {
		t.Run(name, func(t *testing.T) {
			files := small()
			text := string(files["rows/distro.yaml"].Data)
			if c.old == "*" {
				text = c.new
			} else {
				text = strings.Replace(text, c.old, c.new, 1)
			}
			files["rows/distro.yaml"] = &fstest.MapFile{Data: []byte(text)}
			refused(t, files, c.want)
		})
	}
}

func TestReadRefusesARowThatStandsTwice(t *testing.T) {
	files := small()
	client := files["rows/client.yaml"]
	_, rows, _ := strings.Cut(string(client.Data), "rows:\n")
	client.Data = append(client.Data, rows...)
	refused(t, files, "catalogue client.yaml: row CL-LD-01 stands twice")
}

func TestReadRefusesAMissingFile(t *testing.T) {
	files := small()
	delete(files, "rows/insertion.yaml")
	refused(t, files, "read the catalogue: open rows/insertion.yaml")
}

func TestReadReportsEveryFault(t *testing.T) {
	files := small()
	for _, name := range []string{"rows/distro.yaml", "rows/client.yaml"} {
		files[name].Data = []byte(strings.Replace(string(files[name].Data), "MUST", "must", 1))
	}
	refused(t, files, `row "LD-ENV-01": level`)
	refused(t, files, `row "CL-LD-01": level`)
}

func refused(t *testing.T, files fstest.MapFS, want string) {
	t.Helper()
	rows, err := read(files)
	if err == nil {
		t.Fatalf("accepted: %+v", rows)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("the error is\n  %v\nwant it to hold\n  %s", err, want)
	}
}
