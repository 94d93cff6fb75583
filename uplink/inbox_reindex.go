package uplink

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"
)

// Reindexed says what [Inbox.Reindex] found.
type Reindexed struct {
	Observations int
	Swept        int // pictures and envelopes without an observation, deleted: nobody has a receipt for them
	Unreadable   int // files left alone, because they are no observations, or not in their place
}

// Reindex makes the index anew from the files. Meanwhile no process stores.
func (in *Inbox) Reindex() (Reindexed, error) {
	s := in.shelf
	lock, err := lockShared(s.index.path() + ".lock")
	if err != nil {
		return Reindexed{}, fmt.Errorf("reindex inbox %s: %w", in.cfg.Dir, err)
	}
	var found Reindexed
	fresh := s.index
	fresh.rebuild = func(x index) error {
		found, err = s.collect(x)
		return err
	}
	if err := errors.Join(fresh.create(), lock.Close()); err != nil {
		return found, fmt.Errorf("reindex inbox %s: %w", in.cfg.Dir, err)
	}
	return found, nil
}

// walk fills an index from the files.
func (s *shelf) walk(x index) error {
	_, err := s.collect(x)
	return err
}

// collect enters what lies at <date>/<vehicle>/<task>/<id>.json.
func (s *shelf) collect(x index) (found Reindexed, err error) {
	days, err := s.folders(".")
	for _, day := range days {
		if _, dateErr := time.Parse(time.DateOnly, day); dateErr != nil {
			continue
		}
		vehicles, e := s.folders(day)
		err = errors.Join(err, e)
		for _, vehicle := range vehicles {
			tasks, e := s.folders(path.Join(day, vehicle))
			err = errors.Join(err, e)
			for _, task := range tasks {
				err = errors.Join(err, s.collectFrom(x, path.Join(day, vehicle, task), &found))
			}
		}
	}
	return found, err
}

func (s *shelf) folders(dir string) (names []string, err error) {
	entries, err := fs.ReadDir(s.root.FS(), dir)
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, err
}

func (s *shelf) collectFrom(x index, dir string, found *Reindexed) error {
	files, err := fs.ReadDir(s.root.FS(), dir)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, f := range files {
		there[f.Name()] = true
	}
	var entries []Entry
	for _, f := range files {
		suffix := path.Ext(f.Name())
		id := strings.TrimSuffix(f.Name(), suffix)
		switch {
		case !validID(id):
		case suffix == jsonSuffix:
			e, ok, err := s.readEntry(path.Join(dir, f.Name()))
			if err != nil {
				return err
			}
			if !ok {
				found.Unreadable++
				continue
			}
			entries = append(entries, e)
		case (suffix == jpegSuffix || suffix == dsseSuffix) && !there[id+jsonSuffix]:
			if err := s.root.Remove(path.Join(dir, f.Name())); err != nil {
				return err
			}
			found.Swept++
		}
	}
	found.Observations += len(entries)
	return put(x, entries)
}

// readEntry makes the entry of a file that is in its place.
func (s *shelf) readEntry(name string) (Entry, bool, error) {
	data, err := s.root.ReadFile(name)
	if err != nil {
		return Entry{}, false, err
	}
	o, err := ParseObservation(data)
	if err != nil {
		return Entry{}, false, nil
	}
	e := entryOf(o)
	return e, e.JSON == name, nil
}
