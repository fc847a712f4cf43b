package report

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"leadconform/fixtures"
)

// Read reads a report.json strictly: a member that is unknown or stands twice is an error, as is anything that the
// report's schema doesn't allow. What only a run knows of its rows, such as the failure as a terminal shows it, is gone.
func Read(text []byte) (*Report, error) {
	var r Report
	if err := json.Unmarshal(text, &r, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("it is no report: %w", err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("it is no report: %w", err)
	}
	known, err := schema()
	if err != nil {
		return nil, err
	}
	if err := known.Validate(value); err != nil {
		return nil, fmt.Errorf("it doesn't hold against the report's schema: %s", firstOf(err))
	}
	return &r, nil
}

// firstOf is the first few lines of what may be thousands.
func firstOf(err error) string {
	const most = 5
	lines := strings.Split(err.Error(), "\n")
	if len(lines) > most {
		lines = append(lines[:most:most], fmt.Sprintf("and %d more", len(lines)-most))
	}
	return strings.Join(lines, "\n")
}

// schema is the report's schema, read once: it is embedded.
var schema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	const name = "schema/report.schema.json"
	text, err := fixtures.FS.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the report's schema: %w", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read the report's schema: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	const url = "https://leadconform.invalid/schema/report-1.json" // its own $id: a bare name would be taken for a file here
	if err := compiler.AddResource(url, doc); err != nil {
		return nil, fmt.Errorf("read the report's schema: %w", err)
	}
	return compiler.Compile(url)
})
