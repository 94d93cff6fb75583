package uplink

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"time"
)

// shelf is the folder of an inbox. All access goes through an [os.Root], which no
// path leaves, whatever it is made of. It is not safe for concurrent use.
type shelf struct {
	root        *os.Root
	maxEvidence int
	halves      halves
	known       recent
	evicted     *atomic.Uint64
}

// verdict is what becomes of a message.
type verdict struct {
	receipt  Receipt   // empty = nothing to say yet
	delivery *Delivery // set when an observation was stored for the first time
}

func openShelf(cfg InboxConfig) (*shelf, error) {
	root, err := os.OpenRoot(cfg.Dir)
	if err != nil {
		return nil, err
	}
	s := &shelf{root: root, maxEvidence: cfg.MaxEvidence, evicted: &atomic.Uint64{}}
	s.halves = halves{root: root, maxCount: cfg.MaxHalves, maxBytes: cfg.HalvesBytes, evicted: s.evicted}
	if err := s.halves.open(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return s, nil
}

// take stores what a message brings. An error means that the disk has failed;
// whatever is wrong with the message is in the verdict.
func (s *shelf) take(a address, payload []byte) (verdict, error) {
	if a.kind == topicEvidence {
		return s.takeEvidence(a, payload)
	}
	return s.takeObservation(a, payload)
}

func (s *shelf) takeObservation(a address, payload []byte) (verdict, error) {
	o, err := ParseObservation(payload)
	if err != nil {
		return refusal(a, err), nil
	}
	switch {
	case o.ID != a.id:
		return refusal(a, fmt.Errorf("its topic says %s, it says %s", a.id, o.ID)), nil
	case o.Vehicle != a.vehicle:
		return refusal(a, fmt.Errorf("its topic says vehicle %s, it says %s", a.vehicle, o.Vehicle)), nil
	case o.Image != nil && o.Image.Bytes > s.maxEvidence:
		return refusal(a, fmt.Errorf("the picture has %d bytes, at most %d are taken", o.Image.Bytes, s.maxEvidence)), nil
	}
	stored, err := s.read(place(o)+jsonSuffix, maxObservation)
	switch {
	case err == nil && bytes.Equal(stored, payload):
		s.known.add(a)
		return verdict{receipt: storedReceipt(a, payload)}, s.halves.drop(a)
	case err == nil:
		return refusal(a, errors.New("another observation is stored under its id")), nil
	case !errors.Is(err, fs.ErrNotExist):
		return verdict{}, err
	}
	if o.Image == nil {
		return s.finish(a, o, payload)
	}
	picture, err := s.halves.read(a, topicEvidence, s.maxEvidence)
	if errors.Is(err, fs.ErrNotExist) {
		return verdict{}, s.halves.add(a, topicObservations, payload)
	}
	if err != nil {
		return verdict{}, err
	}
	if err := matches(o, picture); err != nil {
		return refusal(a, err), s.halves.add(a, topicObservations, payload)
	}
	return s.finish(a, o, payload)
}

func (s *shelf) takeEvidence(a address, picture []byte) (verdict, error) {
	if len(picture) == 0 || len(picture) > s.maxEvidence {
		return refusal(a, fmt.Errorf("the picture has %d bytes, 1 to %d are taken", len(picture), s.maxEvidence)), nil
	}
	if s.known.has(a) {
		return verdict{}, nil // a repetition; its observation gets the receipt
	}
	payload, err := s.halves.read(a, topicObservations, maxObservation)
	if errors.Is(err, fs.ErrNotExist) {
		return verdict{}, s.halves.add(a, topicEvidence, picture)
	}
	if err != nil {
		return verdict{}, err
	}
	o, err := ParseObservation(payload)
	if err != nil { // only a damaged disk makes it so: let it be sent again
		return verdict{}, errors.Join(s.halves.drop(a), s.halves.add(a, topicEvidence, picture))
	}
	if err := matches(o, picture); err != nil {
		return refusal(a, err), nil
	}
	if err := s.halves.add(a, topicEvidence, picture); err != nil {
		return verdict{}, err
	}
	return s.finish(a, o, payload)
}

// finish puts an observation in its place, its picture first: where the JSON is,
// everything is.
func (s *shelf) finish(a address, o Observation, payload []byte) (verdict, error) {
	at := place(o)
	d := Delivery{Fleet: a.fleet, Vehicle: a.vehicle, Observation: o, JSON: at + jsonSuffix}
	if err := makeFolder(s.root, path.Dir(at)); err != nil {
		return verdict{}, err
	}
	if o.Image != nil {
		d.JPEG = at + jpegSuffix
		if err := s.root.Rename(s.halves.path(a, topicEvidence), d.JPEG); err != nil {
			return verdict{}, err
		}
	}
	if err := writeBelow(s.root, d.JSON, payload); err != nil {
		return verdict{}, err
	}
	if err := s.halves.drop(a); err != nil {
		return verdict{}, err
	}
	s.known.add(a)
	return verdict{receipt: storedReceipt(a, payload), delivery: &d}, nil
}

func (s *shelf) read(name string, limit int) ([]byte, error) { return readBelow(s.root, name, limit) }

func refusal(a address, reason error) verdict {
	return verdict{receipt: Receipt{Refused: []Refused{{ID: a.id, Reason: reason.Error()}}}}
}

func storedReceipt(a address, payload []byte) Receipt {
	return Receipt{Stored: []Stored{{ID: a.id, SHA256: hexDigest(payload)}}}
}

// matches compares a picture with what its observation says of it.
func matches(o Observation, picture []byte) error {
	if len(picture) != o.Image.Bytes {
		return fmt.Errorf("the picture has %d bytes, its observation says %d", len(picture), o.Image.Bytes)
	}
	if got := hexDigest(picture); got != o.Image.SHA256 {
		return fmt.Errorf("the picture has sha256 %s, its observation says %s", got, o.Image.SHA256)
	}
	return nil
}

const (
	jsonSuffix = ".json"
	jpegSuffix = ".jpg"
)

// place is where an observation lies, without the suffix. Vehicle and id are
// names by then; the task may be any text.
func place(o Observation) string {
	return path.Join(o.Time.UTC.UTC().Format(time.DateOnly), o.Vehicle, folderName(o.Task), o.ID)
}

// folderName turns a text into one element of a path: what could mean something
// to a file system or a shell is written as % and two digits. Different texts stay
// different.
func folderName(text string) string {
	var b strings.Builder
	for i, c := range []byte(text) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if letter || i > 0 && (c == '-' || c == '_' || c == '.') {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// readBelow reads a file of bounded size.
func readBelow(root *os.Root, name string, limit int) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	data, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(data) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	return data, err
}

// writeBelow makes a file durable under its name: it appears whole or not at all.
func writeBelow(root *os.Root, name string, data []byte) error {
	tmp := name + tmpSuffix
	f, err := root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, root.Remove(tmp))
	}
	if err := root.Rename(tmp, name); err != nil {
		return err
	}
	return flushBelow(root, path.Dir(name))
}

func flushBelow(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// makeFolder makes a folder and those above it durable.
func makeFolder(root *os.Root, dir string) error {
	if _, err := root.Stat(dir); err == nil {
		return nil
	}
	if err := root.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	for dir != "." {
		dir = path.Dir(dir)
		if err := flushBelow(root, dir); err != nil {
			return err
		}
	}
	return nil
}
