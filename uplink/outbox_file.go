package uplink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// An item's file holds all of it: the mark, the length of the record, the record,
// the observation, the evidence, and a CRC-32C over these two. One file, and one
// rename, make the item whole or absent; and an index can be made anew from the
// files alone.
const (
	fileMark   = "gbitem2\n"
	fileFixed  = len(fileMark) + 4 + 4 // mark, length of the record, checksum
	fileSuffix = ".item"
	tmpSuffix  = ".tmp"
	badSuffix  = ".damaged"
)

// errDamaged marks an item whose file is not what was written.
var errDamaged = errors.New("the file is damaged")

func fileName(seq uint64, id uuid.UUID) string {
	return fmt.Sprintf("%016x-%s%s", seq, id, fileSuffix)
}

func parseFileName(name string) (seq uint64, id uuid.UUID, ok bool) {
	base, isItem := strings.CutSuffix(name, fileSuffix)
	number, text, parts := strings.Cut(base, "-")
	seq, err := strconv.ParseUint(number, 16, 64)
	if !isItem || !parts || err != nil || len(number) != 16 {
		return 0, uuid.UUID{}, false
	}
	id, err = uuid.Parse(text)
	return seq, id, err == nil && fileName(seq, id) == name
}

// writeItem makes the file of an item durable: when it returns nil the whole file
// is on disk under its name, and when it returns an error there is none.
func writeItem(dir string, r record, observation, evidence []byte) error {
	path := filepath.Join(dir, fileName(r.seq, r.id))
	head := r.encode()
	sum := payloadChecksum(observation, evidence)
	start := append([]byte(fileMark), binary.BigEndian.AppendUint32(nil, uint32(len(head)))...)
	parts := [][]byte{append(start, head...), observation, evidence, binary.BigEndian.AppendUint32(nil, sum)}
	err := writeDurably(path+tmpSuffix, parts)
	if err == nil {
		err = os.Rename(path+tmpSuffix, path)
	}
	if err != nil {
		return errors.Join(err, removeFile(path+tmpSuffix))
	}
	if err := flushDir(dir); err != nil {
		return errors.Join(err, removeFile(path))
	}
	return nil
}

// payloadChecksum covers both parts, one after the other.
func payloadChecksum(observation, evidence []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(observation, table), table, evidence)
}

// writeDurably writes a new file and returns when it is on the disk.
func writeDurably(path string, parts [][]byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if _, err := f.Write(p); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

// flushDir makes the names in a directory durable.
func flushDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// removeFile removes a file that need not be there.
func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// readHead returns the record of an item's file after comparing it with the
// file's name and size, without reading the rest.
func readHead(dir, name string) (record, error) {
	seq, id, ok := parseFileName(name)
	if !ok {
		return record{}, fmt.Errorf("%s: %w: the name is wrong", name, errDamaged)
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return record{}, err
	}
	defer f.Close() // only read
	info, err := f.Stat()
	if err != nil {
		return record{}, err
	}
	head := make([]byte, min(info.Size(), int64(len(fileMark)+4+maxRecord)))
	if _, err := io.ReadFull(f, head); err != nil {
		return record{}, err
	}
	r, _, err := splitHead(head)
	if err != nil {
		return record{}, fmt.Errorf("%s: %w: %w", name, errDamaged, err)
	}
	if r.seq != seq || r.id != id || r.size() != info.Size() {
		return record{}, fmt.Errorf("%s: %w: name or size do not fit", name, errDamaged)
	}
	return r, nil
}

// splitHead reads the mark and the record, and returns what follows.
func splitHead(data []byte) (record, []byte, error) {
	if len(data) < len(fileMark)+4 || string(data[:len(fileMark)]) != fileMark {
		return record{}, nil, errors.New("the mark is missing")
	}
	n := binary.BigEndian.Uint32(data[len(fileMark):])
	rest := data[len(fileMark)+4:]
	if uint64(n) > uint64(len(rest)) {
		return record{}, nil, errors.New("the record is cut short")
	}
	r, err := decodeRecord(rest[:n])
	return r, rest[n:], err
}

// readItem returns what an item holds, or [errDamaged].
func readItem(dir string, want record) (observation, evidence []byte, err error) {
	name := fileName(want.seq, want.id)
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, nil, err
	}
	defer f.Close() // only read
	limit := int64(fileFixed+maxRecord) + int64(want.observation) + int64(want.evidence)
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, nil, err
	}
	r, observation, evidence, err := parseItem(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w: %w", name, errDamaged, err)
	}
	if r.seq != want.seq || r.id != want.id || r.digest != want.digest {
		return nil, nil, fmt.Errorf("%s: %w: it holds another item", name, errDamaged)
	}
	return observation, evidence, nil
}

// parseItem splits a whole file. Everything in it is covered by a checksum.
func parseItem(data []byte) (r record, observation, evidence []byte, err error) {
	r, rest, err := splitHead(data)
	if err != nil {
		return record{}, nil, nil, err
	}
	if want := int(r.observation) + int(r.evidence) + 4; len(rest) != want {
		return record{}, nil, nil, fmt.Errorf("%d bytes follow the record, want %d", len(rest), want)
	}
	observation, rest = rest[:r.observation:r.observation], rest[r.observation:]
	evidence, rest = rest[:r.evidence:r.evidence], rest[r.evidence:]
	sum := payloadChecksum(observation, evidence)
	if want := binary.BigEndian.Uint32(rest); sum != want {
		return record{}, nil, nil, fmt.Errorf("checksum %08x, want %08x", sum, want)
	}
	return r, observation, evidence, nil
}

// ReadItem reads the file of an item and returns what it holds, sealed as it is.
func ReadItem(path string) (it Item, observation, evidence []byte, err error) {
	seq, id, ok := parseFileName(filepath.Base(path))
	if !ok {
		return Item{}, nil, nil, fmt.Errorf("read item %s: %w: the name is wrong", path, errDamaged)
	}
	f, err := os.Open(path)
	if err != nil {
		return Item{}, nil, nil, fmt.Errorf("read item: %w", err)
	}
	defer f.Close() // only read
	data, err := io.ReadAll(io.LimitReader(f, int64(fileFixed+maxRecord+maxSealedObservation+maxSealedEvidence)+1))
	if err != nil {
		return Item{}, nil, nil, fmt.Errorf("read item %s: %w", path, err)
	}
	r, observation, evidence, err := parseItem(data)
	if err == nil && (r.seq != seq || r.id != id) {
		err = errors.New("it holds another item")
	}
	if err != nil {
		return Item{}, nil, nil, fmt.Errorf("read item %s: %w: %w", path, errDamaged, err)
	}
	return r.item(), observation, evidence, nil
}
