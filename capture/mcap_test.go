package capture

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foxglove/mcap/go/mcap"
	"github.com/google/go-cmp/cmp"
)

func TestMCAPRoundTrip(t *testing.T) {
	pic := picture(t, 48, 32)
	dir := makeDrive(t, seconds(3)+"\xff\x00 no sentence\n", map[int][]byte{0: pic, 700: pic, 2000: pic, 2001: picture(t, 16, 16)})
	orders := []byte(`{"type":"FeatureCollection","features":[]}`)
	if err := os.WriteFile(filepath.Join(dir, "orders.geojson"), orders, 0o644); err != nil {
		t.Fatal(err)
	}
	compareRoundTrip(t, open(t, dir))
}

func TestMCAPRoundTripSharedDrives(t *testing.T) {
	for _, name := range []string{"amsterdam_bags", "amsterdam_stills", "static_camera"} {
		t.Run(name, func(t *testing.T) {
			compareRoundTrip(t, open(t, shared(t, "drives", name)))
		})
	}
}

// compareRoundTrip converts a folder to MCAP and back to events, twice.
func compareRoundTrip(t *testing.T, d *Drive) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.mcap")
	writeMCAPFile(t, d, path)
	m := open(t, path)
	if m.Name != d.Name || !m.Started.Equal(d.Started) || m.Mount != d.Mount || m.Track != d.Track || m.Source != d.Source || m.Frames != d.Frames || m.Length != d.Length || len(m.Warnings) != 0 {
		t.Errorf("description\n%+v\nwant\n%+v", m, d)
	}
	if diff := cmp.Diff(read(t, d), read(t, m)); diff != "" {
		t.Errorf("events: -folder +MCAP\n%.2000s", diff)
	}
	want, err := d.Orders()
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Orders()
	if err != nil || !bytes.Equal(got, want) || m.OrdersPath() != "" {
		t.Errorf("orders %q, %v, want %q", got, err, want)
	}
	again := filepath.Join(t.TempDir(), "again.mcap")
	writeMCAPFile(t, m, again)
	if a, b := read(t, m), read(t, open(t, again)); !cmp.Equal(a, b) {
		t.Error("a copy of the copy differs")
	}
}

