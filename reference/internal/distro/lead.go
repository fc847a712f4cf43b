package distro

import (
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"
)

// Lead is what the body of an ingest or a ping says.
type Lead struct {
	Raw    json.RawMessage // the whole of it, a JSON object
	Fields []Field         // its members, in the order they came; no name twice
}

// Field is one member of a lead.
type Field struct {
	Name  string
	Value jsontext.Value
	Text  string // what a JSON string says; empty if the value is anything else
}

// IsText reports whether the value is a JSON string.
func (f Field) IsText() bool { return f.Value.Kind() == '"' }

// Field finds a member by its name.
func (l Lead) Field(name string) (Field, bool) {
	for _, field := range l.Fields {
		if field.Name == name {
			return field, true
		}
	}
	return Field{}, false
}

// Text returns the text of a member, or "" if there is no such member or it is no string.
func (l Lead) Text(name string) string {
	field, _ := l.Field(name)
	return field.Text
}
