package uplink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/google/uuid"
)

// record is what the outbox knows about one item. The index holds it, and so
// does the head of the item's file: the files alone tell everything but the
// refusals.
type record struct {
	seq         uint64
	id          uuid.UUID
	digest      [32]byte // SHA-256 of the observation
	observation uint32   // length in bytes
	evidence    uint32   // length in bytes, 0 = no picture
	expires     int64    // Unix seconds, 0 = never
	ordinal     uint32   // the how manieth of its task on its day, from 1
	refusals    uint16
	day         string
	task        string
	reason      string // why it is set aside
}

const (
	recordVersion = 1
	recordFixed   = 4 + 1 + 8 + 16 + 32 + 4 + 4 + 8 + 4 + 2 // up to the texts
	maxShortText  = 255                                     // bytes of a text in a record
	maxRecord     = recordFixed + 3*(1+maxShortText)
)

// size is how many bytes the item's file has. The reason is only in the index.
func (r record) size() int64 {
	r.reason = ""
	return int64(fileFixed + len(r.encode()) + int(r.observation) + int(r.evidence))
}

// encode returns CRC-32C, version, the fixed fields in big endian, and the texts.
func (r record) encode() []byte {
	out := make([]byte, 4, recordFixed+3+len(r.day)+len(r.task)+len(r.reason))
	out = append(out, recordVersion)
	out = binary.BigEndian.AppendUint64(out, r.seq)
	out = append(out, r.id[:]...)
	out = append(out, r.digest[:]...)
	out = binary.BigEndian.AppendUint32(out, r.observation)
	out = binary.BigEndian.AppendUint32(out, r.evidence)
	out = binary.BigEndian.AppendUint64(out, uint64(r.expires))
	out = binary.BigEndian.AppendUint32(out, r.ordinal)
	out = binary.BigEndian.AppendUint16(out, r.refusals)
	for _, s := range []string{r.day, r.task, r.reason} {
		if len(s) > maxShortText {
			s = s[:maxShortText]
		}
		out = append(out, byte(len(s)))
		out = append(out, s...)
	}
	binary.BigEndian.PutUint32(out, checksum(out[4:]))
	return out
}

func decodeRecord(data []byte) (record, error) {
	var r record
	if len(data) < recordFixed || len(data) > maxRecord {
		return r, fmt.Errorf("record has %d bytes, want %d to %d", len(data), recordFixed, maxRecord)
	}
	if got, want := checksum(data[4:]), binary.BigEndian.Uint32(data); got != want {
		return r, fmt.Errorf("record has checksum %08x, want %08x", got, want)
	}
	if data[4] != recordVersion {
		return r, fmt.Errorf("record has version %d, want %d", data[4], recordVersion)
	}
	rest := data[5:]
	r.seq, rest = binary.BigEndian.Uint64(rest), rest[8:]
	rest = rest[copy(r.id[:], rest):]
	rest = rest[copy(r.digest[:], rest):]
	r.observation, rest = binary.BigEndian.Uint32(rest), rest[4:]
	r.evidence, rest = binary.BigEndian.Uint32(rest), rest[4:]
	r.expires, rest = int64(binary.BigEndian.Uint64(rest)), rest[8:]
	r.ordinal, rest = binary.BigEndian.Uint32(rest), rest[4:]
	r.refusals, rest = binary.BigEndian.Uint16(rest), rest[2:]
	for _, s := range []*string{&r.day, &r.task, &r.reason} {
		if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
			return record{}, errors.New("record ends within a text")
		}
		n := int(rest[0])
		*s, rest = string(rest[1:1+n]), rest[1+n:]
	}
	if len(rest) != 0 {
		return record{}, fmt.Errorf("record has %d bytes too many", len(rest))
	}
	if r.observation > maxObservation || r.evidence > maxEvidence {
		return record{}, fmt.Errorf("record claims %d and %d bytes", r.observation, r.evidence)
	}
	return r, nil
}

func checksum(data []byte) uint32 {
	return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) // the table is made once and kept
}

// key is the order of the index: big endian sorts as numbers do.
func key(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// totals are sums over all records, kept beside them: a record that has vanished
// without a trace is noticed by its absence from the sum.
type totals struct {
	items, aside uint64 // waiting, and set aside
	bytes        uint64 // of the files of both
	counted      uint64 // sum of the counters
}

const totalsSize = 4 + 4*8

func (t totals) encode() []byte {
	out := make([]byte, 4, totalsSize)
	out = binary.BigEndian.AppendUint64(out, t.items)
	out = binary.BigEndian.AppendUint64(out, t.aside)
	out = binary.BigEndian.AppendUint64(out, t.bytes)
	out = binary.BigEndian.AppendUint64(out, t.counted)
	binary.BigEndian.PutUint32(out, checksum(out[4:]))
	return out
}

func decodeTotals(data []byte) (totals, error) {
	if len(data) != totalsSize || checksum(data[4:]) != binary.BigEndian.Uint32(data) {
		return totals{}, errors.New("the totals are damaged")
	}
	return totals{
		items:   binary.BigEndian.Uint64(data[4:]),
		aside:   binary.BigEndian.Uint64(data[12:]),
		bytes:   binary.BigEndian.Uint64(data[20:]),
		counted: binary.BigEndian.Uint64(data[28:]),
	}, nil
}

// counterKey is the key of a task's counter of a day.
func counterKey(day, task string) []byte { return []byte(day + "\x00" + task) }

// encodeCounter covers its key, so that a value can't move to another.
func encodeCounter(key []byte, n uint32) []byte {
	out := binary.BigEndian.AppendUint32(make([]byte, 4, 8), n)
	binary.BigEndian.PutUint32(out, checksum(append(out[4:8:8], key...)))
	return out
}

func decodeCounter(key, value []byte) (uint32, error) {
	if len(value) != 8 {
		return 0, fmt.Errorf("counter %q has %d bytes, want 8", key, len(value))
	}
	n := binary.BigEndian.Uint32(value[4:])
	if string(encodeCounter(key, n)) != string(value) {
		return 0, fmt.Errorf("counter %q has a wrong checksum", key)
	}
	return n, nil
}