func TestWriteMCAPRefusesDamaged(t *testing.T) {
	d := open(t, makeDrive(t, seconds(1), map[int][]byte{40: {1, 2, 3}}))
	err := WriteMCAP(io.Discard, d)
	want := "write drive test as MCAP: frames/000000040.jpg: damaged picture: no start-of-image marker, it begins with 01 02 03; remove that frame first"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// recording writes an MCAP file as other recorders do.
type recording struct {
	tb   testing.TB
	w    *mcap.Writer
	buf  bytes.Buffer
	next uint16
	ids  map[string]uint16
}

func record(tb testing.TB, compression mcap.CompressionFormat) *recording {
	tb.Helper()
	r := &recording{tb: tb, ids: make(map[string]uint16)}
	w, err := mcap.NewWriter(&r.buf, &mcap.WriterOptions{Chunked: true, ChunkSize: 4096, Compression: compression, IncludeCRC: true})
	if err != nil {
		tb.Fatal(err)
	}
	r.w = w
	r.check(w.WriteHeader(&mcap.Header{}))
	return r
}

func (r *recording) check(err error) {
	r.tb.Helper()
	if err != nil {
		r.tb.Fatal(err)
	}
}

// add writes a message, declaring its channel at the first.
func (r *recording) add(topic, schema, encoding string, after time.Duration, data []byte) {
	r.tb.Helper()
	id, ok := r.ids[topic]
	if !ok {
		r.next++
		id = r.next
		r.ids[topic] = id
		r.check(r.w.WriteSchema(&mcap.Schema{ID: id, Name: schema}))
		r.check(r.w.WriteChannel(&mcap.Channel{ID: id, SchemaID: id, Topic: topic, MessageEncoding: encoding}))
	}
	at := uint64(testStart.Add(after).UnixNano())
	r.check(r.w.WriteMessage(&mcap.Message{ChannelID: id, LogTime: at, PublishTime: at, Data: data}))
}

func (r *recording) save() string {
	r.tb.Helper()
	r.check(r.w.Close())
	path := filepath.Join(r.tb.TempDir(), "recording.mcap")
	r.check(os.WriteFile(path, r.buf.Bytes(), 0o644))
	return path
}

func jsonImage(format string, jpeg []byte) []byte {
	return fmt.Appendf(nil, `{"timestamp":{"sec":1,"nsec":2},"frame_id":"front","data":"%s","format":%q,"extra":[{}]}`, base64.StdEncoding.EncodeToString(jpeg), format)
}

func double(b []byte, num int, v float64) []byte {
	b = binary.AppendUvarint(b, uint64(num)<<3|wireFixed64)
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}

// protoFix is a foxglove.LocationFix as protobuf writers make it.
func protoFix(lat, lon, alt float64, packed bool) []byte {
	b := appendBytes(nil, 1, "gps")
	stamp := appendVarint(nil, 1, uint64(testStart.Unix()))
	b = appendBytes(b, 2, appendVarint(stamp, 2, 500))
	b = double(double(double(b, 3, lat), 4, lon), 5, alt)
	cov := []float64{4, 0, 0, 0, 9, 0, 0, 0, 25}
	if packed {
		var p []byte
		for _, v := range cov {
			p = binary.LittleEndian.AppendUint64(p, math.Float64bits(v))
		}
		b = appendBytes(b, 6, p)
	} else {
		for _, v := range cov {
			b = double(b, 6, v)
		}
	}
	b = appendVarint(b, 7, 2)
	// Fields of later versions of the schema are passed over.
	b = appendBytes(b, 8, []byte{1, 2, 3})
	return binary.LittleEndian.AppendUint32(binary.AppendUvarint(b, 9<<3|wireFixed32), 7)
}

func TestMCAPForeignRecordings(t *testing.T) {
	pic := picture(t, 32, 24)
	fixed := Location{Time: testStart.Add(500), Valid: true, Lat: 55.6729, Lon: 12.5642, Altitude: 8.5, Accuracy: 3}
	at := func(d time.Duration) time.Time { return testStart.Add(d) }
	jsonFix := []byte(`{"timestamp":{"sec":1780384800,"nsec":500},"frame_id":"gps","latitude":55.6729,"longitude":12.5642,"altitude":8.5,"position_covariance":[4,0,0,0,9,0,0,0,25],"position_covariance_type":2}`)
	tests := []struct {
		name        string
		compression mcap.CompressionFormat
		image       []byte
		imageEnc    string
		fix         []byte
		fixEnc      string
	}{
		{"json", mcap.CompressionNone, jsonImage("jpeg", pic), "json", jsonFix, "json"},
		{"protobuf", mcap.CompressionZSTD, appendImage(nil, testStart, pic), "protobuf", protoFix(55.6729, 12.5642, 8.5, true), "protobuf"},
		{"both, not packed", mcap.CompressionLZ4, jsonImage("JPG", pic), "json", protoFix(55.6729, 12.5642, 8.5, false), "protobuf"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := record(t, tt.compression)
			r.add("/imu", "other.Imu", "cdr", -time.Hour, []byte{1, 2, 3})
			r.add("/cam", schemaImage, tt.imageEnc, time.Second, tt.image)
			r.add("/fix", schemaLocation, tt.fixEnc, time.Second, tt.fix) // at the same time: fixes first
			r.add("/cam", schemaImage, tt.imageEnc, 4*time.Second, tt.image)
			r.add("/cam", schemaImage, tt.imageEnc, 3*time.Second, tt.image) // late by a second
			d := open(t, r.save())
			want := []seen{
				{At: at(time.Second), Location: fixed},
				{At: at(time.Second), JPEG: string(pic), Seq: 1},
				{At: at(3 * time.Second), JPEG: string(pic), Seq: 2},
				{At: at(4 * time.Second), JPEG: string(pic), Seq: 3},
			}
			if diff := cmp.Diff(want, read(t, d)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if d.Name != "recording" || !d.Started.Equal(at(time.Second)) || d.Frames != 3 || d.Length != 3*time.Second || len(d.Warnings) != 0 {
				t.Errorf("%+v", d)
			}
			// A drive without NMEA keeps its positions in a copy.
			copied := filepath.Join(t.TempDir(), "copy.mcap")
			writeMCAPFile(t, d, copied)
			if diff := cmp.Diff(want, read(t, open(t, copied))); diff != "" {
				t.Errorf("copy: -want +got\n%s", diff)
			}
		})
	}
}

func TestMCAPChoosesChannels(t *testing.T) {
	pic := picture(t, 16, 16)
	r := record(t, mcap.CompressionNone)
	r.add("/rear\n", schemaImage, "cdr", 0, []byte{0})
	r.add("/front", schemaImage, "json", 0, jsonImage("jpeg", pic))
	r.add("/left\x1b", schemaImage, "json", 0, jsonImage("jpeg", pic))
	r.add("/fix", schemaLocation, "json", 0, []byte(`{"latitude":1,"longitude":2}`))
	r.add("/raw", "", encodingNMEA, 0, []byte(rmc(0)))
	r.add("/text", schemaNMEA, "json", 0, []byte(`{"sentence":"$GPTXT"}`))
	r.add("/front", schemaImage, "json", time.Second, jsonImage("png", []byte("\x89PNG")))
	d := open(t, r.save())
	wantWarnings := []string{
		`foxglove.CompressedImage on "/left\x1b" is not used: a drive has one such channel`,
		"gadeblik.NMEA on /text is not used: a drive has one such channel",
	}
	if diff := cmp.Diff(wantWarnings, d.Warnings); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	want := []seen{
		{At: testStart, NMEA: rmc(0)},
		{At: testStart, JPEG: string(pic), Seq: 1},
		{At: testStart.Add(time.Second), Damaged: `/front at 2026-06-02T07:20:01Z: damaged picture: format "png", want jpeg`},
	}
	if diff := cmp.Diff(want, read(t, d)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestDecodeLocationOddValues(t *testing.T) {
	tests := []struct {
		name, enc string
		data      []byte
		want      Location
		err       string
	}{
		{"no fix", "json", []byte(`{"latitude":0,"longitude":0,"altitude":1e300}`), Location{}, ""},
		{"not on Earth", "json", []byte(`{"latitude":91,"longitude":0}`), Location{}, ""},
		{"NaN", "protobuf", protoFix(math.NaN(), 1, math.NaN(), true), Location{Time: testStart.Add(500), Accuracy: 3}, ""},
		{"infinite", "protobuf", protoFix(1, math.Inf(1), math.Inf(-1), true), Location{Time: testStart.Add(500), Accuracy: 3}, ""},
		{"covariance of unknown kind", "json", []byte(`{"latitude":1,"longitude":2,"position_covariance":[4,0,0,0,9,0,0,0,25]}`), Location{Valid: true, Lat: 1, Lon: 2}, ""},
		{"empty protobuf", "protobuf", nil, Location{}, ""},
		{"broken protobuf", "protobuf", []byte{0x19, 1, 2}, Location{}, "decode foxglove.LocationFix: not a protobuf message"},
		{"broken timestamp", "protobuf", []byte{0x12, 1, 0xFF}, Location{}, "decode foxglove.LocationFix: not a protobuf message"},
		{"broken json", "json", []byte(`{`), Location{}, "decode foxglove.LocationFix: unexpected end of JSON input"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decodeLocation(tt.enc, tt.data)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("error %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestOpenMCAPErrors(t *testing.T) {
	pic := picture(t, 16, 16)
	good := func() *recording {
		r := record(t, mcap.CompressionNone)
		r.add("/cam", schemaImage, "json", 0, jsonImage("jpeg", pic))
		return r
	}
	whole, err := os.ReadFile(good().save())
	if err != nil {
		t.Fatal(err)
	}
	save := func(b []byte) string {
		path := filepath.Join(t.TempDir(), "x.mcap")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	flip := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 0x40
		return b
	}
	late := good()
	late.add("/cam", schemaImage, "json", time.Minute, jsonImage("jpeg", pic))
	late.add("/cam", schemaImage, "json", 20*time.Second, jsonImage("jpeg", pic))
	noImage := record(t, mcap.CompressionNone)
	noImage.add("/cam", schemaImage, "cdr", 0, []byte{0})
	old := record(t, mcap.CompressionNone)
	old.add("/cam", schemaImage, "json", -50*365*24*time.Hour, jsonImage("jpeg", pic))
	metadata := good()
	metadata.check(metadata.w.WriteMetadata(&mcap.Metadata{Name: metadataDrive, Metadata: map[string]string{"started": "today"}}))
	tests := []struct{ name, path, err string }{
		{"text", save([]byte("name: test\n")), "not an MCAP file, it begins with 6e 61 6d 65 3a 20 74 65"},
		{"empty", save(nil), "not an MCAP file, it begins with 00 00 00 00 00 00 00 00"},
		{"cut off", save(whole[:len(whole)/2]), "the record at byte 39 has 1093 bytes, the file 729 more; `mcap recover` may save what came before"},
		{"cut off between records", save(whole[:39]), "the file is cut off at byte 39; `mcap recover` may save what came before"},
		{"a bit flipped in a chunk", save(flip(700)), "chunk at byte 39: invalid chunk CRC: "},
		{"out of order", late.save(), "messages lie up to 40s out of order, at most 10s is accepted; `mcap sort` mends that"},
		{"no pictures", noImage.save(), "no foxglove.CompressedImage message in json or protobuf"},
		{"clock of 1976", old.save(), "message at byte 39 on /cam: log time 203584800000000000 ns is no UTC"},
		{"metadata", metadata.save(), `metadata gadeblik.drive at byte 39: started: must be a time in UTC (got "today")`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := OpenDrive(tt.path)
			want := "open drive " + tt.path + ": " + tt.err
			if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(tt.err, " ") && err.Error() != want {
				t.Errorf("error %v\nwant  %s", err, want)
			}
		})
	}
}

// hostileRecord frames a record.
func hostileRecord(op mcap.OpCode, body []byte) []byte {
	b := append(bytes.Clone(mcap.Magic), byte(op))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(body)))
	return append(b, body...)
}

// chunkOf makes a chunk's body.
func chunkOf(unpacked uint64, compression string, records []byte) []byte {
	b := make([]byte, 16)
	b = binary.LittleEndian.AppendUint64(b, unpacked)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(compression)))
	b = append(b, compression...)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(records)))
	return append(b, records...)
}

