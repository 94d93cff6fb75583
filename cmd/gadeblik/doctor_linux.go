package main

import (
	"context"
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// clockSynchronised asks the kernel whether somebody keeps the clock right.
func clockSynchronised() (bool, error) {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0, err
}

// listener is the process that made a socket, 0 where nobody knows.
func listener(ctx context.Context, socket string) (pid int) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return 0
	}
	defer conn.Close() // only asked
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0
	}
	var cred *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) { cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if errors.Join(err, failed) != nil {
		return 0
	}
	return int(cred.Pid)
}
