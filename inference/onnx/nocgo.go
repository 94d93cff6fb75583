//go:build !cgo

package onnx

import (
	"context"
	"errors"
	"fmt"

	"gadeblik/inference"
)

var errNoCgo = errors.New("this program was built without cgo and runs no models; build it with CGO_ENABLED=1")

// Runtime is the loaded ONNX Runtime. In a program built without cgo there is none.
type Runtime struct{}

// Session is a loaded model. In a program built without cgo there is none.
type Session struct{}

var _ inference.Session = (*Session)(nil)

// Open says that there is no ONNX Runtime in a program built without cgo.
func Open(lib string) (*Runtime, error) {
	return nil, fmt.Errorf("open onnxruntime %s: %w", lib, errNoCgo)
}

// Version is empty.
func (r *Runtime) Version() string { return "" }

// Load always fails.
func (r *Runtime) Load(m inference.Manifest, data []byte, threads int) (*Session, error) {
	return nil, fmt.Errorf("load model %s: %w", m.Name, errNoCgo)
}

// Input is nil.
func (s *Session) Input() []float32 { return nil }

// Output is nil.
func (s *Session) Output(name string) []float32 { return nil }

// Run always fails.
func (s *Session) Run(ctx context.Context) error { return errNoCgo }

// Close does nothing.
func (s *Session) Close() error { return nil }