// hostileFile is an attack on a reader's memory and patience.
type hostileFile struct {
	bytes []byte
	err   string // how the refusal goes on after the path
}

func hostileFiles() map[string]hostileFile {
	huge := binary.LittleEndian.AppendUint64(append(bytes.Clone(mcap.Magic), byte(mcap.OpMessage)), math.MaxUint64)
	inner := append([]byte{byte(mcap.OpMessage)}, 0xFF, 0xFF, 0xFF, 0x03, 0, 0, 0, 0)
	attachment := append(make([]byte, 16), 0xFF, 0xFF, 0xFF, 0xFF)
	over := chunkOf(8, "", make([]byte, 8))
	over[32] = 9
	return map[string]hostileFile{
		"record of 2^64 bytes":         {huge, "the record at byte 8 has 18446744073709551615 bytes, the file 0 more;"},
		"chunk without a head":         {hostileRecord(mcap.OpChunk, make([]byte, 20)), "chunk at byte 8: cut-off head"},
		"long compression name":        {hostileRecord(mcap.OpChunk, chunkOf(8, strings.Repeat("z", 200), nil)), "chunk at byte 8: compression's name of 200 bytes"},
		"name over the end":            {hostileRecord(mcap.OpChunk, append(make([]byte, 28), 0xF8, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4, 5, 6, 7, 8)), "chunk at byte 8: compression's name of 4294967288 bytes"},
		"records over the end":         {hostileRecord(mcap.OpChunk, over), "chunk at byte 8: 8 bytes of records, its length says 9"},
		"unknown compression":          {hostileRecord(mcap.OpChunk, chunkOf(8, "gzip", nil)), "chunk at byte 8: unsupported compression: gzip"},
		"unpacks to a terabyte":        {hostileRecord(mcap.OpChunk, chunkOf(1<<40, "lz4", []byte{1})), "chunk at byte 8: 1099511627776 bytes unpacked, at most 67108864 are accepted"},
		"zstd with a huge window":      {hostileRecord(mcap.OpChunk, chunkOf(1000, "zstd", []byte{0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x98, 1, 0, 0})), "chunk at byte 8: failed to decompress chunk: window size exceeded"},
		"record in a chunk too long":   {hostileRecord(mcap.OpChunk, chunkOf(uint64(len(inner)), "", inner)), "the file is cut off at byte 66;"},
		"chunk in a chunk":             {hostileRecord(mcap.OpChunk, chunkOf(49, "", hostileRecord(mcap.OpChunk, chunkOf(8, "", nil))[8:])), "chunk at byte 8: detected nested chunk"},
		"attachment with a long name":  {hostileRecord(mcap.OpAttachment, attachment), "attachment at byte 8: cut off"},
		"message before its channel":   {hostileRecord(mcap.OpMessage, make([]byte, 40)), "message at byte 8: channel 0 was not declared before"},
		"metadata with a lying length": {hostileRecord(mcap.OpMetadata, []byte{0, 0, 0, 0, 0xF0, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0}), "metadata at byte 8: failed to read metadata:"},
	}
}

