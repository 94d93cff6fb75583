package inference

import (
	"context"
	"encoding/binary"
	"image"
	"math"
	"testing"
)

// FuzzDecoders gives decoders whatever tensors: they must come back with an error or with boxes that
// can be used, soon, and the same each time.
func FuzzDecoders(f *testing.F) {
	bits := func(values ...float32) (b []byte) {
		for _, v := range values {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		return b
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	f.Add(uint8(0), bits(0.5, 0.5, 1, 1, 0.9, 0.8, 0.1), uint16(128), uint16(128))
	f.Add(uint8(0), bits(math.MaxFloat32, -math.MaxFloat32, 1e30, -1e30, 1, 1, 1), uint16(1), uint16(3000))
	f.Add(uint8(0), bits(0, 0, 0, 0, nan, inf), uint16(640), uint16(480))
	f.Add(uint8(1), bits(1, 0.5, math.MaxFloat32, -inf), uint16(77), uint16(33))
	f.Add(uint8(1), bits(1), uint16(3000), uint16(1))
	f.Add(uint8(2), bits(0.9, 0.1, 0.9), uint16(128), uint16(128))
	f.Add(uint8(2), bits(0.9, 0.9, nan), uint16(128), uint16(128))
	f.Add(uint8(2), bits(math.MaxFloat32), uint16(128), uint16(128))
	f.Add(uint8(4), bits(0, 1, 0, 0, 0.5), uint16(128), uint16(128))
	f.Add(uint8(4), bits(0, math.MaxFloat32, -math.MaxFloat32, nan), uint16(128), uint16(128))
	f.Fuzz(func(t *testing.T, which uint8, raw []byte, w, h uint16) {
		second := yoloxManifest()
		second.Heads = []Head{{Output: "late", Classes: []string{"container"}}}
		grown := textManifest()
		grown.Grow, grown.Shape, grown.Text.Unclip = 1, Shape{MinRatio: 0.5, MaxRatio: 90, MaxHeight: 0.9, MinCentre: 0.1}, 10
		manifests := []Manifest{second, yunetManifest(), textManifest(), grown, ultrafaceManifest()}
		m := manifests[int(which)%len(manifests)]
		s := newFake(m)
		_, tensors := m.Tensors()
		next := 0
		for _, tensor := range tensors {
			next = fillFrom(s.outputs[tensor.Name], raw, next)
		}
		img := image.NewYCbCr(image.Rect(3, 5, 4+int(w%1024), 6+int(h%1024)), image.YCbCrSubsampleRatio420)
		d := newDetector(t, m, s)
		got, err := d.Detect(context.Background(), Whole(img), nil)
		if err != nil && len(got) > 0 {
			t.Errorf("%d detections beside the error %v", len(got), err)
		}
		for _, x := range got {
			if x.Box.Empty() || !x.Box.In(img.Rect) {
				t.Errorf("box %v is not inside %v", x.Box, img.Rect)
			}
			if !(x.Score >= m.Score && x.Score <= 1) {
				t.Errorf("score %v", x.Score)
			}
		}
		again, err2 := d.Detect(context.Background(), Whole(img), nil)
		if len(again) != len(got) || (err == nil) != (err2 == nil) {
			t.Errorf("second time: %d detections, %v; first time %d, %v", len(again), err2, len(got), err)
		}
	})
}

// fillFrom repeats raw, four bytes a value, over out, and returns where it stopped.
func fillFrom(out []float32, raw []byte, next int) int {
	n := len(raw) / 4
	if n == 0 {
		return 0
	}
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[next%n*4:]))
		next++
	}
	return next
}
