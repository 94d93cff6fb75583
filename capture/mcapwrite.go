package capture

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/foxglove/mcap/go/mcap"
)

const (
	channelImage uint16 = 1 + iota
	channelNMEA
	channelLocation
)

// WriteMCAP writes a drive as an MCAP file: the same events at the same times,
// the same description and orders. The frames are foxglove.CompressedImage in
// protobuf on /camera, NMEA lines are on /nmea, positions of a drive without
// NMEA are foxglove.LocationFix in json on /gps, so that Foxglove and other
// tools show them. A damaged frame is an error: a copy is whole or is not made.
func WriteMCAP(dst io.Writer, d *Drive) error {
	if err := writeMCAP(dst, d); err != nil {
		return fmt.Errorf("write drive %s as MCAP: %w", d.Name, err)
	}
	return nil
}

func writeMCAP(dst io.Writer, d *Drive) error {
	// Uncompressed: pictures do not get smaller. One megabyte, so that a
	// recording cut off by a power failure loses little.
	w, err := mcap.NewWriter(dst, &mcap.WriterOptions{IncludeCRC: true, Chunked: true, ChunkSize: 1 << 20, OverrideLibrary: true})
	if err != nil {
		return err
	}
	if err := writeHead(w, d); err != nil {
		return err
	}
	var image []byte
	var counts [channelLocation + 1]uint32
	for ev, err := range d.Events() {
		if err != nil {
			return err
		}
		if ev.Damaged != nil {
			return fmt.Errorf("%w; remove that frame first", ev.Damaged)
		}
		m := mcap.Message{LogTime: uint64(ev.At.UnixNano()), PublishTime: uint64(ev.At.UnixNano())}
		switch {
		case ev.Frame != nil:
			image = appendImage(image[:0], ev.At, ev.Frame.JPEG)
			m.ChannelID, m.Data = channelImage, image
		case ev.NMEA != nil:
			m.ChannelID, m.Data = channelNMEA, ev.NMEA
		default:
			m.ChannelID, m.Data = channelLocation, encodeLocation(ev.Location)
		}
		m.Sequence = counts[m.ChannelID]
		counts[m.ChannelID]++
		err = w.WriteMessage(&m)
		ev.Frame.Release()
		if err != nil {
			return err
		}
	}
	clear(image)
	return w.Close()
}

