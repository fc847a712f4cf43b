package distro

import (
	"slices"
	"strings"

	"leadconform/reference/internal/world"
)

// passes holds a lead against a filter. A field that the lead lacks is in no list: it fails a filter that asks for certain
// values, and passes one that only shuts some out.
func passes(filter world.Filter, lead Lead) bool {
	field, sent := lead.Field(filter.Field)
	among := func(values []string) bool {
		return sent && slices.ContainsFunc(values, func(value string) bool {
			return strings.EqualFold(value, filterValue(field))
		})
	}
	return (len(filter.In) == 0 || among(filter.In)) && !among(filter.NotIn)
}

// filterValue is what a field is compared by: a string by its text, without the space around; anything else by its JSON.
func filterValue(field Field) string {
	if field.IsText() {
		return strings.TrimSpace(field.Text)
	}
	return string(field.Value)
}
