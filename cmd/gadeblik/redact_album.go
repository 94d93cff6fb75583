package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"sync"
	"syscall"
)

// What is written beside the pictures.
const (
	journalFile = ".gadeblik-redact.jsonl"
	reportJSON  = "report.json"
	reportHTML  = "report.html"
)

// maxLine bounds a line of the journal: a picture with ten thousand regions has less.
const maxLine = 1 << 20

func ownFiles() []string { return []string{journalFile, reportJSON, reportHTML} }

// album is the output folder. Nothing is written outside of it, whatever links lie
// in it. A name in it stands for a whole redacted picture or for none: what is being
// written has another name.
type album struct {
	dir  string
	root *os.Root          // nil while the folder is not there
	done map[string][]made // what earlier runs made, by path, the newest last

	mu      sync.Mutex // one line of the journal at a time
	journal *os.File
}

// made is a line of the journal: what was made, of what and how.
type made struct {
	record
	Source   stamp  `json:"source"`
	Settings string `json:"settings"`
}

// openAlbum opens the folder if it is there, and makes none.
func openAlbum(dir string) (*album, error) {
	root, err := os.OpenRoot(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open output folder: %w", err)
	}
	return &album{dir: dir, root: root}, nil
}

// remember reads the journal of earlier runs. A line that a crash cut short is none.
func (a *album) remember() error {
	a.done = map[string][]made{}
	if a.root == nil {
		return nil
	}
	f, err := a.root.Open(journalFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what earlier runs made: %w", err)
	}
	defer f.Close() // read from only
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var m made
		if json.Unmarshal(lines.Bytes(), &m) == nil {
			a.done[m.Path] = append(a.done[m.Path], m)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read what earlier runs made: %w", err)
	}
	return nil
}

// make makes the folder if it is missing, and begins to write.
func (a *album) make() error {
	if a.root == nil {
		if err := os.MkdirAll(a.dir, 0o755); err != nil {
			return fmt.Errorf("make output folder: %w", err)
		}
		root, err := os.OpenRoot(a.dir)
		if err != nil {
			return fmt.Errorf("open output folder: %w", err)
		}
		a.root = root
	}
	f, err := a.root.OpenFile(journalFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("write what is made: %w", err)
	}
	a.journal = f
	// A line that a crash cut short must not spoil the next.
	if _, err := f.WriteString("\n"); err != nil {
		return fmt.Errorf("write what is made: %w", err)
	}
	return nil
}

// close ends the writing.
func (a *album) close() error {
	var errs []error
	if a.journal != nil {
		errs = append(errs, a.journal.Close())
	}
	if a.root != nil {
		errs = append(errs, a.root.Close())
	}
	return errors.Join(errs...)
}

// exists tells whether something has the picture's name.
func (a *album) exists(p *photo) bool {
	if a.root == nil {
		return false
	}
	_, err := a.root.Lstat(p.Path)
	return err == nil
}

// known returns what the output is, if an earlier run made it. It may be older than
// the newest line: a crash can come between the line and the file.
func (a *album) known(path string) (made, bool) {
	lines := a.done[path]
	if len(lines) == 0 {
		return made{}, false
	}
	data, err := a.root.ReadFile(path)
	if err != nil {
		return made{}, false
	}
	sum := digest(data)
	for _, m := range slices.Backward(lines) {
		if m.SHA256 == sum {
			return m, true
		}
	}
	return made{}, false
}

// isSource tells whether the output is the picture's own source by another name.
func (a *album) isSource(p *photo) bool {
	in, err1 := os.Stat(p.source)
	out, err2 := a.root.Stat(p.Path)
	return err1 == nil && err2 == nil && os.SameFile(in, out)
}

// keep stores a redacted picture. The journal has it first: an output of which the
// journal knows nothing was not made here.
func (a *album) keep(p *photo, m made, jpeg []byte) error {
	if err := a.root.MkdirAll(path.Dir(p.Path), 0o755); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return a.replace(p.Path, jpeg, func() error {
		if !p.replace && a.exists(p) {
			return errors.New("there is one already")
		}
		return a.note(m)
	})
}

// replace gives a file its contents at once: whoever looks finds the old or the new,
// even after a power cut. before is called when they are on the disk under another
// name.
func (a *album) replace(name string, data []byte, before func() error) error {
	tmp := path.Join(path.Dir(name), fmt.Sprintf(".gadeblik-%016x.part", rand.Uint64()))
	f, err := a.root.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = before()
	}
	if err == nil {
		err = a.root.Rename(tmp, name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("store: %w", err), a.root.Remove(tmp))
	}
	return nil
}

func (a *album) note(m made) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := a.journal.Write(append(line, '\n')); err != nil {
		return err
	}
	return a.journal.Sync()
}

// drop removes the output of a picture that may be replaced and could not be: it
// may show who should have been removed.
func (a *album) drop(p *photo) error {
	if err := a.root.Remove(p.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("its older output could not be removed: %w", err)
	}
	return nil
}

// full tells whether nothing more can be stored, whatever picture it is.
func full(err error) bool {
	for _, e := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
