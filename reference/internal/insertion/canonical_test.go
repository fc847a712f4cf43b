package insertion

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"leadconform/reference/internal/wire"
)

func TestCanonicalNumber(t *testing.T) {
	for want, spellings := range map[string][]string{
		"0":                       {"0", "-0", "0.0", "0e5", "-0.000E-7", "0e99999999999999999999"},
		"1":                       {"1", "1.0", "1e0", "10e-1", "0.1e1", "1E+0", "1e00000000000000000000000", "0.00001e5"},
		"-1.5":                    {"-1.5", "-15e-1", "-0.15E1", "-1.50"},
		"100":                     {"100", "1e2", "1e+2", "10.0e1"},
		"123.456":                 {"123.456", "123456e-3", "0.0123456e4", "123.4560"},
		"0.000001":                {"0.000001", "1e-6"},
		"1e-7":                    {"0.0000001", "1e-7", "10e-8"},
		"-2.5e-8":                 {"-0.000000025", "-25e-9"},
		"100000000000000000000":   {"100000000000000000000", "1e20"},
		"123456789012345678901":   {"123456789012345678901", "1.23456789012345678901e20"},
		"1e+21":                   {"1e21", "1000000000000000000000"},
		"1.2e+400":                {"1.2e400", "12e399", "0.12e401"},
		"-1e+999999999999999":     {"-1e999999999999999", "-10e999999999999998"},
		"1e-999999999999999":      {"1e-999999999999999", "1e-00999999999999999"},
		"0.10000000000000000001":  {"0.10000000000000000001", "10000000000000000001e-20"},
		"12345678901234567890.12": {"12345678901234567890.12", "12345678901234567890.120"},
	} {
		for _, spelling := range spellings {
			if got, err := canonicalNumber(spelling); err != nil || got != want {
				t.Errorf("%s: %s, %v; want %s", spelling, got, err, want)
			}
		}
	}
	for _, beyond := range []string{"1e1000000000000000", "1e-1000000000000000", "-1.5E+99999999999999999999"} {
		if got, err := canonicalNumber(beyond); err == nil {
			t.Errorf("%s became %s, want an error", beyond, got)
		}
	}
}

// However long a number is, its canonical form is hardly longer.
func TestCanonicalNumberStaysSmall(t *testing.T) {
	const n = 1 << 20
	for _, number := range []string{
		"1e400", "1e999999999999999", "1e-999999999999999",
		strings.Repeat("9", n), "0." + strings.Repeat("0", n) + "1", strings.Repeat("1", n) + "e-" + fmt.Sprint(n),
		"1e" + strings.Repeat("0", n) + "1",
	} {
		got, err := canonicalNumber(number)
		if err != nil || len(got) > len(number)+24 {
			t.Errorf("%.20s… of %d bytes became %d bytes, %v", number, len(number), len(got), err)
		}
	}
}

// decimal draws a number as digits and an exponent, and writes it in one of many ways.
func decimal(t *rapid.T, digits string, exponent int) string {
	for range rapid.IntRange(0, 3).Draw(t, "zeros to move into the digits") {
		digits += "0"
		exponent--
	}
	digits = strings.Repeat("0", rapid.IntRange(0, 3).Draw(t, "leading zeros")) + digits
	point := rapid.IntRange(0, len(digits)).Draw(t, "point")
	whole, fraction := strings.TrimLeft(digits[:point], "0"), digits[point:]
	exponent += len(fraction)
	text := whole
	if text == "" {
		text = "0"
	}
	if fraction != "" {
		text += "." + fraction
	}
	if exponent == 0 && rapid.Bool().Draw(t, "leave the exponent out") {
		return text
	}
	sign := ""
	if exponent >= 0 && rapid.Bool().Draw(t, "plus") {
		sign = "+"
	}
	return text + rapid.SampledFrom([]string{"e", "E"}).Draw(t, "e") + sign + fmt.Sprint(exponent)
}

