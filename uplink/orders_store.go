package uplink

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// OrdersStore keeps the last good orders on disk, and remembers which version has
// been in force even when that file is lost, so that older orders stay refused
// across restarts. Its methods may be called by several goroutines.
type OrdersStore struct {
	dir      string
	verifier Verifier
	current  atomic.Pointer[Orders]

	mu    sync.Mutex // one change at a time: comparing, writing and taking effect belong together
	floor ordersMark
	whole bool // the file on disk holds the current orders
}

// ordersMark identifies one set of orders.
type ordersMark struct {
	version uint64
	digest  string
}

func markOf(o *Orders) ordersMark { return ordersMark{o.Version, o.Digest} }

// OpenOrdersStore opens the store in dir, which is the store's own and is made if
// it is not there. What is kept is what v accepts. It reads no orders yet;
// [OrdersStore.Load] does.
func OpenOrdersStore(dir string, v Verifier) (*OrdersStore, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	if err := checkName(v.Fleet); err != nil {
		return nil, fmt.Errorf("open orders store: fleet: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open orders store: %w", err)
	}
	s := &OrdersStore{dir: dir, verifier: v}
	if err := s.readFloor(); err != nil {
		return nil, err
	}
	return s, nil
}

// Current returns the orders in force, nil when there are none.
func (s *OrdersStore) Current() *Orders { return s.current.Load() }

// Load reads the stored orders, verifies them again and puts them in force. It
// returns nil without an error when none have been accepted yet. On an error what
// was in force stays so; the file is left as it is until [OrdersStore.Accept]
// replaces it with orders at least as new.
func (s *OrdersStore) Load() (*Orders, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.read()
	switch {
	case err != nil:
		return nil, fmt.Errorf("load orders: %s: %w", s.path(), err)
	case o == nil:
		return nil, nil
	}
	if s.floor != markOf(o) {
		if err := s.writeFloor(markOf(o)); err != nil {
			return nil, fmt.Errorf("load orders: %w", err)
		}
	}
	s.whole = true
	s.current.Store(o)
	return o, nil
}

func (s *OrdersStore) read() (*Orders, error) {
	envelope, err := readSmall(s.path(), maxEnvelope)
	if errors.Is(err, fs.ErrNotExist) && s.floor == (ordersMark{}) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, s.mend())
	}
	o, err := s.verifier.Verify(envelope)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, s.mend())
	}
	if o.Version < s.floor.version || o.Version == s.floor.version && o.Digest != s.floor.digest {
		return nil, fmt.Errorf("the file holds version %d (%.8s), but version %d (%.8s) has been in force here: an older file was put back; %s",
			o.Version, o.Digest, s.floor.version, s.floor.digest, s.mend())
	}
	return o, nil
}

func (s *OrdersStore) mend() string {
	if s.floor == (ordersMark{}) {
		return "send the orders again"
	}
	return fmt.Sprintf("send version %d again, or a newer one", s.floor.version)
}

// Accept verifies signed orders and puts them in force. When it returns without
// an error they are on disk. They must be newer than any that have been in force
// here; the very same orders once more are no error and change nothing. On an
// error the orders in force stay so.
func (s *OrdersStore) Accept(envelope []byte) (*Orders, error) {
	o, err := s.verifier.Verify(envelope)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	same := markOf(o) == s.floor
	switch current := s.current.Load(); {
	case same && s.whole && current != nil && markOf(current) == s.floor:
		return current, nil
	case same: // the file is lost or damaged; write it again
	case o.Version == s.floor.version:
		return nil, fmt.Errorf("orders version %d is not newer than %d in force, and its contents differ; raise gadeblik.version", o.Version, s.floor.version)
	case o.Version < s.floor.version:
		return nil, fmt.Errorf("orders version %d is not newer than %d in force", o.Version, s.floor.version)
	}
	// The orders first, the floor after: a power cut in between leaves newer
	// orders than the floor, which Load mends. The other way round would leave
	// the vehicle with orders it must refuse.
	s.whole = false
	if err := replaceFile(s.path(), envelope); err != nil {
		return nil, fmt.Errorf("store orders version %d: %w", o.Version, err)
	}
	if err := s.writeFloor(markOf(o)); err != nil {
		return nil, fmt.Errorf("store orders version %d: %w", o.Version, err)
	}
	s.whole = true
	s.current.Store(o)
	return o, nil
}

func (s *OrdersStore) path() string { return filepath.Join(s.dir, "orders.dsse.json") }

// floorPath is one for each fleet: versions count within a fleet, and a vehicle
// may be handed to another.
func (s *OrdersStore) floorPath() string {
	return filepath.Join(s.dir, "floor-"+s.verifier.Fleet)
}

// readFloor reads the highest version that has been in force. A damaged floor is
// no floor: what is then left is the signed file itself, which Load makes the
// floor again.
func (s *OrdersStore) readFloor() error {
	data, err := readSmall(s.floorPath(), 1<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open orders store: %w", err)
	}
	var m ordersMark
	if _, err := fmt.Sscanf(string(data), "%d %64s", &m.version, &m.digest); err == nil && string(data) == s.floorText(m) {
		s.floor = m
	}
	return nil
}

// floorText ends in a sum over the rest, by which damage is told from a version.
func (s *OrdersStore) floorText(m ordersMark) string {
	line := fmt.Sprintf("%d %s", m.version, m.digest)
	return line + " " + hexDigest([]byte(s.verifier.Fleet+" "+line)) + "\n"
}

func (s *OrdersStore) writeFloor(m ordersMark) error {
	if err := replaceFile(s.floorPath(), []byte(s.floorText(m))); err != nil {
		return err
	}
	s.floor = m
	return nil
}

// readSmall reads a file of at most limit bytes.
func readSmall(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("has more than %d bytes", limit)
	}
	return data, err
}

// replaceFile replaces the file at path, readable by its owner only. After a
// power cut the file holds the old bytes or the new ones, and the new ones if
// replaceFile had returned nil.
func replaceFile(path string, data []byte) error {
	err := writeDurably(path+tmpSuffix, [][]byte{data})
	if err == nil {
		err = os.Rename(path+tmpSuffix, path)
	}
	if err != nil {
		return errors.Join(err, removeFile(path+tmpSuffix))
	}
	return flushDir(filepath.Dir(path))
}
