package uplink

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Inspection is what lies in an outbox, as somebody sees it who only looks.
type Inspection struct {
	Items  []Inspected // in the order of sending, those set aside last
	Ledger Ledger      // as of the last change of the index
	// Index says why the index could not be read; then the ledger is empty and what
	// is set aside can't be told from what waits. Empty = it could.
	Index string
}

// Inspected is one item of an outbox.
type Inspected struct {
	Item
	Path    string // of its file
	Own     bool   // sealed to the vehicle's own key
	Aside   bool
	Reason  string // why it is set aside
	Damaged error  // its head can't be read; then only Path is known
}

// Inspect looks into the outbox in a directory without opening it: an agent that
// uses it meanwhile is not disturbed, and nothing is mended.
func Inspect(dir string) (Inspection, error) {
	names, err := os.ReadDir(filepath.Join(dir, itemsName))
	if errors.Is(err, fs.ErrNotExist) {
		return Inspection{}, fmt.Errorf("inspect outbox: %s holds no outbox", dir)
	}
	if err != nil {
		return Inspection{}, fmt.Errorf("inspect outbox: %w", err)
	}
	var out Inspection
	c, err := readIndexCopy(filepath.Join(dir, indexName))
	if err != nil {
		out.Index = err.Error()
	}
	out.Ledger = c.sum.Ledger
	for _, name := range names {
		if !strings.HasSuffix(name.Name(), fileSuffix) && !strings.HasSuffix(name.Name(), badSuffix) {
			continue
		}
		if it, ok := inspectFile(filepath.Join(dir, itemsName), name.Name(), c); ok {
			out.Items = append(out.Items, it)
		}
	}
	slices.SortStableFunc(out.Items, func(p, q Inspected) int {
		return cmp.Or(cmp.Compare(rank(p), rank(q)), cmp.Compare(p.Priority, q.Priority), cmp.Compare(p.Seq, q.Seq))
	})
	return out, nil
}

// rank puts what is not sent behind what is.
func rank(it Inspected) int {
	switch {
	case it.Damaged != nil:
		return 2
	case it.Aside:
		return 1
	}
	return 0
}

// inspectFile describes one file, unless it has gone since.
func inspectFile(dir, name string, c contents) (Inspected, bool) {
	it := Inspected{Path: filepath.Join(dir, name)}
	r, err := readHead(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return it, false
	}
	if err != nil {
		it.Damaged = err
		return it, true
	}
	if known, aside := c.aside[r.seq]; aside && known.id == r.id {
		r, it.Aside, it.Reason = known, true, known.reason
	} else if known, waits := c.items[r.seq]; waits && known.id == r.id {
		r = known
	}
	it.Item, it.Own = r.item(), r.own
	return it, true
}

// copyTries is how often a copy of an index is tried that somebody may be changing.
const copyTries = 4

// readIndexCopy reads a copy of an index. A copy made in the middle of a change
// shows as damaged, so that another is made.
func readIndexCopy(path string) (c contents, err error) {
	dir, err := os.MkdirTemp("", "gadeblik-index-")
	if err != nil {
		return contents{}, err
	}
	defer os.RemoveAll(dir) // a copy
	for range copyTries {
		if c, err = readCopied(path, filepath.Join(dir, indexName)); err == nil {
			return c, nil
		}
	}
	return contents{}, err
}

func readCopied(path, to string) (contents, error) {
	if err := copyIndex(path, to); err != nil {
		return contents{}, err
	}
	x, found, err := readIndex(to)
	if err != nil {
		return contents{}, err
	}
	return found, x.close()
}

func copyIndex(path, to string) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close() // only read
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, io.LimitReader(from, maxIndex))
	return errors.Join(err, f.Close())
}

// Export writes an item as it would be sent into a folder, as a file that an inbox
// imports. It returns the file's path; one that is there already is left alone.
func (s *Sealer) Export(path, dir string) (string, error) {
	it, observation, evidence, err := ReadItem(path)
	if err != nil {
		return "", err
	}
	r := it.record
	if r.own {
		if observation, err = s.outgoing(observation, maxSignedObservation); err == nil {
			evidence, err = s.outgoing(evidence, maxEvidence)
		}
		if err != nil {
			return "", fmt.Errorf("export item %s: %w", it.ID, err)
		}
		r.own, r.observation, r.evidence = false, uint32(len(observation)), uint32(len(evidence))
	}
	to := filepath.Join(dir, fileName(r.seq, r.id))
	if _, err := os.Lstat(to); err == nil {
		return to, nil
	}
	if err := writeItem(dir, r, observation, evidence); err != nil {
		return "", fmt.Errorf("export item %s: %w", it.ID, err)
	}
	return to, nil
}
