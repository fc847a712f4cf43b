package trace

import "time"

// Refusal is what a 429 says about waiting, in its header and in its body (LD-429-04…06, 10; IN-429-02). It is
// comparable, so that the few different ones of a run are stored once (see Refusals).
type Refusal struct {
	Fields uint8      // number of Retry-After header fields
	Header HeaderForm // what the first of them looks like
	// HeaderWait is the wait that the header asks for: the number of a fractional value too. A date is taken relative to
	// the answer's own Date header, or to the time of its arrival.
	HeaderWait time.Duration
	Raw        string   // the first field's value, cut at RawLimit bytes
	Body       BodyForm // what the body's retry_after member looks like
	BodyWait   time.Duration
	// Named reports whether a header called retry_after, with an underscore, was sent too (LD-429-10).
	Named bool
	// NoError reports a body without a non-empty string member error (LD-429-01…03, IN-429-01).
	NoError bool
}

// RawLimit is how much of a Retry-After value is kept, in bytes.
const RawLimit = 64

// HeaderForm is what a Retry-After header looks like.
type HeaderForm uint8

// The forms. RFC 9110 §10.2.3 knows Seconds and Date.
const (
	NoHeader   HeaderForm = iota
	Seconds               // digits only
	Date                  // an HTTP-date
	Fractional            // a number that is not digits only: 1.5, -1, +3, 1e3
	Malformed             // anything else
)

// BodyForm is what the body's member retry_after looks like.
type BodyForm uint8

// The forms.
const (
	NoMember   BodyForm = iota // no such member, or no JSON object
	Number                     // a JSON number
	NotANumber                 // any other JSON value
)

// Wait is how long the refusal asks to wait: by its header, else by its body; 0 if neither says.
func (r *Refusal) Wait() time.Duration {
	switch {
	case r == nil:
		return 0
	case r.Header == Seconds || r.Header == Date || r.Header == Fractional:
		return r.HeaderWait
	case r.Body == Number:
		return r.BodyWait
	}
	return 0
}

// Refusals keeps one copy of each different refusal. The zero value is ready; it is not safe for concurrent use.
type Refusals struct{ seen map[Refusal]*Refusal }

// mostRefusals is how many different refusals are kept, so that memory doesn't grow with a target that words every refusal
// anew, as one does whose body names fractions of a second.
const mostRefusals = 1 << 14

// Keep returns the kept copy of r, or a copy of its own if so many different ones are kept that this one isn't. Samples that
// point to kept copies cost eight bytes for their refusal.
func (k *Refusals) Keep(r Refusal) *Refusal {
	if kept, ok := k.seen[r]; ok {
		return kept
	}
	if k.seen == nil {
		k.seen = make(map[Refusal]*Refusal)
	}
	if len(k.seen) < mostRefusals {
		k.seen[r] = &r
	}
	return &r
}
