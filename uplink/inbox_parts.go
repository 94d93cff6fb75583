package uplink

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// partsDir holds what has come of items that can't be stored yet, a folder for
// each: picture and observation are messages of their own, in parts where they are
// long, and come in any order, to any of the processes that share the folder. So
// nothing is remembered: whoever has put a part there looks what is there, and of
// two who do so at once at least one sees everything.
//
// Nothing here needs to survive a power cut. There is no receipt for it, and the
// vehicle sends it again.
const partsDir = ".incoming"

// parts are the folders in it.
type parts struct {
	root *os.Root
	// name returns a name that no other process uses, for a file that is not whole.
	name   func() string
	limits waitingLimits
	added  int64 // bytes since the last look at all of it
}

// partFile is one part that is there.
type partFile struct {
	kind string
	k, n int
	size int64
	time time.Time
}

// folder can't be mistaken: '~' occurs in none of its parts.
func (p *parts) folder(a address) string {
	return path.Join(partsDir, a.fleet+"~"+a.vehicle+"~"+a.id)
}

func (f partFile) name() string { return fmt.Sprintf("%s-%d-%d", f.kind, f.k, f.n) }

func parsePartFile(name string) (partFile, bool) {
	kind, text, _ := strings.Cut(name, "-")
	first, last, _ := strings.Cut(text, "-")
	k, _ := strconv.Atoi(first)
	n, _ := strconv.Atoi(last)
	f := partFile{kind: kind, k: k, n: n}
	known := kind == topicObservations || kind == topicEvidence
	return f, known && k >= 1 && k <= n && n <= maxParts && f.name() == name
}

// put makes a part visible to all processes, whole. What came of the same in
// another number of parts goes: it is of another copy, and a vehicle must not fill
// the folder with all numbers there are.
func (p *parts) put(a address, payload []byte) error {
	const tries = 3 // the folder may be dropped by another process just now
	var err error
	for range tries {
		if err = p.write(a, payload); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return err
	}
	p.added += int64(len(payload))
	all, err := p.list(a)
	for _, f := range all {
		if f.kind == a.kind && f.n != a.n {
			err = errors.Join(err, p.remove(path.Join(p.folder(a), f.name())))
		}
	}
	return err
}

func (p *parts) write(a address, payload []byte) error {
	dir := p.folder(a)
	if err := p.root.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	tmp := path.Join(dir, p.name()+tmpSuffix)
	err := p.root.WriteFile(tmp, payload, 0o640)
	if err == nil {
		err = p.root.Rename(tmp, path.Join(dir, partFile{kind: a.kind, k: a.k, n: a.n}.name()))
	}
	if err != nil {
		return errors.Join(err, p.remove(tmp))
	}
	return nil
}

// list returns the parts of an item that are there.
func (p *parts) list(a address) ([]partFile, error) {
	entries, err := fs.ReadDir(p.root.FS(), p.folder(a))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []partFile
	for _, e := range entries {
		f, ok := parsePartFile(e.Name())
		if !ok {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) { // another process has dropped it
			continue
		}
		if err != nil {
			return nil, err
		}
		f.size, f.time = info.Size(), info.ModTime()
		all = append(all, f)
	}
	return all, nil
}

// pile are the parts of one thing, of the copy that came last.
type pile []partFile

func pileOf(all []partFile, kind string) pile {
	var mine pile
	var newest partFile
	for _, f := range all {
		if f.kind == kind && (newest.n == 0 || f.time.After(newest.time)) {
			newest = f
		}
	}
	for _, f := range all {
		if f.kind == kind && f.n == newest.n {
			mine = append(mine, f)
		}
	}
	slices.SortFunc(mine, func(a, b partFile) int { return a.k - b.k })
	return mine
}

func (p pile) whole() bool { return len(p) > 0 && len(p) == p[0].n }

func (p pile) size() (sum int64) {
	for _, f := range p {
		sum += f.size
	}
	return sum
}

// since tells whether all of it came after a moment.
func (p pile) since(t time.Time) bool {
	return !slices.ContainsFunc(p, func(f partFile) bool { return !f.time.After(t) })
}

// read joins a pile. It returns [fs.ErrNotExist] where another process has dropped
// some of it, having stored it.
func (p *parts) read(a address, of pile) ([]byte, error) {
	whole := make([]byte, 0, of.size())
	for _, f := range of {
		data, err := readBelow(p.root, path.Join(p.folder(a), f.name()), int(f.size))
		if err != nil {
			return nil, err
		}
		whole = append(whole, data...)
	}
	return whole, nil
}

// failedAt is when a pile of this kind failed to open; zero = it has not.
func (p *parts) failedAt(a address) (time.Time, error) {
	info, err := p.root.Stat(p.failure(a))
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

func (p *parts) fail(a address) error {
	if err := p.remove(p.failure(a)); err != nil {
		return err
	}
	return p.root.WriteFile(p.failure(a), nil, 0o640)
}

func (p *parts) failure(a address) string { return path.Join(p.folder(a), a.kind+"-failed") }

// drop removes all that has come of an item.
func (p *parts) drop(a address) error { return p.root.RemoveAll(p.folder(a)) }

// remove removes a file that need not be there.
func (p *parts) remove(name string) error {
	if err := p.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
