package uplink

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// bbolt trusts its file: a page that refers to itself ends in a stack overflow,
// one beyond the end in a fault, and neither can be caught everywhere. So the
// structure of the file is checked on its bytes before bbolt sees it. The layout
// is that of bbolt's version 2, which has not changed since 2014.
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2

	pageBranch   = 0x01
	pageLeaf     = 0x02
	pageMeta     = 0x04
	pageFreelist = 0x10

	pageHead    = 16 // id, flags, count, overflow
	elementSize = 16 // of branch and leaf pages alike
	bucketHead  = 16 // root page, sequence
	bucketFlag  = 0x01
	noFreelist  = ^uint64(0)

	metaSum  = 56 // offset of the checksum in the meta data
	maxDepth = 32 // of pages below each other; three hold millions of items
)

// boltMeta is what a meta page says.
type boltMeta struct{ root, freelist, pages, tx uint64 }

// checkIndex returns what is wrong with the structure of a bbolt file, or nil. If
// it returns nil, opening the file and reading all of it comes to an end.
func checkIndex(file io.ReaderAt, size int64) error {
	m, err := newestMeta(file)
	if err != nil {
		return err
	}
	if m.pages < 2 || m.pages > uint64(size)/pageSize {
		return fmt.Errorf("%d pages do not fit into %d bytes", m.pages, size)
	}
	w := walker{file: file, pages: m.pages, seen: make([]bool, m.pages)}
	w.seen[0], w.seen[1] = true, true
	if err := w.bucket(m.root, 0); err != nil {
		return err
	}
	if m.freelist == noFreelist {
		return errors.New("the list of free pages is missing")
	}
	return w.freelist(m.freelist)
}

// newestMeta returns the meta page that bbolt would take: the valid one of the
// younger transaction.
func newestMeta(file io.ReaderAt) (boltMeta, error) {
	var best boltMeta
	found := false
	for n := range int64(2) {
		page := make([]byte, pageSize)
		if _, err := file.ReadAt(page, n*pageSize); err != nil {
			continue
		}
		if m, ok := parseMeta(page[pageHead:]); ok && (!found || m.tx > best.tx) {
			best, found = m, true
		}
	}
	if !found {
		return best, errors.New("neither meta page is valid")
	}
	return best, nil
}

func parseMeta(b []byte) (boltMeta, bool) {
	ne := binary.NativeEndian
	h := fnv.New64a()
	h.Write(b[:metaSum])
	ok := ne.Uint32(b) == boltMagic && ne.Uint32(b[4:]) == boltVersion && ne.Uint32(b[8:]) == pageSize &&
		ne.Uint64(b[metaSum:]) == h.Sum64()
	return boltMeta{
		root:     ne.Uint64(b[16:]),
		freelist: ne.Uint64(b[32:]),
		pages:    ne.Uint64(b[40:]),
		tx:       ne.Uint64(b[48:]),
	}, ok
}

// walker visits every page once.
type walker struct {
	file  io.ReaderAt
	pages uint64
	seen  []bool
}

// bounds are the keys that a page may hold: low <= key < high; nil is no bound.
type bounds struct{ low, high []byte }

func (b bounds) hold(k []byte) bool {
	return bytes.Compare(k, b.low) >= 0 && (b.high == nil || bytes.Compare(k, b.high) < 0)
}

// page reads a page with its overflow and marks it as visited.
func (w *walker) page(id uint64) ([]byte, error) {
	if id < 2 || id >= w.pages {
		return nil, fmt.Errorf("page %d does not exist", id)
	}
	head := make([]byte, pageHead)
	if _, err := w.file.ReadAt(head, int64(id)*pageSize); err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	more := uint64(binary.NativeEndian.Uint32(head[12:]))
	if binary.NativeEndian.Uint64(head) != id || more >= w.pages-id {
		return nil, fmt.Errorf("page %d has a wrong head", id)
	}
	for p := id; p <= id+more; p++ {
		if w.seen[p] {
			return nil, fmt.Errorf("page %d is used twice", p)
		}
		w.seen[p] = true
	}
	page := make([]byte, (more+1)*pageSize)
	if _, err := w.file.ReadAt(page, int64(id)*pageSize); err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	return page, nil
}

// bucket walks a tree of pages from its root.
func (w *walker) bucket(root uint64, depth int) error { return w.tree(root, bounds{}, depth) }

