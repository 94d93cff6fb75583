package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"testing"
)

// lettered is a picture of four quarters, each of another grey: it looks like no
// other way to lay it.
func lettered(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := uint8(40)
			if 2*x >= w {
				v += 50
			}
			if 2*y >= h {
				v += 100
			}
			img.SetRGBA(x, y, color.RGBA{v, v, v, 255})
		}
	}
	return img
}

// withOrientation is a JPEG whose EXIF data says how it lies.
func withOrientation(t testing.TB, img image.Image, o int, order binary.AppendByteOrder) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	tiff := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		tiff = []byte("MM\x00*")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, e := range [][2]int{{0x0100, 4000}, {0x0112, o}} {
		tiff = order.AppendUint16(tiff, uint16(e[0]))
		tiff = order.AppendUint16(tiff, 3) // SHORT
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(tiff, uint16(e[1]))
		tiff = order.AppendUint16(tiff, 0)
	}
	body := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{}, b.Bytes()[:2]...)
	out = append(out, 0xFF, 0xE0, 0, 4, 'x', 'x') // another segment before it
	out = append(out, 0xFF, 0xE1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2))
	return append(append(out, body...), b.Bytes()[2:]...)
}

// quarters are the greys of the four quarters: top left, top right, bottom left,
// bottom right.
func quarters(img image.Image) [4]int {
	var out [4]int
	s := img.Bounds().Size()
	for i := range out {
		at := image.Pt(s.X/4+i%2*s.X/2, s.Y/4+i/2*s.Y/2)
		v := color.GrayModel.Convert(img.At(at.X, at.Y)).(color.Gray).Y
		out[i] = (int(v) - 40 + 25) / 50 // 0 to 3, forgiving what JPEG does
	}
	return out
}

func TestUprightTurnsAsEXIFSays(t *testing.T) {
	for o, want := range map[int][4]int{
		1: {0, 1, 2, 3}, 2: {1, 0, 3, 2}, 3: {3, 2, 1, 0}, 4: {2, 3, 0, 1},
		5: {0, 2, 1, 3}, 6: {2, 0, 3, 1}, 7: {3, 1, 2, 0}, 8: {1, 3, 0, 2},
	} {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			raw := withOrientation(t, lettered(64, 32), o, order)
			if got := orientation(raw); got != o {
				t.Fatalf("orientation %d, want %d", got, o)
			}
			out, err := upright(raw)
			if err != nil {
				t.Fatal(err)
			}
			img, err := jpeg.Decode(bytes.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			size := image.Pt(64, 32)
			if o >= 5 {
				size = image.Pt(32, 64)
			}
			if got := quarters(img); got != want || img.Bounds().Size() != size {
				t.Errorf("orientation %d: %v in %v, want %v in %v", o, got, img.Bounds().Size(), want, size)
			}
			if o == asStored && !bytes.Equal(out, raw) {
				t.Error("a picture that stands upright was encoded anew")
			}
		}
	}
}

func TestOrientationOfNonsense(t *testing.T) {
	whole := withOrientation(t, lettered(64, 32), 6, binary.BigEndian)
	for n := range 60 {
		if got := orientation(whole[:n]); got != asStored && n < 50 {
			t.Errorf("%d bytes have orientation %d", n, got)
		}
	}
	for _, o := range []int{0, 9, 65535} {
		if got := orientation(withOrientation(t, lettered(64, 32), o, binary.BigEndian)); got != asStored {
			t.Errorf("orientation %d is taken for %d", o, got)
		}
	}
}

func FuzzOrientation(f *testing.F) {
	f.Add(withOrientation(f, lettered(16, 16), 6, binary.BigEndian))
	f.Add(withOrientation(f, lettered(16, 16), 8, binary.LittleEndian))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00MM\x00*\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if o := orientation(raw); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
	})
}
