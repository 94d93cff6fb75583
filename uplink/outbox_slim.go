package uplink

import (
	"fmt"
	"os"
)

const (
	// slimFrom is the size from which on giving space back is worth the writing.
	slimFrom = 2 << 20
	// recordSpace is what an item takes in the index, by and large.
	recordSpace = 512
)

// slim gives back the space of an index that has become mostly empty: bbolt's file
// never shrinks, so a small one takes its place. It is held by the writer.
func (b *Outbox) slim() error {
	path := b.index.db.Path()
	info, err := os.Stat(path)
	if err != nil {
		return b.breakDown(err)
	}
	used := int64(b.sum.items+b.sum.aside)*recordSpace + 64<<10
	if info.Size() < slimFrom || info.Size() < 4*used {
		return nil
	}
	if err := b.replaceIndex(path); err != nil {
		if noSpace(err) { // it is as it was
			return nil
		}
		return b.breakDown(fmt.Errorf("make the index smaller: %w", err))
	}
	return nil
}

func (b *Outbox) replaceIndex(path string) error {
	c, err := b.index.load()
	if err != nil {
		return err
	}
	if err := createIndex(path+slimSuffix, c); err != nil {
		return err
	}
	b.swap.Lock()
	defer b.swap.Unlock()
	if err := b.index.close(); err != nil {
		return err
	}
	if err := os.Rename(path+slimSuffix, path); err != nil {
		return err
	}
	b.index, err = openBolt(path)
	return err
}

// slimSuffix is that of an index that is about to take the place of a larger one.
const slimSuffix = ".slim"
