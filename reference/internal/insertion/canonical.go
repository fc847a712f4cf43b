package insertion

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// canonicalise brings a value into canonical form: no white space, members sorted by name, strings with as few escapes
// as can be, numbers as canonicalNumber has them. Two JSON values are equal if and only if their forms are: the order
// of members, white space, escapes and the spelling of numbers make no difference (IN-IDEM-08). The order of an
// array's elements does.
func canonicalise(_ string, value jsontext.Value) (json.RawMessage, error) {
	dst := make([]byte, 0, len(value))
	if value.Kind() == '"' { // as most values are: they need no decoder
		text, err := jsontext.AppendUnquote(nil, value)
		if err != nil {
			return nil, fmt.Errorf("read a JSON value: %w", err)
		}
		return jsontext.AppendQuote(dst, text)
	}
	return appendCanonical(dst, jsontext.NewDecoder(bytes.NewReader(value)))
}

func appendCanonical(dst []byte, dec *jsontext.Decoder) ([]byte, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return nil, fmt.Errorf("read a JSON value: %w", err)
	}
	switch token.Kind() {
	case '{':
		return appendObject(dst, dec)
	case '[':
		return appendArray(dst, dec)
	case '"':
		return jsontext.AppendQuote(dst, token.String())
	case '0':
		number, err := canonicalNumber(token.String())
		return append(dst, number...), err
	default:
		return append(dst, token.String()...), nil
	}
}

// appendObject appends the object whose opening brace was read.
func appendObject(dst []byte, dec *jsontext.Decoder) ([]byte, error) {
	type member struct {
		name  string
		value []byte
	}
	var members []member
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, fmt.Errorf("read a member's name: %w", err)
		}
		m := member{name: name.String()}
		if m.value, err = appendCanonical(nil, dec); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = jsontext.AppendQuote(dst, m.name); err != nil {
			return nil, fmt.Errorf("write a member's name: %w", err)
		}
		dst = append(dst, ':')
		dst = append(dst, m.value...)
	}
	_, err := dec.ReadToken()
	return append(dst, '}'), err
}

// appendArray appends the array whose opening bracket was read.
func appendArray(dst []byte, dec *jsontext.Decoder) ([]byte, error) {
	dst = append(dst, '[')
	for first := true; dec.PeekKind() != ']'; first = false {
		if !first {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendCanonical(dst, dec); err != nil {
			return nil, err
		}
	}
	_, err := dec.ReadToken()
	return append(dst, ']'), err
}

// maxExponentDigits bounds what an exponent may be, leading zeros aside, so that adding to it can't overflow.
const maxExponentDigits = 15

// canonicalNumber brings a JSON number into canonical form. It works on the decimal digits alone, exactly, and never
// writes out the zeros that a large exponent stands for: the form is no longer than the number plus a few characters.
// Between 1e-7 and 1e21 it is plain (as in RFC 8785), beyond it has one digit, a fraction and an exponent. Zero has no
// sign. It returns an error for an exponent of more than maxExponentDigits digits.
func canonicalNumber(number string) (string, error) {
	sign := ""
	if rest, ok := strings.CutPrefix(number, "-"); ok {
		sign, number = "-", rest
	}
	mantissa, exponentText, _ := strings.Cut(strings.ToLower(number), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "0", nil
	}
	exponent, err := parseExponent(exponentText)
	if err != nil {
		return "", err
	}
	// The value is 0.digits times ten to the power of point.
	point := exponent + int64(len(digits)-len(fraction))
	digits = strings.TrimRight(digits, "0")
	n := int64(len(digits))
	switch {
	case point > 21 || point < -5:
		text := digits[:1]
		if n > 1 {
			text += "." + digits[1:]
		}
		return fmt.Sprintf("%s%se%+d", sign, text, point-1), nil
	case point <= 0:
		return sign + "0." + strings.Repeat("0", int(-point)) + digits, nil
	case point < n:
		return sign + digits[:point] + "." + digits[point:], nil
	default:
		return sign + digits + strings.Repeat("0", int(point-n)), nil
	}
}

// parseExponent reads what follows the e of a number; nothing is zero.
func parseExponent(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	digits := strings.TrimLeft(strings.TrimLeft(text, "+-"), "0")
	if len(digits) > maxExponentDigits {
		return 0, fmt.Errorf("the exponent has more than %d digits", maxExponentDigits)
	}
	exponent, err := strconv.ParseInt("0"+digits, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read an exponent: %w", err)
	}
	if strings.HasPrefix(text, "-") {
		exponent = -exponent
	}
	return exponent, nil
}
