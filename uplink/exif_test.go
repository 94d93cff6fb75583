package uplink

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gadeblik/blur"
)

// redactedImage returns a small picture that was redacted.
func redactedImage(t testing.TB) *blur.Image {
	t.Helper()
	img := image.NewYCbCr(image.Rect(0, 0, 96, 64), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		img.Y[i] = byte(i * 7)
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = 120, byte(100+i%50)
	}
	src, err := blur.FromYCbCr(img)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	out, err := blur.Redact(context.Background(), src, blur.Request{
		Regions: []blur.Region{{Class: blur.Face, Box: image.Rect(20, 20, 40, 40)}},
		Context: blur.Full,
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// withEvidence returns the observation with its picture.
func withEvidence(t testing.TB, o Observation) (Observation, *Evidence) {
	t.Helper()
	e, err := NewEvidence(redactedImage(t), TagsOf(o))
	if err != nil {
		t.Fatal(err)
	}
	ref := e.Ref()
	o.Image = &ref
	return o, e
}

// readTIFF reads the directories of an APP1 payload by the letter of TIFF 6.0, and
// fails on whatever a strict reader would.
func readTIFF(t testing.TB, app1 []byte) map[uint32]string {
	t.Helper()
	tiff, ok := bytes.CutPrefix(app1, []byte("Exif\x00\x00II*\x00"))
	if !ok {
		t.Fatalf("APP1 starts with %q", app1[:12])
	}
	tiff = app1[6:]
	fields := map[uint32]string{}
	read := func(ifd uint32, at uint32) {
		n := int(binary.LittleEndian.Uint16(tiff[at:]))
		last := -1
		for i := range n {
			e := tiff[int(at)+2+12*i:][:12]
			tag, kind, count := binary.LittleEndian.Uint16(e), binary.LittleEndian.Uint16(e[2:]), binary.LittleEndian.Uint32(e[4:])
			if int(tag) <= last {
				t.Errorf("tag %04x follows %04x", tag, last)
			}
			last = int(tag)
			size := count * map[uint16]uint32{1: 1, 2: 1, 4: 4, 5: 8, 7: 1}[kind]
			value := e[8:12]
			if size > 4 {
				offset := binary.LittleEndian.Uint32(value)
				if offset%2 != 0 {
					t.Errorf("tag %04x lies at the odd offset %d", tag, offset)
				}
				value = tiff[offset:]
			}
			fields[ifd<<16|uint32(tag)] = tiffValue(kind, value[:size])
		}
		if next := binary.LittleEndian.Uint32(tiff[int(at)+2+12*n:]); next != 0 {
			t.Errorf("a directory follows at %d: thumbnails live there", next)
		}
	}
	offset := func(tag uint32) (at uint32) {
		fmt.Sscan(fields[tag], &at)
		return at
	}
	read(0, binary.LittleEndian.Uint32(tiff[4:]))
	read(1, offset(tagExifIFD))
	read(2, offset(tagGPSIFD))
	return fields
}

func tiffValue(kind uint16, value []byte) string {
	var parts []string
	switch kind {
	case typeASCII:
		return strings.TrimSuffix(string(value), "\x00")
	case typeLong:
		return fmt.Sprint(binary.LittleEndian.Uint32(value))
	case typeRational:
		for ; len(value) > 0; value = value[8:] {
			parts = append(parts, fmt.Sprintf("%d/%d", binary.LittleEndian.Uint32(value), binary.LittleEndian.Uint32(value[4:])))
		}
		return strings.Join(parts, " ")
	}
	return fmt.Sprintf("%x", value)
}

func TestEXIFFields(t *testing.T) {
	o := someFinding(1)
	o.Position.Lat = -33.8567844
	o.Position.Course = new(359.999)
	got := readTIFF(t, encodeEXIF(TagsOf(o)))
	for _, pointer := range []uint32{tagExifIFD, tagGPSIFD} {
		delete(got, pointer)
	}
	// This is all of it: whatever else appears in a picture is a leak.
	want := map[uint32]string{
		tagSoftware:            "gadeblik 0.1.0",
		1<<16 | tagExifVer:     "30323332",
		1<<16 | tagDateTime:    "2026:05:04 08:30:15",
		1<<16 | tagOffsetTime:  "+00:00",
		1<<16 | tagUniqueID:    o.ID,
		1<<16 | tagSerial:      "sweeper-7",
		2<<16 | tagGPSVersion:  "02030000",
		2<<16 | tagGPSLatRef:   "S",
		2<<16 | tagGPSLat:      "33/1 51/1 2442384/100000",
		2<<16 | tagGPSLonRef:   "E",
		2<<16 | tagGPSLon:      "12/1 34/1 601356/100000",
		2<<16 | tagGPSTime:     "8/1 30/1 15250/1000",
		2<<16 | tagGPSDOP:      "90/100",
		2<<16 | tagGPSSpeedRef: "K", 2<<16 | tagGPSSpeed: "1170/100",
		2<<16 | tagGPSDirRef: "T", 2<<16 | tagGPSDirection: "0/100",
		2<<16 | tagGPSDate: "2026:05:04",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("fields differ (-got +want):\n%s", diff)
	}
}

func TestEXIFOmitsWhatIsUnknown(t *testing.T) {
	o := someFinding(1)
	o.Position.Course, o.Position.Speed, o.Position.HDOP = nil, nil, 0
	got := readTIFF(t, encodeEXIF(TagsOf(o)))
	for _, tag := range []uint32{tagGPSDOP, tagGPSSpeedRef, tagGPSSpeed, tagGPSDirRef, tagGPSDirection} {
		if v, ok := got[2<<16|tag]; ok {
			t.Errorf("tag %02x is %s", tag, v)
		}
	}
}

func TestEvidence(t *testing.T) {
	img := redactedImage(t)
	o := someFinding(1)
	e, err := NewEvidence(img, TagsOf(o))
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewEvidence(img, TagsOf(o))
	if err != nil || !bytes.Equal(e.JPEG(), again.JPEG()) {
		t.Errorf("the same image and tags give other bytes (%v)", err)
	}
	ref := e.Ref()
	want := ImageRef{SHA256: hexDigest(e.JPEG()), Bytes: len(e.JPEG()), Width: img.Bounds().Dx(), Height: img.Bounds().Dy()}
	if ref != want {
		t.Errorf("got %+v, want %+v", ref, want)
	}
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(e.JPEG()))
	if err != nil || cfg.Width != ref.Width || cfg.Height != ref.Height {
		t.Errorf("got %dx%d, %v", cfg.Width, cfg.Height, err)
	}
	if !bytes.HasSuffix(e.JPEG(), img.JPEG()[2:]) {
		t.Error("the picture's own bytes have changed")
	}
}

func TestEvidenceRefuses(t *testing.T) {
	tags := TagsOf(someFinding(1))
	wrong := tags
	wrong.Vehicle = "no/name"
	bare := []byte{0xFF, 0xD8, 0xFF, 0xDA, 0, 2, 0xFF, 0xD9}
	box := image.Rect(0, 0, 8, 8)
	for _, c := range []struct {
		name string
		jpeg []byte
		tags Tags
		want string
	}{
		{"good", bare, tags, ""},
		{"no picture", nil, tags, "make evidence: the picture is no JPEG"},
		{"tags", bare, wrong, `make evidence: vehicle: must be letters, digits, '.', '-' or '_', the first a letter or digit (got "no/name")`},
		{"no JPEG", []byte("RIFF...."), tags, "make evidence: the picture is no JPEG"},
		{"with EXIF", []byte{0xFF, 0xD8, 0xFF, 0xE1, 0, 2, 0xFF, 0xDA, 0, 2}, tags,
			"make evidence: the picture carries metadata of its own (segment FFE1 at byte 2)"},
		{"with comment", []byte{0xFF, 0xD8, 0xFF, 0xDB, 0, 3, 9, 0xFF, 0xFE, 0, 2, 0xFF, 0xDA, 0, 2}, tags,
			"make evidence: the picture carries metadata of its own (segment FFFE at byte 7)"},
		{"no scan", []byte{0xFF, 0xD8, 0xFF, 0xDB, 0, 2}, tags, "make evidence: the picture has no scan"},
		{"no marker", []byte{0xFF, 0xD8, 0xFF, 0xDB, 0, 2, 1, 2, 3, 4}, tags, "make evidence: the picture has no marker at byte 6"},
		{"length", []byte{0xFF, 0xD8, 0xFF, 0xDB, 0, 1, 1, 2}, tags, "make evidence: the picture has a segment of length 1 at byte 2"},
	} {
		_, err := newEvidence(appending(c.jpeg), box, c.tags)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	if _, err := NewEvidence(nil, tags); err == nil {
		t.Error("nil is taken for a picture")
	}
	if _, err := NewEvidence(&blur.Image{}, tags); err == nil {
		t.Error("the zero image is taken for a picture")
	}
}

// exiftool reads pictures with a reader that we did not write.
func exiftool(t *testing.T, jpegs [][]byte, args ...string) []map[string]any {
	t.Helper()
	tool, err := exec.LookPath("exiftool")
	if err != nil {
		t.Skip("exiftool is not installed")
	}
	dir := t.TempDir()
	args = append(args, "-json")
	for i, jpeg := range jpegs {
		path := filepath.Join(dir, fmt.Sprintf("%d.jpg", i))
		if err := os.WriteFile(path, jpeg, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	out, err := exec.Command(tool, args...).Output()
	if err != nil {
		t.Fatalf("exiftool: %v\n%s", err, out)
	}
	var list []map[string]any
	if err := json.Unmarshal(out, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != len(jpegs) {
		t.Fatalf("exiftool read %d of %d pictures", len(list), len(jpegs))
	}
	return list
}

func TestExiftoolReadsEvidence(t *testing.T) {
	places := []struct{ lat, lon float64 }{
		{55.6760968, 12.5683371}, {-33.8567844, 151.2152967}, {40.6892494, -74.0445004},
		{0.0000001, -0.0000001}, {89.9999999, 179.9999999}, {-12.0000000, -77.0333333},
	}
	var jpegs [][]byte
	for _, place := range places {
		o := someFinding(1)
		o.Position.Lat, o.Position.Lon = place.lat, place.lon
		_, e := withEvidence(t, o)
		jpegs = append(jpegs, e.JPEG())
	}
	for i, got := range exiftool(t, jpegs, "-n", "-EXIF:all", "-Composite:GPSLatitude", "-Composite:GPSLongitude",
		"-Composite:GPSDateTime", "-validate", "-error") {
		for key, want := range map[string]float64{
			"GPSLatitude": places[i].lat, "GPSLongitude": places[i].lon,
			"GPSImgDirection": 271.5, "GPSSpeed": 11.7, "GPSDOP": 0.9,
		} {
			// A hundred millionth of a degree is a millimetre.
			if v, ok := got[key].(float64); !ok || math.Abs(v-want) > 1e-8 {
				t.Errorf("%s: got %v, want %v", key, got[key], want)
			}
		}
		for key, want := range map[string]string{
			"DateTimeOriginal": "2026:05:04 08:30:15", "OffsetTimeOriginal": "+00:00", "GPSDateTime": "2026:05:04 08:30:15.25Z",
			"ImageUniqueID": someFinding(1).ID, "Software": "gadeblik 0.1.0", "SerialNumber": "sweeper-7", "GPSImgDirectionRef": "T",
		} {
			if got[key] != want {
				t.Errorf("%s: got %v, want %v", key, got[key], want)
			}
		}
		// Errors, warnings, minor warnings: the last are tags that EXIF asks of
		// cameras and that we leave out.
		if v, _ := got["Validate"].(string); !strings.HasPrefix(v, "0 ") || got["Error"] != nil {
			t.Errorf("exiftool finds %v %v", got["Validate"], got["Error"])
		}
	}
}

func appending(jpeg []byte) func([]byte) []byte {
	return func(dst []byte) []byte { return append(dst, jpeg...) }
}

func FuzzEXIF(f *testing.F) {
	f.Add("e11eee2d-4e8b-5793-995d-acf6e6417112", "sweeper-7", "0.1.0", int64(1777883415250), 55.6, -12.5, 271.5, 3.25, []byte{0xFF, 0xD8, 0xFF, 0xDA})
	f.Add("x", "", "æ\x00", int64(-1), math.NaN(), math.Inf(1), -1.0, 1e300, []byte{0xFF, 0xD8, 0xFF, 0xE1, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, id, vehicle, agent string, ms int64, lat, lon, course, speed float64, picture []byte) {
		tags := Tags{ID: id, Vehicle: vehicle, Agent: agent, Time: time.UnixMilli(ms), Lat: lat, Lon: lon, Direction: &course, Speed: &speed}
		e, err := newEvidence(appending(picture), image.Rect(0, 0, 8, 8), tags)
		if err != nil {
			return
		}
		size := int(binary.BigEndian.Uint16(e.jpeg[4:])) - 2
		fields := readTIFF(t, e.jpeg[6:6+size])
		if fields[1<<16|tagUniqueID] != id {
			t.Errorf("the id is %q, want %q", fields[1<<16|tagUniqueID], id)
		}
		if !bytes.Equal(e.jpeg[6+size:], picture[2:]) {
			t.Error("the picture's own bytes have changed")
		}
	})
}
