//go:build cgo

package onnx

import (
	"context"
	"errors"
	"fmt"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"gadeblik/inference"
)

// Session is a loaded model with its tensors bound. It belongs to one goroutine.
type Session struct {
	name    string
	session *ort.AdvancedSession
	options *ort.RunOptions
	input   *ort.Tensor[float32]
	names   []string
	outputs []*ort.Tensor[float32]

	// The end of a context is noticed by another goroutine than the one that runs.
	mu      sync.Mutex
	watched <-chan struct{} // whose end ends a run; nil for none
	release func() bool
}

var _ inference.Session = (*Session)(nil)

func newSession(name string, data []byte, in inference.Tensor, out []inference.Tensor, threads int) (*Session, error) {
	s := &Session{name: name}
	err := s.open(data, in, out, threads)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Session) open(data []byte, in inference.Tensor, out []inference.Tensor, threads int) error {
	var err error
	if s.options, err = ort.NewRunOptions(); err != nil {
		return err
	}
	if s.input, err = ort.NewEmptyTensor[float32](in.Shape); err != nil {
		return err
	}
	var values []ort.Value
	for _, t := range out {
		v, err := ort.NewEmptyTensor[float32](t.Shape)
		if err != nil {
			return err
		}
		s.names, s.outputs, values = append(s.names, t.Name), append(s.outputs, v), append(values, v)
	}
	options, err := sessionOptions(threads)
	if err != nil {
		return err
	}
	s.session, err = ort.NewAdvancedSessionWithONNXData(data, []string{in.Name}, s.names, []ort.Value{s.input}, values, options)
	return errors.Join(err, options.Destroy())
}

// sessionOptions asks for few threads that sleep when there is nothing to do: between two looks of a
// vehicle a spinning pool would burn a core for nothing.
func sessionOptions(threads int) (*ort.SessionOptions, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		o.SetIntraOpNumThreads(threads),
		o.SetInterOpNumThreads(1),
		o.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
		o.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
		o.SetLogSeverityLevel(ort.LoggingLevelFatal),
	)
	if err != nil {
		return nil, errors.Join(err, o.Destroy())
	}
	return o, nil
}

// Input is the tensor to fill before Run: the same memory each time, valid until Close.
func (s *Session) Input() []float32 {
	if s.input == nil {
		return nil
	}
	return s.input.GetData()
}

// Output is what Run left in the named output: the same memory each time, valid until Close; nil if
// the manifest asked for no such output.
func (s *Session) Output(name string) []float32 {
	for i, n := range s.names {
		if n == name && i < len(s.outputs) {
			return s.outputs[i].GetData()
		}
	}
	return nil
}

// Run computes the outputs. When ctx ends, Run stops between two operators of the model and returns
// ctx's error; the outputs are then worthless and the session is as good as before.
func (s *Session) Run(ctx context.Context) error {
	if s.session == nil {
		return fmt.Errorf("run model %s: the session is closed", s.name)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("run model %s: %w", s.name, err)
	}
	if err := s.watch(ctx); err != nil {
		return fmt.Errorf("run model %s: %w", s.name, err)
	}
	err := s.session.RunWithOptions(s.options)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("run model %s: %w", s.name, ctx.Err())
	}
	return fmt.Errorf("run model %s: %w", s.name, said(err))
}

// watch lets the end of ctx end a run. A context that is watched already costs nothing.
func (s *Session) watch(ctx context.Context) error {
	done := ctx.Done()
	s.mu.Lock()
	same := done == s.watched
	s.mu.Unlock()
	if same {
		return nil
	}
	if s.release != nil {
		s.release()
	}
	s.mu.Lock()
	s.watched = done
	err := s.options.UnsetTerminate() // the context before may have ended
	s.mu.Unlock()
	if done == nil {
		s.release = nil
		return err
	}
	s.release = context.AfterFunc(ctx, func() { s.terminate(done) })
	return err
}

// terminate ends the run unless the session has turned to another context meanwhile.
func (s *Session) terminate(done <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watched == done {
		// Destroyed options cannot be terminated, and then need not be.
		_ = s.options.Terminate()
	}
}

// Close frees the model and its tensors. A second Close does nothing.
func (s *Session) Close() error {
	if s.release != nil {
		s.release()
		s.release = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watched = nil
	var errs []error
	if s.session != nil {
		errs = append(errs, s.session.Destroy())
		s.session = nil
	}
	if s.input != nil {
		errs = append(errs, s.input.Destroy())
		s.input = nil
	}
	for _, t := range s.outputs {
		errs = append(errs, t.Destroy())
	}
	s.outputs = nil
	if s.options != nil {
		errs = append(errs, s.options.Destroy())
		s.options = nil
	}
	return errors.Join(errs...)
}
