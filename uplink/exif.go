package uplink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
)

// The tags written, in the ascending order that TIFF asks for in each directory.
// EXIF 2.32, tables 4, 8 and 15.
const (
	tagSoftware   = 0x0131
	tagExifIFD    = 0x8769
	tagGPSIFD     = 0x8825
	tagExifVer    = 0x9000
	tagDateTime   = 0x9003 // DateTimeOriginal
	tagOffsetTime = 0x9011 // OffsetTimeOriginal
	tagUniqueID   = 0xA420 // ImageUniqueID: the observation's id
	tagSerial     = 0xA431 // BodySerialNumber: the vehicle's pseudonym

	tagGPSVersion   = 0x00
	tagGPSLatRef    = 0x01
	tagGPSLat       = 0x02
	tagGPSLonRef    = 0x03
	tagGPSLon       = 0x04
	tagGPSTime      = 0x07
	tagGPSDOP       = 0x0B
	tagGPSSpeedRef  = 0x0C
	tagGPSSpeed     = 0x0D
	tagGPSDirRef    = 0x10
	tagGPSDirection = 0x11
	tagGPSDate      = 0x1D
)

const (
	typeByte      = 1
	typeASCII     = 2
	typeLong      = 4
	typeRational  = 5
	typeUndefined = 7
)

const (
	tiffHeader = 8  // "II", 42, offset of the first directory
	entrySize  = 12 // tag, type, count, value or offset
)

// entry is one field of a TIFF directory.
type entry struct {
	tag, kind uint16
	count     uint32
	value     []byte
}

// encodeEXIF returns the payload of an APP1 segment. The tags must be valid.
func encodeEXIF(t Tags) []byte {
	exif := exifEntries(t)
	gps := gpsEntries(t)
	main := []entry{ascii(tagSoftware, "gadeblik "+t.Agent), long(tagExifIFD, 0), long(tagGPSIFD, 0)}

	exifAt := tiffHeader + directorySize(main)
	gpsAt := exifAt + directorySize(exif)
	main[1], main[2] = long(tagExifIFD, exifAt), long(tagGPSIFD, gpsAt)

	out := []byte("Exif\x00\x00")
	out = append(out, "II*\x00"...)
	out = binary.LittleEndian.AppendUint32(out, tiffHeader)
	out = appendDirectory(out, main, tiffHeader)
	out = appendDirectory(out, exif, exifAt)
	return appendDirectory(out, gps, gpsAt)
}

func exifEntries(t Tags) []entry {
	utc := t.Time.UTC()
	return []entry{
		{tagExifVer, typeUndefined, 4, []byte("0232")},
		ascii(tagDateTime, utc.Format("2006:01:02 15:04:05")),
		ascii(tagOffsetTime, "+00:00"),
		ascii(tagUniqueID, t.ID),
		ascii(tagSerial, t.Vehicle),
	}
}

func gpsEntries(t Tags) []entry {
	utc := t.Time.UTC()
	entries := []entry{
		{tagGPSVersion, typeByte, 4, []byte{2, 3, 0, 0}},
		ascii(tagGPSLatRef, hemisphere(t.Lat, "N", "S")),
		rationals(tagGPSLat, sexagesimal(t.Lat)...),
		ascii(tagGPSLonRef, hemisphere(t.Lon, "E", "W")),
		rationals(tagGPSLon, sexagesimal(t.Lon)...),
		rationals(tagGPSTime, whole(utc.Hour()), whole(utc.Minute()), milliseconds(utc)),
	}
	if t.HDOP > 0 {
		entries = append(entries, rationals(tagGPSDOP, hundredths(t.HDOP)))
	}
	if t.Speed != nil {
		entries = append(entries, ascii(tagGPSSpeedRef, "K"), rationals(tagGPSSpeed, hundredths(*t.Speed*3.6)))
	}
	if t.Direction != nil {
		entries = append(entries, ascii(tagGPSDirRef, "T"), rationals(tagGPSDirection, hundredths(roundCourse(*t.Direction))))
	}
	return append(entries, ascii(tagGPSDate, utc.Format("2006:01:02")))
}

// rational is a fraction as TIFF writes it.
type rational struct{ num, den uint32 }

func whole(v int) rational { return rational{uint32(v), 1} }

func hundredths(v float64) rational { return rational{uint32(math.Round(v * 100)), 100} }

func milliseconds(t time.Time) rational {
	return rational{uint32(t.Second()*1000 + t.Nanosecond()/1e6), 1000}
}

