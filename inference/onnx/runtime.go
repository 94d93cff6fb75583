//go:build cgo

package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	ort "github.com/yalue/onnxruntime_go"

	"gadeblik/inference"
)

// Runtime is the loaded ONNX Runtime. Make it with [Open].
type Runtime struct{}

// Open loads the library, which must be 1.24 or newer. A process has one ONNX Runtime: once it is
// loaded, Open returns that one and does not look at lib. The first Open must have returned before
// another begins.
func Open(lib string) (*Runtime, error) {
	if ort.IsInitialized() {
		return &Runtime{}, nil
	}
	ort.SetSharedLibraryPath(lib)
	// Whatever goes wrong in a session comes back as an error; the library's own words on stderr would say it twice.
	err := ort.InitializeEnvironment(ort.WithLogLevelFatal())
	if err == nil {
		return &Runtime{}, nil
	}
	if strings.Contains(err.Error(), "Error setting ORT API base") {
		return nil, fmt.Errorf("open onnxruntime %s: older than 1.24; the gadeblik package has one that fits, and so has `make deps` in a checkout", lib)
	}
	return nil, fmt.Errorf("open onnxruntime %s: %w; the gadeblik package has one that fits, and so has `make deps` in a checkout", lib, said(err))
}

// Version is the library's own, such as 1.24.1.
func (r *Runtime) Version() string { return ort.GetVersion() }

// Load makes a session of a model's bytes. It checks, in this order: the bytes' hash, the names and
// shapes of input and outputs against the manifest, and that the model runs, on an empty picture, at
// the manifest's size. threads below 1 means 1; idle threads sleep.
func (r *Runtime) Load(m inference.Manifest, data []byte, threads int) (*Session, error) {
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("manifest of model %s: %w", m.Name, err)
	}
	if err := m.Check(data); err != nil {
		return nil, err
	}
	in, out := m.Tensors()
	if err := checkModel(data, in, out); err != nil {
		return nil, fmt.Errorf("load model %s: %w", m.Name, err)
	}
	s, err := newSession(m.Name, data, in, out, max(threads, 1))
	if err != nil {
		return nil, fmt.Errorf("load model %s: %w", m.Name, err)
	}
	if err := s.session.RunWithOptions(s.options); err != nil {
		err = fmt.Errorf("try model %s at %dx%d: %w", m.Name, m.Input.Width, m.Input.Height, said(err))
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// said is the library's own message, without the binding's words before it.
func said(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		err = inner
	}
	return fmt.Errorf("onnxruntime says: %w", err)
}

// checkModel compares what the model says of itself with what the manifest says of it.
func checkModel(data []byte, in inference.Tensor, out []inference.Tensor) error {
	ins, outs, err := ort.GetInputOutputInfoWithONNXData(data)
	if err != nil {
		return said(err)
	}
	if len(ins) != 1 {
		return fmt.Errorf("it has %d inputs (%s), want one", len(ins), names(ins))
	}
	if err := checkTensor("input", in, ins); err != nil {
		return err
	}
	var errs []error
	for _, t := range out {
		errs = append(errs, checkTensor("output", t, outs))
	}
	return errors.Join(errs...)
}

func checkTensor(kind string, want inference.Tensor, have []ort.InputOutputInfo) error {
	i := slices.IndexFunc(have, func(t ort.InputOutputInfo) bool { return t.Name == want.Name })
	if i < 0 {
		return fmt.Errorf("%s %q is not in the model, which has %s; correct the manifest", kind, want.Name, names(have))
	}
	got := have[i]
	if got.OrtValueType != ort.ONNXTypeTensor || got.DataType != ort.TensorElementDataTypeFloat {
		return fmt.Errorf("%s %q is %s, want a tensor of float32", kind, want.Name, got.String())
	}
	if !fits(got.Dimensions, want.Shape) {
		return fmt.Errorf("%s %q is %v in the model, manifest asks for %v; correct the manifest", kind, want.Name, got.Dimensions, want.Shape)
	}
	return nil
}

// fits says whether a model's dimensions allow the shape; a dimension below 1 is open.
func fits(have, want []int64) bool {
	return slices.EqualFunc(have, want, func(h, w int64) bool { return h < 1 || h == w })
}

func names(tensors []ort.InputOutputInfo) string {
	var all []string
	for _, t := range tensors {
		all = append(all, fmt.Sprintf("%q", t.Name))
	}
	return strings.Join(all, ", ")
}
