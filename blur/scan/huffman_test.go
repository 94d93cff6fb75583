package scan

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"

	"pgregory.net/rapid"
)

// The standard library writes the standard tables.
func TestStandardTables(t *testing.T) {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, image.NewYCbCr(image.Rect(0, 0, 16, 16), image.YCbCrSubsampleRatio420), nil); err != nil {
		t.Fatal(err)
	}
	var p Picture
	if err := p.Open(file.Bytes()); err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		if p.specs[dcClass][n] != standardDC[n] || p.specs[acClass][n] != standardAC[n] {
			t.Errorf("tables %d differ", n)
		}
	}
	if !p.standard() {
		t.Error("they are not taken for standard")
	}
}

// Fitted tables hold the rules of the standard, and none is better.
func TestOptimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var seen [256]int
		for range rapid.IntRange(0, 200).Draw(t, "symbols") {
			// Numbers of very different size make long codes, which must be shortened.
			seen[rapid.IntRange(0, 255).Draw(t, "symbol")] = 1 << rapid.IntRange(0, 40).Draw(t, "how often")
		}
		s := optimal(&seen)
		var c codes
		if err := c.assign(&s); err != nil {
			t.Fatal(err)
		}
		kraft, cost, entropy := 0, 0, 0
		for symbol, n := range seen {
			if length := int(c.length[symbol]); length > 0 {
				kraft += 1 << (16 - length)
				cost += n * length
			} else if n > 0 {
				t.Fatalf("symbol %d, seen %d times, has no code", symbol, n)
			}
			entropy += n * 9 // what codes of one length would cost
		}
		if kraft >= 1<<16 {
			t.Fatal("there is a code of all ones")
		}
		if cost > entropy {
			t.Fatalf("%d bits, %d with codes of one length", cost, entropy)
		}
	})
}

// A table is followed in one look and in the slow way to the same step.
func TestLookup(t *testing.T) {
	for class_, specs := range [2][2]spec{standardDC, standardAC} {
		for n := range specs {
			var tab table
			if err := tab.make(&specs[n], class(class_)); err != nil {
				t.Fatal(err)
			}
			for w := range 1 << 16 {
				acc := uint64(w)<<48 | 0x5a5a5a5a5a5a
				quick, slow := tab.step[acc>>(64-lookupBits)], tab.slow(acc, class(class_))
				if quick == 0 {
					continue
				}
				if quick.bits() != slow.bits() || quick.advance() != slow.advance() || quick.value(acc) != slow.value(acc) {
					t.Fatalf("class %d table %d bits %04x: %x, slowly %x", class_, n, w, quick, slow)
				}
			}
		}
	}
}

func TestTablesThatAreNone(t *testing.T) {
	for name, s := range map[string]spec{
		"three codes of one bit": {counts: [16]uint8{3}},
		"too many at the end":    {counts: [16]uint8{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3}},
	} {
		var tab table
		if err := tab.make(&s, acClass); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
