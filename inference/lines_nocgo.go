//go:build !cgo

package inference

func (l *lines) write() { l.writeGo() }