// writeHead writes everything but the messages.
func writeHead(w *mcap.Writer, d *Drive) error {
	if err := w.WriteHeader(&mcap.Header{Library: "gadeblik"}); err != nil {
		return err
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	err := w.WriteMetadata(&mcap.Metadata{Name: metadataDrive, Metadata: map[string]string{
		"name":      d.Name,
		"started":   d.Started.Format(time.RFC3339Nano),
		"track":     d.Track,
		"source":    d.Source,
		"mount":     d.Mount.Position,
		"height_m":  number(d.Mount.HeightM),
		"pitch_deg": number(d.Mount.PitchDeg),
		"hfov_deg":  number(d.Mount.HFovDeg),
	}})
	if err != nil {
		return err
	}
	orders, err := d.Orders()
	if err != nil {
		return err
	}
	if orders != nil {
		err := w.WriteAttachment(&mcap.Attachment{
			Name: attachmentOrders, MediaType: "application/geo+json",
			LogTime: uint64(d.Started.UnixNano()), CreateTime: uint64(d.Started.UnixNano()),
			DataSize: uint64(len(orders)), Data: bytes.NewReader(orders),
		})
		if err != nil {
			return err
		}
	}
	for _, s := range []mcap.Schema{
		{ID: channelImage, Name: schemaImage, Encoding: encodingProto, Data: imageDescriptor()},
		{ID: channelNMEA, Name: schemaNMEA},
		{ID: channelLocation, Name: schemaLocation, Encoding: "jsonschema", Data: []byte(locationSchema)},
	} {
		if err := w.WriteSchema(&s); err != nil {
			return err
		}
	}
	for _, c := range []mcap.Channel{
		{ID: channelImage, SchemaID: channelImage, Topic: "/camera", MessageEncoding: encodingProto},
		{ID: channelNMEA, SchemaID: channelNMEA, Topic: "/nmea", MessageEncoding: encodingNMEA},
		{ID: channelLocation, SchemaID: channelLocation, Topic: "/gps", MessageEncoding: encodingJSON},
	} {
		if err := w.WriteChannel(&c); err != nil {
			return err
		}
	}
	return nil
}

const locationSchema = `{"title":"foxglove.LocationFix","type":"object","properties":{` +
	`"timestamp":{"type":"object","title":"time","properties":{"sec":{"type":"integer"},"nsec":{"type":"integer"}}},` +
	`"latitude":{"type":"number"},"longitude":{"type":"number"},"altitude":{"type":"number"},` +
	`"position_covariance":{"type":"array","items":{"type":"number"}},"position_covariance_type":{"type":"integer"}}}`

func encodeLocation(l *Location) []byte {
	m := locationFix{Latitude: l.Lat, Longitude: l.Lon, Altitude: l.Altitude, Covariance: make([]float64, 9)}
	if l.Accuracy > 0 {
		m.Covariance[0], m.Covariance[4] = l.Accuracy*l.Accuracy, l.Accuracy*l.Accuracy
		m.Type = 2 // the diagonal is known
	}
	if !l.Time.IsZero() {
		m.Timestamp.Sec, m.Timestamp.Nsec = l.Time.Unix(), int64(l.Time.Nanosecond())
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic("capture: internal error: location is not finite")
	}
	return b
}

// appendImage appends a foxglove.CompressedImage message.
func appendImage(b []byte, at time.Time, jpeg []byte) []byte {
	var stamp []byte
	stamp = appendVarint(stamp, 1, uint64(at.Unix()))
	stamp = appendVarint(stamp, 2, uint64(at.Nanosecond()))
	b = appendBytes(b, 1, stamp)
	b = appendBytes(b, 2, jpeg)
	b = appendBytes(b, 3, "jpeg")
	return appendBytes(b, 4, "camera")
}

func appendVarint(b []byte, num int, v uint64) []byte {
	b = binary.AppendUvarint(b, uint64(num)<<3|wireVarint)
	return binary.AppendUvarint(b, v)
}

func appendBytes[T string | []byte](b []byte, num int, v T) []byte {
	b = binary.AppendUvarint(b, uint64(num)<<3|wireBytes)
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

// The field types of descriptor.proto that occur.
const (
	typeInt64   = 3
	typeInt32   = 5
	typeString  = 9
	typeMessage = 11
	typeBytes   = 12
)

type fieldDescriptor struct {
	name     string
	num      int
	kind     uint64
	typeName string // of a message
}

// imageDescriptor returns the FileDescriptorSet that tells other tools what a
// foxglove.CompressedImage is.
func imageDescriptor() []byte {
	stamp := fileDescriptor("google/protobuf/timestamp.proto", "google.protobuf", "", messageDescriptor("Timestamp",
		fieldDescriptor{"seconds", 1, typeInt64, ""},
		fieldDescriptor{"nanos", 2, typeInt32, ""}))
	image := fileDescriptor("foxglove/CompressedImage.proto", "foxglove", "google/protobuf/timestamp.proto", messageDescriptor("CompressedImage",
		fieldDescriptor{"timestamp", 1, typeMessage, ".google.protobuf.Timestamp"},
		fieldDescriptor{"frame_id", 4, typeString, ""},
		fieldDescriptor{"data", 2, typeBytes, ""},
		fieldDescriptor{"format", 3, typeString, ""}))
	return appendBytes(appendBytes(nil, 1, stamp), 1, image)
}

func fileDescriptor(name, pkg, dependency string, message []byte) []byte {
	b := appendBytes(nil, 1, name)
	b = appendBytes(b, 2, pkg)
	if dependency != "" {
		b = appendBytes(b, 3, dependency)
	}
	b = appendBytes(b, 4, message)
	return appendBytes(b, 12, "proto3")
}

func messageDescriptor(name string, fields ...fieldDescriptor) []byte {
	b := appendBytes(nil, 1, name)
	for _, f := range fields {
		d := appendBytes(nil, 1, f.name)
		d = appendVarint(d, 3, uint64(f.num))
		d = appendVarint(d, 4, 1) // optional
		d = appendVarint(d, 5, f.kind)
		if f.typeName != "" {
			d = appendBytes(d, 6, f.typeName)
		}
		b = appendBytes(b, 2, d)
	}
	return b
}
