package trace

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"leadconform/load/internal/plan"
)

// Reader reads a trace as a stream.
type Reader struct {
	in       *bufio.Reader
	refusals []*Refusal
	meta     Meta
	end      End
}

// NewReader reads the head of a trace from r.
func NewReader(r io.Reader) (*Reader, error) {
	t := &Reader{in: bufio.NewReaderSize(r, frameFull)}
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(t.in, head); err != nil || string(head) != magic {
		return nil, errors.New("this is no trace of version 1")
	}
	kind, payload, err := t.frame()
	if err != nil {
		return nil, fmt.Errorf("reading the head of the trace: %w", err)
	}
	if kind != headFrame {
		return nil, fmt.Errorf("%w: it doesn't begin with its head", ErrDamaged)
	}
	if err := json.Unmarshal(payload, &t.meta); err != nil {
		return nil, fmt.Errorf("%w: its head: %w", ErrDamaged, err)
	}
	return t, nil
}

// Meta is the head of the trace, with the phases that were added since, as far as it was read.
func (t *Reader) Meta() Meta { return t.meta }

// End is the end of the trace, once Samples has come to it without an error.
func (t *Reader) End() End { return t.end }

// Samples calls each for every sample, in the order in which they were written. It returns ErrCut or ErrDamaged if the
// trace isn't whole; each was called for what came before.
func (t *Reader) Samples(each func(Sample)) error {
	for {
		kind, payload, err := t.frame()
		if err != nil {
			return err
		}
		switch kind {
		case samplesFrame:
			if err := t.samples(payload, each); err != nil {
				return err
			}
		case phasesFrame:
			var added []plan.Phase
			if err := json.Unmarshal(payload, &added); err != nil {
				return fmt.Errorf("%w: added phases: %w", ErrDamaged, err)
			}
			t.meta.Plan.Phases = append(t.meta.Plan.Phases, added...)
		case endFrame:
			if err := json.Unmarshal(payload, &t.end); err != nil {
				return fmt.Errorf("%w: its end: %w", ErrDamaged, err)
			}
			if _, err := t.in.Peek(1); !errors.Is(err, io.EOF) {
				return fmt.Errorf("%w: something follows its end, which is not read", ErrDamaged)
			}
			return nil
		default:
			return fmt.Errorf("%w: a frame of unknown type %q", ErrDamaged, kind)
		}
	}
}

// samples decodes one frame of samples.
func (t *Reader) samples(payload []byte, each func(Sample)) error {
	d := decoder{b: payload}
	var from deltas
	for len(d.b) > 0 {
		s := d.sample(&from, &t.refusals)
		if d.bad || int(s.Phase) >= len(t.meta.Plan.Phases) {
			return fmt.Errorf("%w: a sample can't be decoded", ErrDamaged)
		}
		each(s)
	}
	return nil
}

// frame reads one frame.
func (t *Reader) frame() (frameType, []byte, error) {
	kind, err := t.in.ReadByte()
	switch {
	case errors.Is(err, io.EOF):
		return 0, nil, ErrCut
	case err != nil:
		return 0, nil, fmt.Errorf("reading the trace: %w", err)
	}
	length, err := binary.ReadUvarint(t.in)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return 0, nil, ErrCut
	case err != nil:
		return 0, nil, fmt.Errorf("reading the trace: %w", err)
	case length > frameLimit:
		return 0, nil, fmt.Errorf("%w: a frame of %d bytes", ErrDamaged, length)
	}
	frame := make([]byte, 4+length)
	switch _, err := io.ReadFull(t.in, frame); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return 0, nil, ErrCut
	case err != nil:
		return 0, nil, fmt.Errorf("reading the trace: %w", err)
	}
	if crc32.ChecksumIEEE(frame[4:]) != binary.BigEndian.Uint32(frame) {
		return 0, nil, fmt.Errorf("%w: a checksum is wrong", ErrDamaged)
	}
	return frameType(kind), frame[4:], nil
}

// Read reads a whole trace into memory. With ErrCut or ErrDamaged it returns what came before, and End.Reason says so.
func Read(r io.Reader) (*Trace, error) {
	t, err := NewReader(r)
	if err != nil {
		return nil, err
	}
	whole := &Trace{}
	err = t.Samples(func(s Sample) { whole.Samples = append(whole.Samples, s) })
	whole.Meta, whole.End = t.Meta(), t.End()
	if err != nil {
		whole.End.Reason = err.Error()
	}
	return whole, err
}
