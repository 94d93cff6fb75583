package scan

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"

	"pgregory.net/rapid"

	"gadeblik/blur/scan/scantest"
)

// TestSplice: of what is kept every coefficient stays as it is, and of what is gone
// there is what the edit says and nothing else.
func TestSplice(t *testing.T) { rapid.Check(t, spliceProperty) }

func FuzzSpliceProperty(f *testing.F) { f.Fuzz(rapid.MakeFuzz(spliceProperty)) }

func spliceProperty(t *rapid.T) {
	p := drawPicture(t)
	data := p.Bytes()
	var s Picture
	if err := s.Open(data); err != nil {
		t.Fatal(err)
	}
	if err := s.Walk(); err != nil {
		t.Fatal(err)
	}
	e := drawEdit(t, &s)
	out, err := s.Splice([]byte("before"), e)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(out, []byte("before")) {
		t.Fatal("what was in dst is not there any more")
	}
	got, err := scantest.Read(out[6:])
	if err != nil {
		t.Fatal(err)
	}
	if size := s.pixels(e.Keep).Size(); got.W != size.X || got.H != size.Y {
		t.Fatalf("%dx%d pixels, want %v", got.W, got.H, size)
	}
	blocks := placed(&s, e)
	for i := range got.Components {
		from, to, c := &p.Components[i], &got.Components[i], &s.components[i]
		for j, b := range to.Blocks {
			x, y := j%to.Across+e.Keep.Min.X*c.h, j/to.Across+e.Keep.Min.Y*c.v
			want := from.Blocks[y*from.Across+x]
			if e.Gone[y/c.v*s.cols+x/c.h] {
				want = widened(blocks[place{i, x, y}])
			}
			if b != want {
				t.Fatalf("component %d block (%d,%d): %v, want %v", i, x, y, b, want)
			}
		}
	}
}

// placed says where the blocks of an edit belong.
func placed(s *Picture, e Edit) map[place]Block {
	at, rest := map[place]Block{}, e.Blocks
	for y := e.Keep.Min.Y; y < e.Keep.Max.Y; y++ {
		for x := e.Keep.Min.X; x < e.Keep.Max.X; x++ {
			if !e.Gone[y*s.cols+x] {
				continue
			}
			for i, c := range s.components {
				for n := range c.h * c.v {
					at[place{i, x*c.h + n%c.h, y*c.v + n/c.h}] = rest[0]
					rest = rest[1:]
				}
			}
		}
	}
	return at
}

// wanting is how many blocks an edit needs.
func wanting(s *Picture, e Edit) (n int) {
	for y := e.Keep.Min.Y; y < e.Keep.Max.Y; y++ {
		for x := e.Keep.Min.X; x < e.Keep.Max.X; x++ {
			if !e.Gone[y*s.cols+x] {
				continue
			}
			for _, c := range s.components {
				n += c.h * c.v
			}
		}
	}
	return n
}

func widened(b Block) (w [64]int) {
	for k, v := range b {
		w[k] = int(v)
	}
	return w
}

func drawPicture(t *rapid.T) *scantest.Picture {
	rnd := rapid.IntRange(0, 1<<20)
	w, h := rapid.IntRange(1, 150).Draw(t, "width"), rapid.IntRange(1, 110).Draw(t, "height")
	p := scantest.New(w, h, scantest.Layouts()[rapid.IntRange(0, 7).Draw(t, "layout")])
	p.Coding = scantest.Coding(rapid.IntRange(0, 2).Draw(t, "coding"))
	p.Restart = rapid.IntRange(0, 9).Draw(t, "restart")
	state := uint64(rnd.Draw(t, "seed"))
	p.Scramble(func(n int) int {
		state = state*6364136223846793005 + 1442695040888963407
		return int(state >> 33 % uint64(n))
	}, func(image.Rectangle) bool { return true })
	return p
}

func drawEdit(t *rapid.T, s *Picture) Edit {
	e := Edit{Keep: image.Rect(0, 0, s.cols, s.rows), Gone: make([]bool, s.cols*s.rows)}
	if rapid.Bool().Draw(t, "crop") {
		x, y := rapid.IntRange(0, s.cols-1).Draw(t, "x"), rapid.IntRange(0, s.rows-1).Draw(t, "y")
		e.Keep = image.Rect(x, y, rapid.IntRange(x+1, s.cols).Draw(t, "to x"), rapid.IntRange(y+1, s.rows).Draw(t, "to y"))
	}
	seed := rapid.IntRange(0, 1<<20).Draw(t, "gone")
	often := rapid.IntRange(1, 9).Draw(t, "how often")
	for m := range e.Gone {
		e.Gone[m] = (m*7919+seed)>>3%often == 0
	}
	for j := range wanting(s, e) {
		n := seed + j*104729
		e.Blocks = append(e.Blocks, Block{int16(n%1000 - 500), int16(n >> 3 % 3 * 7), 0, int16(n >> 5 % 5), -int16(n >> 4 % 2), int16(n >> 7 % 2 * 900)})
	}
	return e
}

