package uplink

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Filter chooses observations; what is empty chooses all.
type Filter struct {
	Vehicle, Task, ID string
	Since             time.Time
}

func (f Filter) chooses(e Entry) bool {
	return (f.Vehicle == "" || e.Vehicle == f.Vehicle) && (f.Task == "" || e.Task == f.Task) &&
		(f.ID == "" || e.ID == f.ID) && !e.Time.Before(f.Since)
}

// List returns what is stored, the oldest first.
func (in *Inbox) List(f Filter) ([]Entry, error) {
	var out []Entry
	err := in.shelf.index.with(func(x index) error {
		out = nil
		return each(x, func(e Entry) error {
			if f.chooses(e) {
				out = append(out, e)
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list inbox %s: %w", in.cfg.Dir, err)
	}
	slices.SortFunc(out, func(a, b Entry) int {
		return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

// Read reads a stored observation.
func (in *Inbox) Read(e Entry) (Observation, error) {
	data, err := readBelow(in.shelf.root, e.JSON, maxObservation)
	if err != nil {
		return Observation{}, fmt.Errorf("read observation %s: %w", e.ID, err)
	}
	return ParseObservation(data)
}
