package uplink

import (
	"cmp"
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
	priority    Priority
	own         bool   // sealed to the vehicle's own key
	day         string // that it counts for
	task        string // that it counts for, as [Sealer] names it
	reason      string // why it is set aside
}

// flagOwn is the one bit of a record's flags.
const flagOwn = 1

const (
	recordVersion = 2
	recordFixed   = 4 + 1 + 8 + 16 + 32 + 4 + 4 + 8 + 4 + 2 + 1 + 1 // up to the texts
	maxShortText  = 255                                             // bytes of a text in a record
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
	flags := byte(0)
	if r.own {
		flags = flagOwn
	}
	out = append(out, byte(r.priority), flags)
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
	if flags := rest[1]; flags&^flagOwn != 0 {
		return record{}, fmt.Errorf("record has flags %02x, of which only %02x is known", flags, flagOwn)
	}
	r.priority, r.own, rest = Priority(rest[0]), rest[1]&flagOwn != 0, rest[2:]
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
	if int(r.observation) > maxSealedObservation || int(r.evidence) > maxSealedEvidence {
		return record{}, fmt.Errorf("record claims %d and %d bytes", r.observation, r.evidence)
	}
	if r.priority > Low {
		return record{}, fmt.Errorf("record has priority %d, at most %d", r.priority, Low)
	}
	return r, nil
}

func checksum(data []byte) uint32 {
	return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) // the table is made once and kept
}

// place is an item's place in the order of sending: by priority, then by number.
type place struct {
	priority Priority
	seq      uint64
}

func (r record) place() place { return place{r.priority, r.seq} }

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.priority, q.priority), cmp.Compare(p.seq, q.seq))
}

// key is the place in the index: big endian sorts as numbers do.
func (p place) key() []byte { return binary.BigEndian.AppendUint64([]byte{byte(p.priority)}, p.seq) }

// totals are sums over all records, kept beside them, and the ledger of all that
// was ever accepted: a record that has vanished without a trace is noticed by its
// absence from the sum.
type totals struct {
	items, aside uint64 // waiting, and set aside
	bytes        uint64 // of the files of both
	counted      uint64 // sum of the counters
	Ledger
}

// Ledger counts since the outbox was made. What was accepted and is neither here
// nor in another column still waits or is set aside.
type Ledger struct {
	Accepted  uint64 `json:"accepted"`
	Delivered uint64 `json:"delivered"` // the receiver has said that it is stored
	Expired   uint64 `json:"expired"`   // its time was over before it could be sent
	Evicted   uint64 `json:"evicted"`   // removed by a person
	Lost      uint64 `json:"lost"`      // its file was gone or damaged when the outbox was opened
}

func (t *totals) columns() []*uint64 {
	return []*uint64{&t.items, &t.aside, &t.bytes, &t.counted, &t.Accepted, &t.Delivered, &t.Expired, &t.Evicted, &t.Lost}
}

// balanced tells whether everything accepted is accounted for.
func (t totals) balanced() bool {
	return t.Accepted == t.items+t.aside+t.Delivered+t.Expired+t.Evicted+t.Lost
}

func (t totals) encode() []byte {
	out := make([]byte, 4, 4+8*len(t.columns()))
	for _, n := range t.columns() {
		out = binary.BigEndian.AppendUint64(out, *n)
	}
	binary.BigEndian.PutUint32(out, checksum(out[4:]))
	return out
}

func decodeTotals(data []byte) (totals, error) {
	var t totals
	columns := t.columns()
	if len(data) != 4+8*len(columns) || checksum(data[4:]) != binary.BigEndian.Uint32(data) {
		return totals{}, errors.New("the totals are damaged")
	}
	for i, n := range columns {
		*n = binary.BigEndian.Uint64(data[4+8*i:])
	}
	return t, nil
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