// Values that no baseline picture has are cut off, and nothing is torn.
func TestSpliceCutsOff(t *testing.T) {
	p := scantest.New(32, 16, scantest.Layouts()[2])
	for _, p.Coding = range []scantest.Coding{scantest.Own, scantest.Standard} {
		var s Picture
		if err := s.Open(p.Bytes()); err != nil {
			t.Fatal(err)
		}
		e := Edit{Keep: image.Rect(0, 0, 2, 1), Gone: []bool{true, true}}
		for range 12 {
			e.Blocks = append(e.Blocks, Block{32767, -32768, 32767, 0, 0, -1})
		}
		e.Blocks[0][0] = -32768
		out, err := s.Splice(nil, e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := scantest.Read(out)
		if err != nil {
			t.Fatal(err)
		}
		if b := got.Components[1].Blocks[1]; b != [64]int{1023, -1023, 1023, 0, 0, -1} {
			t.Errorf("block %v, want it cut off at 1023", b)
		}
		if b := got.Components[0].Blocks[0]; b[0] != -1024 {
			t.Errorf("DC coefficient %d, want -1024", b[0])
		}
	}
}

func TestSpliceRefuses(t *testing.T) {
	var s Picture
	if _, err := s.Splice(nil, Edit{}); err == nil || err.Error() != "splice: not a baseline JPEG of one scan: no picture" {
		t.Errorf("of nothing: %v", err)
	}
	if err := s.Open(scantest.New(32, 16, scantest.Layouts()[2]).Bytes()); err != nil {
		t.Fatal(err)
	}
	for want, e := range map[string]Edit{
		"splice: keep MCUs (0,0)-(0,0) of (0,0)-(2,1)":               {Gone: make([]bool, 2)},
		"splice: keep MCUs (0,0)-(3,1) of (0,0)-(2,1)":               {Keep: image.Rect(0, 0, 3, 1), Gone: make([]bool, 2)},
		"splice: 1 MCUs are gone or not, of 2":                       {Keep: image.Rect(0, 0, 2, 1), Gone: make([]bool, 1)},
		"splice: 0 blocks for 1 MCUs that are gone, want 6 for each": {Keep: image.Rect(0, 0, 2, 1), Gone: []bool{true, false}},
	} {
		if _, err := s.Splice(nil, e); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// FuzzPicture feeds hostile bytes. What can be walked can be skimmed and spliced;
// where the standard library decodes the file too, what is kept looks the same to
// it, sample by sample.
func FuzzPicture(f *testing.F) {
	for i, l := range scantest.Layouts() {
		p := scantest.New(40, 24, l)
		p.Coding = scantest.Coding(i % 3)
		p.Restart = i % 4
		p.Scramble(func(n int) int { return n / (i + 2) }, func(image.Rectangle) bool { return true })
		f.Add(p.Bytes(), uint64(0x5a5a>>i))
	}
	f.Fuzz(func(t *testing.T, data []byte, mask uint64) {
		var s Picture
		if s.Open(data) != nil || s.cols*s.rows > 1<<12 {
			return
		}
		err := s.Walk()
		for _, reduce := range []int{8, 4, 2, 1} {
			if _, e := s.Planes(reduce); (e == nil) != (err == nil) {
				t.Fatalf("walk: %v, planes at 1/%d: %v", err, reduce, e)
			}
		}
		e := Edit{Keep: image.Rect(0, 0, s.cols, s.rows), Gone: make([]bool, s.cols*s.rows)}
		for m := range e.Gone {
			e.Gone[m] = mask>>(m%64)&1 == 1
		}
		e.Blocks = make([]Block, wanting(&s, e))
		out, spliced := s.Splice(nil, e)
		if (spliced == nil) != (err == nil) {
			t.Fatalf("walk: %v, splice: %v", err, spliced)
		}
		if err != nil {
			return
		}
		after, err := jpeg.Decode(bytes.NewReader(out))
		if err != nil {
			t.Fatalf("the result cannot be decoded: %v", err)
		}
		before, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil || before.Bounds() != after.Bounds() || before.ColorModel() != after.ColorModel() {
			return // more is read here than there: files without tables, say
		}
		sameOutside(t, &s, e, before, after)
	})
}

func sameOutside(t *testing.T, s *Picture, e Edit, before, after image.Image) {
	t.Helper()
	for m, gone := range e.Gone {
		if gone {
			continue
		}
		r := s.pixels(image.Rect(m%s.cols, m/s.cols, m%s.cols+1, m/s.cols+1))
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if a, b := before.At(x, y), after.At(x, y); a != b {
					t.Fatalf("MCU %d at (%d,%d): %v was %v", m, x, y, b, a)
				}
			}
		}
	}
}
