package distro

import (
	"net/mail"
	"strings"
	"unicode"
)

// phoneFault: 10 to 15 digits (LD-400-09, LD-400-10), with a plus in front if wanted, and the usual punctuation.
func phoneFault(text string) string {
	digits := 0
	for i, r := range strings.TrimSpace(text) {
		switch {
		case '0' <= r && r <= '9':
			digits++
		case r == '+' && i == 0:
		case strings.ContainsRune(" -.()", r):
		default:
			return "must hold digits only, beside a leading + and the punctuation of phone numbers"
		}
	}
	if digits < 10 || digits > 15 {
		return "must have 10 to 15 digits"
	}
	return ""
}

// emailFault: one plain address, without a display name, at a domain that has a dot (LD-400-11).
func emailFault(text string) string {
	const fault = "must be an email address"
	text = strings.TrimSpace(text)
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text {
		return fault
	}
	_, domain, _ := strings.Cut(text, "@")
	labels := strings.Split(domain, ".")
	if len(labels) < 2 {
		return fault
	}
	for _, label := range labels {
		if !hostLabel(label) {
			return fault
		}
	}
	return ""
}

// hostLabel reports whether a label can be part of a host's name: letters, digits, and hyphens within. That it isn't empty
// is seen to by the parser of addresses.
func hostLabel(label string) bool {
	if strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
		return false
	}
	return !strings.ContainsFunc(label, func(r rune) bool {
		return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

// stateFault: two letters (LD-400-19).
func stateFault(text string) string {
	if len(text) != 2 || !asciiLetter(text[0]) || !asciiLetter(text[1]) {
		return "must be two letters"
	}
	return ""
}

func asciiLetter(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// normalPhone keeps the digits.
func normalPhone(text string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, text)
}

// normalEmail takes away letter case and the space around.
func normalEmail(text string) string {
	return strings.ToLower(strings.TrimSpace(text))
}