// All spellings of a number share one form; the form is JSON, is its own form, and has the number's value.
func TestSpellingsOfANumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{1,25}`).Draw(t, "digits")
		exponent := rapid.IntRange(-40, 40).Draw(t, "exponent")
		first, second := decimal(t, digits, exponent), decimal(t, digits, exponent)
		a, errA := canonicalNumber(first)
		b, errB := canonicalNumber(second)
		if errA != nil || errB != nil || a != b {
			t.Fatalf("%s became %s, %v, and %s became %s, %v", first, a, errA, second, b, errB)
		}
		if again, err := canonicalNumber(a); err != nil || again != a || !json.Valid([]byte(a)) {
			t.Fatalf("the form %s of %s became %s, %v", a, first, again, err)
		}
		value, _ := new(big.Rat).SetString(first)
		if got, ok := new(big.Rat).SetString(a); !ok || got.Cmp(value) != 0 {
			t.Fatalf("%s became %s", first, a)
		}
	})
}

func TestCanonicalValue(t *testing.T) {
	for value, want := range map[string]string{
		`null`:                                 `null`,
		` { } `:                                `{}`,
		`[ ]`:                                  `[]`,
		`{"b":1,"a":[true , false,null]}`:      `{"a":[true,false,null],"b":1}`,
		`"\u0041\/\u00e9\n\u001f\ud83d\ude00"`: `"A/é\n\u001f😀"`,
		`{"\u0062":{"z":1.0,"y":-0}}`:          `{"b":{"y":0,"z":1}}`,
		`{"aa":1,"a":2,"é":3,"B":4,"":5}`:      `{"":5,"B":4,"a":2,"aa":1,"é":3}`,
		`"<&>\u2028"`:                          "\"<&>\u2028\"",
	} {
		got, err := canonicalise("", jsontext.Value(value))
		if err != nil || string(got) != want {
			t.Errorf("%s became %s, %v; want %s", value, got, err, want)
		}
	}
}

// FuzzCanonical holds the canonical form of any two values against a comparison of the values themselves: they share a
// form if and only if they are equal.
func FuzzCanonical(f *testing.F) {
	for _, pair := range [][2]string{
		{`1`, `1.0`}, {`1e400`, `10e399`}, {`1e400`, `1e401`}, {`-0`, `0`}, {`{"a":1,"b":2}`, `{"b":2.0,"a":1}`},
		{`"\u0041"`, `"A"`}, {`"1"`, `1`}, {`[1,2]`, `[2,1]`}, {`[]`, `{}`}, {`null`, `"null"`}, {`{"a":null}`, `{}`},
		{`0.1`, `0.10000000000000001`}, {`[[1],2]`, `[1,[2]]`}, {`{"a":{"b":[1e-7]}}`, `{"a":{"b":[0.0000001]}}`},
		{`"\ud83d\ude00"`, `"😀"`}, {`"a\u0000"`, `"a"`}, {`["a,b"]`, `["a","b"]`}, {`{"a\":1,\"b":2}`, `{"a":1,"b":2}`},
	} {
		f.Add([]byte(pair[0]), []byte(pair[1]))
	}
	f.Fuzz(func(t *testing.T, x, y []byte) {
		a, okA := fuzzCanonical(t, x)
		b, okB := fuzzCanonical(t, y)
		if !okA || !okB {
			return
		}
		equal, comparable := equalValues(plainly(t, x), plainly(t, y))
		if comparable && equal != bytes.Equal(a, b) {
			t.Errorf("equal %v, but the forms are %s and %s", equal, a, b)
		}
	})
}

// fuzzCanonical brings a value into its form as far as the API would take it, and checks that form alone.
func fuzzCanonical(t *testing.T, value []byte) ([]byte, bool) {
	body := slices.Concat([]byte(`{"v":`), value, []byte(`}`))
	members, err := wire.ParseObject(body)
	if err != nil || len(members) != 1 {
		return nil, false
	}
	form, err := canonicalise("v", members[0].Value)
	if err != nil {
		return nil, false
	}
	if again, err := canonicalise("v", jsontext.Value(form)); err != nil || !bytes.Equal(again, form) {
		t.Errorf("the form %s has the form %s, %v", form, again, err)
	}
	return form, true
}

// plainly parses with the standard library, whose reading of JSON is independent of ours.
func plainly(t *testing.T, value []byte) any {
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Errorf("the standard library refuses %q: %v", value, err)
	}
	return v
}

// equalValues compares two values by their meaning. Numbers too large to be written out exactly are not comparable.
func equalValues(x, y any) (equal, comparable bool) {
	switch x := x.(type) {
	case map[string]any:
		y, ok := y.(map[string]any)
		if !ok || len(x) != len(y) {
			return false, true
		}
		equal = true
		for name, value := range x {
			other, has := y[name]
			same, comparable := equalValues(value, other)
			if !comparable {
				return false, false
			}
			equal = equal && has && same
		}
		return equal, true
	case []any:
		y, ok := y.([]any)
		if !ok || len(x) != len(y) {
			return false, true
		}
		equal = true
		for i := range x {
			same, comparable := equalValues(x[i], y[i])
			if !comparable {
				return false, false
			}
			equal = equal && same
		}
		return equal, true
	case json.Number:
		y, ok := y.(json.Number)
		if !ok {
			return false, true
		}
		a, okA := exactly(x)
		b, okB := exactly(y)
		if !okA || !okB {
			return false, false
		}
		return a.Cmp(b) == 0, true
	default:
		// What is left has comparable types, unless y is an object or an array.
		switch y.(type) {
		case map[string]any, []any:
			return false, true
		}
		return x == y, true
	}
}

func exactly(n json.Number) (*big.Rat, bool) {
	if _, exponent, ok := strings.Cut(strings.ToLower(string(n)), "e"); ok && len(exponent) > 4 {
		return nil, false
	}
	return new(big.Rat).SetString(string(n))
}