func (w *walker) tree(id uint64, b bounds, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("page %d lies too deep", id)
	}
	page, err := w.page(id)
	if err != nil {
		return err
	}
	switch binary.NativeEndian.Uint16(page[8:]) {
	case pageBranch:
		err = w.branch(page, b, depth)
	case pageLeaf:
		err = w.leaf(page, b, depth)
	default:
		err = errors.New("is of a wrong kind")
	}
	if err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

// element is an entry of a page: its key, what follows the key, and two words.
type element struct {
	key, value []byte
	flags      uint32
	child      uint64
}

// elements reads the entries of a branch or leaf page and checks their order.
func elements(page []byte, b bounds, leaf bool) ([]element, error) {
	ne := binary.NativeEndian
	count := int(ne.Uint16(page[10:]))
	if pageHead+count*elementSize > len(page) {
		return nil, fmt.Errorf("%d entries do not fit", count)
	}
	out := make([]element, count)
	for i := range out {
		at := pageHead + i*elementSize
		raw := page[at : at+elementSize]
		pos, keyLen, valueLen := uint64(ne.Uint32(raw)), uint64(ne.Uint32(raw[4:])), uint64(0)
		out[i].child = ne.Uint64(raw[8:])
		if leaf {
			out[i].flags = ne.Uint32(raw)
			pos, keyLen, valueLen = uint64(ne.Uint32(raw[4:])), uint64(ne.Uint32(raw[8:])), uint64(ne.Uint32(raw[12:]))
		}
		start := uint64(at) + pos
		if pos < elementSize || start+keyLen+valueLen > uint64(len(page)) {
			return nil, fmt.Errorf("entry %d lies outside", i)
		}
		out[i].key = page[start : start+keyLen]
		out[i].value = page[start+keyLen : start+keyLen+valueLen]
		if !b.hold(out[i].key) || i > 0 && bytes.Compare(out[i-1].key, out[i].key) >= 0 {
			return nil, fmt.Errorf("entry %d is out of order", i)
		}
	}
	return out, nil
}

func (w *walker) branch(page []byte, b bounds, depth int) error {
	entries, err := elements(page, b, false)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return errors.New("has no entries")
	}
	for i, e := range entries {
		inner := bounds{low: e.key, high: b.high}
		if i+1 < len(entries) {
			inner.high = entries[i+1].key
		}
		if err := w.tree(e.child, inner, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) leaf(page []byte, b bounds, depth int) error {
	entries, err := elements(page, b, true)
	if err != nil {
		return err
	}
	for i, e := range entries {
		if e.flags > bucketFlag {
			return fmt.Errorf("entry %d has unknown flags", i)
		}
		if e.flags != bucketFlag {
			continue
		}
		if len(e.value) < bucketHead {
			return fmt.Errorf("bucket %q is cut short", e.key)
		}
		root := binary.NativeEndian.Uint64(e.value)
		if root == 0 {
			err = w.inline(e.value[bucketHead:])
		} else {
			err = w.bucket(root, depth+1)
		}
		if err != nil {
			return fmt.Errorf("bucket %q: %w", e.key, err)
		}
	}
	return nil
}

// inline checks a small bucket that lies within its parent's page. It holds no
// buckets of its own.
func (w *walker) inline(page []byte) error {
	if len(page) < pageHead || binary.NativeEndian.Uint16(page[8:]) != pageLeaf {
		return errors.New("is of a wrong kind")
	}
	entries, err := elements(page, bounds{}, true)
	if err != nil {
		return err
	}
	for i, e := range entries {
		if e.flags != 0 {
			return fmt.Errorf("entry %d has unknown flags", i)
		}
	}
	return nil
}

// freelist checks that free pages exist and are not in use.
func (w *walker) freelist(id uint64) error {
	page, err := w.page(id)
	if err != nil {
		return err
	}
	ne := binary.NativeEndian
	if ne.Uint16(page[8:]) != pageFreelist {
		return fmt.Errorf("page %d: is no list of free pages", id)
	}
	count, list := uint64(ne.Uint16(page[10:])), page[pageHead:]
	if count == 0xFFFF { // a longer count stands in front
		count, list = ne.Uint64(list), list[8:]
	}
	if count > uint64(len(list)/8) {
		return fmt.Errorf("page %d: %d free pages do not fit", id, count)
	}
	for i := range count {
		free := ne.Uint64(list[i*8:])
		if free < 2 || free >= w.pages || w.seen[free] {
			return fmt.Errorf("page %d is free and does not exist, or is in use", free)
		}
		w.seen[free] = true
	}
	return nil
}
