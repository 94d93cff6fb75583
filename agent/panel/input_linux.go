package panel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// evdev's requests, of linux/input.h.
const (
	iocRead  = 2 << 30
	iocWrite = 1 << 30
	evdevKey = 1 // EV_KEY

	evdevName = iocRead | 'E'<<8 | 0x06            // EVIOCGNAME, its length at bit 16
	evdevDown = iocRead | 'E'<<8 | 0x18            // EVIOCGKEY: the keys that are pressed
	evdevHas  = iocRead | 'E'<<8 | 0x20 + evdevKey // EVIOCGBIT: the keys there are
	evdevGrab = iocWrite | 4<<16 | 'E'<<8 | 0x90   // EVIOCGRAB
)

// inputButton is a key, or any, of an input device.
type inputButton struct {
	file    *os.File
	conn    syscall.RawConn
	name    string
	key     uint
	any     bool
	notices chan struct{}
	done    chan struct{} // closed when nobody reads any more
}

// openInput opens the device and grabs it, so that a keypad types nothing into a
// console.
func openInput(b Button) (contact, error) {
	i, err := examineInput(b)
	if err != nil {
		return nil, err
	}
	if err := i.grab(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", b.Input, err), i.file.Close())
	}
	go i.read()
	return i, nil
}

// examineInput opens the device and looks whether it has the key.
func examineInput(b Button) (*inputButton, error) {
	// Without blocking: then Close ends a read.
	f, err := os.OpenFile(b.Input, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; %s", err, otherInputs(b.Input))
	}
	if err != nil {
		return nil, err
	}
	i := &inputButton{file: f, any: b.Key == "", notices: make(chan struct{}, 1), done: make(chan struct{})}
	if err := i.examine(b.Key); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", b.Input, err), f.Close())
	}
	return i, nil
}

func (i *inputButton) examine(key string) (err error) {
	if i.conn, err = i.file.SyscallConn(); err != nil {
		return err
	}
	var there keys
	if err := i.ask(evdevHas, there[:]); err != nil {
		return fmt.Errorf("is no input device: %w", err)
	}
	if there.empty() {
		return errors.New("has no keys")
	}
	if !i.any {
		if i.key, err = keyCode(key); err != nil {
			return err
		}
		if !there.has(i.key) {
			return fmt.Errorf("has no key %s", key)
		}
	}
	var name [128]byte
	if err := i.ask(evdevName, name[:]); err != nil {
		return err
	}
	i.name, _, _ = strings.Cut(string(name[:]), "\x00")
	return nil
}

// ask has the kernel fill in buf.
func (i *inputButton) ask(request uint, buf []byte) error {
	return i.ioctl(uintptr(request)|uintptr(len(buf))<<16, unsafe.Pointer(&buf[0]))
}

func (i *inputButton) ioctl(request uintptr, arg unsafe.Pointer) error {
	var errno syscall.Errno
	err := i.conn.Control(func(fd uintptr) {
		_, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(arg))
	})
	if err == nil && errno != 0 {
		err = errno
	}
	return err
}

func (i *inputButton) grab() error {
	one := int32(1)
	err := i.ioctl(evdevGrab, unsafe.Pointer(&one))
	if errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("is grabbed by another program; end it, or name another input: %w", err)
	}
	return err
}

// otherInputs ends a complaint about a device that is not there.
func otherInputs(path string) string {
	list, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(list) == 0 {
		return "no input device is plugged in that has a name there"
	}
	const most = 8
	var names []string
	for _, e := range list[:min(most, len(list))] {
		names = append(names, e.Name())
	}
	return "there is " + strings.Join(names, ", ")
}

// read throws the events away: they say only that it is time to look. It ends with
// the first error, which reading the level meets as well.
func (i *inputButton) read() {
	defer close(i.done)
	buf := make([]byte, 64*24) // whole events
	for {
		_, err := i.file.Read(buf)
		select {
		case i.notices <- struct{}{}:
		default: // somebody will look already
		}
		if err != nil {
			return
		}
	}
}

func (i *inputButton) pressed() (bool, error) {
	var down keys
	if err := i.ask(evdevDown, down[:]); err != nil {
		return false, err
	}
	if i.any {
		return !down.empty(), nil
	}
	return down.has(i.key), nil
}

func (i *inputButton) edges() <-chan struct{} { return i.notices }
func (i *inputButton) steady() bool           { return false }
func (i *inputButton) String() string         { return i.file.Name() + " (" + i.name + ")" }

// Close ends the reading and lets go of the device.
func (i *inputButton) Close() error {
	err := i.file.Close()
	<-i.done
	return err
}
