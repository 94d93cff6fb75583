package main

import "math/rand/v2"

// victim is a plate in a street, as the camera wrote it.
type victim struct {
	ground int
	text   plate
	seed   uint64
	file   []byte
	// suspects are files of the same frame with other texts, for a lineup. The first
	// has the right one, but none has the camera's noise over the plate: that noise
	// nobody knows.
	suspects [][]byte
}

// Purposes of randomness; each has a stream of its own.
const (
	theText uint64 = iota
	aroundPlate
	overPlate
	otherTexts
	firstGuess
	theLot
)

// dice returns a stream that depends on the victim and the purpose only.
func (v *victim) dice(purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(v.seed, purpose)) }

// stock is what the camera wrote at one stage: made once, published by every method.
type stock struct {
	stage   *stage
	plain   [][]byte // by ground: an unknown plate, without noise
	single  [][]byte // by place*symbols+symbol: on the first ground, one character known
	read    []victim
	lineups []victim
	lessons []victim
	exam    []victim
}

// newStock has the camera write all that the study needs at a stage.
func (y *study) newStock(s *stage) (*stock, error) {
	k := &stock{stage: s, plain: make([][]byte, len(s.grounds)), single: make([][]byte, templates)}
	err := each(y.workers, len(k.plain), func(i int) (err error) {
		k.plain[i], err = s.frameOf(i, unknown(), nil, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = each(y.workers, templates, func(i int) (err error) {
		k.single[i], err = s.frameOf(0, unknown().with(i/symbols, i%symbols), nil, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	// A series has texts and noise of its own.
	for i, series := range []struct {
		to *[]victim
		n  int
	}{{&k.read, y.plates}, {&k.lineups, y.lineups}, {&k.lessons, y.lessons}, {&k.exam, y.exam}} {
		if i > 0 && s.height != y.main {
			break
		}
		if *series.to, err = y.shoot(s, uint64(i), series.n); err != nil {
			return nil, err
		}
	}
	return k, each(y.workers, len(k.lineups), func(i int) error { return k.lineups[i].surround(s, y.suspects) })
}

// shoot takes pictures of n plates.
func (y *study) shoot(s *stage, series uint64, n int) ([]victim, error) {
	all := make([]victim, n)
	return all, each(y.workers, n, func(i int) (err error) {
		v := &all[i]
		*v = victim{ground: i % len(s.grounds), seed: y.seed<<40 ^ series<<32 ^ uint64(s.height)<<24 ^ uint64(i)}
		v.text = newPlate(v.dice(theText))
		v.file, err = s.frameOf(v.ground, v.text, v.dice(aroundPlate), v.dice(overPlate))
		return err
	})
}

// surround puts a victim among so many suspects.
func (v *victim) surround(s *stage, n int) error {
	rng, text := v.dice(otherTexts), v.text
	for range n {
		file, err := s.frameOf(v.ground, text, v.dice(aroundPlate), nil)
		if err != nil {
			return err
		}
		v.suspects = append(v.suspects, file)
		text = newPlate(rng)
	}
	return nil
}
