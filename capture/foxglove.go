package capture

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// The schemas of MCAP channels that a drive is made of. The field numbers are
// those of https://github.com/foxglove/schemas; docs/drive.md lists them.
const (
	schemaImage    = "foxglove.CompressedImage"
	schemaLocation = "foxglove.LocationFix"
	schemaNMEA     = "gadeblik.NMEA"

	encodingJSON  = "json"
	encodingProto = "protobuf"
	encodingNMEA  = "nmea"
)

// compressedImage is foxglove.CompressedImage, as far as it is used.
type compressedImage struct {
	Data   []byte `json:"data"`
	Format string `json:"format"`
}

// decodeImage reads a picture message; data may alias b.
func decodeImage(encoding string, b []byte) (compressedImage, error) {
	var m compressedImage
	var err error
	if encoding == encodingJSON {
		err = json.Unmarshal(b, &m)
	} else {
		err = eachField(b, func(f protoField) {
			switch {
			case f.num == 2 && f.kind == wireBytes:
				m.Data = f.bytes
			case f.num == 3 && f.kind == wireBytes:
				m.Format = string(f.bytes[:min(len(f.bytes), maxText)])
			}
		})
	}
	if err != nil {
		return m, fmt.Errorf("decode %s: %w", schemaImage, err)
	}
	switch f := strings.ToLower(m.Format); {
	case f == "jpeg" || f == "jpg" || f == "image/jpeg" || f == "image/jpg":
		return m, nil
	case f == "" && bytes.HasPrefix(m.Data, []byte{0xFF, mSOI}): // some recorders leave it out
		return m, nil
	}
	return m, fmt.Errorf("%w: format %q, want jpeg", ErrDamaged, clip(m.Format))
}

// locationFix is foxglove.LocationFix.
type locationFix struct {
	Timestamp struct {
		Sec  int64 `json:"sec"`
		Nsec int64 `json:"nsec"`
	} `json:"timestamp"`
	Latitude   float64   `json:"latitude"`
	Longitude  float64   `json:"longitude"`
	Altitude   float64   `json:"altitude"`
	Covariance []float64 `json:"position_covariance"`
	Type       int       `json:"position_covariance_type"`
}

func decodeLocation(encoding string, b []byte) (*Location, error) {
	var m locationFix
	var err error
	if encoding == encodingJSON {
		err = json.Unmarshal(b, &m)
	} else {
		err = m.decodeProto(b)
	}
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", schemaLocation, err)
	}
	return m.location(), nil
}

func (m *locationFix) decodeProto(b []byte) error {
	// Exactly nine numbers make a covariance; more are not kept.
	const most = 9
	var inner error
	err := eachField(b, func(f protoField) {
		switch {
		case f.num == 2 && f.kind == wireBytes:
			inner = errors.Join(inner, eachField(f.bytes, func(t protoField) {
				switch {
				case t.num == 1 && t.kind == wireVarint:
					m.Timestamp.Sec = int64(t.value)
				case t.num == 2 && t.kind == wireVarint:
					m.Timestamp.Nsec = int64(t.value)
				}
			}))
		case f.num == 3 && f.kind == wireFixed64:
			m.Latitude = math.Float64frombits(f.value)
		case f.num == 4 && f.kind == wireFixed64:
			m.Longitude = math.Float64frombits(f.value)
		case f.num == 5 && f.kind == wireFixed64:
			m.Altitude = math.Float64frombits(f.value)
		case f.num == 6 && f.kind == wireFixed64 && len(m.Covariance) <= most:
			m.Covariance = append(m.Covariance, math.Float64frombits(f.value))
		case f.num == 6 && f.kind == wireBytes:
			for p := f.bytes; len(p) >= 8 && len(m.Covariance) <= most; p = p[8:] {
				m.Covariance = append(m.Covariance, math.Float64frombits(binary.LittleEndian.Uint64(p)))
			}
		case f.num == 7 && f.kind == wireVarint:
			m.Type = int(f.value)
		}
	})
	return errors.Join(err, inner)
}

// location checks the values and keeps what can be trusted.
func (m *locationFix) location() *Location {
	l := &Location{}
	if onEarth(m.Latitude, m.Longitude) && (m.Latitude != 0 || m.Longitude != 0) {
		l.Valid, l.Lat, l.Lon = true, m.Latitude, m.Longitude
	}
	if math.Abs(m.Altitude) < 1e5 { // false for NaN
		l.Altitude = m.Altitude
	}
	if m.Type >= 1 && m.Type <= 3 && len(m.Covariance) == 9 {
		if v := max(m.Covariance[0], m.Covariance[4]); v > 0 && v < 1e12 {
			l.Accuracy = math.Sqrt(v)
		}
	}
	ts := m.Timestamp
	if t := time.Unix(ts.Sec, 0).UTC(); t.Year() >= minYear && t.Year() <= maxYear && ts.Nsec >= 0 && ts.Nsec < 1e9 {
		l.Time = t.Add(time.Duration(ts.Nsec))
	}
	return l
}

// decodeNMEA reads a line of a track. The bytes are the caller's.
func decodeNMEA(encoding string, b []byte) ([]byte, error) {
	if encoding == encodingJSON {
		var m struct {
			Sentence *string `json:"sentence"`
		}
		if err := json.Unmarshal(b, &m); err != nil {
			return nil, fmt.Errorf("decode %s: %w", schemaNMEA, err)
		}
		if m.Sentence == nil {
			return nil, fmt.Errorf("decode %s: no field sentence", schemaNMEA)
		}
		b = []byte(*m.Sentence)
	}
	if len(b) > maxNMEA {
		return nil, fmt.Errorf("decode %s: %d bytes, at most %d are accepted", schemaNMEA, len(b), maxNMEA)
	}
	return bytes.Clone(b), nil
}

// The wire types of protobuf that occur.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

type protoField struct {
	num   uint64
	kind  uint64
	value uint64 // varint, fixed64, fixed32
	bytes []byte // aliases the message
}

var errProto = errors.New("not a protobuf message")

// eachField calls do for each field of a protobuf message.
func eachField(b []byte, do func(protoField)) error {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 || tag>>3 == 0 {
			return errProto
		}
		b = b[n:]
		f := protoField{num: tag >> 3, kind: tag & 7}
		switch f.kind {
		case wireVarint:
			f.value, n = binary.Uvarint(b)
		case wireFixed64:
			if n = 8; len(b) >= n {
				f.value = binary.LittleEndian.Uint64(b)
			}
		case wireFixed32:
			if n = 4; len(b) >= n {
				f.value = uint64(binary.LittleEndian.Uint32(b))
			}
		case wireBytes:
			var size uint64
			size, n = binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return errProto
			}
			f.bytes = b[n : n+int(size)]
			n += int(size)
		default:
			return errProto
		}
		if n <= 0 || n > len(b) {
			return errProto
		}
		b = b[n:]
		do(f)
	}
	return nil
}
