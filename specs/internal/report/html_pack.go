package report

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"

	"leadconform/fixtures/target"
)

// blockSize is about how much JSON a block of exchanges holds before it is packed, in bytes. A browser unpacks one in a
// few milliseconds, and in much less the packing would not pay.
const blockSize = 512 << 10

// packExchanges packs the exchanges of rows, whole rows together, into blocks: base64 of gzip of a JSON array, each an
// exchange as report.json has it. blockOf is the block that each row's exchanges are in.
func packExchanges(rows []Row, exchanges []target.Shown) (blocks []string, blockOf []int, err error) {
	p := packer{blocks: []string{}}
	blockOf = make([]int, len(rows))
	for i, row := range rows {
		blockOf[i] = len(p.blocks)
		for _, n := range row.Exchanges {
			if err := p.add(exchanges[n-1]); err != nil {
				return nil, nil, err
			}
		}
		if p.size >= blockSize {
			if err := p.close(); err != nil {
				return nil, nil, err
			}
		}
	}
	if err := p.close(); err != nil {
		return nil, nil, err
	}
	return p.blocks, blockOf, nil
}

// packer gathers exchanges until a block is full.
type packer struct {
	blocks []string
	open   []json.RawMessage
	size   int // of what is open, in bytes
}

func (p *packer) add(x target.Shown) error {
	text, err := json.Marshal(x)
	p.open = append(p.open, text)
	p.size += len(text)
	return err
}

// close packs what is open, if anything is.
func (p *packer) close() error {
	if len(p.open) == 0 {
		return nil
	}
	block, err := pack(p.open)
	p.blocks = append(p.blocks, block)
	p.open, p.size = nil, 0
	return err
}

func pack(block []json.RawMessage) (string, error) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if err := json.NewEncoder(w).Encode(block); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(packed.Bytes()), nil
}
