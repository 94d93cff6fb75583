package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// book is what vehicles have said that they have accepted.
type book struct {
	ids     map[string]accepted
	parcels map[string]accepted
}

func newBook() *book { return &book{ids: map[string]accepted{}, parcels: map[string]accepted{}} }

// read takes in the log of a vehicle.
func (b *book) read(path string) error {
	lines, err := readSaid(path)
	if err != nil {
		return err
	}
	for _, s := range lines {
		if s.Accepted != nil {
			b.ids[s.Accepted.ID], b.parcels[s.Accepted.Parcel] = *s.Accepted, *s.Accepted
		}
	}
	return nil
}

// check holds what is stored against the book. excused are parcels that the campaign
// has destroyed and that their vehicle has reported.
func (b *book) check(found map[string]stored, excused map[string]bool) []error {
	var problems []error
	for id, a := range b.ids {
		s, ok := found[id]
		switch {
		case ok:
			problems = appendError(problems, s.compare(a))
		case !excused[a.Parcel]:
			problems = append(problems, fmt.Errorf("observation %s (parcel %s) was accepted and is nowhere", id, a.Parcel))
		}
	}
	return problems
}

func appendError(all []error, err error) []error {
	if err != nil {
		all = append(all, err)
	}
	return all
}

// compare holds the stored files against what was accepted.
func (s stored) compare(a accepted) error {
	data, err := os.ReadFile(s.json)
	if err != nil {
		return err
	}
	if digest(data) != a.Observation {
		return fmt.Errorf("%s differs from what was accepted", s.json)
	}
	picture, err := os.ReadFile(s.jpeg)
	switch {
	case errors.Is(err, fs.ErrNotExist) && a.Picture == "":
		return nil
	case err != nil:
		return err
	case digest(picture) != a.Picture:
		return fmt.Errorf("%s differs from what was accepted", s.jpeg)
	}
	return nil
}
