package trace

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// The file format, version 1. All integers are unsigned LEB128 varints as in encoding/binary, signed ones zigzag-coded.
//
//	file    = magic frame(head: Meta as JSON) (frame(samples) | frame(phases: JSON array))* frame(end: End as JSON)
//	frame   = type (1 byte) length (varint) crc32 (4 bytes, big-endian, IEEE, of the payload) payload
//	samples = sample*
//	sample  = seq phase intended sent received (signed differences, see below) flags status? refusal?
//	refusal = index; where the index is the next unused one, its definition follows
//
// Within a frame, seq is the difference to the sample before, intended too; sent is the difference to intended, received
// to sent; times are in nanoseconds. flags holds Kind in its two low bits and Fault above. Refusals are numbered from 1
// in the order in which they first occur in the file, 0 is none. Beyond mostRefusals of them no more are numbered: the
// number after the last is followed by a definition each time, which holds for that sample alone. Each frame stands on its own but for these numbers, so a
// file that was cut off is read up to its last whole frame.
const (
	magic      = "leadconform trace 1\n"
	frameLimit = 1 << 20 // bytes of payload
	frameFull  = 64 << 10
)

// frameType says what a frame holds.
type frameType byte

const (
	headFrame    frameType = 'H' // what is known before the first request
	samplesFrame frameType = 'S'
	phasesFrame  frameType = 'P' // phases that were added to the plan, before any of their samples
	endFrame     frameType = 'E' // what is known at the end
)

// Errors of Read. Both come with what could be read.
var (
	// ErrCut means that the file ends before its end was written: the run was killed, or still goes on.
	ErrCut = errors.New("the trace ends early")
	// ErrDamaged means that the file doesn't hold what was written.
	ErrDamaged = errors.New("the trace is damaged")
)

// deltas is what the differences within a frame refer to.
type deltas struct {
	seq      uint32
	intended time.Duration
}

// appendSample codes s. refusal is its number, and define says that its definition has to follow.
func appendSample(b []byte, d *deltas, s Sample, refusal uint64, define bool) []byte {
	b = binary.AppendVarint(b, int64(s.Seq)-int64(d.seq))
	b = binary.AppendUvarint(b, uint64(s.Phase))
	b = binary.AppendVarint(b, int64(s.Intended-d.intended))
	b = binary.AppendVarint(b, int64(s.Sent-s.Intended))
	b = binary.AppendVarint(b, int64(s.Received-s.Sent))
	b = binary.AppendUvarint(b, uint64(s.Kind)|uint64(s.Fault)<<2)
	b = binary.AppendUvarint(b, uint64(s.Status))
	b = binary.AppendUvarint(b, refusal)
	if define {
		b = appendRefusal(b, *s.Refusal)
	}
	d.seq, d.intended = s.Seq, s.Intended
	return b
}

func appendRefusal(b []byte, r Refusal) []byte {
	raw := r.Raw[:min(len(r.Raw), RawLimit)]
	b = append(b, r.Fields, byte(r.Header), byte(r.Body), flag(r.Named)|flag(r.NoError)<<1)
	b = binary.AppendVarint(b, int64(r.HeaderWait))
	b = binary.AppendVarint(b, int64(r.BodyWait))
	b = binary.AppendUvarint(b, uint64(len(raw)))
	return append(b, raw...)
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// decoder reads the samples of one frame. Its first failure stays.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) uvarint(limit uint64) uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > limit {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) bytes(n int) []byte {
	if n > len(d.b) {
		d.bad, d.b = true, nil
		return make([]byte, n)
	}
	head := d.b[:n]
	d.b = d.b[n:]
	return head
}

// sample decodes the next one; refusals are those defined so far, and grow.
func (d *decoder) sample(from *deltas, refusals *[]*Refusal) Sample {
	var s Sample
	s.Seq = uint32(int64(from.seq) + d.varint())
	s.Phase = uint16(d.uvarint(math.MaxUint16))
	s.Intended = from.intended + time.Duration(d.varint())
	s.Sent = s.Intended + time.Duration(d.varint())
	s.Received = s.Sent + time.Duration(d.varint())
	flags := d.uvarint(math.MaxUint8)
	s.Kind, s.Fault = Kind(flags&3), Fault(flags>>2)
	s.Status = uint16(d.uvarint(math.MaxUint16))
	switch n := d.uvarint(uint64(len(*refusals)) + 1); {
	case n > mostRefusals:
		s.Refusal = d.refusal()
	case n > uint64(len(*refusals)):
		*refusals = append(*refusals, d.refusal())
		fallthrough
	case n > 0:
		s.Refusal = (*refusals)[n-1]
	}
	from.seq, from.intended = s.Seq, s.Intended
	return s
}

func (d *decoder) refusal() *Refusal {
	head := d.bytes(4)
	r := &Refusal{Fields: head[0], Header: HeaderForm(head[1]), Body: BodyForm(head[2]),
		Named: head[3]&1 != 0, NoError: head[3]&2 != 0}
	r.HeaderWait = time.Duration(d.varint())
	r.BodyWait = time.Duration(d.varint())
	r.Raw = string(d.bytes(int(d.uvarint(RawLimit))))
	return r
}
