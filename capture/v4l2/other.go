//go:build !linux

package v4l2

import "errors"

var errNoV4L2 = errors.New("cameras need Linux (V4L2); play a drive instead")

// Open fails: there is no V4L2 here.
func Open(Config) (*Camera, error) {
	return nil, errNoV4L2
}

// List fails: there is no V4L2 here.
func List() ([]Info, error) {
	return nil, errNoV4L2
}

// Find fails: there is no V4L2 here.
func Find(string) (Info, error) {
	return Info{}, errNoV4L2
}
