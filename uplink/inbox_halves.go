package uplink

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// halvesDir holds pictures that wait for their observations and observations that
// wait for their pictures: the two come as two messages, in any order, and perhaps
// with a restart in between.
const halvesDir = ".incoming"

// halves are the files in it. When there are too many the oldest goes: its
// vehicle has no receipt for it and sends it again.
type halves struct {
	root     *os.Root
	maxCount int
	maxBytes int64
	evicted  *atomic.Uint64

	sizes map[string]int64 // by name
	order []string         // oldest first; may hold names that are gone
	bytes int64
}

// open takes stock of what an earlier run has left.
func (h *halves) open() error {
	h.sizes = map[string]int64{}
	if err := makeFolder(h.root, halvesDir); err != nil {
		return err
	}
	entries, err := fs.ReadDir(h.root.FS(), halvesDir)
	if err != nil {
		return err
	}
	ages := map[string]time.Time{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return err
		}
		if strings.HasSuffix(e.Name(), tmpSuffix) {
			if err := h.root.Remove(path.Join(halvesDir, e.Name())); err != nil {
				return err
			}
			continue
		}
		ages[e.Name()] = info.ModTime()
		h.enter(e.Name(), info.Size())
	}
	slices.SortFunc(h.order, func(a, b string) int { return ages[a].Compare(ages[b]) })
	return h.shrink()
}

// name can't be mistaken: '~' occurs in none of its parts.
func (h *halves) name(a address, kind string) string {
	suffix := jsonSuffix
	if kind == topicEvidence {
		suffix = jpegSuffix
	}
	return a.fleet + "~" + a.vehicle + "~" + a.id + suffix
}

func (h *halves) path(a address, kind string) string { return path.Join(halvesDir, h.name(a, kind)) }

func (h *halves) read(a address, kind string, limit int) ([]byte, error) {
	if _, ok := h.sizes[h.name(a, kind)]; !ok {
		return nil, fs.ErrNotExist
	}
	return readBelow(h.root, h.path(a, kind), limit)
}

// add stores one half; one that is there already is replaced.
func (h *halves) add(a address, kind string, data []byte) error {
	if err := writeBelow(h.root, h.path(a, kind), data); err != nil {
		return err
	}
	h.forget(h.name(a, kind))
	h.enter(h.name(a, kind), int64(len(data)))
	return h.shrink()
}

// drop removes what is left of an observation that is stored.
func (h *halves) drop(a address) error {
	for _, kind := range []string{topicEvidence, topicObservations} {
		if err := h.remove(h.name(a, kind)); err != nil {
			return err
		}
	}
	return nil
}

func (h *halves) enter(name string, size int64) {
	h.sizes[name] = size
	h.order = append(h.order, name)
	h.bytes += size
}

func (h *halves) forget(name string) {
	h.bytes -= h.sizes[name]
	delete(h.sizes, name)
	if i := slices.Index(h.order, name); i >= 0 {
		h.order = slices.Delete(h.order, i, i+1)
	}
}

func (h *halves) remove(name string) error {
	if _, ok := h.sizes[name]; !ok {
		return nil
	}
	h.forget(name)
	err := h.root.Remove(path.Join(halvesDir, name))
	if errors.Is(err, fs.ErrNotExist) { // it has been moved to its place
		return nil
	}
	return err
}

// shrink keeps the limits, but never drops the youngest.
func (h *halves) shrink() error {
	for len(h.order) > 1 && (len(h.order) > h.maxCount || h.bytes > h.maxBytes) {
		if err := h.remove(h.order[0]); err != nil {
			return err
		}
		h.evicted.Add(1)
	}
	return nil
}

// recent remembers what was stored lately, so that the repeated picture of a
// stored observation does not wait for anything.
type recent struct {
	set   map[address]bool
	order []address
}

const maxRecent = 4096

func (r *recent) has(a address) bool {
	a.kind = ""
	return r.set[a]
}

func (r *recent) add(a address) {
	a.kind = ""
	if r.set == nil {
		r.set = map[address]bool{}
	}
	if r.set[a] {
		return
	}
	if len(r.order) == maxRecent {
		delete(r.set, r.order[0])
		r.order = r.order[1:]
	}
	r.set[a] = true
	r.order = append(r.order, a)
}
