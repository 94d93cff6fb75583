//go:build unix

package uplink

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// sharedWait is how long the processes that share a folder wait for each other. One
// batch takes milliseconds; making the index anew takes longest.
const sharedWait = time.Minute

// lockShared takes the lock of the index, which the kernel releases when the
// process dies. The file of the lock is never replaced, as that of the index is.
func lockShared(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(sharedWait)
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w; the folder must be on a disk that knows locks", path, err), f.Close())
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("lock %s: another process has held it for %s, perhaps to make the index anew; try again", path, sharedWait), f.Close())
		}
		time.Sleep(2 * time.Millisecond)
	}
}
