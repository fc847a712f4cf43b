package world

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// document is a YAML file that remembers where each of its values stands.
type document struct {
	file    string
	data    []byte
	body    ast.Node
	anchors map[string]ast.Node
}

func parseDocument(file string, data []byte) (*document, error) {
	d := &document{file: file, data: data, anchors: map[string]ast.Node{}}
	parsed, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, d.explain(err)
	}
	if len(parsed.Docs) == 0 || parsed.Docs[0].Body == nil {
		return nil, fmt.Errorf("%s: the file is empty: it needs the members distro and insertion", file)
	}
	if len(parsed.Docs) > 1 {
		return nil, d.errorAt(parsed.Docs[1].GetToken(), "a second document starts here: keep everything in one")
	}
	d.body = parsed.Docs[0].Body
	ast.Walk(visitor(func(n ast.Node) {
		if anchor, ok := n.(*ast.AnchorNode); ok {
			d.anchors[anchor.Name.GetToken().Value] = anchor.Value
		}
	}), d.body)
	return d, nil
}

// decode fills in the world, refusing what it doesn't know.
func (d *document) decode(w *World) error {
	if err := d.checkScalars(); err != nil {
		return err
	}
	if err := yaml.NodeToValue(d.body, w, yaml.Strict()); err != nil {
		return d.explain(err)
	}
	return nil
}

// checkScalars finds the durations that can't be read, for which the decoder has no line, and the fractions where a
// whole number belongs, which the decoder would cut off in silence.
func (d *document) checkScalars() error {
	var errs []error
	ast.Walk(visitor(func(n ast.Node) {
		member, ok := n.(*ast.MappingValueNode)
		if !ok {
			return
		}
		value := member.Value.GetToken()
		switch name := member.Key.GetToken().Value; name {
		case "window", "lifetime", "signature_window":
			if _, err := time.ParseDuration(value.Value); err != nil {
				errs = append(errs, d.errorAt(value, "%s must be a duration such as 10s or 5m, not %q", name, value.Value))
			}
		case "requests", "daily_cap", "weight":
			if _, fraction := member.Value.(*ast.FloatNode); fraction {
				errs = append(errs, d.errorAt(value, "%s must be a whole number, not %s", name, value.Value))
			}
		}
	}), d.body)
	return errors.Join(errs...)
}

// explain puts the decoder's error into words that need no knowledge of Go.
func (d *document) explain(err error) error {
	var (
		mistyped  *yaml.TypeError
		misplaced *yaml.UnexpectedNodeTypeError
		unknown   *yaml.UnknownFieldError
		any       yaml.Error
	)
	switch {
	case errors.As(err, &mistyped):
		return d.errorAt(mistyped.Token, "expected %s", kindInWords(mistyped.DstType))
	case errors.As(err, &unknown):
		return d.errorAt(unknown.Token, "%s: remove it, or mend its spelling", unknown.Message)
	case errors.As(err, &misplaced):
		return d.errorAt(misplaced.Token, "expected %s, not %s", nodeInWords(misplaced.Expected), nodeInWords(misplaced.Actual))
	case errors.As(err, &any):
		return d.errorAt(any.GetToken(), "%s", any.GetMessage())
	}
	return fmt.Errorf("%s: %w", d.file, err)
}

func (d *document) errorAt(at *token.Token, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", d.file, at.Position.Line, fmt.Sprintf(format, args...))
}

// line is where the value at the path stands, or the nearest value above it that is there.
func (d *document) line(at path) int {
	node := d.body
	for _, step := range at {
		below := child(d.resolve(node), step)
		if below == nil {
			break
		}
		node = below
	}
	return firstLine(node)
}

func (d *document) resolve(node ast.Node) ast.Node {
	for {
		switch n := node.(type) {
		case *ast.AnchorNode:
			node = n.Value
		case *ast.AliasNode:
			node = d.anchors[n.Value.GetToken().Value]
		default:
			return node
		}
	}
}

func child(node ast.Node, step any) ast.Node {
	switch step := step.(type) {
	case int:
		if list, ok := node.(*ast.SequenceNode); ok && step < len(list.Values) {
			return list.Values[step]
		}
	case string:
		if members, ok := node.(*ast.MappingNode); ok {
			for _, member := range members.Values {
				if member.Key.GetToken().Value == step {
					return member.Value
				}
			}
		}
	}
	return nil
}

// firstLine of a block mapping is that of its first member, not of the colon that makes it a mapping.
func firstLine(node ast.Node) int {
	if m, ok := node.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken().Position.Line
	}
	return node.GetToken().Position.Line
}

// path leads to a value: member names (string) and places in a list (int, from 0).
type path []any

func (p path) with(steps ...any) path {
	return append(p[:len(p):len(p)], steps...)
}

func (p path) String() string {
	var b strings.Builder
	for _, step := range p {
		switch step := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", step)
		case string:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(step)
		}
	}
	return b.String()
}

// visitor calls a function for every node.
type visitor func(ast.Node)

func (v visitor) Visit(n ast.Node) ast.Visitor { v(n); return v }

func kindInWords(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	default:
		return "a mapping"
	}
}

func nodeInWords(t ast.NodeType) string {
	switch t {
	case ast.MappingType:
		return "a mapping"
	case ast.SequenceType:
		return "a list"
	case ast.StringType, ast.LiteralType:
		return "a text"
	default:
		return "a plain value"
	}
}