func TestMCAPHostile(t *testing.T) {
	for name, h := range hostileFiles() {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.mcap")
			if err := os.WriteFile(path, h.bytes, 0o644); err != nil {
				t.Fatal(err)
			}
			var err error
			bytes := allocated(func() { _, err = OpenDrive(path) })
			if err == nil || !strings.HasPrefix(err.Error(), "open drive "+path+": "+h.err) {
				t.Errorf("error %v\nwant  %s", err, h.err)
			}
			if bytes > 2*maxChunk {
				t.Errorf("%d MiB were allocated", bytes>>20)
			}
		})
	}
}

func TestGuarded(t *testing.T) {
	err := guarded(func() error { panic("slice bounds out of range") })
	if err == nil || err.Error() != "unreadable: slice bounds out of range" {
		t.Errorf("error %v", err)
	}
}

// TestMCAPEveryCut reads every beginning of a file: an error, never a panic.
func TestMCAPEveryCut(t *testing.T) {
	r := record(t, mcap.CompressionZSTD)
	r.add("/raw", "", encodingNMEA, 0, []byte(rmc(0)))
	r.add("/cam", schemaImage, "json", 0, jsonImage("jpeg", picture(t, 16, 16)))
	path := r.save()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	end := bytes.LastIndexByte(whole[:bytes.LastIndex(whole, []byte("foxglove"))], byte(mcap.OpDataEnd))
	for n := range whole[:end] {
		if err := os.Truncate(path, int64(0)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		if d, err := OpenDrive(path); err == nil {
			t.Fatalf("%d of %d bytes opened: %+v", n, len(whole), d)
		}
	}
}

func FuzzMCAP(f *testing.F) {
	for _, h := range hostileFiles() {
		f.Add(h.bytes)
	}
	for _, c := range []mcap.CompressionFormat{mcap.CompressionNone, mcap.CompressionLZ4, mcap.CompressionZSTD} {
		r := record(f, c)
		r.add("/raw", "", encodingNMEA, 0, []byte(rmc(0)))
		r.add("/fix", schemaLocation, "protobuf", time.Second, protoFix(1, 2, 3, true))
		r.add("/cam", schemaImage, "json", 0, jsonImage("jpeg", picture(f, 8, 8)))
		r.add("/cam2", schemaImage, "protobuf", 0, appendImage(nil, testStart, picture(f, 8, 8)))
		b, err := os.ReadFile(r.save())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x.mcap")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		d, err := OpenDrive(path)
		if err != nil {
			return
		}
		last := d.Started
		for ev, err := range d.Events() {
			if err != nil {
				return
			}
			if ev.At.Before(last) {
				t.Fatalf("event at %s after %s", ev.At, last)
			}
			last = ev.At
			set := 0
			for _, is := range []bool{ev.NMEA != nil, ev.Location != nil, ev.Frame != nil, ev.Damaged != nil} {
				if is {
					set++
				}
			}
			if l := ev.Location; l != nil && (math.IsNaN(l.Lat+l.Lon+l.Altitude+l.Accuracy) || l.Valid && l.Lat == 0 && l.Lon == 0) {
				t.Fatalf("location %+v", l)
			}
			if set != 1 {
				t.Fatalf("event of %d kinds: %+v", set, ev)
			}
			ev.Frame.Release()
		}
		if n := d.pool.out; n != 0 {
			t.Fatalf("%d frames were not released", n)
		}
	})
}

func FuzzFoxglove(f *testing.F) {
	f.Add(appendImage(nil, testStart, []byte("x")))
	f.Add(protoFix(1, 2, 3, true))
	f.Add([]byte(`{"latitude":1,"data":"AAAA","sentence":"$"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, enc := range []string{encodingJSON, encodingProto} {
			if m, err := decodeImage(enc, b); err == nil && len(m.Data) > len(b) {
				t.Fatalf("%d bytes of picture in %d", len(m.Data), len(b))
			}
			l, err := decodeLocation(enc, b)
			if err == nil && (l.Valid && !onEarth(l.Lat, l.Lon) || math.IsNaN(l.Altitude) || math.IsNaN(l.Accuracy)) {
				t.Fatalf("location %+v", l)
			}
			if _, err := decodeNMEA(enc, b); err != nil && errors.Is(err, io.EOF) {
				t.Fatal("a bad message looks like the end of the drive")
			}
		}
	})
}