// sexagesimal splits degrees into degrees, minutes and seconds. Seconds have 5
// decimals, 0.3 mm on the ground, and are never rounded up to 60.
func sexagesimal(deg float64) []rational {
	const unit = 100_000 // of a second
	total := uint64(math.Round(math.Abs(deg) * 3600 * unit))
	return []rational{
		{uint32(total / (3600 * unit)), 1},
		{uint32(total / (60 * unit) % 60), 1},
		{uint32(total % (60 * unit)), unit},
	}
}

func hemisphere(deg float64, positive, negative string) string {
	if deg < 0 {
		return negative
	}
	return positive
}

// ascii makes a text field. EXIF text is 7 bits wide and ends with a zero byte.
func ascii(tag uint16, s string) entry {
	s = strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || r < ' ' {
			return '?'
		}
		return r
	}, s)
	return entry{tag, typeASCII, uint32(len(s) + 1), append([]byte(s), 0)}
}

func long(tag uint16, v int) entry {
	return entry{tag, typeLong, 1, binary.LittleEndian.AppendUint32(nil, uint32(v))}
}

func rationals(tag uint16, rs ...rational) entry {
	var value []byte
	for _, r := range rs {
		value = binary.LittleEndian.AppendUint32(value, r.num)
		value = binary.LittleEndian.AppendUint32(value, r.den)
	}
	return entry{tag, typeRational, uint32(len(rs)), value}
}

// directorySize is what appendDirectory appends.
func directorySize(entries []entry) int {
	size := 2 + len(entries)*entrySize + 4
	for _, e := range entries {
		size += outside(e)
	}
	return size
}

// outside is how much of a value lies behind the directory: values of up to four
// bytes lie in it, longer ones start at even offsets.
func outside(e entry) int {
	if len(e.value) <= 4 {
		return 0
	}
	return (len(e.value) + 1) &^ 1
}

// appendDirectory appends a directory that starts at offset at of the TIFF data.
func appendDirectory(out []byte, entries []entry, at int) []byte {
	out = binary.LittleEndian.AppendUint16(out, uint16(len(entries)))
	var behind []byte
	next := at + 2 + len(entries)*entrySize + 4
	for _, e := range entries {
		out = binary.LittleEndian.AppendUint16(out, e.tag)
		out = binary.LittleEndian.AppendUint16(out, e.kind)
		out = binary.LittleEndian.AppendUint32(out, e.count)
		if outside(e) == 0 {
			var field [4]byte
			copy(field[:], e.value)
			out = append(out, field[:]...)
			continue
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(next+len(behind)))
		behind = append(behind, e.value...)
		if len(e.value)%2 == 1 {
			behind = append(behind, 0)
		}
	}
	out = binary.LittleEndian.AppendUint32(out, 0) // no further directory
	return append(out, behind...)
}

// withEXIF returns the JPEG that appended puts behind what it is given, with one APP1 segment behind
// its start. It refuses a JPEG that brings application data or comments of its own: a redacted image has
// none, so there is something wrong with one that does.
func withEXIF(appended func([]byte) []byte, exif []byte) ([]byte, error) {
	head := append([]byte{0xFF, 0xD8, 0xFF, 0xE1}, 0, 0)
	binary.BigEndian.PutUint16(head[4:], uint16(len(exif)+2))
	head = append(head, exif...)
	// The picture's own start comes to lie on the last two bytes of the segment, which are put back.
	at := len(head) - 2
	out := appended(head[:at:at])
	if err := checkBare(out[at:]); err != nil {
		return nil, err
	}
	copy(out[at:], head[at:])
	return out, nil
}

// checkBare walks the segments before the scan.
func checkBare(jpeg []byte) error {
	if len(jpeg) < 4 || jpeg[0] != 0xFF || jpeg[1] != 0xD8 {
		return errors.New("the picture is no JPEG")
	}
	for at := 2; at+4 <= len(jpeg); {
		marker := jpeg[at+1]
		switch {
		case jpeg[at] != 0xFF:
			return fmt.Errorf("the picture has no marker at byte %d", at)
		case marker == 0xDA: // start of scan
			return nil
		case marker >= 0xE0 && marker <= 0xEF || marker == 0xFE:
			return fmt.Errorf("the picture carries metadata of its own (segment FF%02X at byte %d)", marker, at)
		}
		length := int(binary.BigEndian.Uint16(jpeg[at+2:]))
		if length < 2 {
			return fmt.Errorf("the picture has a segment of length %d at byte %d", length, at)
		}
		at += 2 + length
	}
	return errors.New("the picture has no scan")
}
