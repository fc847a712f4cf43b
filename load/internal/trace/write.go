package trace

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"

	"leadconform/load/internal/plan"
)

// Writer streams a trace to a file: about 12 bytes a sample, memory independent of the run's length. It is not safe for
// concurrent use.
type Writer struct {
	out      *bufio.Writer
	frame    []byte
	from     deltas
	refusals map[Refusal]uint64
	err      error
}

// NewWriter writes the head of a trace to w.
func NewWriter(w io.Writer, m Meta) (*Writer, error) {
	t := &Writer{out: bufio.NewWriter(w), refusals: make(map[Refusal]uint64)}
	head, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encoding the head of the trace: %w", err)
	}
	if _, err := t.out.WriteString(magic); err != nil {
		return nil, fmt.Errorf("writing the trace: %w", err)
	}
	t.put(headFrame, head)
	return t, t.err
}

// Write adds one sample. An error is that of this or an earlier write, and stays.
func (t *Writer) Write(s Sample) error {
	var number uint64
	var define bool
	if s.Refusal != nil {
		r := *s.Refusal
		var known bool
		if number, known = t.refusals[r]; !known {
			number, define = uint64(len(t.refusals)+1), true
			if number <= mostRefusals {
				t.refusals[r] = number
			}
		}
	}
	t.frame = appendSample(t.frame, &t.from, s, number, define)
	if len(t.frame) >= frameFull {
		t.cut()
	}
	return t.err
}

// AddPhases appends phases to the plan: those that are repeated. Samples of them may follow.
func (t *Writer) AddPhases(phases []plan.Phase) error {
	t.cut()
	payload, err := json.Marshal(phases)
	if err != nil {
		return fmt.Errorf("encoding phases of the trace: %w", err)
	}
	t.put(phasesFrame, payload)
	return t.err
}

// Flush writes what was added so far, so that a reader finds it even if the run is killed.
func (t *Writer) Flush() error {
	t.cut()
	if err := t.out.Flush(); err != nil && t.err == nil {
		t.err = fmt.Errorf("writing the trace: %w", err)
	}
	return t.err
}

// Close ends the trace. It doesn't close the file below.
func (t *Writer) Close(e End) error {
	t.cut()
	tail, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encoding the end of the trace: %w", err)
	}
	t.put(endFrame, tail)
	return t.Flush()
}

// cut ends the frame of samples in hand, if there is one.
func (t *Writer) cut() {
	if len(t.frame) == 0 {
		return
	}
	t.put(samplesFrame, t.frame)
	t.frame, t.from = t.frame[:0], deltas{}
}

// put writes one frame.
func (t *Writer) put(kind frameType, payload []byte) {
	if t.err != nil {
		return
	}
	head := binary.AppendUvarint([]byte{byte(kind)}, uint64(len(payload)))
	head = binary.BigEndian.AppendUint32(head, crc32.ChecksumIEEE(payload))
	if _, err := t.out.Write(head); err != nil {
		t.err = fmt.Errorf("writing the trace: %w", err)
		return
	}
	if _, err := t.out.Write(payload); err != nil {
		t.err = fmt.Errorf("writing the trace: %w", err)
	}
}
