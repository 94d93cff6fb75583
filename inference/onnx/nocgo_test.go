//go:build !cgo

package onnx

import (
	"testing"

	"gadeblik/inference"
)

func TestWithoutCgo(t *testing.T) {
	const why = "this program was built without cgo and runs no models; build it with CGO_ENABLED=1"
	if _, err := Open("lib.so"); message(err) != "open onnxruntime lib.so: "+why {
		t.Errorf("open: got %v", err)
	}
	if _, err := new(Runtime).Load(inference.Manifest{Name: "m"}, nil, 1); message(err) != "load model m: "+why {
		t.Errorf("load: got %v", err)
	}
}
