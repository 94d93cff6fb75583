package uplink

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// WatchNetwork calls up whenever a network interface comes up or gets an address,
// the loopback excepted, until ctx ends; then it returns nil. It returns an error
// at once where the system does not let it watch. up must not block.
func WatchNetwork(ctx context.Context, up func()) error {
	w, err := openNetworkWatch(up)
	if err != nil {
		return fmt.Errorf("watch networks: %w", err)
	}
	return w.run(ctx)
}

// networkWatch tells news from the rest: a link also speaks up when it scans.
type networkWatch struct {
	socket  *os.File
	running map[int32]bool // by the interface's number
	up      func()
}

// openNetworkWatch opens a socket that hears of the network that the calling
// thread is in.
func openNetworkWatch(up func()) (*networkWatch, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		return nil, errors.Join(fmt.Errorf("bind a netlink socket: %w", err), unix.Close(fd))
	}
	// Non-blocking, so that closing it ends a read.
	return &networkWatch{os.NewFile(uintptr(fd), "netlink"), map[int32]bool{}, up}, nil
}

func (w *networkWatch) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { w.socket.Close() })
	defer func() {
		if stop() {
			w.socket.Close()
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := w.socket.Read(buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, unix.ENOBUFS):
			w.up() // so much happened that some of it was lost
		case err != nil:
			return fmt.Errorf("watch networks: %w", err)
		default:
			w.messages(buf[:n])
		}
	}
}

func (w *networkWatch) messages(raw []byte) {
	all, err := syscall.ParseNetlinkMessage(raw)
	if err != nil {
		return // a message of a kernel we don't know: no news
	}
	for _, m := range all {
		if w.news(m) {
			w.up()
		}
	}
}

// news tells whether a message says that a network has come up. The numbers of
// netlink are in the machine's own order of bytes.
func (w *networkWatch) news(m syscall.NetlinkMessage) bool {
	switch {
	case m.Header.Type == unix.RTM_NEWADDR && len(m.Data) >= unix.SizeofIfAddrmsg:
		return nativeInt32(m.Data[4:]) != loopback
	case m.Header.Type == unix.RTM_NEWLINK && len(m.Data) >= unix.SizeofIfInfomsg:
		index, flags := nativeInt32(m.Data[4:]), nativeInt32(m.Data[8:])
		before := w.running[index]
		w.running[index] = flags&unix.IFF_RUNNING != 0
		return flags&unix.IFF_LOOPBACK == 0 && w.running[index] && !before
	case m.Header.Type == unix.RTM_DELLINK && len(m.Data) >= unix.SizeofIfInfomsg:
		delete(w.running, nativeInt32(m.Data[4:]))
	}
	return false
}

// loopback is the number of the loopback interface in every network namespace.
const loopback = 1

func nativeInt32(b []byte) int32 { return int32(binary.NativeEndian.Uint32(b)) }
