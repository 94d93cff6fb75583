package uplink

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// tuneSocket keeps little unsent data in the kernel, so that a ping does not wait
// behind minutes of pictures on a slow link, and gives up on a peer that has not
// acknowledged anything for a minute instead of the usual quarter of an hour. A
// kernel that doesn't know an option does without: neither is needed to be right.
func tuneSocket(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, 64<<10)
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 60_000)
	})
}
