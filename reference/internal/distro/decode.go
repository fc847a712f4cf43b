package distro

import (
	"context"
	"errors"
	"maps"
	"mime"
	"net/url"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"leadconform/reference/internal/wire"
)

// decode reads the body and parses it (LD-400-12, LD-400-13, LD-400-20).
func (a *API) decode(_ context.Context, c *Call) *wire.Answer {
	body, err := a.ReadBody(c.Writer, c.Request)
	if err != nil {
		return a.malformed(err)
	}
	c.Lead, err = a.Decode(c.Request.Header.Get("Content-Type"), body)
	if err != nil {
		return a.malformed(err)
	}
	return nil
}

func (a *API) malformed(err error) *wire.Answer {
	if fault, ok := errors.AsType[*wire.BodyError](err); ok {
		return new(a.Answers.Malformed(fault))
	}
	return new(a.Answers.Malformed(&wire.BodyError{Code: "malformed_body", Reason: "The body could not be read"}))
}

// parseLead parses a body as its content type says: a JSON object, which is also assumed where nothing is said, or a form.
func parseLead(contentType string, body []byte) (Lead, error) {
	mediaType := "application/json"
	if contentType != "" {
		var err error
		if mediaType, _, err = mime.ParseMediaType(contentType); err != nil {
			mediaType = ""
		}
	}
	switch mediaType {
	case "application/json":
		return parseJSON(body)
	case "application/x-www-form-urlencoded":
		return parseForm(body)
	}
	return Lead{}, &wire.BodyError{Code: "unsupported_media_type", Reason: "Send the lead as application/json"}
}

func parseJSON(body []byte) (Lead, error) {
	members, err := wire.ParseObject(body)
	if err != nil {
		return Lead{}, err
	}
	lead := Lead{Raw: body, Fields: make([]Field, len(members))}
	var text []byte
	for i, member := range members {
		lead.Fields[i] = Field{Name: member.Name, Value: member.Value}
		if member.Value.Kind() != '"' {
			continue
		}
		text, err = jsontext.AppendUnquote(text[:0], member.Value)
		if err != nil {
			return Lead{}, &wire.BodyError{Code: "malformed_json", Member: member.Name, Reason: "The body is not valid JSON"}
		}
		lead.Fields[i].Text = string(text)
	}
	return lead, nil
}

// parseForm takes a form for an object whose members are all strings.
func parseForm(body []byte) (Lead, error) {
	malformed := &wire.BodyError{Code: "malformed_form", Reason: "The body is not a valid form"}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return Lead{}, malformed
	}
	var lead Lead
	object := []byte{'{'}
	for i, name := range slices.Sorted(maps.Keys(values)) {
		if len(values[name]) > 1 {
			return Lead{}, &wire.BodyError{Code: "duplicate_member", Member: name, Reason: "A field appears more than once"}
		}
		text := values[name][0]
		value, err := jsontext.AppendQuote(nil, text)
		if err != nil { // it isn't UTF-8
			return Lead{}, malformed
		}
		lead.Fields = append(lead.Fields, Field{Name: name, Value: value, Text: text})

		if i > 0 {
			object = append(object, ',')
		}
		if object, err = jsontext.AppendQuote(object, name); err != nil {
			return Lead{}, malformed
		}
		object = append(append(object, ':'), value...)
	}
	object = append(object, '}')
	lead.Raw = object
	return lead, nil
}
