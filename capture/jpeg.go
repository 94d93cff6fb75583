package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// ErrDamaged says that bytes are not a picture that can be used. The picture
// is lost; the next one may be fine.
var ErrDamaged = errors.New("damaged picture")

// Picture describes a JPEG that FixMJPEG accepted.
type Picture struct {
	Width, Height int  // pixels
	Progressive   bool // and not baseline
	TablesAdded   bool // the Huffman tables were missing and are the standard ones now
	Trimmed       int  // bytes of garbage cut off behind the picture
}

// FixMJPEG checks that b is one whole JPEG picture, from its first marker to
// its last, and mends what cameras leave out: missing Huffman tables are
// inserted, what follows the picture in the buffer is cut off. What it cannot
// mend it refuses with an error that is ErrDamaged: a picture that ends early,
// lost restart intervals, tables or scans that are missing, a size of zero or
// over MaxPixels, more than MaxJPEG bytes, and kinds of JPEG other than 8-bit
// baseline and progressive with one or three components.
//
// The result is part of b, whose memory belongs to the call: inserting tables
// moves bytes within b's capacity, and only if that has no room is a new slice
// made. FixMJPEG never allocates otherwise, reads every byte at most once and
// promises that the scan data has no stray marker in it; it does not decode.
func FixMJPEG(b []byte) ([]byte, Picture, error) {
	if len(b) > MaxJPEG {
		return nil, Picture{}, fmt.Errorf("%w: %d bytes, at most %d are accepted", ErrDamaged, len(b), MaxJPEG)
	}
	w := jpegWalk{b: b}
	if err := w.run(); err != nil {
		return nil, Picture{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	info := Picture{Width: w.width, Height: w.height, Progressive: w.progressive, Trimmed: len(b) - w.pos}
	out := b[:w.pos]
	if w.addTables {
		out = slices.Grow(out, len(standardDHT))[:w.pos+len(standardDHT)]
		copy(out[w.firstScan+len(standardDHT):], out[w.firstScan:w.pos])
		copy(out[w.firstScan:], standardDHT)
		info.TablesAdded = true
	}
	return out, info, nil
}

// Markers, ITU-T T.81 table B.1.
const (
	mSOF0 = 0xC0
	mSOF1 = 0xC1
	mSOF2 = 0xC2
	mDHT  = 0xC4
	mJPG  = 0xC8
	mDAC  = 0xCC
	mSOF  = 0xCF // the last of the frame headers
	mRST0 = 0xD0
	mRST7 = 0xD7
	mSOI  = 0xD8
	mEOI  = 0xD9
	mSOS  = 0xDA
	mDQT  = 0xDB
	mDNL  = 0xDC
	mDRI  = 0xDD
	mAPP0 = 0xE0
	mCOM  = 0xFE
)

var errCutOff = errors.New("cut off before its end marker")

// jpegWalk follows the markers of one picture. pos is the next unread byte.
type jpegWalk struct {
	b   []byte
	pos int

	width, height int
	progressive   bool
	component     [3]jpegComponent
	components    int   // how many there are, 0 before the frame header
	quant         uint8 // bit n: quantisation table n is defined
	huffman       uint8 // bit class*4+n: Huffman table n is defined
	restart       int   // MCUs per restart interval, 0 = none
	scanned       uint8 // bit n: component n has been in a scan
	firstScan     int   // position of the first start-of-scan marker
	addTables     bool
}

type jpegComponent struct {
	id, h, v, quant uint8
}

func (w *jpegWalk) run() error {
	if len(w.b) < 4 || w.b[0] != 0xFF || w.b[1] != mSOI {
		return fmt.Errorf("no start-of-image marker, it begins with % x", w.b[:min(len(w.b), 4)])
	}
	w.pos = 2
	for {
		m, err := w.marker()
		if err != nil {
			return err
		}
		if m == mEOI {
			return w.complete()
		}
		if m == mSOI || m == 0x01 || m >= mRST0 && m <= mRST7 {
			return fmt.Errorf("marker ff%02x at byte %d", m, w.pos-2)
		}
		at := w.pos - 2
		body, err := w.segment()
		if err != nil {
			return err
		}
		if err := w.handle(m, body, at); err != nil {
			return err
		}
	}
}

// marker reads a marker, which may follow any number of fill bytes.
func (w *jpegWalk) marker() (byte, error) {
	if w.pos < len(w.b) && w.b[w.pos] != 0xFF {
		return 0, fmt.Errorf("byte %02x at %d, want a marker", w.b[w.pos], w.pos)
	}
	for w.pos < len(w.b) && w.b[w.pos] == 0xFF {
		w.pos++
	}
	if w.pos >= len(w.b) {
		return 0, errCutOff
	}
	m := w.b[w.pos]
	if m == 0 {
		return 0, fmt.Errorf("marker ff00 at byte %d", w.pos-1)
	}
	w.pos++
	return m, nil
}

// segment reads a length and returns the bytes it covers.
func (w *jpegWalk) segment() ([]byte, error) {
	if len(w.b)-w.pos < 2 {
		return nil, errCutOff
	}
	n := int(binary.BigEndian.Uint16(w.b[w.pos:]))
	if n < 2 {
		return nil, fmt.Errorf("segment of length %d at byte %d", n, w.pos)
	}
	if n > len(w.b)-w.pos {
		return nil, errCutOff
	}
	body := w.b[w.pos+2 : w.pos+n]
	w.pos += n
	return body, nil
}

func (w *jpegWalk) handle(m byte, body []byte, at int) error {
	switch {
	case m == mDHT:
		return w.huffmanTables(body)
	case m == mDQT:
		return w.quantTables(body)
	case m == mDRI:
		if len(body) != 2 {
			return fmt.Errorf("restart interval of %d bytes", len(body))
		}
		w.restart = int(binary.BigEndian.Uint16(body))
		return nil
	case m == mSOF0 || m == mSOF1 || m == mSOF2:
		w.progressive = m == mSOF2
		return w.frameHeader(body)
	case m == mSOS:
		return w.scan(body, at)
	case m >= mAPP0 && m <= mCOM:
		return nil
	case m >= mSOF0 && m <= mSOF && m != mJPG && m != mDAC:
		return fmt.Errorf("frame type %d, want baseline or progressive Huffman", m-mSOF0)
	}
	return fmt.Errorf("marker ff%02x at byte %d", m, at)
}

func (w *jpegWalk) huffmanTables(body []byte) error {
	for len(body) > 0 {
		if len(body) < 17 {
			return errors.New("cut-off Huffman table")
		}
		class, id := body[0]>>4, body[0]&15
		n := 0
		for _, c := range body[1:17] {
			n += int(c)
		}
		if class > 1 || id > 3 || n > 256 || len(body) < 17+n {
			return fmt.Errorf("bad Huffman table %d/%d with %d codes", class, id, n)
		}
		w.huffman |= 1 << (class*4 + id)
		body = body[17+n:]
	}
	return nil
}

func (w *jpegWalk) quantTables(body []byte) error {
	for len(body) > 0 {
		wide, id := body[0]>>4, body[0]&15
		if wide > 1 || id > 3 || len(body) < 1+64*int(wide+1) {
			return fmt.Errorf("bad quantisation table %d/%d of %d bytes", wide, id, len(body))
		}
		w.quant |= 1 << id
		body = body[1+64*int(wide+1):]
	}
	return nil
}

func (w *jpegWalk) frameHeader(body []byte) error {
	if w.components != 0 {
		return errors.New("second frame header")
	}
	if len(body) < 6 || len(body) != 6+3*int(body[5]) {
		return fmt.Errorf("frame header of %d bytes", len(body))
	}
	if body[0] != 8 {
		return fmt.Errorf("%d bits per sample, want 8", body[0])
	}
	w.height = int(binary.BigEndian.Uint16(body[1:]))
	w.width = int(binary.BigEndian.Uint16(body[3:]))
	if w.width == 0 || w.height == 0 || w.width > MaxPixels/w.height {
		return fmt.Errorf("size %dx%d", w.width, w.height)
	}
	n := int(body[5])
	if n != 1 && n != 3 {
		return fmt.Errorf("%d components, want 1 or 3", n)
	}
	for i := range n {
		c := body[6+3*i:]
		k := jpegComponent{id: c[0], h: c[1] >> 4, v: c[1] & 15, quant: c[2]}
		if k.h < 1 || k.h > 4 || k.v < 1 || k.v > 4 || k.quant > 3 {
			return fmt.Errorf("component %d with sampling %dx%d, quantisation table %d", k.id, k.h, k.v, k.quant)
		}
		w.component[i] = k
	}
	w.components = n
	return nil
}

// scan checks a scan's header against what came before and walks its data.
func (w *jpegWalk) scan(body []byte, at int) error {
	if w.components == 0 {
		return errors.New("scan before the frame header")
	}
	n := 0
	if len(body) > 0 {
		n = int(body[0])
	}
	if n < 1 || n > w.components || len(body) != 4+2*n {
		return fmt.Errorf("scan header of %d bytes for %d components", len(body), n)
	}
	if w.scanned == 0 {
		w.firstScan = at
		// No table at all is how AVI-style MJPEG says "the standard ones". Some
		// but not all is damage.
		if w.huffman == 0 && !w.progressive {
			w.addTables, w.huffman = true, 0x33
		}
	}
	for i := range n {
		if err := w.scanComponent(body[1+2*i], body[2+2*i]); err != nil {
			return err
		}
	}
	return w.entropy(n)
}

func (w *jpegWalk) scanComponent(id, tables byte) error {
	i := slices.IndexFunc(w.component[:w.components], func(c jpegComponent) bool { return c.id == id })
	if i < 0 {
		return fmt.Errorf("scan of component %d, which the frame header lacks", id)
	}
	w.scanned |= 1 << i
	if w.quant&(1<<w.component[i].quant) == 0 {
		return fmt.Errorf("no quantisation table %d", w.component[i].quant)
	}
	dc, ac := tables>>4, tables&15
	if dc > 3 || ac > 3 {
		return fmt.Errorf("scan of component %d with Huffman tables %d/%d", id, dc, ac)
	}
	// A progressive scan needs the one or the other, or neither.
	if !w.progressive && (w.huffman&(1<<dc) == 0 || w.huffman&(1<<(4+ac)) == 0) {
		return fmt.Errorf("no Huffman table %d/%d", dc, ac)
	}
	return nil
}

// entropy walks a scan's data up to the next marker and counts its restarts.
func (w *jpegWalk) entropy(components int) error {
	restarts := 0
	for {
		i := bytes.IndexByte(w.b[w.pos:], 0xFF)
		if i < 0 || w.pos+i+1 >= len(w.b) {
			return errCutOff
		}
		w.pos += i
		m := w.b[w.pos+1]
		switch {
		case m == 0: // a stuffed data byte
			w.pos += 2
		case m == 0xFF: // fill
			w.pos++
		case m >= mRST0 && m <= mRST7:
			if w.restart == 0 || int(m-mRST0) != restarts%8 {
				return fmt.Errorf("restart marker %d at byte %d, data is lost", m-mRST0, w.pos)
			}
			restarts++
			w.pos += 2
		default:
			return w.restarts(components, restarts)
		}
	}
}

// restarts checks that a scan had as many restart intervals as its size needs:
// a camera that loses the end of a frame may still write an end marker.
func (w *jpegWalk) restarts(components, got int) error {
	if w.restart == 0 || components != w.components || components == 1 {
		return nil
	}
	var h, v int
	for _, c := range w.component {
		h, v = max(h, int(c.h)), max(v, int(c.v))
	}
	mcus := ceil(w.width, 8*h) * ceil(w.height, 8*v)
	if want := ceil(mcus, w.restart) - 1; got < want {
		return fmt.Errorf("%d of %d restart intervals, data is lost", got+1, want+1)
	}
	return nil
}

func (w *jpegWalk) complete() error {
	if w.components == 0 {
		return errors.New("no frame header")
	}
	if n := bits.OnesCount8(w.scanned); n != w.components {
		return fmt.Errorf("scans for %d of %d components", n, w.components)
	}
	return nil
}

func ceil(a, b int) int {
	return (a + b - 1) / b
}
