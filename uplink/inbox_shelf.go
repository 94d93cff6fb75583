package uplink

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// stagingDir holds files on their way to their places.
const stagingDir = ".staging"

const (
	jsonSuffix = ".json"
	jpegSuffix = ".jpg"
	dsseSuffix = ".dsse"
)

// shelf is the folder of an inbox. All access goes through an [os.Root], which no
// path leaves, whatever it is made of. Several processes, and several shelves of
// one process, may share the folder; one shelf is not safe for concurrent use.
type shelf struct {
	root        *os.Root
	opener      Opener
	maxEvidence int
	parts       parts
	index       shelfIndex
	known       recent
	flush       func(dir string) error // makes the names in a folder durable

	process string // tells this shelf's files from those of others
	counter atomic.Uint64
}

func openShelf(cfg InboxConfig, rebuilt func()) (*shelf, error) {
	if err := os.MkdirAll(cfg.Dir, 0o750); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(cfg.Dir)
	if err != nil {
		return nil, err
	}
	s := &shelf{root: root, opener: cfg.Opener, maxEvidence: cfg.MaxEvidence, process: uuid.NewString()}
	s.flush = func(dir string) error { return flushBelow(root, dir) }
	s.parts = parts{root: root, name: s.name, limits: cfg.limits()}
	s.index = shelfIndex{dir: cfg.Dir, rebuild: s.walk, rebuilt: rebuilt}
	for _, dir := range []string{partsDir, stagingDir} {
		err = errors.Join(err, root.MkdirAll(dir, 0o750))
	}
	if err == nil {
		err = s.index.check()
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return s, nil
}

// name returns a name that nobody else uses.
func (s *shelf) name() string { return fmt.Sprintf("%s-%d", s.process, s.counter.Add(1)) }

// staged is an observation of which everything has come.
type staged struct {
	*opened
	parcel  address
	picture []byte
	there   bool              // stored already, whole
	files   map[string]string // names in [stagingDir] by suffix

	outcome state // of the place: none = stored now
}

// waited tells whether something of it may lie in [partsDir].
func (p *staged) waited() bool { return p.Image != nil || p.parcel.n > 1 }

func (p *staged) path() string { return shelfPath(p.Observation) }

// state is what lies in an observation's place.
type state int

const (
	none  state = iota // no observation, or not all of it
	same               // this one, whole
	other              // another one
)

var errOther = errors.New("another observation is stored under its id")

// state compares an observation with what lies in its place. Where the JSON is,
// everything was; what has been lost since comes again.
func (s *shelf) state(x *opened) (state, error) {
	at := shelfPath(x.Observation)
	stored, err := readBelow(s.root, at+jsonSuffix, maxObservation)
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	if !bytes.Equal(stored, x.data) {
		return other, nil
	}
	if _, err := s.root.Stat(at + dsseSuffix); err != nil {
		return none, gone(err)
	}
	if x.Image == nil {
		return same, nil
	}
	info, err := s.root.Stat(at + jpegSuffix)
	if err != nil || info.Size() != int64(x.Image.Bytes) {
		return none, gone(err)
	}
	return same, nil
}

// store puts what is ready in its place, all of a batch at once, and completes the
// verdicts. Each file is on the disk before it gets its name, and the name is on
// the disk before anybody is told.
func (s *shelf) store(verdicts []verdict) error {
	var ready []*staged
	for _, v := range verdicts {
		if v.staged != nil {
			ready = append(ready, v.staged)
		}
	}
	if len(ready) == 0 {
		return nil
	}
	err := s.stage(ready)
	if err == nil {
		err = s.shelve(ready)
	}
	for _, p := range ready {
		for _, name := range p.files {
			s.root.Remove(name) // most are in their places; the rest are swept in time
		}
	}
	if err != nil {
		return fmt.Errorf("store %d observations: %w", len(ready), err)
	}
	for i := range verdicts {
		if p := verdicts[i].staged; p != nil {
			verdicts[i].conclude(p)
			if p.outcome != other {
				s.known.add(p.parcel)
			}
			if p.waited() {
				if err := s.parts.drop(p.parcel); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (v *verdict) conclude(p *staged) {
	a := p.parcel
	if p.outcome == other {
		v.refusal = errOther
		v.receipt.Refused = []Refused{{ID: a.id, Reason: errOther.Error()}}
		return
	}
	v.receipt.Stored = []Stored{{ID: a.id, SHA256: hexDigest(p.signed)}}
	if p.outcome == same {
		return
	}
	at := p.path()
	v.delivery = &Delivery{Fleet: a.fleet, Vehicle: a.vehicle, Parcel: a.id, Observation: p.Observation, JSON: at + jsonSuffix, DSSE: at + dsseSuffix}
	if p.Image != nil {
		v.delivery.JPEG = at + jpegSuffix
	}
}

// parallelFlushes is how many files are flushed at once: the disk then writes its
// journal once for several.
const parallelFlushes = 16

// stage writes the files under names of this process, and to the disk.
func (s *shelf) stage(ready []*staged) error {
	var g errgroup.Group
	g.SetLimit(parallelFlushes)
	for _, p := range ready {
		p.files = map[string]string{}
		if p.there {
			continue
		}
		content := map[string][]byte{jsonSuffix: p.data, dsseSuffix: p.signed}
		if p.Image != nil && p.picture != nil {
			content[jpegSuffix] = p.picture
		}
		for suffix, data := range content {
			name := path.Join(stagingDir, s.name()+suffix)
			p.files[suffix] = name
			g.Go(func() error { return writeBelow(s.root, name, data) })
		}
	}
	return g.Wait()
}

// shelve enters a batch into the index and puts it in place. All that happens under
// the lock of the index: without it two different observations of one id could mix
// their files.
func (s *shelf) shelve(ready []*staged) error {
	if slices.ContainsFunc(ready, func(p *staged) bool { return !p.there }) {
		err := s.index.with(func(x index) error {
			if err := s.enter(x, ready); err != nil {
				return err
			}
			for _, p := range ready {
				if err := s.place(p); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, p := range ready {
		if p.there {
			p.outcome = same
		}
	}
	// Another process may have put there what we found, and not have flushed it yet.
	for _, dir := range folders(ready) {
		if err := s.flush(dir); err != nil {
			return err
		}
	}
	return nil
}

// enter writes the index before there are files: an entry without files does no
// harm, files without an entry would never be deleted. It holds back what would
// take another observation's entry away.
func (s *shelf) enter(x index, ready []*staged) error {
	var add []Entry
	for _, p := range ready {
		p.outcome = none
		if p.there {
			continue
		}
		e := entryOf(p.Observation)
		known, found, err := find(x, e.Vehicle, e.ID)
		if err != nil {
			return err
		}
		if found && known.JSON != e.JSON {
			if _, err := s.root.Stat(known.JSON); err == nil {
				p.outcome = other
				continue
			}
		}
		state, err := s.state(p.opened)
		if err != nil {
			return err
		}
		if state == other {
			p.outcome = other
			continue
		}
		add = append(add, e)
	}
	return put(x, add)
}

// place gives the files their names, the JSON last and only where there is none:
// where it is, everything is, and exactly one of several processes puts it there.
func (s *shelf) place(p *staged) error {
	if p.there || p.outcome == other {
		return nil
	}
	at := p.path()
	if err := s.root.MkdirAll(path.Dir(at), 0o750); err != nil {
		return err
	}
	for _, suffix := range []string{jpegSuffix, dsseSuffix} {
		if name, ok := p.files[suffix]; ok {
			if err := s.root.Rename(name, at+suffix); err != nil {
				return err
			}
			delete(p.files, suffix)
		}
	}
	err := s.root.Link(p.files[jsonSuffix], at+jsonSuffix)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	stored, err := readBelow(s.root, at+jsonSuffix, maxObservation)
	p.outcome = same
	if !bytes.Equal(stored, p.data) {
		p.outcome = other
	}
	return err
}

// folders are those of the observations and all above them, the lowest first.
func folders(ready []*staged) []string {
	var all []string
	for _, p := range ready {
		if p.outcome == other {
			continue
		}
		for dir := path.Dir(p.path()); ; dir = path.Dir(dir) {
			if !slices.Contains(all, dir) {
				all = append(all, dir)
			}
			if dir == "." {
				break
			}
		}
	}
	slices.SortStableFunc(all, func(a, b string) int { return strings.Count(b, "/") - strings.Count(a, "/") })
	return all
}

// maxStaged is after how long a file in [stagingDir] belongs to nobody any more.
const maxStaged = time.Hour

// tidy removes what processes that died have left.
func (s *shelf) tidy(now time.Time) error {
	entries, err := fs.ReadDir(s.root.FS(), stagingDir)
	for _, e := range entries {
		if info, infoErr := e.Info(); infoErr == nil && now.Sub(info.ModTime()) > maxStaged {
			err = errors.Join(err, gone(s.root.Remove(path.Join(stagingDir, e.Name()))))
		}
	}
	return err
}
