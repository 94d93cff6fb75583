package uplink

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// waitingLimits bound what waits in [partsDir], in all and for each vehicle, so that
// no vehicle can push out what others have sent.
type waitingLimits struct {
	items, vehicleItems int
	bytes, vehicleBytes int64
	age                 time.Duration
}

// waiting is one item that waits.
type waiting struct {
	name    string // of its folder
	vehicle string // with its fleet
	bytes   int64
	time    time.Time // of what came last
}

// share is how much a vehicle has waiting.
type share struct {
	items int
	bytes int64
}

// evict decides which items go: those too old, then the oldest of each vehicle that
// is over its share, then, while there are too many in all, the oldest of whoever
// has most.
func (l waitingLimits) evict(all []waiting, now time.Time) (gone []waiting) {
	slices.SortFunc(all, func(a, b waiting) int { return a.time.Compare(b.time) })
	queues, used, sum := map[string][]waiting{}, map[string]share{}, share{}
	count := func(w waiting, sign int) {
		u := used[w.vehicle]
		used[w.vehicle] = share{u.items + sign, u.bytes + int64(sign)*w.bytes}
		sum = share{sum.items + sign, sum.bytes + int64(sign)*w.bytes}
	}
	drop := func(vehicle string) {
		w := queues[vehicle][0]
		queues[vehicle] = queues[vehicle][1:]
		count(w, -1)
		gone = append(gone, w)
	}
	for _, w := range all {
		if now.Sub(w.time) > l.age {
			gone = append(gone, w)
			continue
		}
		queues[w.vehicle] = append(queues[w.vehicle], w)
		count(w, 1)
	}
	for vehicle := range queues {
		for used[vehicle].items > l.vehicleItems || used[vehicle].bytes > l.vehicleBytes {
			drop(vehicle)
		}
	}
	for sum.items > l.items || sum.bytes > l.bytes {
		drop(greediest(used, sum.bytes > l.bytes))
	}
	return gone
}

// greediest returns the vehicle with most bytes or items.
func greediest(used map[string]share, byBytes bool) (most string) {
	for vehicle, u := range used {
		m, found := used[most]
		more := u.items > m.items
		if byBytes {
			more = u.bytes > m.bytes
		}
		if !found || more {
			most = vehicle
		}
	}
	return most
}

// due tells whether so much was added that the limits may be broken.
func (p *parts) due() bool { return p.added > min(p.limits.bytes, p.limits.vehicleBytes)/16 }

// sweep brings what waits within its limits and returns how many items went.
// Several processes may do it at once.
func (p *parts) sweep(now time.Time) (int, error) {
	p.added = 0
	entries, err := fs.ReadDir(p.root.FS(), partsDir)
	if err != nil {
		return 0, err
	}
	var all []waiting
	for _, e := range entries {
		w, err := p.weigh(e)
		if errors.Is(err, fs.ErrNotExist) { // stored meanwhile
			continue
		}
		if err != nil {
			return 0, err
		}
		all = append(all, w)
	}
	gone := p.limits.evict(all, now)
	for _, w := range gone {
		err = errors.Join(err, p.root.RemoveAll(path.Join(partsDir, w.name)))
	}
	return len(gone), err
}

// weigh takes the measure of an item's folder.
func (p *parts) weigh(e fs.DirEntry) (waiting, error) {
	w := waiting{name: e.Name(), vehicle: e.Name()}
	if i := strings.LastIndexByte(w.name, '~'); i >= 0 {
		w.vehicle = w.name[:i]
	}
	info, err := e.Info()
	if err != nil {
		return w, err
	}
	w.time = info.ModTime() // a folder's changes with each part that comes
	if !e.IsDir() {
		w.bytes = info.Size()
		return w, nil
	}
	files, err := fs.ReadDir(p.root.FS(), path.Join(partsDir, w.name))
	for _, f := range files {
		if info, err := f.Info(); err == nil { // or it is gone
			w.bytes += info.Size()
		}
	}
	return w, err
}
