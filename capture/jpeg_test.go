package capture

import (
	"bytes"
	"errors"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// restarts is a grey 32x8 picture without subsampling, four MCUs, a restart
// marker after each. Every MCU is "no change" in the standard tables' codes.
func restarts(tb testing.TB) []byte {
	tb.Helper()
	b := []byte{0xFF, mSOI, 0xFF, mDQT, 0, 67, 0}
	b = append(b, bytes.Repeat([]byte{1}, 64)...)
	b = append(b, 0xFF, mSOF0, 0, 17, 8, 0, 8, 0, 32, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0)
	b = append(b, standardDHT...)
	b = append(b, 0xFF, mDRI, 0, 4, 0, 1)
	b = append(b, 0xFF, mSOS, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0)
	b = append(b, 0x28, 0x03, 0xFF, 0xD0, 0x28, 0x03, 0xFF, 0xD1, 0x28, 0x03, 0xFF, 0xD2, 0x28, 0x03, 0xFF, mEOI)
	if _, err := jpeg.Decode(bytes.NewReader(b)); err != nil {
		tb.Fatalf("the test's own picture: %v", err)
	}
	return b
}

func TestFixMJPEG(t *testing.T) {
	whole := picture(t, 64, 48)
	marked := restarts(t)
	replace := func(b []byte, old, new string) []byte {
		if !bytes.Contains(b, []byte(old)) {
			t.Fatalf("picture lacks % x", old)
		}
		return bytes.Replace(b, []byte(old), []byte(new), 1)
	}
	tests := []struct {
		name string
		in   []byte
		want []byte // nil when refused
		info Picture
		err  string
	}{
		{"whole", whole, whole, Picture{Width: 64, Height: 48}, ""},
		{"zeros behind", append(bytes.Clone(whole), make([]byte, 999)...), whole, Picture{Width: 64, Height: 48, Trimmed: 999}, ""},
		{"rest of an older frame behind", append(bytes.Clone(whole), whole[200:]...), whole, Picture{Width: 64, Height: 48, Trimmed: len(whole) - 200}, ""},
		{"tables missing", withoutTables(t, whole), nil, Picture{Width: 64, Height: 48, TablesAdded: true}, ""},
		{"restarts", marked, marked, Picture{Width: 32, Height: 8}, ""},
		{"restart lost", replace(marked, "\xff\xd1\x28\x03", ""), nil, Picture{}, "damaged picture: restart marker 2 at byte 536, data is lost"},
		{"end lost, end marker kept", replace(marked, "\xff\xd2\x28\x03", ""), nil, Picture{}, "damaged picture: 3 of 4 restart intervals, data is lost"},
		{"restarts without an interval", replace(marked, "\xff\xdd\x00\x04\x00\x01", ""), nil, Picture{}, "damaged picture: restart marker 0 at byte 526, data is lost"},
		{"marker in the data", replace(marked, "\x28\x03\xff\xd1", "\x28\xff\xc8\xff\xd1"), nil, Picture{}, "damaged picture: 2 of 4 restart intervals, data is lost"},
		{"some tables missing", replace(marked, standardDHT, "\xff\xc4\x00\x1f"+standardDHT[4:33]), nil, Picture{}, "damaged picture: no Huffman table 0/0"},
		{"quantisation missing", replace(marked, "\x20\x03\x01\x11\x00", "\x20\x03\x01\x11\x03"), nil, Picture{}, "damaged picture: no quantisation table 3"},
		{"no pixels", replace(marked, "\x08\x00\x08\x00\x20\x03", "\x08\x00\x08\x00\x00\x03"), nil, Picture{}, "damaged picture: size 0x8"},
		{"too many pixels", replace(marked, "\x08\x00\x08\x00\x20\x03", "\x08\xff\xff\xff\xff\x03"), nil, Picture{}, "damaged picture: size 65535x65535"},
		{"12 bits", replace(marked, "\x08\x00\x08\x00\x20\x03", "\x0c\x00\x08\x00\x20\x03"), nil, Picture{}, "damaged picture: 12 bits per sample, want 8"},
		{"lossless", replace(marked, "\xff\xc0\x00\x11", "\xff\xc3\x00\x11"), nil, Picture{}, "damaged picture: frame type 3, want baseline or progressive Huffman"},
		{"component never scanned", replace(marked, "\x00\x0c\x03\x01\x00\x02\x11\x03\x11", "\x00\x0a\x02\x01\x00\x02\x11"), nil, Picture{}, "damaged picture: scans for 2 of 3 components"},
		{"no scan", []byte{0xFF, mSOI, 0xFF, mEOI}, nil, Picture{}, "damaged picture: no frame header"},
		{"empty", nil, nil, Picture{}, "damaged picture: no start-of-image marker, it begins with "},
		{"zeros", make([]byte, 512), nil, Picture{}, "damaged picture: no start-of-image marker, it begins with 00 00 00 00"},
		{"over the limit", make([]byte, MaxJPEG+1), nil, Picture{}, "damaged picture: 16777217 bytes, at most 16777216 are accepted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, info, err := FixMJPEG(bytes.Clone(tt.in))
			if tt.err != "" {
				if err == nil || err.Error() != tt.err || !errors.Is(err, ErrDamaged) {
					t.Fatalf("error %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if info != tt.info {
				t.Errorf("picture %+v, want %+v", info, tt.info)
			}
			if tt.want != nil && !bytes.Equal(got, tt.want) {
				t.Errorf("%d bytes, want %d others", len(got), len(tt.want))
			}
			cfg, err := jpeg.DecodeConfig(bytes.NewReader(got))
			if err != nil || cfg.Width != info.Width || cfg.Height != info.Height {
				t.Errorf("decoder says %dx%d, %v", cfg.Width, cfg.Height, err)
			}
		})
	}
}

func TestFixMJPEGRefusesEveryCutPicture(t *testing.T) {
	for _, whole := range [][]byte{picture(t, 64, 48), restarts(t)} {
		for n := range len(whole) {
			if _, _, err := FixMJPEG(bytes.Clone(whole[:n])); !errors.Is(err, ErrDamaged) {
				t.Fatalf("%d of %d bytes: error %v, want ErrDamaged", n, len(whole), err)
			}
		}
	}
}

func TestFixMJPEGTables(t *testing.T) {
	whole := picture(t, 64, 48)
	bare := withoutTables(t, whole)
	want, err := jpeg.Decode(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jpeg.Decode(bytes.NewReader(bare)); err == nil {
		t.Fatal("the picture decodes without its tables, so this test shows nothing")
	}
	roomy := append(make([]byte, 0, len(bare)+len(standardDHT)), bare...)
	for name, in := range map[string][]byte{"with room": roomy, "without room": bytes.Clone(bare)[:len(bare):len(bare)]} {
		t.Run(name, func(t *testing.T) {
			out, _, err := FixMJPEG(in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := jpeg.Decode(bytes.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			if got.Bounds() != want.Bounds() || got.At(17, 31) != want.At(17, 31) {
				t.Error("the mended picture looks different")
			}
			if inPlace := &out[0] == &in[0]; inPlace != (name == "with room") {
				t.Errorf("in place: %v", inPlace)
			}
		})
	}
}

func TestFixMJPEGAllocatesNothing(t *testing.T) {
	whole := picture(t, 640, 480)
	bare := withoutTables(t, whole)
	buf := make([]byte, 0, len(whole)+len(standardDHT))
	for name, src := range map[string][]byte{"whole": whole, "tables missing": bare} {
		n := testing.AllocsPerRun(100, func() {
			if _, _, err := FixMJPEG(append(buf[:0], src...)); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

// TestFixMJPEGRealPictures compares with the decoder over every real picture.
func TestFixMJPEGRealPictures(t *testing.T) {
	n, progressive := 0, 0
	for _, dir := range []string{"images", "drives"} {
		err := filepath.WalkDir(shared(t, dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".jpg" {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			cfg, err := jpeg.DecodeConfig(bytes.NewReader(b))
			if err != nil {
				t.Errorf("%s: %v", path, err)
				return nil
			}
			out, info, err := FixMJPEG(b)
			if err != nil || info.Width != cfg.Width || info.Height != cfg.Height || info.TablesAdded || len(out)+info.Trimmed != len(b) {
				t.Errorf("%s: %+v, %v; decoder says %dx%d", path, info, err, cfg.Width, cfg.Height)
			}
			n++
			if info.Progressive {
				progressive++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d real pictures, %d of them progressive", n, progressive)
}

func FuzzFixMJPEG(f *testing.F) {
	whole := picture(f, 40, 24)
	f.Add(whole)
	f.Add(withoutTables(f, whole))
	f.Add(restarts(f))
	f.Add(append(bytes.Clone(whole), 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, info, err := FixMJPEG(bytes.Clone(b))
		if err != nil {
			if !errors.Is(err, ErrDamaged) || out != nil {
				t.Fatalf("error %v with %d bytes", err, len(out))
			}
			return
		}
		if !bytes.HasPrefix(out, []byte{0xFF, mSOI}) || !bytes.HasSuffix(out, []byte{0xFF, mEOI}) || len(out) > len(b)+len(standardDHT) {
			t.Fatalf("%d bytes of %d, not from start to end", len(out), len(b))
		}
		again, second, err := FixMJPEG(bytes.Clone(out))
		if err != nil || !bytes.Equal(again, out) || second.TablesAdded || second.Trimmed != 0 {
			t.Fatalf("mending twice differs: %+v, %v", second, err)
		}
		cfg, err := jpeg.DecodeConfig(bytes.NewReader(out))
		if err == nil && (cfg.Width != info.Width || cfg.Height != info.Height) {
			t.Fatalf("%dx%d, the decoder says %dx%d", info.Width, info.Height, cfg.Width, cfg.Height)
		}
	})
}

func BenchmarkFixMJPEG(b *testing.B) {
	src := picture(b, 1920, 1080)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := FixMJPEG(src); err != nil {
			b.Fatal(err)
		}
	}
}
